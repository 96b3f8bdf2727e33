//! Where functions read and write variables and fields that several threads can see.

use pipelint_ir::{
    Base, Callee, Function, Operand, Place, PlaceId, Proj, Reference, Rvalue, Statement,
    Terminator, Type,
};
use pipelint_source::Span;
use rustc_hash::FxHashMap;

use crate::flag_accesses::{Looker, Thing, Variables};
use crate::program::{FnRef, Program, last};
use crate::words::has_word;

/// What an access does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Does {
    Reads,
    /// Reads it, and writes what comes of that.
    Updates,
    Writes,
}

/// A read or a write.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) thing: Thing,
    pub(crate) does: Does,
    pub(crate) at: (usize, usize),
    pub(crate) span: Span,
    pub(crate) place: PlaceId,
}

impl Access {
    pub(crate) fn writes(&self) -> bool {
        self.does != Does::Reads
    }
}

/// What one function does.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) accesses: Vec<Access>,
    /// Things that functions are given for which the processor orders what several threads do.
    pub(crate) ordered: Vec<Thing>,
}

/// Looks at a function.
pub(crate) fn touched(
    program: &Program<'_>,
    variables: &Variables,
    f: FnRef,
    begins: bool,
) -> Touched {
    let function = program.function(f);
    let mut looker = Toucher {
        program,
        looker: Looker::new(program, variables, f),
        function,
        f,
        given: if begins {
            pointers_given(function)
        } else {
            FxHashMap::default()
        },
        at: (0, 0),
        span: function.map.name,
        found: Touched::default(),
    };
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            looker.at = (b, i);
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            looker.span = span.copied().unwrap_or(function.map.name);
            looker.statement(stmt);
        }
        looker.at = (b, block.stmts.len());
        let span = function.map.terms.get(b).copied();
        looker.span = span.unwrap_or(function.map.name);
        match &block.term {
            Terminator::Branch { cond, .. } => {
                looker.operand(&cond.lhs);
                looker.operand(&cond.rhs);
            }
            Terminator::Switch { on, .. } => looker.operand(on),
            Terminator::Return(Some(value)) => looker.operand(value),
            _ => {}
        }
    }
    looker.found
}

struct Toucher<'a, 'm> {
    program: &'a Program<'m>,
    looker: Looker<'a, 'm>,
    function: &'a Function,
    f: FnRef,
    /// Variables that hold a pointer which a thread's function is given, and which parameter that is.
    given: FxHashMap<u32, u32>,
    at: (usize, usize),
    span: Span,
    found: Touched,
}

impl Toucher<'_, '_> {
    fn statement(&mut self, stmt: &Statement) {
        match stmt {
            Statement::Assign { dst, value } => {
                let mut of = Vec::new();
                match value {
                    Rvalue::Use(op) | Rvalue::Cast(_, op) => of.push(op),
                    Rvalue::Binary(_, a, b) => of.extend([a, b]),
                    Rvalue::Compare(cond) => of.extend([&cond.lhs, &cond.rhs]),
                    Rvalue::Aggregate(items) => of.extend(items.iter().map(|(_, op)| op)),
                    Rvalue::Unknown(ops) => of.extend(ops),
                    // An address is no access, and a closure runs later; what leads there is read.
                    Rvalue::Ref(of) => self.way_to(*of),
                    Rvalue::Closure(..) => {}
                }
                for op in &of {
                    self.operand(op);
                }
                let itself = |op: &&Operand| match op {
                    Operand::Copy(p) | Operand::Move(p) => self.is_same(*p, *dst),
                    Operand::Const(_) => false,
                };
                let updates = matches!(value, Rvalue::Binary(..)) && of.iter().any(itself);
                self.place(*dst, if updates { Does::Updates } else { Does::Writes });
            }
            Statement::Call {
                dst, callee, args, ..
            } => {
                match callee {
                    Callee::Method { receiver, name, .. } => self.receiver(*receiver, name),
                    Callee::Pointer(op) => self.operand(op),
                    Callee::Function(name) if orders(last(name)) => {
                        for arg in args {
                            self.lent(arg);
                        }
                    }
                    _ => {}
                }
                for arg in args {
                    self.operand(arg);
                }
                if let Some(dst) = dst {
                    self.place(*dst, Does::Writes);
                }
            }
            _ => {}
        }
    }

    fn is_same(&self, a: PlaceId, b: PlaceId) -> bool {
        a == b || self.function.places[a] == self.function.places[b]
    }

    fn operand(&mut self, op: &Operand) {
        if let Operand::Copy(place) | Operand::Move(place) = op {
            self.place(*place, Does::Reads);
        }
    }

    /// What is read on the way to a place.
    fn way_to(&mut self, place: PlaceId) {
        let at = &self.function.places[place];
        for n in 0..at.proj.len() {
            if matches!(at.proj[n], Proj::Deref) || self.is_pointer_index(at, n) {
                self.thing(place, at, n, Does::Reads);
            }
        }
    }

    fn place(&mut self, place: PlaceId, does: Does) {
        self.way_to(place);
        let at = &self.function.places[place];
        let mut n = at.proj.len();
        while n > 0 && matches!(at.proj[n - 1], Proj::Index(_)) {
            n -= 1;
            if self.is_pointer_index(at, n) {
                // What it points to is no part of the thing.
                return;
            }
        }
        self.thing(place, at, n, does);
    }

    /// The step is an index through a pointer.
    fn is_pointer_index(&self, at: &Place, n: usize) -> bool {
        matches!(at.proj[n], Proj::Index(_))
            && self
                .looker
                .named(&at.base, &at.proj[..n])
                .is_some_and(|(_, ty)| ty.pointers > 0)
    }

    fn thing(&mut self, place: PlaceId, at: &Place, steps: usize, does: Does) {
        match (&at.base, &at.proj[..steps]) {
            (Base::Local(_), []) => return,
            (Base::Local(l), [Proj::Deref] | [Proj::Index(Some(0))]) => {
                if let Some(param) = self.given.get(&l.0)
                    && let Some(local) = self.function.locals.get(l.0 as usize)
                    && self.is_plain(&local.ty)
                {
                    self.found.accesses.push(Access {
                        thing: Thing::Behind(self.f, *param),
                        does,
                        at: self.at,
                        span: self.span,
                        place,
                    });
                }
                return;
            }
            _ => {}
        }
        let Some((thing, ty)) = self.looker.named(&at.base, &at.proj[..steps]) else {
            return;
        };
        if self.is_plain(ty) {
            self.found.accesses.push(Access {
                thing,
                does,
                at: self.at,
                span: self.span,
                place,
            });
        }
    }

    /// A method runs on a place: what it does to it is known of the library's containers by their names;
    /// objects of the program's own classes are looked at in the method.
    fn receiver(&mut self, place: PlaceId, name: &str) {
        const CHANGES: &[&str] = &[
            "push", "pop", "insert", "append", "prepend", "erase", "remove", "clear", "take",
            "emplace", "enqueue", "dequeue", "resize", "swap", "reset", "assign", "add", "chop",
            "truncate", "reserve", "squeeze", "fill",
        ];
        let at = &self.function.places[place];
        let ty = self.looker.named(&at.base, &at.proj).map(|(_, ty)| ty);
        let own = ty.is_some_and(|ty| {
            let name = &self.program.resolve(ty).name;
            self.program
                .class_named(self.f.0, &self.function.name, name)
                .is_some()
        });
        if own || ty.is_some_and(|ty| ty.pointers > 0) {
            self.way_to(place);
            return;
        }
        let does = match has_word(last(name), CHANGES) {
            true => Does::Writes,
            false => Does::Reads,
        };
        self.place(place, does);
    }

    /// A thing's address is handed to a function that orders accesses.
    fn lent(&mut self, arg: &Operand) {
        let (Operand::Copy(place) | Operand::Move(place)) = arg else {
            return;
        };
        let refers = |stmt: &Statement| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Ref(of),
            } if dst == place => Some(*of),
            _ => None,
        };
        let block = &self.function.blocks[self.at.0];
        let of = block.stmts[..self.at.1].iter().rev().find_map(refers);
        let of = of.map(|of| &self.function.places[of]);
        if let Some(of) = of
            && let Some((thing, _)) = self.looker.named(&of.base, &of.proj)
        {
            self.found.ordered.push(thing);
        }
    }

    /// Nothing but a lock guards it: no atomic, no lock or condition itself, nothing that never changes.
    fn is_plain(&self, ty: &Type) -> bool {
        let resolved = self.program.resolve(ty);
        let models = self.program.models;
        let name = last(&resolved.name);
        let guards = models.lock(&resolved.name).is_some()
            || models.guard(&resolved.name).is_some()
            || models.condition(&resolved.name).is_some();
        let atomic = |name: &str| {
            let lower = name.to_ascii_lowercase();
            lower.contains("atomic") || lower.contains("once") || lower.contains("mutex")
        };
        !(ty.is_volatile
            || ty.is_const && ty.pointers == 0
            || ty.reference != Reference::None
            || guards
            || atomic(name)
            || atomic(last(&ty.name)))
    }
}

/// The variables that hold what a function was given, as long as they live.
fn pointers_given(function: &Function) -> FxHashMap<u32, u32> {
    let mut given: FxHashMap<u32, u32> = (0..function.params).map(|p| (p, p)).collect();
    let mut set: FxHashMap<u32, u32> = FxHashMap::default();
    for _ in 0..2 {
        set.clear();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            let (Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }) = stmt
            else {
                continue;
            };
            let to = &function.places[*dst];
            let (Base::Local(to), []) = (&to.base, &to.proj[..]) else {
                continue;
            };
            *set.entry(to.0).or_default() += 1;
            if let Statement::Assign {
                value:
                    Rvalue::Use(Operand::Copy(p) | Operand::Move(p))
                    | Rvalue::Cast(_, Operand::Copy(p) | Operand::Move(p)),
                ..
            } = stmt
                && let (Base::Local(from), []) =
                    (&function.places[*p].base, &function.places[*p].proj[..])
                && let Some(param) = given.get(&from.0)
            {
                given.insert(to.0, *param);
            }
        }
    }
    given.retain(|local, param| match local == param {
        true => !set.contains_key(local),
        false => set.get(local) == Some(&1),
    });
    given
}

/// Functions for which several threads may use what they are given at once.
fn orders(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [
        "interlocked",
        "atomic",
        "__sync_",
        "acquire",
        "release",
        "barrier",
        "initonce",
    ]
    .iter()
    .any(|word| lower.contains(word))
}
