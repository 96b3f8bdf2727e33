//! Constructors that throw: no destructor runs for the object that did not come to be.

use pipelint_ir::FunctionKind;

use crate::event::{EventKind, StepKind};
use crate::exec::{Exec, Outcome};
use crate::state::{State, Status};
use crate::values::{Loc, ValId};

impl Exec<'_, '_> {
    /// A constructor is left by an exception: what its raw fields hold nobody releases.
    pub(crate) fn tell_half_constructed(&mut self, state: &State) {
        if self.function.kind != FunctionKind::Constructor {
            return;
        }
        let Some(class) = self.own_class().map(|c| self.program.class_at(c)) else {
            return;
        };
        let me = self.arena.loc(Loc::SelfObj);
        let mut held: Vec<(pipelint_ir::Name, ValId)> = Vec::new();
        for (loc, v) in state.env.iter() {
            let Loc::Field(parent, name) = self.arena.get_loc(loc).clone() else {
                continue;
            };
            let Some(res) = state.res.get(*v).filter(|_| parent == me) else {
                continue;
            };
            let only_here = res.home == Some(loc) && !res.foreign && !res.owned && !res.adopted;
            let lost = only_here
                && res.status == Status::Open
                && self.leaks(&res.kind)
                && self.outcome(state, *v, res) != Outcome::Failed;
            if !lost || self.is_told_often(res.created) {
                continue;
            }
            // A member that is an object is destroyed, and so are the bases with their fields.
            let mut fields = class.fields.iter();
            if fields.any(|f| f.name == name && !f.is_static && self.is_plain(&f.ty)) {
                held.push((name, *v));
            }
        }
        for (field, v) in held {
            let resource = state.res.get(v).map(|res| self.resource(res));
            let path = self.path(state, Some(v), StepKind::Left);
            let kind = EventKind::HalfConstructed { field };
            self.emit(kind, resource, path, state.doubtful);
        }
    }
}
