//! Files that name no modelled function, since they do their I/O through a class of the program's own.
//!
//! What such a class keeps pending is freed, closed and used anew in the code of those that have one. The
//! wrappers of a C program are functions: their users are passed over still, and counted as skipped.

use std::collections::BTreeSet;

use pipelint_ir::{Callee, Class, Const, Language, Name, Operand, Statement, Type, Unit};
use pipelint_models::{Models, Prefilter};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::context;
use crate::pipeline::{File, language};
use crate::surroundings::Surroundings;

/// Looks for the names of calls that start operations.
pub(crate) fn starts_of(models: &Models) -> Prefilter {
    let functions = models.functions();
    Prefilter::new(
        functions
            .filter(|(_, model)| model.start().is_some())
            .map(|(name, _)| name),
    )
}

/// Classes whose methods start operations that may go on afterwards, by the last part of the name.
pub(crate) fn starters(units: &[Unit], models: &Models) -> BTreeSet<Name> {
    let cpp = units.par_iter().filter(|u| u.language == Language::Cpp);
    let found = cpp.flat_map_iter(|unit| {
        let methods = unit.functions.iter().filter(|f| f.class.is_some());
        methods
            .filter(|f| starts(f, models))
            .filter_map(|f| f.class.as_deref())
    });
    found.map(last).map(Name::new).collect()
}

fn starts(function: &pipelint_ir::Function, models: &Models) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call {
            callee: Callee::Function(name),
            args,
            ..
        } = stmt
        else {
            return false;
        };
        let start = models.function(name).and_then(|model| model.start());
        let overlapped = start.and_then(|start| args.get(start.overlapped));
        overlapped.is_some_and(|arg| !matches!(arg, Operand::Const(Const::Null | Const::Int(0))))
    })
}

/// Classes of these units that have one of the others as a part or as a base.
pub(crate) fn holders(units: &[Unit], parts: &BTreeSet<Name>) -> BTreeSet<Name> {
    let classes = units.iter().flat_map(|u| &u.classes);
    let names = classes
        .filter(|class| holds(class, parts))
        .map(|class| last(&class.name));
    names
        .map(Name::new)
        .filter(|name| !parts.contains(name))
        .collect()
}

fn holds(class: &Class, parts: &BTreeSet<Name>) -> bool {
    let is_part = |name: &Name| parts.contains(last(name));
    let of_type = |ty: &Type| is_part(&ty.name) || ty.args.iter().any(is_part);
    class.bases.iter().any(is_part) || class.fields.iter().any(|field| of_type(&field.ty))
}

/// Files that were passed over, speak of one of these classes, and see its body.
///
/// A name alone says little: `pipe` and `channel` are classes of many programs.
pub(crate) fn of_classes(
    files: &mut Vec<File>,
    surroundings: &mut Surroundings<'_>,
    units: &[Unit],
    classes: &BTreeSet<Name>,
    means: Means,
) -> Vec<usize> {
    if classes.is_empty() {
        return Vec::new();
    }
    let words = Prefilter::new(classes.iter().map(Name::as_str));
    let speaks = |file: &File| match means {
        Means::Any => words.matches(file.text.as_bytes()),
        Means::Defines => defines_method(&file.text, classes),
    };
    let passed_over: Vec<usize> = files
        .par_iter()
        .enumerate()
        .filter(|(_, file)| !file.parsed && language(&file.path) == Language::Cpp && speaks(file))
        .map(|(i, _)| i)
        .collect();
    if passed_over.is_empty() {
        return passed_over;
    }
    let all = units.iter().flat_map(|u| &u.classes);
    let declared = all.filter(|class| classes.contains(last(&class.name)));
    let mut declaring: FxHashSet<usize> = declared.map(|c| c.span.file.0 as usize).collect();
    let known: FxHashSet<&str> = units
        .iter()
        .flat_map(|u| &u.classes)
        .map(|c| last(&c.name))
        .collect();
    let names = classes.iter().filter(|name| !known.contains(name.as_str()));
    let names = names.map(|name| name.to_string()).collect();
    let texts = files.iter().enumerate().filter(|(_, file)| !file.parsed);
    declaring.extend(context::bodies(
        &names,
        texts.map(|(i, file)| (i, file.text.as_str())),
    ));
    surroundings.follow(files, &passed_over);
    let sees = |i: &usize| {
        declaring.contains(i)
            || surroundings
                .all_included(*i)
                .iter()
                .any(|other| declaring.contains(other))
    };
    passed_over.into_iter().filter(sees).collect()
}

/// How a file speaks of a class.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Means {
    /// In any way.
    Any,
    /// It defines one of its methods.
    Defines,
}

/// `name::` stands in the text.
fn defines_method(text: &str, classes: &BTreeSet<Name>) -> bool {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, "::").any(|at| {
        let word = bytes[..at].iter().rev();
        let length = word
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count();
        text.get(at - length..at)
            .is_some_and(|name| classes.contains(name))
    })
}

fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
