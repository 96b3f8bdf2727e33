//! What a file declares, as the IR says it: classes, globals, constants, aliases, pragmas.

use pipelint_ir::{
    Class, Const, Constant, Declaration, Field, FunctionKind, Global, Name, Pragma, Type, Unit,
};
use pipelint_source::Span;
use rustc_hash::FxHashMap;
use smol_str::format_smolstr;
use tree_sitter::Node;

use super::cfg::Cfg;
use super::fragment::items_given;
use super::index::Index;
use super::kinds::{F, K, field, kind};
use super::lower::Lowerer;
use super::outline::{inner_module, items};
use super::source::{Source, children, is_comment};

/// What a comment holds that speaks to the linter.
const PRAGMA: &str = "pipelint:";

/// Adds what a file declares to its unit.
pub(crate) fn declare(
    unit: &mut Unit,
    source: &Source,
    cfg: &Cfg,
    index: &Index,
    module: &Name,
    root: Node<'_>,
) {
    walk(unit, source, cfg, index, module, root, 0);
    if source.text.contains(PRAGMA) {
        pragmas(unit, source, root);
    }
}

fn walk(
    unit: &mut Unit,
    source: &Source,
    cfg: &Cfg,
    index: &Index,
    module: &Name,
    body: Node<'_>,
    depth: u32,
) {
    if depth > 32 {
        return;
    }
    for item in items(source, cfg, body) {
        let node = item.node;
        let name = field(node, F.name);
        match (item.what, name) {
            (K::ModItem, Some(name)) => {
                if let Some(body) = field(node, F.body) {
                    let inner = inner_module(module, &source.name(name));
                    walk(unit, source, cfg, index, &inner, body, depth + 1);
                }
            }
            (K::StructItem | K::UnionItem | K::EnumItem, Some(name)) => {
                let full = format_smolstr!("{module}::{}", source.name(name));
                unit.classes.extend(class(index, source, &full, name));
            }
            (K::ConstItem, Some(name)) => {
                let lowerer = Lowerer::new(index, cfg, source.clone(), false);
                let value = field(node, F.value).and_then(|v| lowerer.number(v));
                if let Some(value) = value {
                    unit.constants.push(Constant {
                        name: source.name(name),
                        value: Const::Int(value),
                        span: source.span(name),
                    });
                }
            }
            (K::StaticItem, Some(name)) => {
                let full = format_smolstr!("{module}::{}", source.name(name));
                let ty = index.values.get(&full).map(|(_, ty)| ty.to_ir());
                unit.globals.push(Global {
                    name: full,
                    ty: ty.unwrap_or_default(),
                    internal: false,
                    is_extern: false,
                    init: None,
                    table: Vec::new(),
                    span: source.span(name),
                });
            }
            _ => {
                if let Some(parsed) = items_given(source, cfg, node) {
                    walk(
                        unit,
                        source,
                        cfg,
                        index,
                        module,
                        parsed.root_node(),
                        depth + 8,
                    );
                }
            }
        }
    }
}

/// Where a struct declares each field, by the field's name.
fn declared<'s>(source: &'s Source, of: Node<'_>) -> FxHashMap<&'s str, Span> {
    let body = of.parent().and_then(|item| field(item, F.body));
    let list = body.map(children).unwrap_or_default().into_iter();
    let named = list.filter_map(|(child, _)| field(child, F.name));
    named
        .map(|name| (source.text(name), source.span(name)))
        .collect()
}

fn class(index: &Index, source: &Source, full: &Name, name: Node<'_>) -> Option<Class> {
    let info = index.types.get(full)?;
    let span = source.span(name);
    let places = declared(source, name);
    let fields = info
        .fields
        .iter()
        .map(|(field, ty)| Field {
            name: field.clone(),
            ty: index.normal(ty).to_ir(),
            is_static: false,
            has_init: false,
            is_private: info.private.contains(field),
            span: places.get(field.as_str()).copied().unwrap_or(span),
        })
        .collect();
    let last = full.rsplit("::").next().unwrap_or(full);
    let declaration = |name, kind, ret, defaulted| Declaration {
        name,
        kind,
        params: Vec::new(),
        ret,
        noreturn: false,
        is_virtual: false,
        deleted: false,
        defaulted,
        is_private: false,
        is_signal: false,
        span,
    };
    let mut methods = Vec::new();
    if info.drops {
        let name = format_smolstr!("{full}::~{last}");
        let ret = Type::named("void");
        methods.push(declaration(name, FunctionKind::Destructor, ret, false));
    }
    if info.clones {
        let name = format_smolstr!("{full}::clone");
        let ret = Type::named(full.clone());
        methods.push(declaration(name, FunctionKind::Method, ret, true));
    }
    if info.shows {
        let name = format_smolstr!("{full}::fmt");
        let ret = Type::named("void");
        methods.push(declaration(name, FunctionKind::Method, ret, true));
    }
    Some(Class {
        name: full.clone(),
        bases: Vec::new(),
        fields,
        methods,
        asserted: info.asserted.clone(),
        is_union: false,
        span,
    })
}

/// The comments that speak to the linter.
fn pragmas(unit: &mut Unit, source: &Source, root: Node<'_>) {
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        if is_comment(kind(node)) {
            let text = source.text(node);
            if text.contains(PRAGMA) {
                unit.pragmas.push(Pragma {
                    text: text.trim_end().to_owned(),
                    span: source.span(node),
                });
            }
        }
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}
