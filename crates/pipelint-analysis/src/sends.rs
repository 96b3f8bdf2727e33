//! What a function sends, what of it is fixed or kept, and what the results of its sends are used for.

use pipelint_ir::{
    Base, Callee, CmpOp, Const, Function, LocalId, LocalKind, Name, Operand, PlaceId, Proj, Rvalue,
    Statement, Terminator,
};
use pipelint_models::{FunctionModel, IoKind};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cfg::{visit_reads, visit_term_reads};
use crate::event::Event;
use crate::program::{FnRef, Program, Target, last};
use crate::region::Graph;
use crate::silenced::{Silenced, reads_cond};
use crate::words::speaks_of_looking;

/// Values that a variable may be given for what it is made of to be followed.
pub(crate) const MOST_VALUES: usize = 4;

/// A call that sends.
pub(crate) struct Send<'f> {
    pub(crate) block: usize,
    pub(crate) span: Span,
    pub(crate) dst: Option<PlaceId>,
    pub(crate) voided: bool,
    pub(crate) api: Name,
    pub(crate) args: &'f [Operand],
    /// What it sends to, where that is an object.
    pub(crate) receiver: Option<PlaceId>,
    pub(crate) kind: Kind<'f>,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind<'f> {
    Model(&'f FunctionModel),
    /// A method of a type of the libraries.
    Method,
    /// A function of the program.
    Own(FnRef),
}

/// One function, as this pass looks at it.
pub(crate) struct Body<'f, 'm> {
    pub(crate) program: &'f Program<'m>,
    pub(crate) unit: usize,
    pub(crate) function: &'f Function,
    pub(crate) graph: Graph,
    /// Per local: the statements that put something there, by block and number.
    pub(crate) made: FxHashMap<u32, Vec<(usize, usize)>>,
    /// Per local: where it is read, its end left out: the block, and the place.
    pub(crate) read: FxHashMap<u32, Vec<(usize, PlaceId)>>,
    /// Locals whose value is read, not only their address.
    pub(crate) valued: FxHashSet<u32>,
}

impl<'f, 'm> Body<'f, 'm> {
    pub(crate) fn new(program: &'f Program<'m>, unit: usize, function: &'f Function) -> Self {
        let mut made: FxHashMap<u32, Vec<(usize, usize)>> = FxHashMap::default();
        let mut read: FxHashMap<u32, Vec<(usize, PlaceId)>> = FxHashMap::default();
        let local = |place: PlaceId| match function.places[place].base {
            Base::Local(l) => Some(l.0),
            _ => None,
        };
        let mut valued: FxHashSet<u32> = FxHashSet::default();
        for (b, block) in function.blocks.iter().enumerate() {
            for stmt in &block.stmts {
                let lends = matches!(
                    stmt,
                    Statement::Assign {
                        value: Rvalue::Ref(_),
                        ..
                    }
                );
                if !lends && !matches!(stmt, Statement::Drop { .. }) {
                    visit_reads(stmt, |p| valued.extend(local(p)));
                }
            }
            visit_term_reads(&block.term, |p| valued.extend(local(p)));
            let mut note = |p: PlaceId| {
                if let Some(l) = local(p) {
                    read.entry(l).or_default().push((b, p));
                }
            };
            for stmt in &block.stmts {
                if !matches!(stmt, Statement::Drop { .. }) {
                    visit_reads(stmt, &mut note);
                }
            }
            visit_term_reads(&block.term, &mut note);
            for (i, stmt) in block.stmts.iter().enumerate() {
                if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt
                    && let Some(l) = local(*dst)
                {
                    made.entry(l).or_default().push((b, i));
                }
            }
        }
        Self {
            program,
            unit,
            function,
            graph: Graph::new(function),
            made,
            read,
            valued,
        }
    }

    /// The statements that put something into a local; none where there are too many to follow.
    pub(crate) fn made_of(
        &self,
        local: LocalId,
    ) -> Option<impl Iterator<Item = &'f Statement> + '_> {
        let made = self.made.get(&local.0).map_or(&[][..], Vec::as_slice);
        let few = made.len() <= MOST_VALUES;
        few.then(|| {
            made.iter()
                .map(|(b, i)| &self.function.blocks[*b].stmts[*i])
        })
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.program.units[self.unit].language == pipelint_ir::Language::Rust
    }

    /// The calls that send something of the caller's.
    pub(crate) fn sends(&self) -> Vec<Send<'f>> {
        let mut sends = Vec::new();
        for (b, block) in self.function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call {
                    dst,
                    callee,
                    args,
                    voided,
                } = stmt
                else {
                    continue;
                };
                let target = self
                    .program
                    .target(self.unit, self.function, callee, args.len());
                let mut receiver = None;
                let (api, kind) = match (target, callee) {
                    (Target::Model(model), Callee::Function(name)) => {
                        (Name::new(last(name)), Kind::Model(model))
                    }
                    (Target::Defined(f), _) => {
                        (self.program.function(f).name.clone(), Kind::Own(f))
                    }
                    (
                        _,
                        Callee::Method {
                            receiver: object,
                            name,
                            ty: Some(ty),
                        },
                    ) if self
                        .program
                        .models
                        .writer(&ty.name)
                        .is_some_and(|w| w.sends.iter().any(|m| *m == **name)) =>
                    {
                        receiver = Some(*object);
                        (name.clone(), Kind::Method)
                    }
                    _ => continue,
                };
                let spans = self.function.map.stmts.get(b);
                let Some(span) = spans.and_then(|s| s.get(i)).copied() else {
                    continue;
                };
                sends.push(Send {
                    block: b,
                    span,
                    dst: *dst,
                    voided: *voided,
                    api,
                    args,
                    receiver,
                    kind,
                });
            }
        }
        sends
    }

    /// It sends what somebody gave, and no fixed word or wake-up.
    pub(crate) fn sends_data(&self, send: &Send<'_>) -> bool {
        match send.kind {
            Kind::Model(model) => {
                let Some(io) = model.io.as_ref().filter(|io| io.does == IoKind::Write) else {
                    return false;
                };
                let Some(buffer) = io.buffer.and_then(|n| send.args.get(n)) else {
                    return false;
                };
                let length = io.length.and_then(|n| send.args.get(n));
                !matches!(length, Some(Operand::Const(Const::Int(0 | 1))))
                    && !self.is_fixed(buffer, 5)
            }
            Kind::Method => send.args.iter().all(|arg| !self.is_fixed(arg, 5)),
            Kind::Own(_) => {
                send.args.is_empty() || !send.args.iter().all(|arg| self.is_fixed(arg, 5))
            }
        }
    }

    /// What is written in the program text: a literal, or a variable made of constants alone.
    pub(crate) fn is_fixed(&self, operand: &Operand, depth: u32) -> bool {
        match operand {
            Operand::Const(_) => true,
            Operand::Copy(place) | Operand::Move(place) => self.is_fixed_place(*place, depth),
        }
    }

    pub(crate) fn is_fixed_place(&self, place: PlaceId, depth: u32) -> bool {
        let Base::Local(local) = self.function.places[place].base else {
            return matches!(self.function.places[place].base, Base::Global(_));
        };
        if depth == 0 || local.0 < self.function.params {
            return false;
        }
        let Some(made) = self.made_of(local) else {
            return false;
        };
        let (mut any, mut all) = (false, true);
        for stmt in made {
            any = true;
            all &= match stmt {
                Statement::Assign { value, .. } => match value {
                    Rvalue::Use(of) | Rvalue::Cast(_, of) => self.is_fixed(of, depth - 1),
                    Rvalue::Ref(of) => self.is_fixed_place(*of, depth - 1),
                    Rvalue::Aggregate(parts) => {
                        parts.iter().all(|(_, part)| self.is_fixed(part, depth - 1))
                    }
                    _ => false,
                },
                Statement::Call {
                    callee: Callee::Method { receiver, .. },
                    args,
                    ..
                } => args.is_empty() && self.is_fixed_place(*receiver, depth - 1),
                _ => false,
            };
        }
        any && all
    }

    /// The bytes stand in the object, or in what it leads to: they may be sent again.
    pub(crate) fn is_kept(&self, send: &Send<'_>) -> bool {
        let buffer = match send.kind {
            Kind::Model(model) => model.io.as_ref().and_then(|io| io.buffer),
            Kind::Method => Some(0),
            Kind::Own(_) => return send.args.is_empty(),
        };
        let buffer = buffer.and_then(|n| send.args.get(n));
        buffer.is_none_or(|op| self.is_kept_at(op, 5))
    }

    pub(crate) fn is_kept_at(&self, operand: &Operand, depth: u32) -> bool {
        let (Operand::Copy(place) | Operand::Move(place)) = operand else {
            return false;
        };
        let at = &self.function.places[*place];
        let Base::Local(local) = at.base else {
            return true;
        };
        let member = at.proj.iter().any(|step| matches!(step, Proj::Field(_)));
        if member && local.0 < self.function.params {
            return true;
        }
        if depth == 0 {
            return true;
        }
        let Some(mut made) = self.made_of(local) else {
            return true;
        };
        made.any(|stmt| {
            let from = match stmt {
                Statement::Assign {
                    value:
                        Rvalue::Use(Operand::Copy(of) | Operand::Move(of))
                        | Rvalue::Cast(_, Operand::Copy(of) | Operand::Move(of))
                        | Rvalue::Ref(of),
                    ..
                } => *of,
                Statement::Call {
                    callee: Callee::Method { receiver, name, .. },
                    ..
                } if speaks_of_looking(name) || name.starts_with("as_") => *receiver,
                _ => return false,
            };
            self.function.places[from].base != Base::Local(local)
                && self.is_kept_at(&Operand::Copy(from), depth - 1)
        })
    }

    /// The result is thrown away by name.
    pub(crate) fn is_thrown_away(&self, send: &Send<'_>) -> bool {
        let mine = match send.kind {
            Kind::Method => true,
            // `(void)` in C and C++ says that it is meant.
            Kind::Model(_) => self.is_rust(),
            Kind::Own(f) => self.is_rust() && self.program.function(f).ret.name == "Result",
        };
        let dropped = send.voided || send.dst.is_some_and(|dst| self.only_ends(dst));
        let taken = send.dst.is_some_and(|dst| self.good_is_read(dst));
        mine && dropped && !taken && !self.ends_here(send)
    }

    pub(crate) fn thrown_away(&self, send: &Send<'_>) -> Event {
        let kind = Silenced::Discarded {
            api: send.api.clone(),
        };
        self.event(kind, send.span, send.span, None)
    }

    /// A temporary that a result is put into, and that does nothing but end.
    pub(crate) fn only_ends(&self, dst: PlaceId) -> bool {
        let Base::Local(local) = self.function.places[dst].base else {
            return false;
        };
        let temp = self.local_kind(local) == Some(LocalKind::Temp);
        temp && self.reads(local).is_empty()
    }

    pub(crate) fn local_kind(&self, local: LocalId) -> Option<LocalKind> {
        Some(self.function.locals.get(local.0 as usize)?.kind)
    }

    /// `.ok()` whose value somebody uses.
    pub(crate) fn good_is_read(&self, dst: PlaceId) -> bool {
        let Base::Local(local) = self.function.places[dst].base else {
            return true;
        };
        let mut taken: FxHashSet<u32> = FxHashSet::default();
        taken.insert(local.0);
        let of = |place: PlaceId| match self.function.places[place].base {
            Base::Local(l) => Some(l.0),
            _ => None,
        };
        // What it was made into: `{tag}` and payload of the `Option`.
        let asked = self.function.blocks.iter().find_map(|b| match &b.term {
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } if reads_cond(cond, &mut |p| of(p) == Some(local.0)) => Some([*then, *otherwise]),
            _ => None,
        });
        for to in asked.into_iter().flatten() {
            for stmt in &self.function.blocks[to.0 as usize].stmts {
                if let Statement::Assign {
                    dst,
                    value: Rvalue::Aggregate(_),
                } = stmt
                {
                    taken.extend(of(*dst));
                }
            }
        }
        let made = taken.iter().filter(|l| **l != local.0);
        made.into_iter()
            .any(|l| !self.reads(LocalId(*l)).is_empty())
    }

    /// Where a local is read.
    pub(crate) fn reads(&self, local: LocalId) -> &[(usize, PlaceId)] {
        self.read.get(&local.0).map_or(&[], Vec::as_slice)
    }

    /// The pipe is let go of here, and nothing more is sent: whether the peer has got it shows in what the
    /// peer does.
    pub(crate) fn ends_here(&self, send: &Send<'_>) -> bool {
        let handle = match (send.kind, send.receiver) {
            (_, Some(object)) => {
                let place = &self.function.places[object];
                let Base::Local(local) = place.base else {
                    return false;
                };
                // A reference is another's.
                return place.proj.is_empty()
                    && self.function.locals[local.0 as usize].ty.pointers == 0;
            }
            (Kind::Model(model), None) => model.io.as_ref().map(|io| io.handle),
            _ => None,
        };
        let Some(Operand::Copy(handle) | Operand::Move(handle)) =
            handle.and_then(|n| send.args.get(n))
        else {
            return false;
        };
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| {
            let Statement::Call { callee, args, .. } = stmt else {
                return false;
            };
            let target = self
                .program
                .target(self.unit, self.function, callee, args.len());
            let Target::Model(model) = target else {
                return false;
            };
            let given = |n: usize| matches!(args.get(n), Some(Operand::Copy(p) | Operand::Move(p)) if p == handle);
            let ends = model.releases.iter().any(|r| given(r.arg));
            let leaves = model.io.as_ref().is_some_and(|io| io.does == IoKind::Disconnect && given(io.handle));
            ends || leaves
        })
    }

    /// Locals that hold a call's result, or what it says.
    pub(crate) fn holders(&self, dst: PlaceId) -> FxHashSet<u32> {
        let mut held = FxHashSet::default();
        let Base::Local(local) = self.function.places[dst].base else {
            return held;
        };
        held.insert(local.0);
        for _ in 0..2 {
            let mut more = Vec::new();
            for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
                let Statement::Assign {
                    dst,
                    value: Rvalue::Use(_) | Rvalue::Cast(..) | Rvalue::Compare(_),
                } = stmt
                else {
                    continue;
                };
                let Base::Local(to) = self.function.places[*dst].base else {
                    continue;
                };
                visit_reads(stmt, |p| {
                    if self.is_in(p, &held) && !self.is_payload(p) {
                        more.push(to.0);
                    }
                });
            }
            held.extend(more);
        }
        held
    }

    pub(crate) fn is_in(&self, place: PlaceId, locals: &FxHashSet<u32>) -> bool {
        matches!(self.function.places[place].base, Base::Local(l) if locals.contains(&l.0))
    }

    /// What a good `Result` holds.
    pub(crate) fn is_payload(&self, place: PlaceId) -> bool {
        self.is_rust()
            && matches!(self.function.places[place].proj.first(), Some(Proj::Field(name)) if name == "0")
    }

    /// The branches on the tag of a `Result`: where they stand, lead on a failure, and lead otherwise.
    pub(crate) fn failed_by_tag(&self, send: &Send<'_>) -> Vec<(usize, usize, usize)> {
        let Some(dst) = send.dst else {
            return Vec::new();
        };
        let held = self.holders(dst);
        let mut edges = Vec::new();
        for (b, block) in self.function.blocks.iter().enumerate() {
            let Terminator::Branch {
                cond,
                then,
                otherwise,
            } = &block.term
            else {
                continue;
            };
            let (Operand::Copy(place), Operand::Const(Const::Int(1))) = (&cond.lhs, &cond.rhs)
            else {
                continue;
            };
            let at = &self.function.places[*place];
            let tag = matches!(&at.proj[..], [Proj::Field(name)] if name == crate::rust::TAG);
            if !tag || !self.is_in(*place, &held) {
                continue;
            }
            let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
            match cond.op {
                CmpOp::Eq => edges.push((b, then, otherwise)),
                CmpOp::Ne => edges.push((b, otherwise, then)),
                _ => {}
            }
        }
        // The arms of a `match` ask one after another: the first question is the one.
        edges.truncate(1);
        edges
    }
}
