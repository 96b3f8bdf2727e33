//! Parsing stretches of a text: the arguments of macros.

use std::cell::RefCell;
use std::sync::Arc;

use tree_sitter::{Node, Parser, Point, Range, Tree};

use super::cfg::Cfg;
use super::kinds::{F, GRAMMAR, K, field, kind};
use super::mend::mended;
use super::source::{Source, children};

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// The tree of a text, or of stretches of it, with the offsets of the whole; none when the grammar
/// does not load. Where it has errors, what the grammar is known not to know is mended.
pub(crate) fn parse(text: &str, stretches: &[(usize, usize)]) -> Option<Tree> {
    let tree = parse_as_it_is(text, stretches)?;
    if !tree.root_node().has_error() {
        return Some(tree);
    }
    let (start, _) = *stretches.first()?;
    let written = text.strip_suffix(END).map_or(text.len(), str::len);
    let ends = stretches.iter().map(|&(_, end)| end);
    let end = ends.filter(|end| *end <= written).max()?;
    match mended(text, start..end, &errors(tree.root_node())) {
        Some(text) => parse_as_it_is(&text, stretches),
        None => Some(tree),
    }
}

/// Where the parser did not understand a text.
fn errors(root: Node<'_>) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        if node.is_error() {
            out.push(node.byte_range());
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return out;
            }
        }
    }
}

fn parse_as_it_is(text: &str, stretches: &[(usize, usize)]) -> Option<Tree> {
    PARSER.with(|slot| {
        let mut slot = slot.borrow_mut();
        if slot.is_none() {
            let mut parser = Parser::new();
            parser.set_language(&GRAMMAR).ok()?;
            *slot = Some(parser);
        }
        let parser = slot.as_mut()?;
        parser.reset();
        // Points are not asked for: offsets in one line serve as well.
        let at = |byte: usize| Point::new(0, byte);
        let ranges: Vec<Range> = stretches
            .iter()
            .map(|&(start, end)| Range {
                start_byte: start,
                end_byte: end,
                start_point: at(start),
                end_point: at(end),
            })
            .collect();
        parser.set_included_ranges(&ranges).ok()?;
        parser.parse(text, None)
    })
}

/// The text of the branch that a `cfg_if!` chooses, without its braces: its start and end.
pub(crate) fn chosen_branch(source: &Source, cfg: &Cfg, tree: Node<'_>) -> Option<(usize, usize)> {
    let mut predicate: Option<Option<bool>> = None;
    let mut cursor = tree.walk();
    if !cursor.goto_first_child() {
        return None;
    }
    loop {
        let child = cursor.node();
        let text = source.text(child);
        if kind(child) == K::TokenTree {
            if text.starts_with('[') {
                let inner = text.trim_start_matches('[').trim_end_matches(']').trim();
                let inner = inner
                    .strip_prefix("cfg")
                    .map(str::trim)
                    .and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'));
                predicate = Some(inner.and_then(|inner| cfg.holds(inner)));
            } else if text.starts_with('{') {
                let holds = match predicate.take() {
                    Some(known) => known.unwrap_or(true),
                    // The last `else`.
                    None => true,
                };
                if holds {
                    return Some((child.start_byte() + 1, child.end_byte().saturating_sub(1)));
                }
            }
        }
        if !cursor.goto_next_sibling() {
            return None;
        }
    }
}

/// The items that a macro is given where an item may stand: what `cfg_if!` chooses, and else all
/// between the delimiters, if it reads as items. Their start and end.
fn item_stretch(source: &Source, cfg: &Cfg, node: Node<'_>) -> Option<(usize, usize)> {
    let (name, tree) = invocation(source, node)?;
    if name == "cfg_if" {
        return chosen_branch(source, cfg, tree);
    }
    let inside = (tree.start_byte() + 1, tree.end_byte().saturating_sub(1));
    (source.text(tree).starts_with('{') && inside.0 < inside.1).then_some(inside)
}

/// The tree of the items that a macro is given where an item may stand; none for any other item, and where
/// what it is given does not read as items.
pub(crate) fn items_given(source: &Source, cfg: &Cfg, node: Node<'_>) -> Option<Tree> {
    let stretch = item_stretch(source, cfg, macro_item(node)?)?;
    let parsed = parse(&source.text, &[stretch])?;
    (!parsed.root_node().has_error()).then_some(parsed)
}

/// The macro call that an item is; none for any other item.
pub(crate) fn macro_item<'t>(node: Node<'t>) -> Option<Node<'t>> {
    match kind(node) {
        K::MacroInvocation => Some(node),
        K::ExpressionStatement => {
            let inner = super::source::first(node)?;
            (kind(inner) == K::MacroInvocation).then_some(inner)
        }
        _ => None,
    }
}

/// The tree of an expression that stands in a text by itself: it is read with the `;` that ends every
/// [`Source`]'s text, since the grammar knows no expression without one between items.
pub(crate) fn parse_expression(source: &Source, stretches: &[(usize, usize)]) -> Option<Tree> {
    let end = source.text.len();
    let mut all = stretches.to_vec();
    all.push((end.checked_sub(END.len())?, end));
    parse(&source.text, &all)
}

/// The tree of a whole text.
pub(crate) fn parse_all(source: &Source) -> Option<Tree> {
    parse(
        &source.text,
        &[(0, source.text.len().checked_sub(END.len())?)],
    )
}

/// What ends the text of every source, behind what was written.
pub(crate) const END: &str = "\n;";

/// The name of a macro that is called, and its arguments with their delimiters.
pub(crate) fn invocation<'t>(source: &Source, node: Node<'t>) -> Option<(String, Node<'t>)> {
    let name = source.text(field(node, F.makro)?);
    let name = name.rsplit("::").next().unwrap_or(name).trim().to_owned();
    let tree = children(node)
        .into_iter()
        .find(|(_, what)| *what == K::TokenTree)?
        .0;
    Some((name, tree))
}

/// A text of one's own that stands for something in a file.
pub(crate) fn source_of(
    of: &Source,
    mut text: String,
    site: pipelint_source::Span,
    pieces: Vec<super::source::Piece>,
) -> Source {
    text.push_str(END);
    Source {
        file: of.file,
        text: Arc::from(text),
        origin: Some(Arc::new(super::source::Origin { site, pieces })),
    }
}
