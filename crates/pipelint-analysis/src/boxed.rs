//! A `Box` made of a raw pointer: the memory is freed where the box ends, whoever allocated it.

use pipelint_ir::Name;

use crate::exec::Exec;
use crate::forget::{RAW_BOX, is_raw_box};
use crate::release::by_owner;
use crate::state::{Res, State};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// What makes a box of a raw pointer.
pub(crate) const MAKER: &str = "Box::from_raw";
/// A box is what it holds; beside that stands the pointer that it was made of, and moves along.
const BOX: &str = "{box}";

impl Exec<'_, '_> {
    /// `Box::from_raw(p)`: what `p` points to ends with the box.
    pub(crate) fn begin_box(&mut self, state: &mut State, v: ValId) {
        let inside = self.arena.loc(Loc::Deref(v));
        let part = self.box_of(inside);
        state.env.insert(part, v);
    }

    /// The box was moved away.
    pub(crate) fn leave_box(&mut self, state: &mut State, object: LocId) {
        let part = self.box_of(object);
        state.env.remove(part);
    }

    /// The boxes that end with an object: it is one, or has some as its parts.
    pub(crate) fn boxes_within(&self, state: &State, object: LocId) -> Vec<ValId> {
        if !self.is_rust() {
            return Vec::new();
        }
        let parts = state.env.iter().filter(|(loc, _)| {
            let Loc::Field(of, name) = self.arena.get_loc(*loc) else {
                return false;
            };
            name == BOX && self.arena.within(*loc, object) && !self.never_ends(*of)
        });
        parts.map(|(_, v)| *v).collect()
    }

    /// The memory of a box is freed.
    pub(crate) fn free_box(&mut self, state: &mut State, v: ValId) {
        if self.is_part_of_local(v) {
            // A part of a variable that is set anew in each round of a loop: not the same pointer twice.
            return;
        }
        self.frees = true;
        self.box_changes_error(state);
        let release = by_owner(RAW_BOX, Vec::new());
        self.release_value(state, &release, &Name::new_static("~Box"), v);
    }

    /// What was found in a part of a variable that was given its value as a whole.
    fn is_part_of_local(&self, v: ValId) -> bool {
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(v) else {
            return false;
        };
        let root = self.arena.root(loc);
        let local =
            matches!(*self.arena.get_loc(root), Loc::Local(l) if l.0 >= self.function.params);
        local && loc != root
    }

    /// `Box::into_raw(b)`: what is in the box stays where it was, and the pointers into it that were
    /// taken before lead there still.
    pub(crate) fn stay_in_box(&mut self, state: &mut State, from: LocId, to: LocId) {
        let Loc::Deref(v) = *self.arena.get_loc(to) else {
            return;
        };
        let here = |res: &Res| is_raw_box(res) && res.created == self.span;
        if !state.res.get(v).is_some_and(here) {
            return;
        }
        let pointers = state.env.iter().filter_map(|(at, held)| {
            let Val::Ptr(into) = *self.arena.get(*held) else {
                return None;
            };
            self.arena.within(into, from).then_some((at, into))
        });
        let pointers: Vec<(LocId, LocId)> = pointers.collect();
        for (at, into) in pointers {
            let stays = self.rebase(into, from, to);
            let pointer = if stays == to {
                v
            } else {
                self.arena.val(Val::Ptr(stays))
            };
            state.env.insert(at, pointer);
        }
    }

    /// The box that a pointer leads into, where it is none to the whole of one.
    pub(crate) fn box_around(&self, state: &State, v: ValId) -> ValId {
        match *self.arena.get(v) {
            Val::Ptr(loc) => match *self.arena.get_loc(self.arena.root(loc)) {
                Loc::Deref(of) if state.res.get(of).is_some_and(is_raw_box) => of,
                _ => v,
            },
            _ => v,
        }
    }

    fn box_of(&mut self, object: LocId) -> LocId {
        self.arena.loc(Loc::Field(object, Name::new_static(BOX)))
    }
}
