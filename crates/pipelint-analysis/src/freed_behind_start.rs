//! Memory that the starting function frees itself, behind the start of a thread that uses it: nothing decides that, and
//! nothing waits for the thread in between.

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Const, Function, Operand, Place, Proj, Rvalue, Statement, Terminator,
};
use rustc_hash::FxHashSet;

use crate::freed_beside::{At, CALLED, Look, Thread};
use crate::frees::Freed;
use crate::on_the_way::{Asker, deciding};
use crate::program::{Target, last};
use crate::started::reaches;
use crate::words::has_word;

impl Look<'_, '_, '_> {
    /// The starting function frees it itself, behind the start, and nothing decides that or waits between.
    pub(crate) fn behind_start(&self, thread: &Thread<'_>, freed: &Freed) -> bool {
        let (by, at) = thread.by;
        if freed.f != by || !self.shared.threads.runs_beside(thread.root, by, freed.at) {
            return false;
        }
        let asker = self.asker(by);
        let function = asker.function;
        if !reaches(function, at, freed.at) || self.holds(by, freed.at) {
            return false;
        }
        let given = thread.start.given.iter().any(|given| {
            let object = asker
                .fills
                .root(function, &function.places[given.place].base);
            let freed = asker.fills.root(function, &freed.place.base);
            object == freed || leads_to(&asker, &object, &freed)
        });
        let decides = deciding(function, at.0, freed.at.0);
        given
            && !refilled(function, &freed.place, at, freed.at)
            && decides.into_iter().all(|b| {
                self.has_started(&asker, b, at, freed.at.0)
                    || self.tells_nothing(&asker, b, thread, freed)
            })
            && !self.waits_between(thread, by, Some(at), freed.at)
    }

    /// The branch asks whether the start has worked, and the memory is freed where it has.
    pub(crate) fn has_started(&self, asker: &Asker<'_, '_>, b: usize, at: At, to: usize) -> bool {
        let function = asker.function;
        let dst = function.blocks.get(at.0).and_then(|b| b.stmts.get(at.1));
        let (
            Some(Statement::Call {
                dst: Some(dst),
                callee,
                args,
                ..
            }),
            Some(Terminator::Branch {
                cond,
                then,
                otherwise,
            }),
        ) = (dst, function.blocks.get(b).map(|b| &b.term))
        else {
            return false;
        };
        // Functions of Windows yield nothing where they have failed; `pthread_create` yields nothing where it has
        // worked, and of others nobody has said it.
        let program = self.shared.program;
        match program.target(asker.f.0, function, callee, args.len()) {
            Target::Model(model) if model.starts.is_some() => {}
            _ => return false,
        }
        let Cond {
            op,
            lhs: Operand::Copy(p) | Operand::Move(p),
            rhs: Operand::Const(Const::Null | Const::Int(0)),
        } = cond
        else {
            return false;
        };
        let asks = asker.fills.origin(function, &function.places[*p]) == &function.places[*dst];
        let (yes, no) = match op {
            CmpOp::Ne => (then.0 as usize, otherwise.0 as usize),
            CmpOp::Eq => (otherwise.0 as usize, then.0 as usize),
            _ => return false,
        };
        let leads = |from: usize| from == to || reaches(function, (from, 0), (to, 0));
        asks && leads(yes) && !leads(no)
    }

    /// What the branch at a block's end asks tells of no thread.
    pub(crate) fn tells_nothing(
        &self,
        asker: &Asker<'_, '_>,
        b: usize,
        thread: &Thread<'_>,
        freed: &Freed,
    ) -> bool {
        let Some(asked) = asker.asked(b) else {
            return false;
        };
        // That there is something to free says nothing of the thread.
        let mut asked = asked
            .iter()
            .filter(|p| p.thing.as_ref() != Some(&freed.thing));
        !asked.any(|part| {
            let mut written = thread.written.iter();
            written.any(|other| part.meets(other, self.shared.program))
        })
    }

    /// A lock may be held there.
    pub(crate) fn holds(&self, f: usize, at: At) -> bool {
        let held = self.shared.held.at(f, at);
        held.is_some_and(|held| held.unknown || !held.locks.is_empty())
    }

    /// Something may wait before a statement: from the function's beginning, or from another statement.
    pub(crate) fn waits_between(
        &self,
        thread: &Thread<'_>,
        f: usize,
        from: Option<At>,
        to: At,
    ) -> bool {
        let function = self.shared.program.function(self.shared.all[f]);
        let mut seen = FxHashSet::default();
        let between = |at: At| {
            at != to
                && reaches(function, at, to)
                && from.is_none_or(|from| at != from && reaches(function, from, at))
        };
        self.waits(thread, f, &between, CALLED, &mut seen)
    }

    /// Some wanted statement of a function waits, or what it calls.
    pub(crate) fn waits(
        &self,
        thread: &Thread<'_>,
        f: usize,
        wanted: &dyn Fn(At) -> bool,
        depth: usize,
        seen: &mut FxHashSet<usize>,
    ) -> bool {
        const WORDS: &[&str] = &[
            "wait",
            "join",
            "stop",
            "shutdown",
            "drain",
            "flush",
            "finish",
            "quit",
            "kill",
            "terminate",
            "sync",
            "barrier",
            "park",
            "abort",
            "cancel",
            "halt",
            "finalize",
        ];
        let at = self.shared.all[f];
        let program = self.shared.program;
        let function = program.function(at);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                if !wanted((b, i)) {
                    continue;
                }
                let name = match callee {
                    Callee::Function(name) | Callee::Method { name, .. } => last(name),
                    _ => "",
                };
                match program.target(at.0, function, callee, args.len()) {
                    Target::Model(model) => {
                        let ends = name.starts_with("Terminate");
                        if model.waits.is_some() || model.awaits_callbacks.is_some() || ends {
                            return true;
                        }
                    }
                    Target::Defined(g) => {
                        let g = program.number(g);
                        if depth > 0
                            && seen.insert(g)
                            && self.waits(thread, g, &|_| true, depth - 1, seen)
                        {
                            return true;
                        }
                    }
                    Target::Unknown => {
                        if has_word(name, WORDS) {
                            return true;
                        }
                    }
                }
            }
        }
        self.polls(thread, f, wanted)
    }

    /// A loop asks something that the thread writes.
    pub(crate) fn polls(&self, thread: &Thread<'_>, f: usize, wanted: &dyn Fn(At) -> bool) -> bool {
        let function = self.shared.program.function(self.shared.all[f]);
        let loops = |b: usize| reaches(function, (b, usize::MAX), (b, 0));
        let mut branches = (0..function.blocks.len())
            .filter(|b| matches!(function.blocks[*b].term, Terminator::Branch { .. }))
            .filter(|b| wanted((*b, function.blocks[*b].stmts.len())) && loops(*b))
            .peekable();
        if branches.peek().is_none() {
            return false;
        }
        let asker = self.asker(f);
        branches.any(|b| {
            let asked = asker.asked(b).into_iter().flatten();
            let mut asked = asked.filter(|part| part.thing.is_some());
            asked.any(|part| {
                let mut own = thread.own.iter();
                own.any(|other| part.meets(other, self.shared.program))
            })
        })
    }
}

/// A pointer, or the variable that leads to it, is set between two statements.
fn refilled(function: &Function, pointer: &Place, from: At, to: At) -> bool {
    let blocks = function.blocks.iter().enumerate();
    let mut stmts = blocks.flat_map(|(b, block)| {
        let stmts = block.stmts.iter().enumerate();
        stmts.map(move |(i, stmt)| ((b, i), stmt))
    });
    stmts.any(|(at, stmt)| {
        let dst = match stmt {
            Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => *dst,
            _ => return false,
        };
        let dst = &function.places[dst];
        let leads = dst.base == pointer.base && pointer.proj.starts_with(&dst.proj);
        leads && reaches(function, from, at) && reaches(function, at, to)
    })
}

/// The object that the thread is given was made to lead to another one: `request->owner = object`.
fn leads_to(asker: &Asker<'_, '_>, object: &Base, other: &Base) -> bool {
    let function = asker.function;
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Assign { dst, value } => {
            let dst = &function.places[*dst];
            let part = matches!(dst.proj.last(), Some(Proj::Field(_)));
            let from = match value {
                Rvalue::Use(Operand::Copy(p) | Operand::Move(p))
                | Rvalue::Cast(_, Operand::Copy(p) | Operand::Move(p))
                | Rvalue::Ref(p) => &function.places[*p],
                _ => return false,
            };
            part && asker.fills.root(function, &dst.base) == *object
                && (from.proj.is_empty())
                && asker.fills.root(function, &from.base) == *other
        }
        _ => false,
    })
}
