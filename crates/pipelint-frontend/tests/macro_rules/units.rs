//! A fragment is one unit where it is written; its text keeps its place.

use crate::support::{becomes, expansion, fails};

#[test]
fn an_expression_beside_an_operator_is_in_parentheses() {
    let body = "{ ($a:expr, $b:expr) => { f($a, $b); let x = $a * $b; -$a; $b.g(); ($a)?; $a } }";
    becomes(
        body,
        "1 + 2, p.q",
        "f(1 + 2, p.q); let x__m1 = (1 + 2) * p.q; -(1 + 2); p.q.g(); (1 + 2)?; 1 + 2",
    );
    becomes(
        body,
        "if a { 1 } else { 2 } + 3, { 4 }",
        "f(if a { 1 } else { 2 } + 3, { 4 });
         let x__m1 = (if a { 1 } else { 2 } + 3) * ({ 4 });
         -(if a { 1 } else { 2 } + 3);
         ({ 4 }).g();
         (if a { 1 } else { 2 } + 3)?;
         (if a { 1 } else { 2 } + 3)",
    );
}

#[test]
fn a_struct_literal_before_a_block_is_in_parentheses() {
    let body =
        "{ ($a:expr => $b:block) => { if $a == $a $b; match $a { _ => 1 }; for x in $a {} } }";
    becomes(
        body,
        "S { a: 1 } => {}",
        "if (S { a: 1 }) == (S { a: 1 }) {}; match (S { a: 1 }) { _ => 1 }; for x__m1 in (S { a: 1 }) {}",
    );
}

#[test]
fn expressions_that_meet_in_a_repetition_are_kept_apart() {
    becomes(
        "{ ($($a:expr),*) => { 0 $(+ $a)* } }",
        "1 | 2, 3",
        "0 + (1 | 2) + 3",
    );
    becomes(
        "{ ($($a:expr),*) => { $($a)&&* } }",
        "1 | 2, 3",
        "(1 | 2) && 3",
    );
    becomes(
        "{ ($($a:expr),*) => { [$($a),*] } }",
        "1 | 2, 3",
        "[1 | 2, 3]",
    );
    becomes(
        "{ ($($a:expr),*) => { [$($a),*].len() } }",
        "1 | 2",
        "[1 | 2].len()",
    );
    becomes(
        "{ ($($a:expr),*) => { f($($a,)*) } }",
        "1 | 2, |x| x",
        "f(1 | 2, |x| x,)",
    );
}

#[test]
fn a_type_before_a_path_separator_is_in_angles() {
    let body = "{ ($t:ty) => { $t::new(); Vec::<$t>::new() } }";
    becomes(body, "A::B", "A::B::new(); Vec::<A::B>::new()");
    becomes(body, "Vec<u8>", "<Vec<u8>>::new(); Vec::<Vec<u8>>::new()");
    becomes(body, "[u8]", "<[u8]>::new(); Vec::<[u8]>::new()");
}

#[test]
fn arguments_keep_their_place_and_their_text() {
    let args = "handle /* the pipe */ . get ( ) ,  a\n+ b";
    let found =
        expansion("{ ($a:expr, $b:expr) => { close($a) * $b } }", args).expect("it matches");
    assert_eq!(
        found.text,
        "close(handle /* the pipe */ . get ( )) * (a\n+ b)"
    );
    let copied: Vec<_> = found
        .pieces
        .iter()
        .filter_map(|piece| Some((piece.from?, piece.len)))
        .collect();
    assert_eq!(copied, [(0, 31), (35, 5)]);
}

#[test]
fn a_doc_comment_that_is_passed_on_is_an_attribute() {
    let body = "{ ($($t:tt)*) => { $($t)* } }";
    becomes(body, "/// a\nfn f() {}", "#[doc = \"\"] fn f() {}");
    let found = expansion(
        "{ ($i:item) => { $i } }",
        "/// a\nfn f() {\n// b\n/// c\nlet x = 1;\n}",
    )
    .expect("an item");
    assert!(
        found.text.contains("/// c\nlet x = 1;\n}"),
        "{}",
        found.text
    );
}

#[test]
fn metavariables_repeat_as_in_the_pattern() {
    fails(
        "{ ($($a:ident),*; $($b:ident),*) => { $($a $b)* } }",
        "a, b; c",
    );
    becomes(
        "{ ($($a:ident),*; $($b:ident),*) => { $($a $b)* } }",
        "a, b; c, d",
        "a c b d",
    );
    becomes(
        "{ ($n:ident; $($b:ident),*) => { $($n $b)* } }",
        "a; c, d",
        "a c a d",
    );
    fails("{ ($($a:ident),*) => { $a } }", "a, b");
    becomes(
        "{ ($($a:ident: $($b:ident)*),*) => { $($($a $b)*)* } }",
        "a: b c, d: e",
        "a b a c d e",
    );
    becomes("{ ($($a:ident)?) => { $(f($a))? } }", "", "");
    fails("{ ($a:ident) => { $(f)* } }", "a");
}

#[test]
fn bounds_behind_a_reference_are_in_parentheses() {
    let body = "{ ($t:ty) => { type A = $t; type B = &'static $t; } }";
    becomes(
        body,
        "dyn A + Send",
        "type A = dyn A + Send; type B = &'static (dyn A + Send);",
    );
    becomes(
        body,
        "Box<dyn A + Send>",
        "type A = Box<dyn A + Send>; type B = &'static Box<dyn A + Send>;",
    );
}
