//! The built-in models: all of them load, and the facts that others rest on are right.

use std::collections::BTreeMap;

use pipelint_models::{
    Acquire, FunctionModel, Good, IoKind, Models, OnFail, Role, Sentinel, Slot, Success,
};
use pipelint_rules::models::{builtin, files};

#[track_caller]
fn function(name: &str) -> FunctionModel {
    builtin()
        .function(name)
        .unwrap_or_else(|| panic!("{name} has no model"))
        .clone()
}

#[track_caller]
fn acquire(name: &str) -> Acquire {
    let f = function(name);
    assert_eq!(f.acquires.len(), 1, "{name} acquires one resource");
    f.acquires.into_iter().next().expect("counted")
}

#[track_caller]
fn fails_with(names: &[&str], kind: &str, failure: Sentinel) {
    for name in names {
        let a = acquire(name);
        assert_eq!(
            (a.kind.as_str(), a.at, a.failure),
            (kind, Slot::Result, Some(failure)),
            "{name}"
        );
    }
}

#[test]
fn every_file_of_the_folder_is_embedded_and_loads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let mut on_disk: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder exists")
        .map(|e| {
            e.expect("readable")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|n| n.ends_with(".toml"))
        .collect();
    on_disk.sort();
    assert_eq!(files().map(|(name, _)| name).collect::<Vec<_>>(), on_disk);
    if let Err(e) = Models::from_files(files()) {
        panic!("{e}");
    }
}

#[test]
fn no_name_is_described_in_two_files() {
    let mut places: BTreeMap<String, &str> = BTreeMap::new();
    for (file, text) in files() {
        let alone: toml::Table = text.parse().expect("TOML");
        for (section, key) in [
            ("functions", "names"),
            ("types", "names"),
            ("owners", "names"),
            ("locks", "names"),
            ("guards", "names"),
            ("resources", "kind"),
            ("constants", "name"),
        ] {
            for entry in alone
                .get(section)
                .and_then(|e| e.as_array())
                .into_iter()
                .flatten()
            {
                // A lock that is a handle has no name.
                let Some(value) = entry.get(key) else {
                    continue;
                };
                let names: Vec<_> = match value.as_array() {
                    Some(names) => names.iter().filter_map(|n| n.as_str()).collect(),
                    None => value.as_str().into_iter().collect(),
                };
                for name in names {
                    if let Some(first) = places.insert(format!("{section} {name}"), file) {
                        panic!("{section} {name} stands in {first} and in {file}");
                    }
                }
            }
        }
    }
    assert!(places.len() > 500);
}

#[test]
fn every_fact_cites_a_page() {
    let models = builtin();
    let mut count = 0;
    for (name, f) in models.functions() {
        assert!(f.page.starts_with("https://"), "{name}: {}", f.page);
        count += 1;
    }
    assert!(count > 300, "only {count} functions");
}

#[test]
fn functions_come_sorted_and_once() {
    let models = builtin();
    let names: Vec<&str> = models.functions().map(|(name, _)| name).collect();
    assert!(names.is_sorted_by(|a, b| a < b));
}

#[test]
fn calls_that_open_something_by_name_fail_with_invalid_handle_value() {
    fails_with(
        &[
            "CreateFile",
            "CreateFileA",
            "CreateFileW",
            "CreateFile2",
            "ReOpenFile",
            "CreateNamedPipe",
            "CreateNamedPipeA",
            "CreateNamedPipeW",
            "CreateMailslot",
            "CreateMailslotA",
            "CreateMailslotW",
            "CreateToolhelp32Snapshot",
            "CreateTransaction",
        ],
        "handle",
        Sentinel::InvalidHandle,
    );
    fails_with(
        &["FindFirstFile", "FindFirstFileW", "FindFirstFileExA"],
        "find-handle",
        Sentinel::InvalidHandle,
    );
    fails_with(
        &["FindFirstChangeNotificationW"],
        "change-notification",
        Sentinel::InvalidHandle,
    );
}

#[test]
fn calls_that_make_an_object_fail_with_null() {
    fails_with(
        &[
            "CreateEvent",
            "CreateEventA",
            "CreateEventW",
            "CreateEventExW",
            "OpenEventW",
            "CreateMutex",
            "CreateMutexExA",
            "OpenMutexW",
            "CreateSemaphoreW",
            "CreateThread",
            "CreateWaitableTimerW",
            "CreateFileMapping",
            "CreateFileMappingW",
            "OpenFileMappingA",
            "CreateJobObjectW",
            "CreateRemoteThread",
            "OpenProcess",
            "OpenThread",
            "_beginthreadex",
            "CreateIoCompletionPort",
        ],
        "handle",
        Sentinel::Null,
    );
    fails_with(&["CreateThreadpoolWait"], "threadpool-wait", Sentinel::Null);
    fails_with(&["CreateThreadpoolWork"], "threadpool-work", Sentinel::Null);
    fails_with(
        &["CreateThreadpoolTimer"],
        "threadpool-timer",
        Sentinel::Null,
    );
    fails_with(&["CreateThreadpoolIo"], "threadpool-io", Sentinel::Null);
}

#[test]
fn a_completion_port_is_new_only_without_an_existing_one() {
    let when = acquire("CreateIoCompletionPort").when.expect("a condition");
    assert_eq!((when.arg, when.null), (1, Some(true)));
    assert!(acquire("CreateFileW").when.is_none());
}

#[test]
fn a_pipe_comes_out_in_two_arguments_and_by_status() {
    let f = function("CreatePipe");
    let slots: Vec<Slot> = f.acquires.iter().map(|a| a.at.clone()).collect();
    assert_eq!(slots, [Slot::Out(0), Slot::Out(1)]);
    assert_eq!(f.success, Some(Success::Nonzero));
}

#[test]
fn a_process_comes_with_two_handles_in_a_structure() {
    for (name, argument) in [
        ("CreateProcessA", 9),
        ("CreateProcessAsUserW", 10),
        ("CreateProcessWithTokenW", 8),
        ("CreateProcessWithLogonW", 10),
    ] {
        let slots: Vec<Slot> = function(name).acquires.into_iter().map(|a| a.at).collect();
        assert_eq!(
            slots,
            [
                Slot::Field(argument, "hProcess".into()),
                Slot::Field(argument, "hThread".into())
            ],
            "{name}"
        );
    }
}

#[test]
fn a_pair_of_descriptors_comes_in_an_array() {
    for (name, argument) in [("_pipe", 0), ("pipe", 0), ("socketpair", 3)] {
        let f = function(name);
        let slots: Vec<&Slot> = f.acquires.iter().map(|a| &a.at).collect();
        assert_eq!(
            slots,
            [&Slot::Element(argument, 0), &Slot::Element(argument, 1)],
            "{name}"
        );
        assert_eq!(f.success, Some(Success::ZeroOrMinusOne), "{name}");
    }
}

#[test]
fn a_flag_can_keep_a_call_from_creating() {
    for (name, argument, flag) in [
        (
            "GetModuleHandleExW",
            0,
            "GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT",
        ),
        ("CryptAcquireContextW", 4, "CRYPT_DELETEKEYSET"),
    ] {
        let when = acquire(name).when.expect("a condition");
        assert_eq!((when.arg, when.no_flag.as_deref()), (argument, Some(flag)));
    }
}

#[test]
fn a_resource_by_status_has_one_success_code() {
    // With several, `status != 0` would tell nothing.
    let models = builtin();
    for (name, f) in models.functions() {
        if f.acquires.iter().any(|a| a.at.argument().is_some()) {
            assert_ne!(f.success, Some(Success::Nonnegative), "{name}");
        }
    }
}

#[test]
fn duplicating_can_close_the_source_even_when_it_fails() {
    let f = function("DuplicateHandle");
    assert_eq!(f.acquires[0].at, Slot::Out(3));
    let r = &f.releases[0];
    assert_eq!((r.arg, r.even_on_failure), (1, true));
    let when = r.when.as_ref().expect("a condition");
    assert_eq!(
        (when.arg, when.flag.as_deref()),
        (6, Some("DUPLICATE_CLOSE_SOURCE"))
    );
}

#[test]
fn each_kind_is_released_by_its_function() {
    for (name, kind) in [
        ("CloseHandle", "handle"),
        ("FindClose", "find-handle"),
        ("FindCloseChangeNotification", "change-notification"),
        ("CloseThreadpoolWait", "threadpool-wait"),
        ("CloseThreadpoolWork", "threadpool-work"),
        ("CloseThreadpoolTimer", "threadpool-timer"),
        ("CloseThreadpoolIo", "threadpool-io"),
        ("UnregisterWaitEx", "registered-wait"),
    ] {
        let f = function(name);
        let r = f
            .releases
            .first()
            .unwrap_or_else(|| panic!("{name} releases nothing"));
        assert_eq!((r.kind.as_str(), r.arg), (kind, 0), "{name}");
        assert!(!r.null_ok, "{name} may not be given NULL");
    }
}

#[test]
fn every_kind_has_the_releasing_function_it_names() {
    let models = builtin();
    for (name, f) in models.functions() {
        for a in &f.acquires {
            let kind = models.resource(&a.kind).expect("checked at load");
            let release = models.function(&kind.release);
            let release =
                release.unwrap_or_else(|| panic!("{name}: {} has no model", kind.release));
            assert!(
                release.releases.iter().any(|r| models.fits(r, &a.kind)),
                "{} does not release what {name} acquires",
                kind.release
            );
        }
    }
}

#[test]
fn every_failure_value_is_an_empty_value_of_its_kind() {
    let models = builtin();
    for (name, f) in models.functions() {
        for a in &f.acquires {
            let kind = models.resource(&a.kind).expect("checked at load");
            for failure in a.failure.iter() {
                assert!(kind.empty.contains(failure), "{name}: {failure:?}");
            }
        }
    }
}

#[test]
fn pipe_io_knows_its_arguments_and_its_error_codes() {
    let write = function("WriteFile").io.expect("I/O");
    assert_eq!(write.does, IoKind::Write);
    assert_eq!(
        (
            write.handle,
            write.buffer,
            write.length,
            write.count,
            write.overlapped
        ),
        (0, Some(1), Some(2), Some(3), Some(4))
    );
    assert_eq!(write.pending.as_deref(), Some("ERROR_IO_PENDING"));
    let connect = function("ConnectNamedPipe").io.expect("I/O");
    assert_eq!(connect.good_errors, ["ERROR_PIPE_CONNECTED"]);
    assert_eq!(connect.overlapped, Some(1));
    for name in [
        "SetNamedPipeHandleState",
        "FlushFileBuffers",
        "DisconnectNamedPipe",
    ] {
        assert!(function(name).io.is_some(), "{name}");
    }
}

#[test]
fn constants_have_the_values_of_the_headers() {
    let models = builtin();
    for (name, value) in [
        ("INVALID_HANDLE_VALUE", -1),
        ("NULL", 0),
        ("INFINITE", 0xFFFF_FFFF),
        ("WAIT_FAILED", 0xFFFF_FFFF),
        ("WAIT_TIMEOUT", 258),
        ("ERROR_IO_PENDING", 997),
        ("ERROR_PIPE_CONNECTED", 535),
        ("ERROR_BROKEN_PIPE", 109),
        ("E_FAIL", -2_147_467_259),
    ] {
        assert_eq!(models.constant(name), Some(value), "{name}");
    }
    assert_eq!(models.constant("NO_SUCH_CONSTANT"), None);
}

#[test]
fn a_threadpool_object_may_belong_to_its_cleanup_group() {
    for (name, environment) in [
        ("CreateThreadpoolWait", 2),
        ("CreateThreadpoolWork", 2),
        ("CreateThreadpoolTimer", 2),
        ("CreateThreadpoolIo", 3),
    ] {
        let when = acquire(name).when.expect("a condition");
        assert_eq!((when.arg, when.null), (environment, Some(true)), "{name}");
    }
}

#[test]
fn a_duplicate_is_ours_only_in_this_process() {
    let when = acquire("DuplicateHandle").when.expect("a condition");
    assert_eq!(
        (when.arg, when.equals.as_deref()),
        (2, Some("GetCurrentProcess()"))
    );
}

#[test]
fn checking_macros_know_when_their_argument_is_bad() {
    for (name, arg, good, on_fail) in [
        ("THROW_IF_FAILED", 0, Good::Nonnegative, OnFail::Throws),
        ("THROW_IF_NULL_ALLOC", 0, Good::Nonzero, OnFail::Throws),
        ("THROW_LAST_ERROR_IF", 0, Good::Zero, OnFail::Throws),
        ("THROW_LAST_ERROR_IF_NULL", 0, Good::Nonzero, OnFail::Throws),
        (
            "RETURN_IF_WIN32_BOOL_FALSE",
            0,
            Good::Nonzero,
            OnFail::Returns,
        ),
        ("RETURN_HR_IF", 1, Good::Zero, OnFail::Returns),
        ("RETURN_HR_IF_NULL_MSG", 1, Good::Nonzero, OnFail::Returns),
        ("FAIL_FAST_IF_NULL", 0, Good::Nonzero, OnFail::Aborts),
        (
            "LOG_IF_WIN32_BOOL_FALSE",
            0,
            Good::Nonzero,
            OnFail::Continues,
        ),
        ("PCHECK", 0, Good::Nonzero, OnFail::Aborts),
    ] {
        let check = function(name)
            .check
            .unwrap_or_else(|| panic!("{name} checks nothing"));
        assert_eq!(
            (check.arg, check.good, check.on_fail),
            (arg, good, on_fail),
            "{name}"
        );
    }
}

#[test]
fn assertions_that_vanish_judge_nothing() {
    for name in ["assert", "Q_ASSERT", "DCHECK", "_ASSERTE", "WI_ASSERT"] {
        let f = function(name);
        assert!(f.logs && f.check.is_none() && !f.noreturn, "{name}");
    }
}

#[test]
fn what_ends_the_process_does_not_return() {
    for name in [
        "exit",
        "std::exit",
        "abort",
        "ExitProcess",
        "std::terminate",
        "qFatal",
    ] {
        assert!(function(name).noreturn, "{name}");
    }
    // A method of an application or thread class, which does come back.
    assert!(builtin().function("QCoreApplication::exit").is_none());
    assert!(builtin().function("QThread::terminate").is_none());
}

#[test]
fn handles_that_are_not_ours_are_told() {
    for name in [
        "GetCurrentProcess",
        "GetCurrentThread",
        "GetStdHandle",
        "_get_osfhandle",
    ] {
        assert!(function(name).pseudo.is_some(), "{name}");
        assert!(function(name).acquires.is_empty(), "{name}");
    }
}

#[test]
fn a_descriptor_takes_its_handle_over() {
    let f = function("_open_osfhandle");
    assert_eq!(f.takes, [0]);
    assert_eq!(f.acquires[0].kind, "file-descriptor");
    assert_eq!(f.acquires[0].failure, Some(Sentinel::MinusOne));
}

#[test]
fn posix_close_takes_sockets_and_the_runtime_s_does_not() {
    let fits = |name, kind| function(name).releases[0].fits(kind);
    assert!(fits("close", "file-descriptor") && fits("close", "socket"));
    assert!(fits("_close", "file-descriptor") && !fits("_close", "socket"));
    assert!(fits("closesocket", "socket") && !fits("closesocket", "file-descriptor"));
}

#[test]
fn common_names_need_all_their_arguments() {
    // `open(mode)`, `socket()` and `send(message)` are methods of somebody's class.
    for (name, arguments) in [
        ("open", 2),
        ("socket", 3),
        ("send", 4),
        ("read", 3),
        ("write", 3),
        ("bind", 3),
    ] {
        let needs = function(name).needs;
        assert_eq!(needs.iter().max(), Some(&(arguments - 1)), "{name}");
    }
}

#[test]
fn every_example_of_the_documentation_loads() {
    let docs = include_str!("../../docs/models.md");
    let mut examples = 0;
    let mut models = builtin();
    for (i, block) in docs.split("```toml\n").skip(1).enumerate() {
        let example = block.split("```").next().unwrap_or_default();
        if !example.starts_with("[[") {
            continue;
        }
        let name = format!("example {}", i + 1);
        models = match models.with_files([(name.as_str(), example)]) {
            Ok(models) => models,
            Err(e) => panic!("{e}\n{example}"),
        };
        examples += 1;
    }
    assert!(examples >= 12, "{examples}");
    let owner = models.owner("acme::UniqueChannel").expect("an example");
    assert_eq!(owner.role("put"), Some(Role::Put));
}

#[test]
fn the_prefilter_takes_files_with_handles_or_locks_and_leaves_the_rest() {
    let filter = builtin().prefilter();
    for text in [
        "HANDLE h;",
        "x = CreateNamedPipeW(name, 0);",
        "static OVERLAPPED ov;",
        "SetEvent(d->event);",
        "fd = _open_osfhandle((intptr_t)h, 0);",
        "GetStdHandle(STD_OUTPUT_HANDLE)",
        "EnterCriticalSection(&cs);",
        "std::lock_guard<std::mutex> lock(mutex_);",
    ] {
        assert!(filter.matches(text.as_bytes()), "{text}");
    }
    for text in [
        "int main() { printf(\"%d\", 1); return 0; }",
        "void f(FILE *f) { fclose(f); close(3); exit(1); }",
        "std::sort(v.begin(), v.end());",
        "// the CreateNamedPipes and HANDLES of this world",
        "LocalFree(p); memset(&x, 0, sizeof x);",
    ] {
        assert!(!filter.matches(text.as_bytes()), "{text}");
    }
}

#[test]
fn models_of_a_user_are_laid_over_the_built_in_ones() {
    let user = r#"
[[functions]]
names = ["MyOpenPipe"]
page = "https://example.org/pipe"
acquires = [{ kind = "handle", failure = "INVALID_HANDLE_VALUE" }]
"#;
    let models = builtin()
        .with_files([("pipelint.toml", user)])
        .expect("loads");
    assert!(models.function("MyOpenPipe").is_some());
    assert!(models.function("CreateFileW").is_some());
    assert!(builtin().function("MyOpenPipe").is_none());
}
