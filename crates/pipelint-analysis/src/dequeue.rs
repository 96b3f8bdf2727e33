//! Packets of a completion port whose failure is taken for the port's: `if (!ok || packet == NULL)` leaves,
//! and what the code has for one operation that failed is dead.
//!
//! A call that takes a packet from a port tells two failures apart by where it leaves the packet. `FALSE`
//! with a packet is an operation of one handle that failed, and the port is as good as before; `FALSE` with
//! none is no packet at all. Whether the second is meant to end everything is the program's business: only
//! where it has code for the first, which no path reaches, it shows that it means otherwise.

use std::collections::VecDeque;

use pipelint_ir::{
    Base, CmpOp, Cond, Const, Function, LocalId, Name, Operand, PlaceId, Rvalue, Statement,
    Terminator,
};
use pipelint_source::Span;
use rayon::prelude::*;

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program, Target, last, successors};
use crate::region::Graph;
use crate::results::ResultFault;

/// Tells of every function that leaves for one failed packet, and has code for it beyond.
pub(crate) fn dead_handling(program: &Program<'_>) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let found = all.par_iter().flat_map_iter(|&f| {
        let taken = dequeues(program, f);
        taken.into_iter().filter_map(move |dequeue| {
            let function = program.function(f);
            Looker { function }.dead_handling(&dequeue)
        })
    });
    found.collect()
}

/// A call that takes a packet from a completion port.
struct Dequeue {
    api: Name,
    /// The block and the statement.
    at: (usize, usize),
    /// The variable that its result is kept in.
    status: LocalId,
    /// The variable that the packet is put into.
    packet: LocalId,
}

fn dequeues(program: &Program<'_>, f: FnRef) -> Vec<Dequeue> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call {
                dst: Some(dst),
                callee,
                args,
                ..
            } = stmt
            else {
                continue;
            };
            let Target::Model(model) = program.target(f.0, function, callee, args.len()) else {
                continue;
            };
            let looker = Looker { function };
            let (Some(given), Some(result)) = (
                model.packet.and_then(|n| args.get(n)),
                looker.variable(*dst),
            ) else {
                continue;
            };
            let pipelint_ir::Callee::Function(name) = callee else {
                continue;
            };
            if let Some(packet) = looker.pointed_to(given) {
                found.push(Dequeue {
                    api: Name::new(last(name)),
                    at: (b, i),
                    status: looker.kept_in(result, (b, i)),
                    packet,
                });
            }
        }
    }
    found
}

struct Looker<'f> {
    function: &'f Function,
}

impl Looker<'_> {
    /// The variable that a place is, as a whole.
    fn variable(&self, place: PlaceId) -> Option<LocalId> {
        let place = &self.function.places[place];
        match place.base {
            Base::Local(l) if place.proj.is_empty() => Some(l),
            _ => None,
        }
    }

    fn operand(&self, operand: &Operand) -> Option<LocalId> {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self.variable(*place),
            Operand::Const(_) => None,
        }
    }

    /// The variable whose address an argument is: `&packet`, whatever it is cast to.
    fn pointed_to(&self, argument: &Operand) -> Option<LocalId> {
        let mut at = self.operand(argument)?;
        for _ in 0..4 {
            let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
            let value = stmts.find_map(|stmt| match stmt {
                Statement::Assign { dst, value } if self.variable(*dst) == Some(at) => Some(value),
                _ => None,
            })?;
            match value {
                Rvalue::Ref(place) => return self.variable(*place),
                Rvalue::Cast(_, from) | Rvalue::Use(from) => at = self.operand(from)?,
                _ => return None,
            }
        }
        None
    }

    /// Where the result is kept: `bool ok = Get…() != FALSE;` keeps it in `ok`.
    fn kept_in(&self, result: LocalId, (b, i): (usize, usize)) -> LocalId {
        let mut after = self.function.blocks[b].stmts.iter().skip(i + 1);
        let next = after.find(|stmt| !matches!(stmt, Statement::Mark(_)));
        let Some(Statement::Assign { dst, value }) = next else {
            return result;
        };
        let same = match value {
            Rvalue::Use(from) | Rvalue::Cast(_, from) => self.operand(from) == Some(result),
            Rvalue::Compare(cond) => {
                cond.op == CmpOp::Ne && self.asked(cond) == Some((result, CmpOp::Ne))
            }
            _ => false,
        };
        self.variable(*dst).filter(|_| same).unwrap_or(result)
    }

    /// The variable that a condition compares with 0 or null.
    fn asked(&self, cond: &Cond) -> Option<(LocalId, CmpOp)> {
        let nothing = matches!(cond.rhs, Operand::Const(Const::Int(0) | Const::Null));
        let plain = matches!(cond.op, CmpOp::Eq | CmpOp::Ne);
        (nothing && plain).then_some((self.operand(&cond.lhs)?, cond.op))
    }

    /// Where a block goes if the variable is 0, and where it goes otherwise.
    fn branch(&self, block: usize, variable: LocalId) -> Option<(usize, usize)> {
        let Terminator::Branch {
            cond,
            then,
            otherwise,
        } = &self.function.blocks[block].term
        else {
            return None;
        };
        let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
        match self.asked(cond)? {
            (of, CmpOp::Eq) if of == variable => Some((then, otherwise)),
            (of, CmpOp::Ne) if of == variable => Some((otherwise, then)),
            _ => None,
        }
    }

    fn dead_handling(&self, dequeue: &Dequeue) -> Option<Event> {
        let function = self.function;
        if self.is_shared(dequeue.status) {
            return None;
        }
        let first = self.first_test(dequeue)?;
        // Both halves of one `||` lead to the same place.
        let (status_test, packet_test) = match self.branch(first, dequeue.status) {
            Some((_, good)) => (first, good),
            None => {
                let (_, there) = self.branch(first, dequeue.packet)?;
                (there, first)
            }
        };
        let (failed, good) = self.branch(status_test, dequeue.status)?;
        let (none, some) = self.branch(packet_test, dequeue.packet)?;
        let together = failed == none && (good == packet_test || some == status_test);
        if !together || self.reaches(failed, dequeue.at.0) {
            return None;
        }
        let dead = self.never_failed(dequeue.status, None);
        // What is dead without this test, is not dead for it.
        let before = self.never_failed(dequeue.status, Some(status_test));
        let graph = Graph::new(function);
        let handling = dead.iter().filter(|b| !before.contains(b)).find_map(|&b| {
            let (failed, good) = self.branch(b, dequeue.status)?;
            let region = graph.only_through(b, failed, good);
            let stmts = region.blocks().iter().map(|b| &function.blocks[*b].stmts);
            let mut stmts = stmts.flatten();
            let acts = stmts.any(|stmt| matches!(stmt, Statement::Call { .. }));
            acts.then(|| self.test(b))
        })?;
        let at = self.test(status_test);
        let (b, i) = dequeue.at;
        let call = function.map.stmts.get(b).and_then(|s| s.get(i)).copied();
        let call = call.unwrap_or(function.map.name);
        let name = |l: LocalId| function.locals[l.0 as usize].name.clone();
        let step = |span, what| PathStep { span, what };
        Some(Event {
            kind: EventKind::Result(ResultFault::DeadHandling {
                api: dequeue.api.clone(),
                status: name(dequeue.status),
                packet: name(dequeue.packet),
                call,
                dead: handling,
            }),
            at,
            function: function.name.clone(),
            resource: None,
            path: vec![
                step(call, StepKind::Passed(dequeue.api.clone())),
                step(at, StepKind::Branch(true)),
                step(handling, StepKind::Branch(false)),
            ],
            others: Vec::new(),
        })
    }

    /// The condition at the end of a block.
    fn test(&self, block: usize) -> Span {
        let terms = &self.function.map.terms;
        terms.get(block).copied().unwrap_or(self.function.map.name)
    }

    /// The first block that branches after the call, with nothing done between that sets what it is asked of.
    fn first_test(&self, dequeue: &Dequeue) -> Option<usize> {
        let (mut block, mut from) = (dequeue.at.0, dequeue.at.1 + 1);
        for _ in 0..8 {
            let here = &self.function.blocks[block];
            let set = |stmt: &Statement| {
                let set = self.sets(stmt);
                let keeps = matches!(stmt, Statement::Assign { .. });
                set.is_some_and(|l| l == dequeue.packet || (l == dequeue.status && !keeps))
            };
            if here.stmts.iter().skip(from).any(set) {
                return None;
            }
            match &here.term {
                Terminator::Goto(next) => (block, from) = (next.0 as usize, 0),
                Terminator::Branch { .. } => return Some(block),
                _ => return None,
            }
        }
        None
    }

    /// The variable that a statement writes.
    fn sets(&self, stmt: &Statement) -> Option<LocalId> {
        let dst = match stmt {
            Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => *dst,
            _ => return None,
        };
        match self.function.places[dst].base {
            Base::Local(l) => Some(l),
            _ => None,
        }
    }

    /// Somebody may write the variable by its address.
    fn is_shared(&self, variable: LocalId) -> bool {
        let of = |place: PlaceId| self.function.places[place].base == Base::Local(variable);
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| match stmt {
            Statement::Assign { value, .. } => match value {
                Rvalue::Ref(place) => of(*place),
                Rvalue::Closure(_, captured) => captured.iter().any(|(place, _)| of(*place)),
                _ => false,
            },
            Statement::Opaque { touches, .. } => touches.iter().any(|place| of(*place)),
            _ => false,
        })
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = vec![false; self.function.blocks.len()];
        let mut todo = vec![from];
        while let Some(b) = todo.pop() {
            if b == to {
                return true;
            }
            if std::mem::replace(&mut seen[b], true) {
                continue;
            }
            successors(&self.function.blocks[b].term, |s| todo.push(s));
            todo.extend(self.function.blocks[b].unwind.map(|u| u.0 as usize));
        }
        false
    }

    /// Blocks that ask whether the variable is 0 where every path there has shown that it is not; what one
    /// of the tests shows may be left out.
    fn never_failed(&self, variable: LocalId, without: Option<usize>) -> Vec<usize> {
        let function = self.function;
        // Per block: reached, and reached only with the variable known not to be 0.
        let mut known: Vec<Option<bool>> = vec![None; function.blocks.len()];
        let mut todo = VecDeque::from([(0, false)]);
        while let Some((b, nonzero)) = todo.pop_front() {
            let Some(slot) = known.get_mut(b) else {
                continue;
            };
            let joined = slot.map_or(nonzero, |before| before && nonzero);
            if *slot == Some(joined) {
                continue;
            }
            *slot = Some(joined);
            let block = &function.blocks[b];
            let nonzero = self.after(b, variable, joined);
            if let Some(unwind) = block.unwind {
                todo.push_back((unwind.0 as usize, false));
            }
            match self.branch(b, variable) {
                Some((zero, other)) => {
                    if !nonzero {
                        todo.push_back((zero, false));
                    }
                    todo.push_back((other, nonzero || without != Some(b)));
                }
                None => successors(&block.term, |s| todo.push_back((s, nonzero))),
            }
        }
        let dead = |b: &usize| {
            let nonzero = known[*b].is_some_and(|known| self.after(*b, variable, known));
            nonzero && self.branch(*b, variable).is_some()
        };
        (0..function.blocks.len()).filter(dead).collect()
    }

    /// Whether the variable is known not to be 0 at the end of a block.
    fn after(&self, block: usize, variable: LocalId, before: bool) -> bool {
        let mut stmts = self.function.blocks[block].stmts.iter();
        before && !stmts.any(|stmt| self.sets(stmt) == Some(variable))
    }
}
