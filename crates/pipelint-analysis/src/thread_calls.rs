//! Which functions surely call which, and from where: what a thread of control runs.
//!
//! `Order` has an edge besides wherever an address is taken or a closure is made: who calls through it, and
//! on which thread, is not known.

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, Language, Operand, PlaceId, Proj, Reference, Rvalue,
    Statement,
};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::dispatch::Dispatch;
use crate::ends::ended_by;
use crate::program::{FnRef, Program, Target, last};
use crate::summaries::Order;
use crate::thread_starts::ThreadStart;
use crate::told_types::Told;

/// A call that stands in a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) at: (usize, usize),
    pub(crate) to: usize,
}

/// The calls of the program.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) out: Vec<Vec<Edge>>,
    pub(crate) into: Vec<Vec<usize>>,
    /// Somebody out of sight may call it: its address is taken, or it is a closure.
    pub(crate) taken: Vec<bool>,
}

impl Calls {
    pub(crate) fn new(
        program: &Program<'_>,
        all: &[FnRef],
        order: &Order,
        starts: &[ThreadStart],
    ) -> Self {
        let dispatch = Dispatch::new(program);
        let out: Vec<Vec<Edge>> = all
            .par_iter()
            .map(|&f| edges(program, &dispatch, f))
            .collect();
        let mut into: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
        for (i, edges) in out.iter().enumerate() {
            for edge in edges {
                if into[edge.to].last() != Some(&i) {
                    into[edge.to].push(i);
                }
            }
        }
        let handed: FxHashSet<(usize, usize)> = starts
            .iter()
            .filter_map(|s| Some((program.number(s.by?.0), program.number(s.entry))))
            .collect();
        let mut taken = vec![false; all.len()];
        for (i, calls) in order.calls.iter().enumerate() {
            let sure: FxHashSet<usize> = out[i].iter().map(|edge| edge.to).collect();
            for &to in calls {
                taken[to] |= !sure.contains(&to) && !handed.contains(&(i, to));
            }
        }
        for unit in &program.units {
            let entries = unit.globals.iter().flat_map(|g| &g.table);
            for name in entries.filter_map(|entry| entry.name.as_ref()) {
                for f in program.functions.get(name).into_iter().flatten() {
                    taken[program.number(*f)] = true;
                }
            }
        }
        Self { out, into, taken }
    }
}

fn edges(program: &Program<'_>, dispatch: &Dispatch, f: FnRef) -> Vec<Edge> {
    let function = program.function(f);
    let told = Told::new(program, f);
    let mut out = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let mut add = |g: FnRef| {
                out.push(Edge {
                    at: (b, i),
                    to: program.number(g),
                });
            };
            match stmt {
                Statement::Drop { .. } | Statement::Assign { .. } => {
                    ended_by(&told, (b, i), stmt).into_iter().for_each(add);
                }
                Statement::Call { callee, args, .. } => {
                    ended_by(&told, (b, i), stmt).into_iter().for_each(&mut add);
                    match program.target(f.0, function, callee, args.len()) {
                        Target::Defined(g) => add(g),
                        Target::Unknown => {
                            let bodies = dispatch.bodies(program, f, callee, args.len());
                            let told = || told.method(callee, args.len());
                            let bodies = bodies.into_iter();
                            match bodies.len() {
                                0 => told().into_iter().for_each(add),
                                _ => bodies.for_each(add),
                            }
                        }
                        Target::Model(_) => {}
                    }
                    if let Some(run) = scoped(program, f, callee, args) {
                        out.push(Edge {
                            at: (b, i),
                            to: program.number(run),
                        });
                    }
                }
                _ => {}
            }
        }
    }
    out
}

/// The closure that `std::thread::scope` runs, before it waits for the threads that were started in it.
fn scoped(program: &Program<'_>, f: FnRef, callee: &Callee, args: &[Operand]) -> Option<FnRef> {
    let Callee::Function(name) = callee else {
        return None;
    };
    let rust = program.units[f.0].language == Language::Rust;
    if !rust || last(name) != "scope" {
        return None;
    }
    let function = program.function(f);
    let (Operand::Copy(closure) | Operand::Move(closure)) = args.first()? else {
        return None;
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.find_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Closure(name, _),
        } if dst == closure => program.lambda(f.0, name),
        _ => None,
    })
}

/// What of a function's surroundings is its thread's and others' as well: the object it runs on, and what
/// its parameters point to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) this: bool,
    pub(crate) params: FxHashSet<u32>,
}

impl Shared {
    /// All that a thread is given.
    pub(crate) fn all(function: &Function) -> Self {
        Self {
            this: !matches!(
                function.kind,
                FunctionKind::Free | FunctionKind::StaticMethod
            ),
            params: (0..function.params).collect(),
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        !self.this && self.params.is_empty()
    }

    /// Adds what another one knows; true where that is new.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        let before = (self.this, self.params.len());
        self.this |= other.this;
        self.params.extend(&other.params);
        before != (self.this, self.params.len())
    }

    /// The variables that lead to what is shared.
    pub(crate) fn locals(&self, function: &Function) -> FxHashSet<u32> {
        let mut locals = self.params.clone();
        if self.is_nothing() {
            return locals;
        }
        // Copies of copies, as far as the order of the statements shows them.
        for _ in 0..2 {
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let (dst, from) = match stmt {
                    Statement::Assign {
                        dst,
                        value:
                            Rvalue::Use(Operand::Copy(p) | Operand::Move(p))
                            | Rvalue::Cast(_, Operand::Copy(p) | Operand::Move(p)),
                    } => (dst, self.leads(function, &locals, *p)),
                    Statement::Assign {
                        dst,
                        value: Rvalue::Ref(p),
                    } => (dst, self.is_part(function, &locals, *p)),
                    // `context.cast()`
                    Statement::Call {
                        dst: Some(dst),
                        callee: Callee::Method { receiver, name, .. },
                        ..
                    } if name.starts_with("cast") => {
                        (dst, self.leads(function, &locals, *receiver))
                    }
                    _ => continue,
                };
                let dst = &function.places[*dst];
                if let (true, Base::Local(l), []) = (from, &dst.base, &dst.proj[..]) {
                    locals.insert(l.0);
                }
            }
        }
        locals
    }

    /// The variables that lead to what is shared, or to what parts of that point to.
    pub(crate) fn led_to(&self, function: &Function) -> FxHashSet<u32> {
        let mut locals = self.locals(function);
        for _ in 0..2 {
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let Statement::Assign {
                    dst,
                    value:
                        Rvalue::Use(Operand::Copy(p) | Operand::Move(p))
                        | Rvalue::Cast(_, Operand::Copy(p) | Operand::Move(p)),
                } = stmt
                else {
                    continue;
                };
                let (dst, from) = (&function.places[*dst], &function.places[*p]);
                let leads = match from.base {
                    Base::Local(l) => locals.contains(&l.0),
                    Base::SelfObj => self.this && !from.proj.is_empty(),
                    _ => false,
                };
                if let (true, Base::Local(l), []) = (leads, &dst.base, &dst.proj[..]) {
                    locals.insert(l.0);
                }
            }
        }
        locals
    }

    /// The place holds a pointer to what is shared.
    fn leads(&self, function: &Function, locals: &FxHashSet<u32>, place: PlaceId) -> bool {
        let place = &function.places[place];
        matches!(&place.base, Base::Local(l) if locals.contains(&l.0)) && place.proj.is_empty()
    }

    /// The place is shared, or a part of what is.
    pub(crate) fn is_part(
        &self,
        function: &Function,
        locals: &FxHashSet<u32>,
        place: PlaceId,
    ) -> bool {
        let place = &function.places[place];
        let steps = match (&place.base, &place.proj[..]) {
            (Base::SelfObj, steps) if self.this => steps,
            (Base::Local(l), [Proj::Deref, steps @ ..]) if locals.contains(&l.0) => steps,
            // A field of the object that a lambda has captured.
            (Base::Global(_), steps) if self.this && function.kind == FunctionKind::Lambda => steps,
            _ => return false,
        };
        !steps.contains(&Proj::Deref)
    }

    /// What a callee has of it.
    pub(crate) fn handed(
        &self,
        caller: &Function,
        locals: &FxHashSet<u32>,
        at: (usize, usize),
        callee: &Function,
    ) -> Self {
        let mut handed = Self::default();
        let stmt = caller.blocks.get(at.0).and_then(|b| b.stmts.get(at.1));
        let Some(Statement::Call {
            callee: called,
            args,
            ..
        }) = stmt
        else {
            return handed;
        };
        let with_object = !matches!(callee.kind, FunctionKind::Free | FunctionKind::StaticMethod);
        handed.this = with_object
            && match called {
                Callee::Method { receiver, .. } => self.is_part(caller, locals, *receiver),
                Callee::Function(_) => self.this,
                _ => false,
            };
        for (n, arg) in (0..).zip(args) {
            let by_reference = callee
                .locals
                .get(n as usize)
                .is_some_and(|l| l.ty.reference != Reference::None);
            if let Operand::Copy(p) | Operand::Move(p) = arg
                && (self.leads(caller, locals, *p)
                    || by_reference && self.is_part(caller, locals, *p))
            {
                handed.params.insert(n);
            }
        }
        handed
    }
}
