//! What must hold of every function.

use crate::{
    Base, BlockId, Callee, Cond, Function, LocalId, LocalKind, Mark, Operand, PlaceId, Rvalue,
    Statement, Terminator, Wholeness,
};

/// Checks that a function holds together: every number names something, parameters come first, and
/// the source map has a span for every part.
///
/// # Errors
///
/// Says what does not hold, and in which block.
pub fn validate(function: &Function) -> Result<(), String> {
    let check = Check(function);
    check.locals()?;
    for (id, place) in function.places.iter() {
        if let Base::Local(local) = place.base {
            check
                .local(local)
                .map_err(|wrong| format!("place {}: {wrong}", id.0))?;
        }
    }
    if function.blocks.is_empty() {
        return Err("no block: the first is the entry".into());
    }
    for (b, block) in function.blocks.iter().enumerate() {
        let within = |wrong: String| format!("bb{b}: {wrong}");
        for (i, stmt) in block.stmts.iter().enumerate() {
            check.statement(stmt).map_err(within)?;
            if i > 0 && *stmt == Statement::Mark(Mark::LoopHead) {
                return Err(within("a loop's head is not the first statement".into()));
            }
        }
        check.terminator(&block.term).map_err(within)?;
        if let Some(handler) = block.unwind {
            check.block(handler).map_err(within)?;
        }
    }
    check.map()
}

struct Check<'a>(&'a Function);

impl Check<'_> {
    fn locals(&self) -> Result<(), String> {
        let params = self.0.params as usize;
        if params > self.0.locals.len() {
            return Err(format!(
                "{params} parameters, but {} locals",
                self.0.locals.len()
            ));
        }
        for (i, local) in self.0.locals.iter().enumerate() {
            if (local.kind == LocalKind::Param) != (i < params) {
                return Err(format!(
                    "local {i} is {:?}, and the first {params} are the parameters",
                    local.kind
                ));
            }
        }
        Ok(())
    }

    fn map(&self) -> Result<(), String> {
        let map = &self.0.map;
        let blocks = self.0.blocks.len();
        let shapes = [
            ("locals", map.locals.len(), self.0.locals.len()),
            ("blocks' statements", map.stmts.len(), blocks),
            ("terminators", map.terms.len(), blocks),
        ];
        for (what, spans, parts) in shapes {
            if spans != parts {
                return Err(format!("{spans} spans for {parts} {what}"));
            }
        }
        for (b, (spans, block)) in map.stmts.iter().zip(&self.0.blocks).enumerate() {
            if spans.len() != block.stmts.len() {
                return Err(format!(
                    "bb{b}: {} spans for {} statements",
                    spans.len(),
                    block.stmts.len()
                ));
            }
        }
        Ok(())
    }

    fn block(&self, id: BlockId) -> Result<(), String> {
        if (id.0 as usize) < self.0.blocks.len() {
            Ok(())
        } else {
            Err(format!("there is no bb{}", id.0))
        }
    }

    fn local(&self, id: LocalId) -> Result<(), String> {
        if (id.0 as usize) < self.0.locals.len() {
            Ok(())
        } else {
            Err(format!("there is no local {}", id.0))
        }
    }

    fn place(&self, id: PlaceId) -> Result<(), String> {
        match self.0.places.get(id) {
            Some(_) => Ok(()),
            None => Err(format!("there is no place {}", id.0)),
        }
    }

    fn places(&self, ids: &[PlaceId]) -> Result<(), String> {
        ids.iter().try_for_each(|id| self.place(*id))
    }

    fn operand(&self, op: &Operand) -> Result<(), String> {
        match op {
            Operand::Copy(place) | Operand::Move(place) => self.place(*place),
            Operand::Const(_) => Ok(()),
        }
    }

    fn operands(&self, ops: &[Operand]) -> Result<(), String> {
        ops.iter().try_for_each(|op| self.operand(op))
    }

    fn cond(&self, cond: &Cond) -> Result<(), String> {
        self.operand(&cond.lhs)?;
        self.operand(&cond.rhs)
    }

    fn rvalue(&self, value: &Rvalue) -> Result<(), String> {
        match value {
            Rvalue::Use(op) | Rvalue::Cast(_, op) => self.operand(op),
            Rvalue::Ref(place) => self.place(*place),
            Rvalue::Binary(_, a, b) => self.operand(a).and_then(|()| self.operand(b)),
            Rvalue::Compare(cond) => self.cond(cond),
            Rvalue::Aggregate(items) => items.iter().try_for_each(|(_, op)| self.operand(op)),
            Rvalue::Closure(_, places) => places.iter().try_for_each(|(p, _)| self.place(*p)),
            Rvalue::Unknown(ops) => self.operands(ops),
        }
    }

    fn statement(&self, stmt: &Statement) -> Result<(), String> {
        match stmt {
            Statement::Assign { dst, value } => {
                self.place(*dst)?;
                self.rvalue(value)
            }
            Statement::Call {
                dst, callee, args, ..
            } => {
                self.places(dst.as_slice())?;
                match callee {
                    Callee::Function(_) | Callee::Constructor(_) | Callee::New(_) => {}
                    Callee::Method { receiver, .. } => self.place(*receiver)?,
                    Callee::Pointer(op) => self.operand(op)?,
                }
                self.operands(args)
            }
            Statement::Drop { place, .. } => self.place(*place),
            Statement::Assert(cond) => {
                self.operand(&cond.lhs)?;
                self.operand(&cond.rhs)
            }
            Statement::Mark(Mark::Live(local) | Mark::Dead(local)) => self.local(*local),
            Statement::Mark(Mark::Shown(place) | Mark::MayEnd(place)) => self.place(*place),
            Statement::Mark(_) => Ok(()),
            Statement::Opaque { touches, gap } => {
                if *gap as usize >= self.0.gaps.len() {
                    return Err(format!("there is no gap {gap}"));
                }
                if self.0.wholeness == Wholeness::Whole {
                    return Err("opaque code in a function that is said to be whole".into());
                }
                self.places(touches)
            }
        }
    }

    fn terminator(&self, term: &Terminator) -> Result<(), String> {
        match term {
            Terminator::Goto(to) => self.block(*to),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                self.cond(cond)?;
                self.block(*then)?;
                self.block(*otherwise)
            }
            Terminator::Switch { on, arms, default } => {
                self.operand(on)?;
                let mut seen = rustc_hash::FxHashSet::default();
                for (value, to) in arms {
                    self.block(*to)?;
                    if !seen.insert(value) {
                        return Err(format!("two arms of a switch for {value:?}"));
                    }
                }
                self.block(*default)
            }
            Terminator::Return(Some(op)) => self.operand(op),
            Terminator::Return(None) | Terminator::Unwind | Terminator::Unreachable => Ok(()),
        }
    }
}
