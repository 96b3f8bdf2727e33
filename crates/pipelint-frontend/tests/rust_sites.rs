//! Which calls of a Rust file are lowered, and where they are.

use std::path::Path;

use pipelint_frontend::rust::cfg::Cfg;
use pipelint_frontend::rust::{Index, SiteKind, lower_with_sites, parse};
use pipelint_source::FileId;

/// The texts of what was lowered of a kind, in the order of the file, each place once.
fn lowered(kind: SiteKind, text: &str) -> Vec<&str> {
    let cfg = Cfg::windows();
    let parsed = [parse(FileId(0), text, Path::new("pipes/src/lib.rs"))];
    let index = Index::new(&parsed, &cfg);
    let (_, sites) = lower_with_sites(&parsed[0], &index, &cfg);
    let mut spans: Vec<_> = sites
        .into_iter()
        .filter(|site| site.kind == kind)
        .map(|site| (site.span.start, site.span.end, site.span.range()))
        .collect();
    spans.sort_by_key(|(start, end, _)| (*start, *end));
    spans.dedup();
    spans.into_iter().map(|(.., range)| &text[range]).collect()
}

#[track_caller]
fn calls(text: &str, expected: &[&str]) {
    assert_eq!(lowered(SiteKind::Call, text), expected, "{text}");
}

#[test]
fn constants_and_statics_in_bodies() {
    calls(
        "fn f() { static A: T = T::new(|| g()); const B: u8 = h(); }",
        &["T::new(|| g())", "g()", "h()"],
    );
}

#[test]
fn what_cfg_removes_from_lists_is_not_there() {
    calls(
        "fn f() { a(#[cfg(unix)] b(), #[cfg(windows)] c()); [#[cfg(unix)] d(), e()]; }",
        &["a(#[cfg(unix)] b(), #[cfg(windows)] c())", "c()", "e()"],
    );
}

#[test]
fn messages_and_lengths() {
    calls("fn f() { debug_assert!(a, \"{}\", b()); }", &["b()"]);
    calls("fn f() { debug_assert_eq!(a, b, \"{}\", c()); }", &["c()"]);
    calls("fn f() { let a = vec![b(); c()]; }", &["b()", "c()"]);
}

#[test]
fn arguments_with_names_and_sigils() {
    calls(
        "fn f() { info!(target: \"a\", b = %c(), ?d, { e = f() }, \"{}\", g()?); }",
        &["c()", "f()", "g()"],
    );
    calls("fn f() { bail!(Kind: \"{}\", a()); }", &["a()"]);
    calls("fn f() { fields! { a: b(), c: { d() } } }", &["b()", "d()"]);
}

#[test]
fn arguments_that_are_statements_or_lists_in_braces() {
    calls("fn f() { m!(let a = b(); c(a)); }", &["b()", "c(a)"]);
    calls("fn f() { m! { a(), b() } }", &["a()", "b()"]);
    calls("m!(a(), b());", &["a()", "b()"]);
}

#[test]
fn matches_with_types_guards_and_messages() {
    calls(
        "fn f() { matches!(a::<B, C>(), Some(d) if e(d)); }",
        &["a::<B, C>()", "e(d)"],
    );
    calls(
        "fn f() { assert_matches!(a(), Some(_), \"{}\", b()); }",
        &["a()", "b()"],
    );
}

#[test]
fn tokens_that_are_not_run() {
    calls("fn f() { quote! { a(b()) }; }", &[]);
}

#[test]
fn ranges_reach_as_far_as_the_language_says() {
    calls("fn f() { a = b..(c()); }", &["c()"]);
    calls("fn f() { a += b..(c).d(); }", &["(c).d()"]);
    let closure = "fn f() { a(|x| (b(x))..(c(x))); }";
    calls(closure, &["a(|x| (b(x))..(c(x)))", "b(x)", "c(x)"]);
    let functions = lowered(SiteKind::Function, closure);
    assert_eq!(functions, [closure, "|x| (b(x))..(c(x))"]);
}

#[test]
fn closures_reach_as_far_as_the_language_says() {
    let text = "fn f() { a(move || _ = b()); c((|x: D| -> E { d(x) }) as F); }";
    calls(
        text,
        &[
            "a(move || _ = b())",
            "b()",
            "c((|x: D| -> E { d(x) }) as F)",
            "d(x)",
        ],
    );
    let functions = lowered(SiteKind::Function, text);
    assert_eq!(functions[1..], ["move || _ = b()", "|x: D| -> E { d(x) }"]);
}

#[test]
fn values_of_break() {
    calls("fn f() { loop { break (a(), b()); } }", &["a()", "b()"]);
    calls("fn f() { loop { break (a()) != 0; } }", &["a()"]);
    calls("fn f() { 'l: loop { break 'l (a(), 1); } }", &["a()"]);
}

#[test]
fn a_macro_in_braces_ends_a_statement() {
    calls(
        "fn f() { pin! { let a = b(); } (&mut a).c(); }",
        &["b()", "(&mut a).c()"],
    );
}

#[test]
fn a_method_of_that_name_with_arguments_is_no_question() {
    calls(
        "fn f() { if vm.is_none(a()) {} vm.is_some(b()); }",
        &["vm.is_none(a())", "a()", "vm.is_some(b())", "b()"],
    );
}

#[test]
fn syntax_that_the_grammar_does_not_know() {
    for text in [
        "const impl<T: [const] A> B<T> { fn f() { a(); } }",
        "impl const A for B { fn f() { a(); } }",
        "fn f() { let B { #[cfg(unix)] c, d } = e; a(); }",
        "fn f() { super let b = a(); }",
        "fn f() { let b = |B { #[cfg(unix)] c, d }| -> E { a() }; }",
        "macro m($b:expr) { $b } fn f() { a(); }",
        "fn f() { let b = #[inline] |c: C| a(); }",
        "trait B = C + D; fn f() { a(); }",
    ] {
        calls(text, &["a()"]);
    }
    assert_eq!(
        lowered(SiteKind::Macro, "fn f() { assert(str![\"a\"]); }"),
        ["str![\"a\"]"]
    );
}

#[test]
fn arguments_of_own_macros_keep_their_places() {
    calls(
        "macro_rules! m { ($($t:tt)*) => { n!($($t)*) } }
         macro_rules! n { ($e:expr, $($t:tt)*) => { k(); if $e { $($t)* } } }
         fn f() { m!(a.b(), c(d());); }",
        &["a.b()", "c(d())", "d()"],
    );
    // `cfg` in an expansion is written with blanks.
    calls(
        "macro_rules! m { ($($t:tt)*) => { $($t)* } }
         m! { #[cfg(unix)] fn f() { a() } #[cfg(windows)] fn g() { b() } }",
        &["b()"],
    );
}
