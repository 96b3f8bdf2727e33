//! What calls have to do with threads that wait to be woken: which wait, and which wake.

use pipelint_ir::{Base, Callee, Const, Function, Name, Operand, PlaceId, Proj, Rvalue, Statement};
use pipelint_models::ConditionVariable;

use crate::contexts::{address_of, place_of};
use crate::program::{ClassRef, FnRef, Program, Target, last};

/// A call that waits on a condition variable or an event, or wakes who does.
#[derive(Debug, Clone)]
pub(crate) struct OnCondition {
    /// The call, its last segment.
    pub(crate) api: Name,
    /// The condition variable or event, where it is seen.
    pub(crate) on: Option<PlaceId>,
    pub(crate) does: Does,
}

/// What such a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// It waits on a condition variable.
    Wait {
        /// It asks for no condition itself.
        bare: bool,
        /// It waits for some time at most.
        timed: bool,
    },
    /// It wakes who waits.
    Wake,
}

/// What several functions know by one name: a field by its class, or a global.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Field(ClassRef, Name),
    Global(Name),
}

impl Key {
    pub(crate) fn name(&self) -> &Name {
        match self {
            Self::Field(_, name) | Self::Global(name) => name,
        }
    }
}

impl Program<'_> {
    /// What a statement has to do with threads that wait to be woken.
    pub(crate) fn on_condition(&self, f: FnRef, stmt: &Statement) -> Option<OnCondition> {
        let Statement::Call { callee, args, .. } = stmt else {
            return None;
        };
        let function = self.function(f);
        match callee {
            Callee::Method { receiver, name, .. } => {
                let condition = self.condition_of(f.0, function, callee)?;
                let does = if condition.wakes.iter().any(|wake| wake == name) {
                    Does::Wake
                } else if condition.waits.iter().any(|wait| wait == name) {
                    let mut bare = condition.bare.iter();
                    let bare = bare.find(|b| b.names.iter().any(|n| n == name));
                    let bare = bare.filter(|b| args.len() <= b.args);
                    let timeout = bare.and_then(|b| b.timeout);
                    Does::Wait {
                        bare: bare.is_some(),
                        timed: timeout.is_some_and(|n| may_end(args.get(n))),
                    }
                } else {
                    return None;
                };
                Some(OnCondition {
                    api: name.clone(),
                    on: Some(*receiver),
                    does,
                })
            }
            Callee::Function(name) => {
                let Target::Model(model) = self.target(f.0, function, callee, args.len()) else {
                    return None;
                };
                let (arg, does) = if model.wakes {
                    let timeout = model.wakes_within;
                    let timed = timeout.is_some_and(|n| may_end(args.get(n)));
                    (0, Does::Wait { bare: true, timed })
                } else {
                    (model.signals?, Does::Wake)
                };
                let given = args.get(arg).and_then(place_of);
                Some(OnCondition {
                    api: Name::new(last(name)),
                    on: given.map(|place| address_of(function, place).unwrap_or(place)),
                    does,
                })
            }
            _ => None,
        }
    }

    /// The condition variable that a method is called on.
    fn condition_of(
        &self,
        unit: usize,
        from: &Function,
        callee: &Callee,
    ) -> Option<&ConditionVariable> {
        let Callee::Method { receiver, name, ty } = callee else {
            return None;
        };
        if !self.models.is_of_condition(name) {
            return None;
        }
        let of = match ty {
            Some(ty) => self.resolve(ty).name.clone(),
            None => self.class_of_lambda_place(unit, from, *receiver)?,
        };
        self.models.condition(&of)
    }

    /// The type of a place; in a lambda, a name may be a field of the class around it.
    fn class_of_lambda_place(&self, unit: usize, from: &Function, place: PlaceId) -> Option<Name> {
        let at = &from.places[place];
        let Base::Global(name) = &at.base else {
            return self.class_of_place(unit, from, place);
        };
        let mut steps = vec![Proj::Field(name.clone())];
        steps.extend(at.proj.iter().cloned());
        let own = from.class.is_some();
        let field = own.then(|| self.class_behind(unit, from, &Base::SelfObj, &steps));
        field.flatten().or_else(|| {
            let globals = self.units[unit].globals.iter();
            let mut named = globals.filter(|g| last(&g.name) == name.as_str());
            let ty = &named.next()?.ty;
            at.proj.is_empty().then(|| self.resolve(ty).name.clone())
        })
    }

    /// The field or global that a place is, or lies in as an element.
    pub(crate) fn key(&self, f: FnRef, place: PlaceId) -> Option<Key> {
        let function = self.function(f);
        let place = &function.places[place];
        let field = place
            .proj
            .iter()
            .rposition(|step| matches!(step, Proj::Field(_)));
        let class = |base: &Base, before: &[Proj]| {
            let class = self.class_behind(f.0, function, base, before)?;
            self.class_ref_in(f.0, &function.name, &class)
        };
        match (field, &place.base) {
            (Some(at), base) => {
                let Proj::Field(name) = &place.proj[at] else {
                    return None;
                };
                // What a C++ lambda or method calls a field of its class.
                let (base, before) = match base {
                    Base::Global(first) => {
                        let mut steps = vec![Proj::Field(first.clone())];
                        steps.extend_from_slice(&place.proj[..at]);
                        (&Base::SelfObj, steps)
                    }
                    base => (base, place.proj[..at].to_vec()),
                };
                self.declared(class(base, &before)?, name)
            }
            (None, Base::Global(name)) => {
                let own = function.class.as_ref();
                let own = own.and_then(|class| self.class_ref(f.0, class));
                let field = own.and_then(|class| self.declared(class, name));
                field.or_else(|| Some(Key::Global(name.clone())))
            }
            _ => None,
        }
    }

    /// A field, by the class that declares it.
    fn declared(&self, class: ClassRef, name: &Name) -> Option<Key> {
        let declarer = self.declarer(class, name)?;
        let class = self.class_ref(class.0, &declarer)?;
        Some(Key::Field(class, name.clone()))
    }
}

/// The time is not known to be without end.
fn may_end(time: Option<&Operand>) -> bool {
    match time {
        None => false,
        Some(Operand::Const(Const::Named(name))) => {
            !matches!(last(name), "INFINITE" | "ULONG_MAX" | "Forever")
        }
        Some(Operand::Const(Const::Int(n))) => *n != 0xFFFF_FFFF && *n != -1,
        Some(_) => true,
    }
}

/// The variable a place is, as a whole or in parts, but not what it leads to.
pub(crate) fn local_of(function: &Function, place: PlaceId) -> Option<pipelint_ir::LocalId> {
    let place = &function.places[place];
    match place.base {
        Base::Local(l) if !place.proj.contains(&Proj::Deref) => Some(l),
        _ => None,
    }
}

/// The operands that a value is made of.
pub(crate) fn operands(value: &Rvalue) -> Vec<&Operand> {
    match value {
        Rvalue::Use(a) | Rvalue::Cast(_, a) => vec![a],
        Rvalue::Binary(_, a, b) => vec![a, b],
        Rvalue::Compare(c) => vec![&c.lhs, &c.rhs],
        Rvalue::Aggregate(items) => items.iter().map(|(_, a)| a).collect(),
        Rvalue::Unknown(items) => items.iter().collect(),
        Rvalue::Ref(_) | Rvalue::Closure(..) => Vec::new(),
    }
}
