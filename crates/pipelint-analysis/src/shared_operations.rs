//! Rust: types that the program says are safe to share between threads, and that hold an operation's memory or
//! a handle in a cell with no lock round it.

use pipelint_ir::{Class, Language, Name, Type};

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{Program, last};
use crate::rust::type_of;

/// How deep fields are looked into.
const DEEPEST: u32 = 6;

/// One event for each `unsafe impl Sync` of such a type.
pub(crate) fn shared(program: &Program<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    for (u, unit) in program.units.iter().enumerate() {
        if unit.language != Language::Rust {
            continue;
        }
        for class in unit
            .classes
            .iter()
            .filter(|class| !class.asserted.is_empty())
        {
            let looker = Looker { program, unit: u };
            let Some((field, holds)) = looker.unlocked(class, false, 0) else {
                continue;
            };
            let declared = class.fields.iter().find(|f| f.name == field);
            let at = declared.map_or(class.span, |f| f.span);
            for (name, span) in &class.asserted {
                if name == "Sync" {
                    events.push(Event {
                        kind: EventKind::SharedUnlocked {
                            class: Name::new(last(&class.name)),
                            field: field.clone(),
                            holds: holds.clone(),
                        },
                        at: *span,
                        function: class.name.clone(),
                        resource: None,
                        path: vec![PathStep {
                            span: at,
                            what: StepKind::Kept(holds.clone()),
                        }],
                        others: Vec::new(),
                    });
                }
            }
        }
    }
    events
}

struct Looker<'a, 'm> {
    program: &'a Program<'m>,
    unit: usize,
}

impl Looker<'_, '_> {
    /// The field of a type, and what it leads to, that two threads may change at once.
    fn unlocked(&self, class: &Class, in_cell: bool, depth: u32) -> Option<(Name, Name)> {
        if depth > DEEPEST {
            return None;
        }
        let mut fields = class.fields.iter().filter(|field| !field.is_static);
        fields.find_map(|field| {
            let holds = self.holds(class, &field.ty, in_cell, depth)?;
            Some((field.name.clone(), holds))
        })
    }

    fn holds(&self, class: &Class, ty: &Type, in_cell: bool, depth: u32) -> Option<Name> {
        if depth > DEEPEST || ty.reference != pipelint_ir::Reference::None {
            return None;
        }
        let name = last(&ty.name);
        let overlapped = |name: &str| matches!(last(name), "OVERLAPPED" | "WSAOVERLAPPED");
        if overlapped(&ty.name) {
            return Some(Name::new_static("an OVERLAPPED"));
        }
        // What a lock holds, one thread at a time has; what an `Arc` holds, answers for itself.
        if matches!(
            name,
            "Mutex" | "RwLock" | "ReentrantLock" | "FairMutex" | "ReentrantMutex" | "Arc"
        ) {
            return None;
        }
        if in_cell && self.program.models.is_handle_type(&ty.name) {
            return Some(Name::new_static("a handle in a cell"));
        }
        let cell = matches!(name, "Cell" | "RefCell" | "UnsafeCell" | "SyncUnsafeCell");
        let around = matches!(
            name,
            "Box" | "Option" | "ManuallyDrop" | "MaybeUninit" | "Vec" | "Pin" | "NonNull" | "(,)"
        );
        if cell || around {
            return ty
                .args
                .iter()
                .find_map(|arg| self.holds(class, &type_of(arg), in_cell || cell, depth + 1));
        }
        let inner = self.program.class_named(self.unit, &class.name, &ty.name)?;
        // A type that answers for itself is told where it does.
        if inner.asserted.iter().any(|(name, _)| name == "Sync") {
            return None;
        }
        self.unlocked(inner, in_cell, depth + 1)
            .map(|(_, holds)| holds)
    }
}
