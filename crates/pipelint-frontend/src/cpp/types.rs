//! Type specifiers and declarators.

use pipelint_ir::{Name, Reference, Type};
use tree_sitter::Node;

use super::kinds::{F, K, field, kind};
use super::tree::{Source, squeeze};

/// The name of the type a function pointer points to.
pub(crate) const FUNCTION_TYPE: &str = "function";

/// What a declarator declares.
pub(crate) struct Declared<'t> {
    /// The node of the declared name; none for an abstract declarator.
    pub(crate) name: Option<Node<'t>>,
    /// The declared type; a function's return type.
    pub(crate) ty: Type,
    /// The function declarator, when a function is declared.
    pub(crate) function: Option<Node<'t>>,
    /// A structured binding's node.
    pub(crate) binding: Option<Node<'t>>,
}

/// What stands before the declarators of a declaration.
#[derive(Default)]
pub(crate) struct Specifiers<'t> {
    /// The node of the type.
    pub(crate) type_node: Option<Node<'t>>,
    /// The type without declarators.
    pub(crate) ty: Type,
    pub(crate) is_static: bool,
    pub(crate) is_extern: bool,
    pub(crate) is_virtual: bool,
    pub(crate) noreturn: bool,
    /// Declarators (`init_declarator`s included), each with the value beside it (fields,
    /// conditions).
    pub(crate) declarators: Vec<(Node<'t>, Option<Node<'t>>)>,
    /// `= default`.
    pub(crate) defaulted: bool,
    /// `= delete`.
    pub(crate) deleted: bool,
    /// A member-initialiser list, a body.
    pub(crate) inits: Option<Node<'t>>,
    pub(crate) body: Option<Node<'t>>,
    /// ERROR nodes among the specifiers.
    pub(crate) errors: Vec<Node<'t>>,
}

impl<'t> Source<'t> {
    /// Reads the parts of a declaration, field, parameter, function definition or type descriptor.
    pub(crate) fn specifiers(&self, node: Node<'t>) -> Specifiers<'t> {
        let mut out = Specifiers::default();
        let (mut is_const, mut is_volatile) = (false, false);
        self.each_child(node, |child, what, at| {
            if at.is_some() {
                if at == F.declarator {
                    out.declarators.push((child, None));
                    return;
                }
                if at == F.ty {
                    out.type_node = Some(child);
                    return;
                }
                if at == F.value || at == F.default_value {
                    if let Some(last) = out.declarators.last_mut() {
                        last.1 = Some(child);
                    }
                    return;
                }
                if at == F.body {
                    out.body = Some(child);
                    return;
                }
            }
            match what {
                K::StorageClass => match self.text(child) {
                    // One for each thread, as long as that runs.
                    "static" | "thread_local" | "_Thread_local" => out.is_static = true,
                    "extern" => out.is_extern = true,
                    _ => {}
                },
                K::TypeQualifier => match self.text(child) {
                    "const" | "constexpr" | "constinit" => is_const = true,
                    "volatile" | "_Atomic" => is_volatile = true,
                    "_Noreturn" | "noreturn" => out.noreturn = true,
                    _ => {}
                },
                K::AttributeDeclaration | K::AttributeSpecifier | K::MsDeclspec => {
                    out.noreturn |= self.text(child).contains("noreturn");
                }
                K::DefaultMethodClause => out.defaulted = true,
                K::DeleteMethodClause => out.deleted = true,
                K::FieldInitializerList => out.inits = Some(child),
                K::TryStatement => out.body = Some(child),
                K::Error => out.errors.push(child),
                K::Other if child.kind() == "virtual" => out.is_virtual = true,
                K::VirtualSpecifier => out.is_virtual = true,
                _ => {}
            }
        });
        if let Some(ty) = out.type_node {
            out.ty = self.named_type(ty);
        }
        out.ty.is_const |= is_const;
        out.ty.is_volatile |= is_volatile;
        out
    }

    /// The type a specifier names.
    pub(crate) fn named_type(&self, node: Node<'t>) -> Type {
        match kind(node) {
            K::TypeIdentifier | K::PrimitiveType | K::Identifier | K::NamespaceIdentifier => {
                Type::named(self.text(node))
            }
            K::QualifiedIdentifier | K::TemplateType | K::TemplateFunction => Type {
                name: self.qualified(node),
                args: self.template_args(node),
                ..Type::default()
            },
            K::DependentType => self
                .first(node)
                .map_or_else(Type::default, |n| self.plain(n)),
            K::ClassSpecifier | K::StructSpecifier | K::UnionSpecifier | K::EnumSpecifier => {
                match field(node, F.name) {
                    Some(name) => self.plain(name),
                    None => Type::default(),
                }
            }
            K::PlaceholderType | K::Auto => Type::named("auto"),
            K::Decltype => {
                let auto = self.first(node).is_some_and(|n| kind(n) == K::Auto);
                Type::named(if auto { "auto" } else { "decltype" })
            }
            _ => Type::named(squeeze(self.text(node))),
        }
    }

    fn plain(&self, node: Node<'t>) -> Type {
        Type {
            name: self.qualified(node),
            args: self.template_args(node),
            ..Type::default()
        }
    }

    /// The type of a `type_descriptor`.
    pub(crate) fn descriptor(&self, node: Node<'t>) -> Type {
        if kind(node) != K::TypeDescriptor {
            return self.named_type(node);
        }
        let spec = self.specifiers(node);
        self.declared(spec.ty, spec.declarators.first().map(|d| d.0))
            .ty
    }

    /// Applies a declarator to the type before it.
    pub(crate) fn declared(&self, base: Type, declarator: Option<Node<'t>>) -> Declared<'t> {
        let mut ty = base;
        let mut function = None;
        let mut next = declarator;
        let mut out = Declared {
            name: None,
            ty: Type::default(),
            function: None,
            binding: None,
        };
        while let Some(node) = next {
            match kind(node) {
                K::PointerDeclarator | K::PointerTypeDeclarator | K::AbstractPointer => {
                    if function.take().is_some() {
                        ty = Type::named(FUNCTION_TYPE);
                    }
                    ty.arrays = 0;
                    ty.array_len = None;
                    ty.pointers = ty.pointers.saturating_add(1);
                    (ty.is_const, ty.is_volatile) = (false, false);
                    self.each_child(node, |child, what, _| {
                        if what == K::TypeQualifier {
                            ty.is_const |= self.text(child) == "const";
                            ty.is_volatile |= self.text(child) == "volatile";
                        }
                    });
                    next = field(node, F.declarator);
                }
                K::ReferenceDeclarator | K::AbstractReference => {
                    if function.take().is_some() {
                        ty = Type::named(FUNCTION_TYPE);
                    }
                    let rvalue = node.child(0).is_some_and(|token| token.kind() == "&&");
                    ty.reference = if rvalue {
                        Reference::Rvalue
                    } else {
                        Reference::Shared
                    };
                    next = self.last_named(node);
                }
                K::ArrayDeclarator | K::AbstractArray => {
                    ty.arrays = ty.arrays.saturating_add(1);
                    ty.array_len = field(node, F.size)
                        .and_then(|size| super::literals::integer(self.text(size)))
                        .and_then(|n| u64::try_from(n).ok());
                    next = field(node, F.declarator);
                }
                K::FunctionDeclarator | K::AbstractFunction => {
                    if let Some(trailing) = self.child_of(node, K::TrailingReturnType)
                        && let Some(descriptor) = self.first(trailing)
                    {
                        ty = self.descriptor(descriptor);
                    }
                    function = Some(node);
                    next = field(node, F.declarator);
                }
                K::ParenthesizedDeclarator | K::AbstractParen => next = self.last_named(node),
                K::AttributedDeclarator => next = self.first(node),
                K::InitDeclarator => next = field(node, F.declarator),
                K::VariadicDeclarator => next = self.first(node),
                K::StructuredBinding => {
                    out.binding = Some(node);
                    break;
                }
                K::Error => break,
                K::OperatorCast => {
                    // `operator T*()`: its own declarator is the parameter list.
                    if let Some(target) = field(node, F.ty) {
                        ty = self.named_type(target);
                    }
                    out.name = Some(node);
                    function = field(node, F.declarator);
                    break;
                }
                _ => {
                    if kind(node) == K::QualifiedIdentifier
                        && let Some(cast) = self.inner_cast(node)
                    {
                        if let Some(target) = field(cast, F.ty) {
                            ty = self.named_type(target);
                        }
                        function = field(cast, F.declarator);
                    }
                    out.name = Some(node);
                    break;
                }
            }
        }
        if next.is_none() && function.is_some() && out.name.is_none() {
            // An abstract function declarator: `int (int)`.
            ty = Type::named(FUNCTION_TYPE);
        }
        out.function = function;
        out.ty = ty;
        out
    }

    fn inner_cast(&self, mut node: Node<'t>) -> Option<Node<'t>> {
        while kind(node) == K::QualifiedIdentifier {
            node = field(node, F.name)?;
        }
        (kind(node) == K::OperatorCast).then_some(node)
    }

    fn last_named(&self, node: Node<'t>) -> Option<Node<'t>> {
        let mut out = None;
        self.each_child(node, |child, what, _| {
            if child.is_named()
                && !matches!(what, K::MsCallModifier | K::Error | K::AttributeDeclaration)
            {
                out = Some(child);
            }
        });
        out
    }

    /// The parameter list of a function declarator, past nested ones.
    pub(crate) fn parameters(&self, function: Node<'t>) -> Option<Node<'t>> {
        field(function, F.parameters)
    }

    /// The name and type of each parameter. A lone `void` is no parameter; `...` is left out.
    pub(crate) fn params(&self, list: Node<'t>) -> Vec<Param<'t>> {
        let mut out = Vec::new();
        for node in self.children(list) {
            if !matches!(
                kind(node),
                K::ParameterDeclaration | K::OptionalParameter | K::VariadicParameter
            ) {
                continue;
            }
            let spec = self.specifiers(node);
            let declared = self.declared(spec.ty, spec.declarators.first().map(|d| d.0));
            let mut ty = declared.ty;
            if ty.name == "void" && ty.is_object() && declared.name.is_none() {
                continue;
            }
            if declared.function.is_some() {
                ty = Type::named(FUNCTION_TYPE);
                ty.pointers = 1;
            }
            if ty.arrays > 0 && ty.reference == Reference::None {
                // A parameter of array type is a pointer.
                ty.arrays -= 1;
                ty.array_len = None;
                ty.pointers = ty.pointers.saturating_add(1);
            }
            out.push(Param {
                node,
                name: declared.name,
                ty,
            });
        }
        out
    }
}

/// A parameter.
pub(crate) struct Param<'t> {
    pub(crate) node: Node<'t>,
    pub(crate) name: Option<Node<'t>>,
    pub(crate) ty: Type,
}

/// Names of types that hold no object with a destructor.
fn is_builtin_word(word: &str) -> bool {
    matches!(
        word,
        "void"
            | "bool"
            | "char"
            | "short"
            | "int"
            | "long"
            | "float"
            | "double"
            | "signed"
            | "unsigned"
            | "wchar_t"
            | "char8_t"
            | "char16_t"
            | "char32_t"
            | "__int8"
            | "__int16"
            | "__int32"
            | "__int64"
            | "__int128"
            | "_Bool"
            | "byte"
            | "uint"
            | "ulong"
            | "ushort"
            | "uchar"
            | "qint8"
            | "qint16"
            | "qint32"
            | "qint64"
            | "quint8"
            | "quint16"
            | "quint32"
            | "quint64"
            | "qlonglong"
            | "qulonglong"
            | "qsizetype"
            | "qptrdiff"
            | "quintptr"
            | "qintptr"
            | "qreal"
            | "int8"
            | "int16"
            | "int32"
            | "int64"
            | "uint8"
            | "uint16"
            | "uint32"
            | "uint64"
            | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "function"
            | "decltype"
    )
}

/// True for an ALL_CAPS name of at least two characters.
pub(crate) fn all_caps(name: &str) -> bool {
    name.len() > 1
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().any(|b| b.is_ascii_uppercase())
}

/// True when a type of this name certainly has no destructor: primitive types, `*_t`, and the
/// ALL_CAPS types of the Windows headers.
pub(crate) fn is_plain_name(name: &Name) -> bool {
    let last = super::tree::last_segment(name);
    last.is_empty()
        || is_builtin_word(last)
        || last.ends_with("_t")
        || all_caps(last)
        || (last.contains(' ') && last.split(' ').all(is_builtin_word))
}

/// True when an ALL_CAPS name is certainly a scalar of the Windows headers, not a struct.
pub(crate) fn is_windows_scalar(name: &str) -> bool {
    matches!(
        name,
        "HANDLE"
            | "BOOL"
            | "BOOLEAN"
            | "BYTE"
            | "WORD"
            | "DWORD"
            | "QWORD"
            | "DWORD32"
            | "DWORD64"
            | "DWORDLONG"
            | "CHAR"
            | "UCHAR"
            | "WCHAR"
            | "TCHAR"
            | "SHORT"
            | "USHORT"
            | "INT"
            | "UINT"
            | "INT8"
            | "INT16"
            | "INT32"
            | "INT64"
            | "UINT8"
            | "UINT16"
            | "UINT32"
            | "UINT64"
            | "LONG"
            | "ULONG"
            | "LONG32"
            | "LONG64"
            | "ULONG32"
            | "ULONG64"
            | "LONGLONG"
            | "ULONGLONG"
            | "FLOAT"
            | "SIZE_T"
            | "SSIZE_T"
            | "INT_PTR"
            | "UINT_PTR"
            | "LONG_PTR"
            | "ULONG_PTR"
            | "DWORD_PTR"
            | "WPARAM"
            | "LPARAM"
            | "LRESULT"
            | "HRESULT"
            | "NTSTATUS"
            | "ATOM"
            | "COLORREF"
            | "LSTATUS"
            | "SOCKET"
            | "ACCESS_MASK"
            | "LCID"
            | "LANGID"
            | "SC_HANDLE"
            | "SERVICE_STATUS_HANDLE"
            | "HWND"
            | "HMODULE"
            | "HINSTANCE"
            | "HKEY"
            | "HDC"
            | "HBITMAP"
            | "HBRUSH"
            | "HFONT"
            | "HICON"
            | "HCURSOR"
            | "HMENU"
            | "HGLOBAL"
            | "HLOCAL"
            | "HRSRC"
            | "HPCON"
            | "HFILE"
            | "FARPROC"
            | "BSTR"
            | "PVOID"
            | "LPVOID"
            | "LPCVOID"
            | "PSID"
            | "PSTR"
            | "PWSTR"
            | "PCSTR"
            | "PCWSTR"
            | "PTSTR"
            | "PCTSTR"
            | "LPSTR"
            | "LPWSTR"
            | "LPCSTR"
            | "LPCWSTR"
            | "LPTSTR"
            | "LPCTSTR"
            | "PHANDLE"
            | "LPHANDLE"
            | "PDWORD"
            | "LPDWORD"
            | "PBYTE"
            | "LPBYTE"
            | "PBOOL"
            | "LPBOOL"
            | "LPOVERLAPPED"
            | "PTP_WAIT"
            | "PTP_WORK"
            | "PTP_TIMER"
            | "PTP_IO"
            | "PTP_POOL"
            | "LPSECURITY_ATTRIBUTES"
            | "PSECURITY_ATTRIBUTES"
            | "PSECURITY_DESCRIPTOR"
            | "HPALETTE"
            | "HRGN"
            | "HMONITOR"
    ) || (name.len() > 3 && name.starts_with("LP"))
}

/// True when an ALL_CAPS scalar of the Windows headers is a pointer, so that zero is null.
pub(crate) fn is_windows_pointer(name: &str) -> bool {
    is_windows_scalar(name)
        && (name.starts_with('P') || name.starts_with("LP") || name.starts_with('H'))
        && !matches!(name, "HRESULT" | "HFILE")
        && name != "LPARAM"
}
