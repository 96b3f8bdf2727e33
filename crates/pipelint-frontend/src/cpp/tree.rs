//! The text under the tree, and walks over its children.

use std::cell::RefCell;
use std::num::NonZeroU16;

use pipelint_ir::Name;
use pipelint_source::{FileId, Span};
use tree_sitter::{Node, TreeCursor};

use super::expand::Map;
use super::kinds::{F, K, field, kind, kind_and_named};

/// The parsed text of one file.
pub(crate) struct Source<'t> {
    /// The file.
    pub(crate) file: FileId,
    /// The text that was parsed.
    pub(crate) text: &'t str,
    /// The text before words were blanked. In C, words that C++ reserves were respelt before the parse.
    written: &'t str,
    /// From the parsed text to the file: macros were expanded in it.
    map: &'t Map,
    /// One cursor for every walk: making one allocates.
    cursor: RefCell<TreeCursor<'t>>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(
        file: FileId,
        text: &'t str,
        written: &'t str,
        map: &'t Map,
        root: Node<'t>,
    ) -> Self {
        Self {
            file,
            text,
            written,
            map,
            cursor: RefCell::new(root.walk()),
        }
    }

    /// The text of a node.
    pub(crate) fn text(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    /// The span of a node.
    pub(crate) fn span(&self, node: Node<'_>) -> Span {
        self.span_of(node.start_byte(), node.end_byte())
    }

    /// The span of a byte range. What came of a macro has the place of its use.
    pub(crate) fn span_of(&self, start: usize, end: usize) -> Span {
        let (start, end) = self.map.written(start, end);
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, clamp(start), clamp(end))
    }

    /// The text of a node as a name.
    pub(crate) fn name(&self, node: Node<'_>) -> Name {
        let text = self.text(node);
        match self.written.get(node.byte_range()) {
            Some(written) if written.eq_ignore_ascii_case(text) => Name::new(written),
            _ => Name::new(text),
        }
    }

    /// Whether this word stood where a node begins, before words were blanked.
    pub(crate) fn begins_with(&self, node: Node<'_>, word: &str) -> bool {
        let from = self.written.get(node.start_byte()..);
        from.is_some_and(|text| text.starts_with(word))
    }

    /// Whether this word stood before a node, before words were blanked.
    pub(crate) fn follows_word(&self, node: Node<'_>, word: &str) -> bool {
        let before = self.written.get(..node.start_byte());
        before.is_some_and(|text| text.trim_end().ends_with(word))
    }

    /// Calls `f` with each child, its kind and its field, comments left out.
    pub(crate) fn each_child(
        &self,
        node: Node<'t>,
        mut f: impl FnMut(Node<'t>, K, Option<NonZeroU16>),
    ) {
        self.each_child_at(node, |cursor, child, (what, _)| {
            f(child, what, cursor.field_id());
        });
    }

    /// Calls `f` at each child, comments left out, with its kind and whether it is named. The
    /// cursor looks for a field through all the unseen nodes that a long list is made of, so only a
    /// caller that wants the field asks.
    fn each_child_at(
        &self,
        node: Node<'t>,
        mut f: impl FnMut(&TreeCursor<'t>, Node<'t>, (K, bool)),
    ) {
        let mut cursor = self.cursor.borrow_mut();
        cursor.reset(node);
        if !cursor.goto_first_child() {
            return;
        }
        loop {
            let child = cursor.node();
            let what = kind_and_named(child);
            if what.0 != K::Comment {
                f(&cursor, child, what);
            }
            if !cursor.goto_next_sibling() {
                return;
            }
        }
    }

    /// The named children, comments left out.
    pub(crate) fn children(&self, node: Node<'t>) -> Vec<Node<'t>> {
        let mut out = Vec::new();
        self.each_child_at(node, |_, child, (_, named)| {
            if named {
                out.push(child);
            }
        });
        out
    }

    /// The first named child.
    pub(crate) fn first(&self, node: Node<'t>) -> Option<Node<'t>> {
        let child = node.named_child(0)?;
        if kind(child) == K::Comment {
            return self.children(node).first().copied();
        }
        Some(child)
    }

    /// The first child of a kind.
    pub(crate) fn child_of(&self, node: Node<'t>, wanted: K) -> Option<Node<'t>> {
        let mut out = None;
        self.each_child_at(node, |_, child, (what, _)| {
            if out.is_none() && what == wanted {
                out = Some(child);
            }
        });
        out
    }

    /// Strips parentheses around an expression; a parenthesised ERROR stays.
    pub(crate) fn bare(&self, mut node: Node<'t>) -> Node<'t> {
        while kind(node) == K::ParenthesizedExpression && node.named_child_count() == 1 {
            let Some(inner) = node.named_child(0) else {
                break;
            };
            node = inner;
        }
        while kind(node) == K::ParenthesizedExpression {
            let inner = self.children(node);
            let [one] = inner.as_slice() else { break };
            node = *one;
        }
        node
    }

    /// Calls `f` with every node under `node`, itself first, until `f` says not to descend.
    pub(crate) fn walk(&self, node: Node<'t>, mut f: impl FnMut(Node<'t>, K) -> bool) {
        let mut cursor = node.walk();
        loop {
            let here = cursor.node();
            if f(here, kind(here)) && cursor.goto_first_child() {
                continue;
            }
            loop {
                if cursor.node() == node {
                    return;
                }
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// A name without template arguments and white space, `::`-qualified as written, with no
    /// leading `::`.
    pub(crate) fn qualified(&self, node: Node<'t>) -> Name {
        match kind(node) {
            K::Identifier | K::FieldIdentifier | K::TypeIdentifier | K::NamespaceIdentifier => {
                self.name(node)
            }
            _ => {
                let mut out = String::new();
                self.push_qualified(node, &mut out);
                Name::new(out)
            }
        }
    }

    fn push_qualified(&self, mut node: Node<'t>, out: &mut String) {
        loop {
            match kind(node) {
                K::QualifiedIdentifier => {
                    if let Some(scope) = field(node, F.scope) {
                        self.push_segment(scope, out);
                        out.push_str("::");
                    }
                    let Some(name) = field(node, F.name) else {
                        return;
                    };
                    node = name;
                }
                _ => {
                    self.push_segment(node, out);
                    return;
                }
            }
        }
    }

    fn push_segment(&self, mut node: Node<'t>, out: &mut String) {
        loop {
            match kind(node) {
                K::TemplateType | K::TemplateFunction | K::TemplateMethod => {
                    let Some(name) = field(node, F.name) else {
                        return;
                    };
                    node = name;
                }
                K::DependentName | K::DependentType => {
                    let Some(inner) = self.first(node) else {
                        return;
                    };
                    node = inner;
                }
                K::QualifiedIdentifier => {
                    // A scope that is itself qualified; the grammar nests names, not scopes.
                    out.extend(self.text(node).split_whitespace());
                    return;
                }
                K::OperatorCast => {
                    out.push_str("operator ");
                    if let Some(ty) = field(node, F.ty) {
                        out.push_str(&squeeze(self.text(ty)));
                    }
                    return;
                }
                K::OperatorName => {
                    let text = squeeze(self.text(node));
                    let symbol = text.strip_prefix("operator").unwrap_or(&text).trim();
                    out.push_str("operator");
                    if symbol.starts_with(|c: char| c.is_alphabetic()) {
                        out.push(' ');
                    }
                    out.push_str(symbol);
                    return;
                }
                _ => {
                    out.extend(self.text(node).split_whitespace());
                    return;
                }
            }
        }
    }

    /// The template arguments of the last name of a qualified name.
    pub(crate) fn template_args(&self, mut node: Node<'t>) -> Vec<Name> {
        loop {
            match kind(node) {
                K::QualifiedIdentifier => {
                    let Some(name) = field(node, F.name) else {
                        return Vec::new();
                    };
                    if kind(name) != K::QualifiedIdentifier
                        && !is_template(name)
                        && let Some(scope) = field(node, F.scope)
                        && is_template(scope)
                    {
                        node = scope;
                    } else {
                        node = name;
                    }
                }
                K::DependentName | K::DependentType => {
                    let Some(inner) = self.first(node) else {
                        return Vec::new();
                    };
                    node = inner;
                }
                K::TemplateType | K::TemplateFunction | K::TemplateMethod => {
                    let Some(list) = field(node, F.arguments) else {
                        return Vec::new();
                    };
                    return self
                        .children(list)
                        .into_iter()
                        .map(|arg| Name::new(squeeze(self.text(arg))))
                        .collect();
                }
                _ => return Vec::new(),
            }
        }
    }
}

fn is_template(node: Node<'_>) -> bool {
    matches!(
        kind(node),
        K::TemplateType | K::TemplateFunction | K::TemplateMethod
    )
}

/// Text with each run of white space made one space.
pub(crate) fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The last segment of a qualified name.
pub(crate) fn last_segment(name: &str) -> &str {
    if !name.contains(':') {
        return name;
    }
    name.rfind("::").map_or(name, |at| &name[at + 2..])
}
