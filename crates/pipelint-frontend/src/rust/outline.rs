//! What a file declares, before bodies are looked at: modules, types, signatures, macros.

use pipelint_ir::Name;
use smol_str::format_smolstr;
use tree_sitter::Node;

use super::cfg::Cfg;
use super::fragment::items_given;
use super::kinds::{F, K, field, kind};
use super::paths::{Module, Modules};
use super::source::{Source, children, first};
use super::types::{Scope, path_of};

/// What one file declares. Types are written down where their nodes are: they are read again, with
/// all modules known, by [`Index`](super::index::Index).
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Each module of the file, with its path.
    pub(crate) modules: Vec<(Name, Module)>,
    /// Own macros: name and body.
    pub(crate) macros: Vec<(Name, String)>,
}

/// An item that stands in a module, or in an `impl`.
pub(crate) struct Item<'t> {
    pub(crate) node: Node<'t>,
    pub(crate) what: K,
    /// Derives, `repr` and the like, as written.
    pub(crate) attributes: Vec<Node<'t>>,
}

/// The items of a module's body that the target has, with their attributes.
pub(crate) fn items<'t>(source: &Source, cfg: &Cfg, body: Node<'t>) -> Vec<Item<'t>> {
    let mut out = Vec::new();
    let mut attributes: Vec<Node<'t>> = Vec::new();
    for (node, what) in children(body) {
        match what {
            K::AttributeItem => attributes.push(node),
            K::InnerAttributeItem => {}
            _ => {
                let attributes = std::mem::take(&mut attributes);
                if is_on(source, cfg, &attributes) {
                    out.push(Item {
                        node,
                        what,
                        attributes,
                    });
                }
            }
        }
    }
    out
}

/// False when a `cfg` among the attributes says that the target does not have this.
pub(crate) fn is_on(source: &Source, cfg: &Cfg, attributes: &[Node<'_>]) -> bool {
    attributes.iter().all(|item| {
        // A macro's expansion is written with blanks between all tokens.
        let Some((attribute, _)) = children(*item).into_iter().next() else {
            return true;
        };
        let path = first(attribute).map(|path| source.text(path));
        let list = field(attribute, F.arguments).map(|list| source.text(list).trim());
        let inside = list.and_then(|list| list.strip_prefix('(')?.strip_suffix(')'));
        match (path, inside) {
            (Some("cfg"), Some(predicate)) => cfg.holds(predicate).unwrap_or(true),
            _ => true,
        }
    })
}

/// The module that an item `mod name { … }` in a module is.
pub(crate) fn inner_module(module: &str, name: &str) -> Name {
    format_smolstr!("{module}::{name}")
}

/// Reads what a file declares.
pub(crate) fn outline(source: &Source, cfg: &Cfg, module: &Name, root: Node<'_>) -> Outline {
    let mut out = Outline::default();
    walk(source, cfg, module, root, &mut out, 0);
    out
}

fn walk(source: &Source, cfg: &Cfg, module: &Name, body: Node<'_>, out: &mut Outline, depth: u32) {
    if depth > 32 {
        return;
    }
    let mut here = Module::default();
    for item in items(source, cfg, body) {
        declare(source, cfg, module, &item, &mut here, out, depth);
    }
    out.modules.push((module.clone(), here));
}

fn declare(
    source: &Source,
    cfg: &Cfg,
    module: &Name,
    item: &Item<'_>,
    here: &mut Module,
    out: &mut Outline,
    depth: u32,
) {
    let node = item.node;
    let mut name = || {
        let name = field(node, F.name).map(|n| source.name(n));
        here.items.extend(name.clone());
        name
    };
    match item.what {
        K::FunctionItem
        | K::ConstItem
        | K::StaticItem
        | K::StructItem
        | K::EnumItem
        | K::UnionItem
        | K::TypeItem
        | K::TraitItem
        | K::FunctionSignature => {
            name();
            if let (K::FunctionItem, Some(body)) = (item.what, field(node, F.body)) {
                // `use` within a body: its names are taken for the module's.
                uses_within(source, body, here, 0);
            }
        }
        K::ModItem => {
            if let (Some(name), Some(body)) = (name(), field(node, F.body)) {
                walk(
                    source,
                    cfg,
                    &inner_module(module, &name),
                    body,
                    out,
                    depth + 1,
                );
            }
        }
        K::ForeignModItem => {
            if let Some(body) = field(node, F.body) {
                // Declared here, defined by the system: they stand by their own names.
                for inner in items(source, cfg, body) {
                    if let Some(name) = field(inner.node, F.name) {
                        let name = source.name(name);
                        here.uses.insert(name.clone(), vec!["libc".into(), name]);
                    }
                }
            }
        }
        K::UseDeclaration => {
            if let Some(argument) = field(node, F.argument) {
                uses(source, argument, &[], here, 0);
            }
        }
        K::MacroDefinition => {
            if let Some(name) = field(node, F.name) {
                let body = source.text.get(name.end_byte()..node.end_byte());
                let body = body.unwrap_or("").trim_end_matches(';').trim();
                out.macros.push((source.name(name), body.to_owned()));
            }
        }
        K::ImplItem => {
            if let Some(body) = field(node, F.body) {
                uses_of_members(source, cfg, body, here, 0);
            }
        }
        _ => {
            if depth < 8
                && let Some(parsed) = items_given(source, cfg, node)
            {
                for inner in items(source, cfg, parsed.root_node()) {
                    declare(source, cfg, module, &inner, here, out, depth + 1);
                }
            }
        }
    }
}

/// The `use` declarations in the bodies of an `impl`'s functions.
fn uses_of_members(source: &Source, cfg: &Cfg, body: Node<'_>, here: &mut Module, depth: u32) {
    for inner in items(source, cfg, body) {
        if let (K::FunctionItem, Some(body)) = (inner.what, field(inner.node, F.body)) {
            uses_within(source, body, here, 0);
        } else if depth < 8
            && let Some(parsed) = items_given(source, cfg, inner.node)
        {
            uses_of_members(source, cfg, parsed.root_node(), here, depth + 1);
        }
    }
}

/// The `use` declarations of a body's blocks.
fn uses_within(source: &Source, body: Node<'_>, here: &mut Module, depth: u32) {
    if depth > 3 {
        return;
    }
    for (child, what) in children(body) {
        match what {
            K::UseDeclaration => {
                if let Some(argument) = field(child, F.argument) {
                    let mut inner = Module::default();
                    uses(source, argument, &[], &mut inner, 0);
                    for (alias, path) in inner.uses {
                        here.uses.entry(alias).or_insert(path);
                    }
                    here.globs.extend(inner.globs);
                }
            }
            K::ExpressionStatement => {
                if let Some(inner) = first(child)
                    && matches!(kind(inner), K::UnsafeBlock | K::Block)
                {
                    uses_within(source, inner, here, depth + 1);
                }
            }
            K::UnsafeBlock | K::Block => uses_within(source, child, here, depth + 1),
            _ => {}
        }
    }
}

fn uses(source: &Source, node: Node<'_>, prefix: &[Name], here: &mut Module, depth: u32) {
    if depth > 32 {
        return;
    }
    let join = |node: Option<Node<'_>>| {
        let mut all = prefix.to_vec();
        if let Some(node) = node {
            all.extend(path_of(source, node));
        }
        all
    };
    match kind(node) {
        K::UseAsClause => {
            let (path, alias) = (field(node, F.path), field(node, F.alias));
            if let Some(alias) = alias.map(|a| source.name(a))
                && alias != "_"
            {
                here.uses.insert(alias, without_self(join(path)));
            }
        }
        K::UseList => {
            for (child, _) in children(node) {
                uses(source, child, prefix, here, depth + 1);
            }
        }
        K::ScopedUseList => {
            let all = join(field(node, F.path));
            if let Some(list) = field(node, F.list) {
                uses(source, list, &all, here, depth + 1);
            }
        }
        K::UseWildcard => {
            let all = join(first(node));
            here.globs.push(all);
        }
        _ => {
            let all = without_self(join(Some(node)));
            if let Some(last) = all.last().cloned() {
                here.uses.insert(last, all);
            }
        }
    }
}

/// `a::{self}` is `a`.
fn without_self(mut path: Vec<Name>) -> Vec<Name> {
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    path
}

/// The scope of an `impl` or trait: its type parameters, and what `Self` is.
pub(crate) fn impl_scope(
    source: &Source,
    modules: &Modules,
    scope: &Scope,
    node: Node<'_>,
) -> Scope {
    let mut inner = scope.with_generics(source, field(node, F.type_parameters));
    if let Some(ty) = field(node, F.ty) {
        inner.self_ty = modules.ty(source, &inner, ty);
    }
    inner
}
