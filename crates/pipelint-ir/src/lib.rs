//! The common intermediate representation that every front end lowers to.
//!
//! This crate knows no parser and no rule. One source file becomes one [`Unit`]; a unit holds
//! [`Function`]s whose bodies are control-flow graphs of [`Block`]s over interned [`Place`]s.
//! Spans live beside the graph in a [`SourceMap`], so that the same code at another place is the
//! same IR.

mod function;
mod gap;
mod lex;
mod mermaid;
mod parse;
mod parse_stmt;
mod parse_unit;
mod place;
mod print;
mod print_unit;
mod stmt;
mod types;
mod unit;
mod validate;
mod words;

pub use function::{Block, BlockId, Function, FunctionKind, Local, LocalId, LocalKind, SourceMap};
pub use gap::{Gap, GapReason, Wholeness};
pub use lex::TextError;
pub use mermaid::mermaid;
pub use parse::parse_function;
pub use parse_unit::parse_unit;
pub use place::{Base, Place, PlaceId, PlaceTable, Proj, fit};
pub use print::print_function;
pub use print_unit::print_unit;
pub use smol_str::SmolStr as Name;
pub use stmt::{
    BinOp, Callee, CmpOp, Cond, Const, DropKind, Mark, Operand, Rvalue, Statement, Terminator,
};
pub use types::{Reference, Type};
pub use unit::{
    Class, Constant, Declaration, Entry, Field, Global, Include, Language, Macro, Pragma, Unit,
};
pub use validate::validate;
