//! What was released and is met again: values that the function did not make, and memory that is
//! reached through a pointer to it.

use pipelint_ir::{BinOp, LocalKind, Name, PlaceId, Proj};
use pipelint_models::FunctionModel;

use crate::event::{EventKind, StepKind};
use crate::exec::Exec;
use crate::state::{Res, State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

impl Exec<'_, '_> {
    /// A kind of memory: named by its address, and of no interest where it is not released.
    pub(crate) fn is_memory(&self, kind: &str) -> bool {
        self.program.models.resource(kind).is_some_and(|k| k.memory)
    }

    /// A kind that is followed for what happens to it when it is gone, and for nothing else.
    pub(crate) fn is_plain_memory(&self, kind: &str) -> bool {
        let kind = self.program.models.resource(kind);
        kind.is_some_and(|k| k.memory && !k.leaks)
    }

    /// A value of which no more is known is released here: from now on the path knows it as
    /// released.
    pub(crate) fn adopt_released(&mut self, state: &mut State, v: ValId, kind: &str, api: &Name) {
        let empty = state.facts.get(v).is_some_and(|f| f.exact().is_some());
        if empty || !self.is_one_value(v, self.round(state)) {
            return;
        }
        let var = match *self.arena.get(v) {
            Val::Sym(Sym::Load { loc, .. }) => self.loc_name(loc),
            _ => Name::default(),
        };
        let var = if var.is_empty() {
            self.holder(state, v)
        } else {
            var
        };
        let at = self.at();
        state.step(self.span, StepKind::Closed(api.clone()), Some(v));
        let res = Res {
            api: Name::default(),
            kind: Name::new(kind),
            created: at,
            origin: at,
            var,
            judge: v,
            failure: None,
            status: Status::Released(api.clone(), self.span),
            escaped: true,
            owned: false,
            foreign: true,
            // What a caller gave it hears of by the release itself.
            adopted: self.is_given(v),
            home: None,
            checked: true,
            used_unchecked: false,
            failed_at: None,
            infallible: true,
            half_done: false,
            built: false,
            by_end: self.ending > 0,
            given_to: None,
            handed_on: None,
            overlapped: false,
        };
        self.note_freed(kind);
        self.released_in.insert(v, self.block);
        state.res.insert(v, res);
    }

    /// What was not made here was released on one condition, and is met again on another: the two
    /// may exclude each other in ways that only the caller knows.
    pub(crate) fn surely_met(&self, state: &State, v: ValId, res: &Res) -> bool {
        if !res.api.is_empty() {
            return true;
        }
        let always = self
            .released_in
            .get(&v)
            .is_none_or(|&b| self.cfg.always_passes(self.function, b, self.block));
        always || !(self.guessed || state.has_branched_since_release(v))
    }

    /// From now on, what is reached through pointers is looked at.
    pub(crate) fn note_freed(&mut self, kind: &str) {
        self.frees = self.frees || self.is_memory(kind);
    }

    /// A value that stands for one thing wherever the path meets it: not for any element of an
    /// array, nor for what a loop made of it.
    fn is_one_value(&self, v: ValId, round: u32) -> bool {
        let mut v = v;
        loop {
            let mut loc = match self.arena.get(v) {
                Val::Sym(Sym::Call { .. } | Sym::Inner { .. }) => return true,
                Val::Sym(Sym::Load { loc, epoch }) => {
                    let local = matches!(self.arena.get_loc(self.arena.root(*loc)), Loc::Local(_));
                    if local && *epoch != 0 && round != 0 {
                        // A part of what each round of a loop gets anew.
                        return false;
                    }
                    *loc
                }
                _ => return false,
            };
            loop {
                match self.arena.get_loc(loc) {
                    Loc::Field(parent, _) | Loc::Elem(parent, Some(_)) => loc = *parent,
                    Loc::Elem(_, None) => return false,
                    Loc::Deref(p) => {
                        v = *p;
                        break;
                    }
                    _ => return true,
                }
            }
        }
    }

    /// A variable that holds a value, by name.
    fn holder(&self, state: &State, v: ValId) -> Name {
        let holders = state.env.iter().filter(|(_, x)| **x == v);
        holders
            .filter(|(loc, _)| !self.is_temporary(*loc))
            .map(|(loc, _)| self.loc_name(loc))
            .find(|name| !name.is_empty())
            .unwrap_or_default()
    }

    pub(crate) fn is_temporary(&self, loc: LocId) -> bool {
        match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .is_none_or(|l| l.kind == LocalKind::Temp),
            _ => false,
        }
    }

    /// A called function released what it was given on one way, and not on another that looks the
    /// same to its caller: the last of several owners frees. Then it is not known to be released.
    pub(crate) fn keep_sure_releases(
        &self,
        before: &State,
        told: bool,
        results: &mut [(State, Option<ValId>)],
    ) {
        let mut unsure: Vec<(usize, ValId)> = Vec::new();
        for (i, (state, result)) in results.iter().enumerate() {
            for (v, res) in state.res.iter() {
                let known = before.res.get(v);
                let new = is_released(res) && !known.is_some_and(is_released);
                if !new || (known.is_none() && !res.adopted) {
                    continue;
                }
                let other_way = |(j, (other, r)): (usize, &(State, Option<ValId>))| {
                    let kept = !other.res.get(v).is_some_and(is_released);
                    let empty = other.facts.get(v).is_some_and(|f| f.hi <= 0);
                    let apart = told && self.differ((state, *result), (other, *r));
                    j != i && kept && !empty && !apart
                };
                if results.iter().enumerate().any(other_way) {
                    unsure.push((i, v));
                }
            }
        }
        for (i, v) in unsure {
            let state = &mut results[i].0;
            match before.res.get(v) {
                Some(res) => {
                    let mut res = res.clone();
                    res.escaped = true;
                    res.foreign = true;
                    state.res.insert(v, res);
                }
                None => state.res.remove(v),
            }
        }
    }

    /// Two results that a caller can tell apart.
    pub(crate) fn differ(
        &self,
        (a, x): (&State, Option<ValId>),
        (b, y): (&State, Option<ValId>),
    ) -> bool {
        let (Some(x), Some(y)) = (x, y) else {
            return false;
        };
        let exact = |state: &State, v: ValId| {
            let known = state.facts.get(v).and_then(|f| f.exact());
            self.arena.as_int(v).or(known)
        };
        let excludes =
            |state: &State, v: ValId, c: i128| state.facts.get(v).is_some_and(|f| f.excludes(c));
        match (exact(a, x), exact(b, y)) {
            (Some(m), Some(n)) => m != n,
            (Some(m), None) => excludes(b, y, m),
            (None, Some(n)) => excludes(a, x, n),
            (None, None) => false,
        }
    }

    /// A place is read or written (`whole`), or its address is taken: each pointer on the way to it
    /// is followed.
    pub(crate) fn reach(&mut self, state: &mut State, id: PlaceId, whole: bool) {
        let place = &self.function.places[id];
        if !self.frees || !place.proj.iter().any(|p| !matches!(p, Proj::Field(_))) {
            return;
        }
        let to = self.walk(state, id, true);
        if whole {
            self.touch(state, to);
        }
    }

    /// What a location holds is read, or the location is written: it must not be in freed memory.
    pub(crate) fn touch(&mut self, state: &mut State, loc: LocId) {
        let Loc::Deref(p) = *self.arena.get_loc(self.arena.root(loc)) else {
            return;
        };
        let mut p = p;
        let (closed, resource) = loop {
            match state.res.get(p) {
                Some(res) => match &res.status {
                    Status::Released(closer, at) if self.is_memory(&res.kind) => {
                        break ((closer.clone(), *at), self.resource(res));
                    }
                    _ => return,
                },
                // Some bytes further on in the same block.
                None => match *self.arena.get(p) {
                    Val::Bin(BinOp::Add | BinOp::Sub, block, _) => p = block,
                    _ => return,
                },
            }
        };
        if state
            .res
            .get(p)
            .is_some_and(|r| self.surely_met(state, p, r))
        {
            let path = self.path(state, Some(p), StepKind::Reached);
            let kind = EventKind::UseAfterClose {
                closed,
                api: Name::default(),
            };
            self.emit(kind, Some(resource), path, state.doubtful);
        }
        // Told: what follows on this path follows from it.
        state.res.remove(p);
    }

    /// Memory that a modelled call reads, writes or keeps.
    pub(crate) fn use_memory(
        &mut self,
        state: &mut State,
        model: &FunctionModel,
        args: &[ValId],
        api: &Name,
    ) {
        if !self.frees {
            return;
        }
        let io = model
            .io
            .iter()
            .flat_map(|io| [io.buffer, io.count, io.overlapped]);
        let reached = model.fills.iter().chain(&model.escapes).chain(&model.takes);
        for n in reached.copied().chain(io.flatten()) {
            let Some(&v) = args.get(n) else { continue };
            let res = state.res.get(v);
            let gone = |r: &Res| is_released(r) && self.is_memory(&r.kind);
            if res.is_some_and(gone) {
                self.use_value(state, v, api, false);
            }
        }
    }

    /// A call is given an address inside a block of memory.
    pub(crate) fn touch_inside(&mut self, state: &mut State, v: ValId) {
        if let Val::Ptr(loc) = *self.arena.get(v)
            && self.frees
        {
            self.touch(state, loc);
        }
    }

    /// Code that may set what it is given by name has been given a released value: what the variable
    /// holds afterwards is not known.
    pub(crate) fn may_be_set_again(&self, state: &mut State, v: ValId) {
        if state.res.get(v).is_some_and(is_released) {
            state.res.remove(v);
        }
    }

    /// What a location is found to hold; something else, if that may be long overwritten.
    pub(crate) fn unless_stale(&mut self, state: &State, loc: LocId, v: ValId) -> ValId {
        let plain = matches!(self.arena.get_loc(loc), Loc::Local(_));
        if !plain && !self.scribbled.is_empty() && self.is_stale(state, loc, v) {
            return self.fresh(state, 97);
        }
        v
    }

    /// Whether what a location is found to hold may be what it held before a write through another
    /// pointer, which may have been to this very location.
    fn is_stale(&self, state: &State, loc: LocId, v: ValId) -> bool {
        if !state.res.get(v).is_some_and(is_released) {
            return false;
        }
        // `if (node->prev) …; else list->head = node->next; free(node);`: which of the two it is
        // is told by the list, not by the path.
        if self.relinked.contains(&loc) {
            return true;
        }
        self.scribbled
            .iter()
            .any(|other| *other != loc && self.may_be_one(*other, loc))
    }

    /// Two locations that may be one: reached on different ways, named alike.
    fn may_be_one(&self, a: LocId, b: LocId) -> bool {
        match (self.arena.get_loc(a), self.arena.get_loc(b)) {
            (Loc::Field(p, f), Loc::Field(q, g)) => f == g && p != q,
            (Loc::Elem(p, i), Loc::Elem(q, j)) => {
                (p != q && (i.is_none() || j.is_none() || i == j)) || i.is_none() || j.is_none()
            }
            // A pointer to a pointer may point to any; one that the caller gave to be filled, to
            // what it named.
            (Loc::Deref(p), _) => !matches!(
                self.arena.get(*p),
                Val::Sym(Sym::Load { loc, .. }) if matches!(self.arena.get_loc(*loc), Loc::Local(_))
            ),
            _ => false,
        }
    }

    /// A write to memory that may have other names.
    pub(crate) fn scribble(&mut self, state: &State, loc: LocId, v: ValId) {
        let made = matches!(
            self.arena.get(v),
            Val::Sym(Sym::Call { .. } | Sym::Inner { .. })
        );
        if made && matches!(self.arena.get_loc(loc), Loc::Deref(_)) {
            // A buffer is filled.
            return;
        }
        let alone = match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Local(_) => true,
            // A block that was allocated here.
            Loc::Deref(p) => state.res.get(*p).is_some_and(|r| !r.api.is_empty()),
            _ => false,
        };
        if alone {
            return;
        }
        self.scribbled.insert(loc);
        let old = state.env.get(loc).copied();
        let gone = old.is_some_and(|old| state.res.get(old).is_some_and(is_released));
        if !gone && matches!(self.arena.get(v), Val::Sym(Sym::Load { .. })) {
            self.relinked.insert(loc);
        }
    }
}

fn is_released(res: &Res) -> bool {
    matches!(res.status, Status::Released(..))
}
