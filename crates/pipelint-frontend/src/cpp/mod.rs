//! C and C++.

mod classes;
pub mod config;
mod constants;
pub mod expand;
mod items;
mod kinds;
mod known;
mod literals;
mod lower;
pub mod prepare;
mod tree;
mod types;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use pipelint_ir::{Gap, GapReason, Language, Name, Pragma, Unit};
use pipelint_source::{FileId, Span};
use rustc_hash::FxHashSet;
use tree_sitter::Parser;

use crate::Lowered;
use expand::Scope;
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

/// A file is lowered this often, with fewer macros expanded each time, until what they became is
/// understood. The last time none is expanded.
const ATTEMPTS: u32 = 4;

/// Lowers one C or C++ file.
pub(crate) fn lower(
    file: FileId,
    text: &str,
    language: Language,
    config: &config::CppConfig,
    scope: &dyn Scope,
) -> Lowered {
    let input = Input {
        file,
        text,
        language,
        config,
    };
    let mut times = [Duration::ZERO; 3];
    let mut skip = FxHashSet::default();
    let mut left = ATTEMPTS;
    loop {
        left = left.saturating_sub(1);
        let macros = (left > 0).then_some((scope, &skip));
        match input.attempt(macros, &mut times) {
            Ok(unit) => {
                let [prepare, parse, lower] = times;
                return Lowered {
                    unit,
                    prepare,
                    parse,
                    lower,
                };
            }
            Err(names) => skip.extend(names),
        }
    }
}

/// One file.
struct Input<'a> {
    file: FileId,
    text: &'a str,
    language: Language,
    config: &'a config::CppConfig,
}

impl Input<'_> {
    /// The file's unit, or the macros whose expansions were not understood: there are none where
    /// none is expanded.
    fn attempt(
        &self,
        macros: Option<(&dyn Scope, &FxHashSet<Name>)>,
        times: &mut [Duration; 3],
    ) -> Result<Unit, Vec<Name>> {
        let Self {
            file,
            text,
            language,
            config,
        } = *self;
        let start = Instant::now();
        let prepared = prepare::prepare_with(file, text, language, config, macros);
        times[0] += start.elapsed();
        let start = Instant::now();
        let tree = parse(&prepared.text);
        times[1] += start.elapsed();
        let start = Instant::now();
        let mut unit = Unit {
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
            sees: Vec::new(),
            pragmas: Vec::new(),
            gaps: prepared.gaps,
        };
        let map = &prepared.map;
        let written = if map.is_empty() {
            text
        } else {
            &prepared.expanded
        };
        let text = prepared.text.as_str();
        let Some(tree) = tree else {
            let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
            unit.gaps.push(Gap {
                span: Span::new(file, 0, end),
                reason: GapReason::Syntax,
            });
            return Ok(unit);
        };
        let root = tree.root_node();
        let wrong = expand::broken(map, root);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut known = Known::new(language);
        known.constants.extend(
            unit.constants
                .iter()
                .map(|c| (c.name.clone(), c.value.clone())),
        );
        let mut items = Items {
            source: Source::new(file, text, written, map, root),
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
        times[2] += start.elapsed();
        let gaps = items.unit.functions.iter().flat_map(|f| &f.gaps);
        let wrong = map.names_at(gaps.map(|gap| gap.span));
        if wrong.is_empty() {
            Ok(items.unit)
        } else {
            Err(wrong)
        }
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
