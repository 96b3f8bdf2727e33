//! What was not understood.

use pipelint_ir::{GapReason, Name, Operand, PlaceId, Rvalue, Type};
use rustc_hash::FxHashSet;
use tree_sitter::Node;

use super::Lowerer;
use crate::cpp::kinds::{K, kind};

impl<'t> Lowerer<'_, 't> {
    /// The places that code may touch: every name in it.
    pub(super) fn touches(&mut self, node: Node<'t>) -> Vec<PlaceId> {
        let mut names: Vec<Name> = Vec::new();
        let mut seen: FxHashSet<&'t str> = FxHashSet::default();
        let source = &self.items.source;
        source.walk(node, |child, what| {
            if matches!(what, K::Identifier | K::TypeIdentifier | K::FieldIdentifier) {
                let text = source.text(child);
                if !text.is_empty() && seen.insert(text) {
                    names.push(Name::new(text));
                }
            }
            true
        });
        let mut out = Vec::new();
        for name in names {
            let (place, _) = self.resolve(&name);
            out.push(self.f.places.intern(place));
        }
        out
    }

    /// The code of `node` was not lowered.
    pub(super) fn opaque(&mut self, node: Node<'t>, reason: GapReason) {
        let touches = self.touches(node);
        let span = self.items.source.span(node);
        self.f.opaque(touches, reason, span);
    }

    /// An expression was not lowered: its value is unknown.
    pub(super) fn opaque_value(&mut self, node: Node<'t>, reason: GapReason) -> Operand {
        self.opaque(node, reason);
        self.unknown(node, Vec::new())
    }

    /// A value nothing is known of.
    pub(super) fn unknown(&mut self, node: Node<'t>, from: Vec<Operand>) -> Operand {
        let span = self.items.source.span(node);
        let temp = self.f.temp(Type::default(), span);
        self.f.assign(temp, Rvalue::Unknown(from), span);
        Operand::Copy(temp)
    }

    /// A construct the lowering has no words for.
    pub(super) fn unsupported(&mut self, node: Node<'t>) -> Operand {
        let reason = match kind(node) {
            K::Error => GapReason::Syntax,
            _ => GapReason::Unsupported(Name::new(node.kind())),
        };
        self.opaque_value(node, reason)
    }

    /// Enters one level of nesting, or notes that it is too deep.
    pub(super) fn enter(&mut self, node: Node<'t>) -> bool {
        if self.depth >= super::MAX_DEPTH {
            self.opaque(node, GapReason::TooDeep);
            return false;
        }
        self.depth += 1;
        true
    }

    /// Leaves one level of nesting.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}
