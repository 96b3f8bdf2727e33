//! A grammar's node kinds and fields as numbers, looked up once.

use std::num::NonZeroU16;

use tree_sitter::Node;

/// The number that every ERROR node has, in any grammar.
pub(crate) const ERROR: u16 = u16::MAX;

/// Makes `K`, `kind` and `kind_and_named` for the grammar that `GRAMMAR` is where this stands.
macro_rules! kinds {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A named node kind that the lowering tells apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum K {
            /// An unnamed token, or a kind the lowering has no words for.
            Other,
            /// A node the parser could not place.
            Error,
            $($variant,)*
        }

        fn kind_by_name(name: &str) -> K {
            match name {
                $($name => K::$variant,)*
                _ => K::Other,
            }
        }

        /// Per kind number: the kind, and whether nodes of it are named.
        static KINDS: std::sync::LazyLock<Vec<(K, bool)>> = std::sync::LazyLock::new(|| {
            let count = u16::try_from(GRAMMAR.node_kind_count()).unwrap_or(u16::MAX);
            (0..count)
                .map(|id| {
                    if !GRAMMAR.node_kind_is_named(id) {
                        return (K::Other, false);
                    }
                    let kind = GRAMMAR.node_kind_for_id(id).map_or(K::Other, kind_by_name);
                    (kind, true)
                })
                .collect()
        });

        /// The kind of a node.
        pub(crate) fn kind(node: tree_sitter::Node<'_>) -> K {
            kind_and_named(node).0
        }

        /// The kind of a node, and whether it is a named one. Each question to the tree is a call out of
        /// the language: this asks once.
        pub(crate) fn kind_and_named(node: tree_sitter::Node<'_>) -> (K, bool) {
            match node.kind_id() {
                $crate::build::grammar::ERROR => (K::Error, true),
                id => match KINDS.get(usize::from(id)) {
                    Some(known) => *known,
                    None => (K::Other, node.is_named()),
                },
            }
        }
    };
}

pub(crate) use kinds;

/// Makes `F` for the grammar that `GRAMMAR` is where this stands.
macro_rules! fields {
    ($($field:ident = $name:literal),* $(,)?) => {
        /// The grammar's fields.
        #[allow(missing_docs)]
        pub(crate) struct Fields {
            $(pub(crate) $field: Option<std::num::NonZeroU16>,)*
        }

        /// Field numbers; a field the grammar does not have is none, and no node has it.
        pub(crate) static F: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(|| Fields {
            $($field: GRAMMAR.field_id_for_name($name),)*
        });
    };
}

pub(crate) use fields;

/// The child of `node` in a field.
pub(crate) fn field<'t>(node: Node<'t>, field: Option<NonZeroU16>) -> Option<Node<'t>> {
    node.child_by_field_id(field?.get())
}
