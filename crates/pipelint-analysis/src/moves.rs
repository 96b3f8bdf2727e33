//! Moves of classes that close a handle when they end: the source must be left empty, and what stood
//! in the target must be closed.

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, Name, Operand, PlaceId, Proj, Reference, Rvalue,
    Statement, Terminator,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::copies::{Close, close_of_field};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{ClassRef, FnRef, Program, Target, last};

/// One event for each move that leaves the handle with both objects, or loses the one that stood in the
/// target.
pub(crate) fn wrong_moves(program: &Program<'_>) -> Vec<Event> {
    let mut closing: FxHashMap<ClassRef, Close> = FxHashMap::default();
    for f in program.all() {
        let function = program.function(f);
        if function.kind != FunctionKind::Destructor {
            continue;
        }
        let name = function.class.as_ref();
        if let Some(class) = name.and_then(|name| program.class_ref(f.0, name))
            && let Some(close) = close_of_field(program, f, class)
        {
            closing.insert(class, close);
        }
    }
    let mut events = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        let name = function.class.as_ref();
        let class = name.and_then(|name| program.class_ref(f.0, name));
        let Some(close) = class.and_then(|class| closing.get(&class)) else {
            continue;
        };
        if !moves(function) {
            continue;
        }
        let look = Move {
            program,
            f,
            function,
            field: &close.field,
        };
        let Some(taken) = look.taken() else { continue };
        let step = |span, what| PathStep { span, what };
        let kinds = [
            (
                !look.empties(),
                EventKind::KeptByMove {
                    field: close.field.clone(),
                    api: close.api.clone(),
                },
            ),
            (
                function.kind == FunctionKind::Method && !look.closes(taken),
                EventKind::LostByMove {
                    field: close.field.clone(),
                    api: close.api.clone(),
                },
            ),
        ];
        for (wrong, kind) in kinds {
            if wrong {
                events.push(Event {
                    kind,
                    at: taken,
                    function: function.name.clone(),
                    resource: None,
                    path: vec![
                        step(taken, StepKind::Assigned(close.field.clone())),
                        step(close.at, StepKind::Closed(close.api.clone())),
                    ],
                    others: Vec::new(),
                });
            }
        }
    }
    events
}

/// A constructor or assignment that takes `T &&` of its own class.
fn moves(function: &Function) -> bool {
    let takes = match function.kind {
        FunctionKind::Constructor => true,
        FunctionKind::Method => last(&function.name) == "operator=",
        _ => false,
    };
    let class = function.class.as_deref().map_or("", last);
    let other = function.locals.first().map(|l| &l.ty);
    takes
        && function.params == 1
        && other.is_some_and(|ty| ty.reference == Reference::Rvalue && last(&ty.name) == class)
}

struct Move<'a, 'm> {
    program: &'a Program<'m>,
    f: FnRef,
    function: &'a Function,
    field: &'a Name,
}

impl Move<'_, '_> {
    fn statements(&self) -> impl Iterator<Item = (&Statement, Span)> {
        let blocks = self.function.blocks.iter().enumerate();
        blocks.flat_map(move |(b, block)| {
            block.stmts.iter().enumerate().map(move |(i, stmt)| {
                let span = self.function.map.stmts.get(b).and_then(|s| s.get(i));
                (stmt, span.copied().unwrap_or(self.function.map.name))
            })
        })
    }

    fn is_own(&self, place: PlaceId) -> bool {
        let place = &self.function.places[place];
        place.base == Base::SelfObj
            && matches!(&place.proj[..], [Proj::Field(name)] if name == self.field)
    }

    /// The field of the object that is moved from, or (`whole`) that object.
    fn is_other(&self, place: PlaceId, whole: bool) -> bool {
        let place = &self.function.places[place];
        let Base::Local(l) = place.base else {
            return false;
        };
        l.0 == 0
            && match &place.proj[..] {
                [Proj::Deref, Proj::Field(name)] => name == self.field,
                [Proj::Deref] | [] => whole,
                _ => false,
            }
    }

    /// Where the field is taken over as it is.
    fn taken(&self) -> Option<Span> {
        self.statements().find_map(|(stmt, span)| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Use(Operand::Copy(from)),
            } if self.is_own(*dst) && self.is_other(*from, false) => Some(span),
            _ => None,
        })
    }

    /// Whether something may leave the other object's field empty.
    fn empties(&self) -> bool {
        // `this != &other` takes an address that goes nowhere.
        let mut addresses: FxHashSet<PlaceId> = FxHashSet::default();
        self.statements().any(|(stmt, _)| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Ref(of),
            } if self.is_other(*of, true) => {
                addresses.insert(*dst);
                false
            }
            Statement::Assign { dst, .. } => self.is_other(*dst, true),
            Statement::Call { callee, args, .. } => {
                let given = args.iter().any(|arg| match arg {
                    Operand::Copy(place) | Operand::Move(place) => {
                        self.is_other(*place, true) || addresses.contains(place)
                    }
                    Operand::Const(_) => false,
                });
                let on_it = matches!(
                    callee,
                    Callee::Method { receiver, .. } if self.is_other(*receiver, true)
                );
                given || on_it
            }
            Statement::Opaque { .. } => true,
            _ => false,
        })
    }

    /// Whether what the field held may be closed, kept or looked at before it is assigned over.
    fn closes(&self, taken: Span) -> bool {
        let reads = |op: &Operand| match op {
            Operand::Copy(place) | Operand::Move(place) => self.is_own(*place),
            Operand::Const(_) => false,
        };
        let before = self.statements().any(|(stmt, span)| match stmt {
            _ if span >= taken => false,
            Statement::Assign { value, .. } => match value {
                Rvalue::Use(op) => reads(op),
                Rvalue::Ref(place) => self.is_own(*place),
                Rvalue::Compare(cond) => reads(&cond.lhs) || reads(&cond.rhs),
                _ => false,
            },
            Statement::Call { callee, args, .. } => {
                let target = self
                    .program
                    .target(self.f.0, self.function, callee, args.len());
                !matches!(target, Target::Model(_)) || args.iter().any(reads)
            }
            Statement::Opaque { .. } => true,
            _ => false,
        });
        before
            || self.function.blocks.iter().any(|block| {
                matches!(&block.term, Terminator::Branch { cond, .. }
                    if reads(&cond.lhs) || reads(&cond.rhs))
            })
    }
}
