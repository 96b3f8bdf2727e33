//! A folder of files and the command run in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// One PL103, a warning, at line 5.
pub(crate) const LEAK: &str = "#include <windows.h>

bool probe()
{
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr)
        return false;
    if (WaitForSingleObject(event, 1000) != WAIT_OBJECT_0)
        return false;
    CloseHandle(event);
    return true;
}
";

/// One PL105, an error, at line 10.
pub(crate) const TWICE: &str = "#include <windows.h>

bool shut()
{
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr)
        return false;
    SetEvent(event);
    CloseHandle(event);
    CloseHandle(event);
    return true;
}
";

/// Nothing to find.
pub(crate) const CLEAN: &str = "#include <windows.h>

bool raise()
{
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr)
        return false;
    SetEvent(event);
    CloseHandle(event);
    return true;
}
";

/// A folder that the command runs in.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().expect("a temporary folder"));
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    /// The command with these arguments, to be run in this folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipelint"));
        command
            .args(args)
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::new(self.command(args).output().expect("the command runs"))
    }

    /// Runs with `input` on standard input.
    pub(crate) fn pipe(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input).expect("the input is read");
        drop(stdin);
        Ran::new(child.wait_with_output().expect("the command ends"))
    }

    /// The findings of a run as `path:line:column: CODE`.
    pub(crate) fn found(&self, args: &[&str]) -> Vec<String> {
        let mut all = vec!["--format", "concise"];
        all.extend(args);
        self.run(&all).found()
    }
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// No run may panic, whatever the test is about.
    pub(crate) fn new(output: Output) -> Self {
        let ran = Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).expect("the output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("the messages are UTF-8"),
        };
        assert!(ran.status.is_some(), "killed by a signal: {ran:?}");
        for word in ["panicked", "overflowed its stack", "RUST_BACKTRACE"] {
            assert!(!ran.err.contains(word), "{}", ran.err);
        }
        ran
    }

    /// The lines of a concise report, without their words.
    pub(crate) fn found(&self) -> Vec<String> {
        let place = |line: &str| {
            let mut parts = line.splitn(3, ' ');
            match (parts.next(), parts.next()) {
                (Some(place), Some(code)) => format!("{place} {code}"),
                _ => line.to_owned(),
            }
        };
        self.out.lines().map(place).collect()
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in:\n{}", self.err);
        }
    }
}

/// As text of another width: each character in two bytes.
pub(crate) fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}
