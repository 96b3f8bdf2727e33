//! Calls whose one target the names do not show: which bodies in sight they may run. They are of virtual
//! methods, or of methods of what an inherited field leads to.

use pipelint_ir::{Base, Callee, Class, Name, PlaceId, Proj};
use rustc_hash::FxHashMap;

use crate::program::{ClassRef, FnRef, Program, Target, last};

/// The classes that derive from each class, by its name.
pub(crate) struct Dispatch(FxHashMap<Name, Vec<ClassRef>>);

impl Dispatch {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        let mut derived: FxHashMap<Name, Vec<ClassRef>> = FxHashMap::default();
        for (u, unit) in program.units.iter().enumerate() {
            for (c, class) in unit.classes.iter().enumerate() {
                for base in program.bases(u, class) {
                    derived.entry(base.name.clone()).or_default().push((u, c));
                }
            }
        }
        Self(derived)
    }

    /// The bodies that a call may run; none of one that goes to a function that is known.
    pub(crate) fn bodies(
        &self,
        program: &Program<'_>,
        from: FnRef,
        callee: &Callee,
        args: usize,
    ) -> Vec<FnRef> {
        let function = program.function(from);
        let (name, class) = match callee {
            Callee::Method { name, .. } => {
                let class = program.class_of_receiver(from.0, function, callee);
                (name, class)
            }
            // On the object itself.
            Callee::Function(name) if !name.contains("::") => {
                let class = function.class.as_deref();
                (name, class.and_then(|class| program.class(from.0, class)))
            }
            _ => return Vec::new(),
        };
        if program.target(from.0, function, callee, args) != Target::Unknown {
            return Vec::new();
        }
        if let Callee::Method { receiver, .. } = callee
            && let Some(class) = inherited(program, from, *receiver)
        {
            let body = program.method(from.0, class, name, args);
            return body.into_iter().collect();
        }
        let declares = |class: &Class| class.methods.iter().any(|m| last(&m.name) == *name);
        let Some(class) = class else {
            return Vec::new();
        };
        let bases = program.bases(from.0, class);
        let mut classes = std::iter::once(class).chain(bases);
        let Some(class) = classes.find(|class| declares(class)) else {
            return Vec::new();
        };
        let own = format!("{}::{name}", class.name);
        if !program.overridden.contains(&*own) {
            return Vec::new();
        }
        let mut found: Vec<FnRef> = program.pick_only(from.0, &own, args).into_iter().collect();
        for &(u, c) in self.0.get(&class.name).into_iter().flatten() {
            let derived = program.class_at((u, c));
            if declares(derived) {
                found.extend(program.pick_only(u, &format!("{}::{name}", derived.name), args));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The class of what a field leads to that the method's class has from a base, and names alone.
fn inherited<'p>(program: &'p Program<'_>, from: FnRef, receiver: PlaceId) -> Option<&'p Class> {
    let function = program.function(from);
    let place = &function.places[receiver];
    let (Base::Global(name), Some(_)) = (&place.base, &function.class) else {
        return None;
    };
    let field = std::iter::once(Proj::Field(name.clone()));
    let steps: Vec<Proj> = field.chain(place.proj.iter().cloned()).collect();
    let class = program.class_behind(from.0, function, &Base::SelfObj, &steps)?;
    program.class_named(from.0, &function.name, &class)
}
