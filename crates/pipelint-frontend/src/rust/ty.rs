//! Rust types, as far as a front end without a compiler knows them.

use pipelint_ir::{Name, Reference, Type};
use smol_str::format_smolstr;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Ty {
    /// Nothing is known.
    #[default]
    Unknown,
    /// `!`
    Never,
    /// `()`
    Unit,
    /// `bool`
    Bool,
    /// `u32`, `isize`, `char`, `f64`: by name.
    Num(Name),
    /// `str`
    Str,
    /// `&T`, `&mut T`
    Ref(Box<Ty>),
    /// `*const T`, `*mut T`
    Ptr(Box<Ty>),
    /// `(A, B)`
    Tuple(Vec<Ty>),
    /// `[T; n]`
    Array(Box<Ty>, Option<u64>),
    /// `[T]`
    Slice(Box<Ty>),
    /// A struct, enum or alias by its resolved path, with its type arguments. A `Box<T>` is its `T`.
    Named(Name, Vec<Ty>),
    /// A function pointer, closure or `impl Fn`; what it yields.
    Function(Box<Ty>),
    /// `dyn Trait`, `impl Trait`, a type parameter.
    Abstract,
}

/// The good payload of an `Option` or `Result`: `Some(x)`, `Ok(x)`.
pub(crate) const GOOD: &str = "0";
/// The payload of `Err(x)`.
pub(crate) const BAD: &str = "Err";
/// What a `ManuallyDrop` keeps from ending.
pub(crate) const KEPT: &str = "{held}";
/// The field that tells the variants of an enum apart.
pub(crate) const TAG: &str = "{tag}";

impl Ty {
    /// A named type without arguments.
    pub(crate) fn named(name: impl Into<Name>) -> Self {
        Self::Named(name.into(), Vec::new())
    }

    /// A named type with one argument.
    pub(crate) fn named_of(name: impl Into<Name>, of: Ty) -> Self {
        Self::Named(name.into(), vec![of])
    }

    /// `Option<T>`.
    pub(crate) fn option(of: Ty) -> Self {
        Self::Named("Option".into(), vec![of])
    }

    /// `Result<T, E>`.
    pub(crate) fn result(ok: Ty, err: Ty) -> Self {
        Self::Named("Result".into(), vec![ok, err])
    }

    /// `std::io::Result<T>`.
    pub(crate) fn io_result(ok: Ty) -> Self {
        Self::result(ok, Self::named("std::io::Error"))
    }

    pub(crate) fn is_option(&self) -> bool {
        matches!(self, Self::Named(name, _) if name == "Option")
    }

    pub(crate) fn is_result(&self) -> bool {
        matches!(self, Self::Named(name, _) if name == "Result")
    }

    /// `Option` or `Result`.
    pub(crate) fn is_outcome(&self) -> bool {
        self.is_option() || self.is_result()
    }

    /// What `Some` or `Ok` holds.
    pub(crate) fn good(&self) -> Ty {
        match self {
            Self::Named(_, args) if self.is_outcome() => args.first().cloned().unwrap_or_default(),
            _ => Self::Unknown,
        }
    }

    /// What `Err` holds.
    pub(crate) fn bad(&self) -> Ty {
        match self {
            Self::Named(_, args) if self.is_result() => args.get(1).cloned().unwrap_or_default(),
            _ => Self::Unknown,
        }
    }

    /// This type where it is known, else the other.
    pub(crate) fn or(self, other: &Ty) -> Ty {
        if self == Self::Unknown {
            other.clone()
        } else {
            self
        }
    }

    /// What a reference refers to; any other type itself.
    pub(crate) fn referent(&self) -> &Ty {
        match self {
            Self::Ref(of) => of.referent(),
            other => other,
        }
    }

    /// What `*x` is.
    pub(crate) fn pointee(&self) -> Ty {
        match self {
            Self::Ref(of) | Self::Ptr(of) => (**of).clone(),
            // A box is what it holds.
            other => other.clone(),
        }
    }

    /// What indexing yields.
    pub(crate) fn element(&self) -> Ty {
        match self {
            Self::Array(of, _) | Self::Slice(of) => (**of).clone(),
            Self::Named(name, args) if name == "Vec" => args.first().cloned().unwrap_or_default(),
            Self::Ref(of) => of.element(),
            _ => Self::Unknown,
        }
    }

    /// The path of a named type, through references.
    pub(crate) fn path(&self) -> Option<&Name> {
        match self.referent() {
            Self::Named(name, _) => Some(name),
            _ => None,
        }
    }

    /// A number, `bool`, reference, raw pointer or function pointer: nothing happens when it ends.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(
            self,
            Self::Never
                | Self::Unit
                | Self::Bool
                | Self::Num(_)
                | Self::Str
                | Self::Ref(_)
                | Self::Ptr(_)
        )
    }

    /// The text of a type, as [`Type::args`](pipelint_ir::Type::args) holds it.
    pub(crate) fn text(&self) -> Name {
        match self {
            Self::Unknown | Self::Abstract => Name::new_static("_"),
            Self::Never => Name::new_static("!"),
            Self::Unit => Name::new_static("()"),
            Self::Bool => Name::new_static("bool"),
            Self::Num(name) => name.clone(),
            Self::Str => Name::new_static("str"),
            Self::Ref(of) => format_smolstr!("&{}", of.text()),
            Self::Ptr(of) => format_smolstr!("*{}", of.text()),
            Self::Tuple(parts) => format_smolstr!("({})", list(parts)),
            Self::Array(of, _) | Self::Slice(of) => format_smolstr!("[{}]", of.text()),
            Self::Named(name, args) if args.is_empty() => name.clone(),
            Self::Named(name, args) => format_smolstr!("{name}<{}>", list(args)),
            Self::Function(_) => Name::new_static("fn"),
        }
    }

    /// The type as the IR writes it.
    pub(crate) fn to_ir(&self) -> Type {
        match self {
            Self::Unknown | Self::Abstract => Type::default(),
            Self::Ref(of) => Type {
                reference: Reference::Shared,
                ..of.to_ir()
            },
            Self::Ptr(of) => {
                let inner = of.to_ir();
                let name = if inner.name.is_empty() {
                    Name::new_static("void")
                } else {
                    inner.name.clone()
                };
                Type {
                    name,
                    pointers: inner.pointers.saturating_add(1),
                    reference: Reference::None,
                    ..inner
                }
            }
            Self::Tuple(parts) => Type {
                args: parts.iter().map(Self::text).collect(),
                ..Type::named("(,)")
            },
            Self::Array(of, len) => {
                let inner = of.to_ir();
                Type {
                    arrays: inner.arrays.saturating_add(1),
                    array_len: *len,
                    ..inner
                }
            }
            Self::Slice(of) => of.to_ir(),
            Self::Named(name, args) => Type {
                args: args.iter().map(Self::text).collect(),
                ..Type::named(name.clone())
            },
            Self::Num(_)
            | Self::Bool
            | Self::Str
            | Self::Unit
            | Self::Never
            | Self::Function(_) => Type::named(self.text()),
        }
    }
}

fn list(types: &[Ty]) -> String {
    let texts: Vec<Name> = types.iter().map(Ty::text).collect();
    texts.join(", ")
}
