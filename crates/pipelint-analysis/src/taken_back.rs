//! Memory that `into_raw` gave out and that a field keeps: what code of the program may take it back.

use pipelint_ir::{Base, Callee, Name, Operand, PlaceId, Rvalue, Statement};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::forget::is_raw_maker;
use crate::program::{FnRef, Program, last};

/// How far copies of a pointer are followed within a function.
const COPIES: u32 = 4;

/// What a pointer points to, where a type of the program tells; none for what may be anything.
type Pointee = Option<Name>;

/// The makers and the takers of such memory, by what they point to.
#[derive(Default)]
pub(crate) struct TakenBack {
    /// What was given out at a call.
    made: FxHashMap<Span, Pointee>,
    /// What is taken back that the function has not itself given out.
    taken: FxHashSet<Pointee>,
}

impl TakenBack {
    /// Looks at all functions. What files that were not lowered speak of (`elsewhere`) is not known.
    pub(crate) fn new(program: &Program<'_>, elsewhere: &FxHashSet<Name>) -> Self {
        let all: Vec<FnRef> = program.all().collect();
        let found: Vec<Self> = all.par_iter().map(|&f| Self::of(program, f)).collect();
        let mut whole = Self::default();
        for found in found {
            whole.made.extend(found.made);
            whole.taken.extend(found.taken);
        }
        if elsewhere.contains(FROM_RAW) {
            whole.taken.insert(None);
        }
        whole
    }

    fn of(program: &Program<'_>, f: FnRef) -> Self {
        let function = program.function(f);
        let mut found = Self::default();
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call {
                    dst, callee, args, ..
                } = stmt
                else {
                    continue;
                };
                let (Callee::Function(name) | Callee::Method { name, .. }) = callee else {
                    continue;
                };
                if let Some(dst) = dst.filter(|_| is_raw_maker(name)) {
                    let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                    let span = span.copied().unwrap_or(function.map.name);
                    found.made.insert(span, pointee(program, f, dst));
                }
                if !frees(name) {
                    continue;
                }
                found.taken.extend(args.iter().filter_map(|arg| match arg {
                    Operand::Copy(place) | Operand::Move(place) => {
                        let own = is_own(program, f, *place, COPIES);
                        (!own).then(|| pointee(program, f, *place))
                    }
                    Operand::Const(_) => None,
                }));
            }
        }
        found
    }

    /// Whether some code may take back what was given out at a call and is kept in a field that points
    /// to `kept`.
    pub(crate) fn may_take(&self, made: Span, kept: &Pointee) -> bool {
        let made = self.made.get(&made).cloned().flatten();
        self.taken.iter().any(|taken| match (taken, &made, kept) {
            (Some(taken), Some(made), Some(kept)) => taken == made || taken == kept,
            _ => true,
        })
    }
}

/// By this name files that were not lowered are known to take memory back.
pub const FROM_RAW: &str = "from_raw";

/// What ends the memory that a pointer points to, or makes an owner of it.
pub(crate) fn frees(name: &str) -> bool {
    matches!(
        last(name),
        FROM_RAW
            | "from_raw_in"
            | "from_non_null"
            | "from_raw_parts"
            | "decrement_strong_count"
            | "dealloc"
            | "free"
    ) && !name.starts_with("std::slice::")
}

fn pointee(program: &Program<'_>, f: FnRef, place: PlaceId) -> Pointee {
    let function = program.function(f);
    let name = program.class_of_place(f.0, function, place)?;
    pointee_named(program, f.0, &function.name, &name)
}

/// The one name of what a pointer's type names: a class, or a closure.
pub(crate) fn pointee_named(
    program: &Program<'_>,
    unit: usize,
    scope: &str,
    name: &str,
) -> Pointee {
    let class = program.class_ref_in(unit, scope, name);
    class
        .map(|class| program.class_at(class).name.clone())
        .or_else(|| (name == "fn").then(|| Name::new(name)))
}

/// A variable that holds nothing but what the function has itself given out.
pub(crate) fn is_own(program: &Program<'_>, f: FnRef, place: PlaceId, depth: u32) -> bool {
    let function = program.function(f);
    let at = &function.places[place];
    let own = matches!(&at.base, Base::Local(l) if l.0 >= function.params);
    if depth == 0 || !own || !at.proj.is_empty() {
        return false;
    }
    let mut found = false;
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let fits = match stmt {
            Statement::Call {
                dst: Some(dst),
                callee,
                ..
            } if *dst == place => {
                matches!(callee, Callee::Function(name) if is_raw_maker(name))
            }
            Statement::Assign { dst, value } if *dst == place => match value {
                Rvalue::Use(Operand::Copy(of) | Operand::Move(of))
                | Rvalue::Cast(_, Operand::Copy(of) | Operand::Move(of)) => {
                    is_own(program, f, *of, depth - 1)
                }
                _ => false,
            },
            _ => continue,
        };
        if !fits {
            return false;
        }
        found = true;
    }
    found
}
