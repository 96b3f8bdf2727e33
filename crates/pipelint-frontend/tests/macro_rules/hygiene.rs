//! Locals of the macro are not those of the call.

use pipelint_frontend::rust::macro_rules::MacroRules;

use crate::support::becomes;

#[test]
fn every_construct_that_binds() {
    becomes(
        "{ ($e:expr) => {{
            let a = $e;
            let (b, mut c): (u8, u8) = f(a);
            if let Some(d) = g(c) { h(d) }
            while let Ok(ref i) = j() { k(i) }
            for (l, _) in m { n(l) }
            match o { P(q) | R::S { t: q } if q > 1 => q, u => u }
            v(|w, &x: &u8| w + x);
            let Some(y) = z else { return };
            y
        }} }",
        "a + b",
        "{
            let a__m1 = a + b;
            let (b__m1, mut c__m1): (u8, u8) = f(a__m1);
            if let Some(d__m1) = g(c__m1) { h(d__m1) }
            while let Ok(ref i__m1) = j() { k(i__m1) }
            for (l__m1, _) in m { n(l__m1) }
            match o { P(q__m1) | R::S { t: q__m1 } if q__m1 > 1 => q__m1, u__m1 => u__m1 }
            v(|w__m1, &x__m1: &u8| w__m1 + x__m1);
            let Some(y__m1) = z else { return };
            y__m1
        }",
    );
}

#[test]
fn what_is_not_a_use_of_the_local_keeps_its_name() {
    becomes(
        "{ () => {
            let len = len(x);
            self.len = S { len: len };
            a::len(len.len(), len!());
            let x = len;
        } }",
        "",
        "
            let len__m1 = len(x);
            self.len = S { len: len__m1 };
            a::len(len__m1.len(), len!());
            let x__m1 = len__m1;
        ",
    );
}

#[test]
fn names_that_renaming_would_break_are_left() {
    for text in [
        "let S { ref a, .. } = b; f(a);",
        "let a = 1; println!(\"{a}\");",
        "let a = 1; fn f(a: u8) -> u8 { a }",
    ] {
        becomes(&format!("{{ () => {{ {text} }} }}"), "", text);
    }
}

#[test]
fn a_field_named_by_shorthand_keeps_its_name() {
    becomes(
        "{ () => { let S { a, .. } = b; f(a); S { a, b: a, } } }",
        "",
        "let S { a: a__m1, .. } = b; f(a__m1); S { a: a__m1, b: a__m1, }",
    );
    becomes(
        "{ ($e:expr) => { if $e { let a = 1; f(a) } if x == MAX { a } else { S { a } } } }",
        "c",
        "if c { let a__m1 = 1; f(a__m1) } if x == MAX { a__m1 } else { S { a: a__m1 } }",
    );
}

#[test]
fn names_from_the_call_are_the_calls() {
    becomes(
        "{ ($x:ident, $f:expr) => { let $x = 1; let y = $f; y } }",
        "x, y + x",
        "let x = 1; let y__m1 = y + x; y__m1",
    );
}

#[test]
fn labels() {
    becomes(
        "{ ($b:block) => { 'outer: loop { $b break 'outer; } } }",
        "{ break 'outer }",
        "'outer__m1: loop { { break 'outer } break 'outer__m1; }",
    );
    becomes(
        "{ () => { fn f<'a: 'b>(x: &'a u8) {} } }",
        "",
        "fn f<'a: 'b>(x: &'a u8) {}",
    );
}

#[test]
fn nested_expansions_have_their_own_locals() {
    let body = "{ ($e:expr) => { let a = $e; a } }";
    becomes(
        body,
        "a__m1 + b__m41",
        "let a__m42 = a__m1 + b__m41; a__m42",
    );
    let rules = MacroRules::parse(body).expect("it is understood");
    let found = rules.expand_numbered("a", 7).expect("it matches");
    assert_eq!(found.text, "let a__m7 = a; a__m7");
}

#[test]
fn constants_and_constructors_are_not_bound() {
    becomes(
        "{ ($e:expr) => { match $e { None => 0, MAX => 1, a::b => 2, f!() => 3, 0 => b } } }",
        "x",
        "match x { None => 0, MAX => 1, a::b => 2, f!() => 3, 0 => b }",
    );
}
