//! What the program does with the rest of a transfer, and what that says of its count: a buffer that is
//! emptied before anybody asks how much of it was sent, and one that is divided where the count says, whose
//! whole length is told all the same.

use pipelint_ir::{Base, Callee, Name, Operand, PlaceId, Proj, Rvalue, Statement};
use pipelint_source::Span;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::count_fault::Told;
use crate::counts::Needs;
use crate::exec::Exec;
use crate::program::{FnRef, Target, last};
use crate::rust::TAG;
use crate::state::State;
use crate::values::{Loc, LocId, ValId};
use crate::words::speaks_of_transfer;

/// A buffer that was divided: as far as the count says, its bytes were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Divided {
    /// What was taken for its length before.
    lengths: Vec<ValId>,
}

/// A function reads of a parameter no more than whether it is an error, and which.
fn reads_only_the_error(exec: &Exec<'_, '_>, f: FnRef, nth: usize) -> bool {
    let function = exec.program.function(f);
    let error = |step: &Proj| matches!(step, Proj::Field(name) if name == TAG || name == "Err");
    let mut only = true;
    let mut look = |place: PlaceId| {
        let place = &function.places[place];
        if matches!(place.base, Base::Local(l) if l.0 as usize == nth) {
            only &= match &place.proj[..] {
                [Proj::Deref, step, ..] | [step, ..] => error(step),
                [] => false,
            };
        }
    };
    for block in &function.blocks {
        for stmt in &block.stmts {
            if !matches!(stmt, Statement::Drop { .. }) {
                visit_reads(stmt, &mut look);
            }
        }
        visit_term_reads(&block.term, &mut look);
    }
    only
}

impl Exec<'_, '_> {
    /// Rust: a function of the program asks its argument whether it is an error, and which.
    pub(crate) fn asks_for_the_error_alone(&self, target: Target<'_>, nth: usize) -> bool {
        let Target::Defined(f) = target else {
            return false;
        };
        self.is_rust() && reads_only_the_error(self, f, nth)
    }

    /// What was to be sent is emptied.
    pub(crate) fn note_emptied(
        &mut self,
        state: &mut State,
        name: &Name,
        args: &[Operand],
        loc: LocId,
    ) {
        if name != "clear" || !args.is_empty() {
            return;
        }
        let span = self.span;
        let open = state
            .counts
            .iter()
            .filter(|(_, c)| !c.reads && !c.weighed && c.went == Some(true) && c.emptied.is_none());
        let open: Vec<(ValId, ValId)> = open
            .filter_map(|(count, c)| Some((count, c.source?)))
            .collect();
        let mut of = Vec::new();
        for (count, source) in open {
            if self.pointee(source) == loc {
                of.push(count);
            }
        }
        state.counts.change(
            |count, _| of.contains(&count),
            |counted| counted.emptied = Some(span),
        );
    }

    /// Rust: `..count` is made.
    pub(crate) fn range_of_count(&mut self, state: &mut State, dst: PlaceId, value: &Rvalue) {
        let Rvalue::Unknown(parts) = value else {
            return;
        };
        let Base::Local(local) = self.function.places[dst].base else {
            return;
        };
        let range = &self.function.locals[local.0 as usize].ty.name;
        if !self.is_rust() || last(range) != "Range" {
            return;
        }
        for part in parts {
            let v = self.operand(state, part);
            if state.counts.get(v).is_some() {
                self.ranges.insert(local, v);
            }
        }
    }

    /// A method takes off a part of its object, as far as a count says; and calls after that are given the
    /// whole length.
    pub(crate) fn note_division(&mut self, state: &mut State, callee: &Callee, args: &[Operand]) {
        self.whole_is_told(state, args);
        let Callee::Method { name, receiver, .. } = callee else {
            return;
        };
        if !matches!(
            &**name,
            "erase" | "drain" | "split_off" | "advance" | "remove_prefix"
        ) {
            return;
        }
        let mut given = Vec::new();
        for arg in args {
            let v = self.operand(state, arg);
            self.arena.parts(v, &mut given);
            if let Operand::Copy(place) | Operand::Move(place) = arg
                && let Base::Local(local) = self.function.places[*place].base
            {
                given.extend(self.ranges.get(&local));
            }
        }
        let count = state
            .counts
            .iter()
            .find(|(count, c)| !c.reads && c.went != Some(false) && given.contains(count))
            .map(|(count, _)| count);
        let Some(count) = count else { return };
        let of = self.place(state, *receiver);
        // What is kept on this path alone: another one may have asked for the length of the rest.
        let is_its_length = |v: &ValId| self.lengths.get(v) == Some(&of);
        let mut lengths: Vec<ValId> = state.env.iter().map(|(_, v)| *v).collect();
        lengths.retain(is_its_length);
        if !lengths.is_empty() {
            state.counts.change(
                |v, _| v == count,
                |counted| {
                    counted.divided = Some(Divided {
                        lengths: lengths.clone(),
                    });
                },
            );
        }
    }

    /// A variable that is named for what was transferred is given a length.
    pub(crate) fn length_is_named(&mut self, dst: PlaceId, v: ValId) {
        let place = &self.function.places[dst];
        let Base::Local(local) = place.base else {
            return;
        };
        let named = speaks_of_transfer(&self.function.locals[local.0 as usize].name);
        let said = (local, v, self.span);
        if named && place.proj.is_empty() && self.site.is_none() && !self.said.contains(&said) {
            self.said.push(said);
        }
    }

    /// A variable that is named for what was transferred, and holds the whole length of what was divided, goes
    /// to others.
    fn whole_is_told(&mut self, state: &mut State, args: &[Operand]) {
        let mut given: Vec<(ValId, Span)> = Vec::new();
        for arg in args {
            let (Operand::Copy(place) | Operand::Move(place)) = arg else {
                continue;
            };
            let Base::Local(local) = self.function.places[*place].base else {
                continue;
            };
            let root = self.arena.loc(Loc::Local(local));
            let held = state.env.get(root);
            let said = self
                .said
                .iter()
                .filter(|(l, v, _)| *l == local && Some(v) == held);
            given.extend(said.map(|(_, v, at)| (*v, *at)));
        }
        if given.is_empty() {
            return;
        }
        let told = state.counts.iter().filter_map(|(count, c)| {
            let divided = c.divided.as_ref()?;
            let (_, at) = given.iter().find(|(v, _)| divided.lengths.contains(v))?;
            Some((count, *at))
        });
        let told: Vec<(ValId, Span)> = told.collect();
        for (count, at) in told {
            let Some(mut counted) = state.counts.get(count).cloned() else {
                continue;
            };
            counted.told = Some((at, Told::Passed));
            // That it may be less the program says itself.
            counted.needs = Needs {
                sends: counted.needs.writes.take(),
                ..Needs::default()
            };
            state.counts.remove(count);
            self.tell_count(counted, None);
        }
    }
}
