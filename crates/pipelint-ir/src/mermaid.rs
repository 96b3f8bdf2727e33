//! The control-flow graph as a mermaid flowchart.

use std::fmt::Write;

use crate::print::Printer;
use crate::{Function, Terminator};

/// One node a block, its statements as its label; edges named by what they mean.
pub fn mermaid(function: &Function) -> String {
    let printer = Printer::new(function);
    let mut out = String::from("flowchart TD\n");
    for (b, block) in function.blocks.iter().enumerate() {
        let mut text = format!("bb{b}:");
        for stmt in &block.stmts {
            text.push('\n');
            let _ = printer.statement(&mut text, stmt);
        }
        text.push('\n');
        let _ = printer.terminator(&mut text, &block.term);
        let _ = writeln!(out, "  bb{b}[\"{}\"]", escape(&text));
        let mut edge = |label: &str, to: u32| {
            let label = if label.is_empty() {
                String::new()
            } else {
                format!("|\"{}\"|", escape(label))
            };
            let _ = writeln!(out, "  bb{b} -->{label} bb{to}");
        };
        match &block.term {
            Terminator::Goto(to) => edge("", to.0),
            Terminator::Branch {
                then, otherwise, ..
            } => {
                edge("yes", then.0);
                edge("no", otherwise.0);
            }
            Terminator::Switch { arms, default, .. } => {
                for (value, to) in arms {
                    let mut label = String::new();
                    let _ = printer.constant(&mut label, value);
                    edge(&label, to.0);
                }
                edge("default", default.0);
            }
            Terminator::Return(_) | Terminator::Unwind | Terminator::Unreachable => {}
        }
        if let Some(handler) = block.unwind {
            let _ = writeln!(out, "  bb{b} -.->|\"throws\"| bb{}", handler.0);
        }
    }
    out
}

/// Characters that end a quoted label or are markup, as mermaid's entity codes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            '"' => out.push_str("#quot;"),
            '`' => out.push_str("#96;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '#' => out.push_str("#35;"),
            c => out.push(c),
        }
    }
    out
}
