//! Renders a made-up report: `cargo run -p pipelint-report --example render -- sarif`.

use std::io;

use pipelint_report::{Style, format, write_report};

#[path = "../tests/sample/mod.rs"]
mod sample;

fn main() -> io::Result<()> {
    let mut name = "human".to_owned();
    let mut style = Style::default();
    for argument in std::env::args().skip(1) {
        if argument == "--color" {
            style.color = true;
        } else {
            name = argument;
        }
    }
    let format = format(&name).ok_or_else(|| io::Error::other("no such format"))?;
    let sample = sample::Sample::new();
    write_report(format, &sample.report(), &mut io::stdout().lock(), &style)
}
