//! Objects that a function puts where other threads find them, with a lock held, and that it uses after the lock
//! was given back: by then another thread may have taken the lock, taken the object out and ended it.
//!
//! Shown are both sides. Here the object is put into a container or a field under the lock, the hold ends on the
//! same path, and the pointer is followed afterwards. There, in code that may run at that moment, an object is
//! ended that comes out of the same container, with the same lock held (`ended_elsewhere`).

use pipelint_ir::{
    Base, Callee, Function, Language, Mark, Name, Operand, Place, PlaceId, Proj, Reference, Rvalue,
    Statement, Terminator, Type,
};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::contexts::place_of;
use crate::ended_elsewhere::{Ending, Endings};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::handed_over::Signals;
use crate::held::HeldAt;
use crate::lock_contexts::NOBODY;
use crate::lock_ends::LockKey;
use crate::object_keys::ObjectKey;
use crate::pointer_members::PointerMembers;
use crate::pointer_origin::{At, Body, filled, whole};
use crate::program::{ClassRef, FnRef, Target, last, successors};
use crate::started::reaches;
use crate::threads::{CALLERS, RootId, words};
use crate::told_types::Told;
use crate::unguarded::Shared;
use crate::words::has_word;

/// An object is used after the lock was given back under which it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedUse {
    /// The variable.
    pub variable: Name,
    /// The lock.
    pub lock: Name,
    /// What it was put into.
    pub container: Name,
    /// The function that ends such objects, and where.
    pub other: (Name, Span),
    /// How the two come to run at the same time, in words.
    pub runs: String,
}

/// A pointer is put into what others see, with a lock held.
pub(crate) struct Publication {
    pub(crate) f: usize,
    pub(crate) at: At,
    /// The variable, and those that hold the same pointer.
    local: u32,
    pub(crate) aliases: FxHashSet<u32>,
    pub(crate) class: ClassRef,
    pub(crate) container: ObjectKey,
    pub(crate) lock: LockKey,
    taken: Span,
}

/// The pointer is followed behind the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    span: Span,
    pub(crate) at: At,
    /// The statement that gives the lock back.
    pub(crate) released: At,
}

impl Shared<'_, '_> {
    /// Tells of each object once, at the first use.
    pub(crate) fn published(&self) -> Vec<Event> {
        let functions = self.held.functions();
        let raw: Vec<Publication> = functions
            .par_iter()
            .flat_map_iter(|&f| self.publications(f))
            .collect();
        if raw.is_empty() {
            return Vec::new();
        }
        let members = PointerMembers::new(self.program, self.all);
        let endings = Endings::new(self, &members);
        let signals = Signals::new(self.program, self.all, self.contexts, &self.threads.calls);
        let mut told: FxHashSet<(usize, u32)> = FxHashSet::default();
        let mut events = Vec::new();
        for mut published in raw {
            let body = Body::new(self.program, self.all[published.f]);
            if told.contains(&(published.f, published.local)) {
                continue;
            }
            let Some(own) = self.held.of(published.f) else {
                continue;
            };
            let uses = uses(&body, own, &published);
            if uses.is_empty() || keeps_a_reference(&body, &published) {
                continue;
            }
            // Where the container was reached through a getter.
            let Some(key) = self.container_at(&body.told, &published, &members) else {
                continue;
            };
            published.container = key;
            published.lock = members.lock(&published.lock);
            let found = uses.iter().find_map(|used| {
                let (ending, root) =
                    self.ended_meanwhile(&body, &published, used, &endings, &signals)?;
                Some(self.published_event(&body, &published, used, &ending, root))
            });
            if let Some(event) = found {
                told.insert((published.f, published.local));
                events.push(event);
            }
        }
        events
    }

    /// What a function puts where others see it, with a lock surely held that it has taken itself.
    fn publications(&self, f: usize) -> Vec<Publication> {
        let mut found = Vec::new();
        let at = self.all[f];
        let Some(held) = self.held.of(f) else {
            return found;
        };
        if self.program.units[at.0].language == Language::Rust {
            return found;
        }
        let mut told: Option<Told<'_, '_>> = None;
        let function = self.program.function(at);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Some(here) = held.at((b, i)) else {
                    continue;
                };
                let locks = here.locks.iter();
                let mut locks = locks.filter(|l| l.seen && !l.shared && !l.own).peekable();
                if locks.peek().is_none() {
                    continue;
                }
                let Some(put) = put_into(function, stmt) else {
                    continue;
                };
                let told = told.get_or_insert_with(|| Told::new(self.program, at));
                let mut pointers = Vec::new();
                for op in put.what {
                    pointers_in(told, op, &mut pointers);
                }
                // A function is given the object's part and the list's alike: the object was made here.
                if matches!(
                    stmt,
                    Statement::Call {
                        callee: Callee::Function(_),
                        ..
                    }
                ) {
                    pointers.retain(|l| matches!(told.def(*l), Some(Statement::Call { .. })));
                }
                for lock in locks {
                    for &local in &pointers {
                        let Some(class) = pointee(told, local) else {
                            continue;
                        };
                        let aliases = aliases(told, local);
                        let own = put
                            .into
                            .iter()
                            .all(|place| is_own(told, &function.places[*place], &aliases));
                        if own {
                            continue;
                        }
                        found.push(Publication {
                            f,
                            at: (b, i),
                            local,
                            aliases,
                            class,
                            container: ObjectKey::Local(f, local),
                            lock: lock.key.clone(),
                            taken: lock.taken,
                        });
                    }
                }
            }
        }
        found
    }

    /// The name of the container that a statement fills.
    fn container_at(
        &self,
        told: &Told<'_, '_>,
        published: &Publication,
        members: &PointerMembers,
    ) -> Option<ObjectKey> {
        let block = told.function.blocks.get(published.at.0)?;
        let put = put_into(told.function, block.stmts.get(published.at.1)?)?;
        let places = put.into.iter().map(|place| &told.function.places[*place]);
        let mut others = places.filter(|place| !is_own(told, place, &published.aliases));
        others.find_map(|place| members.object(told, &place.base, &place.proj))
    }

    /// What may end the object while it is used, and on which of the two's roots.
    fn ended_meanwhile(
        &self,
        body: &Body<'_, '_>,
        published: &Publication,
        used: &Use,
        endings: &Endings<'_, '_, '_>,
        signals: &Signals<'_, '_>,
    ) -> Option<(Ending, RootId)> {
        let f = published.f;
        for (n, way) in self.contexts.of(f).iter().enumerate() {
            if way.alone || way.root == NOBODY {
                continue;
            }
            let here = self.contexts.held_in(self.held, f, n, used.at);
            let holds = |key: &LockKey| {
                here.doubtful
                    || here
                        .locks
                        .iter()
                        .any(|l| endings.members.lock(&l.key) == *key)
            };
            if holds(&published.lock) {
                continue;
            }
            let beside = |ending: &Ending| {
                let (g, other) = (ending.f, ending.root(self));
                let (a, b) = (way.root, other);
                (a, b) != (CALLERS, CALLERS)
                    && self.threads.at_once((a, self.all[f]), (b, self.all[g]))
                    && (a != CALLERS || self.threads.runs_beside(b, f, used.at))
                    && (b != CALLERS || self.threads.runs_beside(a, g, ending.at))
                    && !ending.locks.iter().any(holds)
                    && !signals.order(((f, used.at), n), ((g, ending.at), ending.context), true)
            };
            let found = endings.of(published, body, used, &beside);
            if let Some(ending) = found {
                let root = match way.root {
                    CALLERS => ending.root(self),
                    root => root,
                };
                return Some((ending, root));
            }
        }
        None
    }

    fn published_event(
        &self,
        body: &Body<'_, '_>,
        published: &Publication,
        used: &Use,
        ending: &Ending,
        root: RootId,
    ) -> Event {
        let function = body.told.function;
        let span = |at: At| span_at(function, at);
        let local = function.locals.get(published.local as usize);
        let variable = local.map(|l| l.name.clone()).unwrap_or_default();
        let container = match &published.container {
            ObjectKey::Field(_, name) | ObjectKey::Global(_, name) => Name::new(last(name)),
            ObjectKey::Local(..) => Name::default(),
        };
        let lock = Name::new(last(&published.lock.1));
        let step = |span, what| PathStep { span, what };
        let root = self.threads.root(root);
        let runs = root.start.as_ref().map(|s| words(&s.how));
        let mut others = vec![step(ending.span, StepKind::Closed(ending.api.clone()))];
        others.extend(
            root.at()
                .map(|at| step(at, StepKind::RunBeside(root.api()))),
        );
        Event {
            kind: EventKind::PublishedUse(PublishedUse {
                variable: variable.clone(),
                lock: lock.clone(),
                container: container.clone(),
                other: (
                    self.program.function(self.all[ending.f]).name.clone(),
                    ending.span,
                ),
                runs: runs.unwrap_or_default(),
            }),
            at: used.span,
            function: function.name.clone(),
            resource: None,
            path: vec![
                step(published.taken, StepKind::Locked(lock.clone())),
                step(span(published.at), StepKind::Kept(container)),
                step(span(used.released), StepKind::Unlocked(lock)),
                step(used.span, StepKind::Read(variable)),
            ],
            others,
        }
    }
}

pub(crate) fn span_at(function: &Function, at: At) -> Span {
    let span = function.map.stmts.get(at.0).and_then(|s| s.get(at.1));
    let term = || function.map.terms.get(at.0).copied();
    span.copied().or_else(term).unwrap_or(function.map.name)
}

/// What a statement puts where.
struct Put<'s> {
    what: Vec<&'s Operand>,
    /// The container, among what else it may be.
    into: Vec<PlaceId>,
}

/// A statement puts something into a container or a field.
fn put_into<'s>(function: &Function, stmt: &'s Statement) -> Option<Put<'s>> {
    const WORDS: &[&str] = &[
        "push", "insert", "append", "prepend", "emplace", "enqueue", "add", "put", "assign",
    ];
    match stmt {
        Statement::Call {
            callee: Callee::Method { receiver, name, .. },
            args,
            ..
        } if has_word(last(name), WORDS) => Some(Put {
            what: args.iter().collect(),
            into: vec![*receiver],
        }),
        // `list_add(&node->link, &list)`
        Statement::Call {
            callee: Callee::Function(name),
            args,
            ..
        } if has_word(last(name), WORDS) && args.len() > 1 => Some(Put {
            what: args.iter().collect(),
            into: args.iter().filter_map(place_of).collect(),
        }),
        Statement::Assign {
            dst,
            value: Rvalue::Use(op) | Rvalue::Cast(_, op),
        } if !function.places[*dst].proj.is_empty()
            || matches!(function.places[*dst].base, Base::Global(_)) =>
        {
            Some(Put {
                what: vec![op],
                into: vec![*dst],
            })
        }
        _ => None,
    }
}

/// The variables that hold pointers among what is put: as they are, in a pair, or by the address of a part.
fn pointers_in(told: &Told<'_, '_>, op: &Operand, found: &mut Vec<u32>) {
    let Some(local) = place_of(op).and_then(|place| whole(told.function, place)) else {
        return;
    };
    let local_of = |place: PlaceId| {
        let place = &told.function.places[place];
        match (&place.base, &place.proj[..]) {
            (Base::Local(l), [] | [Proj::Deref, Proj::Field(_), ..]) => Some(l.0),
            _ => None,
        }
    };
    let parts: Vec<u32> = match told.def(local) {
        Some(Statement::Assign {
            value: Rvalue::Aggregate(parts),
            ..
        }) => {
            let parts = parts.iter().filter_map(|(_, op)| place_of(op));
            parts.filter_map(|p| whole(told.function, p)).collect()
        }
        Some(Statement::Call {
            callee: Callee::Function(name),
            args,
            ..
        }) if last(name) == "make_pair" => {
            let parts = args.iter().filter_map(place_of);
            parts.filter_map(|p| whole(told.function, p)).collect()
        }
        Some(Statement::Assign {
            value: Rvalue::Ref(of),
            ..
        }) => local_of(*of).into_iter().collect(),
        _ => vec![local],
    };
    for part in parts {
        if !found.contains(&part) {
            found.push(part);
        }
    }
}

/// The class of what a variable points to, raw.
fn pointee(told: &Told<'_, '_>, local: u32) -> Option<ClassRef> {
    let declared = told.function.locals.get(local as usize)?;
    if declared.name.is_empty() {
        return None;
    }
    let ty = told.type_behind(&Base::Local(pipelint_ir::LocalId(local)), &[])?;
    class_behind(told, &ty)
}

/// The class that a raw pointer's type names.
pub(crate) fn class_behind(told: &Told<'_, '_>, ty: &Type) -> Option<ClassRef> {
    let resolved = told.program.resolve(ty);
    if resolved.pointers != 1 || resolved.reference != Reference::None || resolved.arrays > 0 {
        return None;
    }
    let scope = &told.function.name;
    told.program.class_ref_in(told.f.0, scope, &resolved.name)
}

/// The variables that surely hold the same pointer.
fn aliases(told: &Told<'_, '_>, local: u32) -> FxHashSet<u32> {
    let mut found = FxHashSet::from_iter([local]);
    let copied = |l: u32| match told.def(l)? {
        Statement::Assign {
            value: Rvalue::Use(op) | Rvalue::Cast(_, op),
            ..
        } => whole(told.function, place_of(op)?),
        _ => None,
    };
    let mut from = local;
    for _ in 0..4 {
        match copied(from) {
            // Both are set once.
            Some(l) if told.def(l).is_some() || l < told.function.params => {
                found.insert(l);
                from = l;
            }
            _ => break,
        }
    }
    for _ in 0..2 {
        for l in 0..told.function.locals.len() {
            let l = u32::try_from(l).unwrap_or(u32::MAX);
            if copied(l).is_some_and(|of| found.contains(&of)) {
                found.insert(l);
            }
        }
    }
    found
}

/// The place is a part of a variable of the function's own, or of an object that nobody else knows.
fn is_own(told: &Told<'_, '_>, place: &Place, aliases: &FxHashSet<u32>) -> bool {
    let Base::Local(l) = place.base else {
        return false;
    };
    if aliases.contains(&l.0) {
        return true;
    }
    let made = told.def(l.0).is_some_and(|stmt| match stmt {
        Statement::Call { callee, .. } => match callee {
            Callee::New(_) => true,
            Callee::Function(name) => has_word(
                last(name),
                &["alloc", "malloc", "calloc", "new", "create", "make"],
            ),
            _ => false,
        },
        // The address of a part of the object itself.
        Statement::Assign {
            value: Rvalue::Ref(of),
            ..
        } => {
            let of = &told.function.places[*of];
            let through = of.proj.contains(&Proj::Deref);
            matches!(of.base, Base::Local(of) if aliases.contains(&of.0) || !through)
        }
        _ => false,
    });
    let local = told.function.locals.get(l.0 as usize);
    let refers = local.is_none_or(|l| {
        l.ty.reference != Reference::None || l.ty.pointers > 0 || l.name.is_empty()
    });
    made || !(refers || place.proj.contains(&Proj::Deref))
}

/// Where the pointer is followed after the hold in which it was published.
fn uses(body: &Body<'_, '_>, held: &HeldAt, published: &Publication) -> Vec<Use> {
    let function = body.told.function;
    let holds = |at: At| {
        let here = held.at(at);
        here.is_some_and(|here| here.locks.iter().any(|l| l.key == published.lock))
    };
    let mut found = Vec::new();
    let mut seen: FxHashSet<(usize, bool)> = FxHashSet::default();
    let mut todo: Vec<(At, Option<At>)> = vec![((published.at.0, published.at.1 + 1), None)];
    while let Some(((b, first), released)) = todo.pop() {
        let Some(block) = function.blocks.get(b) else {
            continue;
        };
        if first == 0 && !seen.insert((b, released.is_some())) {
            continue;
        }
        let mut released = released;
        let mut over = false;
        for i in first..=block.stmts.len() {
            let at = (b, i);
            match released {
                None if !holds(at) => {
                    // Only a statement gives it back: where ways meet, others come without it.
                    if i == 0 {
                        over = true;
                        break;
                    }
                    released = Some((b, i - 1));
                }
                // Under the lock again, the code knows what it does.
                Some(_) if holds(at) => {
                    over = true;
                    break;
                }
                _ => {}
            }
            let stmt = block.stmts.get(i);
            if let Some(released) = released {
                let follows = match stmt {
                    Some(stmt) => follows(body, stmt, &published.aliases),
                    None => term_follows(function, &block.term, &published.aliases),
                };
                if follows {
                    found.push(Use {
                        span: span_at(function, at),
                        at,
                        released,
                    });
                }
            }
            if stmt.is_some_and(|stmt| ends_the_look(function, stmt, published)) {
                over = true;
                break;
            }
        }
        if !over {
            successors(&block.term, |next| todo.push(((next, 0), released)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The variable holds something else from here on, or the object was taken out again.
fn ends_the_look(function: &Function, stmt: &Statement, published: &Publication) -> bool {
    let ours = |local: u32| published.aliases.contains(&local);
    match stmt {
        Statement::Opaque { .. } => true,
        Statement::Mark(Mark::Dead(l) | Mark::Live(l)) => l.0 == published.local,
        Statement::Drop { place, kind } => {
            *kind == pipelint_ir::DropKind::Delete
                && matches!(function.places[*place].base, Base::Local(l) if ours(l.0))
        }
        Statement::Call { callee, args, .. } => {
            let takes = match callee {
                Callee::Function(name) | Callee::Method { name, .. } => takes_out(name),
                _ => false,
            };
            let given = args.iter().any(|op| {
                place_of(op)
                    .and_then(|p| whole(function, p))
                    .is_some_and(ours)
            });
            (takes && given) || filled(function, stmt).is_some_and(ours)
        }
        _ => filled(function, stmt).is_some_and(|l| l == published.local),
    }
}

/// A name of what takes something out of a container.
pub(crate) fn takes_out(name: &str) -> bool {
    has_word(
        last(name),
        &[
            "erase",
            "remove",
            "pop",
            "take",
            "clear",
            "dequeue",
            "del",
            "delete",
            "unlink",
            "extract",
            "detach",
            "unregister",
            "free",
            "drain",
            "swap",
        ],
    )
}

/// A statement follows the pointer itself.
fn follows(body: &Body<'_, '_>, stmt: &Statement, aliases: &FxHashSet<u32>) -> bool {
    let function = body.told.function;
    let mut found = false;
    let mut look = |place: PlaceId| {
        let place = &function.places[place];
        found |= matches!(place.base, Base::Local(l) if aliases.contains(&l.0))
            && place.proj.first() == Some(&Proj::Deref);
    };
    match stmt {
        Statement::Assign { dst, value } => {
            look(*dst);
            // An address is no access.
            if !matches!(value, Rvalue::Ref(_)) {
                crate::cfg::visit_reads(stmt, &mut look);
            }
        }
        Statement::Call {
            dst, callee, args, ..
        } => {
            dst.iter().for_each(|dst| look(*dst));
            if let Callee::Method { receiver, .. } = callee {
                look(*receiver);
            }
            args.iter().filter_map(place_of).for_each(&mut look);
            found |= follows_in_callee(body, callee, args, aliases);
        }
        _ => {}
    }
    found
}

/// A function of the program is given the pointer, follows it, and takes no lock.
fn follows_in_callee(
    body: &Body<'_, '_>,
    callee: &Callee,
    args: &[Operand],
    aliases: &FxHashSet<u32>,
) -> bool {
    let told = &body.told;
    let given = args.iter().position(|op| {
        let local = place_of(op).and_then(|p| whole(told.function, p));
        local.is_some_and(|l| aliases.contains(&l))
    });
    let Some(n) = given else { return false };
    let target = told
        .program
        .target(told.f.0, told.function, callee, args.len());
    let Target::Defined(g) = target else {
        return false;
    };
    let callee = told.program.function(g);
    if n >= callee.params as usize || crate::lock_types::may_lock(told.program, g.0, callee) {
        return false;
    }
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    let mut found = false;
    // On each way: what it does first.
    if let Some(block) = callee.blocks.first() {
        for stmt in &block.stmts {
            crate::cfg::visit_reads(stmt, &mut |place| {
                let place = &callee.places[place];
                found |= matches!(place.base, Base::Local(l) if l.0 == n)
                    && place.proj.first() == Some(&Proj::Deref);
            });
        }
    }
    found
}

fn term_follows(function: &Function, term: &Terminator, aliases: &FxHashSet<u32>) -> bool {
    let mut found = false;
    crate::cfg::visit_term_reads(term, &mut |place| {
        let place = &function.places[place];
        found |= matches!(place.base, Base::Local(l) if aliases.contains(&l.0))
            && place.proj.first() == Some(&Proj::Deref);
    });
    found
}

/// The function has a count or an owner of its own for the object.
fn keeps_a_reference(body: &Body<'_, '_>, published: &Publication) -> bool {
    const WORDS: &[&str] = &[
        "ref", "addref", "retain", "hold", "grab", "acquire", "pin", "incref", "keep", "inc",
    ];
    const COUNTS: &[&str] = &[
        "ref", "refs", "refcount", "refcnt", "rc", "users", "count", "pins", "nref", "busy",
        "usage",
    ];
    let function = body.told.function;
    let ours = |place: PlaceId| match function.places[place].base {
        Base::Local(l) => published.aliases.contains(&l.0),
        _ => false,
    };
    let given = |op: &Operand| {
        place_of(op).is_some_and(|place| {
            let address = |l: u32| match body.told.def(l) {
                Some(Statement::Assign {
                    value: Rvalue::Ref(of),
                    ..
                }) => ours(*of),
                _ => false,
            };
            ours(place) || whole(function, place).is_some_and(address)
        })
    };
    let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.into_iter().any(|stmt| match stmt {
        Statement::Call { callee, args, .. } => match callee {
            Callee::Method { receiver, name, .. } => ours(*receiver) && has_word(last(name), WORDS),
            Callee::Function(name) => has_word(last(name), WORDS) && args.iter().any(given),
            Callee::Constructor(ty) => {
                let name = last(&ty.name);
                (has_word(name, &["ptr", "refptr", "ref", "pointer"]) || name.ends_with("Ptr"))
                    && args.iter().any(given)
            }
            _ => false,
        },
        Statement::Assign { dst, .. } => {
            let field = function.places[*dst].proj.last();
            ours(*dst) && matches!(field, Some(Proj::Field(name)) if has_word(name, COUNTS))
        }
        _ => false,
    })
}

/// The pointer is given to others at a statement, other than by what publishes it.
pub(crate) fn is_given(function: &Function, stmt: &Statement, published: &Publication) -> bool {
    let ours = |op: &Operand| {
        let local = place_of(op).and_then(|p| whole(function, p));
        local.is_some_and(|l| published.aliases.contains(&l))
    };
    match stmt {
        Statement::Call { args, .. } => args.iter().any(ours),
        Statement::Assign {
            dst,
            value: Rvalue::Use(op) | Rvalue::Cast(_, op),
        } => ours(op) && whole(function, *dst).is_none(),
        _ => false,
    }
}

/// A statement that gives the pointer away may run before, or after, another one.
pub(crate) fn given_around(
    body: &Body<'_, '_>,
    published: &Publication,
    at: At,
    before: bool,
) -> bool {
    let function = body.told.function;
    let blocks = function.blocks.iter().enumerate();
    let mut all = blocks.flat_map(|(b, block)| {
        let stmts = block.stmts.iter().enumerate();
        stmts.map(move |(i, stmt)| ((b, i), stmt))
    });
    all.any(|(here, stmt)| {
        here != published.at
            && is_given(function, stmt, published)
            && match before {
                true => reaches(function, here, at),
                false => here == at || reaches(function, at, here),
            }
    })
}

/// The object that a variable points to tells others of itself while it is made, or by a method before a place.
pub(crate) fn tells_of_itself(body: &Body<'_, '_>, published: &Publication, before: At) -> bool {
    let told = &body.told;
    let function = told.function;
    let blocks = function.blocks.iter().enumerate();
    let mut all = blocks.flat_map(|(b, block)| {
        let stmts = block.stmts.iter().enumerate();
        stmts.map(move |(i, stmt)| ((b, i), stmt))
    });
    all.any(|(at, stmt)| {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        let ours = match callee {
            Callee::New(_) => {
                filled(function, stmt).is_some_and(|l| published.aliases.contains(&l))
            }
            Callee::Method { receiver, .. } => {
                let place = &function.places[*receiver];
                place.proj == [Proj::Deref]
                    && matches!(place.base, Base::Local(l) if published.aliases.contains(&l.0))
            }
            _ => false,
        };
        ours && reaches(function, at, before)
            && match told.program.target(told.f.0, function, callee, args.len()) {
                Target::Defined(g) => gives_itself(told, g, 0),
                _ => false,
            }
    })
}

/// A method gives others a pointer to its object.
fn gives_itself(told: &Told<'_, '_>, f: FnRef, depth: u32) -> bool {
    let program = told.program;
    let function = program.function(f);
    let own = Told::new(program, f);
    let is_self = |place: PlaceId| {
        let at = &function.places[place];
        match (&at.base, &at.proj[..]) {
            (Base::SelfObj, []) => true,
            (Base::Local(l), []) => match own.def(l.0) {
                Some(Statement::Assign {
                    value: Rvalue::Ref(of),
                    ..
                }) => {
                    let of = &function.places[*of];
                    of.base == Base::SelfObj && of.proj.is_empty()
                }
                _ => false,
            },
            _ => false,
        }
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Call { callee, args, .. } => {
            args.iter().filter_map(place_of).any(is_self)
                || depth < 2
                    && match program.target(f.0, function, callee, args.len()) {
                        Target::Defined(g) => {
                            g != f
                                && program.function(g).class == function.class
                                && gives_itself(told, g, depth + 1)
                        }
                        _ => false,
                    }
        }
        _ => false,
    })
}
