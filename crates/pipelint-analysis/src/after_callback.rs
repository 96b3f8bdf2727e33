//! Objects that are touched after a call of user code that may have ended them.
//!
//! Each function is run from the view of the object that it works on, with what is known of its variables:
//! whether they are zero, and whether they ask if the object is still there.

use std::collections::VecDeque;
use std::rc::Rc;

use pipelint_ir::{
    Callee, CmpOp, Cond, Language, Mark, Name, Operand, PlaceId, Rvalue, Statement, Terminator,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::alive::{Fact, Facts, assign, forget_changed, made, may_ask, touched, value};
use crate::called::{AfterCallback, Called, End, Key, State, Why, ended};
use crate::callouts::{CallOut, CallOutKind, Object, View, is_nothing, objects, whole};
use crate::cfg::visit_term_reads;
use crate::contexts::place_of;
use crate::ended_by_user::{Worries, worries};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program};
use crate::summaries::Order;

/// States of a function beyond these are not looked at.
const MOST_STATES: usize = 3000;
/// Ends of a function that its callers are told of.
const MOST_ENDS: usize = 12;
struct Run<'p, 'm> {
    program: &'p Program<'m>,
    /// None while classes are looked at that ask whether they are still there.
    worries: Option<&'p Worries>,
    /// Functions from which user code is called.
    leads: &'p [bool],
    ends: FxHashMap<(FnRef, Object), Option<Rc<Vec<End>>>>,
    events: Vec<Event>,
    asked: Vec<(CallOut, Why)>,
}

/// Objects touched after user code may have ended them.
pub(crate) fn touched_after(program: &Program<'_>, order: &Order) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let cpp = |f: &FnRef| program.units[f.0].language != Language::Rust;
    let mut calls: Vec<Vec<CallOut>> = vec![Vec::new(); all.len()];
    for (i, &f) in all.iter().enumerate().filter(|(_, f)| cpp(f)) {
        calls[i] = call_outs(program, f);
    }
    if calls.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let mut worries = worries(program);
    let leads = above(order, &|i| !calls[i].is_empty());
    let mut run = Run::new(program, None, &leads);
    for (i, &f) in all.iter().enumerate() {
        if leads[i] && may_ask(program.function(f)) {
            run.objects(f);
        }
    }
    let asked = std::mem::take(&mut run.asked);
    let outs: FxHashSet<&CallOut> = calls.iter().flatten().collect();
    for (of, why) in asked {
        // Who reckons with it in one slot reckons with it in all.
        let same = |out: &&&CallOut| {
            **out == &of
                || of.kind == CallOutKind::Signal && out.kind == of.kind && out.class == of.class
        };
        for out in outs.iter().filter(same) {
            let known = worries.entry((*out).clone()).or_default();
            known.push((why.clone(), None));
        }
    }
    if worries.is_empty() {
        return Vec::new();
    }
    let leads = above(order, &|i| {
        calls[i].iter().any(|out| worries.contains_key(out))
    });
    let mut run = Run::new(program, Some(&worries), &leads);
    for (i, &f) in all.iter().enumerate() {
        if leads[i] {
            run.objects(f);
        }
    }
    run.events
}

fn call_outs(program: &Program<'_>, f: FnRef) -> Vec<CallOut> {
    let function = program.function(f);
    let mut found = Vec::new();
    for object in objects(function) {
        if let Some(view) = View::new(program, f, object) {
            let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
            found.extend(stmts.filter_map(|stmt| view.call_out(stmt)));
        }
    }
    found
}

/// The functions that are of a kind, or call one that is.
fn above(order: &Order, is: &dyn Fn(usize) -> bool) -> Vec<bool> {
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); order.calls.len()];
    for (i, calls) in order.calls.iter().enumerate() {
        calls.iter().for_each(|&j| callers[j].push(i));
    }
    let mut above: Vec<bool> = (0..callers.len()).map(is).collect();
    let mut todo: Vec<usize> = (0..callers.len()).filter(|&i| above[i]).collect();
    while let Some(i) = todo.pop() {
        for &j in &callers[i] {
            if !std::mem::replace(&mut above[j], true) {
                todo.push(j);
            }
        }
    }
    above
}

impl<'p, 'm> Run<'p, 'm> {
    fn new(program: &'p Program<'m>, worries: Option<&'p Worries>, leads: &'p [bool]) -> Self {
        Self {
            program,
            worries,
            leads,
            ends: FxHashMap::default(),
            events: Vec::new(),
            asked: Vec::new(),
        }
    }

    fn objects(&mut self, f: FnRef) {
        for object in objects(self.program.function(f)) {
            self.ends(f, object);
        }
    }

    /// How a function ends, as far as calls of user code go; nothing for one that calls none.
    fn ends(&mut self, f: FnRef, object: Object) -> Rc<Vec<End>> {
        let none = Rc::new(Vec::new());
        if !self.leads[self.program.number(f)] {
            return none;
        }
        if let Some(known) = self.ends.get(&(f, object)) {
            return known.clone().unwrap_or(none);
        }
        // Meanwhile, in a ring, it calls none.
        self.ends.insert((f, object), None);
        let ends = View::new(self.program, f, object).map(|view| self.follow(&view));
        let ends = Rc::new(ends.unwrap_or_default());
        let calls = ends.iter().any(|end| end.called.is_some());
        let ends = if calls { ends } else { none };
        self.ends.insert((f, object), Some(Rc::clone(&ends)));
        ends
    }

    fn follow(&mut self, view: &View<'p, 'm>) -> Vec<End> {
        let function = view.function;
        let mut ends = Vec::new();
        let mut seen: FxHashSet<Key> = FxHashSet::default();
        let start = State {
            called: None,
            told: false,
            facts: Facts::default(),
            steps: Vec::new(),
        };
        let mut todo = VecDeque::from([(0, start)]);
        while let Some((b, state)) = todo.pop_front() {
            let Some(block) = function.blocks.get(b) else {
                continue;
            };
            if seen.len() > MOST_STATES || !seen.insert(state.key(b)) {
                continue;
            }
            let mut states = vec![state];
            for (stmt, span) in block.stmts.iter().zip(&function.map.stmts[b]) {
                let after = states
                    .into_iter()
                    .flat_map(|state| self.stmt(view, stmt, *span, state));
                states = after.collect();
            }
            let span = function.map.terms[b];
            for mut state in states {
                let mut touched = None;
                visit_term_reads(&block.term, |place| {
                    touched = touched.take().or_else(|| view.member(place));
                });
                self.tell(view, &mut state, touched, span);
                match &block.term {
                    Terminator::Goto(to) => todo.push_back((to.0 as usize, state)),
                    Terminator::Branch {
                        cond,
                        then,
                        otherwise,
                    } => {
                        for (to, holds) in [(then, true), (otherwise, false)] {
                            if let Some(state) = self.branch(view, cond, holds, span, state.clone())
                            {
                                todo.push_back((to.0 as usize, state));
                            }
                        }
                    }
                    Terminator::Switch { arms, default, .. } => {
                        for to in arms.iter().map(|(_, to)| to).chain([default]) {
                            todo.push_back((to.0 as usize, state.clone()));
                        }
                    }
                    Terminator::Return(result) => {
                        let result = result
                            .as_ref()
                            .and_then(|op| value(function, &state.facts, op));
                        let end = End {
                            called: state.called,
                            result,
                        };
                        let same = |known: &End| {
                            known.result == end.result
                                && known.called.as_ref().map(|c| &c.out)
                                    == end.called.as_ref().map(|c| &c.out)
                        };
                        if ends.len() < MOST_ENDS && !ends.iter().any(same) {
                            ends.push(end);
                        }
                    }
                    Terminator::Unwind | Terminator::Unreachable => {}
                }
            }
        }
        ends
    }

    /// A touch of the object, if user code was called before.
    fn tell(&mut self, view: &View<'p, 'm>, state: &mut State, member: Option<Name>, at: Span) {
        let (Some(called), Some(member)) = (&state.called, member) else {
            return;
        };
        if std::mem::replace(&mut state.told, true) || self.worries.is_none() {
            return;
        }
        if self.events.iter().any(|e| e.at == at) {
            return;
        }
        let mut path = state.steps.clone();
        path.push(PathStep {
            span: at,
            what: StepKind::Reached,
        });
        let fault = AfterCallback {
            member,
            called: called.out.name.clone(),
            kind: called.out.kind,
            call: called.at,
            why: called.why.clone(),
        };
        self.events.push(Event {
            kind: EventKind::AfterCallback(fault),
            at,
            function: view.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        });
    }

    fn stmt(
        &mut self,
        view: &View<'p, 'm>,
        stmt: &Statement,
        span: Span,
        mut state: State,
    ) -> Vec<State> {
        let function = view.function;
        if state.called.is_some() && !state.told {
            let member = touched(view, stmt, &state.facts);
            self.tell(view, &mut state, member, span);
            // What ends here without being seen in the text does not hide what follows.
            state.told &= !matches!(stmt, Statement::Drop { .. });
        }
        match stmt {
            Statement::Assign { dst, value } => assign(view, &mut state.facts, *dst, value),
            Statement::Mark(Mark::Dead(local)) => state.facts.set(*local, None),
            Statement::Call {
                dst, callee, args, ..
            } => {
                return self.call(view, (stmt, span), (*dst, callee, args), state);
            }
            Statement::Drop { place, .. } => {
                if let Some(local) = whole(function, *place) {
                    state.facts.set(local, None);
                }
            }
            // What was not lowered may ask.
            Statement::Opaque { .. } => state.called = None,
            Statement::Assert(_) | Statement::Mark(_) => {}
        }
        vec![state]
    }

    fn call(
        &mut self,
        view: &View<'p, 'm>,
        (stmt, span): (&Statement, Span),
        (dst, callee, args): (Option<PlaceId>, &Callee, &[Operand]),
        mut state: State,
    ) -> Vec<State> {
        let function = view.function;
        let local = dst.and_then(|dst| whole(function, dst));
        let keeps = state.facts.keep();
        forget_changed(view, &mut state.facts, args);
        if let Some(out) = view.call_out(stmt) {
            if let Some(local) = local {
                state.facts.set(local, None);
            }
            if let Some(why) = self.why(view, &out, args).filter(|_| !keeps) {
                state.step(span, StepKind::Called(out.name.clone()));
                let inner = Vec::new();
                state.called = Some(Rc::new(Called {
                    out,
                    why,
                    at: span,
                    inner,
                }));
                state.told = false;
            }
            return vec![state];
        }
        if let Some((g, object)) = view.handed(stmt)
            && !keeps
        {
            let ends = self.ends(g, object);
            if !ends.is_empty() {
                return ends
                    .iter()
                    .map(|end| ended(&state, (g, span), local, end, self.program))
                    .collect();
            }
        }
        if let Callee::Method { receiver, name, .. } = callee
            && let Some(of) = whole(function, *receiver)
        {
            match (state.facts.fact(of).cloned(), &**name) {
                (Some(Fact::Uses(_)), "unlock") => state.facts.set(of, None),
                (Some(Fact::Alive), _) if local.is_some() => {
                    let negative = matches!(
                        &**name,
                        "isNull" | "is_null" | "IsNull" | "expired" | "WasInvalidated"
                    );
                    let fact = if negative { Fact::Gone } else { Fact::Alive };
                    local
                        .into_iter()
                        .for_each(|local| state.facts.set(local, Some(fact.clone())));
                    return vec![state];
                }
                (Some(Fact::Asks), _) if local.is_some() => {
                    local
                        .into_iter()
                        .for_each(|local| state.facts.set(local, Some(Fact::Asks)));
                    return vec![state];
                }
                _ => {}
            }
        }
        if let Some(local) = local {
            let fact = made(view, &state.facts, local, callee, args);
            state.facts.set(local, fact);
        }
        // A flag whose address the object, or something that knows the object, is given.
        if args.iter().any(|op| view.is_address(op))
            || view.unseen_method(stmt).is_some()
            || view.handed(stmt).is_some()
        {
            for op in args {
                if let Some(Rvalue::Ref(place)) = view.def(op)
                    && let Some(flag) = whole(function, *place)
                    && function
                        .locals
                        .get(flag.0 as usize)
                        .is_some_and(|l| l.ty.name == "bool")
                {
                    state.facts.set(flag, Some(Fact::Asks));
                }
            }
        }
        vec![state]
    }

    /// Why a call of user code may end the object, if anything shows it.
    fn why(&self, view: &View<'p, 'm>, out: &CallOut, args: &[Operand]) -> Option<Why> {
        let Some(worries) = self.worries else {
            return Some(Why::Asked {
                by: view.function.name.clone(),
                at: view.function.map.name,
            });
        };
        let fits = |given: &Option<usize>| {
            given.is_none_or(|n| args.get(n).is_some_and(|op| view.is_address(op)))
        };
        let why = worries.get(out)?.iter().find(|(_, given)| fits(given));
        why.map(|(why, _)| why.clone())
    }

    fn branch(
        &mut self,
        view: &View<'p, 'm>,
        cond: &Cond,
        holds: bool,
        span: Span,
        mut state: State,
    ) -> Option<State> {
        let equal = match cond.op {
            CmpOp::Eq => holds,
            CmpOp::Ne => !holds,
            _ => return Some(unsure(view, cond, state)),
        };
        let Some(place) = place_of(&cond.lhs).filter(|_| is_nothing(&cond.rhs)) else {
            return Some(unsure(view, cond, state));
        };
        let Some(local) = whole(view.function, place) else {
            return Some(unsure(view, cond, state));
        };
        match (state.facts.fact(local), equal) {
            (Some(Fact::Zero), false) | (Some(Fact::NotZero), true) => return None,
            (Some(Fact::Alive), false) | (Some(Fact::Gone), true) => {
                self.answered(view, &mut state, span)
            }
            (Some(Fact::Asks), _) => state.called = None,
            (None, _) => {
                let fact = if equal { Fact::Zero } else { Fact::NotZero };
                state.facts.set(local, Some(fact));
            }
            _ => {}
        }
        state.step(span, StepKind::Branch(holds));
        Some(state)
    }

    /// The object is known to be there.
    fn answered(&mut self, view: &View<'p, 'm>, state: &mut State, at: Span) {
        if let Some(called) = state.called.take()
            && self.worries.is_none()
        {
            let by = view.function.name.clone();
            self.asked.push((called.out.clone(), Why::Asked { by, at }));
        }
        state.told = false;
    }
}

/// A condition of another kind on something that asks for the object.
fn unsure(view: &View<'_, '_>, cond: &Cond, mut state: State) -> State {
    for op in [&cond.lhs, &cond.rhs] {
        let base = place_of(op).map(|place| &view.function.places[place].base);
        if let Some(pipelint_ir::Base::Local(local)) = base
            && matches!(
                state.facts.fact(*local),
                Some(Fact::Alive | Fact::Gone | Fact::Asks)
            )
        {
            state.called = None;
        }
    }
    state
}
