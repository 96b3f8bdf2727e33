//! Symbolic values and locations, interned per function.
//!
//! Equal values have equal ids, so that a condition met twice on a path is decided the same way
//! and two paths that know the same are one.

use pipelint_ir::{BinOp, CmpOp, LocalId, Name};
use rustc_hash::FxHashMap;

/// Index of a [`Val`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ValId(u32);

/// Index of a [`Loc`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LocId(u32);

impl ValId {
    pub(crate) fn nth(n: u32) -> Self {
        Self(n)
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl LocId {
    pub(crate) fn nth(n: u32) -> Self {
        Self(n)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A set of values, cheap to empty and fill again.
#[derive(Debug, Default)]
pub(crate) struct ValSet(Vec<u64>);

impl ValSet {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a value; false when it was there.
    pub(crate) fn insert(&mut self, v: ValId) -> bool {
        let (word, bit) = (v.index() / 64, 1 << (v.index() % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    pub(crate) fn contains(&self, v: ValId) -> bool {
        let word = self.0.get(v.index() / 64);
        word.is_some_and(|w| w >> (v.index() % 64) & 1 == 1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ValId> {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| ValId(index(i * 64) + bit))
        })
    }
}

/// A statement's number in its function, counted over blocks in order.
pub(crate) type StmtNo = u32;

/// Where an unknown value came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sym {
    /// The result of a call (slot 0), or what it wrote through argument `slot - 1`. `round` counts
    /// how often this path has run the statement.
    Call { stmt: StmtNo, slot: u32, round: u32 },
    /// What a location held when it was first read, after the `epoch`-th change by unknown code.
    Load { loc: LocId, epoch: u32 },
    /// A local that was never set, since its declaration.
    Uninit { loc: LocId },
    /// A value that a loop changed in ways not followed.
    Widened { loc: LocId, head: u32 },
    /// What an element with an unknown index held, at one read.
    Element {
        loc: LocId,
        stmt: StmtNo,
        round: u32,
    },
    /// An operation nothing is known of.
    Computed { stmt: StmtNo, round: u32 },
    /// The `n`-th value of the summary of a called function; `part` tells several functions that
    /// run at one statement apart.
    Inner {
        stmt: StmtNo,
        round: u32,
        part: u32,
        n: u32,
    },
}

/// A symbolic value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Val {
    /// A known integer; null is 0.
    Int(i128),
    /// A named constant whose value is not known; different names may have equal values.
    Named(Name),
    /// A string literal's address.
    Str,
    /// A function's address.
    Function(Name),
    /// The address of a location.
    Ptr(LocId),
    /// An unknown.
    Sym(Sym),
    /// A comparison's result, 0 or 1. Only `Eq` and `Lt` are stored.
    Cmp(CmpOp, ValId, ValId),
    /// Arithmetic that did not fold.
    Bin(BinOp, ValId, ValId),
    /// A handle-like value narrowed to an unsigned 32-bit type.
    Narrow(ValId, Name),
}

/// A location.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Loc {
    /// A local variable.
    Local(LocalId),
    /// A global, by name.
    Global(Name),
    /// The object of the method.
    SelfObj,
    /// A variable captured by a lambda.
    Captured(Name),
    /// A field of a location.
    Field(LocId, Name),
    /// An element of a location; none when the index is not known.
    Elem(LocId, Option<i64>),
    /// What an unknown pointer points to.
    Deref(ValId),
}

/// The values and locations of one function.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    vals: Vec<Val>,
    val_ids: FxHashMap<Val, ValId>,
    locs: Vec<Loc>,
    loc_ids: FxHashMap<Loc, LocId>,
}

fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl Arena {
    pub(crate) fn val(&mut self, val: Val) -> ValId {
        if let Some(&id) = self.val_ids.get(&val) {
            return id;
        }
        let id = ValId(index(self.vals.len()));
        self.vals.push(val.clone());
        self.val_ids.insert(val, id);
        id
    }

    pub(crate) fn int(&mut self, value: i128) -> ValId {
        self.val(Val::Int(value))
    }

    pub(crate) fn sym(&mut self, sym: Sym) -> ValId {
        self.val(Val::Sym(sym))
    }

    pub(crate) fn loc(&mut self, loc: Loc) -> LocId {
        if let Some(&id) = self.loc_ids.get(&loc) {
            return id;
        }
        let id = LocId(index(self.locs.len()));
        self.locs.push(loc.clone());
        self.loc_ids.insert(loc, id);
        id
    }

    /// The epochs that something was read in.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = u32> + '_ {
        self.vals.iter().filter_map(|val| match val {
            Val::Sym(Sym::Load { epoch, .. }) => Some(*epoch),
            _ => None,
        })
    }

    pub(crate) fn get(&self, id: ValId) -> &Val {
        &self.vals[id.0 as usize]
    }

    pub(crate) fn get_loc(&self, id: LocId) -> &Loc {
        &self.locs[id.0 as usize]
    }

    pub(crate) fn as_int(&self, id: ValId) -> Option<i128> {
        match self.get(id) {
            Val::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The outermost location that `loc` is a part of.
    pub(crate) fn root(&self, mut loc: LocId) -> LocId {
        while let Loc::Field(parent, _) | Loc::Elem(parent, _) = self.get_loc(loc) {
            loc = *parent;
        }
        loc
    }

    /// The name a location is read by: its last field, else its base; none for a plain pointee. What
    /// stands in every enum and tuple (`{tag}`, `0`, `Err`) is named by the place that it is a part of.
    pub(crate) fn name(&self, mut loc: LocId) -> Option<&Name> {
        loop {
            match self.get_loc(loc) {
                Loc::Field(parent, name) if is_nameless(name) => loc = *parent,
                Loc::Field(_, name) | Loc::Global(name) | Loc::Captured(name) => return Some(name),
                Loc::Elem(parent, _) => loc = *parent,
                _ => return None,
            }
        }
    }

    /// True when `loc` is `whole` or a part of it.
    pub(crate) fn within(&self, mut loc: LocId, whole: LocId) -> bool {
        loop {
            if loc == whole {
                return true;
            }
            match self.get_loc(loc) {
                Loc::Field(parent, _) | Loc::Elem(parent, _) => loc = *parent,
                _ => return false,
            }
        }
    }

    /// The part of `to` that is what `loc` is of `from`.
    pub(crate) fn rebased(&mut self, loc: LocId, from: LocId, to: LocId) -> LocId {
        let mut steps = Vec::new();
        let mut at = loc;
        while at != from {
            let here = self.get_loc(at).clone();
            let (Loc::Field(parent, _) | Loc::Elem(parent, _)) = here else {
                break;
            };
            steps.push(here);
            at = parent;
        }
        let mut dst = to;
        for step in steps.into_iter().rev() {
            dst = self.loc(match step {
                Loc::Field(_, name) => Loc::Field(dst, name),
                Loc::Elem(_, i) => Loc::Elem(dst, i),
                other => other,
            });
        }
        dst
    }

    /// Adds `val` and the values that it is computed from to a set; `todo` is room to work in.
    pub(crate) fn mark_parts(&self, val: ValId, marks: &mut ValSet, todo: &mut Vec<ValId>) {
        todo.push(val);
        while let Some(val) = todo.pop() {
            if !marks.insert(val) {
                continue;
            }
            match self.get(val) {
                Val::Cmp(_, a, b) | Val::Bin(_, a, b) => todo.extend([*b, *a]),
                Val::Narrow(v, _) => todo.push(*v),
                _ => {}
            }
        }
    }

    /// The values that `val` is computed from, itself included.
    pub(crate) fn parts(&self, val: ValId, out: &mut Vec<ValId>) {
        // Most values are computed from no other.
        if !matches!(self.get(val), Val::Cmp(..) | Val::Bin(..) | Val::Narrow(..)) {
            if !out.contains(&val) && out.len() <= 64 {
                out.push(val);
            }
            return;
        }
        let mut todo = vec![val];
        while let Some(val) = todo.pop() {
            if out.contains(&val) || out.len() > 64 {
                continue;
            }
            out.push(val);
            match self.get(val) {
                Val::Cmp(_, a, b) | Val::Bin(_, a, b) => todo.extend([*b, *a]),
                Val::Narrow(v, _) => todo.push(*v),
                _ => {}
            }
        }
    }
}

/// A field that any type may have.
fn is_nameless(name: &str) -> bool {
    let first = name.as_bytes().first();
    matches!(name, crate::rust::TAG | crate::rust::BAD) || first.is_some_and(u8::is_ascii_digit)
}
