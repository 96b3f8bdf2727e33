//! Statements and terminators: as few kinds as can be.

use crate::{BlockId, LocalId, Name, PlaceId, Type};

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Const {
    /// An integer, character or boolean literal (`true`, `TRUE` are 1).
    Int(i128),
    /// `NULL`, `nullptr`, `ptr::null()`.
    Null,
    /// A named constant that stays named (`INVALID_HANDLE_VALUE`): an ALL_CAPS name that no
    /// declaration of the function explains. Its value, if any, comes from linking or the models.
    Named(Name),
    /// A string literal's text, without quotes and prefix; escapes as written.
    Str(Name),
    /// A function used as a value, `::`-qualified as written.
    Function(Name),
    /// A floating-point literal, or another constant whose value never matters here.
    Other,
}

/// What an operation reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// The value of a place.
    Copy(PlaceId),
    /// The value of a place that is moved from (`std::move(x)`, a Rust move).
    Move(PlaceId),
    /// A constant.
    Const(Const),
}

/// Arithmetic and bitwise operators. Comparisons are [`CmpOp`]; `!x` is `x == 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum CmpOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A condition in its one normal form: `if (h)` is `h != 0`, `!h` is `h == 0`, `NULL == h` is
/// `h == NULL` (a constant stands right), `FAILED(hr)` is `hr < 0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cond {
    /// The comparison.
    pub op: CmpOp,
    /// Left operand.
    pub lhs: Operand,
    /// Right operand.
    pub rhs: Operand,
}

/// The right side of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rvalue {
    /// A copy.
    Use(Operand),
    /// The address of a place: `&x`, an array that decays, a reference that is bound.
    Ref(PlaceId),
    /// Arithmetic.
    Binary(BinOp, Operand, Operand),
    /// A comparison's result, 0 or 1.
    Compare(Cond),
    /// A conversion to a type as written.
    Cast(Box<Type>, Operand),
    /// An initialiser list or struct literal; fields not named hold zero. Element order as written;
    /// the name is the designator (`.f =`), if any.
    Aggregate(Vec<(Option<Name>, Operand)>),
    /// A lambda or closure: the lowered function's name, and what it captures (place, by reference).
    Closure(Name, Vec<(PlaceId, bool)>),
    /// A value nothing is known of, computed from these operands.
    Unknown(Vec<Operand>),
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A function by its name as written, `::`-qualified: `CreateEventW`, `std::move`, `foo`.
    Function(Name),
    /// A method. `receiver` is the object (for `p->m()` the place `*p`).
    Method {
        /// The object.
        receiver: PlaceId,
        /// The method's name.
        name: Name,
        /// The receiver's declared type, when the function declares it.
        ty: Option<Box<Type>>,
    },
    /// A constructor call; the object is the call's destination. `T x(a)`, `T{a}`, `T(a)`.
    Constructor(Box<Type>),
    /// `new T(a)`; the destination receives the pointer.
    New(Box<Type>),
    /// A call through a pointer or other value.
    Pointer(Operand),
}

/// Why a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropKind {
    /// A local or temporary of class type leaves scope: its destructor runs.
    Scope,
    /// `delete p`, `delete[] p`: the place is what `p` points to.
    Delete,
}

/// Marks that change no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A local's declaration without initialiser: from here it is uninitialised.
    Live(LocalId),
    /// A local leaves scope (after its `Drop`, if any).
    Dead(LocalId),
    /// The head of a loop: the block's first statement.
    LoopHead,
    /// A suspension point (`co_await`, `.await`).
    Suspend,
    /// An `async` block begins, which lies where this statement does: what stands in it, another task may
    /// do.
    Async,
    /// Enters (true) or leaves an `unsafe` block.
    Unsafe(bool),
    /// A macro prints or logs here; what it prints was read before.
    Logged,
    /// What the place holds becomes part of a text.
    Shown(PlaceId),
    /// The value at the place may have ended by here: the edition decides it, and is not known.
    MayEnd(PlaceId),
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Statement {
    /// `dst = value`.
    Assign {
        /// What is assigned.
        dst: PlaceId,
        /// The value.
        value: Rvalue,
    },
    /// A call; `dst` is none when the result is dropped where it stands.
    Call {
        /// Where the result goes.
        dst: Option<PlaceId>,
        /// What is called.
        callee: Callee,
        /// The arguments, receiver not included. `&x` arguments are temporaries holding a `Ref`.
        args: Vec<Operand>,
        /// The result is dropped by an explicit `(void)` or `std::ignore =`.
        voided: bool,
    },
    /// A destructor runs on a place.
    Drop {
        /// The object.
        place: PlaceId,
        /// Why.
        kind: DropKind,
    },
    /// What an assertion says that vanishes from release builds, without calls: it is no test of the
    /// program's, but no run is meant to go on where it is wrong.
    Assert(Cond),
    /// A mark.
    Mark(Mark),
    /// Code that was not lowered: it may read and write these places, and call anything.
    Opaque {
        /// What it may touch.
        touches: Vec<PlaceId>,
        /// Index into the function's gaps.
        gap: u32,
    },
}

/// How a block ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Terminator {
    /// To another block.
    Goto(BlockId),
    /// Two ways.
    Branch {
        /// The condition.
        cond: Cond,
        /// Where it holds.
        then: BlockId,
        /// Where it does not.
        otherwise: BlockId,
    },
    /// A switch; the arms' constants are distinct. Fall-through is a `Goto` between arms.
    Switch {
        /// The value.
        on: Operand,
        /// Constants and their blocks.
        arms: Vec<(Const, BlockId)>,
        /// Every other value.
        default: BlockId,
    },
    /// Leaves the function.
    Return(Option<Operand>),
    /// Leaves the function by an exception or panic.
    Unwind,
    /// Control cannot come here.
    Unreachable,
}
