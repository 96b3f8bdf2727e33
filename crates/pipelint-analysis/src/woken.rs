//! What a path asks after it was woken: the state, how the wait ended, or nothing that the wait could have
//! changed.

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Const, Function, LocalId, Operand, PlaceId, Proj, Rvalue, Statement,
    Terminator,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_loops::reaches;
use crate::conditions::{local_of, operands};
use crate::program::{FnRef, Program, last};
use crate::words::has_word;

/// What a condition behind a wait asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// What others may have changed.
    State,
    /// How the wait ended.
    Result,
    /// Nothing that the wait could have changed.
    Nothing,
    /// Something that has this answer where nothing has changed.
    Means(bool),
}

/// What conditions behind one wait can ask.
pub(crate) struct Woken<'a, 'm> {
    program: &'a Program<'m>,
    f: FnRef,
    function: &'a Function,
    /// Variables that hold the wait's result, or a part of it.
    result: FxHashSet<LocalId>,
    /// Variables that are set somewhere behind the wait, or by others.
    fresh: FxHashSet<LocalId>,
}

impl<'a, 'm> Woken<'a, 'm> {
    /// The wait is the statement of this block.
    pub(crate) fn new(program: &'a Program<'m>, f: FnRef, at: (usize, usize)) -> Self {
        let function = program.function(f);
        let mut woken = Self {
            program,
            f,
            function,
            result: FxHashSet::default(),
            fresh: FxHashSet::default(),
        };
        woken.result = woken.results(at);
        woken.fresh = woken.set_behind(at.0);
        woken
    }

    pub(crate) fn tests(&self, cond: &Cond) -> Test {
        let places = [&cond.lhs, &cond.rhs]
            .into_iter()
            .filter_map(|op| match op {
                Operand::Copy(place) | Operand::Move(place) => Some(*place),
                Operand::Const(_) => None,
            });
        let places: Vec<PlaceId> = places.collect();
        if let Some(means) = self.is_snapshot(cond).or_else(|| self.is_of_error(cond)) {
            return Test::Means(means);
        }
        // An enumerator is nobody's state.
        let named = |place: &&PlaceId| {
            let place = &self.function.places[**place];
            !matches!(&place.base, Base::Global(name) if name.contains("::") && place.proj.is_empty())
        };
        let locals: Option<Vec<LocalId>> = places
            .iter()
            .filter(named)
            .map(|place| local_of(self.function, *place))
            .collect();
        let Some(locals) = locals else {
            return Test::State;
        };
        if !locals.is_empty() && locals.iter().all(|l| self.result.contains(l)) {
            return Test::Result;
        }
        match locals.iter().any(|l| self.fresh.contains(l)) {
            true => Test::State,
            false => Test::Nothing,
        }
    }

    /// The condition compares a field with what it was before the wait: which way leads on where nothing has
    /// changed.
    fn is_snapshot(&self, cond: &Cond) -> Option<bool> {
        let (Operand::Copy(a), Operand::Copy(b)) = (&cond.lhs, &cond.rhs) else {
            return None;
        };
        let copy = |field: PlaceId, kept: PlaceId| {
            let kept = local_of(self.function, kept)?;
            let key = self.program.key(self.f, field)?;
            let Some(Statement::Assign {
                value: Rvalue::Use(Operand::Copy(from)),
                ..
            }) = only_set(self.function, kept)
            else {
                return None;
            };
            (self.program.key(self.f, *from)? == key).then_some(())
        };
        copy(*a, *b).or_else(|| copy(*b, *a))?;
        match cond.op {
            CmpOp::Eq => Some(true),
            CmpOp::Ne => Some(false),
            _ => None,
        }
    }

    /// The condition asks whether a call has failed, which is not what a wait is for: which way leads on
    /// where it has not.
    fn is_of_error(&self, cond: &Cond) -> Option<bool> {
        let (Operand::Copy(place), Operand::Const(with)) = (&cond.lhs, &cond.rhs) else {
            return None;
        };
        let local = local_of(self.function, *place)?;
        let Some(Statement::Call { .. }) = first_set(self.function, local) else {
            return None;
        };
        let ty = &self.function.locals.get(local.0 as usize)?.ty;
        let tag = matches!(self.function.places[*place].proj.last(), Some(Proj::Field(name)) if name == "{tag}");
        let is_error = match tag {
            true => last(&ty.name) == "Result",
            false => {
                self.function.places[*place].proj.is_empty()
                    && (has_word(last(&ty.name), &["error", "hresult", "status"]))
            }
        };
        if !is_error {
            return None;
        }
        match (cond.op, with) {
            (CmpOp::Ne, Const::Int(0)) | (CmpOp::Lt, Const::Int(0)) => Some(false),
            (CmpOp::Eq, Const::Int(0)) | (CmpOp::Ge, Const::Int(0)) => Some(true),
            (CmpOp::Eq, Const::Int(1)) if tag => Some(false),
            (CmpOp::Ne, Const::Int(1)) if tag => Some(true),
            _ => None,
        }
    }

    /// Variables that hold what the wait has returned.
    fn results(&self, (b, i): (usize, usize)) -> FxHashSet<LocalId> {
        let mut found = FxHashSet::default();
        let stmt = self.function.blocks.get(b).and_then(|b| b.stmts.get(i));
        if let Some(Statement::Call { dst: Some(dst), .. }) = stmt {
            found.extend(local_of(self.function, *dst));
        }
        let holds = |found: &FxHashSet<LocalId>, place: PlaceId| {
            local_of(self.function, place).is_some_and(|l| found.contains(&l))
        };
        loop {
            let known = found.len();
            for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
                let (dst, from) = match stmt {
                    Statement::Assign { dst, value } => {
                        let from = operands(value).into_iter().any(|op| match op {
                            Operand::Copy(p) | Operand::Move(p) => holds(&found, *p),
                            Operand::Const(_) => false,
                        });
                        (*dst, from)
                    }
                    // Whatever else is asked of a guard is asked of what it guards.
                    Statement::Call {
                        dst: Some(dst),
                        callee: Callee::Method { receiver, name, .. },
                        ..
                    } => {
                        let own = matches!(&**name, "timed_out" | "unwrap" | "expect" | "is_err");
                        (*dst, own && holds(&found, *receiver))
                    }
                    _ => continue,
                };
                if from {
                    found.extend(local_of(self.function, dst));
                }
            }
            if found.len() == known {
                return found;
            }
        }
    }

    /// Variables that are set behind the wait, or that others are given the address of.
    fn set_behind(&self, from: usize) -> FxHashSet<LocalId> {
        let function = self.function;
        let mut found = FxHashSet::default();
        for (b, block) in function.blocks.iter().enumerate() {
            let behind = b == from || reaches(function, from, b);
            for stmt in &block.stmts {
                match stmt {
                    Statement::Assign {
                        value: Rvalue::Ref(of),
                        ..
                    } => found.extend(local_of(function, *of)),
                    Statement::Assign {
                        value: Rvalue::Closure(_, captures),
                        ..
                    } => {
                        let by_reference = captures.iter().filter(|(_, by)| *by);
                        found.extend(by_reference.filter_map(|(p, _)| local_of(function, *p)));
                    }
                    _ => {}
                }
                if behind
                    && let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } =
                        stmt
                {
                    found.extend(local_of(function, *dst));
                }
            }
        }
        found
    }
}

/// Variables that conditions depend on.
pub(crate) fn asked_of(function: &Function) -> FxHashSet<LocalId> {
    let mut found: FxHashSet<LocalId> = FxHashSet::default();
    let mut todo: Vec<LocalId> = Vec::new();
    for block in &function.blocks {
        if let Terminator::Branch { .. } | Terminator::Switch { .. } = &block.term {
            crate::cfg::visit_term_reads(&block.term, |p| todo.extend(local_of(function, p)));
        }
    }
    let mut made: FxHashMap<LocalId, Vec<&Statement>> = FxHashMap::default();
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt
            && let Some(l) = local_of(function, *dst)
        {
            made.entry(l).or_default().push(stmt);
        }
    }
    while let Some(l) = todo.pop() {
        if !found.insert(l) {
            continue;
        }
        for stmt in made.get(&l).into_iter().flatten() {
            crate::cfg::visit_reads(stmt, |p| todo.extend(local_of(function, p)));
        }
    }
    found
}

/// The statements that set a variable as a whole or in parts.
pub(crate) fn sets(function: &Function, local: LocalId) -> impl Iterator<Item = &Statement> {
    let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.filter(move |stmt| match stmt {
        Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => {
            local_of(function, *dst) == Some(local)
        }
        _ => false,
    })
}

pub(crate) fn first_set(function: &Function, local: LocalId) -> Option<&Statement> {
    sets(function, local).next()
}

/// The only statement that sets a variable.
pub(crate) fn only_set(function: &Function, local: LocalId) -> Option<&Statement> {
    let mut sets = sets(function, local);
    sets.next().filter(|_| sets.next().is_none())
}
