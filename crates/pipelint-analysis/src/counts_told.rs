//! What is told of counts: the length that was asked for in a count's place, a count that goes on to others,
//! and what stands where a function is left.

use pipelint_ir::{BinOp, Name};
use pipelint_models::Success;
use pipelint_source::Span;

use crate::count_fault::{CountFault, Taken, Told};
use crate::counts::{Counted, Handed, NEVER_SPLIT, Needs};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::state::State;
use crate::status::Look;
use crate::values::{Loc, Sym, Val, ValId};

impl Exec<'_, '_> {
    pub(crate) fn length_is_told(&self, state: &mut State, v: ValId, how: Told) {
        let span = match how {
            // In Rust, the function is left only after the locals have ended.
            Told::Returned => state.returned_at.unwrap_or(self.span),
            Told::Added | Told::Passed => self.span,
        };
        let of: Vec<ValId> = state
            .counts
            .iter()
            .filter(|(_, c)| c.told.is_none() && c.went == Some(true) && !c.whole)
            .filter(|(_, c)| c.length.is_some_and(|l| self.is_length(v, l)))
            .map(|(count, _)| count)
            .collect();
        state.counts.change(
            |count, _| of.contains(&count),
            |counted| counted.told = Some((span, how)),
        );
    }

    /// A value is the length that was asked for, or what it is the length of.
    pub(crate) fn is_length(&self, v: ValId, length: ValId) -> bool {
        if v == length {
            return true;
        }
        match (self.arena.get(v), self.arena.get(length)) {
            (Val::Narrow(inner, _), _) => self.is_length(*inner, length),
            (_, Val::Narrow(inner, _)) => self.is_length(v, *inner),
            (_, Val::Ptr(loc)) => self.lengths.get(&v).is_some_and(|of| of == loc),
            (_, Val::Sym(Sym::Load { .. })) if self.is_rust() => {
                let at = self.lengths.get(&v).map(|loc| self.arena.get_loc(*loc));
                matches!(at, Some(Loc::Deref(p)) if *p == length) || self.same_length(v, length)
            }
            _ => self.same_length(v, length),
        }
    }

    pub(crate) fn same_length(&self, v: ValId, length: ValId) -> bool {
        let of = |v: ValId| self.lengths.get(&v);
        of(v).is_some() && of(v) == of(length)
    }

    /// What is returned is handed on; what its caller is to look at, it is told.
    pub(crate) fn handed_counts(&self, state: &State, told: &[ValId]) -> Vec<Handed> {
        let mut handed = Vec::new();
        for (count, call) in state.counts.iter() {
            if call.looked || call.reads || call.went == Some(false) {
                continue;
            }
            let Some(v) = told.iter().find(|v| self.is_plainly(**v, count)) else {
                continue;
            };
            let judge = match call.went {
                Some(_) => *v,
                None if call.judge == count => *v,
                None if told.contains(&call.judge) => call.judge,
                None => continue,
            };
            handed.push(Handed {
                count: *v,
                judge,
                length: call.length.filter(|l| self.is_given(*l)),
                source: call.source.filter(|l| self.is_given(*l)),
                call: call.clone(),
            });
        }
        handed
    }

    pub(crate) fn is_plainly(&self, v: ValId, count: ValId) -> bool {
        match self.arena.get(v) {
            _ if v == count => true,
            Val::Narrow(inner, _) => self.is_plainly(*inner, count),
            _ => false,
        }
    }

    /// A function of the program has handed on a count.
    pub(crate) fn count_handed_on(&self, state: &mut State, handed: &Handed, by: (&Name, Span)) {
        if self.site.is_some_and(|site| site != by.1) {
            return;
        }
        let few = |v: ValId| {
            let length = self.arena.as_int(v).or_else(|| self.array_length(state, v));
            length.is_some_and(|n| n <= NEVER_SPLIT)
        };
        // As where it is written here: so little goes as a whole, or not at all.
        let waits = !handed.call.reads && handed.call.needs.nonblocking.is_none();
        if waits && (handed.length.is_some_and(few) || handed.source.is_some_and(few)) {
            return;
        }
        let mut call = handed.call.clone();
        call.judge = handed.judge;
        call.length = handed.length;
        call.source = handed.source;
        call.emptied = None;
        call.divided = None;
        call.span = by.1;
        call.within = Some(by.0.clone());
        call.told = None;
        call.used = None;
        if call.went.is_some() {
            call.judged = None;
        }
        state.counts.insert(handed.count, call);
    }

    /// The function is left: counts that nobody has looked at.
    pub(crate) fn tell_counts(&mut self, state: &mut State, value: Option<ValId>) {
        if state.counts.is_empty() {
            return;
        }
        let told: Vec<ValId> = match value.and_then(|v| self.result_parts.get(&v)) {
            Some(parts) => parts.iter().map(|(_, v)| *v).collect(),
            None => value.into_iter().collect(),
        };
        let mut parts = Vec::new();
        told.iter().for_each(|v| self.arena.parts(*v, &mut parts));
        state
            .counts
            .change(|v, _| parts.contains(&v), |counted| counted.looked = true);
        let end = state.returned_at.unwrap_or(self.span);
        let verdict = self.verdict(state, value);
        let success = self.is_success(verdict);
        let truth = matches!(&*self.function.ret.name, "bool" | "BOOL" | "BOOLEAN");
        let result = self.function.ret.name == "Result";
        // `return ReadFile(…) != 0;`
        let asked = |counted: &Counted| {
            truth
                && counted.went.is_none()
                && parts.contains(&counted.judge)
                && counted.how == Success::Nonzero
        };
        for v in &told {
            let mut summands = vec![*v];
            if let Val::Bin(BinOp::Add, a, b) = self.arena.get(*v) {
                summands.extend([*a, *b]);
            }
            for v in summands {
                self.length_is_told(state, v, Told::Returned);
            }
        }
        let left: Vec<Counted> = state
            .counts
            .iter()
            .filter(|(_, c)| {
                let lost = c.emptied.is_some() && !c.weighed;
                (!c.looked || lost) && (c.went == Some(true) || asked(c)) && !c.whole
            })
            .map(|(_, c)| c.clone())
            .collect();
        for counted in left {
            if let (Some(at), false) = (counted.emptied, counted.weighed) {
                self.tell_count(counted, Some((at, Taken::Emptied)));
                continue;
            }
            let callers = counted
                .buffer
                .is_some_and(|b| self.is_callers(b) && self.is_given_loc(b));
            let taken = match (counted.reads, counted.used) {
                // It says that something failed: nobody takes it for all.
                (false, _) if self.is_rust() && verdict == Some(Look::Exactly(1)) && result => None,
                (false, _) => Some((end, Taken::Left)),
                (true, Some(at)) => Some((at, Taken::Used)),
                (true, None) if callers && (success || asked(&counted)) => {
                    Some((end, Taken::Reported))
                }
                (true, None) => None,
            };
            if counted.told.is_some() || taken.is_some() {
                self.tell_count(counted, taken);
            }
        }
    }

    pub(crate) fn tell_count(&mut self, counted: Counted, taken: Option<(Span, Taken)>) {
        let step = |span: Span, what: StepKind| PathStep { span, what };
        let first = match &counted.within {
            Some(name) => StepKind::Called(name.clone()),
            None => StepKind::Passed(counted.api.clone()),
        };
        let mut path = vec![step(counted.span, first)];
        if counted.told.is_none() {
            path.extend(counted.judged.map(|at| step(at, StepKind::Branch(true))));
        }
        let api = counted.api.clone();
        let within = counted.within.clone();
        let reads = counted.reads;
        let (fault, at) = match (counted.told, taken) {
            (Some((shown, told)), _) => {
                path.push(step(shown, StepKind::Left));
                let fault = CountFault::Wrong {
                    api,
                    within,
                    reads,
                    shown,
                    told,
                };
                (fault, shown)
            }
            (None, Some((shown, taken))) => {
                path.push(step(shown, StepKind::Left));
                let fault = CountFault::Ignored {
                    api,
                    within,
                    reads,
                    asserted: counted.asserted,
                    judged: counted.judged,
                    shown,
                    taken,
                };
                (fault, counted.span)
            }
            (None, None) => return,
        };
        let event = Event {
            kind: EventKind::Count(fault),
            at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        };
        if counted.needs == Needs::default() {
            self.found.add(event);
        } else {
            self.found.counts.faults.push((event, counted.needs));
        }
    }
}
