//! Files that nobody asked to lint but that say what linted ones mean.

use aho_corasick::AhoCorasick;
use pipelint_ir::{
    Base, Callee, Const, FunctionKind, Language, Name, Operand, Statement, Terminator, Unit,
};
use pipelint_models::Models;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// Names that no unit explains and that decide what a path does: globals and constants of
/// conditions, functions whose result is kept, and types that objects are made of.
pub(crate) fn unexplained(units: &[Unit], models: &Models) -> Vec<String> {
    let mut known: FxHashSet<&str> = FxHashSet::default();
    for unit in units {
        known.extend(unit.constants.iter().map(|c| c.name.as_str()));
        known.extend(
            unit.globals
                .iter()
                .filter(|g| !g.is_extern)
                .map(|g| g.name.as_str()),
        );
        known.extend(unit.functions.iter().map(|f| f.name.as_str()));
        known.extend(unit.macros.iter().map(|m| m.name.as_str()));
        known.extend(unit.classes.iter().map(|c| last(&c.name)));
        known.extend(unit.aliases.iter().map(|(name, _)| last(name)));
    }
    let open = |name: &str| {
        !known.contains(name)
            && models.function(name).is_none()
            && models.constant(name).is_none()
            && !name.contains("::")
    };
    let wanted: Vec<FxHashSet<&str>> = units
        .par_iter()
        .map(|unit| {
            let mut wanted = FxHashSet::default();
            asked_in(unit, models, &mut |name| {
                if open(name) {
                    wanted.insert(name);
                }
            });
            wanted
        })
        .collect();
    let wanted: BTreeSet<&str> = wanted.into_iter().flatten().collect();
    wanted.into_iter().map(str::to_owned).collect()
}

/// Calls `want` with each name of a unit whose definition matters.
fn asked_in<'u>(unit: &'u Unit, models: &Models, want: &mut dyn FnMut(&'u str)) {
    for function in &unit.functions {
        let mut operand = |op: &'u Operand| match op {
            Operand::Copy(place) | Operand::Move(place) => {
                let place = &function.places[*place];
                if let (Base::Global(name), true) = (&place.base, place.proj.is_empty()) {
                    want(name);
                }
            }
            Operand::Const(Const::Named(name)) => want(name),
            Operand::Const(_) => {}
        };
        for block in &function.blocks {
            for stmt in &block.stmts {
                if let Statement::Assign {
                    value: pipelint_ir::Rvalue::Compare(cond),
                    ..
                } = stmt
                {
                    operand(&cond.lhs);
                    operand(&cond.rhs);
                }
            }
            match &block.term {
                Terminator::Branch { cond, .. } => {
                    operand(&cond.lhs);
                    operand(&cond.rhs);
                }
                Terminator::Switch { on, .. } => operand(on),
                _ => {}
            }
        }
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Call {
                dst: Some(_),
                callee: Callee::Function(name),
                ..
            } = stmt
            {
                want(name);
            }
            // A type that may be a number by another name.
            if let Statement::Call {
                callee: Callee::Constructor(ty),
                args,
                ..
            } = stmt
                && args.len() <= 1
                && models.owner(&ty.name).is_none()
            {
                want(&ty.name);
            }
        }
    }
}

/// Names of globals with an initialiser that some of these texts, which are not lowered, may write.
pub(crate) fn mentioned<'a>(
    units: &[Unit],
    texts: impl Iterator<Item = &'a str>,
) -> FxHashSet<Name> {
    let mut names: Vec<&str> = units
        .iter()
        .flat_map(|u| &u.globals)
        .filter(|g| !g.internal && !g.is_extern && !g.ty.is_const && g.init.is_some())
        .map(|g| g.name.rsplit("::").next().unwrap_or(&g.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let Some(automaton) = (!names.is_empty())
        .then(|| AhoCorasick::new(&names).ok())
        .flatten()
    else {
        return FxHashSet::default();
    };
    let texts: Vec<&str> = texts.collect();
    let found: Vec<FxHashSet<usize>> = texts
        .par_iter()
        .map(|text| {
            let bytes = text.as_bytes();
            let changed = automaton.find_overlapping_iter(text).filter(|m| {
                let line = memchr::memrchr(b'\n', &bytes[..m.start()]);
                let head = text[line.map_or(0, |i| i + 1)..m.start()].trim_start();
                let whole = !head.bytes().next_back().is_some_and(is_word)
                    && !bytes.get(m.end()).is_some_and(|b| is_word(*b));
                whole && may_change(head, &text[m.end()..])
            });
            changed.map(|m| m.pattern().as_usize()).collect()
        })
        .collect();
    let found: FxHashSet<usize> = found.into_iter().flatten().collect();
    found.into_iter().map(|i| Name::new(names[i])).collect()
}

/// Names of fields that some of these texts, which are not lowered, speak of in any way but to declare
/// a member of another class by the same name; and that of what takes memory back from a raw pointer.
pub(crate) fn mentioned_fields<'a>(
    units: &[Unit],
    texts: impl Iterator<Item = &'a str>,
) -> FxHashSet<Name> {
    let mut fields: FxHashSet<&[u8]> = units
        .iter()
        .flat_map(|u| &u.classes)
        .flat_map(|c| &c.fields)
        .map(|f| f.name.as_bytes())
        .collect();
    if units.iter().any(|u| u.language == Language::Rust) {
        fields.insert(pipelint_analysis::FROM_RAW.as_bytes());
    }
    // Most words are none of the names, and most of these are told by their ends and length.
    let mut shapes = vec![false; 1 << 16];
    for field in &fields {
        shapes[shape(field)] = true;
    }
    let texts: Vec<&str> = texts.collect();
    let found: Vec<FxHashSet<&[u8]>> = texts
        .par_iter()
        .map(|text| {
            let bytes = text.as_bytes();
            let words = bytes.split(|b| !WORD[*b as usize]);
            words
                .filter(|word| shapes[shape(word)])
                .filter(|word| fields.contains(word) && !is_declared(bytes, word))
                .filter_map(|word| fields.get(word).copied())
                .collect()
        })
        .collect();
    let found = found.into_iter().flatten();
    let found: FxHashSet<&[u8]> = found.collect();
    let names = found
        .into_iter()
        .filter_map(|f| std::str::from_utf8(f).ok());
    names.map(Name::new).collect()
}

/// Whether a word of the text is the name in a declaration of its own line: `HANDLE *name;`,
/// `std::unique_ptr<T> name = …;`.
fn is_declared(text: &[u8], word: &[u8]) -> bool {
    let at = word.as_ptr().addr() - text.as_ptr().addr();
    let tail = text[at + word.len()..].trim_ascii_start();
    if !matches!(tail.first(), Some(b';' | b'=')) || tail.starts_with(b"==") {
        return false;
    }
    let line = memchr::memrchr(b'\n', &text[..at]).map_or(0, |i| i + 1);
    let head = text[line..at].trim_ascii();
    let of_type = |b: &u8| WORD[*b as usize] || b" \t:<>,*&".contains(b);
    let statement = |word: &[u8]| {
        matches!(
            word,
            b"return"
                | b"delete"
                | b"throw"
                | b"goto"
                | b"case"
                | b"else"
                | b"co_return"
                | b"co_yield"
        )
    };
    !head.is_empty()
        && head.iter().all(of_type)
        && !head.split(|b| !WORD[*b as usize]).any(statement)
}

/// A small number that few words share.
fn shape(word: &[u8]) -> usize {
    let byte = |b: Option<&u8>| b.copied().map_or(0, usize::from);
    (byte(word.first()) << 9 ^ byte(word.last()) << 3 ^ word.len()) & 0xFFFF
}

/// Which bytes are of a word.
static WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut b = 0;
    while b < 256 {
        word[b] = b == b'_' as usize || (b as u8).is_ascii_alphanumeric();
        b += 1;
    }
    word
};

/// What stands around a name may write it: an assignment, an increment, its address taken. A
/// declaration does nothing to it, and a condition only reads it.
fn may_change(before: &str, after: &str) -> bool {
    if before.starts_with("extern") {
        return false;
    }
    let (before, after) = (before.trim_end(), after.trim_start());
    let assigned = after.starts_with('=') && !after.starts_with("==");
    let compound = after
        .strip_prefix(['+', '-', '*', '/', '%', '&', '|', '^'])
        .is_some_and(|rest| rest.starts_with(['=', '+', '-']));
    let shifted = after.starts_with("<<=") || after.starts_with(">>=") || after.starts_with(">>");
    let taken = before.ends_with('&') && !before.ends_with("&&");
    assigned || compound || shifted || taken || before.ends_with("++") || before.ends_with("--")
}

fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

fn is_word(b: u8) -> bool {
    WORD[b as usize]
}

/// A line that makes the name between stand for another one: `#define set_flag set_flag_portable`.
fn renames(before: &[u8], after: &str) -> bool {
    let mut words = before
        .split(|b| !is_word(*b))
        .filter(|word| !word.is_empty());
    let define = words.next() == Some(b"define") && words.next().is_none();
    let line = after.lines().next().unwrap_or_default();
    let other = line.trim();
    define
        && line.starts_with([' ', '\t'])
        && other.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && other.bytes().all(is_word)
}

/// What these names stand for, where an object-like macro makes it another name.
pub(crate) fn other_names(units: &[Unit], names: &[String]) -> Vec<String> {
    let known: FxHashSet<&str> = units
        .iter()
        .flat_map(|u| &u.functions)
        .map(|f| f.name.as_str())
        .collect();
    let names: FxHashSet<&str> = names.iter().map(String::as_str).collect();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for constant in units.iter().flat_map(|u| &u.constants) {
        if let Const::Named(other) = &constant.value
            && names.contains(constant.name.as_str())
            && !known.contains(other.as_str())
        {
            others.insert(other);
        }
    }
    others.into_iter().map(str::to_owned).collect()
}

/// Classes whose body is not in sight, where a destructor that is releases something, or a constructor
/// puts what a call yields into a field: what it releases is told in the body, and what a field is made
/// of the value. And those of objects in which functions return what they transferred.
pub(crate) fn bodiless_classes(units: &[Unit], models: &Models) -> FxHashSet<String> {
    let classes = units.iter().flat_map(|u| &u.classes);
    let known: FxHashSet<&str> = classes.map(|c| last(&c.name)).collect();
    let cpp = units.iter().filter(|u| u.language == Language::Cpp);
    let telling = cpp.flat_map(|u| &u.functions).filter(|f| match f.kind {
        FunctionKind::Destructor => releases(f, models),
        FunctionKind::Constructor => fills(f),
        _ => false,
    });
    let names = telling.filter_map(|f| f.class.as_deref()).map(last);
    let cpp = units.iter().filter(|u| u.language == Language::Cpp);
    let told = cpp.flat_map(|u| &u.functions).filter_map(|f| {
        let lists = returns_list(f) && transfers(f, models);
        lists.then(|| last(&f.ret.name))
    });
    let names = names.chain(told).filter(|name| !known.contains(name));
    names.map(str::to_owned).collect()
}

/// The function returns an object that is made of a list of values: what a transfer yielded, and its error.
fn returns_list(function: &pipelint_ir::Function) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Call {
            callee: Callee::Constructor(ty),
            args,
            ..
        } => args.len() > 1 && ty.name == function.ret.name,
        _ => false,
    })
}

/// The function sends or reads, or asks how an operation went.
fn transfers(function: &pipelint_ir::Function, models: &Models) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Call {
            callee: Callee::Function(name),
            ..
        } => models
            .function(name)
            .is_some_and(|f| f.io.is_some() || f.completes.is_some()),
        _ => false,
    })
}

/// A field of the object gets what a call yields.
fn fills(function: &pipelint_ir::Function) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call {
            dst: Some(dst),
            callee: Callee::Function(_) | Callee::Method { .. },
            ..
        } = stmt
        else {
            return false;
        };
        let place = &function.places[*dst];
        place.base == Base::SelfObj && place.proj.len() == 1
    })
}

fn releases(function: &pipelint_ir::Function, models: &Models) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call {
            callee: Callee::Function(name),
            ..
        } = stmt
        else {
            return false;
        };
        models
            .function(name)
            .is_some_and(|f| !f.releases.is_empty())
    })
}

/// Which of the texts, by their numbers, has the body of one of these classes; none for a class with
/// several, of which nobody knows which is meant.
pub(crate) fn bodies<'t>(
    classes: &FxHashSet<String>,
    texts: impl Iterator<Item = (usize, &'t str)>,
) -> BTreeSet<usize> {
    let mut found: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (number, text) in texts {
        for class in class_bodies(text).filter_map(|name| classes.get(name)) {
            found.entry(class).or_default().push(number);
        }
    }
    let only = found.into_values().filter(|numbers| numbers.len() == 1);
    only.flatten().collect()
}

/// The names of the classes whose bodies begin on a line of their own, nested ones included.
fn class_bodies(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while let Some(line) = rest.split_inclusive('\n').next() {
            let whole = rest;
            rest = &rest[line.len()..];
            let head = line.trim_start();
            let Some(after) = head
                .strip_prefix("class ")
                .or_else(|| head.strip_prefix("struct "))
            else {
                continue;
            };
            let stop = after.find(['{', ':', ';']).unwrap_or(after.len());
            // A name alone is declared, not defined.
            let body = whole[line.len() - head.len()..].find(['{', ':', ';']);
            let at = line.len() - head.len();
            let defines = body.is_some_and(|n| !whole[at + n..].starts_with(';'));
            let mut words = after[..stop].split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let name = words.rfind(|w| !w.is_empty() && *w != "final");
            if let (Some(name), true) = (name, defines) {
                return Some(name);
            }
        }
        None
    })
}

/// Tells which texts define one of some names.
pub(crate) struct Definitions<'a>(FxHashSet<&'a str>);

impl<'a> Definitions<'a> {
    pub(crate) fn new(names: &'a [String]) -> Self {
        Self(names.iter().map(String::as_str).collect())
    }

    /// A name at the place of a definition: the line begins at its first column with a type, and
    /// the name is followed by `=` or `(…)`; no declaration that ends in `;` right after `)`.
    pub(crate) fn in_text(&self, text: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let bytes = text.as_bytes();
        let mut line = 0;
        while line < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[line..]).map_or(bytes.len(), |n| line + n);
            let found = match bytes[line] {
                b'#' => self.renames(text, line, end),
                first => first.is_ascii_alphabetic() && self.defines(text, line, end),
            };
            if found {
                return true;
            }
            line = end + 1;
        }
        false
    }

    /// Whether the directive from `start` to `end` makes one of the names stand for another.
    fn renames(&self, text: &str, start: usize, end: usize) -> bool {
        let bytes = &text.as_bytes()[start..end];
        let Some(word) = memchr::memmem::find(bytes, b"define") else {
            return false;
        };
        let from = word + "define".len();
        let blank = bytes[from..]
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        let name = from + blank;
        let length = bytes[name..].iter().take_while(|b| is_word(**b)).count();
        let (name, after) = (start + name, start + name + length);
        let known = text
            .get(name..after)
            .is_some_and(|name| self.0.contains(name));
        known && renames(&text.as_bytes()[start..name], &text[after..])
    }

    /// Whether the line from `start` to `end` begins such a definition.
    fn defines(&self, text: &str, start: usize, end: usize) -> bool {
        let bytes = text.as_bytes();
        let line = &bytes[start..end];
        // What stands before the first of these is a type and a name; the sign may be on the next
        // line.
        let sign = memchr::memchr2(b'=', b'(', line);
        let head = line[..sign.unwrap_or(line.len())].trim_ascii_end();
        let name = head.iter().rev().take_while(|b| is_word(**b)).count();
        let name = start + head.len() - name..start + head.len();
        let known = text
            .get(name.clone())
            .is_some_and(|name| self.0.contains(name));
        if !known
            || name.start == start
            || [&b"extern"[..], b"return", b"typedef"]
                .iter()
                .any(|word| head.starts_with(word))
        {
            return false;
        }
        let after = |at: usize| {
            let rest = bytes[at..].iter().position(|b| !b.is_ascii_whitespace());
            rest.map(|n| (at + n, bytes[at + n]))
        };
        match after(name.end) {
            Some((at, b'=')) => bytes.get(at + 1) != Some(&b'='),
            Some((at, b'(')) => {
                let close = memchr::memchr(b')', &bytes[at..]).map(|n| at + n + 1);
                close.and_then(after).is_some_and(|(_, b)| b == b'{')
            }
            _ => false,
        }
    }
}
