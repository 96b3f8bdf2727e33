//! Where an expression of `syn` begins and ends, as byte offsets.
//!
//! `Spanned` turns the whole expression into tokens; asked at every link of a long chain that is
//! quadratic. So the outermost tokens are looked for instead.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, Macro, Signature, Visibility};

/// A byte range.
pub(crate) type Range = std::ops::Range<usize>;

/// Where an expression begins; attributes do not count.
pub(crate) fn start(expr: &Expr) -> usize {
    match expr {
        Expr::Assign(e) => start(&e.left),
        Expr::Await(e) => start(&e.base),
        Expr::Binary(e) => start(&e.left),
        Expr::Call(e) => start(&e.func),
        Expr::Cast(e) => start(&e.expr),
        Expr::Field(e) => start(&e.base),
        Expr::Index(e) => start(&e.expr),
        Expr::MethodCall(e) => start(&e.receiver),
        Expr::Try(e) => start(&e.expr),
        Expr::Paren(e) => from(e.paren_token.span.open()),
        Expr::Array(e) => from(e.bracket_token.span.open()),
        Expr::Repeat(e) => from(e.bracket_token.span.open()),
        Expr::Tuple(e) => from(e.paren_token.span.open()),
        Expr::Match(e) => from(e.match_token.span),
        Expr::If(e) => from(e.if_token.span),
        Expr::Unsafe(e) => from(e.unsafe_token.span),
        Expr::Const(e) => from(e.const_token.span),
        Expr::Async(e) => from(e.async_token.span),
        Expr::Unary(e) => from(e.op.span()),
        Expr::Reference(e) => from(e.and_token.span),
        Expr::Macro(e) => mac(&e.mac).start,
        Expr::Struct(e) => path_start(e.qself.as_ref(), &e.path),
        Expr::Path(e) => path_start(e.qself.as_ref(), &e.path),
        Expr::Block(e) => match &e.label {
            Some(label) => from(label.name.span()),
            None => from(e.block.brace_token.span.open()),
        },
        Expr::Loop(e) => match &e.label {
            Some(label) => from(label.name.span()),
            None => from(e.loop_token.span),
        },
        other => from(other.span()),
    }
}

/// Where a macro call is.
pub(crate) fn mac(mac: &Macro) -> Range {
    path_start(None, &mac.path)..to(mac.delimiter.span().close())
}

/// Where a function begins: at its visibility, `default`, or its first keyword.
pub(crate) fn function_start(
    vis: Option<&Visibility>,
    first: Option<Span>,
    sig: &Signature,
) -> usize {
    let safety = match &sig.safety {
        syn::Safety::Safe(token) => Some(token.span()),
        syn::Safety::Unsafe(token) => Some(token.span),
        _ => None,
    };
    let vis = match vis {
        Some(Visibility::Public(token)) => Some(token.span),
        Some(Visibility::Restricted(vis)) => Some(vis.pub_token.span),
        _ => None,
    };
    let keywords = [
        vis,
        first,
        sig.constness.map(|token| token.span),
        sig.asyncness.map(|token| token.span),
        safety,
        sig.abi.as_ref().map(|abi| abi.extern_token.span),
        Some(sig.fn_token.span),
    ];
    let starts = keywords.into_iter().flatten().map(from);
    starts.min().unwrap_or(0)
}

fn path_start(qself: Option<&syn::QSelf>, path: &syn::Path) -> usize {
    if let Some(qself) = qself {
        return from(qself.lt_token.span);
    }
    match (&path.leading_colon, path.segments.first()) {
        (Some(colons), _) => from(colons.spans[0]),
        (None, Some(segment)) => from(segment.ident.span()),
        (None, None) => 0,
    }
}

/// The first byte of a token.
pub(crate) fn from(span: Span) -> usize {
    span.byte_range().start
}

/// The byte behind a token.
pub(crate) fn to(span: Span) -> usize {
    span.byte_range().end
}
