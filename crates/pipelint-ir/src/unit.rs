//! One lowered source file.

use pipelint_source::{FileId, Span};

use crate::{Const, Function, FunctionKind, Gap, Name, Type};

/// The language of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// C, by its `.c` ending.
    C,
    /// C++ and every header.
    Cpp,
    /// Rust.
    Rust,
}

/// A field of a class or struct.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// A static data member.
    pub is_static: bool,
    /// It has a default member initialiser.
    pub has_init: bool,
    /// The class's own code alone can name it: it is private, and the class has no friends.
    pub is_private: bool,
    /// Its declaration.
    pub span: Span,
}

/// A function declared without a body, or a method's declaration in its class.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Its qualified name.
    pub name: Name,
    /// What it is.
    pub kind: FunctionKind,
    /// Parameter types.
    pub params: Vec<Type>,
    /// Its return type.
    pub ret: Type,
    /// Declared to never return.
    pub noreturn: bool,
    /// `virtual` or `override`.
    pub is_virtual: bool,
    /// `= delete`.
    pub deleted: bool,
    /// `= default`.
    pub defaulted: bool,
    /// The class's own code alone can name it.
    pub is_private: bool,
    /// A signal of Qt's: a call of it runs what is connected to it.
    pub is_signal: bool,
    /// The declaration.
    pub span: Span,
}

/// A class or struct with its body.
#[derive(Debug, Clone)]
pub struct Class {
    /// Its qualified name.
    pub name: Name,
    /// Base classes, as written.
    pub bases: Vec<Name>,
    /// Data members.
    pub fields: Vec<Field>,
    /// Member functions, defined in the body or only declared.
    pub methods: Vec<Declaration>,
    /// Rust: what the program asserts of the type by `unsafe impl Send` or `Sync`, and where.
    pub asserted: Vec<(Name, Span)>,
    /// A union.
    pub is_union: bool,
    /// The class's name.
    pub span: Span,
}

/// A variable at namespace or file scope.
#[derive(Debug, Clone)]
pub struct Global {
    /// Its qualified name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// File-static or in an anonymous namespace.
    pub internal: bool,
    /// `extern` without initialiser: only a declaration.
    pub is_extern: bool,
    /// Its initialiser, when a constant.
    pub init: Option<Const>,
    /// The entries of its braced initialiser, where some of them are names of functions or
    /// variables; empty otherwise.
    pub table: Vec<Entry>,
    /// Its declaration.
    pub span: Span,
}

/// An entry of a table of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The field, where it is written: `.open = my_open`.
    pub field: Option<Name>,
    /// The name, as written; none for any other value.
    pub name: Option<Name>,
}

/// A name with a constant value: an enumerator, an object-like `#define`.
#[derive(Debug, Clone)]
pub struct Constant {
    /// Its name.
    pub name: Name,
    /// Its value; `Const::Named` for an alias of another name.
    pub value: Const,
    /// Where it is defined.
    pub span: Span,
}

/// A function-like macro defined in the file.
#[derive(Debug, Clone)]
pub struct Macro {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Name>,
    /// Its body's text, line continuations removed.
    pub body: String,
    /// Its definition.
    pub span: Span,
}

/// An `#include` in an active branch.
#[derive(Debug, Clone)]
pub struct Include {
    /// The path as written.
    pub path: Name,
    /// `"…"`, not `<…>`.
    pub quoted: bool,
    /// The directive.
    pub span: Span,
}

/// A comment that speaks to the linter: it holds `pipelint:`.
#[derive(Debug, Clone)]
pub struct Pragma {
    /// The comment's text, markers included.
    pub text: String,
    /// The comment.
    pub span: Span,
}

/// One lowered source file.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The file.
    pub file: FileId,
    /// Its language.
    pub language: Language,
    /// Functions with bodies, in source order; lambdas after the function that holds them.
    pub functions: Vec<Function>,
    /// Functions declared without a body at namespace scope.
    pub declarations: Vec<Declaration>,
    /// Classes and structs.
    pub classes: Vec<Class>,
    /// Variables at namespace scope.
    pub globals: Vec<Global>,
    /// Enumerators and object-like macros.
    pub constants: Vec<Constant>,
    /// Function-like macros.
    pub macros: Vec<Macro>,
    /// Type aliases: `typedef`, `using`.
    pub aliases: Vec<(Name, Type)>,
    /// Includes.
    pub includes: Vec<Include>,
    /// The files that these lead to, in order: of two classes of one name, the one in such a file is
    /// meant. Whoever knows the files fills it in.
    pub sees: Vec<FileId>,
    /// Comments that speak to the linter.
    pub pragmas: Vec<Pragma>,
    /// Regions outside every function that were not understood.
    pub gaps: Vec<Gap>,
}
