//! Globals and statics that only ever hold text: nothing that they hold is ever released, so what
//! a function writes into its message buffer, or logs of it, is nothing that a caller can feel.

use pipelint_ir::{LocalKind, Name, Type, Unit};
use rustc_hash::FxHashMap;

use crate::exec::Exec;
use crate::log::Action;
use crate::program::last;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// What is known of storage by its name.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// By last segment; false where several of one name are not all text.
    globals: FxHashMap<Name, bool>,
    /// Arrays of characters that are statics, as `function::name`.
    buffers: FxHashMap<Name, bool>,
}

impl Texts {
    pub(crate) fn new(units: &[Unit]) -> Self {
        let mut texts = Self::default();
        for unit in units {
            for global in &unit.globals {
                let text = is_buffer(&global.ty) || is_constant_text(&global.ty);
                let known = texts.globals.entry(Name::new(last(&global.name)));
                *known.or_insert(true) &= text;
            }
            for function in &unit.functions {
                for local in function
                    .locals
                    .iter()
                    .filter(|l| l.kind == LocalKind::Static)
                {
                    let name = format!("{}::{}", function.name, local.name);
                    *texts.buffers.entry(name.into()).or_insert(true) &= is_buffer(&local.ty);
                }
            }
        }
        texts
    }

    fn is_text(&self, name: &Name) -> bool {
        self.buffers
            .get(name)
            .copied()
            .unwrap_or_else(|| self.globals.get(last(name)).copied().unwrap_or(false))
    }
}

/// An array of characters.
fn is_buffer(ty: &Type) -> bool {
    const CHARACTERS: &[&str] = &["char", "wchar_t", "CHAR", "WCHAR", "TCHAR", "char16_t"];
    ty.arrays > 0 && ty.pointers == 0 && CHARACTERS.contains(&&*ty.name)
}

/// A pointer through which nothing is freed without a cast.
fn is_constant_text(ty: &Type) -> bool {
    const POINTERS: &[&str] = &["LPCSTR", "LPCWSTR", "LPCTSTR", "PCSTR", "PCWSTR", "PCTSTR"];
    ty.is_object() && POINTERS.contains(&&*ty.name)
}

impl Exec<'_, '_> {
    /// An action that nobody can feel, as it touches nothing but text.
    pub(crate) fn is_about_text(&self, action: &Action) -> bool {
        match action {
            Action::Escape(v) => self.is_text_value(*v),
            Action::Write { loc, .. } => self.is_text_buffer(*loc),
            _ => false,
        }
    }

    /// The address of a buffer, or what a variable for text holds.
    fn is_text_value(&self, v: ValId) -> bool {
        match self.arena.get(v) {
            Val::Ptr(loc) => self.is_text_buffer(*loc),
            Val::Sym(Sym::Load { loc, .. }) => match self.arena.get_loc(*loc) {
                Loc::Global(name) => self.program.texts.is_text(name),
                _ => false,
            },
            _ => false,
        }
    }

    /// A part of a static array of characters: only its function knows it by name.
    fn is_text_buffer(&self, loc: LocId) -> bool {
        match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Local(l) if self.is_static(*l) => {
                is_buffer(&self.function.locals[l.0 as usize].ty)
            }
            Loc::Global(name) => self
                .program
                .texts
                .buffers
                .get(name)
                .copied()
                .unwrap_or(false),
            _ => false,
        }
    }
}
