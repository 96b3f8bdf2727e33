//! Types of the libraries that hold a value of another type, or lead to one: shared pointers, locks, cells and
//! the guards by which they lend what they hold.
//!
//! What a lock holds stands in it, as a part; a guard is the address of that part, so that what one guard
//! left there the next one finds.

use super::ty::{KEPT, Ty};

/// Types that stand for a shared object behind a pointer.
pub(crate) fn is_shared(name: &str) -> bool {
    matches!(name, "std::sync::Arc" | "std::rc::Rc")
}

/// Types that end what they were lent when they end, and meanwhile lead to it.
pub(crate) fn is_guard(name: &str) -> bool {
    let Some((of, last)) = name.rsplit_once("::") else {
        return false;
    };
    match of {
        "std::sync" | "parking_lot" | "tokio::sync" | "lock_api" => matches!(
            last,
            "MutexGuard"
                | "RwLockReadGuard"
                | "RwLockWriteGuard"
                | "RwLockUpgradableReadGuard"
                | "ReentrantMutexGuard"
                | "ReentrantLockGuard"
                | "FairMutexGuard"
                | "MappedMutexGuard"
                | "MappedRwLockReadGuard"
                | "MappedRwLockWriteGuard"
                | "OwnedMutexGuard"
                | "OwnedRwLockReadGuard"
                | "OwnedRwLockWriteGuard"
        ),
        "std::cell" => matches!(last, "Ref" | "RefMut"),
        _ => false,
    }
}

/// The same, of a type.
pub(crate) fn is_guard_type(ty: &Ty) -> bool {
    matches!(ty, Ty::Named(name, _) if is_guard(name))
}

/// Types that hold a value in themselves, and lend it by a call.
pub(crate) fn is_lock(name: &str) -> bool {
    matches!(
        name,
        "std::sync::Mutex"
            | "std::sync::RwLock"
            | "std::sync::ReentrantLock"
            | "std::cell::RefCell"
            | "parking_lot::Mutex"
            | "parking_lot::FairMutex"
            | "parking_lot::ReentrantMutex"
            | "parking_lot::RwLock"
            | "tokio::sync::Mutex"
            | "tokio::sync::RwLock"
    )
}

/// The type that `*x` is of, where `x` is a pointer object or a guard.
pub(crate) fn led_to(ty: &Ty) -> Option<&Ty> {
    match ty {
        Ty::Named(name, args) if is_shared(name) || is_guard(name) => {
            // `lock_api::MutexGuard<'_, R, T>`: what it leads to stands last.
            Some(args.last().unwrap_or(&Ty::Unknown))
        }
        _ => None,
    }
}

/// The part that holds the value, and its type, where `*x` is a part of `x` itself.
pub(crate) fn kept_in(ty: &Ty) -> Option<(&'static str, &Ty)> {
    match ty {
        Ty::Named(name, args) if is_kept(name) => {
            Some((KEPT, args.first().unwrap_or(&Ty::Unknown)))
        }
        _ => None,
    }
}

fn is_kept(name: &str) -> bool {
    matches!(
        name,
        "std::mem::ManuallyDrop" | "std::sync::LazyLock" | "once_cell::sync::Lazy"
    )
}

/// How a call lends what a lock holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lent {
    /// By a guard of this name.
    Guard(&'static str),
    /// By a guard, or with an error that holds it: `LockResult`.
    Poisoned(&'static str),
    /// By a guard, or not at all: a `Result`.
    Tried(&'static str),
    /// By a guard, or not at all: an `Option`.
    Perhaps(&'static str),
    /// By a reference, for whoever has the lock alone has what it holds.
    Reference,
    /// By a reference or an error.
    PoisonedReference,
}

/// What a method of a lock lends; none for any other method.
pub(crate) fn lent(lock: &str, method: &str) -> Option<Lent> {
    use Lent::{Guard, Perhaps, Poisoned, PoisonedReference, Reference, Tried};
    Some(match (lock, method) {
        ("std::sync::Mutex", "lock") => Poisoned("std::sync::MutexGuard"),
        ("std::sync::Mutex", "try_lock") => Tried("std::sync::MutexGuard"),
        ("std::sync::RwLock", "read") => Poisoned("std::sync::RwLockReadGuard"),
        ("std::sync::RwLock", "write") => Poisoned("std::sync::RwLockWriteGuard"),
        ("std::sync::RwLock", "try_read") => Tried("std::sync::RwLockReadGuard"),
        ("std::sync::RwLock", "try_write") => Tried("std::sync::RwLockWriteGuard"),
        ("std::sync::Mutex" | "std::sync::RwLock", "get_mut") => PoisonedReference,
        ("std::sync::ReentrantLock", "lock") => Guard("std::sync::ReentrantLockGuard"),
        ("std::cell::RefCell", "borrow") => Guard("std::cell::Ref"),
        ("std::cell::RefCell", "borrow_mut") => Guard("std::cell::RefMut"),
        ("std::cell::RefCell", "try_borrow") => Tried("std::cell::Ref"),
        ("std::cell::RefCell", "try_borrow_mut") => Tried("std::cell::RefMut"),
        ("parking_lot::Mutex", "lock") => Guard("parking_lot::MutexGuard"),
        ("parking_lot::Mutex", "try_lock" | "try_lock_for" | "try_lock_until") => {
            Perhaps("parking_lot::MutexGuard")
        }
        ("parking_lot::FairMutex", "lock") => Guard("parking_lot::FairMutexGuard"),
        ("parking_lot::FairMutex", "try_lock" | "try_lock_for" | "try_lock_until") => {
            Perhaps("parking_lot::FairMutexGuard")
        }
        ("parking_lot::ReentrantMutex", "lock") => Guard("parking_lot::ReentrantMutexGuard"),
        ("parking_lot::ReentrantMutex", "try_lock" | "try_lock_for" | "try_lock_until") => {
            Perhaps("parking_lot::ReentrantMutexGuard")
        }
        ("parking_lot::RwLock", "read" | "read_recursive") => Guard("parking_lot::RwLockReadGuard"),
        ("parking_lot::RwLock", "write") => Guard("parking_lot::RwLockWriteGuard"),
        ("parking_lot::RwLock", "upgradable_read") => {
            Guard("parking_lot::RwLockUpgradableReadGuard")
        }
        ("parking_lot::RwLock", "try_read" | "try_read_for" | "try_read_until") => {
            Perhaps("parking_lot::RwLockReadGuard")
        }
        ("parking_lot::RwLock", "try_write" | "try_write_for" | "try_write_until") => {
            Perhaps("parking_lot::RwLockWriteGuard")
        }
        ("tokio::sync::Mutex", "lock" | "blocking_lock") => Guard("tokio::sync::MutexGuard"),
        ("tokio::sync::Mutex", "try_lock") => Tried("tokio::sync::MutexGuard"),
        ("tokio::sync::RwLock", "read" | "blocking_read") => Guard("tokio::sync::RwLockReadGuard"),
        ("tokio::sync::RwLock", "write" | "blocking_write") => {
            Guard("tokio::sync::RwLockWriteGuard")
        }
        ("tokio::sync::RwLock", "try_read") => Tried("tokio::sync::RwLockReadGuard"),
        ("tokio::sync::RwLock", "try_write") => Tried("tokio::sync::RwLockWriteGuard"),
        (lock, "get_mut") if is_lock(lock) => Reference,
        _ => return None,
    })
}
