//! What decides whether a function comes to a statement: the branches of which one side leads past it, and
//! the fields that they ask.

use pipelint_ir::{
    Base, BinOp, Const, Function, Name, Operand, Place, Proj, Rvalue, Statement, Terminator,
};
use rustc_hash::FxHashSet;

use crate::flag_accesses::{Looker, Thing};
use crate::frees::{Fills, whole};
use crate::program::{ClassRef, FnRef, Program, last, successors};

/// How far copies of what a condition asks are followed.
const DEEPEST: u32 = 4;

/// A field or variable that is asked or written, or some bits of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// None where its class is out of sight.
    pub(crate) thing: Option<Thing>,
    pub(crate) name: Name,
    /// None for all of it.
    pub(crate) bits: Option<Bits>,
}

/// Bits of a number, as constants name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    value: i128,
    /// Constants whose values are out of sight: two names are two bits.
    names: Vec<Name>,
}

impl Bits {
    fn and(mut self, other: Self) -> Self {
        self.value |= other.value;
        self.names.extend(other.names);
        self
    }

    fn meets(&self, other: &Self) -> bool {
        let unlike = self.names.is_empty() != other.names.is_empty();
        unlike
            || self.value & other.value != 0
            || self.names.iter().any(|name| other.names.contains(name))
    }
}

impl Part {
    /// The two may be one. C's structures that begin alike stand for each other.
    pub(crate) fn meets(&self, other: &Self, program: &Program<'_>) -> bool {
        let bits = match (&self.bits, &other.bits) {
            (Some(a), Some(b)) => a.meets(b),
            _ => true,
        };
        let classes = match (&self.thing, &other.thing) {
            (Some(Thing::Field(a, ..)), Some(Thing::Field(b, ..))) => begin_alike(program, *a, *b),
            _ => true,
        };
        bits && self.name == other.name && classes
    }
}

/// Two classes are one, or their fields begin alike: a pointer to the one may be cast to the other.
pub(crate) fn begin_alike(program: &Program<'_>, a: ClassRef, b: ClassRef) -> bool {
    let (one, two) = (program.class_at(a), program.class_at(b));
    let mut names = one.fields.iter().zip(&two.fields);
    a == b || one.name == two.name || names.all(|(x, y)| x.name == y.name)
}

/// The blocks on the ways from one to another whose branches may lead past the other.
pub(crate) fn deciding(function: &Function, from: usize, to: usize) -> Vec<usize> {
    let on = |start: usize, without: Option<usize>| {
        let mut seen = vec![false; function.blocks.len()];
        let mut todo = vec![start];
        while let Some(b) = todo.pop() {
            if without == Some(b) || seen.get(b).is_none_or(|s| *s) {
                continue;
            }
            seen[b] = true;
            if let Some(block) = function.blocks.get(b) {
                successors(&block.term, |next| todo.push(next));
            }
        }
        seen
    };
    let behind = on(from, None);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        let mut ends = FxHashSet::default();
        successors(&block.term, |next| {
            ends.insert(next);
        });
        if b == to || ends.len() < 2 || !behind[b] {
            continue;
        }
        let leads = |end: &usize| on(*end, Some(b)).get(to).is_some_and(|s| *s);
        let leading = ends.iter().filter(|end| leads(end)).count();
        if leading > 0 && leading < ends.len() {
            found.push(b);
        }
    }
    found
}

/// Looks at what conditions of a function ask.
pub(crate) struct Asker<'a, 'm> {
    pub(crate) program: &'a Program<'m>,
    pub(crate) f: FnRef,
    pub(crate) function: &'a Function,
    pub(crate) looker: Looker<'a, 'm>,
    pub(crate) fills: Fills<'a>,
}

impl Asker<'_, '_> {
    /// What the branch at a block's end asks; none where it asks what is not known: a parameter, or what a
    /// call has told.
    pub(crate) fn asked(&self, block: usize) -> Option<Vec<Part>> {
        let mut found = Vec::new();
        let known = match &self.function.blocks.get(block)?.term {
            Terminator::Branch { cond, .. } => {
                let null = matches!(cond.rhs, Operand::Const(Const::Null | Const::Int(0)));
                (null && self.is_pointer_given(&cond.lhs))
                    || self.operand(&cond.lhs, 0, &mut found)
                        && self.operand(&cond.rhs, 0, &mut found)
            }
            Terminator::Switch { on, .. } => self.operand(on, 0, &mut found),
            _ => false,
        };
        known.then_some(found)
    }

    /// A parameter that points to something: whether it is null tells of no thread.
    fn is_pointer_given(&self, op: &Operand) -> bool {
        let (Operand::Copy(p) | Operand::Move(p)) = op else {
            return false;
        };
        let place = self.fills.origin(self.function, &self.function.places[*p]);
        let Some(local) = whole(place) else {
            return false;
        };
        let declared = self.function.locals.get(local as usize);
        local < self.function.params && declared.is_some_and(|l| l.ty.pointers > 0)
    }

    fn operand(&self, op: &Operand, depth: u32, found: &mut Vec<Part>) -> bool {
        let (Operand::Copy(p) | Operand::Move(p)) = op else {
            return true;
        };
        if depth > DEEPEST {
            return false;
        }
        let place = &self.function.places[*p];
        let Some(local) = whole(place) else {
            let part = self.part(place);
            let known = part.is_some();
            found.extend(part);
            return known;
        };
        if local < self.function.params {
            return false;
        }
        // A counter of the function's own may be filled several times.
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.all(|stmt| match stmt {
            Statement::Assign { dst, value }
                if whole(&self.function.places[*dst]) == Some(local) =>
            {
                self.value(value, local, depth + 1, found)
            }
            Statement::Call { dst: Some(dst), .. } => {
                whole(&self.function.places[*dst]) != Some(local)
            }
            _ => true,
        })
    }

    fn value(&self, value: &Rvalue, local: u32, depth: u32, found: &mut Vec<Part>) -> bool {
        let itself = |op: &Operand| match op {
            Operand::Copy(p) | Operand::Move(p) => whole(&self.function.places[*p]) == Some(local),
            Operand::Const(_) => false,
        };
        match value {
            Rvalue::Use(op) | Rvalue::Cast(_, op) => self.operand(op, depth, found),
            Rvalue::Binary(op, a, b) => {
                let from = found.len();
                let known = [a, b]
                    .into_iter()
                    .all(|side| itself(side) || self.operand(side, depth, found));
                let bits = match op {
                    BinOp::BitAnd => self.bits(b, 0).or_else(|| self.bits(a, 0)),
                    _ => None,
                };
                if let (Some((bits, false)), [part]) = (bits, &mut found[from..]) {
                    part.bits = Some(bits);
                }
                known
            }
            Rvalue::Compare(cond) => {
                self.operand(&cond.lhs, depth, found) && self.operand(&cond.rhs, depth, found)
            }
            _ => false,
        }
    }

    /// The field or variable that a place is.
    pub(crate) fn part(&self, place: &Place) -> Option<Part> {
        let name = match (place.proj.last(), &place.base) {
            (Some(Proj::Field(name)), _) => name.clone(),
            (None, Base::Global(name)) => Name::new(last(name)),
            _ => return None,
        };
        let named = self.looker.named(&place.base, &place.proj);
        Some(Part {
            thing: named.map(|(thing, _)| thing),
            name,
            bits: None,
        })
    }

    /// A constant's value.
    pub(crate) fn number(&self, op: &Operand) -> Option<i128> {
        match op {
            Operand::Const(Const::Int(value)) => Some(*value),
            Operand::Const(Const::Null) => Some(0),
            Operand::Const(Const::Named(name)) => self.program.constant(self.f.0, name),
            _ => None,
        }
    }

    /// The bits that constants name, or (true) all but those.
    pub(crate) fn bits(&self, op: &Operand, depth: u32) -> Option<(Bits, bool)> {
        if let Some(value) = self.number(op) {
            let bits = |value| Bits {
                value,
                names: Vec::new(),
            };
            return Some(match value < 0 {
                true => (bits(!value), true),
                false => (bits(value), false),
            });
        }
        let place = match op {
            Operand::Const(Const::Named(name)) => {
                let names = vec![name.clone()];
                return Some((Bits { value: 0, names }, false));
            }
            Operand::Const(_) => return None,
            Operand::Copy(p) | Operand::Move(p) => &self.function.places[*p],
        };
        let Statement::Assign { value, .. } = self.fills.of(whole(place)?)? else {
            return None;
        };
        if depth > DEEPEST {
            return None;
        }
        match value {
            Rvalue::Use(op) | Rvalue::Cast(_, op) => self.bits(op, depth + 1),
            Rvalue::Binary(BinOp::BitOr, a, b) => {
                match (self.bits(a, depth + 1)?, self.bits(b, depth + 1)?) {
                    ((a, false), (b, false)) => Some((a.and(b), false)),
                    _ => None,
                }
            }
            // `~bits`
            Rvalue::Binary(BinOp::BitXor, a, b) if self.number(b) == Some(-1) => {
                let (bits, all_but) = self.bits(a, depth + 1)?;
                Some((bits, !all_but))
            }
            _ => None,
        }
    }
}
