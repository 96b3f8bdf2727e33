//! The cost of a report grows with its findings, not with them times their file.

use std::{
    cell::Cell,
    io::{self, Write},
};

use pipelint_report::{
    Diagnostic, LineIndex, MemorySources, Report, Sources, Style, format, formats, write_report,
};
use pipelint_source::{FileId, Span};

mod sample;
use sample::{UNCHECKED, step};

/// Counts what the formats ask for.
struct Counting<'a> {
    sources: MemorySources<'a>,
    questions: Cell<usize>,
}

impl Counting<'_> {
    fn count(&self) {
        self.questions.set(self.questions.get() + 1);
    }
}

impl Sources for Counting<'_> {
    fn path(&self, file: FileId) -> &str {
        self.count();
        self.sources.path(file)
    }

    fn text(&self, file: FileId) -> &str {
        self.count();
        self.sources.text(file)
    }

    fn lines(&self, file: FileId) -> &LineIndex {
        self.count();
        self.sources.lines(file)
    }
}

const LINE: &str = "    HANDLE h = make(宽);\n";

/// The questions asked and bytes written for findings on the first lines of a file.
fn cost(name: &str, findings: usize, lines: usize) -> (usize, usize) {
    let text = LINE.repeat(lines);
    let mut sources = MemorySources::new();
    let file = sources.add("a.cpp", text.as_str());
    let sources = Counting {
        sources,
        questions: Cell::new(0),
    };
    let diagnostics: Vec<Diagnostic> = (0..findings)
        .map(|at| {
            let start = (at * LINE.len()) as u32 + 15;
            let primary = Span::new(file, start, start + 4);
            Diagnostic {
                rule: &UNCHECKED,
                primary,
                label: "here".to_owned(),
                message: "a finding".to_owned(),
                path: vec![step(primary, "made"), step(Span::new(file, 4, 10), "used")],
                related: vec![],
                help: "mend it".to_owned(),
                function: "f".to_owned(),
            }
        })
        .collect();
    let report = Report {
        diagnostics: &diagnostics,
        ..Report::new(&sources)
    };
    let mut out = Vec::new();
    let format = format(name).expect("the format is in the list");
    write_report(format, &report, &mut out, &Style::default()).expect("memory can be written");
    (sources.questions.get(), out.len())
}

#[test]
fn twice_the_findings_cost_twice_as_much() {
    for format in formats() {
        let name = format.name();
        let (questions, bytes) = cost(name, 1_500, 40_000);
        let (more_questions, more_bytes) = cost(name, 3_000, 40_000);
        // The first findings share lines with the far step and ask a little less.
        assert!(
            more_questions <= 2 * questions + 100,
            "{name}: {more_questions} {questions}"
        );
        // Line numbers and counters get longer.
        assert!(
            more_bytes * 100 <= bytes * 205,
            "{name}: {more_bytes} {bytes}"
        );
    }
}

#[test]
fn the_size_of_the_file_costs_nothing() {
    for format in formats() {
        let name = format.name();
        assert_eq!(cost(name, 100, 200), cost(name, 100, 100_000), "{name}");
    }
}

/// Takes some bytes, then fails.
struct Full {
    room: usize,
    taken: Vec<u8>,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.room {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.room -= bytes.len();
        self.taken.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_rest_is_not_forced_on_it() {
    let sample = sample::Sample::new();
    for format in formats() {
        let mut out = Full {
            room: 100,
            taken: Vec::new(),
        };
        let error = write_report(*format, &sample.report(), &mut out, &Style::default())
            .expect_err("there is no room");
        assert_eq!(
            error.kind(),
            io::ErrorKind::StorageFull,
            "{}",
            format.name()
        );
        assert_eq!(out.taken, b"", "{}", format.name());
    }
}
