//! Transfers that failed, and functions that report success all the same.

use pipelint_ir::{
    Base, Function, LocalId, Name, Operand, PlaceId, Proj, Rvalue, Statement, Terminator,
};
use pipelint_models::{FunctionModel, IoKind};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::operation::{Appearance, Operation, OperationKind, may};
use crate::results::ResultFault;
use crate::state::{Fact, Failed, State, Steps, VecMap};
use crate::status::Look;
use crate::summary::End;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Ends of one function that are kept.
const MOST_ENDS: usize = 64;

/// A transfer that failed on a path, and of which nothing that came after has made up for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lost {
    /// The call, in this function.
    pub(crate) at: Span,
    pub(crate) call: Name,
    pub(crate) how: Heard,
    /// What the call yielded.
    pub(crate) result: Option<ValId>,
    /// Another function was asked for something since.
    pub(crate) answered: bool,
}

/// Whether this function looks at the result of the call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Heard {
    Seen,
    Dropped,
    /// It has no result: what it tells stands in a field.
    InField,
    /// It is kept, or handed to others.
    Kept,
}

/// An end of the function, as its caller sees it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    looks: Appearance,
    verdict: Option<Look>,
    lost: Option<Lost>,
    sent: bool,
    /// Fields of the object that are not 0: where the function began, or that were set since.
    fields: Vec<LocId>,
    /// What is returned was never set.
    unset: bool,
    /// Somebody asked for the error of what failed.
    asked: bool,
    at: Span,
    trace: Steps,
}

/// The locals that a function returns.
pub(crate) fn returned(function: &Function) -> FxHashSet<LocalId> {
    let returned = function
        .blocks
        .iter()
        .filter_map(|block| match &block.term {
            Terminator::Return(Some(Operand::Copy(place) | Operand::Move(place))) => {
                match function.places[*place].base {
                    Base::Local(local) => Some(local),
                    _ => None,
                }
            }
            _ => None,
        });
    returned.collect()
}

/// Whether a transfer failed on a path; of what stands in a field that is not known.
pub(crate) fn lost_on(state: &State, looks: &Appearance) -> Failed {
    match &state.lost {
        None => Failed::No,
        Some(lost) if lost.how == Heard::Kept && !says_failure(looks) => Failed::Maybe,
        Some(lost) if lost.how == Heard::InField => Failed::Maybe,
        Some(_) => Failed::Yes,
    }
}

/// An error's code, or an `Err`: other failures look the same, and no success does.
fn says_failure(looks: &Appearance) -> bool {
    let tag = |steps: &[Proj]| matches!(steps, [Proj::Field(name)] if name == crate::rust::TAG);
    looks.iter().any(|(steps, look)| match look {
        Some(Look::NotZero) => true,
        Some(Look::Exactly(n)) => tag(steps) && *n == 1,
        None => false,
    })
}

/// A part behind the first that is 0: no error.
fn tells_nothing_wrong((steps, look): &(Vec<Proj>, Option<Look>)) -> bool {
    let first = matches!(steps[..], [Proj::Index(Some(0))]);
    !first && *look == Some(Look::Exactly(0))
}

impl Exec<'_, '_> {
    /// A transfer begins: what failed before is tried again, or was another one's.
    pub(crate) fn note_transfer(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        result: ValId,
    ) {
        if !model.releases.is_empty() {
            // Who lets go of the handle has dealt with it.
            state.lost = None;
        }
        let Some(io) = &model.io else { return };
        if io.does == IoKind::Disconnect {
            state.lost = None;
        }
        if !matches!(io.does, IoKind::Write | IoKind::Connect)
            || io.buffer.is_none() && io.does == IoKind::Write
        {
            return;
        }
        state.lost = None;
        let span = self.span;
        state.operations.retain(|_, known| known.span != span);
        state.operations.insert(
            result,
            Operation {
                api: api.clone(),
                span,
                kind: OperationKind::Transfer,
                may: may::GOOD | may::FAILED,
                seen: None,
                acted: false,
                dropped: false,
            },
        );
        state.step(span, StepKind::Passed(api.clone()), Some(result));
    }

    /// A condition looked at these values.
    pub(crate) fn judge_transfers(&self, state: &mut State, parts: &[ValId]) {
        let failed = state
            .operations
            .iter()
            .find(|(v, op)| op.kind == OperationKind::Transfer && parts.contains(v));
        if let Some((_, op)) = failed {
            let lost = (op.may == may::FAILED).then(|| Lost {
                at: op.span,
                call: op.api.clone(),
                how: Heard::Seen,
                result: None,
                answered: false,
            });
            state.sent = lost.is_none();
            // What was answered stays so when the result is looked at again.
            if lost.is_none() || state.lost.as_ref().is_none_or(|known| known.at != op.span) {
                state.lost = lost;
            }
            return;
        }
        if state.lost.is_none() || self.site.is_some() {
            return;
        }
        // Which error it was is asked, or code out of sight says whether it matters.
        let settles = parts.iter().any(|v| {
            let exact = state.facts.get(*v).and_then(Fact::exact);
            let code = exact.is_some_and(|n| !(0..2).contains(&n));
            match self.arena.get(*v) {
                _ if state
                    .lost
                    .as_ref()
                    .is_some_and(|lost| lost.result == Some(*v)) =>
                {
                    false
                }
                _ if self.error_values.contains(v) => exact.is_some(),
                Val::Sym(Sym::Load { loc, .. }) => {
                    let own = *self.arena.get_loc(self.arena.root(*loc)) == Loc::SelfObj;
                    code || self.is_rust() && !own
                }
                Val::Sym(_) | Val::Named(_) => true,
                _ => false,
            }
        });
        // That an error which was none of the expected ones falls through is told of the call itself.
        let falls_through = parts.iter().any(|v| self.error_values.contains(v));
        if settles {
            let settled = state.lost.take().map(|lost| lost.at);
            state.operations.retain(|_, op| Some(op.span) != settled);
        } else if let Some(lost) = &mut state.lost
            && lost.result.is_none()
        {
            lost.answered |= falls_through;
        }
    }

    /// A function of the program has been run to this end.
    pub(crate) fn note_end_of_call(
        &self,
        state: &mut State,
        ends: &[End],
        end: &End,
        call: (&Name, Span),
        heard: Heard,
    ) {
        if ends.iter().all(|end| end.transfer == Failed::No) {
            // What another function says after the failure may well speak of it.
            if heard != Heard::InField
                && let Some(lost) = &mut state.lost
            {
                lost.answered = true;
            }
            return;
        }
        // What looks like success is the called function's own fault, or not one.
        let alike = |other: &End| other.transfer != Failed::Yes && other.looks == end.looks;
        let told = says_failure(&end.looks) || !ends.iter().any(alike);
        let failed = match heard {
            Heard::InField => end.transfer != Failed::No,
            _ => end.transfer == Failed::Yes && told,
        };
        state.set_fields = VecMap::default();
        state.sent = !failed;
        state.lost = failed.then(|| Lost {
            at: call.1,
            call: call.0.clone(),
            how: heard,
            result: None,
            answered: false,
        });
        if state.lost.is_some() {
            state.step(call.1, StepKind::Called(call.0.clone()), None);
        }
    }

    /// What this function does with the result of a call.
    pub(crate) fn heard(&self, returns: &Name, dst: Option<PlaceId>) -> Heard {
        if returns == "void" || returns == "()" || returns.is_empty() {
            return Heard::InField;
        }
        let Some(dst) = dst else {
            return Heard::Dropped;
        };
        if self.is_never_read(dst) {
            return Heard::Dropped;
        }
        match self.is_looked_at(dst) {
            true => Heard::Seen,
            false => Heard::Kept,
        }
    }

    /// Some condition of the function asks for the variable, or for a part of it.
    fn is_looked_at(&self, place: PlaceId) -> bool {
        let function = self.function;
        let Base::Local(local) = function.places[place].base else {
            return false;
        };
        let mut wanted: FxHashSet<u32> = FxHashSet::default();
        wanted.insert(local.0);
        let of = |place: PlaceId| match function.places[place].base {
            Base::Local(l) => Some(l.0),
            _ => None,
        };
        // A copy of it is as good.
        for _ in 0..2 {
            let mut more = Vec::new();
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let Statement::Assign {
                    dst,
                    value: Rvalue::Use(_) | Rvalue::Cast(..) | Rvalue::Compare(_),
                } = stmt
                else {
                    continue;
                };
                visit_reads(stmt, |p| {
                    if of(p).is_some_and(|l| wanted.contains(&l)) {
                        more.extend(of(*dst));
                    }
                });
            }
            wanted.extend(more);
        }
        let mut asked = false;
        for block in &function.blocks {
            if let Terminator::Branch { .. } | Terminator::Switch { .. } = &block.term {
                visit_term_reads(&block.term, |p| {
                    asked |= of(p).is_some_and(|l| wanted.contains(&l));
                });
            }
        }
        asked
    }

    /// What is returned is made here: in Rust, the function is left only after the locals have ended.
    pub(crate) fn note_returned(&self, state: &mut State, dst: PlaceId) {
        if let Base::Local(local) = self.function.places[dst].base
            && self.is_rust()
            && self.returned.contains(&local)
        {
            state.returned_at = Some(self.span);
        }
    }

    /// The function is left.
    pub(crate) fn note_told(
        &mut self,
        state: &State,
        value: Option<ValId>,
        looks: &Appearance,
        verdict: Option<Look>,
    ) {
        if self.told.len() >= MOST_ENDS || looks.is_empty() {
            return;
        }
        let told = Told {
            looks: looks.clone(),
            verdict,
            lost: state.lost.clone(),
            sent: state.sent,
            fields: self.fields_not_0(state),
            unset: value.is_some_and(|v| matches!(self.arena.get(v), Val::Sym(Sym::Uninit { .. }))),
            asked: state
                .lost
                .as_ref()
                .is_some_and(|lost| state.error.was_asked(lost.at)),
            at: state.returned_at.unwrap_or(self.span),
            trace: match &state.lost {
                Some(_) => state.trace.clone(),
                None => Steps::default(),
            },
        };
        let same = |known: &Told| {
            known.looks == told.looks
                && known.lost == told.lost
                && known.sent == told.sent
                && known.at == told.at
                && known.fields == told.fields
                && known.unset == told.unset
                && known.asked == told.asked
        };
        if !self.told.iter().any(same) {
            self.told.push(told);
        }
    }

    /// A condition shows that a field of the object was not 0 when the function began.
    pub(crate) fn note_asked_fields(&self, state: &mut State, parts: &[ValId]) {
        for v in parts {
            if let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(*v)
                && let Loc::Field(parent, _) = self.arena.get_loc(*loc)
                && *self.arena.get_loc(*parent) == Loc::SelfObj
                && state.facts.get(*v).is_some_and(|fact| fact.excludes(0))
            {
                state.asked_fields.insert(*loc, ());
            }
        }
    }

    /// A called function sets a field of this object: to what is not 0, or to 0.
    pub(crate) fn note_field_set(&self, state: &mut State, loc: LocId, v: ValId) {
        let Loc::Field(parent, _) = self.arena.get_loc(loc) else {
            return;
        };
        if state.lost.is_none() || *self.arena.get_loc(*parent) != Loc::SelfObj {
            return;
        }
        match self.look_at(state, v) {
            Some(Look::Exactly(0)) | None => state.set_fields.remove(loc),
            Some(_) => state.set_fields.insert(loc, ()),
        }
    }

    /// Fields of the object that are known not to be 0: found so, or set so by a path that lost something.
    fn fields_not_0(&self, state: &State) -> Vec<LocId> {
        let own = |loc: LocId| match self.arena.get_loc(loc) {
            Loc::Field(parent, _) => *self.arena.get_loc(*parent) == Loc::SelfObj,
            _ => false,
        };
        if state.lost.is_none() {
            return state.asked_fields.iter().map(|(loc, ())| loc).collect();
        }
        state
            .env
            .iter()
            .filter(|(loc, v)| {
                let found =
                    matches!(self.arena.get(**v), Val::Sym(Sym::Load { loc: l, .. }) if l == loc);
                let known = match self.look_at(state, **v) {
                    Some(Look::NotZero) => true,
                    Some(Look::Exactly(n)) => n != 0,
                    None => false,
                };
                own(*loc) && !found && known
            })
            .map(|(loc, _)| loc)
            .chain(state.set_fields.iter().map(|(loc, ())| loc))
            .collect()
    }

    /// Ends on which something failed, and which look as those on which all went well.
    pub(crate) fn tell_lost_transfers(&mut self) {
        let told = std::mem::take(&mut self.told);
        if self.is_entry_point() {
            return;
        }
        // Its results are 0, and errors that calls left.
        let truth = matches!(&*self.function.ret.name, "bool" | "BOOL" | "BOOLEAN");
        let codes = !truth && self.program.tells_errors(self.me);
        for end in &told {
            let Some(lost) = &end.lost else { continue };
            // Of a struct, only what it looks like after a transfer that went well is success.
            let by_type = end.verdict.is_some();
            let good = told
                .iter()
                .any(|t| t.lost.is_none() && (t.sent || by_type) && t.looks == end.looks)
                || end.unset;
            // Where a struct tells, what it looks like after success is success.
            let success = match end.verdict {
                Some(_) if lost.how == Heard::Seen && !end.asked && codes => {
                    end.verdict == Some(Look::Exactly(0))
                }
                Some(_) => self.is_success(end.verdict),
                None if end.unset && lost.how == Heard::Seen => true,
                // The count comes first, and says nothing by itself.
                None => good && end.looks.iter().any(tells_nothing_wrong),
            };
            let bad = |t: &&Told| {
                t.looks != end.looks && (end.verdict.is_none() || !self.is_success(t.verdict))
            };
            let good = good || lost.how == Heard::InField;
            let answered = lost.answered && lost.how == Heard::Seen;
            if answered || !success || !good || !told.iter().any(|t| bad(&t)) {
                continue;
            }
            let by_field = || {
                let guards = told.iter().filter(|t| t.lost.is_none()).filter(bad);
                let guards: Vec<&LocId> = guards.flat_map(|t| &t.fields).collect();
                end.fields.iter().any(|field| guards.contains(&field))
            };
            let (at, fires) = match lost.how {
                Heard::Seen => (end.at, true),
                Heard::Dropped => (lost.at, true),
                Heard::InField => (lost.at, by_field()),
                Heard::Kept => (end.at, false),
            };
            if fires {
                self.success_told(end, lost, at);
            }
        }
    }

    fn success_told(&mut self, end: &Told, lost: &Lost, at: Span) {
        let mut path = vec![PathStep {
            span: lost.at,
            what: StepKind::Passed(lost.call.clone()),
        }];
        let steps = end.trace.path(None, None);
        let after = steps
            .iter()
            .position(|s| s.span == lost.at)
            .map_or(0, |n| n + 1);
        path.extend(steps.into_iter().skip(after).filter(|s| s.span != lost.at));
        path.push(PathStep {
            span: end.at,
            what: StepKind::Left,
        });
        self.found.add(Event {
            kind: EventKind::Result(ResultFault::SuccessAfterFailure {
                call: lost.call.clone(),
                failed: lost.at,
                returned: end.at,
                seen: lost.how == Heard::Seen,
                unset: end.unset,
                unread: None,
            }),
            at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        });
    }
}
