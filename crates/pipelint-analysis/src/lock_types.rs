//! Types of locks and of guards, through aliases.

use pipelint_ir::{
    Callee, Function, Language, Name, Operand, Proj, Reference, Rvalue, Statement, Type,
};
use pipelint_models::{Guard, Lock};
use rustc_hash::FxHashSet;

use crate::program::{Program, last};
use crate::words::has_word;

/// Some call of the function has to do with a lock, as far as names tell.
pub(crate) fn locks(program: &Program<'_>, unit: usize, function: &Function) -> bool {
    let models = program.models;
    let rust = program.units[unit].language == Language::Rust;
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call { callee, .. } = stmt else {
            return false;
        };
        match callee {
            Callee::Function(name) => {
                let plain = name.strip_prefix("::").unwrap_or(name);
                let mut calls = models.lock_calls(plain);
                calls.any(|(lock, _)| !lock.names.is_empty())
            }
            Callee::Method { name, ty, .. } if rust => {
                let ty = ty.as_ref().filter(|_| models.is_lock_method(name));
                ty.is_some_and(|ty| models.lock_exactly(&ty.name).is_some())
            }
            Callee::Method { name, receiver, .. } if models.is_lock_method(last(name)) => {
                let ty = program.type_of_place(unit, function, *receiver);
                ty.is_some_and(|ty| {
                    program.lock_named(unit, &function.name, &ty).is_some()
                        || program.guard_named(unit, &function.name, &ty).is_some()
                })
            }
            Callee::Constructor(ty) if !rust => {
                program.guard_named(unit, &function.name, ty).is_some()
            }
            _ => false,
        }
    })
}

/// The fields into which a function copies pointers or other values.
pub(crate) fn filled_fields(function: &Function) -> FxHashSet<Name> {
    let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    let filled = stmts.filter_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Use(Operand::Copy(_) | Operand::Move(_)) | Rvalue::Cast(..),
        } => match function.places[*dst].proj.last() {
            Some(Proj::Field(name)) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    });
    filled.collect()
}

/// The same, or a call of what is named for locks.
pub(crate) fn may_lock(program: &Program<'_>, unit: usize, function: &Function) -> bool {
    let named = |stmt: &Statement| match stmt {
        Statement::Call {
            callee: Callee::Function(name) | Callee::Method { name, .. },
            ..
        } => has_word(
            last(name),
            &["lock", "unlock", "enter", "leave", "acquire", "release"],
        ),
        _ => false,
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(named) || locks(program, unit, function)
}

impl<'m> Program<'m> {
    /// What the models say of the guard that a type names; none for a class of the program's own.
    pub(crate) fn guard_named(&self, unit: usize, scope: &str, ty: &Type) -> Option<&'m Guard> {
        let resolved = self.resolve(ty);
        if resolved.pointers > 0 || resolved.arrays > 0 {
            return None;
        }
        let models: &'m _ = self.models;
        let guard = models.guard(&resolved.name)?;
        let own = self.class_named(unit, scope, &resolved.name);
        own.is_none_or(|class| class.methods.is_empty())
            .then_some(guard)
    }

    /// The same of a lock, or of a pointer or reference to one.
    pub(crate) fn lock_named(&self, unit: usize, scope: &str, ty: &Type) -> Option<&'m Lock> {
        let mut object = ty.clone();
        object.pointers = 0;
        object.reference = Reference::None;
        let resolved = self.resolve(&object);
        let models: &'m _ = self.models;
        let lock = models
            .lock(&resolved.name)
            .or_else(|| models.lock(&ty.name))?;
        let own = self.class_named(unit, scope, &resolved.name);
        own.is_none_or(|class| class.methods.is_empty())
            .then_some(lock)
    }
}
