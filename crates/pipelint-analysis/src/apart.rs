//! Addresses that cannot be equal.

use pipelint_ir::{LocalKind, Reference};

use crate::exec::Exec;
use crate::values::{Loc, LocId, Val, ValId};

impl Exec<'_, '_> {
    /// Two addresses of different places: of two variables, or of two fields of one object.
    pub(crate) fn are_apart(&self, a: ValId, b: ValId) -> bool {
        let (Val::Ptr(a), Val::Ptr(b)) = (self.arena.get(a), self.arena.get(b)) else {
            return false;
        };
        let arena = &self.arena;
        let variable = |loc: LocId| match arena.get_loc(loc) {
            Loc::Local(l) => {
                let local = self.function.locals.get(l.0 as usize);
                local
                    .is_some_and(|l| l.kind != LocalKind::Temp && l.ty.reference == Reference::None)
            }
            Loc::SelfObj => true,
            _ => false,
        };
        let (x, y) = (arena.root(*a), arena.root(*b));
        if x != y {
            return variable(x) && variable(y);
        }
        let (mut a, mut b) = (*a, *b);
        // The fields of one object that the two lie in.
        loop {
            let depth = |loc: LocId| {
                let mut at = loc;
                let mut n = 0;
                while let Loc::Field(parent, _) | Loc::Elem(parent, _) = arena.get_loc(at) {
                    at = *parent;
                    n += 1;
                }
                n
            };
            let up = |loc: LocId| match arena.get_loc(loc) {
                Loc::Field(parent, _) => Some(*parent),
                _ => None,
            };
            match (arena.get_loc(a), arena.get_loc(b)) {
                (Loc::Field(p, one), Loc::Field(q, other)) if p == q => return one != other,
                _ => {}
            }
            let (deeper, shallower) = match depth(a) >= depth(b) {
                true => (&mut a, b),
                false => (&mut b, a),
            };
            match up(*deeper) {
                Some(parent) if parent != shallower => *deeper = parent,
                _ => return false,
            }
        }
    }
}
