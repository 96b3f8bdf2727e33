//! Transfers whose failure a call's result tells, and ways for the failure on which nobody hears of it: of
//! completions, whose operation another function has started, and of functions that send for their callers.
//!
//! The ways are told apart by what the function goes on with. What only the failure leads to may do
//! nothing; and that something is lost there has to show: the bytes are dropped, or the function returns
//! nothing and leaves nothing behind by which success could be told.

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Const, LocalId, LocalKind, Mark, Operand, PlaceId, Proj, Rvalue,
    Statement, Terminator,
};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::counts::Needs;
use crate::event::Event;
use crate::exec::Exec;
use crate::program::{FnRef, Target, last, successors};
use crate::region::Region;
use crate::rust::TAG;
use crate::sends::{Body, Kind, Send};
use crate::sent::{Sent, ToldBy, holds_for, told_by};
use crate::silenced::{Did, Silenced, empties};
use crate::words::has_word;

/// Places that hold the part of a result which tells of the failure: the local, and the way to it.
type Asks = Vec<(u32, Vec<Proj>)>;

/// What a function goes on with after a call.
struct Ways {
    /// Where it failed, whatever the error is.
    failed: Region,
    /// Where it failed, with none of the errors that are told apart.
    otherwise: Region,
    /// Where it did not fail.
    good: Region,
    /// The first condition that asks.
    asked: Span,
}

impl Exec<'_, '_> {
    /// Some call of the function tells how a transfer went.
    pub(crate) fn asks_of_transfers(&self) -> bool {
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| {
            let Statement::Call {
                dst: Some(_),
                callee,
                args,
                ..
            } = stmt
            else {
                return false;
            };
            match self.target_here(callee, args.len()) {
                Target::Model(model) => model.completes.is_some(),
                Target::Defined(f) => self
                    .summary_of(f)
                    .is_some_and(|summary| summary.ends.iter().any(|end| end.sent.is_some())),
                _ => false,
            }
        })
    }

    /// Failures that a call tells, and that nobody hears of.
    pub(crate) fn tell_unheard(&mut self, body: &Body<'_, '_>) {
        for send in body.sends() {
            let told = match send.kind {
                Kind::Own(f) => self.summary_of(f).and_then(told_by),
                Kind::Model(model) if model.completes.is_some() => self.asked_here(&send),
                _ => None,
            };
            let Some(told) = told else { continue };
            if let Some(event) = body.unheard(&send, &told) {
                match told.sent.kept {
                    None => self.found.add(event),
                    Some(kept) => {
                        let needs = Needs {
                            sends: Some(kept),
                            ..Needs::default()
                        };
                        self.found.counts.faults.push((event, needs));
                    }
                }
            }
        }
    }

    /// A question that the function asks itself.
    fn asked_here(&self, send: &Send<'_>) -> Option<ToldBy> {
        let sent: Sent = self.questioned.get(&send.span)?.clone()?;
        Some(ToldBy {
            sent,
            part: Vec::new(),
            nonzero: false,
        })
    }
}

impl<'f, 'm> Body<'f, 'm> {
    fn unheard(&self, send: &Send<'_>, told: &ToldBy) -> Option<Event> {
        let dst = send.dst?;
        let asks = self.asks(dst, &told.part);
        let ways = self.ways(send, &asks, told.nonzero)?;
        if self.is_heard(&asks, &ways.failed) || (told.sent.completes && self.cancels()) {
            return None;
        }
        let mut did = Did::default();
        let put = self.does_or_puts(&ways.otherwise, &mut did)?;
        let nothing = matches!(&*self.function.ret.name, "void" | "()" | "`()`" | "");
        if did.leaves && !nothing {
            return None;
        }
        let dropped = did.drops.is_some() && self.goes_on(&ways);
        let lost = told.sent.completes && put.is_none() && self.is_lost(dst, &ways);
        let silent = || told.sent.completes && nothing && self.leaves_no_mark(&ways.good, put);
        if !dropped && !lost && !silent() {
            return None;
        }
        let shown = did.drops.or(put.map(|(_, at)| at));
        let asked = match self.is_rust() {
            true => send.span,
            false => ways.asked,
        };
        let (kind, at) = match did.logs {
            Some(at) => (
                Silenced::Logged {
                    api: send.api.clone(),
                    call: send.span,
                },
                at,
            ),
            None => (
                Silenced::Branch {
                    api: send.api.clone(),
                    call: send.span,
                    drops: dropped || lost,
                },
                shown.unwrap_or(asked),
            ),
        };
        Some(self.event(kind, at, send.span, Some(asked)))
    }

    /// Where the part is found that tells: in the call's destination, and in what is copied of it.
    fn asks(&self, dst: PlaceId, part: &[Proj]) -> Asks {
        let at = &self.function.places[dst];
        let Base::Local(local) = at.base else {
            return Vec::new();
        };
        let mut whole = at.proj.to_vec();
        whole.extend(part.iter().cloned());
        let mut asks: Asks = vec![(local.0, whole)];
        for _ in 0..2 {
            let mut more: Asks = Vec::new();
            for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
                let Statement::Assign {
                    dst,
                    value:
                        Rvalue::Use(Operand::Copy(from) | Operand::Move(from))
                        | Rvalue::Cast(_, Operand::Copy(from) | Operand::Move(from)),
                } = stmt
                else {
                    continue;
                };
                let (to, from) = (&self.function.places[*dst], &self.function.places[*from]);
                let (Base::Local(to_local), Base::Local(from_local)) = (&to.base, &from.base)
                else {
                    continue;
                };
                for (local, proj) in &asks {
                    if from_local.0 == *local && proj.starts_with(&from.proj) {
                        let mut rest = to.proj.to_vec();
                        rest.extend(proj[from.proj.len()..].iter().cloned());
                        more.push((to_local.0, rest));
                    }
                }
            }
            more.retain(|ask| !asks.contains(ask));
            asks.extend(more);
        }
        asks
    }

    fn is_asked(&self, place: PlaceId, asks: &Asks) -> bool {
        let at = &self.function.places[place];
        let Base::Local(local) = at.base else {
            return false;
        };
        asks.iter()
            .any(|(l, proj)| *l == local.0 && proj[..] == at.proj[..])
    }

    /// Where a condition on the part leads, if it is one.
    fn asked_by(&self, cond: &Cond, asks: &Asks, zero: bool) -> Option<bool> {
        let (Operand::Copy(place) | Operand::Move(place)) = &cond.lhs else {
            return None;
        };
        let n = match &cond.rhs {
            Operand::Const(Const::Int(n)) => *n,
            Operand::Const(Const::Null) => 0,
            _ => return None,
        };
        if !self.is_asked(*place, asks) {
            return None;
        }
        holds_for(cond.op, n, zero)
    }

    /// The ways after a call, until it is made again.
    fn ways(&self, send: &Send<'_>, asks: &Asks, nonzero: bool) -> Option<Ways> {
        let errors = self.errors(asks);
        let good = self.reach(send, asks, nonzero, None);
        let failed = self.reach(send, asks, !nonzero, None);
        let otherwise = self.reach(send, asks, !nonzero, Some((&errors, &good)));
        let mut conds = self.function.blocks.iter().enumerate();
        let asked = conds.find_map(|(b, block)| {
            let after = b == send.block || good.contains(&b) || failed.contains(&b);
            match &block.term {
                Terminator::Branch { cond, .. } if after => {
                    self.asked_by(cond, asks, true)?;
                    self.function.map.terms.get(b).copied()
                }
                _ => None,
            }
        })?;
        let only = |of: &FxHashSet<usize>, not: &FxHashSet<usize>| {
            let mut blocks: Vec<usize> = of.difference(not).copied().collect();
            blocks.sort_unstable();
            Region::of(blocks)
        };
        Some(Ways {
            failed: only(&failed, &good),
            otherwise: only(&otherwise, &good),
            good: only(&good, &failed),
            asked,
        })
    }

    /// The blocks that are reached after a call whose telling part is 0, or is not. With the places of errors,
    /// none of those that conditions ask for is met, where only failures lead.
    fn reach(
        &self,
        send: &Send<'_>,
        asks: &Asks,
        zero: bool,
        none_of: Option<(&FxHashSet<u32>, &FxHashSet<usize>)>,
    ) -> FxHashSet<usize> {
        let mut seen = FxHashSet::default();
        let mut todo = vec![send.block];
        while let Some(b) = todo.pop() {
            let block = &self.function.blocks[b];
            let mut to: Vec<usize> = Vec::new();
            match &block.term {
                Terminator::Branch {
                    cond,
                    then,
                    otherwise,
                } => {
                    let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
                    let holds = self.asked_by(cond, asks, zero).or_else(|| {
                        let (errors, good) = none_of?;
                        let tells =
                            b != send.block && !good.contains(&b) && self.reads_any(cond, errors);
                        tells.then(|| excludes(cond))
                    });
                    match holds {
                        Some(true) => to.push(then),
                        Some(false) => to.push(otherwise),
                        None => to.extend([then, otherwise]),
                    }
                }
                term => successors(term, |s| to.push(s)),
            }
            for s in to {
                if s != send.block && seen.insert(s) {
                    todo.push(s);
                }
            }
        }
        seen
    }

    fn reads_any(&self, cond: &Cond, locals: &FxHashSet<u32>) -> bool {
        [&cond.lhs, &cond.rhs].into_iter().any(|op| match op {
            Operand::Copy(place) | Operand::Move(place) => self.is_in(*place, locals),
            Operand::Const(_) => false,
        })
    }

    /// Locals that hold the error, or what was asked of it.
    fn errors(&self, asks: &Asks) -> FxHashSet<u32> {
        let mut errors: FxHashSet<u32> = asks.iter().map(|(local, _)| *local).collect();
        for _ in 0..3 {
            let mut more = Vec::new();
            for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
                let dst = match stmt {
                    Statement::Assign { dst, .. } => *dst,
                    Statement::Call { dst: Some(dst), .. } => *dst,
                    _ => continue,
                };
                let Base::Local(to) = self.function.places[dst].base else {
                    continue;
                };
                let mut holds = false;
                visit_reads(stmt, |p| holds |= self.is_in(p, &errors));
                if holds {
                    more.push(to.0);
                }
            }
            errors.extend(more);
        }
        errors
    }

    /// Beside the ways for the failure, the part that tells, or the whole result, is read.
    fn is_heard(&self, asks: &Asks, failed: &Region) -> bool {
        let told = |place: PlaceId| {
            let at = &self.function.places[place];
            let Base::Local(local) = at.base else {
                return false;
            };
            let payload =
                self.is_rust() && matches!(at.proj.first(), Some(Proj::Field(name)) if name == "0");
            !payload
                && asks.iter().any(|(l, proj)| {
                    *l == local.0 && (proj.starts_with(&at.proj) || is_err(&at.proj))
                })
        };
        let copied = |stmt: &Statement| match stmt {
            Statement::Assign {
                dst: to,
                value: Rvalue::Use(_) | Rvalue::Cast(..),
            } => matches!(self.function.places[*to].base, Base::Local(l)
                if asks.iter().any(|(known, _)| *known == l.0)),
            _ => false,
        };
        let blocks = self.function.blocks.iter().enumerate();
        blocks.filter(|(b, _)| !failed.has(*b)).any(|(_, block)| {
            let mut heard = false;
            for stmt in &block.stmts {
                if !matches!(stmt, Statement::Drop { .. }) && !copied(stmt) {
                    visit_reads(stmt, |p| heard |= told(p));
                }
            }
            if !matches!(block.term, Terminator::Branch { .. }) {
                visit_term_reads(&block.term, |p| heard |= told(p));
            }
            heard
        })
    }

    /// The function asks for a cancel itself: that what it has cancelled fails is as it should be.
    fn cancels(&self) -> bool {
        let cancels = |callee: &Callee, target: Target<'_>| {
            let named = match callee {
                Callee::Method { name, .. } | Callee::Function(name) => {
                    has_word(last(name), &["cancel", "cancels", "abort"])
                }
                _ => false,
            };
            named || matches!(target, Target::Model(model) if model.cancels.is_some())
        };
        self.program.has_call(self.unit, self.function, &cancels)
    }

    /// What the ways for the failure do; none if somebody may hear of it. They may put a fixed value in the
    /// place of the count, where it goes to functions alone that do nothing with it.
    fn does_or_puts(&self, region: &Region, did: &mut Did) -> Option<Option<(LocalId, Span)>> {
        let mut logging = FxHashSet::default();
        let mut put = None;
        for &b in region.blocks() {
            let block = &self.function.blocks[b];
            for (i, stmt) in block.stmts.iter().enumerate() {
                let spans = self.function.map.stmts.get(b);
                let span = spans.and_then(|s| s.get(i)).copied();
                if let Statement::Assign {
                    dst,
                    value: Rvalue::Use(Operand::Const(Const::Int(n))),
                } = stmt
                    && let Base::Local(local) = self.function.places[*dst].base
                    && self.function.places[*dst].proj.is_empty()
                    && self.reads(local).iter().any(|(b, _)| !region.has(*b))
                {
                    if !self.is_idle_with(local, *n, region) {
                        return None;
                    }
                    put = put.or(span.map(|span| (local, span)));
                    continue;
                }
                self.statement(stmt, span, region, did, &mut logging);
            }
            match &block.term {
                Terminator::Return(_) => did.leaves = true,
                Terminator::Unwind => did.acts = true,
                _ => {}
            }
        }
        (!did.acts).then_some(put)
    }

    /// All who read the local outside of the region are functions of the program that do nothing at this value.
    fn is_idle_with(&self, local: LocalId, n: i128, region: &Region) -> bool {
        self.reads(local).iter().all(|(b, place)| {
            if region.has(*b) {
                return true;
            }
            self.function.blocks[*b].stmts.iter().any(|stmt| {
                let Statement::Call { callee, args, .. } = stmt else {
                    return false;
                };
                let target = self
                    .program
                    .target(self.unit, self.function, callee, args.len());
                let at = args.iter().position(
                    |arg| matches!(arg, Operand::Copy(p) | Operand::Move(p) if p == place),
                );
                match (target, at) {
                    (Target::Defined(f), Some(at)) => self.does_nothing_at(f, at, n),
                    _ => false,
                }
            })
        })
    }

    /// A function begins by asking for its argument, and is left at this value with nothing done.
    fn does_nothing_at(&self, f: FnRef, argument: usize, n: i128) -> bool {
        let function = self.program.function(f);
        let body = Body::new(self.program, f.0, function);
        let mut at = 0;
        let mut passed = FxHashSet::default();
        while passed.insert(at) {
            let Some(block) = function.blocks.get(at) else {
                return false;
            };
            let mut did = Did::default();
            let here = Region::of(vec![at]);
            for stmt in &block.stmts {
                body.statement(stmt, None, &here, &mut did, &mut FxHashSet::default());
            }
            if did.acts || did.drops.is_some() {
                return false;
            }
            at = match &block.term {
                Terminator::Return(None) => return true,
                Terminator::Goto(to) => to.0 as usize,
                Terminator::Branch {
                    cond,
                    then,
                    otherwise,
                } => {
                    let (Operand::Copy(place) | Operand::Move(place)) = &cond.lhs else {
                        return false;
                    };
                    let at = &function.places[*place];
                    let given = matches!(at.base, Base::Local(l) if l.0 as usize == argument);
                    let Operand::Const(Const::Int(other)) = &cond.rhs else {
                        return false;
                    };
                    if !given || !at.proj.is_empty() {
                        return false;
                    }
                    match crate::assume::holds(cond.op, n, *other) {
                        true => then.0 as usize,
                        false => otherwise.0 as usize,
                    }
                }
                _ => return false,
            };
        }
        false
    }

    /// After the bytes were dropped, the function goes on as after a transfer that went well.
    fn goes_on(&self, ways: &Ways) -> bool {
        let ends = self.graph.ends(&ways.otherwise);
        ends.iter().any(|end| !ways.failed.has(*end))
    }

    /// What the transfer has left goes on where it went well, and ends where it failed: a local that only the
    /// good way reads, and hands to others as far as the count says.
    fn is_lost(&self, dst: PlaceId, ways: &Ways) -> bool {
        let Base::Local(result) = self.function.places[dst].base else {
            return false;
        };
        let mut counted: FxHashSet<u32> = FxHashSet::default();
        counted.insert(result.0);
        let stmts = || {
            let blocks = ways.good.blocks().iter();
            blocks.flat_map(|b| &self.function.blocks[*b].stmts)
        };
        for stmt in stmts() {
            if let Statement::Assign { dst, .. } = stmt
                && let Base::Local(to) = self.function.places[*dst].base
            {
                let mut holds = false;
                visit_reads(stmt, |p| holds |= self.is_in(p, &counted));
                if holds {
                    counted.insert(to.0);
                }
            }
        }
        // A part is taken off as far as the count says.
        let taken = stmts().filter_map(|stmt| match stmt {
            Statement::Call {
                callee: Callee::Method { receiver, .. },
                args,
                ..
            } => {
                let counts = |arg: &Operand| match arg {
                    Operand::Copy(p) | Operand::Move(p) => self.is_in(*p, &counted),
                    Operand::Const(_) => false,
                };
                let place = &self.function.places[*receiver];
                match place.base {
                    Base::Local(l) if place.proj.is_empty() && args.iter().any(counts) => Some(l),
                    _ => None,
                }
            }
            _ => None,
        });
        taken
            .filter(|rest| rest.0 >= self.function.params && rest.0 != result.0)
            .any(|rest| {
                let mut parts: FxHashSet<u32> = FxHashSet::default();
                parts.insert(rest.0);
                for stmt in stmts() {
                    if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } =
                        stmt
                        && let Base::Local(to) = self.function.places[*dst].base
                    {
                        let mut holds = false;
                        visit_reads(stmt, |p| holds |= self.is_in(p, &parts));
                        if holds {
                            parts.insert(to.0);
                        }
                    }
                }
                let kept = |place: PlaceId| match self.function.places[place].base {
                    Base::Local(l) => {
                        !parts.contains(&l.0)
                            && !self.reads(l).iter().all(|(b, _)| ways.good.has(*b))
                    }
                    _ => true,
                };
                let mut handed = stmts().any(|stmt| match stmt {
                    Statement::Call {
                        callee: Callee::Method { receiver, .. },
                        args,
                        ..
                    } => {
                        kept(*receiver)
                            && args.iter().any(|arg| {
                                matches!(arg, Operand::Copy(p) | Operand::Move(p)
                                    if self.is_in(*p, &parts))
                            })
                    }
                    Statement::Assign {
                        dst,
                        value: Rvalue::Use(Operand::Move(from)),
                    } => self.is_in(*from, &parts) && kept(*dst),
                    _ => false,
                });
                handed &= self.reads(rest).iter().all(|(b, _)| ways.good.has(*b));
                handed
            })
    }

    /// Nothing that the good way leaves behind shows that it was one: it sets and counts nothing.
    fn leaves_no_mark(&self, good: &Region, put: Option<(LocalId, Span)>) -> bool {
        let blocks = good.blocks().iter();
        let mut stmts = blocks.flat_map(|b| &self.function.blocks[*b].stmts);
        stmts.all(|stmt| match stmt {
            Statement::Mark(Mark::Logged) => true,
            Statement::Mark(_) | Statement::Drop { .. } | Statement::Assert(_) => true,
            Statement::Opaque { .. } => false,
            Statement::Assign { dst, value } => {
                let instead = put.is_some_and(|(local, _)| {
                    self.function.places[*dst].base == Base::Local(local)
                });
                // An object that the good way has made goes to where it belongs.
                let moved = matches!(value, Rvalue::Use(Operand::Move(from))
                    if self.is_made_by_call(*from) && self.local_of(*from).is_some());
                instead || moved || self.stays_within(*dst, good)
            }
            Statement::Call {
                dst, callee, args, ..
            } => {
                let target = self
                    .program
                    .target(self.unit, self.function, callee, args.len());
                let own = match callee {
                    Callee::Method { receiver, .. } => self.stays_within(*receiver, good),
                    _ => false,
                };
                let marks = match callee {
                    Callee::Method { name, .. }
                        if !own && !matches!(target, Target::Defined(_)) =>
                    {
                        empties(name) || has_word(name, MARKS)
                    }
                    _ => false,
                };
                !marks && dst.is_none_or(|dst| self.stays_within(dst, good))
            }
        })
    }

    fn local_of(&self, place: PlaceId) -> Option<LocalId> {
        let place = &self.function.places[place];
        match place.base {
            Base::Local(l) if place.proj.is_empty() && l.0 >= self.function.params => Some(l),
            _ => None,
        }
    }

    fn is_made_by_call(&self, place: PlaceId) -> bool {
        let Some(local) = self.local_of(place) else {
            return false;
        };
        let auto = self.local_kind(local) == Some(LocalKind::Auto);
        auto && self
            .made_of(local)
            .is_some_and(|mut made| made.any(|stmt| matches!(stmt, Statement::Call { .. })))
    }
}

/// Methods by these words change what others look at.
const MARKS: &[&str] = &[
    "set",
    "store",
    "push",
    "insert",
    "add",
    "inc",
    "increment",
    "fetch",
    "swap",
    "append",
    "remove",
    "emplace",
    "pop",
    "send",
    "resolve",
    "complete",
    "reset",
    "replace",
    "put",
    "enqueue",
    "dequeue",
];

/// The error of a `Result`.
fn is_err(proj: &[Proj]) -> bool {
    matches!(proj.first(), Some(Proj::Field(name)) if name == "Err" || name == TAG)
}

/// Whether a condition that tells one error from the others holds where it is none that was asked for.
fn excludes(cond: &Cond) -> bool {
    let none = matches!(&cond.rhs, Operand::Const(Const::Int(0) | Const::Null));
    match cond.op {
        CmpOp::Eq => none,
        CmpOp::Ne => !none,
        _ => false,
    }
}
