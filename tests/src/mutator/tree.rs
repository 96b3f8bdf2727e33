//! What both languages ask of a tree.

use tree_sitter::{Language, Node, Parser, Tree};

/// The tree of a text.
pub(super) fn parse(text: &str, language: &Language) -> Result<Tree, String> {
    let mut parser = Parser::new();
    parser.set_language(language).map_err(|e| e.to_string())?;
    let tree = parser.parse(text, None).ok_or("was not parsed")?;
    Ok(tree)
}

/// How many places of a text the grammar does not know: macros of C++ are such.
pub(super) fn errors(text: &str, language: &Language) -> usize {
    parse(text, language).map_or(usize::MAX, |tree| {
        let nodes = all(tree.root_node()).into_iter();
        nodes.filter(|n| n.is_error() || n.is_missing()).count()
    })
}

/// All nodes below one, itself included, each before its children.
pub(super) fn all(node: Node<'_>) -> Vec<Node<'_>> {
    let mut out = Vec::new();
    let mut todo = vec![node];
    while let Some(node) = todo.pop() {
        out.push(node);
        todo.extend(children(node).into_iter().rev());
    }
    out
}

/// The named children of a node.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// The outermost nodes below one, itself included, of these kinds.
pub(super) fn outermost<'t>(node: Node<'t>, kinds: &[&str]) -> Vec<Node<'t>> {
    let mut out = Vec::new();
    let mut todo = vec![node];
    while let Some(node) = todo.pop() {
        if kinds.contains(&node.kind()) {
            out.push(node);
        } else {
            todo.extend(children(node).into_iter().rev());
        }
    }
    out
}

/// The nodes that a node stands in, the nearest first.
pub(super) fn ancestors(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    std::iter::successors(node.parent(), Node::parent)
}

/// The text of a node.
pub(super) fn text_of<'s>(source: &'s str, node: Node<'_>) -> &'s str {
    source.get(node.byte_range()).unwrap_or_default()
}
