//! Files that nobody asked to lint but that say what linted ones mean.

use aho_corasick::AhoCorasick;
use pipelint_ir::{Base, Callee, Const, Name, Operand, Statement, Terminator, Unit};
use pipelint_models::Models;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// Names that no unit explains and that decide what a path does: globals and constants of
/// conditions, functions whose result is kept, and types that objects are made of.
pub(crate) fn unexplained(units: &[Unit], models: &Models) -> Vec<String> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
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
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    let mut want = |name: &str| {
        let open = !known.contains(name)
            && models.function(name).is_none()
            && models.constant(name).is_none();
        if open && !name.contains("::") {
            wanted.insert(name.to_owned());
        }
    };
    for function in units.iter().flat_map(|u| &u.functions) {
        let mut operand = |op: &Operand| match op {
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
    wanted.into_iter().collect()
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
    let mut found = FxHashSet::default();
    let Some(automaton) = (!names.is_empty())
        .then(|| AhoCorasick::new(&names).ok())
        .flatten()
    else {
        return found;
    };
    for text in texts {
        let bytes = text.as_bytes();
        for m in automaton.find_overlapping_iter(text) {
            let line = bytes[..m.start()].iter().rposition(|b| *b == b'\n');
            let head = text[line.map_or(0, |i| i + 1)..m.start()].trim_start();
            let whole = !head.bytes().next_back().is_some_and(is_word)
                && !bytes.get(m.end()).is_some_and(|b| is_word(*b));
            if whole && may_change(head, &text[m.end()..]) {
                found.insert(Name::new(names[m.pattern().as_usize()]));
            }
        }
    }
    found
}

/// Names of fields that some of these texts, which are not lowered, speak of in any way.
pub(crate) fn mentioned_fields<'a>(
    units: &[Unit],
    texts: impl Iterator<Item = &'a str>,
) -> FxHashSet<Name> {
    let fields: FxHashSet<&str> = units
        .iter()
        .flat_map(|u| &u.classes)
        .flat_map(|c| &c.fields)
        .map(|f| &*f.name)
        .collect();
    let texts: Vec<&str> = texts.collect();
    let found: Vec<FxHashSet<&str>> = texts
        .par_iter()
        .map(|text| {
            let words = text.as_bytes().split(|b| !is_word(*b));
            words
                .filter_map(|word| std::str::from_utf8(word).ok())
                .filter_map(|word| fields.get(word).copied())
                .collect()
        })
        .collect();
    found.into_iter().flatten().map(Name::new).collect()
}

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
    b == b'_' || b.is_ascii_alphanumeric()
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

/// Tells which texts define one of some names.
pub(crate) struct Definitions(Option<AhoCorasick>);

impl Definitions {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(if names.is_empty() {
            None
        } else {
            AhoCorasick::new(names).ok()
        })
    }

    /// A name at the place of a definition: the line begins at its first column with a type, and
    /// the name is followed by `=` or `(…)`; no declaration that ends in `;` right after `)`.
    pub(crate) fn in_text(&self, text: &str) -> bool {
        let Some(names) = &self.0 else { return false };
        let bytes = text.as_bytes();
        let word = is_word;
        names.find_overlapping_iter(text).any(|m| {
            let (start, end) = (m.start(), m.end());
            if start == 0 || word(bytes[start - 1]) || bytes.get(end).is_some_and(|b| word(*b)) {
                return false;
            }
            let line = bytes[..start]
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |i| i + 1);
            let head = &bytes[line..start];
            if head.starts_with(b"#") {
                return renames(head, &text[end..]);
            }
            if !head.first().is_some_and(|b| b.is_ascii_alphabetic())
                || head.contains(&b'(')
                || head.contains(&b'=')
            {
                return false;
            }
            if head.starts_with(b"extern")
                || head.starts_with(b"return")
                || head.starts_with(b"typedef")
            {
                return false;
            }
            let rest = bytes[end..]
                .iter()
                .position(|b| !b.is_ascii_whitespace())
                .map(|i| end + i);
            match rest.map(|at| (at, bytes[at])) {
                Some((at, b'=')) => bytes.get(at + 1) != Some(&b'='),
                Some((at, b'(')) => {
                    let close = bytes[at..]
                        .iter()
                        .position(|b| *b == b')')
                        .map(|i| at + i + 1);
                    let after =
                        close.and_then(|c| bytes[c..].iter().find(|b| !b.is_ascii_whitespace()));
                    after == Some(&b'{')
                }
                _ => false,
            }
        })
    }
}
