//! C and C++.

mod classes;
pub mod config;
mod constants;
mod items;
mod kinds;
mod known;
mod literals;
mod lower;
pub mod prepare;
mod tree;
mod types;

use std::cell::RefCell;
use std::time::Instant;

use pipelint_ir::{Gap, GapReason, Language, Pragma, Unit};
use pipelint_source::{FileId, Span};
use tree_sitter::Parser;

use crate::Lowered;
use items::Items;
use known::Known;
use tree::Source;

/// What a comment holds that speaks to the linter.
const PRAGMA: &str = "pipelint:";

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// The tree of a text; none when the grammar does not load.
fn parse(text: &str) -> Option<tree_sitter::Tree> {
    PARSER.with(|slot| {
        let mut slot = slot.borrow_mut();
        if slot.is_none() {
            let mut parser = Parser::new();
            parser.set_language(&kinds::GRAMMAR).ok()?;
            *slot = Some(parser);
        }
        let parser = slot.as_mut()?;
        parser.reset();
        parser.parse(text, None)
    })
}

/// Lowers one C or C++ file.
pub(crate) fn lower(
    file: FileId,
    text: &str,
    language: Language,
    config: &config::CppConfig,
) -> Lowered {
    let start = Instant::now();
    let written = text;
    let prepared = prepare::prepare(file, text, language, config);
    let text = prepared.text.as_str();
    let prepare = start.elapsed();
    let start = Instant::now();
    let tree = parse(text);
    let parse = start.elapsed();
    let start = Instant::now();
    let unit = Unit {
        file,
        language,
        functions: Vec::new(),
        declarations: Vec::new(),
        classes: Vec::new(),
        globals: Vec::new(),
        constants: prepared.constants,
        macros: prepared.macros,
        aliases: Vec::new(),
        includes: prepared.includes,
        pragmas: Vec::new(),
        gaps: prepared.gaps,
    };
    let Some(tree) = tree else {
        let mut unit = unit;
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        unit.gaps.push(Gap {
            span: Span::new(file, 0, end),
            reason: GapReason::Syntax,
        });
        return Lowered {
            unit,
            prepare,
            parse,
            lower: start.elapsed(),
        };
    };
    let root = tree.root_node();
    let mut known = Known::new(language);
    known.constants.extend(
        unit.constants
            .iter()
            .map(|c| (c.name.clone(), c.value.clone())),
    );
    let mut items = Items {
        source: Source::new(file, text, written, root),
        known,
        unit,
        work: Vec::new(),
        noreturn: prepared
            .noreturn
            .iter()
            .map(|&at| next_token(text, at))
            .collect(),
        sal: prepared
            .sal
            .into_iter()
            .map(|(at, word)| (next_token(text, at), word))
            .collect(),
    };
    items.walk(root);
    items.unit.pragmas = pragmas(&items.source, root);
    lower::lower_all(&mut items);
    Lowered {
        unit: items.unit,
        prepare,
        parse,
        lower: start.elapsed(),
    }
}

/// The comments that speak to the linter.
fn pragmas<'t>(source: &Source<'t>, root: tree_sitter::Node<'t>) -> Vec<Pragma> {
    let mut out = Vec::new();
    if !source.text.contains(PRAGMA) {
        return out;
    }
    source.walk(root, |node, what| {
        if what == kinds::K::Comment {
            let text = source.text(node);
            if text.contains(PRAGMA) {
                out.push(Pragma {
                    text: text.to_owned(),
                    span: source.span(node),
                });
            }
        }
        true
    });
    out
}

/// The offset of the first token at or behind an offset.
fn next_token(text: &str, at: u32) -> u32 {
    let rest = text.as_bytes().get(at as usize..).unwrap_or_default();
    let skipped = rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    at.saturating_add(u32::try_from(skipped).unwrap_or(u32::MAX))
}
