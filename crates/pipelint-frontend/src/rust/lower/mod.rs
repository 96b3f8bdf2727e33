//! Function bodies to control-flow graphs.

mod arguments;
mod block;
mod call;
mod closure;
mod combinator;
mod cond;
mod control;
mod expr;
mod function;
mod library;
mod literal;
mod locks;
mod macros;
mod matches;
mod method;
mod outcome;
mod pattern;
mod place;
mod raw;
mod regroup;
mod select;
mod special;
mod taken;
mod wrapped;

use std::sync::Arc;

use pipelint_ir::{BlockId, Function, FunctionKind, GapReason, LocalId, LocalKind, Name, Operand};
use pipelint_ir::{PlaceId, Rvalue, Type};
use pipelint_source::Span;
use rustc_hash::FxHashMap;
use tree_sitter::Node;

use super::cfg::Cfg;
use super::index::{Index, Receiver};
use super::source::{Origin, Source};
use super::ty::Ty;
use super::types::Scope;
use super::{Site, SiteKind};
use crate::build::frame::{Frame, Link};

/// Nesting of statements and expressions that is followed; beyond it stands a gap.
const MAX_DEPTH: u32 = 160;
/// Macros expanded within each other.
const MAX_EXPANSION: u32 = 12;

/// A value: where it is or what it is, and its type as far as it is known.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) op: Operand,
    pub(super) ty: Ty,
}

/// Where `return` and `?` go.
#[derive(Debug, Clone)]
pub(super) struct Exit {
    /// What is returned goes here; none of a function that returns nothing.
    slot: Option<PlaceId>,
    ty: Ty,
    /// Out of the function, or to a block with this alive.
    to: Option<(BlockId, Link)>,
    /// How many temporaries live on there.
    temps: usize,
}

/// A loop, or a block with a label.
#[derive(Debug, Clone)]
pub(super) struct Loop {
    label: Option<Name>,
    /// A plain `break` leaves it.
    is_loop: bool,
    brk: BlockId,
    cont: Option<BlockId>,
    alive: Link,
    /// How many temporaries live on behind it and at its head.
    temps: usize,
    /// Where the value of `break value` goes.
    slot: Option<PlaceId>,
}

/// A function around the one being lowered.
pub(super) struct Outer {
    frame: Frame,
    body: Body,
}

/// What belongs to one function beside its frame.
#[derive(Default)]
pub(super) struct Body {
    tys: FxHashMap<LocalId, Ty>,
    exit: Option<Exit>,
    loops: Vec<Loop>,
    receiver: Option<Receiver>,
    /// While the guard of an arm is asked, what the pattern binds is still where it was; whether that
    /// matters for any of its names.
    asking: Option<bool>,
}

/// Lowers the functions of one file.
pub(crate) struct Lowerer<'a> {
    pub(super) ix: &'a Index,
    pub(super) cfg: &'a Cfg,
    pub(super) src: Source,
    pub(super) scope: Scope,
    pub(super) f: Frame,
    pub(super) body: Body,
    pub(super) outer: Vec<Outer>,
    pub(super) done: Vec<Function>,
    /// What was lowered, for comparison with another parser; none unless it is asked for.
    pub(super) sites: Option<Vec<Site>>,
    depth: u32,
    expanding: u32,
    /// The chain of operands that was last looked at: its text, where it begins and ends.
    chain: (usize, usize, usize),
}

impl<'a> Lowerer<'a> {
    pub(crate) fn new(ix: &'a Index, cfg: &'a Cfg, src: Source, sites: bool) -> Self {
        Self {
            ix,
            cfg,
            src,
            scope: Scope::default(),
            f: Frame::new(Name::default(), FunctionKind::Free, None),
            body: Body::default(),
            outer: Vec::new(),
            done: Vec::new(),
            sites: sites.then(Vec::new),
            depth: 0,
            expanding: 0,
            chain: (0, 0, 0),
        }
    }

    /// What was lowered.
    pub(crate) fn finish(self) -> (Vec<Function>, Vec<Site>) {
        (self.done, self.sites.unwrap_or_default())
    }

    /// Notes something that was lowered.
    pub(super) fn site(&mut self, kind: SiteKind, node: Node<'_>) {
        if self.sites.is_some() {
            self.site_at(kind, self.src.span(node));
        }
    }

    /// As `site`. What a macro's definition wrote has no place of its own, and is not noted.
    pub(super) fn site_at(&mut self, kind: SiteKind, span: Span) {
        let written = |origin: &Arc<Origin>| origin.site == span;
        if self.src.origin.as_ref().is_some_and(written) {
            return;
        }
        if let Some(sites) = &mut self.sites {
            sites.push(Site { kind, span });
        }
    }

    /// A new local with its type.
    pub(super) fn local(&mut self, name: Name, ty: Ty, kind: LocalKind, span: Span) -> LocalId {
        let mut ir = ty.to_ir();
        if ir.name.is_empty() && kind != LocalKind::Temp {
            ir = Type::named("auto");
        }
        let id = self.f.local(shown(name), ir, kind, span);
        self.body.tys.insert(id, ty);
        id
    }

    /// A new temporary's place.
    pub(super) fn temp(&mut self, ty: Ty, span: Span) -> PlaceId {
        let id = self.local(Name::default(), ty, LocalKind::Temp, span);
        self.f.place_of(id)
    }

    /// A value in a new temporary.
    pub(super) fn temp_of(&mut self, value: Rvalue, ty: Ty, span: Span) -> Value {
        let place = self.temp(ty.clone(), span);
        self.f.assign(place, value, span);
        Value {
            op: Operand::Copy(place),
            ty,
        }
    }

    /// The value of a place, which is moved from unless its type can be copied.
    pub(super) fn take(&self, place: PlaceId, ty: Ty) -> Value {
        let op = if self.ix.needs_drop(&ty) {
            Operand::Move(place)
        } else {
            Operand::Copy(place)
        };
        Value { op, ty }
    }

    /// A value nothing is known of.
    pub(super) fn unknown(&mut self, from: Vec<Operand>, ty: Ty, span: Span) -> Value {
        self.temp_of(Rvalue::Unknown(from), ty, span)
    }

    /// The code of `node` was not lowered.
    pub(super) fn opaque(&mut self, node: Node<'_>, reason: GapReason) {
        let touches = self.touches(node);
        let span = self.src.span(node);
        self.f.opaque(touches, reason, span);
    }

    /// A construct the lowering has no words for.
    pub(super) fn unsupported(&mut self, node: Node<'_>) -> Value {
        let reason = if node.is_error() || node.has_error() {
            GapReason::Syntax
        } else {
            GapReason::Unsupported(Name::new(node.kind()))
        };
        self.opaque(node, reason);
        let span = self.src.span(node);
        self.unknown(Vec::new(), Ty::Unknown, span)
    }

    /// Enters one level of nesting, or notes that it is too deep.
    pub(super) fn enter(&mut self, node: Node<'_>) -> bool {
        if self.depth >= MAX_DEPTH {
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

/// A variable's name, if a person can see it: a macro's own variables have none.
fn shown(name: Name) -> Name {
    match name.rsplit_once("__m") {
        Some((_, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Name::default()
        }
        _ => name,
    }
}
