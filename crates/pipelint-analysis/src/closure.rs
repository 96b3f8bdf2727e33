//! Lambdas on a path: what they captured, their calls, and the guards that run them at scope's end.

use pipelint_ir::{Base, Callee, Name, Operand, PlaceId, Proj, Rvalue};
use pipelint_models::Role;

use crate::apply::Invocation;
use crate::exec::Exec;
use crate::program::{FnRef, Target, last};
use crate::readers::only_reads;
use crate::state::State;
use crate::values::{Loc, LocId, Val, ValId};

/// A lambda that was made in the function being run.
#[derive(Debug, Clone)]
pub(crate) struct Closure {
    function: FnRef,
    /// Where each captured name stands: the variable itself, or the lambda's own copy.
    captures: Vec<(Name, LocId)>,
    /// Variables captured by reference.
    shared: Vec<LocId>,
    /// It does nothing with what it captured by value but to read through it.
    reads: bool,
}

impl Exec<'_, '_> {
    /// The value of a lambda whose body has a summary; none where it is as good as unknown code.
    pub(crate) fn closure(&mut self, state: &mut State, value: &Rvalue) -> Option<ValId> {
        let Rvalue::Closure(name, captured) = value else {
            return None;
        };
        let function = self.program.lambda(self.unit, name)?;
        self.summary_of(function)?;
        let v = self.fresh(state, 0);
        let own = self.arena.loc(Loc::Deref(v));
        let mut captures = Vec::new();
        let mut shared = Vec::new();
        for (place, by_ref) in captured {
            let at = &self.function.places[*place];
            let plain = at
                .proj
                .iter()
                .all(|p| matches!(p, Proj::Field(_) | Proj::Deref));
            let name = match &at.base {
                Base::Local(l) => self.function.locals.get(l.0 as usize)?.name.clone(),
                Base::Captured(name) => name.clone(),
                _ => return None,
            };
            if !plain || name.is_empty() {
                return None;
            }
            let loc = self.place(state, *place);
            if *by_ref {
                shared.push(loc);
                captures.push((name, loc));
                continue;
            }
            let copy = self.arena.loc(Loc::Field(own, name.clone()));
            captures.push((name, copy));
        }
        state.heap.insert(v, ());
        for ((place, by_ref), (_, copy)) in captured.iter().zip(&captures) {
            if *by_ref {
                continue;
            }
            let from = self.place(state, *place);
            self.copy_parts(state, from, *copy);
            let held = self.read(state, from);
            self.write_keeping_parts(state, *copy, held);
        }
        let closure = Closure {
            function,
            captures,
            reads: shared.is_empty() && only_reads(self.program.function(function)),
            shared,
        };
        self.closures.insert(v, closure);
        Some(v)
    }

    /// What else escapes with a lambda.
    pub(crate) fn shared_by(&mut self, v: ValId) -> Vec<ValId> {
        let Some(closure) = self.closures.get(&v) else {
            return Vec::new();
        };
        let shared = closure.shared.clone();
        shared
            .into_iter()
            .map(|loc| self.arena.val(Val::Ptr(loc)))
            .collect()
    }

    /// Whoever is given the value can do nothing with what it captured.
    pub(crate) fn only_reads(&self, v: ValId) -> bool {
        self.closures.get(&v).is_some_and(|closure| closure.reads)
    }

    /// Runs a lambda; false, with the path untouched, for any other value.
    pub(crate) fn run_closure(
        &mut self,
        state: &mut State,
        v: ValId,
        args: &[Operand],
        dst: Option<PlaceId>,
        part: u32,
        out: &mut Vec<State>,
    ) -> bool {
        let Some(closure) = self.closures.get(&v).cloned() else {
            return false;
        };
        let call = Invocation {
            function: closure.function,
            args,
            receiver: None,
            captures: &closure.captures,
            part,
        };
        self.apply(state, &call, dst, out)
    }

    /// A call of a lambda, or one that makes or asks a guard; false for any other.
    pub(crate) fn guard_call(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        callee: &Callee,
        args: &[Operand],
        out: &mut Vec<State>,
    ) -> bool {
        match callee {
            Callee::Pointer(op) => {
                let v = self.operand(state, op);
                return self.run_closure(state, v, args, dst, 0, out);
            }
            Callee::Function(name) => {
                let target = self
                    .program
                    .target(self.unit, self.function, callee, args.len());
                let makes = || {
                    let made = self.program.models.made_owner(name)?;
                    (made.holds() == pipelint_models::Holds::Action && !is_conditional(name))
                        .then_some(())
                };
                // A library's function that the program has the source of is still what it is.
                let known = matches!(target, Target::Unknown) || name.contains("::");
                if !known || makes().is_none() {
                    return false;
                }
                let [arg] = args else { return false };
                let v = self.operand(state, arg);
                let Some(dst) = dst.filter(|_| self.closures.contains_key(&v)) else {
                    return false;
                };
                let to = self.place(state, dst);
                self.write(state, to, v);
            }
            Callee::Constructor(_) => {
                let guard = dst.and_then(|dst| self.owner_at(dst));
                let (Some(guard), Some(dst), [arg]) = (guard, dst, args) else {
                    return false;
                };
                let v = self.operand(state, arg);
                if !guard.is_action()
                    || is_conditional(&guard.name)
                    || !self.closures.contains_key(&v)
                {
                    return false;
                }
                let to = self.place(state, dst);
                self.write(state, to, v);
            }
            Callee::Method { receiver, name, .. } => {
                let Some(guard) = self.owner_at(*receiver).filter(|o| o.is_action()) else {
                    return false;
                };
                let at = self.place(state, *receiver);
                let v = self.read(state, at);
                let zero = self.arena.int(0);
                match guard.model.role(last(name)) {
                    Some(Role::Cancel) => self.write(state, at, zero),
                    Some(Role::Run) => {
                        let mut after = Vec::new();
                        if !self.run_closure(state, v, &[], None, 3, &mut after) {
                            return false;
                        }
                        for mut state in after {
                            self.write(&mut state, at, zero);
                            out.push(state);
                        }
                        return true;
                    }
                    _ => return false,
                }
            }
            Callee::New(_) => return false,
        }
        out.push(std::mem::take(state));
        true
    }

    /// A lambda's or guard's life ends; false for any other object.
    pub(crate) fn end_guard(
        &mut self,
        state: &mut State,
        place: PlaceId,
        object: LocId,
        out: &mut Vec<State>,
    ) -> bool {
        let Some(&v) = state.env.get(object) else {
            return false;
        };
        let guard = self.owner_at(place).is_some_and(|o| o.is_action());
        if guard && self.arena.as_int(v) == Some(0) {
            out.push(std::mem::take(state));
            return true;
        }
        if !self.closures.contains_key(&v) {
            return false;
        }
        if guard {
            return self.run_closure(state, v, &[], None, 3, out);
        }
        state.env.remove(object);
        out.push(std::mem::take(state));
        true
    }
}

/// A guard that runs its action on some of the ways out only.
fn is_conditional(name: &str) -> bool {
    let name = last(name);
    name.ends_with("fail") || name.ends_with("success")
}
