//! What is learnt under a lock and stored into an atomic after the lock was given back, where others ask or set
//! the atomic with the lock held: what they have changed and told meanwhile is lost.
//!
//! `next = earliest(queue)` under the lock, then `next_wake.store(next)` without it: who puts an earlier entry
//! in between compares it with the old `next_wake`, wakes nobody, and the store then hides the entry.
//!
//! In Rust a lock is told by the data that it guards: a guard's type names it, whichever helper took it. In C++
//! it is told by its class and field.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use pipelint_ir::{
    Base, Callee, Function, Language, Name, Operand, PlaceId, Proj, Rvalue, Statement, Terminator,
    Type,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::flag_accesses::{Looker as Things, Thing, Variables};
use crate::held::HeldLocks;
use crate::holders::leads_to_guarded;
use crate::lock_ends::LockKey;
use crate::program::{FnRef, Program, Target, last, successors};
use crate::started::reaches;
use crate::unlock_window::{At, Looker};

/// An atomic is set to what was true under a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleStore {
    /// What was asked under the lock: a field, or a method.
    pub asked: Name,
    /// The atomic.
    pub stored: Name,
    /// The lock, or what it guards.
    pub lock: Name,
    /// A function that changes what was asked and looks at the atomic with the lock held, and where it does.
    pub other: (Name, Span),
}

/// How deep functions are followed for what they learn under a lock of their own.
const DEEPEST: u32 = 2;

/// A lock, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Lock {
    /// By the data that it guards.
    Of(Name),
    By(LockKey),
}

/// An atomic: what declares it, or its type in Rust, and its name.
type Atomic = (Name, Name);

/// What a function has learnt under a lock.
#[derive(Debug, Clone)]
struct Answer {
    lock: Lock,
    /// The lock, in words.
    name: Name,
    by: Name,
    of: FxHashSet<Name>,
    at: Span,
    hold: Span,
}

/// Tells of each store once.
pub(crate) fn stale_stores(program: &Program<'_>, all: &[FnRef], held: &HeldLocks) -> Vec<Event> {
    let finder = Finder {
        program,
        all,
        held,
        variables: Variables::new(program),
        known: RefCell::default(),
        guards: RefCell::default(),
        looks: OnceCell::new(),
    };
    let mut events = Vec::new();
    for &f in all {
        let stores = finder.stores(f);
        if stores.is_empty() {
            continue;
        }
        let told = finder.told(f, 0);
        for (at, atomic, with) in stores {
            let answers = with.iter().filter_map(|l| told.of.get(l)).flatten();
            let mut answers = answers.map(|n| &told.answers[*n]);
            let found = answers.find_map(|answer| {
                let other = finder.other(f, answer, &atomic)?;
                let open = !finder.holds_any(f, at) && !told.asks_behind(&finder, f, answer, at);
                open.then_some((answer, other))
            });
            if let Some((answer, other)) = found {
                events.push(finder.event(f, at, answer, &atomic, other));
            }
        }
    }
    events
}

/// What one function knows that was learnt under a lock.
#[derive(Debug, Default, Clone)]
struct Told {
    answers: Vec<Answer>,
    /// What locals are made of, by the numbers of the answers.
    of: FxHashMap<u32, Vec<usize>>,
    /// What it returns.
    returned: Vec<usize>,
}

impl Told {
    /// The same is asked again under the lock behind a statement.
    fn asks_behind(&self, finder: &Finder<'_, '_>, f: FnRef, answer: &Answer, at: At) -> bool {
        let function = finder.program.function(f);
        let mut others = self.answers.iter();
        others.any(|other| {
            other.at != answer.at
                && other.by == answer.by
                && other.lock == answer.lock
                && statement_at(function, other.at).is_some_and(|to| reaches(function, at, to))
        })
    }
}

struct Finder<'a, 'm> {
    program: &'a Program<'m>,
    all: &'a [FnRef],
    held: &'a HeldLocks,
    variables: Variables,
    known: RefCell<FxHashMap<FnRef, Told>>,
    guards: RefCell<FxHashMap<FnRef, Rc<Vec<Guard>>>>,
    /// The functions that ask or set each atomic.
    looks: OnceCell<FxHashMap<Atomic, Vec<FnRef>>>,
}

impl<'a> Finder<'a, '_> {
    fn rust(&self, f: FnRef) -> bool {
        self.program.units[f.0].language == Language::Rust
    }

    /// Stores of values into atomics: where, what, and the locals that the value is made of.
    fn stores(&self, f: FnRef) -> Vec<(At, Atomic, Vec<u32>)> {
        let function = self.program.function(f);
        let mut found = Vec::new();
        for (at, stmt) in statements(function) {
            let (place, value, ty) = match stmt {
                Statement::Call {
                    callee: Callee::Method { receiver, name, ty },
                    args,
                    ..
                } if matches!(last(name), "store" | "swap" | "exchange") => {
                    let Some(value) = args.first() else { continue };
                    (*receiver, vec![value], ty.as_deref())
                }
                Statement::Call {
                    callee: Callee::Method { receiver, name, ty },
                    args,
                    ..
                } if last(name) == "operator=" => (*receiver, args.iter().collect(), ty.as_deref()),
                Statement::Assign {
                    dst,
                    value: Rvalue::Use(op) | Rvalue::Cast(_, op),
                } if !self.rust(f) => (*dst, vec![op], None),
                _ => continue,
            };
            let with: Vec<u32> = value.iter().filter_map(|op| used(function, op)).collect();
            if with.is_empty() {
                continue;
            }
            if let Some(atomic) = self.atomic(f, place, ty) {
                found.push((at, atomic, with));
            }
        }
        found
    }

    /// The atomic field that a place is.
    fn atomic(&self, f: FnRef, place: PlaceId, ty: Option<&Type>) -> Option<Atomic> {
        let function = self.program.function(f);
        let place = &function.places[place];
        let Some(Proj::Field(field)) = place.proj.last() else {
            return None;
        };
        if self.rust(f) {
            let ty = ty?;
            return self
                .is_atomic(f, ty)
                .then(|| (ty.name.clone(), field.clone()));
        }
        let things = Things::new(self.program, &self.variables, f);
        let (thing, ty) = things.named(&place.base, &place.proj)?;
        let Thing::Field(class, name, _) = thing else {
            return None;
        };
        let class = self.program.class_at(class).name.clone();
        self.is_atomic(f, ty).then_some((class, name))
    }

    /// An atomic of a library's, or a class of the program's own around one.
    fn is_atomic(&self, f: FnRef, ty: &Type) -> bool {
        let ty = self.program.resolve(ty);
        let named = |name: &str| last(name).to_ascii_lowercase().contains("atomic");
        if ty.pointers > 0 || !named(&ty.name) {
            return false;
        }
        let class = self.program.class(f.0, &ty.name);
        class.is_none_or(|class| class.fields.iter().any(|field| named(&field.ty.name)))
    }

    /// What a function learns under locks that it takes itself.
    fn told(&self, f: FnRef, depth: u32) -> Told {
        if let Some(known) = self.known.borrow().get(&f) {
            return known.clone();
        }
        let told = self.learn(f, depth);
        // What was cut short is known less well than it may be.
        if depth == 0 {
            self.known.borrow_mut().insert(f, told.clone());
        }
        told
    }

    fn learn(&self, f: FnRef, depth: u32) -> Told {
        let function = self.program.function(f);
        let mut told = Told::default();
        let guards = self.guards(f);
        if self.rust(f) {
            let looker = self.looker(f, &NO_KEY);
            for (at, stmt) in statements(function) {
                let Some((local, by, of)) = looker.asks(stmt) else {
                    continue;
                };
                let asked = guards.iter().find(|g| g.asked_by(function, stmt));
                if let Some(guard) = asked.filter(|g| g.lives_at(at)) {
                    let answer = Answer {
                        lock: Lock::Of(guard.of.clone()),
                        name: guard.name.clone(),
                        by,
                        of,
                        at: span(function, at),
                        hold: span(function, guard.since),
                    };
                    told.of.entry(local).or_default().push(told.answers.len());
                    told.answers.push(answer);
                }
            }
        } else if let Some(own) = self.held.of(self.program.number(f)) {
            for (key, name) in own.keys() {
                let looker = self.looker(f, &key);
                for (at, stmt) in statements(function) {
                    if let Some(hold) = looker.hold(at)
                        && let Some((local, by, of)) = looker.asks(stmt)
                    {
                        let answer = Answer {
                            lock: Lock::By(key.clone()),
                            name: name.clone(),
                            by,
                            of,
                            at: span(function, at),
                            hold,
                        };
                        told.of.entry(local).or_default().push(told.answers.len());
                        told.answers.push(answer);
                    }
                }
            }
        }
        if depth < DEEPEST {
            self.hear(f, &guards, &mut told, depth);
        }
        self.spread(f, &mut told);
        told
    }

    /// What callees have learnt under locks of theirs, and closures that callees run.
    fn hear(&self, f: FnRef, guards: &[Guard], told: &mut Told, depth: u32) {
        let function = self.program.function(f);
        for (at, stmt) in statements(function) {
            let Statement::Call {
                dst: Some(dst),
                callee,
                args,
                ..
            } = stmt
            else {
                continue;
            };
            let Some(local) = local(function, *dst) else {
                continue;
            };
            if guards.iter().any(|g| g.lives_at(at)) || self.holds_any(f, at) {
                continue;
            }
            let mut from: Vec<FnRef> = Vec::new();
            match self.program.target(f.0, function, callee, args.len()) {
                Target::Defined(g) if g != f => from.push(g),
                Target::Defined(_) => {}
                _ => from.extend(args.iter().filter_map(|arg| self.closure(f, arg))),
            }
            for g in from {
                let theirs = self.told(g, depth + 1);
                for n in theirs.returned {
                    told.of.entry(local).or_default().push(told.answers.len());
                    told.answers.push(theirs.answers[n].clone());
                }
            }
        }
    }

    /// The closure that an argument is.
    fn closure(&self, f: FnRef, arg: &Operand) -> Option<FnRef> {
        let function = self.program.function(f);
        let of = used(function, arg)?;
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.find_map(|stmt| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Closure(name, _),
            } if local(function, *dst) == Some(of) => self.program.lambda(f.0, name),
            _ => None,
        })
    }

    /// What is made of answers, and what of that is returned with no lock held.
    fn spread(&self, f: FnRef, told: &mut Told) {
        if told.answers.is_empty() {
            return;
        }
        let function = self.program.function(f);
        let looker = self.looker(f, &NO_KEY);
        for _ in 0..4 {
            for (_, stmt) in statements(function) {
                let Some((local, mut from)) = looker.derived(stmt) else {
                    continue;
                };
                // The value in an `Option`.
                if let Statement::Assign {
                    value: Rvalue::Use(op) | Rvalue::Cast(_, op),
                    ..
                } = stmt
                {
                    from.extend(used(function, op));
                }
                let from: Vec<usize> = from
                    .iter()
                    .filter_map(|l| told.of.get(l))
                    .flatten()
                    .copied()
                    .collect();
                if from.is_empty() {
                    continue;
                }
                let known = told.of.entry(local).or_default();
                known.extend(from);
                known.sort_unstable();
                known.dedup();
            }
        }
        for (b, block) in function.blocks.iter().enumerate() {
            if let Terminator::Return(Some(op)) = &block.term
                && let Some(of) = used(function, op)
                && !self.holds_any(f, (b, block.stmts.len()))
            {
                told.returned
                    .extend(told.of.get(&of).into_iter().flatten().copied());
            }
        }
        told.returned.sort_unstable();
        told.returned.dedup();
    }

    /// Some lock may be held at a statement.
    fn holds_any(&self, f: FnRef, at: At) -> bool {
        if self.rust(f) {
            return self.guards(f).iter().any(|g| g.lives_at(at));
        }
        let held = self.held.at(self.program.number(f), at);
        held.is_some_and(|held| held.unknown || !held.locks.is_empty())
    }

    /// The guards that are variables of a function of Rust's.
    fn guards(&self, f: FnRef) -> Rc<Vec<Guard>> {
        let mut known = self.guards.borrow_mut();
        let found = known
            .entry(f)
            .or_insert_with(|| Rc::new(self.find_guards(f)));
        Rc::clone(found)
    }

    fn find_guards(&self, f: FnRef) -> Vec<Guard> {
        if !self.rust(f) {
            return Vec::new();
        }
        let function = self.program.function(f);
        let locals = function.locals.iter().enumerate();
        let guards = locals.filter(|(_, local)| leads_to_guarded(self.program, f.0, &local.ty));
        guards
            .filter_map(|(n, local)| {
                let n = u32::try_from(n).ok()?;
                Guard::new(function, n, local.ty.args.last()?, &local.name)
            })
            .collect()
    }

    fn looker<'k>(&'k self, f: FnRef, key: &'k LockKey) -> Looker<'k, 'k> {
        Looker {
            program: self.program,
            f,
            function: self.program.function(f),
            held: self.held.of(self.program.number(f)),
            key,
            rust: self.rust(f),
        }
    }

    /// Another function that, in one hold of the lock, changes what was asked and looks at the atomic.
    fn other(&self, than: FnRef, answer: &Answer, atomic: &Atomic) -> Option<(Name, Span)> {
        let known = self.looks.get_or_init(|| self.find_looks());
        let others = known.get(atomic)?.iter().filter(|g| **g != than);
        others.copied().find_map(|g| {
            if self.rust(g) != matches!(answer.lock, Lock::Of(_)) {
                return None;
            }
            let function = self.program.function(g);
            let looks = statements(function).filter(|(_, stmt)| self.looks(g, stmt, atomic));
            let looks: Vec<At> = looks.map(|(at, _)| at).collect();
            let changed = |looker: &Looker<'_, '_>, within: &dyn Fn(At, At) -> bool| {
                statements(function).find(|(at, stmt)| {
                    looks
                        .iter()
                        .any(|look| within(*at, *look) && reaches(function, *at, *look))
                        && answer.of.iter().any(|field| looker.changes(stmt, field))
                })
            };
            let found = match &answer.lock {
                Lock::By(key) => {
                    let looker = self.looker(g, key);
                    changed(&looker, &|a, b| {
                        looker.hold(a).is_some() && looker.hold(a) == looker.hold(b)
                    })
                }
                Lock::Of(data) => {
                    let looker = self.looker(g, &NO_KEY);
                    let guards = self.guards(g);
                    changed(&looker, &|a, b| {
                        let mut same = guards.iter().filter(|guard| guard.of == *data);
                        same.any(|guard| guard.lives_at(a) && guard.lives_at(b))
                    })
                }
            };
            let (at, _) = found?;
            Some((function.name.clone(), span(function, at)))
        })
    }

    fn find_looks(&self) -> FxHashMap<Atomic, Vec<FnRef>> {
        let mut found: FxHashMap<Atomic, Vec<FnRef>> = FxHashMap::default();
        for &f in self.all {
            for (_, stmt) in statements(self.program.function(f)) {
                for atomic in self.looked_at(f, stmt) {
                    let known = found.entry(atomic).or_default();
                    if known.last() != Some(&f) {
                        known.push(f);
                    }
                }
            }
        }
        found
    }

    /// A statement asks the atomic, or sets it.
    fn looks(&self, f: FnRef, stmt: &Statement, atomic: &Atomic) -> bool {
        self.looked_at(f, stmt).contains(atomic)
    }

    /// The atomics that a statement asks or sets.
    fn looked_at(&self, f: FnRef, stmt: &Statement) -> Vec<Atomic> {
        match stmt {
            Statement::Call {
                callee: Callee::Method { receiver, ty, .. },
                ..
            } => {
                let atomic = self.atomic(f, *receiver, ty.as_deref());
                atomic.into_iter().collect()
            }
            Statement::Assign { dst, .. } if !self.rust(f) => {
                let mut places = vec![*dst];
                crate::cfg::visit_reads(stmt, |place| places.push(place));
                let atomics = places.into_iter();
                atomics
                    .filter_map(|place| self.atomic(f, place, None))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn event(
        &self,
        f: FnRef,
        at: At,
        answer: &Answer,
        atomic: &Atomic,
        other: (Name, Span),
    ) -> Event {
        let function = self.program.function(f);
        let step = |span, what| PathStep { span, what };
        let here = span(function, at);
        Event {
            kind: EventKind::StaleStore(StaleStore {
                asked: answer.by.clone(),
                stored: atomic.1.clone(),
                lock: answer.name.clone(),
                other: other.clone(),
            }),
            at: here,
            function: function.name.clone(),
            resource: None,
            path: vec![
                step(answer.hold, StepKind::Locked(answer.name.clone())),
                step(answer.at, StepKind::Read(answer.by.clone())),
                step(other.1, StepKind::Read(atomic.1.clone())),
                step(here, StepKind::Assigned(atomic.1.clone())),
            ],
            others: Vec::new(),
        }
    }
}

/// The key of no lock: what Rust's guards lead to is told by their types.
static NO_KEY: LockKey = (None, Name::new_static(""));

/// A variable of Rust's that holds a lock.
struct Guard {
    local: u32,
    /// The type of what it guards.
    of: Name,
    /// The variable's name.
    name: Name,
    /// Where it is made.
    since: At,
    /// Where it may live.
    lives: FxHashSet<At>,
}

impl Guard {
    fn new(function: &Function, local: u32, of: &Name, name: &Name) -> Option<Self> {
        let is = |place: PlaceId| self::local(function, place) == Some(local);
        let made = |stmt: &Statement| matches!(stmt, Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } if is(*dst));
        let given = |op: &Operand| matches!(op, Operand::Move(place) if is(*place));
        let ends = |stmt: &Statement| match stmt {
            Statement::Drop { place, .. } => is(*place),
            Statement::Call { args, .. } => args.iter().any(given),
            Statement::Assign {
                value: Rvalue::Use(op) | Rvalue::Cast(_, op),
                ..
            } => given(op),
            _ => false,
        };
        let mut starts = statements(function).filter(|(_, stmt)| made(stmt));
        let since = starts.next()?.0;
        let mut lives = FxHashSet::default();
        let mut todo: Vec<At> = vec![since];
        todo.extend(starts.map(|(at, _)| at));
        for at in &mut todo {
            at.1 += 1;
        }
        while let Some((b, mut i)) = todo.pop() {
            let Some(block) = function.blocks.get(b) else {
                continue;
            };
            let mut ended = false;
            while i <= block.stmts.len() {
                if !lives.insert((b, i)) {
                    ended = true;
                    break;
                }
                let Some(stmt) = block.stmts.get(i) else {
                    break;
                };
                if ends(stmt) {
                    ended = true;
                    break;
                }
                i += 1;
            }
            if !ended {
                successors(&block.term, |next| todo.push((next, 0)));
            }
        }
        Some(Self {
            local,
            of: of.clone(),
            name: name.clone(),
            since,
            lives,
        })
    }

    fn lives_at(&self, at: At) -> bool {
        self.lives.contains(&at)
    }

    /// A statement asks what it guards.
    fn asked_by(&self, function: &Function, stmt: &Statement) -> bool {
        let through = |place: PlaceId| {
            let place = &function.places[place];
            matches!(place.base, Base::Local(l) if l.0 == self.local)
                && place.proj.contains(&Proj::Deref)
        };
        let mut asks = false;
        crate::cfg::visit_reads(stmt, |place| asks |= through(place));
        asks
    }
}

fn statements(function: &Function) -> impl Iterator<Item = (At, &Statement)> {
    let blocks = function.blocks.iter().enumerate();
    blocks.flat_map(|(b, block)| {
        let stmts = block.stmts.iter().enumerate();
        stmts.map(move |(i, stmt)| ((b, i), stmt))
    })
}

fn statement_at(function: &Function, at: Span) -> Option<At> {
    statements(function)
        .map(|(place, _)| place)
        .find(|place| span(function, *place) == at)
}

fn span(function: &Function, at: At) -> Span {
    let span = function.map.stmts.get(at.0).and_then(|s| s.get(at.1));
    span.copied().unwrap_or(function.map.name)
}

fn local(function: &Function, place: PlaceId) -> Option<u32> {
    let place = &function.places[place];
    match (&place.base, &place.proj[..]) {
        (Base::Local(l), []) => Some(l.0),
        _ => None,
    }
}

/// The local that an operand is, or is a part of.
fn used(function: &Function, op: &Operand) -> Option<u32> {
    let (Operand::Copy(place) | Operand::Move(place)) = op else {
        return None;
    };
    let place = &function.places[*place];
    match &place.base {
        Base::Local(l) if !place.proj.contains(&Proj::Deref) => Some(l.0),
        _ => None,
    }
}
