//! Conditions in their one normal form, and what those on constants come to.

use pipelint_ir::{CmpOp, Cond, Const, Operand};

/// The comparison of a token.
pub(crate) fn comparison(token: &str) -> Option<CmpOp> {
    Some(match token {
        "==" => CmpOp::Eq,
        "!=" | "not_eq" => CmpOp::Ne,
        "<" => CmpOp::Lt,
        "<=" => CmpOp::Le,
        ">" => CmpOp::Gt,
        ">=" => CmpOp::Ge,
        _ => return None,
    })
}

fn flipped(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Eq,
        CmpOp::Ne => CmpOp::Ne,
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::Le => CmpOp::Ge,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::Ge => CmpOp::Le,
    }
}

/// The comparison that holds where this one does not.
pub(crate) fn negated(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Ne,
        CmpOp::Ne => CmpOp::Eq,
        CmpOp::Lt => CmpOp::Ge,
        CmpOp::Le => CmpOp::Gt,
        CmpOp::Gt => CmpOp::Le,
        CmpOp::Ge => CmpOp::Lt,
    }
}

/// Makes a condition; a constant stands right.
pub(crate) fn normal(op: CmpOp, lhs: Operand, rhs: Operand) -> Cond {
    let constant = |operand: &Operand| matches!(operand, Operand::Const(_));
    if constant(&lhs) && !constant(&rhs) {
        Cond {
            op: flipped(op),
            lhs: rhs,
            rhs: lhs,
        }
    } else {
        Cond { op, lhs, rhs }
    }
}

/// `value != 0`.
pub(crate) fn nonzero(value: Operand) -> Cond {
    Cond {
        op: CmpOp::Ne,
        lhs: value,
        rhs: Operand::Const(Const::Int(0)),
    }
}

/// What a condition on constants comes to.
pub(crate) fn decided(cond: &Cond) -> Option<bool> {
    let value = |operand: &Operand| match operand {
        Operand::Const(Const::Int(n)) => Some(*n),
        Operand::Const(Const::Null) => Some(0),
        _ => None,
    };
    if matches!(cond.lhs, Operand::Const(Const::Str(_) | Const::Function(_)))
        && value(&cond.rhs) == Some(0)
    {
        return match cond.op {
            CmpOp::Ne => Some(true),
            CmpOp::Eq => Some(false),
            _ => None,
        };
    }
    let (a, b) = (value(&cond.lhs)?, value(&cond.rhs)?);
    Some(match cond.op {
        CmpOp::Eq => a == b,
        CmpOp::Ne => a != b,
        CmpOp::Lt => a < b,
        CmpOp::Le => a <= b,
        CmpOp::Gt => a > b,
        CmpOp::Ge => a >= b,
    })
}
