//! What `cfg` says of a piece of syntax.

use pipelint_frontend::rust::cfg::Cfg;
use syn::{AttrStyle, Attribute, Expr, ForeignItem, ImplItem, Item, Meta, TraitItem};

use crate::place::{from, to};

/// False when an outer `cfg` says that the target does not have what the attributes stand at.
///
/// What is not known counts as there, as in the front end.
pub(crate) fn is_on(attributes: &[Attribute], text: &str, cfg: &Cfg) -> bool {
    attributes.iter().all(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return true;
        };
        if !attribute.path().is_ident("cfg") || matches!(attribute.style, AttrStyle::Inner(_)) {
            return true;
        }
        let span = list.delimiter.span();
        let inside = text.get(to(span.open())..from(span.close()));
        inside.and_then(|inside| cfg.holds(inside)).unwrap_or(true)
    })
}

/// The attributes of an expression.
pub(crate) fn of_expr(expr: &Expr) -> &[Attribute] {
    macro_rules! each {
        ($($variant:ident)*) => {
            match expr {
                $(Expr::$variant(e) => &e.attrs,)*
                _ => &[],
            }
        };
    }
    each! {
        Array Assign Async Await Binary Block Break Call Cast Closure Const Continue Field ForLoop
        Group If Index Infer Let Lit Loop Macro Match MethodCall Paren Path Range RawAddr Reference
        Repeat Return Struct Try TryBlock Tuple Unary Unsafe While Yield
    }
}

/// The attributes of a statement that is an expression: `syn` keeps them at the leftmost operand.
pub(crate) fn of_statement(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Assign(e) => of_statement(&e.left),
        Expr::Binary(e) => of_statement(&e.left),
        Expr::Cast(e) => of_statement(&e.expr),
        other => of_expr(other),
    }
}

/// The attributes of an item.
pub(crate) fn of_item(item: &Item) -> &[Attribute] {
    macro_rules! each {
        ($($variant:ident)*) => {
            match item {
                $(Item::$variant(e) => &e.attrs,)*
                _ => &[],
            }
        };
    }
    each! {
        Const Enum ExternCrate Fn ForeignMod Impl Macro Mod Static Struct Trait TraitAlias Type Union
        Use
    }
}

/// The attributes of an item of an `impl`.
pub(crate) fn of_impl_item(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(e) => &e.attrs,
        ImplItem::Fn(e) => &e.attrs,
        ImplItem::Type(e) => &e.attrs,
        ImplItem::Macro(e) => &e.attrs,
        _ => &[],
    }
}

/// The attributes of an item of a trait.
pub(crate) fn of_trait_item(item: &TraitItem) -> &[Attribute] {
    match item {
        TraitItem::Const(e) => &e.attrs,
        TraitItem::Fn(e) => &e.attrs,
        TraitItem::Type(e) => &e.attrs,
        TraitItem::Macro(e) => &e.attrs,
        _ => &[],
    }
}

/// The attributes of an item of an `extern` block.
pub(crate) fn of_foreign_item(item: &ForeignItem) -> &[Attribute] {
    match item {
        ForeignItem::Fn(e) => &e.attrs,
        ForeignItem::Static(e) => &e.attrs,
        ForeignItem::Type(e) => &e.attrs,
        ForeignItem::Macro(e) => &e.attrs,
        _ => &[],
    }
}
