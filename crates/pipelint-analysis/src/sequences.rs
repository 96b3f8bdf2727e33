//! What two methods do to one object, one called after the other: the first leaves an operation under way,
//! the second starts it anew, closes its handle, or frees its memory.
//!
//! Nobody need be seen to make both calls. A method that takes its object's own lock is made to be called
//! at any time, so its callers cannot know whether anything is pending; and an object may be closed, or end,
//! whenever its user likes. Between the two calls nobody else is taken to run: what the first left in the
//! fields, the second finds there. The object is what the fields lead to as well; of a function that is given a
//! pointer to a structure first, it is that. A wait on a condition variable may be one for the completion: what is
//! closed before it is closed while the operation is under way. A method that asks code out of sight, or waits
//! by means that no model describes, is left out.

use pipelint_ir::{
    Base, BinOp, Callee, Const, FunctionKind, Language, LocalId, Name, Operand, PlaceId, Reference,
    Rvalue, Statement, Type,
};
use pipelint_models::{LockCall, LockDoes};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::Wanted;
use crate::completion::takes_no_time;
use crate::dispatch::Dispatch;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::io_fault::{IoEnd, IoFault};
use crate::log::{Action, each};
use crate::pending::Pending;
use crate::pending_log::IoAction;
use crate::program::{ClassRef, FnRef, Program, Returns, Target, last, scope_of};
use crate::rust::DEPTH;
use crate::state::State;
use crate::summaries::{Order, Seen, Summaries};
use crate::summary::Summary;
use crate::values::{Loc, LocId, Sym, Val, ValId};
use crate::words::has_word;

/// Functions that one method may lead to.
const MOST_FUNCTIONS: usize = 60;
/// Ends of the first method that the second is run after.
const MOST_ENDS: usize = 8;
/// Classes of which an object is made up, at most.
const MOST_PARTS: usize = 16;
/// How far classes that keep others which keep operations are followed.
const MOST_LEVELS: usize = 4;
/// Classes between one that starts operations and one that derives from it.
const MOST_BASES: usize = 4;

/// Which functions need a summary though nobody in sight calls them: methods of classes whose objects keep
/// operations, in a part of theirs as well, and functions that are given such an object first.
pub(crate) fn wanted(program: &Program<'_>, all: &[FnRef]) -> Vec<bool> {
    let starting = all.par_iter().filter(|f| starts(program, **f));
    let mut keepers: FxHashSet<ClassRef> =
        starting.filter_map(|f| object_of(program, *f)).collect();
    if keepers.is_empty() {
        return vec![false; all.len()];
    }
    let name_of = |class: &ClassRef| last(&program.class_at(*class).name);
    let mut names: FxHashSet<&str> = keepers.iter().map(name_of).collect();
    let classes = || {
        let units = program.units.iter().enumerate();
        units.flat_map(|(u, unit)| (0..unit.classes.len()).map(move |c| (u, c)))
    };
    let is_keeper = |names: &FxHashSet<&str>, name: &Name| names.contains(last(name));
    for _ in 0..MOST_BASES {
        let derived = |class: &ClassRef| {
            let mut bases = program.class_at(*class).bases.iter();
            !keepers.contains(class) && bases.any(|base| is_keeper(&names, base))
        };
        let derived: Vec<ClassRef> = classes().filter(derived).collect();
        if derived.is_empty() {
            break;
        }
        names.extend(derived.iter().map(name_of));
        keepers.extend(derived);
    }
    // What keeps a keeper in a part, or leads to one, keeps as well.
    let mut holders: FxHashSet<ClassRef> = FxHashSet::default();
    for _ in 0..MOST_LEVELS {
        let holds = |class: &ClassRef| {
            let named = |text: &str| named_in(text).any(|name| names.contains(last(name)));
            let mut fields = program.class_at(*class).fields.iter();
            !holders.contains(class)
                && fields.any(|f| named(&f.ty.name) || f.ty.args.iter().any(|arg| named(arg)))
        };
        let found: Vec<ClassRef> = classes().filter(holds).collect();
        if found.is_empty() {
            break;
        }
        names.extend(found.iter().map(name_of));
        holders.extend(found);
    }
    let wanted = |f: &FnRef| {
        let method = program.function(*f).class.is_some();
        object_of(program, *f)
            .is_some_and(|class| keepers.contains(&class) || (method && holders.contains(&class)))
    };
    all.par_iter().map(wanted).collect()
}

/// The names in the text of a type: `Mutex<State>` names two.
fn named_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
}

/// The class of the object that a function is a method of, or, in C and where people write so elsewhere, that
/// its first parameter points to.
fn object_of(program: &Program<'_>, f: FnRef) -> Option<ClassRef> {
    let function = program.function(f);
    if let Some(class) = &function.class {
        return program.class_ref(f.0, class);
    }
    if function.kind != FunctionKind::Free || function.params == 0 {
        return None;
    }
    let ty = program.resolve(&function.locals.first()?.ty).into_owned();
    let rust = program.units[f.0].language == Language::Rust;
    let refers = rust && ty.pointers == 0 && ty.reference != Reference::None;
    let points = ty.pointers == 1 && ty.reference == Reference::None;
    let leads = ty.arrays == 0 && (points || refers);
    leads
        .then(|| program.class_ref_in(f.0, &function.name, &ty.name))
        .flatten()
}

fn starts(program: &Program<'_>, f: FnRef) -> bool {
    program.has_call(f.0, program.function(f), &|callee, target| {
        matches!(callee, Callee::Function(_))
            && matches!(target, Target::Model(model) if model.start().is_some())
    })
}

/// A method, and what calling it after another one may show.
struct Method {
    number: usize,
    f: FnRef,
    class: ClassRef,
}

/// The program, and what its functions lead to.
struct Whole<'a, 'm> {
    program: &'a Program<'m>,
    all: &'a [FnRef],
    order: &'a Order,
    summaries: &'a Summaries,
    dispatch: Dispatch,
}

/// The faults that two calls make together.
pub(crate) fn faults(
    program: &Program<'_>,
    all: &[FnRef],
    order: &Order,
    summaries: &Summaries,
    wanted: &[bool],
) -> Vec<Event> {
    if !wanted.contains(&true) {
        return Vec::new();
    }
    let whole = Whole {
        program,
        all,
        order,
        summaries,
        dispatch: Dispatch::new(program),
    };
    let methods = (0..all.len()).filter(|i| wanted[*i]).filter_map(|i| {
        let (f, function) = (all[i], program.function(all[i]));
        let class = object_of(program, f)?;
        (function.kind != FunctionKind::Constructor).then_some(Method {
            number: i,
            f,
            class,
        })
    });
    let methods: Vec<Method> = methods.filter(|m| whole.is_clear(m)).collect();
    let leaves_pending = |m: &&Method| whole.is_offered(m) && whole.begins(m);
    let first: Vec<&Method> = methods.iter().filter(leaves_pending).collect();
    let found = first.par_iter().map(|one| {
        let ends = |m: &&Method| {
            m.class == one.class
                && match m.f == one.f {
                    true => whole.is_method(m) && whole.takes_own_lock(m),
                    // What an object of Rust's holds ends with it, whatever code runs before.
                    false if whole.is_end(m) && whole.is_rust(m) => true,
                    false => {
                        let summary = summaries.get(m.number);
                        // When an object of a class within another ends, the outer class decides, and
                        // when one ends whose destructor is private, the methods that delete it.
                        let ends = whole.is_end(m) && !whole.is_inner(m) && !whole.is_private(m);
                        summary.is_some_and(releases) && (whole.is_offered(m) || ends)
                    }
                }
        };
        let mut partners: Vec<&Method> = methods.iter().filter(ends).collect();
        // What a destructor does by a method that is told is told there.
        partners.sort_by_key(|m| whole.is_end(m));
        whole.run(one, &partners)
    });
    let found: Vec<Vec<Event>> = found.collect();
    found.into_iter().flatten().collect()
}

impl Whole<'_, '_> {
    /// Runs the one, and each of the others after it.
    fn run(&self, one: &Method, partners: &[&Method]) -> Vec<Event> {
        if partners.is_empty() {
            return Vec::new();
        }
        let partly = self.partly(one, partners);
        let wanted = Wanted {
            faults: true,
            summary: false,
            ends: false,
        };
        let mut exec = Exec::new(self.program, self.seen(&partly), one.f, wanted);
        exec.alone = true;
        if !exec.run() {
            return Vec::new();
        }
        let mut after = std::mem::take(&mut exec.left);
        after.retain(|state| !under_way(&exec, state).is_empty());
        after.truncate(MOST_ENDS);
        if after.is_empty() {
            return Vec::new();
        }
        for state in &mut after {
            let arena = &exec.arena;
            let is_local = |loc: LocId| matches!(arena.get_loc(arena.root(loc)), Loc::Local(_));
            state.env.retain(|loc, _| !is_local(loc));
            state.loops.retain(|_, _| false);
        }
        exec.found.finish();
        let mut events = Vec::new();
        let mut told: Vec<FnRef> = Vec::new();
        let again = |m: &&Method| m.f == one.f;
        for then in partners.iter().filter(|m| !again(m)) {
            let runs_told = || self.reach(then).iter().any(|f| told.contains(f));
            if self.is_end(then) && runs_told() {
                continue;
            }
            self.closes(&mut exec, &after, then);
            let found = told_of(&mut exec);
            if !found.is_empty() {
                told.push(then.f);
            }
            events.extend(found);
        }
        if partners.iter().any(again) {
            exec.span = exec.function.map.name;
            exec.run_from(after);
            events.extend(told_of(&mut exec));
        }
        events
    }

    fn seen<'s>(&'s self, partly: &'s Summaries) -> Seen<'s> {
        Seen {
            all: self.summaries,
            order: self.order,
            of: usize::MAX,
            partly: Some(partly),
        }
    }

    /// What the functions that a method leads to leave under way on some of their paths, where all that they do
    /// is too much for a summary: a path that is shown needs no others. And all that destructors do which nobody
    /// in sight runs, where the object of one of the others ends with all its parts.
    fn partly(&self, one: &Method, others: &[&Method]) -> Summaries {
        let program = self.program;
        let partly = Summaries::new(self.all.len());
        let reached = |m: &Method| self.reach(m).into_iter().map(|f| program.number(f));
        let starting: FxHashSet<usize> = reached(one).collect();
        let mut ending: FxHashSet<usize> = FxHashSet::default();
        for then in others.iter().filter(|m| self.is_end(m) && self.is_rust(m)) {
            for class in parts(program, then.class) {
                let ty = Type::named(program.class_at(class).name.clone());
                let destructors = program.destructors(class.0, scope_of(&ty.name), &ty);
                for f in destructors {
                    let number = program.number(f);
                    ending.extend(reached(&Method { number, f, class }));
                }
            }
        }
        let missing = |i: &usize| {
            (starting.contains(i) || ending.contains(i)) && self.summaries.get(*i).is_none()
        };
        for &i in self.order.levels.iter().flatten().filter(|i| missing(i)) {
            let f = self.all[i];
            let starts = |g: &FnRef| starts(program, *g);
            let called = Method {
                number: i,
                f,
                class: one.class,
            };
            let leads = || self.reach(&called).iter().any(starts);
            let run = |brief| {
                let wanted = Wanted {
                    faults: false,
                    summary: true,
                    ends: true,
                };
                let mut exec = Exec::new(program, self.seen(&partly), f, wanted);
                exec.brief = brief;
                exec.run().then(|| exec.summary()).flatten()
            };
            let whole = || ending.contains(&i).then(|| run(false)).flatten();
            let brief = || (i != one.number && leads()).then(|| run(true)).flatten();
            let summary = whole().or_else(brief);
            partly.insert(i, summary);
        }
        partly
    }

    /// Calls another method on what the first one left: a handle that it closes or memory that it frees, and
    /// nobody waits.
    fn closes(&self, exec: &mut Exec<'_, '_>, after: &[State], then: &Method) {
        let function = self.program.function(then.f);
        let object = object(exec);
        let method = function.class.is_some();
        let args = match (method, exec.arena.get_loc(object)) {
            (true, _) => Vec::new(),
            (false, Loc::Deref(v)) => vec![*v],
            (false, _) => vec![exec.arena.val(Val::Ptr(object))],
        };
        let counted = self.counts(then);
        exec.closing = true;
        exec.told_in = Some(then.f);
        for state in after {
            let before: Vec<(LocId, Option<ValId>)> = under_way(exec, state)
                .into_iter()
                .map(|loc| (loc, state.pending.get(loc).and_then(|p| p.last_asked)))
                .collect();
            exec.span = function.map.name;
            let receiver = method.then_some(object);
            let mut ends = Vec::new();
            if self.is_end(then) && self.is_rust(then) {
                let ty = Type::named(self.program.class_at(then.class).name.clone());
                exec.whole_ends = true;
                exec.end_typed(state.clone(), object, &ty, DEPTH, &mut ends);
                exec.whole_ends = false;
            } else {
                exec.apply_given(&mut state.clone(), then.f, &args, receiver, &mut ends);
            }
            exec.span = function.map.name;
            for end in ends {
                for (loc, asked) in &before {
                    let Some(p) = end.pending.get(*loc) else {
                        continue;
                    };
                    if p.ended.is_some() {
                        if !counted && self.is_freed_under_way(exec, then, p, *asked) {
                            exec.tell_freed_after(&end, *loc);
                        }
                        continue;
                    }
                    // Where a port tells of the completion, the memory is freed when it has told.
                    if method && !counted && p.closed.is_some() && p.event.is_some() {
                        exec.tell_closed_after(&end, *loc);
                    }
                }
            }
        }
        exec.closing = false;
        exec.told_in = None;
    }

    /// The method frees the memory of an operation that it does not know to be over. One that does neither
    /// cancel it nor close anything may be called when it has completed, and so may one that asks how it went;
    /// where a port or a routine tells, every method may be what they run.
    fn is_freed_under_way(
        &self,
        exec: &Exec<'_, '_>,
        then: &Method,
        p: &Pending,
        asked: Option<ValId>,
    ) -> bool {
        let by_event = p
            .event
            .is_some_and(|v| matches!(exec.arena.get(v), Val::Sym(_)));
        // A function of a module may be the one that is called then, whatever it closes.
        let closes = p.closed.is_some() && self.program.function(then.f).class.is_some();
        let ends = p.cancel.is_some() || closes || self.is_end(then);
        by_event && !p.routine && ends && (p.polled || p.last_asked == asked)
    }

    /// It counts something down: whether it frees at all may be decided by how many others there are.
    fn counts(&self, m: &Method) -> bool {
        let program = self.program;
        self.reach(m).iter().any(|&f| {
            let function = program.function(f);
            let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
            stmts.any(|stmt| match stmt {
                Statement::Call { callee, args, .. } => {
                    let target = program.target(f.0, function, callee, args.len());
                    matches!(target, Target::Model(model) if model.lowers_count)
                }
                Statement::Assign {
                    value: Rvalue::Binary(BinOp::Sub, Operand::Copy(of), Operand::Const(one)),
                    ..
                } => *one == Const::Int(1) && !function.places[*of].proj.is_empty(),
                _ => false,
            })
        })
    }

    /// It starts an operation, or leads to what does.
    fn begins(&self, m: &Method) -> bool {
        let mut reached = self.reach(m).into_iter();
        reached.any(|f| starts(self.program, f))
    }

    fn is_method(&self, m: &Method) -> bool {
        self.program.function(m.f).kind == FunctionKind::Method
    }

    /// A method that everybody may call, or a function that other files can name. What is private, and no
    /// method of the class calls, is there for its friends.
    fn is_offered(&self, m: &Method) -> bool {
        let function = self.program.function(m.f);
        if function.class.is_none() {
            return !function.internal && !function.private;
        }
        if self.is_rust(m) {
            return self.is_method(m) && !function.private;
        }
        let mut declared = self.program.class_at(m.class).methods.iter();
        let declared = declared.find(|d| d.name == function.name);
        let of_class = |f: &FnRef| self.program.function(*f).class == function.class;
        let own_calls = || {
            let calls = self.order.calls.iter().zip(self.all);
            let mut own = calls.filter(|(_, f)| of_class(f));
            own.any(|(calls, _)| calls.contains(&m.number))
        };
        self.is_method(m) && declared.is_some_and(|d| !d.is_private || !own_calls())
    }

    fn is_rust(&self, m: &Method) -> bool {
        self.program.units[m.f.0].language == Language::Rust
    }

    fn is_end(&self, m: &Method) -> bool {
        self.program.function(m.f).kind == FunctionKind::Destructor
    }

    fn is_private(&self, m: &Method) -> bool {
        let name = &self.program.function(m.f).name;
        let mut declared = self.program.class_at(m.class).methods.iter();
        declared.any(|d| d.name == *name && d.is_private)
    }

    /// Its class is declared within another class.
    fn is_inner(&self, m: &Method) -> bool {
        let name = &self.program.class_at(m.class).name;
        self.program.class_ref(m.class.0, scope_of(name)).is_some()
    }

    /// All that the method leads to is in sight or modelled, or takes no time and tells nothing of operations.
    fn is_clear(&self, m: &Method) -> bool {
        let mut clear = true;
        self.within(m, &mut |f, _, callee, has_result| {
            clear &= takes_lock(self.program, callee)
                || asserts(callee)
                || self.waits_to_be_woken(f, callee)
                || (takes_no_time(callee) && !(has_result && may_tell(callee)));
        }) && clear
    }

    /// The method takes a lock of its object's, before or after other things.
    fn takes_own_lock(&self, m: &Method) -> bool {
        let mut takes = false;
        self.within(m, &mut |_, own, callee, _| {
            takes |= own && takes_lock(self.program, callee)
        });
        takes
    }

    /// Calls of locks, and of code that is neither in sight nor modelled, from the method on, with the calling
    /// function and whether it is one of the object's own, or of a part of it. False where there is too much to look at.
    fn within(&self, m: &Method, see: &mut dyn FnMut(FnRef, bool, &Callee, bool)) -> bool {
        let program = self.program;
        let parts = parts(program, m.class);
        let reached = self.reach(m);
        let asks: FxHashSet<&Name> = reached.iter().flat_map(|f| self.predicates(*f)).collect();
        for &f in &reached {
            let function = program.function(f);
            if function.kind == FunctionKind::Lambda && asks.contains(&function.name) {
                // What a wait is for is asked by the wait.
                continue;
            }
            let class = function.class.as_deref();
            let class = class.and_then(|class| program.class_ref(f.0, class));
            let own = class.is_some_and(|class| parts.contains(&class));
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let Statement::Call {
                    dst, callee, args, ..
                } = stmt
                else {
                    continue;
                };
                let unknown = || {
                    program.target(f.0, function, callee, args.len()) == Target::Unknown
                        && program.returns(Target::Unknown, callee) != Returns::Never
                        && self
                            .dispatch
                            .bodies(program, f, callee, args.len())
                            .is_empty()
                };
                if takes_lock(program, callee) || unknown() {
                    let plain = |place| matches!(function.places[place].base, Base::Local(_));
                    let made = matches!(callee, Callee::Constructor(_)) && dst.is_some_and(plain);
                    see(f, own, callee, dst.is_some() && !made);
                }
            }
        }
        reached.len() <= MOST_FUNCTIONS
    }

    fn waits_to_be_woken(&self, f: FnRef, callee: &Callee) -> bool {
        self.program
            .waits_to_be_woken(f.0, self.program.function(f), callee)
    }

    /// The lambdas that a function gives to a wait on a condition variable.
    fn predicates(&self, f: FnRef) -> Vec<&Name> {
        let function = self.program.function(f);
        let stmts = || function.blocks.iter().flat_map(|b| &b.stmts);
        let given = |place: PlaceId| {
            stmts().any(|stmt| match stmt {
                Statement::Call { callee, args, .. } => {
                    let has = |arg: &Operand| {
                        matches!(arg, Operand::Copy(of) | Operand::Move(of) if *of == place)
                    };
                    args.iter().any(has) && self.waits_to_be_woken(f, callee)
                }
                _ => false,
            })
        };
        let made = stmts().filter_map(|stmt| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Closure(name, _),
            } => given(*dst).then_some(name),
            _ => None,
        });
        made.collect()
    }

    /// The method and what it leads to, the bodies of virtual methods among them; one more than is looked at
    /// where there is too much.
    fn reach(&self, m: &Method) -> Vec<FnRef> {
        let mut known: FxHashSet<usize> = FxHashSet::default();
        let mut reached = Vec::new();
        let mut todo = vec![m.number];
        while let Some(i) = todo.pop() {
            if reached.len() > MOST_FUNCTIONS || !known.insert(i) {
                continue;
            }
            let f = self.all[i];
            // What never gives control back is the end of a path that nobody goes on with.
            if i != m.number && self.program.returns.get(&f) == Some(&Returns::Never) {
                continue;
            }
            reached.push(f);
            todo.extend(&self.order.calls[i]);
            let blocks = self.program.function(f).blocks.iter();
            for stmt in blocks.flat_map(|b| &b.stmts) {
                if let Statement::Call { callee, args, .. } = stmt {
                    let bodies = self.dispatch.bodies(self.program, f, callee, args.len());
                    todo.extend(bodies.into_iter().map(|g| self.program.number(g)));
                }
            }
        }
        reached
    }
}

/// The class, and those whose objects its objects keep or lead to (`d->mutex`, `Arc<Shared>`).
fn parts(program: &Program<'_>, class: ClassRef) -> Vec<ClassRef> {
    let mut parts = vec![class];
    let mut at = 0;
    while at < parts.len() && parts.len() < MOST_PARTS {
        let (unit, scope) = (parts[at].0, program.class_at(parts[at]));
        at += 1;
        for field in &scope.fields {
            let named = std::iter::once(&*field.ty.name);
            for name in named.chain(field.ty.args.iter().flat_map(|arg| named_in(arg))) {
                if let Some(part) = program.class_ref(unit, name)
                    && !parts.contains(&part)
                {
                    parts.push(part);
                }
            }
        }
    }
    parts
}

/// What of two methods called one after the other is told.
fn told_of(exec: &mut Exec<'_, '_>) -> Vec<Event> {
    let mut events = exec.found.finish();
    events.retain(|event| {
        matches!(
            event.kind,
            EventKind::Io(
                IoFault::Reused { .. }
                    | IoFault::ClosedWhilePending { .. }
                    | IoFault::NotWaited {
                        end: IoEnd::Freed(..),
                        ..
                    }
                    | IoFault::Outlived {
                        end: IoEnd::Freed(..),
                        ..
                    }
            )
        )
    });
    events
}

/// Takes in what two methods make together. Memory that a method frees, whatever is under way there, is told
/// where it does so: once for all that may have started it, and not again of its callers.
pub(crate) fn take_in(events: &mut Vec<Event>, found: Vec<Event>) {
    let freed = |event: &Event| match &event.kind {
        EventKind::Io(fault) => fault.freed_at(),
        _ => None,
    };
    let mut told: Vec<Event> = Vec::new();
    for mut event in found {
        let EventKind::Io(IoFault::Outlived { started, .. }) = &event.kind else {
            told.push(event);
            continue;
        };
        let Some(at) = freed(&event) else {
            told.push(event);
            continue;
        };
        let start = PathStep {
            span: event.at,
            what: StepKind::Started(started.clone()),
        };
        event.at = at;
        match told
            .iter_mut()
            .find(|known| known.at == at && freed(known) == Some(at))
        {
            Some(known) => known.others.push(start),
            None => told.push(event),
        }
    }
    let here: FxHashSet<Span> = told
        .iter()
        .filter(|event| freed(event) == Some(event.at))
        .map(|event| event.at)
        .collect();
    events.retain(|event| freed(event).is_none_or(|at| !here.contains(&at)));
    events.extend(told);
}

/// The object that the function being run is a method of.
fn object(exec: &mut Exec<'_, '_>) -> LocId {
    if exec.function.class.is_some() {
        return exec.arena.loc(Loc::SelfObj);
    }
    let loc = exec.arena.loc(Loc::Local(LocalId(0)));
    let v = exec.arena.sym(Sym::Load { loc, epoch: 0 });
    exec.arena.loc(Loc::Deref(v))
}

/// Operations of the object, or of what its fields lead to, that are surely under way.
pub(crate) fn under_way(exec: &Exec<'_, '_>, state: &State) -> Vec<LocId> {
    let pending = state.pending.iter();
    let own = pending.filter(|(loc, p)| {
        p.surely
            && p.started.is_some()
            && p.cancel.is_none()
            && p.ended.is_none()
            && exec.is_of_object(*loc)
    });
    own.map(|(loc, _)| loc).collect()
}

/// It closes or frees something.
fn releases(summary: &Summary) -> bool {
    let mut found = false;
    for end in &summary.ends {
        each(&end.steps, &mut |action| {
            let ends = |io: &IoAction| matches!(io, IoAction::Ended(..));
            found |= match action {
                Action::Release { .. } => true,
                Action::Io(io) => ends(io),
                _ => false,
            };
        });
    }
    found
}

/// What code out of sight answers may tell of operations, unless it is a question to a container or to what
/// holds another value.
fn may_tell(callee: &Callee) -> bool {
    const PLAIN: &[&str] = &[
        "empty",
        "is_empty",
        "isEmpty",
        "size",
        "len",
        "length",
        "capacity",
        "data",
        "constData",
        "c_str",
        "begin",
        "end",
        "front",
        "back",
        "insert",
        "get",
        "as_ptr",
        "as_mut_ptr",
        "is_some",
        "is_none",
        "is_ok",
        "is_err",
        "unwrap",
        // Of what they are asked alone.
        "into",
        "kind",
        "min",
        "max",
    ];
    match callee {
        // A text, a number or a handle knows of nothing but itself.
        Callee::Method { ty: Some(ty), .. } if is_plain_library(&ty.name) => false,
        Callee::Method { name, .. } => !PLAIN.contains(&name.as_str()),
        Callee::Function(name) => {
            let name = name.trim_start_matches("::");
            let of = name.split("::").next().unwrap_or(name);
            !(matches!(of, "std" | "core" | "alloc") || name != of && is_plain_name(of))
        }
        _ => false,
    }
}

/// A type of Rust's standard library that holds values, and neither waits nor is shared by threads.
fn is_plain_library(name: &str) -> bool {
    const PARTS: &[&str] = &["sync", "thread", "process", "net", "task", "future", "cell"];
    let counted = matches!(
        name,
        "std::sync::Arc" | "std::sync::Weak" | "std::rc::Rc" | "std::rc::Weak"
    );
    match name.split_once("::") {
        None => is_plain_name(name),
        Some((library, _)) => {
            counted
                || matches!(library, "std" | "core" | "alloc")
                    && !name.split("::").any(|part| PARTS.contains(&part))
        }
    }
}

/// A type that needs no path: a number, or one of the prelude.
fn is_plain_name(name: &str) -> bool {
    crate::memory::is_primitive(name)
        || matches!(
            name,
            "Vec" | "String" | "Option" | "Result" | "Box" | "str" | "bool" | "char"
        )
        || name
            .strip_prefix(['u', 'i'])
            .is_some_and(|width| matches!(width, "8" | "16" | "32" | "64" | "128" | "size"))
}

/// An assertion of the program's own: it ends the run or does nothing.
fn asserts(callee: &Callee) -> bool {
    matches!(callee, Callee::Function(name) if has_word(last(name), &["assert"]))
}

/// Takes a lock and holds it.
fn takes_lock(program: &Program<'_>, callee: &Callee) -> bool {
    let models = program.models;
    let taken_by = |name: &Name, calls: &[LockCall]| {
        let mut calls = calls.iter().filter(|call| call.does == LockDoes::Lock);
        calls.any(|call| call.names.iter().any(|n| n == name.as_str()))
    };
    match callee {
        Callee::Constructor(ty) => models.guard(&ty.name).is_some(),
        Callee::Function(name) => models.locks().any(|(_, lock)| taken_by(name, &lock.calls)),
        // Which lock it is need not be known, where the name says that it is one.
        Callee::Method { name, ty, .. } => {
            let of = ty.as_ref().map(|ty| &*ty.name);
            let known = |lock: &str| of.is_some_and(|of| of == lock || last(of) == lock);
            let named = has_word(name, &["lock", "acquire", "enter"]);
            let mut locks = models.locks().filter(|(lock, _)| named || known(lock));
            name == "lock" || locks.any(|(_, lock)| taken_by(name, &lock.methods))
        }
        _ => false,
    }
}
