//! Answers that stay the same while one function is run, and that every path asks for again.

use std::cell::Cell;

use pipelint_ir::{Callee, Function, LocalId, PlaceId};

use crate::exec::Exec;
use crate::program::Target;

/// What was asked so far.
pub(crate) struct Answers {
    owners: Vec<Cell<Option<bool>>>,
    unions: Vec<Cell<Option<bool>>>,
    awaited: Vec<Cell<Option<bool>>>,
    dropped: Vec<Cell<Option<bool>>>,
}

impl Answers {
    pub(crate) fn new(function: &Function) -> Self {
        Self {
            owners: vec![Cell::new(None); function.locals.len()],
            unions: vec![Cell::new(None); function.places.iter().count()],
            awaited: vec![Cell::new(None); function.places.iter().count()],
            dropped: vec![Cell::new(None); function.locals.len()],
        }
    }

    /// Whether a local owns what is put into it.
    pub(crate) fn owner(&self, local: LocalId, ask: impl FnOnce() -> bool) -> bool {
        remembered(self.owners.get(local.0 as usize), ask)
    }

    /// Whether a local's end runs code.
    pub(crate) fn dropped(&self, local: LocalId, ask: impl FnOnce() -> bool) -> bool {
        remembered(self.dropped.get(local.0 as usize), ask)
    }

    /// Whether a place is a field of a union.
    pub(crate) fn union(&self, place: PlaceId, ask: impl FnOnce() -> bool) -> bool {
        remembered(self.unions.get(place.0 as usize), ask)
    }

    /// Whether the function goes on with the result that a call puts into a place.
    pub(crate) fn awaited(&self, place: PlaceId, ask: impl FnOnce() -> bool) -> bool {
        remembered(self.awaited.get(place.0 as usize), ask)
    }
}

fn remembered(cell: Option<&Cell<Option<bool>>>, ask: impl FnOnce() -> bool) -> bool {
    if let Some(known) = cell.and_then(Cell::get) {
        return known;
    }
    let answer = ask();
    if let Some(cell) = cell {
        cell.set(Some(answer));
    }
    answer
}

impl<'m> Exec<'_, 'm> {
    /// What a call of this function goes to.
    pub(crate) fn target_here(&self, callee: &Callee, args: usize) -> Target<'m> {
        self.program.target(self.unit, self.function, callee, args)
    }
}
