//! Objects whose callbacks the thread pool runs, on a path: armed, disarmed, waited for, closed.
//!
//! What is known sits on the object's value. A close lets callbacks that run go on: their context must not
//! end then.

use pipelint_ir::{FunctionKind, LocalId, LocalKind, Name};
use pipelint_models::{ClosesCallbacks, Condition, FunctionModel};
use pipelint_source::Span;

use crate::callback_classes::{Closing, Context, Freed, Kept, OwnWait, Registered, Whose};
use crate::callback_fault::{CallbackFault, Missing};
use crate::contexts::named_function;
use crate::event::{Event, EventKind, StepKind};
use crate::exec::Exec;
use crate::pending_log::IoAction;
use crate::state::{Fact, State, VecMap};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// What a path knows of objects with callbacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Callbacks {
    lives: VecMap<ValId, Life>,
    /// Objects that were made here, by the results of the calls.
    made: VecMap<ValId, Made>,
    /// Something was waited for, or code out of sight ran: callbacks that run once may have done so.
    pub(crate) slow: bool,
}

/// What was done to an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Life {
    armed: bool,
    disarmed: bool,
    waited: Waited,
    closed: Option<Closed>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Waited {
    #[default]
    No,
    /// While new callbacks could start.
    Early,
    /// When none could start any more.
    Last,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Closed {
    by: Close,
    missing: Option<Missing>,
}

/// A call that closes an object and does not wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Close {
    pub(crate) api: Name,
    pub(crate) at: Span,
    pub(crate) disarm: Option<Name>,
    pub(crate) wait: Name,
}

/// An object that was made here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Made {
    api: Name,
    at: Span,
    /// The object; where it is put, if that is no result.
    object: Result<ValId, LocId>,
    callback: Option<Name>,
    context: ValId,
    own: Option<usize>,
    armed: bool,
}

/// What a call does to an object with callbacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallbackAct {
    /// Arms it, or disarms it where this is null.
    Set(Option<ValId>),
    /// Waits for its callbacks: the call, where it stands, and how many calls lead to it.
    Wait(Name, Span, usize),
    /// Closes it.
    Close(Box<Close>),
    /// Closes it, and waits, or leaves it to others to wait.
    End,
}

impl Exec<'_, '_> {
    /// A modelled call: what it does to objects with callbacks.
    pub(crate) fn run_callbacks(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        if model.waits.is_some() || model.completes.is_some() {
            state.callbacks.slow = true;
        }
        self.register(state, api, model, args, result);
        if let Some(arms) = &model.arms
            && let Some(&v) = args.get(arms.object)
        {
            let unless = arms.unless_null.and_then(|n| args.get(n)).copied();
            self.callback_act(state, v, CallbackAct::Set(unless));
        }
        let surely = |when: Option<&Condition>| self.applies(state, when, args) == Some(true);
        let awaits = model.awaits_callbacks.as_ref();
        let awaits = awaits.filter(|a| surely(a.when.as_ref()));
        let closes = model.closes_callbacks.as_ref();
        let blind = closes.filter(|c| surely(c.when.as_ref()));
        if let Some(&v) = awaits.and_then(|a| args.get(a.object)) {
            let act = CallbackAct::Wait(api.clone(), self.span, 0);
            self.callback_act(state, v, act);
        }
        if let Some(&v) = closes.and_then(|c| args.get(c.object)) {
            let act = blind.map_or(CallbackAct::End, |c| self.close(api, c));
            self.callback_act(state, v, act);
        }
    }

    fn close(&self, api: &Name, closes: &ClosesCallbacks) -> CallbackAct {
        CallbackAct::Close(Box::new(Close {
            api: api.clone(),
            at: self.span,
            disarm: closes.disarm.as_ref().map(Name::new),
            wait: Name::new(&closes.wait),
        }))
    }

    fn register(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let Some(registers) = &model.registers else {
            return;
        };
        let null = |n: usize| args.get(n).map(|v| self.equals(state, *v, 0));
        let grouped = registers.grouped_unless_null;
        if grouped.is_some_and(|n| null(n) != Some(Some(true))) {
            return;
        }
        let at = model.acquires.first().map(|a| &a.at);
        let out = at.filter(|at| at.argument().is_some());
        let object = match out.map(|at| self.out_location(at, args)) {
            None => Ok(result),
            Some(Some(loc)) => Err(loc),
            Some(None) => return,
        };
        let (Some(&context), Some(callback)) =
            (args.get(registers.context), args.get(registers.callback))
        else {
            return;
        };
        let callback = match self.arena.get(*callback) {
            Val::Function(name) => Some(name.clone()),
            // In Rust, an `Option` of one.
            _ => {
                let op = self.operands.get(registers.callback);
                op.and_then(|op| named_function(self.function, op))
            }
        };
        let made = Made {
            api: api.clone(),
            at: self.span,
            object,
            callback,
            context,
            own: registers.own,
            armed: registers.armed,
        };
        state.callbacks.made.insert(result, made);
    }

    /// Something is done to an object with callbacks, here or in a called function.
    pub(crate) fn callback_act(&mut self, state: &mut State, v: ValId, act: CallbackAct) {
        if self.arena.as_int(v).is_some() {
            return;
        }
        let key = self.known_callback(state, v);
        let mut life = state.callbacks.lives.get(key).cloned().unwrap_or_default();
        self.used_after_close(state, v, &life, &act);
        match &act {
            CallbackAct::Set(unless) => {
                life.disarmed = unless.is_some_and(|v| self.equals(state, v, 0) == Some(true));
                if !life.disarmed {
                    life.armed = true;
                    life.waited = Waited::No;
                    if let Some((kept, _)) = self.kept_object(state, v) {
                        self.found.callbacks.armed.insert(kept);
                    }
                }
            }
            CallbackAct::Wait(api, origin, frames) => {
                life.waited = match life.disarmed {
                    true => Waited::Last,
                    false => Waited::Early,
                };
                self.note_own_wait(state, v, api, (*origin, *frames));
            }
            CallbackAct::Close(close) => {
                let missing = lacks(&life, close.disarm.is_some());
                life.closed = Some(Closed {
                    by: (**close).clone(),
                    missing,
                });
                let step = StepKind::Closed(close.api.clone());
                state.step(self.span, step, Some(v));
            }
            CallbackAct::End => {
                life.waited = Waited::Last;
                state.callbacks.lives.insert(key, life.clone());
            }
        }
        if let CallbackAct::Close(_) = &act {
            self.note_closing(state, v, &life);
        }
        state.callbacks.lives.insert(key, life);
        self.record_io(state, || IoAction::Callback(v, act));
    }

    /// Disarmed or waited for after the close: that is told as a use of what is closed.
    fn used_after_close(&mut self, state: &State, v: ValId, life: &Life, act: &CallbackAct) {
        let uses = matches!(act, CallbackAct::Set(_) | CallbackAct::Wait(..));
        if let Some(closed) = life.closed.as_ref().filter(|_| uses)
            && let Some((kept, _)) = self.kept_object(state, v)
        {
            self.found.callbacks.closings.push(Closing {
                kept,
                at: closed.by.at,
                event: None,
            });
        }
    }

    /// The value by which an object is known: a field that was read again holds the same.
    fn known_callback(&self, state: &State, v: ValId) -> ValId {
        let lives = &state.callbacks.lives;
        if lives.get(v).is_some() {
            return v;
        }
        let mut known = lives.iter().map(|(known, _)| known);
        known.find(|known| self.is_same(*known, v)).unwrap_or(v)
    }

    /// The class and field that keep an object, and the object around it.
    fn kept_object(&self, state: &State, v: ValId) -> Option<(Kept, LocId)> {
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(v) else {
            return None;
        };
        self.field_of(state, loc)
    }

    /// The class and the way to a location in one of its objects, and that object.
    fn field_of(&self, state: &State, loc: LocId) -> Option<(Kept, LocId)> {
        let (base, way) = self.way_to(loc)?;
        match self.arena.get_loc(base) {
            Loc::SelfObj => Some(((self.own_class()?, way), base)),
            _ => {
                let Loc::Field(parent, name) = self.arena.get_loc(loc) else {
                    return None;
                };
                let named = || {
                    let ty = self.loc_type(*parent)?;
                    let ty = self.program.resolve(&ty).name.clone();
                    self.program.class_ref_in(self.unit, self.scope(), &ty)
                };
                let class = self.class_of(*parent).or_else(named);
                let class = class.or_else(|| self.class_by_variable(state, *parent))?;
                Some(((class, name.clone()), *parent))
            }
        }
    }

    /// The class of what some variable's pointer leads to.
    fn class_by_variable(&self, state: &State, loc: LocId) -> Option<crate::program::ClassRef> {
        let Loc::Deref(v) = self.arena.get_loc(loc) else {
            return None;
        };
        let mut held = state.env.iter().filter(|(_, held)| *held == v);
        held.find_map(|(at, _)| match self.arena.get_loc(at) {
            Loc::Local(l) => {
                let ty = &self.function.locals.get(l.0 as usize)?.ty;
                let ty = self.program.resolve(ty).name.clone();
                self.program.class_ref_in(self.unit, self.scope(), &ty)
            }
            _ => None,
        })
    }

    /// An object is closed while its callbacks may run: who knows that their context ends?
    fn note_closing(&mut self, state: &State, v: ValId, life: &Life) {
        let Some(closed) = &life.closed else { return };
        let quiet = closed.missing.is_none() || is_unsure(state);
        if self.function.kind == FunctionKind::Destructor
            && let Some((kept, base)) = self.kept_object(state, v)
            && *self.arena.get_loc(base) == Loc::SelfObj
        {
            let context = Name::new_static("this");
            let closing = self.closing(state, v, closed, kept, (quiet, context));
            self.found.callbacks.closings.push(closing);
            return;
        }
        let Some(made) = self.made_here(state, v) else {
            return;
        };
        let (armed, context) = (made.armed || life.armed, made.context);
        let Val::Ptr(at) = *self.arena.get(context) else {
            return;
        };
        let Loc::Local(l) = *self.arena.get_loc(self.arena.root(at)) else {
            return;
        };
        let local = self.function.locals.get(l.0 as usize);
        let ends =
            local.is_some_and(|l| l.kind != LocalKind::Static) && l.0 >= self.function.params;
        if ends && armed && !quiet && self.site.is_none() && !self.is_entry_point() {
            let context = self.loc_name(at);
            let event = self.closed_event(state, v, closed, context);
            self.found.callbacks.told.extend(event);
        }
    }

    fn made_here<'s>(&self, state: &'s State, v: ValId) -> Option<&'s Made> {
        let mut made = state.callbacks.made.iter().map(|(_, made)| made);
        made.find(|made| match made.object {
            Ok(object) => object == v,
            Err(at) => state.env.get(at) == Some(&v),
        })
    }

    fn closing(
        &mut self,
        state: &State,
        v: ValId,
        closed: &Closed,
        kept: Kept,
        (quiet, context): (bool, Name),
    ) -> Closing {
        let event = match quiet {
            true => None,
            false => self.closed_event(state, v, closed, context),
        };
        Closing {
            kept,
            at: closed.by.at,
            event,
        }
    }

    fn closed_event(
        &mut self,
        state: &State,
        v: ValId,
        closed: &Closed,
        context: Name,
    ) -> Option<Event> {
        let by = &closed.by;
        let fault = CallbackFault::Closed {
            closer: by.api.clone(),
            missing: closed.missing?,
            disarm: by.disarm.clone(),
            wait: by.wait.clone(),
            context,
        };
        let path = self.path(state, Some(v), StepKind::Closed(by.api.clone()));
        Some(Event {
            kind: EventKind::Callback(fault),
            at: by.at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        })
    }

    /// Memory is freed: a context that callbacks may still use.
    pub(crate) fn context_ends(&mut self, state: &State, v: ValId, api: &Name) {
        if self.function.kind == FunctionKind::Destructor
            && let Some((kept, base)) = self.kept_object(state, v)
            && *self.arena.get_loc(base) == Loc::SelfObj
        {
            self.note_freed_context(state, v, kept, api);
        }
        if state.callbacks.lives.is_empty() {
            return;
        }
        let root = self.pointee(v);
        let root = self.arena.root(root);
        let closed: Vec<(ValId, Life)> = {
            let lives = state.callbacks.lives.iter();
            let closed = lives.filter(|(_, life)| life.closed.is_some());
            closed.map(|(v, life)| (v, life.clone())).collect()
        };
        for (object, life) in closed {
            let Some(closed) = &life.closed else { continue };
            let quiet = closed.missing.is_none() || is_unsure(state);
            if let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(object)
                && self.arena.root(loc) == root
                && let Some((kept, _)) = self.field_of(state, loc)
            {
                let context = match *self.arena.get(v) {
                    Val::Sym(Sym::Load { loc, .. }) => self.loc_name(loc),
                    _ => Name::default(),
                };
                let closing = self.closing(state, object, closed, kept, (quiet, context));
                self.found.callbacks.closings.push(closing);
            } else if let Some(made) = self.made_here(state, object)
                && (made.armed || life.armed)
                && made.context == v
                && !quiet
            {
                let held = state.env.iter().find(|(_, held)| **held == v);
                let context = held.map_or(Name::default(), |(at, _)| self.loc_name(at));
                let event = self.closed_event(state, object, closed, context);
                self.found.callbacks.told.extend(event);
            }
        }
    }

    /// A destructor frees what a field points to.
    fn note_freed_context(&mut self, state: &State, v: ValId, kept: Kept, api: &Name) {
        let mut quiet = Vec::new();
        for (object, life) in state.callbacks.lives.iter() {
            // A close that lets callbacks go on is told as such.
            let over = life.closed.is_some() || life.waited == Waited::Last;
            if (over || (life.waited == Waited::Early && !life.armed))
                && let Some(((_, way), _)) = self.kept_object(state, object)
            {
                quiet.push((way, over));
            }
        }
        let event = match is_unsure(state) {
            true => None,
            false => Some(Event {
                kind: EventKind::Callback(CallbackFault::Freed {
                    context: kept.1.clone(),
                    registered: Name::default(),
                }),
                at: self.at(),
                function: self.function.name.clone(),
                resource: None,
                path: self.path(state, Some(v), StepKind::Closed(api.clone())),
                others: Vec::new(),
            }),
        };
        self.found
            .callbacks
            .freed
            .push(Freed { kept, quiet, event });
    }

    /// The function waits for callbacks of an object that it was given, or that its object keeps.
    fn note_own_wait(
        &mut self,
        state: &State,
        v: ValId,
        api: &Name,
        (origin, frames): (Span, usize),
    ) {
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(v) else {
            return;
        };
        let Some((base, way)) = self.way_to(loc) else {
            return;
        };
        let whose = match *self.arena.get_loc(base) {
            Loc::SelfObj => Whose::Own,
            Loc::Local(l) if l.0 < self.function.params => Whose::Parameter(l.0),
            _ => return,
        };
        let event = Event {
            kind: EventKind::Callback(CallbackFault::SelfWait {
                waits: api.clone(),
                callback: Name::default(),
            }),
            at: self.at(),
            function: self.function.name.clone(),
            resource: None,
            path: self.path(state, Some(v), StepKind::Passed(api.clone())),
            others: Vec::new(),
        };
        let asks = self.asked_of_parameters(state);
        self.found.callbacks.waits.push(OwnWait {
            function: self.me,
            asks,
            whose,
            class: self.own_class(),
            way,
            origin,
            frames,
            event,
        });
    }

    /// What the path knows of the parameters as they were given.
    fn asked_of_parameters(&mut self, state: &State) -> Vec<(usize, Fact)> {
        let mut asks = Vec::new();
        for n in 0..self.function.params {
            let loc = self.arena.loc(Loc::Local(LocalId(n)));
            let given = self.arena.sym(Sym::Load { loc, epoch: 0 });
            if let Some(fact) = state.facts.get(given) {
                asks.push((n as usize, fact.clone()));
            }
        }
        asks
    }

    /// The path leaves the function: which objects of its own making are kept where.
    pub(crate) fn leave_callbacks(&mut self, state: &State) {
        if state.callbacks.made.is_empty() {
            return;
        }
        let all: Vec<Made> = state
            .callbacks
            .made
            .iter()
            .map(|(_, m)| m.clone())
            .collect();
        for made in all {
            let object = match made.object {
                Ok(v) => v,
                Err(at) => match state.env.get(at) {
                    Some(v) => *v,
                    None => continue,
                },
            };
            let homes: Vec<LocId> = {
                let holds = state.env.iter().filter(|(_, v)| **v == object);
                holds.map(|(at, _)| at).collect()
            };
            for home in homes {
                self.note_home(state, home, &made);
            }
        }
    }

    /// A value is put somewhere: an object with a callback, into the one that keeps it.
    pub(crate) fn keeps_callback(&mut self, state: &mut State, at: LocId, v: ValId) {
        if state.callbacks.made.is_empty() {
            return;
        }
        let here = |made: &Made| match made.object {
            Ok(object) => object == v,
            Err(out) => out != at && state.env.get(out) == Some(&v),
        };
        let known = {
            let mut all = state.callbacks.made.iter();
            let known = all.find(|(_, made)| here(made));
            known.map(|(key, made)| (key, made.clone()))
        };
        let Some((key, mut made)) = known else {
            return;
        };
        if made.object != Ok(v) {
            // The variable that it came out in may be gone when the function is left.
            made.object = Ok(v);
            state.callbacks.made.insert(key, made.clone());
        }
        self.note_home(state, at, &made);
    }

    fn note_home(&mut self, state: &State, home: LocId, made: &Made) {
        let Some((kept, around)) = self.field_of(state, home) else {
            return;
        };
        let context = self.context_of(state, made, around);
        let registered = Registered {
            kept,
            context,
            api: made.api.clone(),
            at: made.at,
            callback: made.callback.clone(),
            by: self.me,
            own: made.own,
            armed: made.armed,
        };
        let known = &mut self.found.callbacks.registered;
        if !known.contains(&registered) {
            known.push(registered);
        }
    }

    /// What an object that is kept in another one has for its context.
    fn context_of(&mut self, state: &State, made: &Made, around: LocId) -> Context {
        if self.arena.as_int(made.context).is_some() {
            return Context::Other;
        }
        let pointee = self.pointee(made.context);
        if pointee == around || self.arena.within(pointee, around) {
            return Context::Object;
        }
        let mut held = state.env.iter().filter(|(_, v)| **v == made.context);
        let field = held.find_map(|(at, _)| match self.arena.get_loc(at) {
            Loc::Field(parent, name) if *parent == around => Some(name.clone()),
            _ => None,
        });
        field.map_or(Context::Other, Context::Field)
    }
}

/// Nothing is certain of objects on this path: code out of sight may have dealt with them, or their
/// callbacks may have run meanwhile.
fn is_unsure(state: &State) -> bool {
    state.callbacks.slow || state.doubtful
}

/// What a close lacks after what was done to its object.
fn lacks(life: &Life, disarms: bool) -> Option<Missing> {
    if !disarms {
        return (life.waited == Waited::No).then_some(Missing::Wait);
    }
    match (life.disarmed, life.waited) {
        (_, Waited::Last) => None,
        (true, Waited::Early) => Some(Missing::Order),
        (false, Waited::Early) => Some(Missing::Disarm),
        (true, Waited::No) => Some(Missing::Wait),
        (false, Waited::No) => Some(Missing::Both),
    }
}
