//! Where functions free what a field points to, whoever they have do it: a modelled release of memory,
//! `delete`, or a function of the program's own that surely frees what it is given.

use pipelint_ir::{
    Base, Callee, CmpOp, Const, DropKind, Function, Name, Operand, Place, Proj, Rvalue, Statement,
    Terminator,
};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::flag_accesses::{Looker, Thing, Variables};
use crate::program::{FnRef, Program, Target, last, successors};

/// How many functions lie between one that frees what it is given and what really frees it.
const WRAPPED: usize = 3;
/// How far copies of a pointer are followed.
const COPIES: usize = 4;

/// The object that a function is given: its own, or what a parameter points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    This,
    Param(u32),
}

/// What a field or a variable points to is freed.
#[derive(Debug, Clone)]
pub(crate) struct Freed {
    pub(crate) f: usize,
    pub(crate) at: (usize, usize),
    pub(crate) span: Span,
    /// The field, or the variable that holds the pointer.
    pub(crate) thing: Thing,
    /// The place that holds the pointer.
    pub(crate) place: Place,
    /// What frees it: `free`.
    pub(crate) by: Name,
}

/// The statements that fill variables which are filled once.
pub(crate) struct Fills<'f>(FxHashMap<u32, Option<&'f Statement>>);

impl<'f> Fills<'f> {
    pub(crate) fn new(function: &'f Function) -> Self {
        let mut found: FxHashMap<u32, Option<&Statement>> = FxHashMap::default();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt
                && let Some(local) = whole(&function.places[*dst])
            {
                let known = found.entry(local);
                known.and_modify(|k| *k = None).or_insert(Some(stmt));
            }
        }
        Self(found)
    }

    /// None for what is filled never, or more than once.
    pub(crate) fn of(&self, local: u32) -> Option<&'f Statement> {
        self.0.get(&local).copied().flatten()
    }

    pub(crate) fn is_filled(&self, local: u32) -> bool {
        self.0.contains_key(&local)
    }

    /// The place that a variable is a copy of.
    pub(crate) fn copied(&self, function: &'f Function, local: u32) -> Option<&'f Place> {
        let Statement::Assign { value, .. } = self.of(local)? else {
            return None;
        };
        match value {
            Rvalue::Use(Operand::Copy(p) | Operand::Move(p))
            | Rvalue::Cast(_, Operand::Copy(p) | Operand::Move(p)) => function.places.get(*p),
            _ => None,
        }
    }

    /// The variable's name; of what a call returns, that of the variable which it is put into.
    pub(crate) fn name(&self, function: &'f Function, local: u32) -> Option<&'f Name> {
        let names = function.locals.iter().map(|l| &l.name);
        let own = names.clone().nth(local as usize);
        let is_copy = |n: u32| {
            let from = self.copied(function, n);
            from.and_then(whole) == Some(local)
        };
        let copies = (0..).zip(names);
        let mut named = copies.filter(|(_, name)| !name.is_empty());
        own.filter(|name| !name.is_empty())
            .or_else(|| named.find_map(|(n, name)| is_copy(n).then_some(name)))
    }

    /// The place that a place is a copy of, as far back as that is known.
    pub(crate) fn origin(&self, function: &'f Function, place: &'f Place) -> &'f Place {
        let mut at = place;
        for _ in 0..COPIES {
            let from = whole(at).filter(|l| *l >= function.params);
            let Some(from) = from.and_then(|local| self.copied(function, local)) else {
                break;
            };
            at = from;
        }
        at
    }

    /// The variable or object that a place lies in or leads from, through copies.
    pub(crate) fn root(&self, function: &'f Function, base: &Base) -> Base {
        let &Base::Local(mut local) = base else {
            return base.clone();
        };
        for _ in 0..COPIES {
            let from = self.copied(function, local.0);
            match from.map(|place| (&place.base, &place.proj[..])) {
                Some((Base::Local(l), [])) => local = *l,
                _ => break,
            }
        }
        Base::Local(local)
    }

    /// What the function is given holds the pointer that a base is.
    pub(crate) fn given(&self, function: &'f Function, base: &Base) -> Option<Given> {
        match self.root(function, base) {
            Base::SelfObj => Some(Given::This),
            Base::Local(l) if l.0 < function.params && !self.is_filled(l.0) => {
                Some(Given::Param(l.0))
            }
            _ => None,
        }
    }
}

/// The variable that a place is as a whole.
pub(crate) fn whole(place: &Place) -> Option<u32> {
    match (&place.base, &place.proj[..]) {
        (Base::Local(l), []) => Some(l.0),
        _ => None,
    }
}

/// What functions free.
pub(crate) struct Frees {
    /// Per function: what it frees.
    pub(crate) of: Vec<Vec<Freed>>,
}

/// Parameters that functions surely free.
type Takers = FxHashMap<FnRef, Vec<u32>>;

impl Frees {
    pub(crate) fn new(program: &Program<'_>, variables: &Variables, all: &[FnRef]) -> Self {
        let mut takers = Takers::default();
        for _ in 0..WRAPPED {
            let found: Vec<(FnRef, Vec<u32>)> = all
                .par_iter()
                .filter_map(|&f| {
                    let params = taken(program, f, &takers);
                    (!params.is_empty()).then_some((f, params))
                })
                .collect();
            let more = found.len() > takers.len();
            takers = found.into_iter().collect();
            if !more {
                break;
            }
        }
        let of = all.par_iter().enumerate();
        let of = of.map(|(n, &f)| freed(program, variables, (n, f), &takers));
        Self { of: of.collect() }
    }
}

/// What a statement frees, and what does it.
pub(crate) fn freed_by<'f>(
    program: &Program<'_>,
    f: FnRef,
    function: &'f Function,
    stmt: &'f Statement,
    takers: &Takers,
) -> Vec<(Place, Name)> {
    match stmt {
        Statement::Drop {
            place,
            kind: DropKind::Delete,
        } => {
            let place = &function.places[*place];
            match &place.proj[..] {
                [before @ .., Proj::Deref] => {
                    let pointer = Place {
                        base: place.base.clone(),
                        proj: before.to_vec(),
                    };
                    vec![(pointer, Name::new("delete"))]
                }
                _ => Vec::new(),
            }
        }
        Statement::Call { callee, args, .. } => {
            let (freed, name): (Vec<usize>, Option<&Name>) =
                match program.target(f.0, function, callee, args.len()) {
                    Target::Model(model) => {
                        let memory = |kind: &str| {
                            let kind = program.models.resource(kind);
                            kind.is_some_and(|kind| kind.memory)
                        };
                        let releases = model.releases.iter().filter(|r| {
                            memory(&r.kind) && r.when.is_none() && !r.on_success && !r.by_pointer
                        });
                        (releases.map(|r| r.arg).collect(), None)
                    }
                    Target::Defined(g) => {
                        let params = takers.get(&g).into_iter().flatten();
                        (
                            params.map(|p| *p as usize).collect(),
                            Some(&program.function(g).name),
                        )
                    }
                    Target::Unknown => return Vec::new(),
                };
            let name = match (name, callee) {
                (Some(name), _) | (None, Callee::Function(name)) => Name::new(last(name)),
                _ => Name::new("free"),
            };
            let places = freed.iter().filter_map(|n| match args.get(*n)? {
                Operand::Copy(p) | Operand::Move(p) => {
                    Some((function.places.get(*p)?.clone(), name.clone()))
                }
                Operand::Const(_) => None,
            });
            places.collect()
        }
        _ => Vec::new(),
    }
}

/// The parameters that a function frees on every way through it but those on which they are null.
fn taken(program: &Program<'_>, f: FnRef, takers: &Takers) -> Vec<u32> {
    let function = program.function(f);
    let mut fills = None;
    let mut blocks: FxHashMap<u32, FxHashSet<usize>> = FxHashMap::default();
    for (b, block) in function.blocks.iter().enumerate() {
        for stmt in &block.stmts {
            for (place, _) in freed_by(program, f, function, stmt, takers) {
                let fills = fills.get_or_insert_with(|| Fills::new(function));
                let base = place
                    .proj
                    .is_empty()
                    .then(|| fills.root(function, &place.base));
                if let Some(Base::Local(l)) = base
                    && l.0 < function.params
                    && !fills.is_filled(l.0)
                {
                    blocks.entry(l.0).or_default().insert(b);
                }
            }
        }
    }
    let sure = |(param, freeing): (u32, FxHashSet<usize>)| {
        let mut seen = vec![false; function.blocks.len()];
        let mut todo = vec![0];
        while let Some(b) = todo.pop() {
            let Some(block) = function.blocks.get(b) else {
                continue;
            };
            if freeing.contains(&b) || std::mem::replace(&mut seen[b], true) {
                continue;
            }
            match there(function, &block.term, param) {
                Some(next) => todo.push(next),
                None if matches!(block.term, Terminator::Return(_)) => return None,
                None => successors(&block.term, |next| todo.push(next)),
            }
        }
        Some(param)
    };
    let mut found: Vec<u32> = blocks.into_iter().filter_map(sure).collect();
    found.sort_unstable();
    found
}

/// Where a branch that asks whether a parameter is null goes if it is not.
fn there(function: &Function, term: &Terminator, param: u32) -> Option<usize> {
    let Terminator::Branch {
        cond,
        then,
        otherwise,
    } = term
    else {
        return None;
    };
    let (Operand::Copy(p) | Operand::Move(p), Operand::Const(Const::Null | Const::Int(0))) =
        (&cond.lhs, &cond.rhs)
    else {
        return None;
    };
    if whole(&function.places[*p]) != Some(param) {
        return None;
    }
    match cond.op {
        CmpOp::Ne => Some(then.0 as usize),
        CmpOp::Eq => Some(otherwise.0 as usize),
        _ => None,
    }
}

/// What a function frees, by the field or the variable that points to it.
fn freed(
    program: &Program<'_>,
    variables: &Variables,
    (n, f): (usize, FnRef),
    takers: &Takers,
) -> Vec<Freed> {
    let function = program.function(f);
    let mut found = Vec::new();
    let mut lookers = None;
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            for (place, by) in freed_by(program, f, function, stmt, takers) {
                let (looker, fills) = lookers.get_or_insert_with(|| {
                    (Looker::new(program, variables, f), Fills::new(function))
                });
                let place = match whole(&place) {
                    Some(local) => fills.copied(function, local).unwrap_or(&place),
                    None => &place,
                };
                let place = fills.origin(function, place);
                let thing = match whole(place) {
                    Some(local) => Some(Thing::Local(f, local)),
                    None => {
                        let named = looker.named(&place.base, &place.proj);
                        named.map(|(thing, _)| thing)
                    }
                };
                if let Some(thing @ (Thing::Field(_, _, false) | Thing::Local(..))) = thing {
                    let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                    found.push(Freed {
                        f: n,
                        at: (b, i),
                        span: span.copied().unwrap_or(function.map.name),
                        thing,
                        place: place.clone(),
                        by,
                    });
                }
            }
        }
    }
    found
}
