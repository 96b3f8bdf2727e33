//! Expansion of `macro_rules!` definitions of the shapes that code has.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use pipelint_frontend::rust::macro_rules::{Expansion, MacroRules};

#[track_caller]
fn expand(definition: &str, args: &str) -> Expansion {
    let rules = MacroRules::parse(definition).expect("the definition is understood");
    let expansion = rules.expand(args).expect("a rule matches");
    if !args.contains("///") {
        check_map(&expansion, args);
    }
    expansion
}

/// The pieces cover the text, and those of the caller are the caller's text.
#[track_caller]
fn check_map(expansion: &Expansion, args: &str) {
    let mut at = 0;
    for piece in &expansion.pieces {
        assert_eq!(piece.start as usize, at);
        let len = piece.len as usize;
        assert!(len > 0);
        if let Some(from) = piece.from {
            let from = from as usize;
            assert_eq!(&expansion.text[at..at + len], &args[from..from + len]);
        }
        at += len;
    }
    assert_eq!(at, expansion.text.len());
}

/// Compares as token lists: spaces are of no account.
#[track_caller]
fn check(definition: &str, args: &str, expected: &str) {
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let found = expand(definition, args).text;
    assert_eq!(squeeze(&found), squeeze(expected), "{found}");
}

/// As [`check`], and the expansion is a list of statements.
#[track_caller]
fn check_statements(definition: &str, args: &str, expected: &str) {
    check(definition, args, expected);
    let block = format!("{{ {} }}", expand(definition, args).text);
    syn::parse_str::<syn::Block>(&block).unwrap_or_else(|error| panic!("{error}: {block}"));
}

/// As [`check`], and the expansion is a file's items.
#[track_caller]
fn check_items(definition: &str, args: &str, expected: &str) {
    check(definition, args, expected);
    let text = expand(definition, args).text;
    syn::parse_str::<syn::File>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
}

#[track_caller]
fn refuses(definition: &str, args: &str) {
    let rules = MacroRules::parse(definition).expect("the definition is understood");
    assert_eq!(rules.expand(args), None);
}

#[test]
fn a_call_whose_result_is_tested() {
    check_statements(
        "{ ($fn:ident ( $($arg:expr),* $(,)? )) => {{
            let result = unsafe { libc::$fn($($arg),*) };
            if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
        }}; }",
        "write(fd, buf.as_ptr() as *const c_void, len + 1,)",
        "{ let result__m1 = unsafe { libc::write(fd, buf.as_ptr() as *const c_void, len + 1) };
           if result__m1 == -1 { Err(std::io::Error::last_os_error()) } else { Ok(result__m1) } }",
    );
}

#[test]
fn a_handle_or_an_early_return() {
    let definition = "{
        ($call:expr) => { try_or!($call, return Err(last_error())) };
        ($call:expr, $($otherwise:tt)+) => {
            match $call { Ok(value) => value, Err(error) => { log(&error); $($otherwise)+ } }
        };
    }";
    check(
        definition,
        "open(p)",
        "try_or!(open(p), return Err(last_error()))",
    );
    check_statements(
        definition,
        "open(p), return None",
        "match open(p) { Ok(value__m1) => value__m1,
           Err(error__m1) => { log(&error__m1); return None } }",
    );
}

#[test]
fn flags_with_attributes_and_visibility() {
    check_items(
        "{ ($(#[$outer:meta])* $vis:vis struct $name:ident : $repr:ty {
            $( $(#[$inner:meta])* const $flag:ident = $value:expr; )*
        }) => {
            $(#[$outer])* $vis struct $name($repr);
            impl $name { $( $(#[$inner])* pub const $flag: $name = $name($value); )* }
        }; }",
        "/// Modes.
         #[derive(Clone, Copy)] pub(crate) struct Mode: u32 {
            /// Reads.
            #[doc(hidden)] const READ = 1;
            const WRITE = 1 << 1;
         }",
        "#[doc=\"\"] #[derive(Clone, Copy)] pub(crate) struct Mode(u32);
         impl Mode { #[doc=\"\"] #[doc(hidden)] pub const READ: Mode = Mode(1);
            pub const WRITE: Mode = Mode(1 << 1); }",
    );
}

#[test]
fn doc_comments_are_attributes() {
    let rules = MacroRules::parse("{ ($(#[$m:meta] $x:ident;)*) => { $($x)* }; (x) => { none }; }")
        .unwrap();
    for args in [
        "/// Says.\n a; /** é\n */ b;",
        "///\na; //// no\n /// c\nb; /* */ /**/",
    ] {
        assert_eq!(rules.expand(args).unwrap().text.trim(), "a b");
    }
    assert_eq!(rules.expand("/// Says.\n x"), None);
    assert!(rules.expand("// Says.\n x").is_some());
}

#[test]
fn counting_and_nested_repetitions() {
    check(
        "{ (@one $t:tt) => { () }; ($($t:tt)*) => { <[()]>::len(&[$(count!(@one $t)),*]) }; }",
        "a (b c) ::",
        "<[()]>::len(&[count!(@one a), count!(@one (b c)), count!(@one ::)])",
    );
    check_statements(
        "{ ($($map:ident : { $($k:expr => $v:expr),* $(,)? });+) => {
            $( let mut $map = HashMap::new(); $( $map.insert($k, $v); )* )+
        }; }",
        "a: { 1 => x, 2 => f(y, z), }; b: {}",
        "let mut a = HashMap::new(); a.insert(1, x); a.insert(2, f(y, z));
         let mut b = HashMap::new();",
    );
}

#[test]
fn rules_are_tried_in_order() {
    let definition = "{
        () => { none() };
        (@ $x:ident) => { at($x) };
        (-> $t:ty) => { result::<$t>() };
        ($x:literal) => { number($x) };
        ($x:ident = $e:expr) => { set($x, $e) };
        ($($rest:tt)*) => { other!($($rest)*) };
    }";
    check(definition, "", "none()");
    check(definition, "@ a", "at(a)");
    check(definition, "-> Vec<Vec<u8>>", "result::<Vec<Vec<u8>>>()");
    check(definition, "-5i32", "number(-5i32)");
    check(definition, "a = b == c", "set(a, b == c)");
    check(definition, "a == c", "other!(a == c)");
}

#[test]
fn the_first_step_of_a_recursive_choice() {
    check(
        "{
            ($(if #[cfg($m:meta)] { $($then:tt)* }) else * else { $($last:tt)* }) => {
                choose! { @go () ; $( ( ($m) ($($then)*) ), )* ( () ($($last)*) ), }
            };
        }",
        "if #[cfg(windows)] { a(); } else if #[cfg(all(unix, test))] { b(); } else { c(); }",
        "choose! { @go () ; ((windows) (a();)), ((all(unix, test)) (b();)), (() (c();)), }",
    );
}

#[test]
fn fragments_end_where_they_should() {
    let two = "{ ($a:expr, $b:expr) => { f($a; $b) }; }";
    for (args, expected) in [
        ("|x, y| x + y, 2", "f(|x, y| x + y; 2)"),
        ("HashMap::<K, V>::new(), 2", "f(HashMap::<K, V>::new(); 2)"),
        ("<A as B<C, D>>::e(), 2", "f(<A as B<C, D>>::e(); 2)"),
        ("x as Foo<A, B>, 2", "f(x as Foo<A, B>; 2)"),
        ("a < b, c > d", "f(a < b; c > d)"),
        (
            "match x { A => 1, B => 2 }, 'c'",
            "f(match x { A => 1, B => 2 }; 'c')",
        ),
        (
            "a | b, move |x: Vec<(u8, u8)>| x",
            "f(a | b; move |x: Vec<(u8, u8)>| x)",
        ),
    ] {
        check(two, args, expected);
    }
    check(
        "{ ($($p:pat => $e:expr),+) => { m($($p ; $e),+) }; }",
        "Some(1 | 2) | None => 3, 1..=5 => 4",
        "m(Some(1 | 2) | None ; 3, 1..=5 ; 4)",
    );
    check(
        "{ ($($p:pat_param)|+) => { m($($p),+) }; }",
        "A | B(_) | C",
        "m(A, B(_), C)",
    );
    check(
        "{ (Vec<$t:ty>, $u:ty, $p:path) => { [$t; $u; $p] }; }",
        "Vec<Option<u8>>, &'a mut dyn Fn(u8) -> Vec<u8>, std::io::Error",
        "[Option<u8>; &'a mut dyn Fn(u8) -> Vec<u8>; std::io::Error]",
    );
    check_items(
        "{ ($($i:item)*) => { $( #[cfg(windows)] $i )* }; }",
        "use a::{b, c}; pub const fn f() -> u8 { 1 } const X: S = S { a: 1 }; struct T(u8);",
        "#[cfg(windows)] use a::{b, c}; #[cfg(windows)] pub const fn f() -> u8 { 1 }
         #[cfg(windows)] const X: S = S { a: 1 }; #[cfg(windows)] struct T(u8);",
    );
    check(
        "{ ($l:lifetime $b:block $s:stmt; $v:vis $i:ident) => { $l: $b $s; $v $i }; }",
        "'a { x } let y: M<A, B> = z; r#fn",
        "'a: { x } let y: M<A, B> = z; r#fn",
    );
}

#[test]
fn tokens_are_those_of_rust() {
    let definition = "{ ($($t:tt),*) => { [$($t);*] }; }";
    for tokens in [
        "\"a,\\\"b\"",
        "r#\"a\", \"b\"#",
        "b'\\''",
        "c\"x,\"",
        "br##\"\"#,\"##",
        "','",
        "'\\u{2C}'",
        "1.5e-3f64",
        "0x_ffu8",
        "..=",
        ">>=",
        "'a",
        "{ , }",
    ] {
        check(
            definition,
            &format!("{tokens}, z"),
            &format!("[{tokens}; z]"),
        );
    }
    check("{ ($a:literal .. $b:tt) => { $a $b }; }", "1..2", "1 2");
    check(definition, "a /* , /* , */ */, b // ,\n", "[a; b]");
    refuses("{ (=>) => { 1 }; }", "= >");
    refuses("{ ($x:ident) => { 1 }; }", "_");
    refuses("{ ($($x:ident),+) => { 1 }; }", "");
}

#[test]
fn an_expression_stays_a_unit() {
    let twice = "{ ($e:expr) => { $e * 2 }; }";
    check(twice, "a + b", "(a + b) * 2");
    check(twice, "a", "a * 2");
    check(twice, "a.b(c)?[1]", "a.b(c)?[1] * 2");
    check(twice, "-1", "(-1) * 2");
    check(
        "{ ($e:expr) => { if $e {} }; }",
        "S { a: 1 }",
        "if (S { a: 1 }) {}",
    );
    check(
        "{ ($e:expr) => { a == $e; b = $e; f($e) }; }",
        "x == y",
        "a == (x == y); b = x == y; f(x == y)",
    );
    check("{ ($t:ty) => { &$t }; }", "dyn A + Send", "&(dyn A + Send)");
    check(
        "{ ($t:ty) => { $t::new() }; }",
        "Vec<u8>",
        "<Vec<u8>>::new()",
    );
    check(
        "{ ($t:ty) => { $crate::a::<$t>() }; }",
        "u8",
        "crate::a::<u8>()",
    );
}

#[test]
fn locals_of_the_definition_are_its_own() {
    check_statements(
        "{ ($e:expr) => {
            let (n, S { len, at: place }) = get();
            for item in n { item.n(len); }
            let call = |a: u8, b: u8| a + b;
            call(place); n(S { len, n: n }); $e
        }; }",
        "n + len__m4",
        "let (n__m5, S { len: len__m5, at: place__m5 }) = get();
         for item__m5 in n__m5 { item__m5.n(len__m5); }
         let call__m5 = |a__m5: u8, b__m5: u8| a__m5 + b__m5;
         call__m5(place__m5); n__m5(S { len: len__m5, n: n__m5 }); n + len__m4",
    );
    check("{ ($x:ident) => { let $x = x; }; }", "x", "let x = x;");
    check_statements(
        "{ ($e:expr) => { let n = $e; if n == MAX { n } else { f(&n, ..n) } }; }",
        "n",
        "let n__m1 = n; if n__m1 == MAX { n__m1 } else { f(&n__m1, ..n__m1) }",
    );
    check_statements(
        "{ ($e:expr) => { match $e { A { a, .. } if ok => a, Some(b) => { b } c => c + MAX } }; }",
        "a + c",
        "match (a + c) { A { a: a__m1, .. } if ok => a__m1, Some(b__m1) => { b__m1 }
           c__m1 => c__m1 + MAX }",
    );
}

#[test]
fn broken_text_is_refused() {
    for definition in [
        "",
        "{",
        "()",
        "{ (a) }",
        "{ (a) => }",
        "{ ($x:foo) => {} }",
        "{ ($(a)) => {} }",
    ] {
        let parsed = MacroRules::parse(definition);
        assert!(definition == "()" || parsed.is_none(), "{definition}");
    }
    let definition = "{ ($(#[$m:meta])* $a:expr, $t:ty; $($p:pat => $i:item)|*) => {
        let x = |a: $t| a; $($i match $a { $p => x('\\'', \"é\", 1.0) })* }; }";
    let args = "#[a = b\"c\"] |é: Vec<u8>| x as A<B>, &'a fn(u8) -> u8; Some('é') => fn a() {} | _ => r#\"b\"#";
    let whole = MacroRules::parse(definition).unwrap();
    for (end, _) in args.char_indices() {
        for (start, _) in args[..end].char_indices() {
            let _ = whole.expand(&args[start..end]);
        }
    }
    for (end, _) in definition.char_indices() {
        if let Some(rules) = MacroRules::parse(&format!("{{ {} }}", &definition[..end])) {
            let _ = rules.expand(args);
        }
    }
}

#[test]
fn long_lists_take_linear_time_and_output_is_bounded() {
    let rules =
        MacroRules::parse("{ ($($k:expr => $v:ty),* $(,)?) => { [$(f::<$v>($k)),*] }; }").unwrap();
    let args = "a.b(c) + 1 => Vec<u8>, ".repeat(6_000);
    let before = Instant::now();
    assert!(rules.expand(&args).is_some());
    assert!(before.elapsed() < Duration::from_secs(3));

    let rules = MacroRules::parse("{ ($($x:tt)*) => { $($x $x $x $x)* }; }").unwrap();
    assert!(rules.expand(&"a ".repeat(20_000)).is_some());
    assert!(rules.expand(&"a ".repeat(200_000)).is_none());
    for sign in ["- < ", "a::<", "|a, ", "x as &", "<", "$ ", "let x: <"] {
        let one = MacroRules::parse(
            "{ ($($x:expr),*) => {}; ($($x:ty),*) => {}; ($($x:stmt);*) => {}; }",
        )
        .unwrap();
        let _ = one.expand(&sign.repeat(20_000));
    }
    assert!(before.elapsed() < Duration::from_secs(9));
    let deep = format!("{}{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(rules.expand(&deep).is_none() || deep.len() * 4 < 256 * 1024);
    assert!(MacroRules::parse(&format!("{{ {deep} => {{}} }}")).is_none());
}
