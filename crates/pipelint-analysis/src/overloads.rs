//! Which of a class's overloads a definition is: a static method may share its name with one that is none.

use pipelint_ir::{Function, FunctionKind, Name, Type, Unit};
use rustc_hash::FxHashMap;

/// The declarations of one name in classes: what each takes, and whether it is static.
type Overloads = Vec<(Vec<Type>, bool)>;

/// The names that some class declares a static method of.
pub(crate) fn statics(units: &[Unit]) -> FxHashMap<Name, Overloads> {
    let mut overloads: FxHashMap<Name, Overloads> = FxHashMap::default();
    let classes = units.iter().flat_map(|u| &u.classes);
    for method in classes.flat_map(|c| &c.methods) {
        let is_static = method.kind == FunctionKind::StaticMethod;
        let known = overloads.entry(method.name.clone()).or_default();
        known.push((method.params.clone(), is_static));
    }
    overloads.retain(|_, known| known.iter().any(|(_, is_static)| *is_static));
    overloads
}

/// The definition is a static one of these: by its parameters' types, else by their number, else by the name alone.
pub(crate) fn is_static(function: &Function, overloads: &Overloads) -> bool {
    let count = function.params as usize;
    let own = || function.locals.iter().take(count).map(|l| &l.ty);
    let static_among = |fits: &dyn Fn(&[Type]) -> bool| {
        let mut fitting = overloads.iter().filter(|(params, _)| fits(params));
        let first = fitting.next()?.1;
        Some(first || fitting.any(|(_, is_static)| *is_static))
    };
    static_among(&|params| params.len() == count && params.iter().eq(own()))
        .or_else(|| static_among(&|params| params.len() == count))
        .or_else(|| static_among(&|_| true))
        .unwrap_or(false)
}
