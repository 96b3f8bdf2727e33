//! Which code ends objects that come out of a container, with the lock held under which others put them there.
//!
//! The state of an object, a signal or a flag may tell that nobody uses it any more: where one decides whether it
//! is ended, nothing is said. An object that comes by a message, and not out of the container, is ended on its
//! account only where it is taken out of the container as well, and where somebody can have known it by then.

use pipelint_ir::{
    Base, Callee, DropKind, Name, Operand, PlaceId, Proj, Rvalue, Statement, Terminator,
};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::contexts::place_of;
use crate::lock_contexts::NOBODY;
use crate::lock_ends::LockKey;
use crate::object_keys::ObjectKey;
use crate::pointer_members::PointerMembers;
use crate::pointer_origin::{At, Body, Frame, Origin, Origins, whole};
use crate::program::{Target, last};
use crate::published::{
    Publication, Use, class_behind, given_around, span_at, takes_out, tells_of_itself,
};
use crate::started::reaches;
use crate::threads::RootId;
use crate::unguarded::Shared;

/// A place that ends an object on the heap.
struct Place {
    f: usize,
    at: At,
    base: Base,
    steps: Vec<Proj>,
    api: Name,
}

/// An object is ended in one of the ways to come there.
pub(crate) struct Ending {
    pub(crate) f: usize,
    pub(crate) context: usize,
    pub(crate) at: At,
    pub(crate) span: Span,
    pub(crate) api: Name,
    /// What is held there.
    pub(crate) locks: Vec<LockKey>,
}

impl Ending {
    pub(crate) fn root(&self, shared: &Shared<'_, '_>) -> RootId {
        let way = shared.contexts.of(self.f).get(self.context);
        way.map_or(NOBODY, |way| way.root)
    }
}

/// All places of a program that end objects.
pub(crate) struct Endings<'a, 'p, 'm> {
    shared: &'a Shared<'p, 'm>,
    pub(crate) members: &'a PointerMembers,
    places: Vec<Place>,
}

impl<'a, 'p, 'm> Endings<'a, 'p, 'm> {
    pub(crate) fn new(shared: &'a Shared<'p, 'm>, members: &'a PointerMembers) -> Self {
        let mut places = Vec::new();
        for (f, &at) in shared.all.iter().enumerate() {
            let ways = shared.contexts.of(f).iter();
            if !ways.clone().any(|way| !way.alone && way.root != NOBODY) {
                continue;
            }
            let function = shared.program.function(at);
            for (b, block) in function.blocks.iter().enumerate() {
                for (i, stmt) in block.stmts.iter().enumerate() {
                    let ended = match stmt {
                        Statement::Drop {
                            place,
                            kind: DropKind::Delete,
                        } => {
                            let place = &function.places[*place];
                            match place.proj.split_last() {
                                Some((Proj::Deref, steps)) => {
                                    Some((place.base.clone(), steps.to_vec(), "delete".into()))
                                }
                                _ => None,
                            }
                        }
                        Statement::Call {
                            callee: callee @ Callee::Function(name),
                            args,
                            ..
                        } => match shared.program.target(at.0, function, callee, args.len()) {
                            Target::Model(model) => {
                                let memory = |kind: &str| {
                                    let kind = shared.program.models.resource(kind);
                                    kind.is_some_and(|kind| kind.memory)
                                };
                                let mut frees = model.releases.iter();
                                let freed = frees
                                    .find(|r| !r.by_pointer && !r.on_success && memory(&r.kind));
                                let place = freed.and_then(|r| place_of(args.get(r.arg)?));
                                place.map(|place| {
                                    let place = &function.places[place];
                                    (place.base.clone(), place.proj.clone(), name.clone())
                                })
                            }
                            _ => None,
                        },
                        _ => None,
                    };
                    if let Some((base, steps, api)) = ended {
                        places.push(Place {
                            f,
                            at: (b, i),
                            base,
                            steps,
                            api,
                        });
                    }
                }
            }
        }
        Self {
            shared,
            members,
            places,
        }
    }

    /// What may end a published object while it is used.
    pub(crate) fn of(
        &self,
        published: &Publication,
        body: &Body<'_, '_>,
        used: &Use,
        beside: &dyn Fn(&Ending) -> bool,
    ) -> Option<Ending> {
        let shared = self.shared;
        let origins = Origins {
            program: shared.program,
            all: shared.all,
            contexts: shared.contexts,
            members: self.members,
            container: &published.container,
        };
        for place in &self.places {
            for (context, way) in shared.contexts.of(place.f).iter().enumerate() {
                if way.alone || way.root == NOBODY {
                    continue;
                }
                let held = self.held(place.f, context, place.at);
                let ending = Ending {
                    f: place.f,
                    context,
                    at: place.at,
                    span: span_at(shared.program.function(shared.all[place.f]), place.at),
                    api: place.api.clone(),
                    locks: held,
                };
                let under_lock = ending.locks.contains(&published.lock);
                if !(under_lock || self.takes_lock(place.f, published)) || !beside(&ending) {
                    continue;
                }
                let way = (place.f, context, place.at);
                let Some((origin, frames)) = origins.trace(way, &place.base, &place.steps) else {
                    continue;
                };
                let fits = match origin {
                    Origin::Container => {
                        self.may_be_of(published, place, true)
                            && (under_lock || self.taken_out(published, &frames, false))
                    }
                    Origin::Elsewhere => {
                        self.may_be_of(published, place, false)
                            && self.taken_out(published, &frames, true)
                            && self.known_by_then(published, body, used)
                            && !given_around(body, published, used.at, false)
                    }
                    Origin::Own | Origin::Parameter(_) => false,
                };
                if fits && !self.is_settled(&frames, published, body, used) {
                    return Some(ending);
                }
            }
        }
        None
    }

    /// The locks that some path surely holds, and not only to read.
    fn held(&self, f: usize, context: usize, at: At) -> Vec<LockKey> {
        let shared = self.shared;
        let here = shared.contexts.held_in(shared.held, f, context, at);
        let sure = here.seen().filter(|lock| !lock.shared);
        sure.map(|lock| self.members.lock(&lock.key)).collect()
    }

    /// The function takes the lock itself.
    fn takes_lock(&self, f: usize, published: &Publication) -> bool {
        let held = self.shared.held.of(f);
        held.is_some_and(|held| {
            let mut takings = held.takings.iter();
            takings.any(|t| self.members.lock(&t.key) == published.lock)
        })
    }

    /// What is ended there is of the class of what was published, as far as types tell.
    fn may_be_of(&self, published: &Publication, place: &Place, unless_told: bool) -> bool {
        let body = Body::new(self.shared.program, self.shared.all[place.f]);
        let ty = body.told.type_behind(&place.base, &place.steps);
        match ty.and_then(|ty| class_behind(&body.told, &ty)) {
            Some(class) => class == published.class,
            None => unless_told,
        }
    }

    /// Something is taken out of the container on the way, with the lock held: the object itself, where that is
    /// asked for.
    fn taken_out(&self, published: &Publication, frames: &[Frame], itself: bool) -> bool {
        frames.iter().any(|frame| {
            let body = Body::new(self.shared.program, self.shared.all[frame.f]);
            let function = body.told.function;
            let blocks = function.blocks.iter().enumerate();
            let mut all = blocks.flat_map(|(b, block)| {
                let stmts = block.stmts.iter().enumerate();
                stmts.map(move |(i, stmt)| ((b, i), stmt))
            });
            all.any(|(at, stmt)| {
                self.takes(published, &body, frame, stmt, itself)
                    && (reaches(function, at, frame.at) || reaches(function, frame.at, at))
                    && self
                        .held(frame.f, frame.context, at)
                        .contains(&published.lock)
            })
        })
    }

    fn takes(
        &self,
        published: &Publication,
        body: &Body<'_, '_>,
        frame: &Frame,
        stmt: &Statement,
        itself: bool,
    ) -> bool {
        let told = &body.told;
        let key = |place: PlaceId| {
            let place = &told.function.places[place];
            self.members.object(told, &place.base, &place.proj)
        };
        let of_ours = |op: &Operand| {
            let local = place_of(op).and_then(|p| whole(told.function, p));
            local.is_some_and(|l| frame.locals.contains(&l))
        };
        // The object, or what was found by it.
        let ours = |op: &Operand| {
            of_ours(op)
                || place_of(op)
                    .and_then(|p| whole(told.function, p))
                    .and_then(|l| told.def(l))
                    .is_some_and(|def| match def {
                        Statement::Call { args, .. } => args.iter().any(of_ours),
                        _ => false,
                    })
        };
        match stmt {
            Statement::Call {
                callee: Callee::Method { receiver, name, .. },
                args,
                ..
            } => {
                takes_out(name)
                    && key(*receiver).as_ref() == Some(&published.container)
                    && (!itself || args.iter().any(ours))
            }
            // A list in C: its head, or the link that led to the object, is led on.
            Statement::Assign { dst, value } if !itself => {
                let at = &told.function.places[*dst];
                let linked = match value {
                    Rvalue::Use(op) => place_of(op).is_some_and(|p| {
                        let place = &told.function.places[p];
                        matches!(place.base, Base::Local(l) if frame.locals.contains(&l.0))
                            && !place.proj.is_empty()
                    }),
                    _ => false,
                };
                let head = self.members.object(told, &at.base, &at.proj);
                linked && !at.proj.is_empty()
                    || !at.proj.is_empty() && head.as_ref() == Some(&published.container)
            }
            _ => false,
        }
    }

    /// Others can have known the object when the lock was given back: it was handed to them before, or it has told
    /// them of itself.
    fn known_by_then(&self, published: &Publication, body: &Body<'_, '_>, used: &Use) -> bool {
        given_around(body, published, used.released, true)
            || tells_of_itself(body, published, used.released)
    }

    /// The object's state, or a flag that the user sets when it is done, decides whether it is ended.
    fn is_settled(
        &self,
        frames: &[Frame],
        published: &Publication,
        body: &Body<'_, '_>,
        used: &Use,
    ) -> bool {
        let set = self.set_after(body, used);
        frames.iter().any(|frame| {
            let there = Body::new(self.shared.program, self.shared.all[frame.f]);
            if frame.depends_on_state(&there) {
                return true;
            }
            let asked = self.asked_before(&there, frame);
            asked
                .iter()
                .any(|key| *key != published.container && set.contains(key))
        })
    }

    /// What the user writes to behind its use.
    fn set_after(&self, body: &Body<'_, '_>, used: &Use) -> FxHashSet<ObjectKey> {
        const SETS: [&str; 6] = [
            "store",
            "set",
            "exchange",
            "fetch_sub",
            "fetch_add",
            "reset",
        ];
        let function = body.told.function;
        let mut found = FxHashSet::default();
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let place = match stmt {
                    Statement::Assign { dst, .. } => *dst,
                    Statement::Call {
                        callee: Callee::Method { receiver, name, .. },
                        ..
                    } if SETS.contains(&last(name)) || name.starts_with("operator") => *receiver,
                    _ => continue,
                };
                if (b, i) != used.at && reaches(function, used.at, (b, i)) {
                    let place = &function.places[place];
                    found.extend(self.members.object(&body.told, &place.base, &place.proj));
                }
            }
        }
        found
    }

    /// What is asked on the way to an ending.
    fn asked_before(&self, body: &Body<'_, '_>, frame: &Frame) -> FxHashSet<ObjectKey> {
        let told = &body.told;
        let function = told.function;
        let mut found = FxHashSet::default();
        for (b, block) in function.blocks.iter().enumerate() {
            let Terminator::Branch { cond, .. } = &block.term else {
                continue;
            };
            if !reaches(function, (b, block.stmts.len()), frame.at) {
                continue;
            }
            for op in [&cond.lhs, &cond.rhs] {
                let Some(place) = place_of(op) else { continue };
                let mut places = vec![place];
                if let Some(l) = whole(function, place)
                    && let Some(def) = told.def(l)
                {
                    crate::cfg::visit_reads(def, &mut |place| places.push(place));
                    if let Statement::Call {
                        callee: Callee::Method { receiver, .. },
                        ..
                    } = def
                    {
                        places.push(*receiver);
                    }
                }
                for place in places {
                    let place = &function.places[place];
                    found.extend(self.members.object(told, &place.base, &place.proj));
                }
            }
        }
        found
    }
}
