//! Answers that stay the same while one function is run, and that every path asks for again.

use std::cell::{Cell, RefCell};

use pipelint_ir::{Callee, Function, LocalId, PlaceId};
use rustc_hash::FxHashMap;

use crate::exec::Exec;
use crate::program::Target;
use crate::values::StmtNo;

/// What was asked so far.
pub(crate) struct Answers<'p> {
    targets: RefCell<FxHashMap<StmtNo, Target<'p>>>,
    owners: Vec<Cell<Option<bool>>>,
    unions: Vec<Cell<Option<bool>>>,
}

impl Answers<'_> {
    pub(crate) fn new(function: &Function) -> Self {
        Self {
            targets: RefCell::default(),
            owners: vec![Cell::new(None); function.locals.len()],
            unions: vec![Cell::new(None); function.places.iter().count()],
        }
    }

    /// Whether a local owns what is put into it.
    pub(crate) fn owner(&self, local: LocalId, ask: impl FnOnce() -> bool) -> bool {
        remembered(self.owners.get(local.0 as usize), ask)
    }

    /// Whether a place is a field of a union.
    pub(crate) fn union(&self, place: PlaceId, ask: impl FnOnce() -> bool) -> bool {
        remembered(self.unions.get(place.0 as usize), ask)
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

impl<'p> Exec<'p, '_> {
    /// What the call that is the current statement goes to.
    pub(crate) fn target_here(&self, callee: &Callee, args: usize) -> Target<'p> {
        if let Some(known) = self.answers.targets.borrow().get(&self.stmt) {
            return *known;
        }
        let program = self.program;
        let target = program.target(self.unit, self.function, callee, args);
        self.answers.targets.borrow_mut().insert(self.stmt, target);
        target
    }
}
