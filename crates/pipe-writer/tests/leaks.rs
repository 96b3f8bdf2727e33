//! A thousand writers leave no handle behind. One test, since it counts the whole process's.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{LONG, MUCH, WAYS, open_handles, pair, pattern, pending};
use pipe_writer::{Completion, Options, anonymous_pipe};

/// One life of a writer, of each kind.
fn live(completion: Completion) {
    let (reader, writer) = pair(Options::new().completion(completion));
    writer.write(b"short").unwrap();
    writer.close().unwrap();
    drop(reader);

    let (reader, writer) = pending(completion);
    drop(writer);
    drop(reader);

    let (reader, writer) = pair(Options::new().capacity(MUCH).completion(completion));
    drop(reader);
    let _broken = writer.write_all(&pattern(1000), LONG);
    drop(writer);
}

#[test]
fn a_thousand_writers_leave_no_handle() {
    // What the system opens once for the process is open after the first rounds.
    for completion in WAYS {
        for _ in 0..10 {
            live(completion);
        }
    }
    // A handle that is open counts, or the test would prove nothing.
    let none = open_handles();
    let ends: Vec<_> = (0..20).map(|_| anonymous_pipe().unwrap()).collect();
    let all = open_handles();
    assert!(all >= none + 35, "{none} handles, and {all} with 40 more");
    drop(ends);

    let before = open_handles();
    for completion in WAYS {
        for _ in 0..500 {
            live(completion);
        }
    }
    let after = open_handles();
    // The threadpool's own threads come and go.
    assert!(
        after <= before + 5,
        "{before} handles before, {after} after"
    );
}
