//! A site that stands among tokens that `syn` cannot read: it is read by itself.

use pipelint_frontend::rust::SiteKind;
use syn::{Expr, ImplItemFn, ItemFn, TraitItemFn};

/// Whether a text is exactly what a site of this kind claims to be.
pub(crate) fn is(kind: SiteKind, text: &str) -> bool {
    if kind == SiteKind::Function {
        let function = syn::parse_str::<ItemFn>(text).is_ok()
            || syn::parse_str::<ImplItemFn>(text).is_ok()
            || syn::parse_str::<TraitItemFn>(text).is_ok_and(|f| f.default.is_some());
        if function {
            return true;
        }
    }
    let Ok(expr) = syn::parse_str::<Expr>(text) else {
        return false;
    };
    match kind {
        SiteKind::Function => matches!(expr, Expr::Closure(_)),
        SiteKind::Call => matches!(expr, Expr::Call(_) | Expr::MethodCall(_)),
        SiteKind::Macro => matches!(expr, Expr::Macro(_)),
        SiteKind::Question => matches!(expr, Expr::Try(_)),
    }
}
