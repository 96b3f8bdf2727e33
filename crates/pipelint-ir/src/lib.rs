//! The common intermediate representation that every front end lowers to.
//!
//! This crate knows no parser and no rule. One source file becomes one [`Unit`]; a unit holds
//! [`Function`]s whose bodies are control-flow graphs of [`Block`]s over interned [`Place`]s.
//! Spans live beside the graph in a [`SourceMap`], so that the same code at another place is the
//! same IR.

mod function;
mod gap;
mod mermaid;
mod place;
mod print;
mod stmt;
mod types;
mod unit;

pub use function::{Block, BlockId, Function, FunctionKind, Local, LocalId, LocalKind, SourceMap};
pub use gap::{Gap, GapReason, Wholeness};
pub use mermaid::mermaid;
pub use place::{Base, Place, PlaceId, PlaceTable, Proj};
pub use print::{print_function, print_unit};
pub use smol_str::SmolStr as Name;
pub use stmt::{
    BinOp, Callee, CmpOp, Cond, Const, DropKind, Mark, Operand, Rvalue, Statement, Terminator,
};
pub use types::{Reference, Type};
pub use unit::{
    Class, Constant, Declaration, Field, Global, Include, Language, Macro, Pragma, Unit,
};
