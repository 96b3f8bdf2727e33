//! Arithmetic on constants.

use pipelint_ir::{BinOp, Const};

/// The arithmetic operator of a token.
pub(crate) fn binary(token: &str) -> Option<BinOp> {
    Some(match token {
        "+" => BinOp::Add,
        "-" => BinOp::Sub,
        "*" => BinOp::Mul,
        "/" => BinOp::Div,
        "%" => BinOp::Rem,
        "&" | "bitand" => BinOp::BitAnd,
        "|" | "bitor" => BinOp::BitOr,
        "^" | "xor" => BinOp::BitXor,
        "<<" => BinOp::Shl,
        ">>" => BinOp::Shr,
        _ => return None,
    })
}

/// The value of an operation on two integers.
pub(crate) fn fold(op: BinOp, left: &Const, right: &Const) -> Option<Const> {
    let (&Const::Int(a), &Const::Int(b)) = (left, right) else {
        return None;
    };
    let shift = u32::try_from(b).ok().filter(|&by| by < 64);
    let value = match op {
        BinOp::Add => a.checked_add(b),
        BinOp::Sub => a.checked_sub(b),
        BinOp::Mul => a.checked_mul(b),
        BinOp::Div => a.checked_div(b),
        BinOp::Rem => a.checked_rem(b),
        BinOp::BitAnd => Some(a & b),
        BinOp::BitOr => Some(a | b),
        BinOp::BitXor => Some(a ^ b),
        BinOp::Shl => shift.and_then(|by| a.checked_mul(1 << by)),
        BinOp::Shr => shift.map(|by| a >> by),
    };
    value.map(Const::Int)
}
