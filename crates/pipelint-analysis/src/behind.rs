//! Fields of values whose type is not known: Rust goes through `Deref` without a word.

use pipelint_ir::LocalKind;

use crate::exec::Exec;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val};

impl Exec<'_, '_> {
    /// Whether a field of a local may be one of what the local leads to: `guard.handle` is a field of
    /// what the lock guards, and outlives the guard. It is the local's own where the local's type, or
    /// what was put into it, shows that.
    pub(crate) fn is_behind(&self, state: &State, loc: LocId) -> bool {
        if !self.is_rust() {
            return false;
        }
        let (mut root, mut first) = (loc, None);
        while let Loc::Field(of, _) | Loc::Elem(of, _) = self.arena.get_loc(root) {
            first = Some(root);
            root = *of;
        }
        let (Some(first), Loc::Local(l)) = (first, self.arena.get_loc(root)) else {
            return false;
        };
        let (Loc::Field(_, name), Some(local)) = (
            self.arena.get_loc(first),
            self.function.locals.get(l.0 as usize),
        ) else {
            return false;
        };
        // The parts of tuples and enums are those of the value.
        if !name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') || !local.ty.is_object()
        {
            return false;
        }
        match self
            .program
            .class_named(self.unit, self.scope(), &local.ty.name)
        {
            Some(class) => {
                !class.fields.is_empty() && !class.fields.iter().any(|f| f.name == *name)
            }
            None if !is_open(&local.ty.name) => false,
            None => {
                let held = state.env.get(root).map(|v| self.arena.get(*v));
                match held {
                    Some(Val::Sym(sym)) => !matches!(sym, Sym::Uninit { .. }),
                    Some(_) => false,
                    None => local.kind == LocalKind::Param,
                }
            }
        }
    }
}

/// A type that is not known, or one of a library that may have a `Deref`; those of the system's
/// interface are plain data.
fn is_open(name: &str) -> bool {
    match name.rsplit_once("::") {
        None => name.is_empty() || name == "auto",
        Some((_, last)) => {
            last.starts_with(|c: char| c.is_ascii_uppercase())
                && last.contains(|c: char| c.is_ascii_lowercase())
        }
    }
}
