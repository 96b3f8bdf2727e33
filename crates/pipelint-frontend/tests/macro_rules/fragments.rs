//! What each fragment specifier takes.

use crate::support::{becomes, fails};

/// Demands that a fragment takes all of each text when something that may follow comes.
#[track_caller]
fn takes(specifier: &str, follow: &str, texts: &[&str]) {
    let open = "{ ($x:";
    let body = format!(
        "{open}{specifier}) => {{ alone }}; ($x:{specifier} {follow} $($r:tt)*) => {{ ($x) }} }}"
    );
    for text in texts {
        becomes(&body, text, "alone");
        becomes(&body, &format!("{text} {follow} z z"), &format!("({text})"));
    }
}

/// Demands that a fragment does not take all of each text.
#[track_caller]
fn refuses(specifier: &str, texts: &[&str]) {
    for text in texts {
        fails(&format!("{{ ($x:{specifier}) => {{}} }}"), text);
    }
}

#[test]
fn expressions() {
    let texts = [
        "1",
        "-1.5e-3",
        "a + b * c",
        "a = b",
        "f::<A, B>(x, y)",
        "Vec::<Vec<u8>>::new()",
        "<T as Trait<A, B>>::f(x)",
        "x as HashMap<A, B>",
        "x as fn(A, B) -> C",
        "|a, b| a + b",
        "|| a | b",
        "move |a: HashMap<A, B>, _| -> Result<A, B> { a }",
        "a | b || c",
        "S { a: 1, ..b }",
        "if a { b } else if let Some(A { c, .. }) = d { e } else { f }",
        "match a { b | c => d, _ => e }",
        "match a { _ => 1 } + 2",
        "'outer: loop { break 'outer 1 }",
        "for (i, x) in a.iter().enumerate() { f(x) }",
        "unsafe { f() }.unwrap()",
        "async move { f().await? }",
        "return",
        "return Ok(a)",
        "a.0.1.b()",
        "a[1..]",
        "0..10",
        "..",
        "a..",
        "!a",
        "&mut *a",
        "&raw mut a",
        "m!(a, b)",
        "a < b",
        "a << 1 >> 2",
        "a >= b",
        "b'a' as char",
        "r#\"a \"quoted\" b\"#",
        "c\"a\"",
        "#[allow(x)] { a }",
        "r#match.r#in",
        "while let Some(x) = y.pop() { z(x) }",
        "break",
        "true && !false",
        "crate::f(self.a)",
    ];
    for follow in [",", ";", "=>"] {
        takes("expr", follow, &texts);
    }
    refuses(
        "expr",
        &[
            "",
            ",",
            "struct A;",
            "fn f() {}",
            "a b",
            "a, b",
            "=> a",
            "1 2",
            "a: b",
            "_",
            "=",
            "in a",
            "as u8",
            "a 'b",
            "'a",
        ],
    );
}

#[test]
fn types() {
    let texts = [
        "u8",
        "Vec<Vec<u8>>",
        "&'a mut [T; 3]",
        "&&T",
        "*const *mut c_void",
        "dyn Fn(A, B) -> C + Send + 'static",
        "Box<dyn for<'a> Fn(&'a A) -> Option<&'a B> + 'static>",
        "impl Iterator<Item = (A, B)> + ?Sized",
        "unsafe extern \"system\" fn(A, B) -> BOOL",
        "for<'a> fn(&'a A)",
        "<T as Trait<A>>::Item<B>",
        "::std::vec::Vec::<A>",
        "(A, B)",
        "()",
        "!",
        "_",
        "Self::Item",
        "m![A]",
        "fn()",
        "A<{ N + 1 }, -1>",
    ];
    for follow in [
        "=>", ",", "=", ":", ";", "{ a }", "[ a ]", "as", "where", "|",
    ] {
        takes("ty", follow, &texts);
    }
    refuses("ty", &["", "1", "A B", "fn", "struct", "'a", "A<B", "A,"]);
}

#[test]
fn a_type_that_ends_inside_a_joined_sign() {
    let body = "{ (Vec<$t:ty>) => { [$t] }; ($a:ident: $t:ty=$e:expr) => { let $a: $t = $e; } }";
    becomes(body, "Vec<Vec<u8>>", "[Vec<u8>]");
    becomes(body, "Vec<Vec<Vec<u8>>>", "[Vec<Vec<u8>>]");
    becomes(body, "a: Vec<u8>=b", "let a: Vec<u8> = b;");
}

#[test]
fn paths() {
    takes(
        "path",
        ",",
        &[
            "a",
            "a::b",
            "::a::B<C, D>",
            "A::<B>::c",
            "<A as B>::C",
            "Fn(A) -> B",
            "crate::a",
            "Self",
        ],
    );
    refuses("path", &["", "1", "a b", "a::", "&a"]);
}

#[test]
fn patterns() {
    let texts = [
        "_",
        "a",
        "ref mut a",
        "mut a",
        "Some(x)",
        "A::B { c, d: e, .. }",
        "(a, b, ..)",
        "[a, .., b]",
        "&a",
        "1",
        "-1",
        "1..=2",
        "1..",
        "..=9",
        "'a'..='z'",
        "x @ 1..=2",
        "A::<B, C>::D",
        "<A as B>::C",
        "true",
        "m!(a)",
    ];
    for follow in ["=>", ",", "=", "if", "in"] {
        takes("pat", follow, &texts);
        takes("pat", follow, &["A | B", "| A(x) | B(x)"]);
        takes("pat_param", follow, &texts);
    }
    refuses("pat", &["", "=>", "a b", "if a", "a if b", "a |", "struct"]);
    refuses("pat_param", &["a | b"]);
    becomes("{ ($a:pat | $b:pat) => { ($b) ($a) } }", "1 | 2", "(2) (1)");
    becomes(
        "{ ($($a:pat)|+ => $e:expr) => { [$($a),+] } }",
        "1 | 2 => 3",
        "[1, 2]",
    );
}

#[test]
fn statements() {
    takes(
        "stmt",
        ";",
        &[
            "let a: HashMap<A, B> = f::<C, D>()",
            "let (a, b)",
            "let Some(a) = b else { return }",
            "a.b()",
            "a = 1",
            "m!(a, b)",
        ],
    );
    becomes(
        "{ ($($s:stmt;)*) => { $($s;)* } }",
        "let a = 1; f(a);",
        "let a = 1; f(a);",
    );
    becomes(
        "{ ($s:stmt $t:stmt) => { $t $s } }",
        "use a::{b}; fn f() {}",
        "fn f() {} use a::{b};",
    );
    refuses("stmt", &["", "let", ";"]);
}

#[test]
fn items() {
    let body = "{ ($($i:item)*) => { $([$i])* } }";
    let items = [
        "fn f<T>(a: T) -> [T; 2] where T: A<B = C>, { a }",
        "pub(crate) const unsafe extern \"C\" fn g();",
        "struct A<const N: usize = { 1 }> { a: u8 }",
        "struct B(pub u8);",
        "pub struct C;",
        "enum D { E { a: u8 }, F }",
        "union G { a: u8 }",
        "const H: [S; 1] = [S { a: 1 }];",
        "const fn i() {}",
        "static mut J: S = S { a: { 1 } };",
        "type K = [u8; { 1 }];",
        "use a::{b, c::{d}};",
        "extern crate l;",
        "extern \"C\" { fn m(); }",
        "extern { fn m(); }",
        "unsafe impl<T> Send for N<T> {}",
        "impl !Send for N {}",
        "pub trait O: P { fn q(&self); }",
        "mod r { fn s() {} }",
        "pub mod t;",
        "m! { a }",
        "m!(a);",
        "a::m![a];",
        "macro_rules! u { () => {} }",
        "#[derive(Clone)] #[repr(C)] struct V { a: u8 }",
    ];
    for item in items {
        becomes(body, item, &format!("[{item}]"));
    }
    let all: String = items.concat();
    let each: String = items.iter().map(|item| format!("[{item}]")).collect();
    becomes(body, &all, &each);
    refuses(
        "item",
        &["", "let a = 1;", "a", "fn f()", "struct A", "1", "pub"],
    );
}

#[test]
fn small_fragments() {
    takes("ident", ",", &["a", "r#fn", "self", "struct"]);
    refuses("ident", &["", "_", "1", "'a", "a.b"]);
    takes("lifetime", ",", &["'a", "'static", "'_"]);
    refuses("lifetime", &["", "'a'", "a"]);
    takes(
        "literal",
        ",",
        &[
            "1",
            "-1",
            "-true",
            "'a'",
            "b\"\\\"\"",
            "true",
            "1.0f32",
            "0xFFu8",
        ],
    );
    refuses("literal", &["", "a", "-a", "--1"]);
    takes("block", ",", &["{}", "{ let a = 1; a }"]);
    refuses("block", &["", "()", "a", "{} {}"]);
    takes(
        "meta",
        ",",
        &[
            "a",
            "a::b",
            "a(b, c)",
            "a = \"b\"",
            "unsafe(no_mangle)",
            "cfg(all(a, b))",
        ],
    );
    refuses("meta", &["", "1", "a b", "a ="]);
    takes(
        "tt",
        ",",
        &["a", "(a b)", "[]", "{}", ">>=", "&&", "'a", "'a'", "..="],
    );
    refuses("tt", &["", "a b"]);
}

#[test]
fn a_visibility_may_be_nothing() {
    let body =
        "{ ($v:vis $n:ident) => { $v fn $n() {} }; ($v:vis ($t:ty)) => { struct S($v $t); } }";
    becomes(body, "a", "fn a() {}");
    becomes(body, "pub a", "pub fn a() {}");
    becomes(body, "pub(crate) a", "pub(crate) fn a() {}");
    becomes(body, "pub(in crate::b) a", "pub(in crate::b) fn a() {}");
    becomes(body, "(u8)", "struct S(u8);");
    becomes(body, "pub (u8)", "struct S(pub u8);");
}

#[test]
fn tokens_compare_as_the_lexer_splits_them() {
    let body = "{ (a => $e:expr) => { arrow }; ('a') => { char }; ('a) => { lifetime }; (1..2) => { range }; (1.) => { float } }";
    becomes(body, "a => 1", "arrow");
    fails(body, "a = > 1");
    becomes(body, "'a'", "char");
    becomes(body, "'a", "lifetime");
    becomes(body, "1 .. 2", "range");
    becomes(body, "1.", "float");
    fails(body, "\"a\" => 1");
}

#[test]
fn comments_are_no_tokens() {
    let body = "{ ($a:ident /* b */ , // c\n $b:ident) => { $b /* ) */ $a } }";
    becomes(body, "x /* y /* z */ */, // w\n v", "v x");
    fails(body, "x /* y /* z */, v");
    becomes(
        "{ ($(#[$m:meta])* $n:ident) => { $n } }",
        "//// a\n /**/ /*** b */ c",
        "c",
    );
    becomes("{ (#![$m:meta] $n:ident) => { $n } }", "//! a\n c", "c");
}

#[test]
fn text_that_no_lexer_splits_has_no_expansion() {
    let body = "{ ($($t:tt)*) => { $($t)* } }";
    for args in ["(", ")", "(]", "\"a", "r#\"a\"", "/*", "'", "'ab'", "\u{1}"] {
        fails(body, args);
    }
}
