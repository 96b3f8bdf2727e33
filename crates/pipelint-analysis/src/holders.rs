//! Rust's locks and cells, and the guards by which they lend what they hold.
//!
//! The front end names what a lock holds as a part of it, and a guard as the address of that part.

use pipelint_ir::{Name, Type};

use crate::forget::KEPT;
use crate::program::{Program, last};
use crate::rust::type_of;

/// The part of a holder in which its value stands, and its type; none for any other type.
pub(crate) fn kept_in(ty: &Type) -> Option<(Name, Type)> {
    let holds = ty.name.contains("::")
        && matches!(
            last(&ty.name),
            "Mutex"
                | "RwLock"
                | "FairMutex"
                | "ReentrantMutex"
                | "ReentrantLock"
                | "RefCell"
                | "LazyLock"
                | "Lazy"
        );
    let inner = ty.args.first().filter(|_| holds)?;
    Some((Name::new_static(KEPT), type_of(inner)))
}

/// A type of Rust's libraries that is the address of what it lends.
pub(crate) fn is_guard(name: &str) -> bool {
    let name = last(name);
    name.ends_with("MutexGuard")
        || name.ends_with("ReadGuard")
        || name.ends_with("WriteGuard")
        || matches!(name, "ReentrantLockGuard" | "RefMut")
}

/// A guard, or an object of the program's own around one.
pub(crate) fn leads_to_guarded(program: &Program<'_>, unit: usize, ty: &Type) -> bool {
    let within = || {
        let fields = program.class(unit, &ty.name).map(|class| &class.fields);
        let guards = fields.into_iter().flatten();
        guards.filter(|field| is_guard(&field.ty.name)).count() == 1
    };
    ty.is_object() && !ty.args.is_empty() && (is_guard(&ty.name) || within())
}

/// What a shared pointer or a guard of Rust's leads to.
pub(crate) fn led_to(ty: &Type) -> Option<Type> {
    let shared = matches!(&*ty.name, "std::sync::Arc" | "std::rc::Rc");
    let leads = ty.is_object() && (shared || is_guard(&ty.name));
    ty.args.last().filter(|_| leads).map(|inner| type_of(inner))
}
