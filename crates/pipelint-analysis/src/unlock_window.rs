//! What is learnt under a lock, and acted on after the lock was given back and taken again: in between others may
//! have changed what was learnt.
//!
//! A value is stale where it was read of a guarded object in one hold of a lock, and is used in another hold to
//! change the very thing that it tells about. Where that thing is asked again in the second hold, by the same
//! question, the code knows. What was taken out of the object (`take`, `swap`, `pop`) is the code's own.

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, Language, Name, Operand, PlaceId, Proj, Rvalue, Statement,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::held::{HeldAt, HeldLocks};
use crate::holders::leads_to_guarded;
use crate::lock_ends::LockKey;
use crate::program::{FnRef, Program, Target, last};
use crate::started::reaches;
use crate::words::has_word;

/// A decision is made under a lock, and acted on under another hold of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockWindow {
    /// What was asked: a field, or a method.
    pub asked: Name,
    /// What is changed.
    pub changed: Name,
    /// The variable that holds the answer; empty for none.
    pub variable: Name,
    /// The lock.
    pub lock: Name,
    /// A function that takes the lock and changes what was asked, and where it does.
    pub other: (Name, Span),
}

/// A statement by its block and number.
pub(crate) type At = (usize, usize);

/// How deep methods are followed for the fields that they read.
const DEEPEST: u32 = 3;

/// A question to a guarded object.
#[derive(Debug, Clone)]
struct Question {
    /// The method, or the field.
    by: Name,
    /// The fields that the answer tells about.
    of: FxHashSet<Name>,
    at: At,
    /// Where the lock was taken.
    hold: Span,
}

/// Tells of each window once, at the act.
pub(crate) fn windows(program: &Program<'_>, all: &[FnRef], held: &HeldLocks) -> Vec<Event> {
    let mut events = Vec::new();
    for f in held.functions() {
        let Some(own) = held.of(f) else { continue };
        for (key, name) in own.taken_again() {
            let looker = Looker {
                program,
                f: all[f],
                function: program.function(all[f]),
                held: Some(own),
                key: &key,
                rust: program.units[all[f].0].language == Language::Rust,
            };
            let Some(window) = looker.window() else {
                continue;
            };
            let Some(other) = changed_elsewhere(program, all, held, f, &key, &window.changed)
            else {
                continue;
            };
            events.push(looker.event(window, name, other));
        }
    }
    events
}

/// What one function does to what one lock guards.
pub(crate) struct Looker<'a, 'm> {
    pub(crate) program: &'a Program<'m>,
    pub(crate) f: FnRef,
    pub(crate) function: &'a Function,
    /// None of a function that holds nothing.
    pub(crate) held: Option<&'a HeldAt>,
    pub(crate) key: &'a LockKey,
    pub(crate) rust: bool,
}

/// What was found in one function.
struct Window {
    question: Question,
    variable: Name,
    changed: Name,
    act: At,
    /// Where the lock was taken again.
    again: Span,
}

impl<'m> Looker<'_, 'm> {
    fn window(&self) -> Option<Window> {
        let mut questions: Vec<Question> = Vec::new();
        // What locals hold that answers lead to: the questions, by their numbers.
        let mut told: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        let defined = self.defined();
        for (at, stmt) in self.statements() {
            if let Some(hold) = self.hold(at)
                && let Some((local, by, of)) = self.asks(stmt)
                && defined.get(&local) == Some(&1)
            {
                told.entry(local).or_default().push(questions.len());
                questions.push(Question { by, of, at, hold });
            }
        }
        if questions.is_empty() {
            return None;
        }
        for _ in 0..4 {
            for (_, stmt) in self.statements() {
                let Some((local, from)) = self.derived(stmt) else {
                    continue;
                };
                if defined.get(&local) != Some(&1) {
                    continue;
                }
                let from: Vec<usize> = from
                    .iter()
                    .filter_map(|l| told.get(l))
                    .flatten()
                    .copied()
                    .collect();
                let known = told.entry(local).or_default();
                known.extend(from);
                known.sort_unstable();
                known.dedup();
            }
        }
        for (at, stmt) in self.statements() {
            let Some(again) = self.hold(at) else { continue };
            let Some((changed, with)) = self.acts(at, stmt) else {
                continue;
            };
            for local in with {
                let asked = told
                    .get(&local)
                    .into_iter()
                    .flatten()
                    .map(|q| &questions[*q]);
                let mut stale = asked.filter(|question| {
                    question.hold != again
                        && question.of.contains(&changed)
                        && reaches(self.function, question.at, at)
                        && !self.asked_again(question, again, at)
                });
                if let Some(question) = stale.next() {
                    return Some(Window {
                        question: question.clone(),
                        variable: self.name_of(local),
                        changed,
                        act: at,
                        again,
                    });
                }
            }
        }
        None
    }

    fn statements(&self) -> impl Iterator<Item = (At, &Statement)> {
        let blocks = self.function.blocks.iter().enumerate();
        blocks.flat_map(|(b, block)| {
            let stmts = block.stmts.iter().enumerate();
            stmts.map(move |(i, stmt)| ((b, i), stmt))
        })
    }

    /// Where the lock was taken that is held at a statement.
    pub(crate) fn hold(&self, at: At) -> Option<Span> {
        let held = self.held?.at(at)?;
        let lock = held.locks.iter().find(|l| l.key == *self.key)?;
        (!lock.doubtful && !lock.shared).then_some(lock.taken)
    }

    /// How often each local is set, to what is no constant.
    fn defined(&self) -> FxHashMap<u32, u32> {
        let mut found = FxHashMap::default();
        let constant = |stmt: &Statement| {
            let value = match stmt {
                Statement::Assign { value, .. } => value,
                _ => return false,
            };
            matches!(value, Rvalue::Use(Operand::Const(_)))
        };
        for (_, stmt) in self.statements().filter(|(_, stmt)| !constant(stmt)) {
            if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt
                && let Some(local) = self.local(*dst)
            {
                *found.entry(local).or_default() += 1;
            }
        }
        found
    }

    fn local(&self, place: PlaceId) -> Option<u32> {
        let place = &self.function.places[place];
        match (&place.base, &place.proj[..]) {
            (Base::Local(l), []) => Some(l.0),
            _ => None,
        }
    }

    fn name_of(&self, local: u32) -> Name {
        let local = self.function.locals.get(local as usize);
        local.map(|l| l.name.clone()).unwrap_or_default()
    }

    /// The field of the guarded object that a place is, or is a part of; none with the object itself.
    fn field(&self, place: PlaceId) -> Option<Option<Name>> {
        let place = &self.function.places[place];
        let steps = match place.base {
            Base::SelfObj if !self.rust => &place.proj[..],
            Base::Local(l) => {
                let ty = &self.function.locals.get(l.0 as usize)?.ty;
                let own = |ty: &pipelint_ir::Type| {
                    let name = &self.program.resolve(ty).name;
                    let scope = &self.function.name;
                    self.program.class_ref_in(self.f.0, scope, name) == self.key.0
                };
                match (&place.proj[..], self.rust) {
                    // A guard of the program's own is around another one.
                    (
                        [Proj::Deref, steps @ ..] | [Proj::Field(_), Proj::Deref, steps @ ..],
                        true,
                    ) if leads_to_guarded(self.program, self.f.0, ty) => steps,
                    ([Proj::Deref, steps @ ..], false) if self.key.0.is_some() && own(ty) => steps,
                    _ => return None,
                }
            }
            _ => return None,
        };
        match steps {
            [] => Some(None),
            // A part behind a pointer is another object.
            [Proj::Field(name), rest @ ..] if !rest.contains(&Proj::Deref) => {
                Some(Some(name.clone()))
            }
            _ => None,
        }
    }

    /// A statement puts into a local what the guarded object tells.
    pub(crate) fn asks(&self, stmt: &Statement) -> Option<(u32, Name, FxHashSet<Name>)> {
        match stmt {
            Statement::Call {
                dst: Some(dst),
                callee: Callee::Method { receiver, name, .. },
                args,
                ..
            } => {
                let local = self.local(*dst)?;
                if takes_out(name) {
                    return None;
                }
                let of = match self.field(*receiver)? {
                    Some(field) => FxHashSet::from_iter([field]),
                    None => self.read_by(stmt, args.len())?,
                };
                Some((local, name.clone(), of))
            }
            Statement::Call {
                dst: Some(dst),
                callee: Callee::Function(name),
                args,
                ..
            } if !self.rust && !takes_out(name) => {
                let local = self.local(*dst)?;
                Some((
                    local,
                    Name::new(last(name)),
                    self.read_by(stmt, args.len())?,
                ))
            }
            Statement::Assign { dst, value } => {
                let local = self.local(*dst)?;
                let fields = operands(value)
                    .into_iter()
                    .filter_map(|op| match op {
                        Operand::Copy(place) => self.field(*place)?,
                        _ => None,
                    })
                    .collect::<Vec<_>>();
                let first = fields.first()?.clone();
                Some((local, first, fields.into_iter().collect()))
            }
            _ => None,
        }
    }

    /// The fields that a method of the guarded object reads.
    fn read_by(&self, stmt: &Statement, args: usize) -> Option<FxHashSet<Name>> {
        let Statement::Call { callee, .. } = stmt else {
            return None;
        };
        let target = self.program.target(self.f.0, self.function, callee, args);
        let Target::Defined(g) = target else {
            return None;
        };
        let method = self.program.function(g).kind == FunctionKind::Method;
        let mut read = FxHashSet::default();
        fields_read(self.program, g, 0, &mut read);
        (method && !read.is_empty()).then_some(read)
    }

    /// A local is made of others.
    pub(crate) fn derived(&self, stmt: &Statement) -> Option<(u32, Vec<u32>)> {
        let (dst, from) = match stmt {
            Statement::Assign { dst, value } => (dst, operands(value)),
            Statement::Call {
                dst: Some(dst),
                callee,
                args,
                ..
            } => {
                if let Callee::Method { receiver, .. } = callee
                    && self.field(*receiver).is_some()
                {
                    return None;
                }
                (dst, args.iter().collect())
            }
            _ => return None,
        };
        let local = self.local(*dst)?;
        let mut locals: Vec<u32> = from.into_iter().filter_map(|op| self.used(op)).collect();
        if let Statement::Call {
            callee: Callee::Method { receiver, .. },
            ..
        } = stmt
        {
            locals.extend(self.local(*receiver));
        }
        Some((local, locals))
    }

    fn used(&self, op: &Operand) -> Option<u32> {
        match op {
            Operand::Copy(place) | Operand::Move(place) => self.local(*place),
            Operand::Const(_) => None,
        }
    }

    /// A statement changes a field of the guarded object: the field, and the locals that it is given.
    fn acts(&self, at: At, stmt: &Statement) -> Option<(Name, Vec<u32>)> {
        match stmt {
            Statement::Call {
                callee: Callee::Method { receiver, name, .. },
                args,
                ..
            } => {
                let field = self.field(*receiver)??;
                if !puts_in(name) {
                    return None;
                }
                let mut with: Vec<u32> = args.iter().filter_map(|op| self.used(op)).collect();
                with.extend(self.within(at));
                Some((field, with))
            }
            Statement::Assign { dst, value } => {
                let field = self.field(*dst)??;
                let with = operands(value).into_iter();
                Some((field, with.filter_map(|op| self.used(op)).collect()))
            }
            _ => None,
        }
    }

    /// Locals that parts of the same expression use: an index of a slice is no argument.
    fn within(&self, at: At) -> Vec<u32> {
        let spans = &self.function.map.stmts;
        let Some(whole) = spans.get(at.0).and_then(|s| s.get(at.1)) else {
            return Vec::new();
        };
        let stmts = self.function.blocks[at.0].stmts[..at.1].iter().enumerate();
        let parts = stmts.filter(|(i, _)| {
            let part = spans.get(at.0).and_then(|s| s.get(*i));
            part.is_some_and(|part| {
                part.file == whole.file && part.start >= whole.start && part.end <= whole.end
            })
        });
        let from = parts.filter_map(|(_, stmt)| match stmt {
            Statement::Assign { value, .. } => Some(operands(value)),
            Statement::Call { args, .. } => Some(args.iter().collect()),
            _ => None,
        });
        from.flatten().filter_map(|op| self.used(op)).collect()
    }

    /// The same is asked in the hold in which the code acts, before it does.
    fn asked_again(&self, question: &Question, again: Span, act: At) -> bool {
        let plain = |place: &PlaceId| {
            let field = self.field(*place).flatten();
            field.is_some_and(|field| question.of.contains(&field))
        };
        let mut statements = self.statements();
        let asked = statements.any(|(at, stmt)| {
            at != act
                && self.hold(at) == Some(again)
                && reaches(self.function, at, act)
                && match stmt {
                    Statement::Call {
                        callee: Callee::Method { receiver, name, .. },
                        ..
                    } => {
                        last(name) == question.by.as_str()
                            && match self.field(*receiver) {
                                Some(Some(field)) => question.of.contains(&field),
                                Some(None) => true,
                                None => false,
                            }
                    }
                    Statement::Call {
                        callee: Callee::Function(name),
                        ..
                    } => last(name) == question.by.as_str(),
                    Statement::Assign { value, .. } => operands(value)
                        .into_iter()
                        .any(|op| matches!(op, Operand::Copy(place) if plain(place))),
                    _ => false,
                }
        });
        // A branch on the field itself.
        let branches = self.function.blocks.iter().enumerate().any(|(b, block)| {
            let at = (b, block.stmts.len());
            let asks = match &block.term {
                pipelint_ir::Terminator::Branch { cond, .. } => [&cond.lhs, &cond.rhs]
                    .into_iter()
                    .any(|op| matches!(op, Operand::Copy(place) if plain(place))),
                _ => false,
            };
            asks && self.hold(at) == Some(again) && reaches(self.function, at, act)
        });
        asked || branches
    }

    /// A statement changes a field of the guarded object.
    pub(crate) fn changes(&self, stmt: &Statement, field: &Name) -> bool {
        match stmt {
            Statement::Call { callee, args, .. } => {
                let object = match callee {
                    Callee::Method { receiver, name, .. } => match self.field(*receiver) {
                        Some(Some(of)) => return of == *field && alters(name),
                        Some(None) => true,
                        None => false,
                    },
                    Callee::Function(_) => !self.rust,
                    _ => false,
                };
                let target = self
                    .program
                    .target(self.f.0, self.function, callee, args.len());
                match target {
                    Target::Defined(g) if object => changes(self.program, g, field, 0),
                    _ => false,
                }
            }
            Statement::Assign { dst, .. } => self.field(*dst).flatten().as_ref() == Some(field),
            _ => false,
        }
    }

    fn event(&self, window: Window, lock: Name, other: (Name, Span)) -> Event {
        let span = |at: At| {
            let span = self.function.map.stmts.get(at.0).and_then(|s| s.get(at.1));
            span.copied().unwrap_or(self.function.map.name)
        };
        let step = |span, what| PathStep { span, what };
        let asked = window.question.by.clone();
        let path = vec![
            step(window.question.hold, StepKind::Locked(lock.clone())),
            step(span(window.question.at), StepKind::Read(asked.clone())),
            step(window.again, StepKind::Locked(lock.clone())),
            step(span(window.act), StepKind::Assigned(window.changed.clone())),
        ];
        Event {
            kind: EventKind::UnlockWindow(UnlockWindow {
                asked,
                changed: window.changed,
                variable: window.variable,
                lock,
                other,
            }),
            at: span(window.act),
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }
}

/// What is taken out of an object is the code's own.
fn takes_out(name: &str) -> bool {
    has_word(
        last(name),
        &[
            "take", "swap", "pop", "exchange", "replace", "drain", "move", "lock", "remove",
            "dequeue", "acquire", "split", "clone", "release",
        ],
    )
}

/// Methods that put something into a container, by the names that libraries give them.
fn puts_in(name: &str) -> bool {
    has_word(
        last(name),
        &[
            "push", "insert", "append", "prepend", "extend", "emplace", "enqueue", "resize", "add",
            "assign", "put", "truncate", "erase", "set", "store", "fill",
        ],
    )
}

fn operands(value: &Rvalue) -> Vec<&Operand> {
    match value {
        Rvalue::Use(op) | Rvalue::Cast(_, op) => vec![op],
        Rvalue::Binary(_, a, b) => vec![a, b],
        Rvalue::Compare(cond) => vec![&cond.lhs, &cond.rhs],
        Rvalue::Unknown(ops) => ops.iter().collect(),
        Rvalue::Aggregate(items) => items.iter().map(|(_, op)| op).collect(),
        Rvalue::Ref(_) | Rvalue::Closure(..) => Vec::new(),
    }
}

/// The fields of its object that a method reads.
fn fields_read(program: &Program<'_>, f: FnRef, depth: u32, read: &mut FxHashSet<Name>) {
    let function = program.function(f);
    let mut note = |place: PlaceId| {
        let place = &function.places[place];
        let steps = match place.base {
            Base::SelfObj => &place.proj[..],
            _ => return,
        };
        let steps = match steps {
            [Proj::Deref, steps @ ..] => steps,
            steps => steps,
        };
        if let Some(Proj::Field(name)) = steps.first() {
            read.insert(name.clone());
        }
    };
    let mut callees = Vec::new();
    for block in &function.blocks {
        for stmt in &block.stmts {
            match stmt {
                Statement::Assign { value, .. } => {
                    for op in operands(value) {
                        if let Operand::Copy(place) | Operand::Move(place) = op {
                            note(*place);
                        }
                    }
                }
                Statement::Call { callee, args, .. } => {
                    if let Callee::Method { receiver, .. } = callee {
                        note(*receiver);
                    }
                    let target = program.target(f.0, function, callee, args.len());
                    if let Target::Defined(g) = target
                        && program.function(g).class == function.class
                    {
                        callees.push(g);
                    }
                }
                _ => {}
            }
        }
        match &block.term {
            pipelint_ir::Terminator::Return(Some(Operand::Copy(place) | Operand::Move(place))) => {
                note(*place);
            }
            pipelint_ir::Terminator::Branch { cond, .. } => {
                for op in [&cond.lhs, &cond.rhs] {
                    if let Operand::Copy(place) | Operand::Move(place) = op {
                        note(*place);
                    }
                }
            }
            _ => {}
        }
    }
    for g in callees {
        if depth < DEEPEST && g != f {
            fields_read(program, g, depth + 1, read);
        }
    }
}

/// Another function takes the lock and changes the field: it may run in the window.
fn changed_elsewhere(
    program: &Program<'_>,
    all: &[FnRef],
    held: &HeldLocks,
    than: usize,
    key: &LockKey,
    field: &Name,
) -> Option<(Name, Span)> {
    let mut others = held.functions().into_iter().filter(|f| *f != than);
    others.find_map(|f| {
        let looker = Looker {
            program,
            f: all[f],
            function: program.function(all[f]),
            held: Some(held.of(f)?),
            key,
            rust: program.units[all[f].0].language == Language::Rust,
        };
        let mut statements = looker.statements();
        let ((b, i), _) = statements
            .find(|(at, stmt)| looker.hold(*at).is_some() && looker.changes(stmt, field))?;
        let span = looker.function.map.stmts.get(b).and_then(|s| s.get(i));
        Some((looker.function.name.clone(), *span?))
    })
}

/// A method changes a field of its object, itself or through other methods of it.
fn changes(program: &Program<'_>, f: FnRef, field: &Name, depth: u32) -> bool {
    let function = program.function(f);
    let own = |place: PlaceId| {
        let place = &function.places[place];
        let steps = match (&place.base, &place.proj[..]) {
            (Base::SelfObj, [Proj::Deref, steps @ ..] | steps) => steps,
            _ => return false,
        };
        matches!(steps.first(), Some(Proj::Field(name)) if name == field)
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Assign { dst, .. } => own(*dst),
        Statement::Call { callee, args, .. } => {
            let here = match callee {
                Callee::Method { receiver, name, .. } => own(*receiver) && alters(name),
                _ => false,
            };
            here || depth < DEEPEST
                && match program.target(f.0, function, callee, args.len()) {
                    Target::Defined(g) => {
                        g != f
                            && program.function(g).class == function.class
                            && changes(program, g, field, depth + 1)
                    }
                    _ => false,
                }
        }
        _ => false,
    })
}

/// Methods that change a container.
fn alters(name: &str) -> bool {
    let removes = ["pop", "take", "clear", "remove", "drain", "swap", "dequeue"];
    puts_in(name) || has_word(last(name), &removes)
}
