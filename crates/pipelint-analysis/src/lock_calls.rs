//! Which calls and which ends of objects take locks or give them back: functions and methods that the models
//! know, guards, and the locks of Rust's libraries.

use pipelint_ir::{Callee, CmpOp, FunctionKind, Name, Operand, PlaceId, Reference, Type};
use pipelint_models::{Condition, Guard, LockCall, LockDoes, LockMode, Success};

use crate::exec::Exec;
use crate::forget::KEPT;
use crate::holders::is_guard;
use crate::lockset::{Does, LockAct};
use crate::program::{Target, last};
use crate::rust::TAG;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};
use crate::words::has_word;

/// What a call does to locks.
#[derive(Debug, Clone, Default)]
pub(crate) struct LockEffect {
    acts: Vec<(LocId, LockAct)>,
    /// The locks are taken only if the result says so.
    attempt: Option<Attempt>,
    /// The guard that is made, with its locks, and the one that it is made of.
    guard: Option<(LocId, Vec<LocId>)>,
    /// The result says whether a lock was taken that is waited for.
    answer: Option<Success>,
    /// The lock that the result points to.
    yields: Option<LocId>,
}

#[derive(Debug, Clone, Copy)]
enum Attempt {
    Result(Success),
    /// Rust: a `Result` or an `Option`.
    Tagged,
    /// Rust: a `Result` that holds the guard in any case.
    Poisoned,
}

impl Exec<'_, '_> {
    /// What a call does to locks; nothing for most.
    pub(crate) fn lock_effect(
        &mut self,
        state: &mut State,
        callee: &Callee,
        args: &[Operand],
        dst: Option<PlaceId>,
    ) -> Option<LockEffect> {
        match callee {
            Callee::Function(name) if self.is_rust() && name == "std::mem::forget" => {
                let held = self.operand(state, args.first()?);
                if let Val::Ptr(at) = *self.arena.get(held)
                    && let Some(lock) = self.lock_around(at)
                {
                    let lock = self.lock_at(lock);
                    state
                        .locks
                        .change(|loc, _| loc == lock, |hold| hold.forgotten = true);
                }
                Some(LockEffect::default())
            }
            Callee::Function(name) => self.lock_function(state, name, args),
            Callee::Method { receiver, name, ty } if self.is_rust() => {
                self.rust_lock(state, *receiver, name, ty.as_deref())
            }
            Callee::Method { receiver, name, .. } => self.lock_method(state, *receiver, name),
            Callee::Constructor(ty) if !self.is_rust() => self.guard_made(state, ty, args, dst?),
            _ => None,
        }
    }

    fn lock_function(
        &mut self,
        state: &mut State,
        name: &Name,
        args: &[Operand],
    ) -> Option<LockEffect> {
        let plain = name.strip_prefix("::").unwrap_or(name);
        let models = self.program.models;
        let mut known = models
            .lock_calls(plain)
            .filter(|(lock, _)| !lock.names.is_empty());
        let fits = |exec: &mut Self, state: &mut State, call: &LockCall| {
            call.when
                .as_ref()
                .is_none_or(|when| exec.holds_for(state, when, args))
        };
        let (lock, call) = known.find(|(_, call)| fits(self, state, call))?;
        let arg = args.get(call.arg)?;
        let given = self.operand(state, arg);
        let mut loc = self.pointee(given);
        if let Operand::Copy(place) | Operand::Move(place) = arg
            && let Some(ty) = self.declared_type_of(*place)
            && ty.pointers == 0
            && ty.reference == Reference::None
            && lock.names.iter().any(|n| *n == *ty.name)
        {
            // A handle: the lock is what the variable leads to, whatever it was set to since.
            let kept = match self.arena.get(given) {
                Val::Sym(Sym::Load { loc, .. }) => *loc,
                _ => self.place(state, *place),
            };
            loc = self.handle_at(kept);
        }
        self.effect_of(call, lock.recursive, name.clone(), loc)
    }

    /// The lock whose handle stands at a location.
    pub(crate) fn handle_at(&mut self, loc: LocId) -> LocId {
        let handle = self.arena.sym(Sym::Load { loc, epoch: 0 });
        self.arena.loc(Loc::Deref(handle))
    }

    fn lock_method(
        &mut self,
        state: &mut State,
        receiver: PlaceId,
        name: &Name,
    ) -> Option<LockEffect> {
        let models = self.program.models;
        if !models.is_lock_method(last(name)) {
            return None;
        }
        let ty = self.declared_type_of(receiver)?;
        let scope = self.scope();
        if let Some(guard) = self.program.guard_named(self.unit, scope, &ty) {
            return self.guard_method(state, guard, receiver, name);
        }
        let lock = self.program.lock_named(self.unit, scope, &ty)?;
        let call = lock
            .methods
            .iter()
            .find(|m| m.names.iter().any(|n| n == last(name)))?;
        let loc = self.object_at(state, receiver, &ty);
        self.effect_of(call, lock.recursive, name.clone(), loc)
    }

    /// The object that a method is called on: through a pointer, what that leads to.
    fn object_at(&mut self, state: &mut State, receiver: PlaceId, ty: &Type) -> LocId {
        let loc = self.place(state, receiver);
        if ty.pointers == 0 {
            return loc;
        }
        let v = self.read(state, loc);
        self.pointee(v)
    }

    fn effect_of(
        &mut self,
        call: &LockCall,
        recursive: bool,
        api: Name,
        loc: LocId,
    ) -> Option<LockEffect> {
        let does = match call.does {
            LockDoes::Lock | LockDoes::TryLock => Does::Take,
            LockDoes::Unlock => Does::Give,
            LockDoes::Make => Does::Make,
            LockDoes::Wait => return Some(LockEffect::default()),
        };
        let attempt = call.success.filter(|_| call.does == LockDoes::TryLock);
        let act = LockAct {
            does,
            shared: call.mode == LockMode::Shared,
            // What is tried fails, and nobody waits.
            recursive: recursive || attempt.is_some(),
            guarded: false,
            tried: attempt.is_some(),
            api,
        };
        Some(LockEffect {
            acts: vec![(loc, act)],
            attempt: attempt.map(Attempt::Result),
            answer: call.success.filter(|_| call.does == LockDoes::Lock),
            ..LockEffect::default()
        })
    }

    fn guard_act(&self, guard: &Guard, does: Does, api: &str) -> LockAct {
        LockAct {
            does,
            shared: guard.mode == LockMode::Shared,
            recursive: false,
            guarded: true,
            tried: false,
            api: Name::new(api),
        }
    }

    /// `std::lock_guard guard(mutex);`
    fn guard_made(
        &mut self,
        state: &mut State,
        ty: &Type,
        args: &[Operand],
        dst: PlaceId,
    ) -> Option<LockEffect> {
        let guard = self.program.guard_named(self.unit, self.scope(), ty)?;
        let mut locks = Vec::new();
        let mut tag = None;
        for (i, arg) in args.iter().enumerate() {
            match arg {
                Operand::Const(pipelint_ir::Const::Named(name)) => tag = Some(name.clone()),
                _ if i == 0 || guard.all || guard.locks.contains(&i) => {
                    let (Operand::Copy(place) | Operand::Move(place)) = arg else {
                        continue;
                    };
                    let loc = self.place(state, *place);
                    let held = self.read(state, loc);
                    let of = self.declared_type_of(*place);
                    let points = of.as_ref().is_some_and(|ty| ty.pointers > 0);
                    let made_of = of.as_ref().is_some_and(|ty| {
                        self.program
                            .guard_named(self.unit, self.scope(), ty)
                            .is_some()
                    });
                    match self.arena.get(held) {
                        // Moved into this one.
                        Val::Ptr(of) if made_of => {
                            let of = *of;
                            let zero = self.arena.int(0);
                            self.write(state, loc, zero);
                            let to = self.place(state, dst);
                            return Some(LockEffect {
                                guard: Some((to, vec![of])),
                                ..LockEffect::default()
                            });
                        }
                        Val::Ptr(of) => locks.push(*of),
                        _ if points => locks.push(self.pointee(held)),
                        _ => locks.push(loc),
                    }
                    if let Some(base) = self.named_tag(*place) {
                        locks.pop();
                        tag = Some(base);
                    }
                }
                Operand::Copy(place) | Operand::Move(place) => {
                    tag = tag.or_else(|| self.named_tag(*place));
                }
                Operand::Const(_) => {}
            }
        }
        let to = self.place(state, dst);
        let says = |tags: &[String]| {
            tag.as_ref().is_some_and(|tag| {
                tags.iter()
                    .any(|t| t == tag.as_str() || last(t) == last(tag))
            })
        };
        let mut acts = Vec::new();
        let takes = !guard.deferred && !says(&guard.defer) && !says(&guard.adopt);
        // Whether it could be taken is asked of the guard.
        if takes && !says(&guard.attempt) && tag.is_none() {
            let recursive = |exec: &mut Self, loc| exec.is_recursive(loc);
            for loc in &locks {
                let mut act = self.guard_act(guard, Does::Take, &ty.name);
                act.recursive = recursive(self, *loc);
                acts.push((*loc, act));
            }
        }
        if takes && says(&guard.attempt) {
            // It may be held from here on.
            for loc in &locks {
                let mut act = self.guard_act(guard, Does::Take, &ty.name);
                (act.tried, act.recursive) = (true, true);
                let doubt = LockAct {
                    does: Does::Doubt,
                    ..act.clone()
                };
                acts.extend([(*loc, act), (*loc, doubt)]);
            }
        }
        Some(LockEffect {
            acts,
            guard: Some((to, locks)),
            ..LockEffect::default()
        })
    }

    /// `std::defer_lock` and its kin, which are objects that nobody declares here.
    fn named_tag(&self, place: PlaceId) -> Option<Name> {
        match &self.function.places[place].base {
            pipelint_ir::Base::Global(name) => {
                let guards = self.program.models.guards();
                let mut tags =
                    guards.flat_map(|(_, g)| g.defer.iter().chain(&g.adopt).chain(&g.attempt));
                tags.any(|tag| last(tag) == last(name))
                    .then(|| name.clone())
            }
            _ => None,
        }
    }

    /// A lock whose type says that the thread that holds it may take it again, or whose type is not known.
    fn is_recursive(&self, loc: LocId) -> bool {
        let ty = self.loc_type(loc);
        let lock = ty.and_then(|ty| self.program.lock_named(self.unit, self.scope(), &ty));
        lock.is_none_or(|lock| lock.recursive)
    }

    fn guard_method(
        &mut self,
        state: &mut State,
        guard: &Guard,
        receiver: PlaceId,
        name: &Name,
    ) -> Option<LockEffect> {
        let has = |names: &[String]| names.iter().any(|n| n == last(name));
        let at = self.place(state, receiver);
        let v = self.read(state, at);
        let loc = match (self.arena.get(v), self.guard_locks.get(&at)) {
            // Code out of sight that may have seen the guard does not give it another lock.
            (Val::Sym(_), Some(lock)) => *lock,
            _ => self.pointee(v),
        };
        let does = if has(&guard.unlock) {
            Does::Give
        } else if has(&guard.lock) || has(&guard.try_lock) {
            Does::Take
        } else {
            if !has(&guard.release) {
                return Some(LockEffect::default());
            }
            // Whoever is told has to give it back.
            let lock = self.lock_at(loc);
            state
                .locks
                .change(|at, _| at == lock, |hold| hold.guarded = false);
            let zero = self.arena.int(0);
            self.write(state, at, zero);
            return Some(LockEffect {
                yields: Some(loc),
                ..LockEffect::default()
            });
        };
        // It is the guard of the same lock afterwards.
        let guard_of = Some((at, vec![loc]));
        if has(&guard.try_lock) {
            // Its result is asked, or the guard: which of them is not followed.
            return Some(LockEffect {
                guard: guard_of,
                ..LockEffect::default()
            });
        }
        let mut act = self.guard_act(guard, does, name);
        act.recursive = self.is_recursive(loc);
        Some(LockEffect {
            acts: vec![(loc, act)],
            guard: guard_of,
            ..LockEffect::default()
        })
    }

    /// `mutex.lock()` in Rust.
    fn rust_lock(
        &mut self,
        state: &mut State,
        receiver: PlaceId,
        name: &Name,
        ty: Option<&Type>,
    ) -> Option<LockEffect> {
        let lock = self.program.models.lock_exactly(&ty?.name)?;
        let call = lock
            .methods
            .iter()
            .find(|m| m.names.iter().any(|n| n == last(name)))?;
        let attempt = call.does == LockDoes::TryLock;
        let gives = call.does == LockDoes::Unlock;
        let loc = self.place(state, receiver);
        let act = LockAct {
            does: if gives { Does::Give } else { Does::Take },
            shared: call.mode == LockMode::Shared,
            recursive: attempt || lock.recursive,
            guarded: !gives,
            tried: attempt,
            api: name.clone(),
        };
        Some(LockEffect {
            acts: vec![(loc, act)],
            attempt: match attempt {
                true => Some(Attempt::Tagged),
                false if gives => None,
                // Who holds it died: nobody reckons with that.
                false if lock.names.iter().any(|n| n.starts_with("std::")) => {
                    Some(Attempt::Poisoned)
                }
                false => None,
            },
            ..LockEffect::default()
        })
    }

    /// Does to the locks what the call did, on each of its ways.
    pub(crate) fn locks_after(
        &mut self,
        effect: &LockEffect,
        dst: Option<PlaceId>,
        before: usize,
        out: &mut Vec<State>,
    ) {
        let after = out.split_off(before);
        for mut state in after {
            if let Some((guard, locks)) = &effect.guard {
                if let [lock] = locks[..] {
                    self.guard_locks.insert(*guard, lock);
                }
                for (i, lock) in locks.iter().enumerate() {
                    let v = self.arena.val(Val::Ptr(*lock));
                    let at = match i {
                        0 => *guard,
                        _ => self.arena.loc(Loc::Elem(*guard, i64::try_from(i).ok())),
                    };
                    state.env.insert(at, v);
                }
            }
            if let (Some(lock), Some(dst)) = (effect.yields, dst) {
                let v = self.arena.val(Val::Ptr(lock));
                self.store_result(&mut state, Some(dst), v);
            }
            if let Some(attempt) = effect.attempt {
                for (mut state, held) in self.attempted(&state, attempt, dst) {
                    if held {
                        self.do_acts(&mut state, &effect.acts);
                    } else if matches!(attempt, Attempt::Poisoned) {
                        self.do_acts(&mut state, &effect.acts);
                        for (loc, _) in &effect.acts {
                            let lock = self.lock_at(*loc);
                            self.doubt_locks(&mut state, &|loc, _| loc == lock);
                        }
                    }
                    out.push(state);
                }
                continue;
            }
            self.do_acts(&mut state, &effect.acts);
            if let (Some(success), Some(dst)) = (effect.answer, dst) {
                let at = self.place(&mut state, dst);
                let v = self.read(&state, at);
                for (loc, _) in &effect.acts {
                    let lock = self.lock_at(*loc);
                    state
                        .locks
                        .change(|at, _| at == lock, |hold| hold.answer = Some((v, success)));
                }
            }
            out.push(state);
        }
    }

    fn do_acts(&mut self, state: &mut State, acts: &[(LocId, LockAct)]) {
        for (loc, act) in acts {
            self.lock_is(state, *loc, act);
        }
    }

    /// The ways on which an attempt took the lock or did not. Where nobody asks, it did.
    fn attempted(
        &mut self,
        state: &State,
        attempt: Attempt,
        dst: Option<PlaceId>,
    ) -> Vec<(State, bool)> {
        let Some(dst) = dst else {
            return vec![(state.clone(), matches!(attempt, Attempt::Poisoned))];
        };
        let mut ways = Vec::new();
        for held in [true, false] {
            let mut state = state.clone();
            let at = self.place(&mut state, dst);
            match attempt {
                Attempt::Tagged | Attempt::Poisoned => {
                    let tag = self.arena.loc(Loc::Field(at, TAG.into()));
                    let v = self.arena.int(i128::from(!held));
                    state.env.insert(tag, v);
                    ways.push((state, held));
                }
                Attempt::Result(success) => {
                    let v = self.read(&state, at);
                    let zero = self.arena.int(0);
                    let op = match success {
                        Success::Nonzero => CmpOp::Ne,
                        _ => CmpOp::Eq,
                    };
                    if self.assume_as(&mut state, op, v, zero, held, None) {
                        ways.push((state, held));
                    }
                }
            }
        }
        ways
    }

    /// The locks that the guard at a place gives back when it ends.
    pub(crate) fn guarded_by(&mut self, state: &mut State, place: PlaceId) -> Vec<LocId> {
        if state.locks.is_empty() || self.is_rust() {
            return Vec::new();
        }
        let Some(ty) = self.program.type_of_place(self.unit, self.function, place) else {
            return Vec::new();
        };
        let at = self.place(state, place);
        self.locks_of(state, at, &ty)
    }

    pub(crate) fn locks_of(&mut self, state: &mut State, at: LocId, ty: &Type) -> Vec<LocId> {
        if self
            .program
            .guard_named(self.unit, self.scope(), ty)
            .is_none()
        {
            return Vec::new();
        }
        let parts = state
            .env
            .iter()
            .filter(|(loc, _)| self.arena.within(*loc, at));
        let locks = parts.filter_map(|(_, v)| match self.arena.get(*v) {
            Val::Ptr(lock) => Some(*lock),
            _ => None,
        });
        let locks: Vec<LocId> = locks.collect();
        let left = state.env.get(at).and_then(|v| self.arena.as_int(*v)) == Some(0);
        if locks.is_empty() && !left {
            self.some_guard_ends(state);
        }
        locks
    }

    /// A guard ends.
    pub(crate) fn guard_ends(&mut self, state: &mut State, locks: &[LocId]) {
        for loc in locks {
            let act = LockAct {
                does: Does::Give,
                shared: false,
                recursive: false,
                guarded: true,
                tried: false,
                api: Name::new_static("the guard's end"),
            };
            self.lock_is(state, *loc, &act);
        }
    }

    /// Rust: a value of a guard's type ends: the address of what the lock holds.
    pub(crate) fn rust_guard_ends(&mut self, state: &mut State, object: LocId, ty: &Type) {
        if state.locks.is_empty() || !is_guard(&ty.name) {
            return;
        }
        let lock = state
            .env
            .get(object)
            .and_then(|v| match self.arena.get(*v) {
                Val::Ptr(at) => self.lock_around(*at),
                _ => None,
            });
        match lock {
            Some(lock) => self.guard_ends(state, &[lock]),
            None => self.some_guard_ends(state),
        }
    }

    /// Rust: the guard at a location is kept from ending.
    pub(crate) fn rust_guard_forgotten(&mut self, state: &mut State, object: LocId) {
        let held = state.env.get(object).map(|v| self.arena.get(*v).clone());
        if let Some(Val::Ptr(at)) = held
            && let Some(lock) = self.lock_around(at)
        {
            let lock = self.lock_at(lock);
            state
                .locks
                .change(|loc, _| loc == lock, |hold| hold.forgotten = true);
        }
    }

    /// Rust: a value may have ended, and each guard in it.
    pub(crate) fn rust_guard_may_end(&mut self, state: &mut State, object: LocId) {
        if state.locks.is_empty() {
            return;
        }
        let parts = state
            .env
            .iter()
            .filter(|(loc, _)| self.arena.within(*loc, object));
        let locks = parts.filter_map(|(_, v)| match self.arena.get(*v) {
            Val::Ptr(at) => self.lock_around(*at),
            _ => None,
        });
        let locks: Vec<LocId> = locks.collect();
        for lock in locks {
            let lock = self.lock_at(lock);
            self.doubt_locks(state, &|loc, hold| loc == lock && hold.guarded);
        }
    }

    /// Rust: the lock that what is at a location is held by.
    fn lock_around(&self, at: LocId) -> Option<LocId> {
        let mut at = at;
        loop {
            match self.arena.get_loc(at) {
                Loc::Field(lock, name) if name == KEPT => return Some(*lock),
                Loc::Field(parent, _) | Loc::Elem(parent, _) => at = *parent,
                _ => return None,
            }
        }
    }

    /// Code out of sight ran: what it was given, and what it is named for, tells which locks it may have
    /// taken or given back.
    pub(crate) fn locks_in_doubt(&mut self, state: &mut State, callee: &Callee, args: &[Operand]) {
        let unseen = match self.target_here(callee, args.len()) {
            Target::Unknown => true,
            Target::Defined(f) => self.summary_of(f).is_none(),
            Target::Model(_) => false,
        };
        if !unseen
            || (state.locks.is_empty()
                && state.freed_locks.is_empty()
                && state.made_locks.is_empty())
        {
            return;
        }
        let mut given: Vec<ValId> = args.iter().map(|arg| self.operand(state, arg)).collect();
        for (v, arg) in given.iter().zip(args) {
            // A guard that is given away ends out of sight.
            if let (Val::Ptr(at), Operand::Move(_)) = (self.arena.get(*v), arg)
                && let Some(lock) = self.lock_around(*at)
            {
                let lock = self.lock_at(lock);
                self.doubt_locks(state, &|loc, _| loc == lock);
            }
        }
        let named;
        let words = &[
            "lock", "unlock", "enter", "leave", "acquire", "release", "mutex",
        ];
        match callee {
            Callee::Method { receiver, name, .. } => {
                let loc = self.place(state, *receiver);
                given.push(self.arena.val(Val::Ptr(loc)));
                named = has_word(last(name), words);
            }
            Callee::Function(name) => {
                named = has_word(last(name), words);
                let of_object = self.function.kind != FunctionKind::Free;
                if of_object
                    && let Target::Defined(f) = self.target_here(callee, args.len())
                    && self.program.function(f).class.is_some()
                {
                    let object = self.arena.loc(Loc::SelfObj);
                    given.push(self.arena.val(Val::Ptr(object)));
                }
            }
            _ => named = true,
        }
        self.locks_reached(state, &given, named);
    }

    fn holds_for(&mut self, state: &mut State, when: &Condition, args: &[Operand]) -> bool {
        let values: Vec<ValId> = args.iter().map(|arg| self.operand(state, arg)).collect();
        self.applies(state, Some(when), &values) == Some(true)
    }
}
