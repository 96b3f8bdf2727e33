//! Guards that end with the statement that makes them: nothing else was to be done with them, so what follows
//! was to run under the lock.

use pipelint_ir::{
    Base, Callee, CmpOp, Const, Function, Language, LocalId, LocalKind, Mark, Name, Operand,
    PlaceId, Proj, Rvalue, Statement, Terminator,
};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::guard_fault::{GuardFault, Takes};
use crate::guard_types::{GuardType, GuardTypes};
use crate::program::{FnRef, Program, last, successors};
use crate::rust::{BAD, TAG};
use crate::words::has_word;

/// A place in a function: block and statement.
type At = (usize, usize);

/// Blocks that a guard's way may lead through.
const MOST_BLOCKS: usize = 64;

/// A guard that ends at once.
struct Dropped {
    /// The statement after its end.
    after: At,
    takes: Takes,
    guard: Name,
}

/// Where a guard is told to end at once, what its function does without the lock is not told as well.
pub(crate) fn tell_once(events: &mut Vec<Event>) {
    let dropped: FxHashSet<Name> = events
        .iter()
        .filter(|e| matches!(e.kind, EventKind::Guard(GuardFault::DroppedAtOnce { .. })))
        .map(|e| e.function.clone())
        .collect();
    events
        .retain(|e| !(matches!(e.kind, EventKind::Unguarded(_)) && dropped.contains(&e.function)));
}

/// One event for each guard that ends with the statement that makes it.
pub(crate) fn dropped_at_once(program: &Program<'_>, types: &GuardTypes<'_, '_>) -> Vec<Event> {
    let mut events = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        let rust = program.units[f.0].language == Language::Rust;
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call {
                    dst, callee, args, ..
                } = stmt
                else {
                    continue;
                };
                let finder = Finder {
                    program,
                    types,
                    f,
                    function,
                };
                let found = match rust {
                    true => finder.rust((b, i), *dst, callee),
                    false => finder.cpp((b, i), *dst, callee, args),
                };
                let Some(found) = found else { continue };
                let Some(follows) = finder.follows(found.after, (b, i)) else {
                    continue;
                };
                let span = finder.span((b, i));
                let lock = finder.lock(callee, args);
                let declares = !rust && finder.is_bare(callee, args);
                events.push(event(function, span, follows, lock, found, declares, rust));
            }
        }
    }
    events
}

fn event(
    function: &Function,
    at: Span,
    follows: Span,
    lock: Name,
    found: Dropped,
    declares: bool,
    rust: bool,
) -> Event {
    let step = |span, what| PathStep { span, what };
    let mut path = Vec::new();
    if found.takes != Takes::Nothing {
        path.push(step(at, StepKind::Locked(lock.clone())));
        path.push(step(at, StepKind::Unlocked(lock.clone())));
    }
    path.push(step(follows, StepKind::Unguarded));
    Event {
        kind: EventKind::Guard(GuardFault::DroppedAtOnce {
            lock,
            guard: found.guard,
            takes: found.takes,
            declares,
            rust,
        }),
        at,
        function: function.name.clone(),
        resource: None,
        path,
        others: Vec::new(),
    }
}

struct Finder<'a, 'p, 'm> {
    program: &'a Program<'m>,
    types: &'a GuardTypes<'p, 'm>,
    f: FnRef,
    function: &'a Function,
}

impl Finder<'_, '_, '_> {
    fn span(&self, (b, i): At) -> Span {
        let map = &self.function.map;
        let span = map
            .stmts
            .get(b)
            .and_then(|spans| spans.get(i))
            .or(map.terms.get(b));
        span.copied().unwrap_or(map.name)
    }

    /// The temporary that a place is, and nothing but that.
    fn temporary(&self, place: PlaceId) -> Option<LocalId> {
        let place = &self.function.places[place];
        let Base::Local(local) = place.base else {
            return None;
        };
        let kind = self.function.locals.get(local.0 as usize)?.kind;
        (place.proj.is_empty() && kind == LocalKind::Temp).then_some(local)
    }

    fn base(&self, place: PlaceId) -> Option<LocalId> {
        match self.function.places[place].base {
            Base::Local(local) => Some(local),
            _ => None,
        }
    }

    /// C++: a guard is constructed, or yielded by a call, and the next thing that happens is its end.
    fn cpp(
        &self,
        (b, i): At,
        dst: Option<PlaceId>,
        callee: &Callee,
        args: &[Operand],
    ) -> Option<Dropped> {
        let scope = &self.function.name;
        if let Callee::Constructor(ty) = callee {
            let local = self.temporary(dst?)?;
            if args.is_empty() || !self.ends_next((b, i), local) {
                return None;
            }
            let guard = self.types.guard(self.f.0, scope, ty)?;
            let takes = self.takes(&guard, args)?;
            let guard = Name::new(last(&ty.name));
            return Some(Dropped {
                after: (b, i + 2),
                takes,
                guard,
            });
        }
        let mut after = (b, i + 1);
        if let Some(dst) = dst {
            let local = self.temporary(dst)?;
            if self.ends_next((b, i), local) {
                after.1 += 1;
            } else if self.is_mentioned(local, (b, i)) {
                return None;
            }
        }
        let (model, guard) = self
            .types
            .yielded(self.f.0, self.function, callee, args.len())?;
        let tries = name_of(callee).is_some_and(|name| has_word(name, &["try"]));
        let takes = match tries {
            true => Takes::Attempt,
            false if model.deferred => Takes::Nothing,
            false => Takes::Lock,
        };
        Some(Dropped {
            after,
            takes,
            guard,
        })
    }

    /// The next statement ends the local, and no other one speaks of it.
    fn ends_next(&self, (b, i): At, local: LocalId) -> bool {
        let next = self
            .function
            .blocks
            .get(b)
            .and_then(|block| block.stmts.get(i + 1));
        matches!(next, Some(Statement::Drop { place, .. }) if self.temporary(*place) == Some(local))
            && !self.is_mentioned(local, (b, i))
    }

    /// Something but the call itself, and ends, reads the local.
    fn is_mentioned(&self, local: LocalId, at: At) -> bool {
        let mut found = false;
        let mut note = |p| found |= self.base(p) == Some(local);
        for (b, block) in self.function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                if (b, i) != at && !matches!(stmt, Statement::Drop { .. }) {
                    visit_reads(stmt, &mut note);
                }
            }
            visit_term_reads(&block.term, &mut note);
        }
        found
    }

    /// What a constructor of a guard does with its lock; none where the guard is made of another one, or of a
    /// lock that is held already.
    fn takes(&self, guard: &GuardType<'_>, args: &[Operand]) -> Option<Takes> {
        for arg in args {
            let (Operand::Copy(place) | Operand::Move(place)) = arg else {
                continue;
            };
            let ty = self.program.type_of_place(self.f.0, self.function, *place);
            let made_of = ty.and_then(|mut ty| {
                ty.reference = pipelint_ir::Reference::None;
                self.types.guard(self.f.0, &self.function.name, &ty)
            });
            if made_of.is_some() || matches!(arg, Operand::Move(_)) || self.is_moved(*place) {
                return None;
            }
        }
        let GuardType::Known(model) = guard else {
            return Some(Takes::Lock);
        };
        let tags: Vec<&str> = args.iter().filter_map(|arg| self.tag(arg)).collect();
        let has = |words: &[String]| tags.iter().any(|t| words.iter().any(|w| last(w) == *t));
        if has(&model.adopt) {
            return None;
        }
        if has(&model.defer) || (model.deferred && args.len() < 2) {
            return Some(Takes::Nothing);
        }
        Some(if has(&model.attempt) {
            Takes::Attempt
        } else {
            Takes::Lock
        })
    }

    /// `std::move(other)`.
    fn is_moved(&self, place: PlaceId) -> bool {
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        self.temporary(place).is_some()
            && stmts.any(|stmt| match stmt {
                Statement::Call {
                    dst: Some(dst),
                    callee: Callee::Function(name),
                    ..
                } => *dst == place && crate::owners::moves(name),
                _ => false,
            })
    }

    /// `std::defer_lock`: the last segment of a name that stands for an argument.
    fn tag<'o>(&'o self, arg: &'o Operand) -> Option<&'o str> {
        match arg {
            Operand::Const(Const::Named(name)) => Some(last(name)),
            Operand::Copy(place) | Operand::Move(place) => {
                let place = &self.function.places[*place];
                match (&place.base, &place.proj[..]) {
                    (Base::Global(name), []) => Some(last(name)),
                    _ => None,
                }
            }
            Operand::Const(_) => None,
        }
    }

    /// Rust: what a call yields is a guard, or holds one, and ends before anything else is done.
    fn rust(&self, at: At, dst: Option<PlaceId>, callee: &Callee) -> Option<Dropped> {
        let local = self.temporary(dst?)?;
        let ty = &self.function.locals.get(local.0 as usize)?.ty;
        if ty.name.is_empty() || matches!(callee, Callee::Constructor(_)) {
            return None;
        }
        let (guard, held) = self.types.held(self.f.0, &self.function.name, ty)?;
        let mut fate = Fate {
            finder: self,
            carriers: vec![local],
            good: FxHashSet::default(),
            bad: Vec::new(),
            ends: Vec::new(),
            walked: FxHashSet::default(),
            suspends: matches!(guard, GuardType::Known(g) if g.held_over_await),
            suspended: false,
            tested: false,
        };
        let after = fate.end((at.0, at.1 + 1))?;
        let tries = name_of(callee).is_some_and(|name| has_word(name, &["try"]));
        if tries && fate.tested {
            return None;
        }
        let blocking = name_of(callee).is_some_and(|name| has_word(name, &["blocking"]));
        let takes = match tries {
            true => Takes::Attempt,
            false if fate.suspends && !fate.suspended && !blocking => Takes::Nothing,
            false => Takes::Lock,
        };
        Some(Dropped {
            after,
            takes,
            guard: Name::new(last(&held.name)),
        })
    }

    /// Where something is done after a place that a lock may have been taken for. None where nothing follows,
    /// or where others are woken first: then to have had the lock for a moment is what was meant.
    fn follows(&self, after: At, call: At) -> Option<Span> {
        let mut seen = FxHashSet::default();
        let mut todo = std::collections::VecDeque::from([after]);
        let mut found = None;
        while let Some((b, first)) = todo.pop_front() {
            let block = self.function.blocks.get(b)?;
            for (i, stmt) in block.stmts.iter().enumerate().skip(first) {
                if (b, i) == call {
                    continue;
                }
                if let Statement::Call { callee, .. } = stmt {
                    let words = ["notify", "wake", "signal", "broadcast"];
                    let wakes = name_of(callee).is_some_and(|name| has_word(name, &words));
                    if found.is_none() && wakes {
                        return None;
                    }
                    return found.or(Some(self.span((b, i))));
                }
                if found.is_none() && self.reaches_out(stmt) {
                    found = Some(self.span((b, i)));
                }
            }
            let mut outside = false;
            visit_term_reads(&block.term, |p| outside |= self.is_outside(p));
            if found.is_none() && outside {
                found = Some(self.span((b, block.stmts.len())));
            }
            successors(&block.term, |s| {
                if seen.len() < MOST_BLOCKS && seen.insert(s) {
                    todo.push_back((s, 0));
                }
            });
        }
        found
    }

    /// Reads or writes what others can see as well.
    fn reaches_out(&self, stmt: &Statement) -> bool {
        if matches!(stmt, Statement::Drop { .. } | Statement::Mark(_)) {
            return false;
        }
        let mut found = matches!(stmt, Statement::Assign { dst, .. } if self.is_outside(*dst));
        visit_reads(stmt, |p| found |= self.is_outside(p));
        found
    }

    fn is_outside(&self, place: PlaceId) -> bool {
        let place = &self.function.places[place];
        match &place.base {
            Base::Local(_) => place.proj.contains(&Proj::Deref),
            Base::SelfObj | Base::Global(_) | Base::Captured(_) => true,
        }
    }

    /// The lock, as a person writes it.
    fn lock(&self, callee: &Callee, args: &[Operand]) -> Name {
        let place = match callee {
            Callee::Method { receiver, .. } => Some(*receiver),
            _ => args.first().and_then(|arg| self.pointed(arg)),
        };
        place
            .map(|place| written(self.function, place))
            .unwrap_or_default()
    }

    /// The place that an argument is, or that it is the address of.
    fn pointed(&self, arg: &Operand) -> Option<PlaceId> {
        let (Operand::Copy(place) | Operand::Move(place)) = arg else {
            return None;
        };
        Some(crate::contexts::address_of(self.function, *place).unwrap_or(*place))
    }

    /// `T(m);`, if it is written with parentheses: one argument, which is a name.
    fn is_bare(&self, callee: &Callee, args: &[Operand]) -> bool {
        let ([Operand::Copy(place)], Callee::Constructor(_)) = (args, callee) else {
            return false;
        };
        let place = &self.function.places[*place];
        match (&place.base, &place.proj[..]) {
            (Base::Local(l), []) => {
                let local = self.function.locals.get(l.0 as usize);
                local.is_some_and(|l| !l.name.is_empty())
            }
            (Base::Global(_), []) => true,
            (Base::SelfObj, [Proj::Field(_)]) => true,
            _ => false,
        }
    }
}

/// The last segment of the name of what is called.
fn name_of(callee: &Callee) -> Option<&str> {
    match callee {
        Callee::Function(name) | Callee::Method { name, .. } => Some(last(name)),
        _ => None,
    }
}

/// A place as a person writes it; empty for a part of a temporary.
pub(crate) fn written(function: &Function, place: PlaceId) -> Name {
    let place = &function.places[place];
    let mut text = match &place.base {
        Base::Local(l) => {
            let local = function.locals.get(l.0 as usize);
            local.map_or(String::new(), |l| l.name.to_string())
        }
        Base::SelfObj => String::new(),
        Base::Global(name) | Base::Captured(name) => name.to_string(),
    };
    if text.is_empty() && place.base != Base::SelfObj {
        return Name::default();
    }
    for step in &place.proj {
        if let Proj::Field(name) = step {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        }
    }
    text.into()
}

/// What becomes of a guard, by the ways behind the call that yields it.
struct Fate<'a, 'x, 'p, 'm> {
    finder: &'a Finder<'x, 'p, 'm>,
    /// Temporaries that hold it.
    carriers: Vec<LocalId>,
    /// Blocks on ways where the lock is taken.
    good: FxHashSet<usize>,
    /// Blocks where it could not be taken, or was poisoned.
    bad: Vec<usize>,
    /// Statements after its end.
    ends: Vec<At>,
    /// Statements and ends of blocks on ways where the lock is taken.
    walked: FxHashSet<At>,
    /// It is made to be waited for.
    suspends: bool,
    suspended: bool,
    /// Some branch looks at whether there is a guard.
    tested: bool,
}

impl Fate<'_, '_, '_, '_> {
    /// The statement after the guard's end, if that is all that becomes of it.
    fn end(&mut self, from: At) -> Option<At> {
        let mut todo = vec![from];
        while let Some(at) = todo.pop() {
            if at.1 == 0 && !self.good.insert(at.0) {
                continue;
            }
            if self.good.len() > MOST_BLOCKS {
                return None;
            }
            self.way(at, &mut todo)?;
        }
        let first = self.ends.first().copied()?;
        // Whoever looks for the failure alone, and goes on, wants no lock.
        (self.failures_leave() && !self.is_used()).then_some(first)
    }

    /// One block on a way where the lock is taken; none if the guard is used.
    fn way(&mut self, (b, first): At, todo: &mut Vec<At>) -> Option<()> {
        let function = self.finder.function;
        let block = function.blocks.get(b)?;
        for (i, stmt) in block.stmts.iter().enumerate().skip(first) {
            self.walked.insert((b, i));
            match stmt {
                // What the guard leads to is written anew.
                Statement::Drop { place, .. } if self.carries(*place) && self.leads(*place) => {
                    return None;
                }
                Statement::Drop { place, .. } if self.carries(*place) => {
                    let named = |l: LocalId| function.locals.get(l.0 as usize).map(|l| l.kind);
                    if self.finder.base(*place).and_then(named) == Some(LocalKind::Temp) {
                        self.ends.push((b, i + 1));
                        return Some(());
                    }
                }
                Statement::Assign { dst, value } if self.lends(*dst, value) => {}
                Statement::Assign { dst, value } => self.moved((b, i), *dst, value)?,
                Statement::Mark(Mark::Suspend) if self.suspends && !self.suspended => {
                    self.suspended = true;
                }
                Statement::Mark(Mark::Suspend | Mark::Logged | Mark::Shown(_))
                | Statement::Call { .. }
                | Statement::Opaque { .. }
                | Statement::Assert(_) => return None,
                Statement::Drop { .. } | Statement::Mark(_) => {}
            }
        }
        self.walked.insert((b, block.stmts.len()));
        match &block.term {
            Terminator::Goto(to) => todo.push((to.0 as usize, 0)),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                if !self.asks_for_failure(cond) {
                    return None;
                }
                self.tested = true;
                let (bad, good) = match cond.op {
                    CmpOp::Eq => (then, otherwise),
                    _ => (otherwise, then),
                };
                self.bad.push(bad.0 as usize);
                todo.push((good.0 as usize, 0));
            }
            Terminator::Switch { .. } => return None,
            Terminator::Return(_) => {
                let mut handed_on = false;
                visit_term_reads(&block.term, |p| handed_on |= self.carries(p));
                if handed_on {
                    return None;
                }
            }
            Terminator::Unwind | Terminator::Unreachable => {}
        }
        Some(())
    }

    fn carries(&self, place: PlaceId) -> bool {
        let base = self.finder.base(place);
        base.is_some_and(|local| self.carriers.contains(&local))
    }

    /// What a guard leads to.
    fn leads(&self, place: PlaceId) -> bool {
        self.finder.function.places[place]
            .proj
            .contains(&Proj::Deref)
    }

    /// Something else looks at the guard, or at whether there is one: a condition does so when it has ended.
    fn is_used(&self) -> bool {
        let mut used = false;
        let error = Proj::Field(Name::new_static(BAD));
        let function = self.finder.function;
        let mut note = |p| {
            used |= self.carries(p) && function.places[p].proj.first() != Some(&error);
        };
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                if !self.walked.contains(&(b, i)) && !matches!(stmt, Statement::Drop { .. }) {
                    visit_reads(stmt, &mut note);
                }
            }
            if !self.walked.contains(&(b, block.stmts.len())) {
                visit_term_reads(&block.term, &mut note);
            }
        }
        used
    }

    /// The front end's words for a guard: the address of what the lock holds.
    fn lends(&self, dst: PlaceId, value: &Rvalue) -> bool {
        self.carries(dst) && matches!(value, Rvalue::Ref(_))
    }

    /// An assignment: what holds the guard may be moved on; nothing else may look at it.
    fn moved(&mut self, (b, i): At, dst: PlaceId, value: &Rvalue) -> Option<()> {
        let finder = self.finder;
        if self.carries(dst) && self.leads(dst) {
            return None;
        }
        let operands: Vec<&Operand> = match value {
            Rvalue::Use(op) => vec![op],
            Rvalue::Aggregate(parts) => parts.iter().map(|(_, op)| op).collect(),
            _ => {
                let mut used = false;
                let stmt = &finder.function.blocks[b].stmts[i];
                visit_reads(stmt, |p| used |= self.carries(p));
                return (!used).then_some(());
            }
        };
        let place = |op: &&Operand| match op {
            Operand::Copy(place) | Operand::Move(place) => Some(*place),
            Operand::Const(_) => None,
        };
        if !operands.iter().filter_map(place).any(|p| self.carries(p)) {
            return Some(());
        }
        let local = finder.temporary(dst)?;
        // `drop(mutex.lock())` says what it does.
        let next = finder.function.blocks[b].stmts.get(i + 1);
        let dropped = matches!(next, Some(Statement::Drop { place, .. })
            if finder.temporary(*place) == Some(local))
            && finder.span((b, i)) == finder.span((b, i + 1));
        let ty = &finder.function.locals.get(local.0 as usize)?.ty;
        let holds = finder.types.held(finder.f.0, &finder.function.name, ty);
        if dropped || holds.is_none() {
            return None;
        }
        self.carriers.push(local);
        Some(())
    }

    fn asks_for_failure(&self, cond: &pipelint_ir::Cond) -> bool {
        let Operand::Copy(place) = cond.lhs else {
            return false;
        };
        let tag = Proj::Field(Name::new_static(TAG));
        self.carries(place)
            && finder_last(self.finder, place) == Some(&tag)
            && cond.rhs == Operand::Const(Const::Int(1))
            && matches!(cond.op, CmpOp::Eq | CmpOp::Ne)
    }

    /// Ways without the lock leave the function, or go on with the guard that the error of a poisoned lock
    /// holds.
    fn failures_leave(&self) -> bool {
        let function = self.finder.function;
        let mut rest = FxHashSet::default();
        let mut todo: Vec<usize> = self.ends.iter().map(|(b, _)| *b).collect();
        while let Some(b) = todo.pop() {
            if let Some(block) = function.blocks.get(b) {
                successors(&block.term, |s| {
                    if rest.insert(s) {
                        todo.push(s);
                    }
                });
            }
        }
        let mut seen = FxHashSet::default();
        let mut todo: Vec<(usize, bool)> = self.bad.iter().map(|b| (*b, false)).collect();
        while let Some((b, mut kept)) = todo.pop() {
            let Some(block) = function.blocks.get(b) else {
                continue;
            };
            if !kept && (rest.contains(&b) || self.good.contains(&b)) {
                return false;
            }
            if kept || !seen.insert(b) {
                continue;
            }
            for stmt in &block.stmts {
                // The guard's place is taken by what the failure gives.
                kept |= matches!(stmt, Statement::Assign { dst, .. } if self.carries(*dst));
            }
            successors(&block.term, |s| todo.push((s, kept)));
        }
        true
    }
}

fn finder_last<'a>(finder: &'a Finder<'_, '_, '_>, place: PlaceId) -> Option<&'a Proj> {
    finder.function.places[place].proj.last()
}
