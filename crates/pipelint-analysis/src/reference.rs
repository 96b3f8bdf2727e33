//! Functions that return references: what they yield is a place of the caller's, not a copy of it.

use pipelint_ir::{
    Base, Callee, Function, Language, Local, LocalId, LocalKind, Name, Operand, Place, PlaceId,
    Proj, Reference, Rvalue, Statement, Type,
};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{FnRef, Program, Target, last};

/// Calls in a chain that are followed: those of a builder that is asked twenty things.
const CHAIN: usize = 24;

/// A call whose result is a place.
struct Yield {
    block: usize,
    stmt: usize,
    /// The type of what is referred to.
    ty: Type,
}

impl Program<'_> {
    /// Whether a function yields the address of what it returns: it returns a reference to a
    /// number, a handle or an object of a class in sight.
    pub(crate) fn yields_place(&self, f: FnRef) -> bool {
        let function = self.function(f);
        let ty = &function.ret;
        self.units[f.0].language == Language::Cpp
            && ty.reference == Reference::Shared
            && ty.pointers == 0
            && ty.arrays == 0
            && {
                let object = Type {
                    reference: Reference::None,
                    ..ty.clone()
                };
                let resolved = self.resolve(&object);
                resolved.pointers == 0
                    && (self
                        .class_named(f.0, &function.name, &resolved.name)
                        .is_some()
                        || crate::memory::is_primitive(&resolved.name)
                        || self.models.is_handle_type(&resolved.name))
            }
    }

    /// Makes the results of such functions places where they are used.
    pub(crate) fn settle_references(&mut self) {
        let names: FxHashSet<Name> = self
            .all()
            .filter(|f| self.yields_place(*f))
            .map(|f| Name::new(last(&self.function(f).name)))
            .collect();
        if names.is_empty() {
            return;
        }
        // What a call yields tells whose method the next one is: `a.part().slot()`.
        let mut links = 0;
        while links < CHAIN && self.settle_next_references(&names) {
            links += 1;
        }
    }

    /// Of each chain of calls the next; false when there is none.
    fn settle_next_references(&mut self, names: &FxHashSet<Name>) -> bool {
        let found: Vec<Vec<(usize, Vec<Yield>)>> = (0..self.units.len())
            .into_par_iter()
            .map(|u| {
                let unit = &self.units[u];
                if unit.language != Language::Cpp {
                    return Vec::new();
                }
                let yields = |f: &Function| self.yields(u, f, names);
                let all = unit.functions.iter().map(yields).enumerate();
                all.filter(|(_, yields)| !yields.is_empty()).collect()
            })
            .collect();
        let any = found.iter().any(|found| !found.is_empty());
        for (unit, found) in self.units.iter_mut().zip(found) {
            for (f, yields) in found {
                settle(&mut unit.functions[f], yields);
            }
        }
        any
    }

    fn yields(&self, unit: usize, function: &Function, names: &FxHashSet<Name>) -> Vec<Yield> {
        if !is_mapped(function) {
            return Vec::new();
        }
        let blocks = &function.blocks;
        let mut found = Vec::new();
        for (block, b) in blocks.iter().enumerate() {
            for (stmt, s) in b.stmts.iter().enumerate() {
                let Statement::Call {
                    dst: Some(dst),
                    callee,
                    args,
                    ..
                } = s
                else {
                    continue;
                };
                let settled = temporary(function, *dst)
                    .and_then(|temp| function.locals.get(temp.0 as usize))
                    .is_some_and(|temp| temp.ty.reference != Reference::None);
                if settled {
                    continue;
                }
                let (Callee::Function(name) | Callee::Method { name, .. }) = callee else {
                    continue;
                };
                if !names.contains(last(name)) {
                    continue;
                }
                if let Target::Defined(f) = self.find_target(unit, function, callee, args.len())
                    && self.yields_place(f)
                {
                    let ty = self.function(f).ret.clone();
                    found.push(Yield { block, stmt, ty });
                }
            }
        }
        found
    }
}

/// Each statement has its span: statements may be added.
pub(crate) fn is_mapped(function: &Function) -> bool {
    let (map, blocks) = (&function.map.stmts, &function.blocks);
    let fits = |(spans, block): (&Vec<Span>, &pipelint_ir::Block)| spans.len() == block.stmts.len();
    map.len() == blocks.len() && map.iter().zip(blocks).all(fits)
}

fn settle(function: &mut Function, yields: Vec<Yield>) {
    let written = targets(function);
    // From the end, so that the places before stay what they are.
    for Yield { block, stmt, ty } in yields.into_iter().rev() {
        let span = function.map.stmts[block][stmt];
        let address = add_local(function, ty, span);
        let to = function.places.intern(Place {
            base: Base::Local(address),
            proj: Vec::new(),
        });
        let Some(old) = (match &mut function.blocks[block].stmts[stmt] {
            Statement::Call { dst, .. } => dst.replace(to),
            _ => None,
        }) else {
            continue;
        };
        if let Some(temp) = temporary(function, old)
            && written.get(&old) == Some(&1)
        {
            refer(function, temp, address);
            continue;
        }
        let place = function.places.intern(Place {
            base: Base::Local(address),
            proj: vec![Proj::Deref],
        });
        let value = Rvalue::Use(Operand::Copy(place));
        let copy = Statement::Assign { dst: old, value };
        function.blocks[block].stmts.insert(stmt + 1, copy);
        function.map.stmts[block].insert(stmt + 1, span);
    }
}

/// Makes all places in the temporary places behind the address.
fn refer(function: &mut Function, temp: LocalId, address: LocalId) {
    function.places.rewrite(|place: &mut Place| {
        if place.base == Base::Local(temp) {
            place.base = Base::Local(address);
            // Where such a call is assigned to, it was taken for a reference from the start.
            if place.proj.first() != Some(&Proj::Deref) {
                place.proj.insert(0, Proj::Deref);
            }
        }
    });
}

/// How often each place without steps is written.
fn targets(function: &Function) -> FxHashMap<PlaceId, u32> {
    let mut written = FxHashMap::default();
    for s in function.blocks.iter().flat_map(|b| &b.stmts) {
        let (Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }) = s else {
            continue;
        };
        *written.entry(*dst).or_default() += 1;
    }
    written
}

fn temporary(function: &Function, place: PlaceId) -> Option<LocalId> {
    let place = &function.places[place];
    let Base::Local(local) = place.base else {
        return None;
    };
    let temp = function.locals.get(local.0 as usize)?.kind == LocalKind::Temp;
    (temp && place.proj.is_empty()).then_some(local)
}

/// A new temporary of a function.
pub(crate) fn add_local(function: &mut Function, ty: Type, span: Span) -> LocalId {
    let id = LocalId(u32::try_from(function.locals.len()).unwrap_or(u32::MAX));
    function.locals.push(Local {
        name: Name::default(),
        ty,
        kind: LocalKind::Temp,
        sal: Vec::new(),
    });
    function.map.locals.push(span);
    id
}
