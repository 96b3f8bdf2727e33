//! Types and paths as they are written, to what they mean.

use pipelint_ir::Name;
use tree_sitter::Node;

use super::kinds::{F, K, field, kind};
use super::paths::Modules;
use super::source::{Source, children, first};
use super::ty::Ty;

/// Traits of the standard library whose methods are known of a type parameter or trait object.
pub(crate) const STREAMS: [&str; 2] = ["std::io::Write", "std::io::Read"];

/// Where a type is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// The module.
    pub(crate) module: Name,
    /// Type parameters in sight.
    pub(crate) generics: Vec<Name>,
    /// What the headers in sight name of [`STREAMS`]: as bounds, most likely.
    pub(crate) streams: Vec<&'static str>,
    /// What `Self` means.
    pub(crate) self_ty: Ty,
}

impl Scope {
    /// This scope with further type parameters.
    pub(crate) fn with_generics(&self, source: &Source, list: Option<Node<'_>>) -> Self {
        let mut scope = self.clone();
        let Some(list) = list else { return scope };
        for (child, what) in children(list) {
            if what == K::TypeParameter
                && let Some(name) = field(child, F.name)
            {
                scope.generics.push(source.name(name));
            }
        }
        scope
    }
}

/// The segments of a path, without its type arguments.
pub(crate) fn path_of(source: &Source, node: Node<'_>) -> Vec<Name> {
    let mut out = Vec::new();
    collect(source, node, &mut out, 0);
    out
}

fn collect(source: &Source, node: Node<'_>, out: &mut Vec<Name>, depth: u32) {
    if depth > 64 {
        return;
    }
    match kind(node) {
        K::ScopedIdentifier | K::ScopedTypeIdentifier => {
            match field(node, F.path) {
                Some(path) => collect(source, path, out, depth + 1),
                None => out.push(Name::default()),
            }
            if let Some(name) = field(node, F.name) {
                out.push(source.name(name));
            }
        }
        K::GenericType | K::GenericTypeTurbofish => {
            if let Some(inner) = field(node, F.ty) {
                collect(source, inner, out, depth + 1);
            }
        }
        K::GenericFunction => {
            if let Some(inner) = field(node, F.function) {
                collect(source, inner, out, depth + 1);
            }
        }
        K::GenericPattern | K::BracketedType => {
            if let Some(inner) = first(node) {
                collect(source, inner, out, depth + 1);
            }
        }
        // `<T as Trait>::f`: the type decides.
        K::QualifiedType => {
            if let Some(inner) = field(node, F.ty) {
                collect(source, inner, out, depth + 1);
            }
        }
        K::ReferenceType | K::PointerType | K::ArrayType | K::TupleType | K::DynamicType => {
            out.push(Name::new_static("_"));
        }
        _ => out.push(source.name(node)),
    }
}

impl Modules {
    /// Adds to a scope what the header of a function or `impl` names of [`STREAMS`].
    pub(crate) fn note_streams(&self, source: &Source, scope: &mut Scope, header: Node<'_>) {
        let mut todo: Vec<Node<'_>> = Vec::new();
        for name in [F.type_parameters, F.parameters] {
            todo.extend(field(header, name));
        }
        let clauses = children(header).into_iter();
        todo.extend(
            clauses
                .filter(|(_, what)| *what == K::WhereClause)
                .map(|(node, _)| node),
        );
        while let Some(node) = todo.pop() {
            match kind(node) {
                K::TypeIdentifier | K::ScopedTypeIdentifier => {
                    let full = self.resolve(&scope.module, &path_of(source, node));
                    scope
                        .streams
                        .extend(STREAMS.iter().filter(|of| full == **of));
                }
                _ => todo.extend(children(node).into_iter().map(|(child, _)| child)),
            }
        }
    }

    /// The type that a node writes.
    pub(crate) fn ty(&self, source: &Source, scope: &Scope, node: Node<'_>) -> Ty {
        self.ty_at(source, scope, node, 0)
    }

    fn ty_at(&self, source: &Source, scope: &Scope, node: Node<'_>, depth: u32) -> Ty {
        if depth > 32 {
            return Ty::Unknown;
        }
        let inner = |node: Node<'_>| self.ty_at(source, scope, node, depth + 1);
        match kind(node) {
            K::PrimitiveType => primitive(source.text(node)),
            K::UnitType => Ty::Unit,
            K::NeverType => Ty::Never,
            K::ReferenceType => {
                let of = field(node, F.ty).map(inner).unwrap_or_default();
                Ty::Ref(Box::new(of))
            }
            K::PointerType => {
                let of = field(node, F.ty).map(inner).unwrap_or_default();
                Ty::Ptr(Box::new(of))
            }
            K::TupleType => Ty::Tuple(children(node).into_iter().map(|(c, _)| inner(c)).collect()),
            K::ArrayType => {
                let of = Box::new(field(node, F.element).map(inner).unwrap_or_default());
                match field(node, F.length) {
                    Some(length) => {
                        let text = source.text(length).replace('_', "");
                        let digits = text.trim_end_matches("usize");
                        Ty::Array(of, digits.parse().ok())
                    }
                    None => Ty::Slice(of),
                }
            }
            K::FunctionType => {
                let result = field(node, F.return_type).map_or(Ty::Unit, inner);
                Ty::Function(Box::new(result))
            }
            K::AbstractType | K::DynamicType => match field(node, F.trait_) {
                Some(of) if kind(of) == K::FunctionType => inner(of),
                _ => Ty::Abstract,
            },
            K::BoundedType => children(node)
                .first()
                .map_or(Ty::Abstract, |(child, _)| inner(*child)),
            K::GenericType | K::GenericTypeTurbofish => {
                let path = path_of(source, node);
                let args = field(node, F.type_arguments).map(|list| {
                    let types = children(list).into_iter().filter(|(_, what)| {
                        !matches!(what, K::Lifetime | K::Block | K::IntegerLiteral)
                    });
                    types.map(|(child, _)| inner(child)).collect::<Vec<Ty>>()
                });
                self.named(scope, &path, args.unwrap_or_default())
            }
            K::TypeIdentifier | K::ScopedTypeIdentifier | K::Identifier | K::ScopedIdentifier => {
                let path = path_of(source, node);
                self.named(scope, &path, Vec::new())
            }
            K::SelfKeyword => scope.self_ty.clone(),
            _ => Ty::Unknown,
        }
    }

    /// The type that a path names.
    pub(crate) fn named(&self, scope: &Scope, path: &[Name], args: Vec<Ty>) -> Ty {
        match path {
            [] => return Ty::Unknown,
            [one] => {
                if one == "Self" {
                    return scope.self_ty.clone();
                }
                if scope.generics.contains(one) {
                    return Ty::Abstract;
                }
                if one == "_" {
                    return Ty::Unknown;
                }
                if is_primitive(one) {
                    return primitive(one);
                }
            }
            // `T::Item`, `Self::Error`.
            [first, ..] if first == "Self" || scope.generics.contains(first) => return Ty::Unknown,
            _ => {}
        }
        build(self.resolve(&scope.module, path), args)
    }
}

/// A named type, with what libraries call by names of their own.
pub(crate) fn build(name: Name, mut args: Vec<Ty>) -> Ty {
    let last = name.rsplit("::").next().unwrap_or(&name);
    match last {
        "Box" if name == "Box" => args.into_iter().next().unwrap_or_default(),
        "Result" if name == "Result" || args.len() == 1 || name.ends_with("core::Result") => {
            if args.is_empty() {
                args.push(Ty::Unit);
            }
            Ty::Named("Result".into(), args)
        }
        "c_void" => Ty::Named("void".into(), args),
        "c_int" | "c_uint" | "c_long" | "c_ulong" | "c_short" | "c_ushort" | "c_char"
        | "size_t" | "ssize_t" => Ty::Num(Name::new(last)),
        _ => Ty::Named(name, args),
    }
}

fn is_primitive(name: &str) -> bool {
    matches!(
        name,
        "bool"
            | "str"
            | "char"
            | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f32"
            | "f64"
    )
}

fn primitive(name: &str) -> Ty {
    match name {
        "bool" => Ty::Bool,
        "str" => Ty::Str,
        _ => Ty::Num(Name::new(name)),
    }
}
