//! Functions: locals, places, blocks, and the source map beside them.

use pipelint_source::Span;

use crate::{Gap, Name, PlaceTable, Statement, Terminator, Type, Wholeness};

/// Index of a block in its function. Block 0 is the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u32);

/// Index of a local in its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(pub u32);

/// What a local is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalKind {
    /// A parameter, in order, before every other local.
    Param,
    /// A variable with automatic storage.
    Auto,
    /// A variable with static storage: it keeps its value between calls.
    Static,
    /// A temporary that the front end made.
    Temp,
}

/// A local variable, parameter or temporary.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its name; empty for temporaries and unnamed parameters.
    pub name: Name,
    /// Its declared type. Reads of a reference local go through `Proj::Deref`.
    pub ty: Type,
    /// What it is.
    pub kind: LocalKind,
    /// SAL annotations of a parameter, as written (`_In_`, `_Out_opt_`).
    pub sal: Vec<Name>,
}

/// A straight run of statements.
#[derive(Debug, Clone)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Statement>,
    /// How it ends.
    pub term: Terminator,
    /// Where an exception thrown by a call of this block goes, inside a `try`.
    pub unwind: Option<BlockId>,
}

/// What a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// A free function, or one whose class is not known.
    Free,
    /// A method with an object.
    Method,
    /// A static method.
    StaticMethod,
    /// A constructor; the member-initialiser list comes first.
    Constructor,
    /// A destructor or Rust `Drop::drop`.
    Destructor,
    /// A lambda or closure.
    Lambda,
    /// The default member initialisers of a class, as if a function; constructors run it first.
    FieldInit,
}

/// Spans of a function's parts, beside its graph.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    /// The function's name.
    pub name: Span,
    /// The whole definition.
    pub whole: Span,
    /// Per local: its declaration.
    pub locals: Vec<Span>,
    /// Per block and statement: the expression or declaration it came from.
    pub stmts: Vec<Vec<Span>>,
    /// Per block: the condition, `return` or closing brace.
    pub terms: Vec<Span>,
}

/// A lowered function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its qualified name: `ns::Class::method`. Lambdas are `outer::{lambda#1}`.
    pub name: Name,
    /// The qualified name of its class, for methods.
    pub class: Option<Name>,
    /// What it is.
    pub kind: FunctionKind,
    /// File-static or in an anonymous namespace.
    pub internal: bool,
    /// A Rust function that is not `pub` and of no trait: only its module and those in it can name it.
    /// (Whether a C++ method is private, its class says.)
    pub private: bool,
    /// Declared to never return (`[[noreturn]]`, `__declspec(noreturn)`).
    pub noreturn: bool,
    /// Its return type.
    pub ret: Type,
    /// Number of parameters: the first locals.
    pub params: u32,
    /// Parameters, variables and temporaries.
    pub locals: Vec<Local>,
    /// Interned places.
    pub places: PlaceTable,
    /// The graph.
    pub blocks: Vec<Block>,
    /// What was not lowered.
    pub gaps: Vec<Gap>,
    /// How much was lowered.
    pub wholeness: Wholeness,
    /// Spans.
    pub map: SourceMap,
}
