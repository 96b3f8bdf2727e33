//! Who else has a handle that a class keeps in a field: what the function that made it does with the
//! variable that it was in, before and after.

use pipelint_ir::{
    Base, Callee, Function, Language, LocalId, Name, Operand, PlaceId, Proj, Rvalue, Statement,
    Type,
};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::fields::FieldKey;
use crate::never_closed::keeps;
use crate::program::{FnRef, Program, Target, last};
use crate::words::speaks_of_logging;

/// How deep calls are followed that the value is given to.
const CALLS: u32 = 4;

/// Where a handle is put beside the field that it is asked about.
#[derive(Default)]
pub(crate) struct Holders {
    /// Code got it that may keep it.
    pub(crate) given: bool,
    /// Fields that it was put into.
    pub(crate) fields: FxHashSet<FieldKey>,
}

/// Where else the functions put what they make by these calls, for each call that it is known of. A call
/// that makes several handles is left out: which of them is meant does not show.
pub(crate) fn other_holders(
    program: &Program<'_>,
    made: &FxHashSet<Span>,
) -> FxHashMap<Span, Holders> {
    let rust = |f: &FnRef| program.units[f.0].language == Language::Rust;
    let all: Vec<FnRef> = program.all().filter(rust).collect();
    let found = all.par_iter().flat_map_iter(|&f| {
        let makers = makers(program, f, made).into_iter();
        makers.map(move |(span, variable)| {
            let mut search = Search {
                program,
                been: FxHashSet::default(),
                found: Holders::default(),
            };
            search.follow(f, variable, CALLS);
            (span, search.found)
        })
    });
    let found: Vec<(Span, Holders)> = found.collect();
    let mut whole: FxHashMap<Span, Holders> = FxHashMap::default();
    for (span, holders) in found {
        let known = whole.entry(span).or_default();
        known.given |= holders.given;
        known.fields.extend(holders.fields);
    }
    whole
}

/// The calls of a function that are asked about, and the variables that their results go to.
fn makers(program: &Program<'_>, f: FnRef, made: &FxHashSet<Span>) -> Vec<(Span, Base)> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call { dst, args, .. } = stmt else {
                continue;
            };
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            let Some(span) = span.filter(|span| made.contains(span)) else {
                continue;
            };
            let filled: Vec<Base> = args
                .iter()
                .filter_map(|arg| address_of(function, arg))
                .collect();
            match (&filled[..], dst) {
                ([], Some(dst)) => found.extend(variable(function, *dst).map(|v| (*span, v))),
                ([one], _) => found.push((*span, one.clone())),
                _ => {}
            }
        }
    }
    found
}

/// A variable as a whole.
fn variable(function: &Function, place: PlaceId) -> Option<Base> {
    let place = &function.places[place];
    let own = matches!(place.base, Base::Local(_) | Base::Captured(_));
    (own && place.proj.is_empty()).then(|| place.base.clone())
}

/// The variable that an argument is the address of, where it is written as such.
fn address_of(function: &Function, arg: &Operand) -> Option<Base> {
    let (Operand::Copy(at) | Operand::Move(at)) = arg else {
        return None;
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.find_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Ref(of),
        } if dst == at => variable(function, *of),
        _ => None,
    })
}

struct Search<'a, 'm> {
    program: &'a Program<'m>,
    been: FxHashSet<(FnRef, Base)>,
    found: Holders,
}

impl Search<'_, '_> {
    /// Looks at all that a function does with a variable, and with the copies of it.
    fn follow(&mut self, f: FnRef, variable: Base, depth: u32) {
        if !self.been.insert((f, variable.clone())) {
            return;
        }
        if depth == 0 {
            self.found.given = true;
            return;
        }
        let program = self.program;
        let function = program.function(f);
        let mut names: FxHashSet<Base> = FxHashSet::default();
        names.insert(variable);
        while self.copies(f, &mut names) {}
        for block in &function.blocks {
            for stmt in &block.stmts {
                self.look(f, stmt, &names, depth);
            }
        }
    }

    /// Takes in the variables that are set to one of those known; true if there were any.
    fn copies(&self, f: FnRef, names: &mut FxHashSet<Base>) -> bool {
        let function = self.program.function(f);
        let before = names.len();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            let (to, from) = match stmt {
                Statement::Assign {
                    dst,
                    value: Rvalue::Use(op) | Rvalue::Cast(_, op),
                } => (*dst, op),
                Statement::Call {
                    dst: Some(dst),
                    callee: Callee::Constructor(ty),
                    args,
                    ..
                } if self.is_number(f, ty) => match &args[..] {
                    [arg] => (*dst, arg),
                    _ => continue,
                },
                _ => continue,
            };
            if is_one_of(function, from, names) {
                names.extend(variable(function, to));
            }
        }
        names.len() > before
    }

    fn is_number(&self, f: FnRef, ty: &Type) -> bool {
        let program = self.program;
        let scope = &program.function(f).name;
        program.is_scalar(f.0, scope, ty) || program.models.is_handle_type(&ty.name)
    }

    fn look(&mut self, f: FnRef, stmt: &Statement, names: &FxHashSet<Base>, depth: u32) {
        let program = self.program;
        let function = program.function(f);
        let is_it = |op: &Operand| is_one_of(function, op, names);
        match stmt {
            Statement::Assign { dst, value } => match value {
                Rvalue::Use(op) | Rvalue::Cast(_, op)
                    if is_it(op) && variable(function, *dst).is_none() =>
                {
                    self.put(f, *dst);
                }
                Rvalue::Aggregate(items) => {
                    let class = program.class_of_place(f.0, function, *dst);
                    for (name, op) in items {
                        if is_it(op) {
                            self.put_part(f, class.as_ref(), name.as_ref());
                        }
                    }
                }
                Rvalue::Closure(name, captured) => {
                    for (place, _) in captured {
                        if names.contains(&function.places[*place].base) {
                            self.captured(f, name, *place, depth);
                        }
                    }
                }
                _ => {}
            },
            Statement::Call { callee, args, .. } => {
                if matches!(callee, Callee::Constructor(ty) if self.is_number(f, ty)) {
                    return;
                }
                let target = program.target(f.0, function, callee, args.len());
                for (i, _) in args.iter().enumerate().filter(|(_, arg)| is_it(arg)) {
                    self.given_to(target, callee, i, depth);
                }
            }
            Statement::Opaque { touches, .. } => {
                let mut touches = touches.iter();
                self.found.given |= touches.any(|p| names.contains(&function.places[*p].base));
            }
            _ => {}
        }
    }

    fn given_to(&mut self, to: Target<'_>, callee: &Callee, i: usize, depth: u32) {
        match to {
            Target::Model(model) => self.found.given |= keeps(model, i),
            Target::Defined(g) => {
                let of = self.program.function(g);
                match u32::try_from(i) {
                    Ok(i) if i < of.params => {
                        self.follow(g, Base::Local(LocalId(i)), depth - 1);
                    }
                    _ => self.found.given = true,
                }
            }
            Target::Unknown => {
                let logs = |name: &Name| speaks_of_logging(last(name));
                let logs = matches!(callee, Callee::Function(name) if logs(name));
                self.found.given |= !logs;
            }
        }
    }

    /// What a closure does with it, whenever it runs.
    fn captured(&mut self, f: FnRef, closure: &Name, place: PlaceId, depth: u32) {
        let function = self.program.function(f);
        let name = match &function.places[place].base {
            Base::Local(l) => function.locals.get(l.0 as usize).map(|l| l.name.clone()),
            Base::Captured(name) => Some(name.clone()),
            _ => None,
        };
        match (self.program.lambda(f.0, closure), name) {
            (Some(g), Some(name)) => self.follow(g, Base::Captured(name), depth),
            _ => self.found.given = true,
        }
    }

    fn put(&mut self, f: FnRef, place: PlaceId) {
        let function = self.program.function(f);
        let at = &function.places[place];
        let Some((Proj::Field(name), object)) = at.proj.split_last() else {
            // Behind a pointer, or into an array.
            self.found.given = true;
            return;
        };
        let class = self.program.class_behind(f.0, function, &at.base, object);
        self.put_part(f, class.as_ref(), Some(name));
    }

    fn put_part(&mut self, f: FnRef, class: Option<&Name>, field: Option<&Name>) {
        if class.is_some_and(|class| matches!(&**class, "Option" | "Result" | "(,)")) {
            return;
        }
        let program = self.program;
        let scope = &program.function(f).name;
        let class = class.and_then(|class| program.class_ref_in(f.0, scope, class));
        match (class, field) {
            (Some(class), Some(field)) => {
                let class = program.class_at(class).name.clone();
                self.found.fields.insert((class, field.clone()));
            }
            _ => self.found.given = true,
        }
    }
}

fn is_one_of(function: &Function, op: &Operand, names: &FxHashSet<Base>) -> bool {
    let (Operand::Copy(place) | Operand::Move(place)) = op else {
        return false;
    };
    let place = &function.places[*place];
    place.proj.is_empty() && names.contains(&place.base)
}
