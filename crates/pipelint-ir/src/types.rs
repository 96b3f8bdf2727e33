//! Types, as far as a linter without a compiler knows them: by name.

use crate::Name;

/// Whether a declared type is a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reference {
    /// A value or pointer.
    #[default]
    None,
    /// `T&`, Rust `&T` and `&mut T`.
    Shared,
    /// `T&&`.
    Rvalue,
}

/// A declared type: its name without `const`, `struct` and the like, and what stands around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Type {
    /// The name as written, `::`-qualified, without template arguments: `HANDLE`,
    /// `std::unique_ptr`, `unsigned int`, `auto`. Empty when unknown.
    pub name: Name,
    /// Template or generic arguments, as written.
    pub args: Vec<Name>,
    /// Number of `*`.
    pub pointers: u8,
    /// Whether it is a reference.
    pub reference: Reference,
    /// Number of `[…]`; an array of `n` dimensions.
    pub arrays: u8,
    /// The outermost array's length, when it is a literal.
    pub array_len: Option<u64>,
    /// `const` at the outermost level of the value.
    pub is_const: bool,
    /// `volatile`, or C's `_Atomic`, at the outermost level of the value: each read looks at the memory.
    pub is_volatile: bool,
}

impl Type {
    /// A plain named type.
    pub fn named(name: impl Into<Name>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// True for a type that is not a pointer, reference or array: an object of the named type.
    pub fn is_object(&self) -> bool {
        self.pointers == 0 && self.arrays == 0 && self.reference == Reference::None
    }
}
