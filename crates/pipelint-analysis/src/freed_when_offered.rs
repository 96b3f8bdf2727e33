//! Memory that others may have freed at any time, by a function that shows that it reckons with the thread: it asks what
//! tells that the thread is there, and frees without regard to the answer.

use pipelint_ir::{Base, Callee, FunctionKind, Operand, Proj, Statement};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::flag_accesses::Thing;
use crate::freed_beside::{At, CALLED, Caller, Change, DEEPEST, Look, Thread};
use crate::frees::{Fills, Freed, Given, whole};
use crate::on_the_way::{begin_alike, deciding};
use crate::program::Target;
use crate::started::reaches;

impl Look<'_, '_, '_> {
    /// The way from a function that others can call at any time to what frees: each with the place of the call,
    /// from the outside in; the last one frees.
    pub(crate) fn offered(&self, thread: &Thread<'_>, freed: &Freed) -> Option<Vec<(usize, At)>> {
        let (by, at) = thread.by;
        let function = self.shared.program.function(self.shared.all[by]);
        // Who waits behind the start knows how far the thread is.
        let mut seen = FxHashSet::default();
        let behind = |to: At| reaches(function, at, to);
        if thread.marks.is_empty()
            || self.shared.threads.is_awaited(thread.root)
            || self.waits(thread, by, &behind, CALLED, &mut seen)
        {
            return None;
        }
        let object = self.asker(freed.f).fills.given(
            self.shared.program.function(self.shared.all[freed.f]),
            &freed.place.base,
        )?;
        let mut way = Vec::new();
        self.climb(thread, freed, (freed.f, freed.at, object), &mut way)
            .then(|| {
                way.reverse();
                way
            })
    }

    pub(crate) fn climb(
        &self,
        thread: &Thread<'_>,
        freed: &Freed,
        (f, at, object): (usize, At, Given),
        way: &mut Vec<(usize, At)>,
    ) -> bool {
        let known = way.iter().any(|(g, _)| *g == f);
        if known || way.len() > DEEPEST || !self.passes(thread, freed, (f, at)) {
            return false;
        }
        way.push((f, at));
        let (own, others) = self.callers(&freed.thing, f, object);
        let above = own.iter().map(|(caller, ..)| *caller).collect();
        let mut ways = own.into_iter();
        let found = ways.any(|caller| self.climb(thread, freed, caller, way))
            || self.is_believed(thread, way, (above, &others));
        if !found {
            way.pop();
        }
        found
    }

    /// The function comes to the statement whether the thread is there or not.
    pub(crate) fn passes(&self, thread: &Thread<'_>, freed: &Freed, (f, at): (usize, At)) -> bool {
        let function = self.shared.program.function(self.shared.all[f]);
        let ends = matches!(
            function.kind,
            FunctionKind::Constructor | FunctionKind::FieldInit | FunctionKind::Lambda
        );
        if ends
            || f == thread.by.0
            || thread.reach.contains(&f)
            || self.holds(f, at)
            || self.orders(f)
        {
            return false;
        }
        let asker = self.asker(f);
        let decides = deciding(function, 0, at.0);
        decides
            .into_iter()
            .all(|b| self.tells_nothing(&asker, b, thread, freed))
            && !self.waits_between(thread, f, None, at)
    }

    /// Who calls a function on what they were given themselves, and who does on other objects.
    pub(crate) fn callers(
        &self,
        thing: &Thing,
        f: usize,
        object: Given,
    ) -> (Vec<Caller>, Vec<(usize, At)>) {
        let calls = &self.shared.threads.calls;
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for &caller in &calls.into[f] {
            let function = self.shared.program.function(self.shared.all[caller]);
            let fills = Fills::new(function);
            for edge in calls.out[caller].iter().filter(|edge| edge.to == f) {
                let stmt = function.blocks.get(edge.at.0);
                let stmt = stmt.and_then(|b| b.stmts.get(edge.at.1));
                let passed = match (stmt, object) {
                    (Some(Statement::Call { args, .. }), Given::Param(n)) => {
                        match args.get(n as usize) {
                            Some(Operand::Copy(p) | Operand::Move(p)) => {
                                let place = fills.origin(function, &function.places[*p]);
                                whole(place).and_then(|_| fills.given(function, &place.base))
                            }
                            _ => None,
                        }
                    }
                    (
                        Some(Statement::Call {
                            callee: Callee::Method { receiver, .. },
                            ..
                        }),
                        Given::This,
                    ) => {
                        let place = &function.places[*receiver];
                        let itself = matches!(
                            (&place.base, &place.proj[..]),
                            (Base::SelfObj, []) | (Base::Local(_), [Proj::Deref])
                        );
                        itself.then(|| fills.given(function, &place.base)).flatten()
                    }
                    (Some(Statement::Call { .. }), Given::This) => Some(Given::This),
                    _ => None,
                };
                match passed.filter(|given| self.may_be_of(thing, caller, *given)) {
                    Some(given) => own.push((caller, edge.at, given)),
                    None => others.push((caller, edge.at)),
                }
            }
        }
        (own, others)
    }

    /// What a function is given may be an object that has the field, as far as its type tells.
    pub(crate) fn may_be_of(&self, thing: &Thing, f: usize, given: Given) -> bool {
        let (program, at) = (self.shared.program, self.shared.all[f]);
        let function = program.function(at);
        let (Given::Param(n), Thing::Field(class, ..)) = (given, thing) else {
            return true;
        };
        let base = Base::Local(pipelint_ir::LocalId(n));
        let behind = program.class_behind(at.0, function, &base, &[Proj::Deref]);
        let behind = behind.and_then(|name| program.class_ref_in(at.0, &function.name, &name));
        behind.is_none_or(|behind| begin_alike(program, behind, *class))
    }

    /// Others can call it while the thread is there, and the functions on the way reckon with that: they ask
    /// what tells of the thread, and do not count it down themselves.
    pub(crate) fn is_believed(
        &self,
        thread: &Thread<'_>,
        way: &[(usize, At)],
        (own, others): (Vec<usize>, &[(usize, At)]),
    ) -> bool {
        let Some((top, _)) = way.last() else {
            return false;
        };
        let threads = self.shared.threads;
        if !threads.is_offered(self.shared.all[*top]) || threads.calls.taken[*top] {
            return false;
        }
        let outside = (own.is_empty() && others.is_empty())
            || others.iter().any(|(caller, at)| {
                !self.is_after_dequeue(*caller, Some(*at), &mut FxHashSet::default())
                    && !self.waits_between(thread, *caller, None, *at)
            });
        if !outside {
            return false;
        }
        let program = self.shared.program;
        let way_and_others = way.iter().chain(others).map(|(f, _)| *f);
        let near: FxHashSet<usize> = way_and_others.chain(own).collect();
        thread.marks.iter().any(|(mark, change)| {
            let asks = way.iter().any(|(f, at)| {
                let asker = self.asker(*f);
                let decides = deciding(asker.function, 0, at.0);
                let blocks = (0..asker.function.blocks.len()).filter(|b| !decides.contains(b));
                let mut asked = blocks.filter_map(|b| asker.asked(b)).flatten();
                asked.any(|part| part.thing == mark.thing && part.meets(mark, program))
            });
            let undoes = match change {
                Change::Up => Change::Down,
                Change::Sets => Change::Clears,
                // The thread's handle.
                _ => return asks,
            };
            if !asks {
                return false;
            }
            let undone = |f: &usize| {
                let mut changes = self.changes(*f).into_iter();
                changes.any(|(part, change, _)| {
                    change == undoes && part.thing == mark.thing && part.meets(mark, program)
                })
            };
            !near.iter().any(undone)
                && (0..self.shared.all.len())
                    .into_par_iter()
                    .any(|f| !near.contains(&f) && undone(&f))
        })
    }

    /// The call is made after something was taken from a completion port, or all calls of the function are.
    pub(crate) fn is_after_dequeue(
        &self,
        f: usize,
        at: Option<At>,
        seen: &mut FxHashSet<usize>,
    ) -> bool {
        let program = self.shared.program;
        let function = program.function(self.shared.all[f]);
        let calls = &self.shared.threads.calls;
        let takes = |f: usize, wanted: &dyn Fn(At) -> bool| {
            let at = self.shared.all[f];
            let function = program.function(at);
            function.blocks.iter().enumerate().any(|(b, block)| {
                block.stmts.iter().enumerate().any(|(i, stmt)| match stmt {
                    Statement::Call {
                        callee: callee @ Callee::Function(_),
                        args,
                        ..
                    } => {
                        let target = program.target(at.0, function, callee, args.len());
                        matches!(target, Target::Model(m) if m.packet.is_some() || m.drains)
                            && wanted((b, i))
                    }
                    _ => false,
                })
            })
        };
        let before = |to: At| at.is_none_or(|at| reaches(function, to, at));
        let taken = takes(f, &before)
            || calls.out[f].iter().any(|edge| {
                let mut called = self.called(edge.to, 2).into_iter();
                before(edge.at) && called.any(|g| takes(g, &|_| true))
            });
        if taken || !seen.insert(f) {
            return true;
        }
        let into = &calls.into[f];
        !into.is_empty()
            && into.iter().all(|caller| {
                let edges = calls.out[*caller].iter().filter(|edge| edge.to == f);
                let edges: Vec<At> = edges.map(|edge| edge.at).collect();
                edges
                    .into_iter()
                    .all(|at| self.is_after_dequeue(*caller, Some(at), seen))
            })
    }
}
