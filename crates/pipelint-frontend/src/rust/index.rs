//! What all files of a run declare: types, signatures, macros, by full path.

use pipelint_ir::Name;
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::format_smolstr;
use tree_sitter::Node;

use super::cfg::Cfg;
use super::fragment::items_given;
use super::holders::{is_guard_type, led_to};
use super::kinds::{F, K, field, kind};
use super::macro_rules::MacroRules;
use super::outline::{Item, Outline, impl_scope, inner_module, items};
use super::paths::Modules;
use super::source::{Source, children, has_token};
use super::ty::Ty;
use super::types::{Scope, path_of};

/// How a method takes its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// It has none.
    None,
    /// `&self`, `&mut self`, and what is as good: `self: &Arc<Self>`.
    Reference,
    /// `self`.
    Value,
}

/// A function's signature.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) receiver: Receiver,
    /// What it takes besides its object.
    pub(crate) params: Vec<Ty>,
    pub(crate) ret: Ty,
}

/// A struct, union or enum.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypeInfo {
    /// Fields of a struct or union, in order; `0`, `1` of a tuple struct.
    pub(crate) fields: Vec<(Name, Ty)>,
    /// Those of them that their module alone can name.
    pub(crate) private: Vec<Name>,
    /// Variants of an enum, with their fields.
    pub(crate) variants: Vec<(Name, Vec<(Name, Ty)>)>,
    pub(crate) is_enum: bool,
    /// It derives `Copy`, or an `impl` says so: nothing happens when it ends.
    pub(crate) copy: bool,
    /// It derives `Clone`: each field is cloned by itself.
    pub(crate) clones: bool,
    /// It derives what shows its fields to others.
    pub(crate) shows: bool,
    /// It has a `Drop` of its own.
    pub(crate) drops: bool,
    /// It has a `Deref` of its own.
    pub(crate) leads: bool,
    /// What an `unsafe impl` asserts of it: `Send`, `Sync`.
    pub(crate) asserted: Vec<(Name, Span)>,
    pub(crate) generics: Vec<Name>,
}

/// Everything declared.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) modules: Modules,
    pub(crate) types: FxHashMap<Name, TypeInfo>,
    pub(crate) functions: FxHashMap<Name, Signature>,
    aliases: FxHashMap<Name, Ty>,
    /// Constants and statics; true for a static.
    pub(crate) values: FxHashMap<Name, (bool, Ty)>,
    /// Own macros, by name: the file that defines each, and its rules.
    macros: FxHashMap<Name, Vec<(u32, Name, MacroRules)>>,
    traits: FxHashSet<Name>,
}

impl Index {
    /// Takes in what each file declares; macros are understood later, one by one.
    pub(crate) fn new(outlines: Vec<(u32, Outline)>) -> Self {
        let mut index = Self::default();
        for (file, outline) in outlines {
            let of = outline.modules.last().map(|(name, _)| name.clone());
            for (name, module) in outline.modules {
                index.modules.add(name, module);
            }
            for (name, body) in outline.macros {
                if let Some(rules) = MacroRules::parse(&body) {
                    let of = of.clone().unwrap_or_default();
                    index
                        .macros
                        .entry(name)
                        .or_default()
                        .push((file, of, rules));
                }
            }
        }
        index.modules.settle();
        index
    }

    /// Reads the types and signatures of a file, with all modules known.
    pub(crate) fn read(&mut self, source: &Source, cfg: &Cfg, module: &Name, root: Node<'_>) {
        let scope = Scope {
            module: module.clone(),
            ..Scope::default()
        };
        self.module(source, cfg, &scope, root, 0);
    }

    fn module(&mut self, source: &Source, cfg: &Cfg, scope: &Scope, body: Node<'_>, depth: u32) {
        if depth > 32 {
            return;
        }
        for item in items(source, cfg, body) {
            self.item(source, cfg, scope, &item, depth);
        }
    }

    fn item(&mut self, source: &Source, cfg: &Cfg, scope: &Scope, item: &Item<'_>, depth: u32) {
        let node = item.node;
        let name = field(node, F.name).map(|n| source.name(n));
        let full = |name: &Name| format_smolstr!("{}::{name}", scope.module);
        match (item.what, name) {
            (K::ModItem, Some(name)) => {
                if let Some(body) = field(node, F.body) {
                    let inner = Scope {
                        module: inner_module(&scope.module, &name),
                        ..Scope::default()
                    };
                    self.module(source, cfg, &inner, body, depth + 1);
                }
            }
            (K::FunctionItem, Some(name)) => {
                let signature = self.signature(source, scope, node);
                self.functions.insert(full(&name), signature);
            }
            (K::StructItem | K::UnionItem | K::EnumItem, Some(name)) => {
                let info = self.type_info(source, cfg, scope, item);
                let known = self.types.entry(full(&name)).or_default();
                let (copy, drops, leads) = (known.copy, known.drops, known.leads);
                *known = info;
                known.copy |= copy;
                known.drops |= drops;
                known.leads |= leads;
            }
            (K::TypeItem, Some(name)) => {
                let inner = scope.with_generics(source, field(node, F.type_parameters));
                if let Some(ty) = field(node, F.ty) {
                    let ty = self.modules.ty(source, &inner, ty);
                    self.aliases.insert(full(&name), ty);
                }
            }
            (K::ConstItem | K::StaticItem, Some(name)) => {
                let ty = field(node, F.ty).map(|ty| self.modules.ty(source, scope, ty));
                let is_static = item.what == K::StaticItem;
                self.values
                    .insert(full(&name), (is_static, ty.unwrap_or_default()));
            }
            (K::TraitItem, Some(name)) => {
                self.traits.insert(full(&name));
                let mut inner = scope.with_generics(source, field(node, F.type_parameters));
                inner.self_ty = Ty::Named(full(&name), Vec::new());
                self.members(source, cfg, &inner, node, &full(&name));
            }
            (K::ImplItem, _) => self.implementation(source, cfg, scope, node),
            _ => {
                if depth < 8
                    && let Some(parsed) = items_given(source, cfg, node)
                {
                    self.module(source, cfg, scope, parsed.root_node(), depth + 1);
                }
            }
        }
    }

    fn implementation(&mut self, source: &Source, cfg: &Cfg, scope: &Scope, node: Node<'_>) {
        let inner = impl_scope(source, &self.modules, scope, node);
        let Some(owner) = self.owner_of(&inner) else {
            return;
        };
        if let Some(of) = field(node, F.trait_) {
            match path_of(source, of).last().map(Name::as_str) {
                Some("Drop") => self.types.entry(owner.clone()).or_default().drops = true,
                Some("Deref") => self.types.entry(owner.clone()).or_default().leads = true,
                Some(name @ ("Send" | "Sync")) if source.text(node).starts_with("unsafe") => {
                    let asserted = (Name::new(name), source.span(node));
                    let info = self.types.entry(owner.clone()).or_default();
                    info.asserted.push(asserted);
                }
                Some("Copy") => self.types.entry(owner.clone()).or_default().copy = true,
                _ => {}
            }
        }
        self.members(source, cfg, &inner, node, &owner);
    }

    fn members(&mut self, source: &Source, cfg: &Cfg, scope: &Scope, node: Node<'_>, owner: &Name) {
        if let Some(body) = field(node, F.body) {
            self.members_in(source, cfg, scope, body, owner, 0);
        }
    }

    fn members_in(
        &mut self,
        source: &Source,
        cfg: &Cfg,
        scope: &Scope,
        body: Node<'_>,
        owner: &Name,
        depth: u32,
    ) {
        for item in items(source, cfg, body) {
            if matches!(item.what, K::FunctionItem | K::FunctionSignature) {
                if let Some(name) = field(item.node, F.name) {
                    let full = format_smolstr!("{owner}::{}", source.name(name));
                    let signature = self.signature(source, scope, item.node);
                    self.functions.insert(full, signature);
                }
            } else if depth < 8
                && let Some(parsed) = items_given(source, cfg, item.node)
            {
                let given = parsed.root_node();
                self.members_in(source, cfg, scope, given, owner, depth + 1);
            }
        }
    }

    /// The name under which methods of the scope's `Self` stand.
    pub(crate) fn owner_of(&self, scope: &Scope) -> Option<Name> {
        match self.normal(&scope.self_ty) {
            Ty::Named(name, _) => Some(name),
            Ty::Num(name) => Some(name),
            _ => None,
        }
    }

    /// What a function takes and yields.
    pub(crate) fn signature(&self, source: &Source, scope: &Scope, node: Node<'_>) -> Signature {
        let inner = scope.with_generics(source, field(node, F.type_parameters));
        let ret = field(node, F.return_type).map_or(Ty::Unit, |ty| {
            self.normal(&self.modules.ty(source, &inner, ty))
        });
        let list = field(node, F.parameters).map(children).unwrap_or_default();
        let own = list.into_iter().filter(|(child, what)| {
            let pattern = field(*child, F.pattern);
            *what == K::Parameter && pattern.is_none_or(|p| source.text(p) != "self")
        });
        let ty = |(child, _)| {
            field(child, F.ty).map_or(Ty::Unknown, |ty| {
                self.normal(&self.modules.ty(source, &inner, ty))
            })
        };
        Signature {
            receiver: receiver(source, node),
            params: own.map(ty).collect(),
            ret,
        }
    }

    fn type_info(&self, source: &Source, cfg: &Cfg, scope: &Scope, item: &Item<'_>) -> TypeInfo {
        let parameters = field(item.node, F.type_parameters);
        let inner = scope.with_generics(source, parameters);
        let generics = inner.generics[scope.generics.len()..].to_vec();
        let mut info = TypeInfo {
            generics,
            is_enum: item.what == K::EnumItem,
            copy: derives(source, &item.attributes, "Copy"),
            clones: derives(source, &item.attributes, "Clone"),
            shows: ["Debug", "Serialize"]
                .iter()
                .any(|shown| derives(source, &item.attributes, shown)),
            ..TypeInfo::default()
        };
        let Some(body) = field(item.node, F.body) else {
            return info;
        };
        if info.is_enum {
            for variant in items(source, cfg, body) {
                let Some(name) = field(variant.node, F.name) else {
                    continue;
                };
                let fields = field(variant.node, F.body)
                    .map(|body| self.fields(source, cfg, &inner, body))
                    .unwrap_or_default();
                info.variants.push((source.name(name), fields));
            }
        } else {
            info.fields = self.fields(source, cfg, &inner, body);
            info.private = private(source, cfg, body);
        }
        info
    }

    fn fields(&self, source: &Source, cfg: &Cfg, scope: &Scope, body: Node<'_>) -> Vec<(Name, Ty)> {
        let mut out = Vec::new();
        let ordered = kind(body) == K::OrderedFields;
        for item in items(source, cfg, body) {
            if ordered {
                if item.what != K::VisibilityModifier {
                    let name = format_smolstr!("{}", out.len());
                    out.push((name, self.modules.ty(source, scope, item.node)));
                }
                continue;
            }
            if let (Some(name), Some(ty)) = (field(item.node, F.name), field(item.node, F.ty)) {
                let ty = self.modules.ty(source, scope, ty);
                out.push((source.name(name), ty));
            }
        }
        out
    }

    /// A type with the program's aliases followed.
    pub(crate) fn normal(&self, ty: &Ty) -> Ty {
        self.normal_at(ty, 0)
    }

    fn normal_at(&self, ty: &Ty, depth: u32) -> Ty {
        if depth > 12 {
            return ty.clone();
        }
        let inner = |ty: &Ty| self.normal_at(ty, depth + 1);
        match ty {
            Ty::Named(name, args) => match self.aliases.get(name) {
                Some(alias) => {
                    let mut alias = inner(alias);
                    // `type Result<T> = std::result::Result<T, Error>;`
                    if let (Ty::Named(_, own), Some(first)) = (&mut alias, args.first())
                        && let Some(slot) = own.first_mut()
                        && *slot == Ty::Abstract
                    {
                        *slot = inner(first);
                    }
                    alias
                }
                None => Ty::Named(name.clone(), args.iter().map(inner).collect()),
            },
            Ty::Ref(of) => Ty::Ref(Box::new(inner(of))),
            Ty::Ptr(of) => Ty::Ptr(Box::new(inner(of))),
            Ty::Tuple(parts) => Ty::Tuple(parts.iter().map(inner).collect()),
            Ty::Array(of, n) => Ty::Array(Box::new(inner(of)), *n),
            Ty::Slice(of) => Ty::Slice(Box::new(inner(of))),
            other => other.clone(),
        }
    }

    /// What the program knows of a named type.
    pub(crate) fn info(&self, ty: &Ty) -> Option<&TypeInfo> {
        self.types.get(ty.path()?)
    }

    /// The type of a field.
    pub(crate) fn field_ty(&self, ty: &Ty, name: &str) -> Ty {
        match ty.referent() {
            Ty::Tuple(parts) => {
                let part = name.parse::<usize>().ok().and_then(|n| parts.get(n));
                part.cloned().unwrap_or_default()
            }
            named @ Ty::Named(_, args) => {
                let Some(info) = self.info(named) else {
                    return Ty::Unknown;
                };
                let found = info.fields.iter().find(|(field, _)| field == name);
                let ty = found.map(|(_, ty)| ty.clone()).unwrap_or_default();
                if ty == Ty::Abstract && info.generics.len() == 1 && args.len() == 1 {
                    return self.normal(&args[0]);
                }
                self.normal(&ty)
            }
            _ => Ty::Unknown,
        }
    }

    /// A guard of the program's own around one of a library's: the field that is the other one, and the type of
    /// what both lead to.
    pub(crate) fn guard_within(&self, ty: &Ty) -> Option<(Name, Ty)> {
        let Ty::Named(_, args) = ty else {
            return None;
        };
        let info = self.info(ty).filter(|info| info.leads)?;
        let mut guards = info.fields.iter().filter(|(_, ty)| is_guard_type(ty));
        let (field, guard) = guards.next()?;
        if guards.next().is_some() {
            return None;
        }
        let of = match led_to(guard)? {
            Ty::Abstract => args.last().cloned().unwrap_or_default(),
            of => of.clone(),
        };
        Some((field.clone(), self.normal(&of)))
    }

    /// The enum that a path's last segment but one names, if its last is a variant of it.
    pub(crate) fn variant(&self, full: &str) -> Option<(Name, &[(Name, Ty)])> {
        let (of, last) = full.rsplit_once("::")?;
        let of = match self.normal(&Ty::named(of)) {
            Ty::Named(name, _) => name,
            _ => return None,
        };
        let info = self.types.get(&of)?;
        let found = info.variants.iter().find(|(name, _)| name == last)?;
        Some((of, &found.1))
    }

    /// Whether something may happen when a value of this type ends.
    pub(crate) fn needs_drop(&self, ty: &Ty) -> bool {
        self.needs_drop_at(ty, 0)
    }

    fn needs_drop_at(&self, ty: &Ty, depth: u32) -> bool {
        if ty.is_scalar() || depth > 6 {
            return false;
        }
        let inner = |ty: &Ty| self.needs_drop_at(ty, depth + 1);
        match ty {
            Ty::Tuple(parts) => parts.iter().any(inner),
            Ty::Array(of, _) | Ty::Slice(of) => inner(of),
            Ty::Named(name, args) => {
                if ty.is_outcome() {
                    return args.iter().any(inner) || args.is_empty();
                }
                match self.types.get(name) {
                    Some(info) if info.copy => false,
                    Some(info) if info.drops => true,
                    Some(info) => {
                        let parts = info.variants.iter().flat_map(|(_, fields)| fields);
                        info.fields.iter().chain(parts).any(|(_, ty)| inner(ty))
                    }
                    None => !is_raw(name),
                }
            }
            _ => true,
        }
    }

    /// The macro that a name means in a module of a file: the file's own, or that of the nearest module.
    pub(crate) fn own_macro(&self, file: u32, module: &str, name: &str) -> Option<&MacroRules> {
        let found = self.macros.get(name)?;
        let own = found.iter().rev().find(|(at, ..)| *at == file);
        let shared = |of: &str| {
            let same = of.split("::").zip(module.split("::"));
            same.take_while(|(a, b)| a == b).count()
        };
        let near = || {
            let crates = found.iter().filter(|(_, of, _)| shared(of) > 0);
            crates.max_by_key(|(at, of, _)| (shared(of), std::cmp::Reverse(*at)))
        };
        own.or_else(near).map(|(.., rules)| rules)
    }
}

/// A type of the system's interface: plain data.
fn is_raw(name: &str) -> bool {
    let last = name.rsplit("::").next().unwrap_or(name);
    matches!(
        last,
        "RawHandle"
            | "RawFd"
            | "RawSocket"
            | "c_void"
            | "void"
            | "Duration"
            | "Instant"
            | "Ordering"
            | "ErrorKind"
            | "BorrowedHandle"
            | "BorrowedFd"
            | "BorrowedSocket"
            | "ExitStatus"
            | "SocketAddr"
    ) || last
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && last.len() > 1
}

/// How a function takes its object.
pub(crate) fn receiver(source: &Source, node: Node<'_>) -> Receiver {
    let Some(parameters) = field(node, F.parameters) else {
        return Receiver::None;
    };
    for (child, what) in children(parameters) {
        match what {
            K::SelfParameter if has_token(child, "&") => return Receiver::Reference,
            K::SelfParameter => return Receiver::Value,
            K::Parameter => {
                let pattern = field(child, F.pattern);
                if pattern.is_some_and(|p| source.text(p) == "self") {
                    let ty = field(child, F.ty).map_or("", |ty| source.text(ty));
                    return match ty {
                        "Self" | "Box<Self>" => Receiver::Value,
                        _ => Receiver::Reference,
                    };
                }
                return Receiver::None;
            }
            _ => {}
        }
    }
    Receiver::None
}

/// The fields of a struct without a word that says who else may name them.
fn private(source: &Source, cfg: &Cfg, body: Node<'_>) -> Vec<Name> {
    let fields = items(source, cfg, body).into_iter();
    let hidden = fields.filter(|item| {
        let mut parts = children(item.node).into_iter();
        !parts.any(|(_, what)| what == K::VisibilityModifier)
    });
    let named = hidden.filter_map(|item| field(item.node, F.name));
    named.map(|name| source.name(name)).collect()
}

/// Whether a `derive` among the attributes names a trait.
fn derives(source: &Source, attributes: &[Node<'_>], wanted: &str) -> bool {
    attributes.iter().any(|attribute| {
        let text = source.text(*attribute);
        text.contains("derive")
            && text
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == wanted)
    })
}
