//! The built-in owners, locks and guards: what their members do with what they hold.

use pipelint_models::{Copies, Holds, Owner, Role, Sentinel};
use pipelint_rules::models::builtin;

#[test]
fn each_owner_s_members_do_what_its_library_says() {
    let models = builtin();
    for (name, member, role) in [
        ("wil::unique_handle", "get", Some(Role::Get)),
        ("wil::unique_handle", "release", Some(Role::Release)),
        ("wil::unique_hfile", "reset", Some(Role::Reset)),
        ("wil::unique_hkey", "put", Some(Role::Put)),
        ("wil::unique_socket", "operator&", Some(Role::Put)),
        ("wil::unique_hkey", "addressof", Some(Role::Address)),
        ("wil::unique_event", "create", Some(Role::Open)),
        ("wil::unique_event", "SetEvent", None),
        ("wil::shared_handle", "release", None),
        ("wil::com_ptr", "reset", Some(Role::Close)),
        ("ATL::CHandle", "Attach", Some(Role::Attach)),
        ("ATL::CRegKey", "Open", Some(Role::Open)),
        ("ATL::CComPtr", "Attach", Some(Role::Reset)),
        ("ATL::CComPtr", "operator&", Some(Role::Address)),
        ("ATL::CAtlFile", "Detach", Some(Role::Release)),
        ("Wrappers::FileHandle", "Attach", Some(Role::Reset)),
        ("Microsoft::WRL::ComPtr", "operator&", Some(Role::Put)),
        ("std::unique_ptr", "release", Some(Role::Release)),
        ("std::shared_ptr", "release", None),
        ("QScopedPointer", "take", Some(Role::Release)),
        ("base::win::ScopedHandle", "Take", Some(Role::Release)),
        ("base::win::ScopedHandle", "Set", Some(Role::Reset)),
        ("absl::Cleanup", "Cancel", Some(Role::Cancel)),
    ] {
        let owner = models.owner(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(owner.role(member), role, "{name}::{member}");
    }
}

#[test]
fn an_owner_knows_what_it_holds_when_it_is_empty() {
    let models = builtin();
    let (null, invalid) = (Sentinel::Null, Sentinel::InvalidHandle);
    for (name, empty) in [
        ("wil::unique_handle", &[null, invalid][..]),
        ("wil::unique_hfile", &[invalid, null]),
        ("wil::unique_event_nothrow", &[null]),
        ("wil::unique_process_handle", &[null]),
        ("wil::unique_socket", &[Sentinel::InvalidSocket]),
        ("ATL::CHandle", &[null]),
        ("Wrappers::FileHandle", &[invalid]),
        ("winrt::file_handle", &[invalid]),
        ("base::win::ScopedHandle", &[null, invalid]),
        ("boost::scope::unique_fd", &[Sentinel::MinusOne]),
    ] {
        let owner = models.owner(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(owner.empty, empty, "{name}");
    }
}

#[test]
fn copies_of_owners_differ() {
    let models = builtin();
    for (name, copies) in [
        ("wil::unique_handle", Copies::Never),
        ("wil::shared_handle", Copies::Share),
        ("std::shared_ptr<Pipe>", Copies::Share),
        ("ATL::CHandle", Copies::Transfer),
        ("ATL::CAutoPtr<Pipe>", Copies::Transfer),
    ] {
        let owner = models.owner(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(owner.copies(), copies, "{name}");
    }
    assert!(!models.owner("QScopedPointer").is_some_and(Owner::moves));
    assert!(models.owner("ATL::CHandle").is_some_and(Owner::converts));
}

#[test]
fn guards_of_actions_are_made_by_functions() {
    let models = builtin();
    for name in [
        "wil::scope_exit",
        "gsl::finally",
        "absl::MakeCleanup",
        "folly::makeGuard",
        "qScopeGuard",
    ] {
        let owner = models.made_owner(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            (owner.holds(), owner.takes.as_slice()),
            (Holds::Action, &[0][..]),
            "{name}"
        );
    }
}

#[test]
fn every_function_that_locks_has_a_model() {
    let models = builtin();
    let mut calls = 0;
    for lock in models.locks().map(|(_, l)| l).chain(models.handle_locks()) {
        for name in lock.calls.iter().flat_map(|c| &c.names) {
            assert!(models.function(name).is_some(), "{name}");
            calls += 1;
        }
    }
    assert!(calls > 15, "{calls}");
    for (name, recursive) in [
        ("CRITICAL_SECTION", true),
        ("SRWLOCK", false),
        ("std::mutex", false),
        ("std::recursive_mutex", true),
        ("QMutex", false),
        ("absl::Mutex", false),
        ("boost::mutex", false),
        ("pthread_mutex_t", false),
    ] {
        assert_eq!(
            models.lock(name).map(|l| l.recursive),
            Some(recursive),
            "{name}"
        );
    }
    for name in [
        "std::lock_guard<std::mutex>",
        "std::scoped_lock",
        "QMutexLocker",
    ] {
        assert!(models.guard(name).is_some(), "{name}");
    }
}

#[test]
fn owners_release_what_they_hold() {
    let models = builtin();
    for (name, kind) in [
        ("wil::unique_handle", Some("handle")),
        ("wil::unique_event_nothrow", Some("handle")),
        ("wil::unique_hkey", Some("registry-key")),
        ("base::win::ScopedHandle", Some("handle")),
        ("CHandle", Some("handle")),
        ("std::unique_ptr<void, Closer>", None),
    ] {
        let owner = models
            .owner(name)
            .unwrap_or_else(|| panic!("{name} owns nothing"));
        assert_eq!(owner.kind.as_deref(), kind, "{name}");
    }
    for name in [
        "HANDLE",
        "OVERLAPPED",
        "std::vector",
        "std::string",
        "QString",
    ] {
        assert!(models.owner(name).is_none(), "{name}");
    }
}
