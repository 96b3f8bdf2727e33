//! Closures that only read through the pointers that they capture: whoever runs one judges none of them,
//! keeps none and sets none.

use pipelint_ir::{Base, Callee, Function, Operand, PlaceId, Rvalue, Statement, Terminator};
use rustc_hash::FxHashSet;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::program::last;

/// Methods of a pointer that yield another one into the same memory, or read it:
/// <https://doc.rust-lang.org/std/primitive.pointer.html>.
const OF_POINTERS: [&str; 16] = [
    "add",
    "sub",
    "offset",
    "byte_add",
    "byte_sub",
    "byte_offset",
    "wrapping_add",
    "wrapping_sub",
    "wrapping_offset",
    "cast",
    "cast_const",
    "cast_mut",
    "read",
    "read_unaligned",
    "read_volatile",
    "copied",
];

/// Whether the body of a closure does nothing with what it captures but to read the memory behind it.
pub(crate) fn only_reads(lambda: &Function) -> bool {
    let mut reader = Reader {
        lambda,
        pointers: FxHashSet::default(),
    };
    let stmts = || lambda.blocks.iter().flat_map(|b| &b.stmts);
    // A pointer may be made before the block that stands before its maker's.
    loop {
        let known = reader.pointers.len();
        stmts().for_each(|s| reader.follow(s));
        if reader.pointers.len() == known {
            break;
        }
    }
    let ends = lambda
        .blocks
        .iter()
        .all(|b| reader.leaves_alone_at(&b.term));
    ends && stmts().all(|s| reader.leaves_alone(s))
}

struct Reader<'f> {
    lambda: &'f Function,
    /// Places that hold a pointer into the memory.
    pointers: FxHashSet<PlaceId>,
}

impl Reader<'_> {
    /// The value of the place is what was captured, or a pointer into the same memory.
    fn holds(&self, place: PlaceId) -> bool {
        let at = &self.lambda.places[place];
        self.pointers.contains(&place)
            || (matches!(at.base, Base::Captured(_)) && at.proj.is_empty())
    }

    fn given(&self, op: &Operand) -> bool {
        matches!(op, Operand::Copy(place) | Operand::Move(place) if self.holds(*place))
    }

    /// What is written is the captured variable itself, or the memory behind it.
    fn is_inside(&self, place: PlaceId) -> bool {
        matches!(self.lambda.places[place].base, Base::Captured(_)) || {
            let base = &self.lambda.places[place].base;
            let mut pointers = self.pointers.iter();
            !self.pointers.contains(&place)
                && pointers.any(|p| self.lambda.places[*p].base == *base)
        }
    }

    fn follow(&mut self, stmt: &Statement) {
        let pointer = match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Use(of) | Rvalue::Cast(_, of),
            } if self.given(of) => *dst,
            Statement::Call {
                dst: Some(dst),
                callee: Callee::Method { receiver, name, .. },
                ..
            } if self.holds(*receiver) && OF_POINTERS.contains(&last(name)) => *dst,
            _ => return,
        };
        let at = &self.lambda.places[pointer];
        if matches!(at.base, Base::Local(_)) && at.proj.is_empty() {
            self.pointers.insert(pointer);
        }
    }

    fn leaves_alone(&self, stmt: &Statement) -> bool {
        match stmt {
            Statement::Assign { dst, value } => {
                let passed_on = match value {
                    Rvalue::Use(of) | Rvalue::Cast(_, of) => {
                        self.given(of) && !self.pointers.contains(dst)
                    }
                    Rvalue::Ref(of) => self.holds(*of) || self.is_inside(*of),
                    _ => self.reads_it(|read| visit_reads(stmt, read)),
                };
                !passed_on && !self.is_inside(*dst)
            }
            Statement::Call {
                dst, callee, args, ..
            } => {
                let written = dst.is_some_and(|dst| self.is_inside(dst));
                let asked = match callee {
                    Callee::Method { receiver, name, .. } => {
                        (self.holds(*receiver) || self.is_inside(*receiver))
                            && !OF_POINTERS.contains(&last(name))
                    }
                    Callee::Pointer(op) => self.given(op),
                    _ => false,
                };
                !written && !asked && !args.iter().any(|arg| self.given(arg))
            }
            Statement::Assert(_) | Statement::Mark(_) => true,
            // The end of a plain pointer does nothing.
            Statement::Drop { place, .. } => !self.is_inside(*place) || self.holds(*place),
            Statement::Opaque { .. } => false,
        }
    }

    fn leaves_alone_at(&self, term: &Terminator) -> bool {
        !self.reads_it(|read| visit_term_reads(term, read))
    }

    /// A condition, an operation or a result has the pointer itself.
    fn reads_it(&self, visit: impl FnOnce(&mut dyn FnMut(PlaceId))) -> bool {
        let mut found = false;
        visit(&mut |place| found |= self.holds(place));
        found
    }
}
