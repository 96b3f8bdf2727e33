//! Declarations of what threads work on: a header that names no modelled function is passed over, but what two
//! threads share is told by the class of the object.

use std::collections::BTreeSet;

use pipelint_ir::{Callee, Const, Function, Language, Name, Operand, Rvalue, Statement, Unit};
use pipelint_models::Models;
use rustc_hash::{FxHashMap, FxHashSet};

/// Types that no unit declares and that functions reach by pointers which some call has run beside its caller.
pub(crate) fn undeclared(units: &[Unit], models: &Models) -> FxHashSet<String> {
    let mut run: FxHashSet<&str> = FxHashSet::default();
    let cpp = || units.iter().filter(|u| u.language != Language::Rust);
    for function in cpp().flat_map(|u| &u.functions) {
        if starts(function, models) {
            run.extend(functions_in(function).map(|name| last(name)));
        }
    }
    if run.is_empty() {
        return FxHashSet::default();
    }
    let classes = units.iter().flat_map(|u| &u.classes);
    let classes: FxHashSet<&str> = classes.map(|c| last(&c.name)).collect();
    let aliases = units.iter().flat_map(|u| &u.aliases);
    let aliases: FxHashMap<&str, &str> = aliases
        .map(|(name, ty)| (last(name), last(&ty.name)))
        .collect();
    let functions = cpp().flat_map(|u| &u.functions);
    let functions = functions.filter(|f| run.contains(last(&f.name)));
    let pointers = functions.flat_map(|f| f.locals.iter().filter(|l| l.ty.pointers > 0));
    let names = pointers.map(|local| {
        let name = last(&local.ty.name);
        aliases.get(name).copied().unwrap_or(name)
    });
    let open = |name: &&str| {
        !classes.contains(name) && !aliases.contains_key(name) && !is_of_the_language(name)
    };
    names.filter(open).map(str::to_owned).collect()
}

/// No header of the program declares it.
fn is_of_the_language(name: &str) -> bool {
    matches!(
        name,
        "" | "?"
            | "auto"
            | "void"
            | "bool"
            | "char"
            | "wchar_t"
            | "int"
            | "short"
            | "long"
            | "float"
            | "double"
    ) || name.contains(' ')
}

/// Some call in the function has another one run beside it.
fn starts(function: &Function, models: &Models) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Call {
            callee: Callee::Function(name),
            ..
        } => {
            let modelled = models.function(name);
            modelled.is_some_and(|f| f.starts.is_some()) || models.thread_maker(name).is_some()
        }
        _ => false,
    })
}

/// The functions that a function speaks of as values.
fn functions_in(function: &Function) -> impl Iterator<Item = &Name> {
    let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    let operands = stmts.flat_map(|stmt| match stmt {
        Statement::Call { args, .. } => args.iter().collect::<Vec<_>>(),
        Statement::Assign {
            value: Rvalue::Use(op) | Rvalue::Cast(_, op),
            ..
        } => vec![op],
        _ => Vec::new(),
    });
    operands.filter_map(|op| match op {
        Operand::Const(Const::Function(name)) => Some(name),
        _ => None,
    })
}

/// Which of the texts, by their numbers, makes one of these names another name of a type; none for a name that
/// several do.
pub(crate) fn renamed<'t>(
    names: &FxHashSet<String>,
    texts: impl Iterator<Item = (usize, &'t str)>,
) -> BTreeSet<usize> {
    let mut found: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (number, text) in texts {
        if !text.contains("typedef") {
            continue;
        }
        for name in aliases(text).filter_map(|name| names.get(name)) {
            found.entry(name).or_default().push(number);
        }
    }
    let only = found.into_values().filter(|numbers| numbers.len() == 1);
    only.flatten().collect()
}

/// The names that `typedef struct a b;` and `} b;` at the beginnings of lines give.
fn aliases(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.trim_end();
        if !(line.starts_with("typedef") || line.starts_with('}')) {
            return None;
        }
        let line = line.strip_suffix(';')?.trim_end();
        let word = |c: char| c.is_alphanumeric() || c == '_';
        line.rsplit(|c| !word(c)).next().filter(|w| !w.is_empty())
    })
}

fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
