//! What a path assumed of storage and wrote to it, long after it forgot: a persistent list that
//! tells no two paths apart, like the trace.

use std::rc::Rc;

use crate::state::Fact;
use crate::values::{LocId, ValId};

/// Entries that one path keeps; what comes after them is not noted.
const MOST: u32 = 128;

/// One thing to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Memo {
    /// A condition showed this of what storage held.
    Known(ValId, Fact),
    /// Code that may keep it was given what storage held.
    Shared(ValId),
    /// Storage was set to a constant; none for anything else.
    Wrote(LocId, Option<i128>),
}

#[derive(Debug)]
struct Node {
    memo: Memo,
    before: Memos,
    depth: u32,
}

/// The entries of a path, newest first; cloning shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memos(Option<Rc<Node>>);

impl Memos {
    fn depth(&self) -> u32 {
        self.0.as_ref().map_or(0, |n| n.depth)
    }

    pub(crate) fn push(&mut self, memo: Memo) {
        let depth = self.depth() + 1;
        if depth <= MOST {
            let before = std::mem::take(self);
            self.0 = Some(Rc::new(Node {
                memo,
                before,
                depth,
            }));
        }
    }

    /// Keeps what both paths know.
    pub(crate) fn meet(&mut self, other: &Self) {
        let (mut a, mut b) = (self.clone(), other.clone());
        while a.depth() > b.depth() {
            a = a.before();
        }
        while b.depth() > a.depth() {
            b = b.before();
        }
        while !a.is(&b) {
            a = a.before();
            b = b.before();
        }
        *self = a;
    }

    fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    fn before(&self) -> Self {
        self.0
            .as_ref()
            .map_or_else(Self::default, |n| n.before.clone())
    }

    /// Newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Memo> {
        let mut at = self.0.as_deref();
        std::iter::from_fn(move || {
            let node = at?;
            at = node.before.0.as_deref();
            Some(&node.memo)
        })
    }
}
