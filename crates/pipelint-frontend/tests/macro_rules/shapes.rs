//! Macros of the kinds that programs have.

use pipelint_frontend::rust::macro_rules::MacroRules;

use crate::support::{becomes, fails, rules};

#[test]
fn a_call_whose_result_is_tested() {
    let body = r#"{
        ($function:ident($($argument:expr),* $(,)?)) => {{
            let result = unsafe { $function($($argument),*) };
            if result == 0 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
        }};
    }"#;
    becomes(
        body,
        "WriteFile(handle, buffer.as_ptr().cast(), len as u32, &mut written, ptr::null_mut(),)",
        r"{
            let result__m1 = unsafe {
                WriteFile(handle, buffer.as_ptr().cast(), len as u32, &mut written, ptr::null_mut())
            };
            if result__m1 == 0 { Err(std::io::Error::last_os_error()) } else { Ok(result__m1) }
        }",
    );
    becomes(
        body,
        "GetLastError()",
        r"{
            let result__m1 = unsafe { GetLastError() };
            if result__m1 == 0 { Err(std::io::Error::last_os_error()) } else { Ok(result__m1) }
        }",
    );
}

#[test]
fn an_early_return() {
    let body = r"(
        ($e:expr) => {
            match $e {
                Ok(value) => value,
                Err(error) => return Err($crate::Error::from(error)),
            }
        };
        ($e:expr, $otherwise:expr $(,)?) => {
            match $e { Ok(value) => value, Err(_) => return $otherwise }
        };
    )";
    becomes(
        body,
        "open(name, value)",
        r"match open(name, value) {
            Ok(value__m1) => value__m1,
            Err(error__m1) => return Err(crate::Error::from(error__m1)),
        }",
    );
    becomes(
        body,
        "open::<A, B>(name), -1,",
        r"match open::<A, B>(name) { Ok(value__m1) => value__m1, Err(_) => return -1 }",
    );
}

#[test]
fn flags_with_documentation_and_attributes() {
    let body = r"{
        (
            $(#[$outer:meta])*
            $vis:vis struct $Name:ident: $T:ty {
                $( $(#[$inner:meta])* const $Flag:ident = $value:expr; )*
            }
        ) => {
            $(#[$outer])*
            $vis struct $Name { bits: $T }
            impl $Name { $( $(#[$inner])* pub const $Flag: Self = Self { bits: $value }; )* }
        };
    }";
    becomes(
        body,
        r"
            /// How a pipe is opened.
            #[derive(Clone, Copy)]
            pub(crate) struct Mode: u32 {
                /** Reads. */
                const READ = 1;
                // Not documentation.
                #[cfg(windows)]
                const BOTH = 1 | 2;
            }
        ",
        r#"
            #[doc = ""]
            #[derive(Clone, Copy)]
            pub(crate) struct Mode { bits: u32 }
            impl Mode {
                #[doc = ""]
                pub const READ: Self = Self { bits: 1 };
                #[cfg(windows)]
                pub const BOTH: Self = Self { bits: (1 | 2) };
            }
        "#,
    );
    becomes(
        body,
        "struct Empty: u8 {}",
        "struct Empty { bits: u8 } impl Empty {}",
    );
}

#[test]
fn counting() {
    let body = r"{
        (@one $x:tt) => { () };
        ($($x:tt),*) => { <[()]>::len(&[$(count!(@one $x)),*]) };
    }";
    becomes(
        body,
        "a, (b c), >>=",
        "<[()]>::len(&[count!(@one a), count!(@one (b c)), count!(@one >>=)])",
    );
    becomes(body, "@one a", "()");
    becomes(body, "", "<[()]>::len(&[])");
}

#[test]
fn nested_repetitions() {
    let body = r"{
        ($($Enum:ident { $($Variant:ident = $text:literal),* $(,)? })+) => {
            $(impl Name for $Enum {
                fn name(&self) -> &str { match self { $($Enum::$Variant => $text,)* } }
            })+
        };
    }";
    becomes(
        body,
        r#"Mode { Byte = "byte", Message = "message", } End { Server = "server" } Empty {}"#,
        r#"
            impl Name for Mode {
                fn name(&self) -> &str {
                    match self { Mode::Byte => "byte", Mode::Message => "message", }
                }
            }
            impl Name for End {
                fn name(&self) -> &str { match self { End::Server => "server", } }
            }
            impl Name for Empty {
                fn name(&self) -> &str { match self {} }
            }
        "#,
    );
    fails(body, "");
}

#[test]
fn rules_are_tried_in_order() {
    let body = r"{
        () => { none };
        ($a:ident) => { one_name };
        ($a:ident $b:ident) => { two_names };
        ($a:literal) => { literal };
        ($a:expr) => { expression };
        ($a:expr; $n:expr) => { repeated };
        (fn $name:ident) => { function };
        ($($rest:tt)*) => { anything };
    }";
    for (args, expected) in [
        ("", "none"),
        ("a", "one_name"),
        ("fn f", "two_names"),
        ("-1", "literal"),
        ("true", "one_name"),
        ("\"a\"", "literal"),
        ("a.b", "expression"),
        ("0; 4", "repeated"),
        ("a b c", "anything"),
        ("struct A;", "anything"),
        ("a, b", "anything"),
        ("=> 3", "anything"),
    ] {
        becomes(body, args, expected);
    }
}

#[test]
fn the_first_step_of_a_recursive_choice() {
    let body = r"{
        ($( if #[cfg($condition:meta)] { $($tokens:tt)* } ) else * else { $($last:tt)* }) => {
            pick! { @go () ; $( ($condition) ($($tokens)*), )* () ($($last)*), }
        };
        (if #[cfg($first:meta)] { $($tokens:tt)* } $(else if #[cfg($other:meta)] { $($more:tt)* })*) => {
            pick! { @go () ; ($first) ($($tokens)*), $( ($other) ($($more)*), )* }
        };
        (@go ($($not:meta,)*) ; ) => {};
        (@go ($($not:meta,)*) ; ($($condition:meta),*) ($($tokens:tt)*), $($rest:tt)*) => {
            #[cfg(all($($condition,)* not(any($($not),*))))] pick! { @keep $($tokens)* }
            pick! { @go ($($not,)* $($condition,)*) ; $($rest)* }
        };
        (@keep $($tokens:tt)*) => { $($tokens)* };
    }";
    becomes(
        body,
        "if #[cfg(windows)] { mod windows; } else if #[cfg(unix)] { mod unix; } else { mod none; }",
        "pick! { @go () ; (windows) (mod windows;), (unix) (mod unix;), () (mod none;), }",
    );
    becomes(
        body,
        "if #[cfg(all(windows, feature = \"a\"))] { mod windows; }",
        "pick! { @go () ; (all(windows, feature = \"a\")) (mod windows;), }",
    );
    becomes(
        body,
        "@go () ; (windows) (mod windows;), () (mod none;),",
        "#[cfg(all(windows, not(any())))] pick! { @keep mod windows; }
         pick! { @go (windows,) ; () (mod none;), }",
    );
    becomes(body, "@go (windows,) ;", "");
}

#[test]
fn a_macro_that_defines_a_macro() {
    becomes(
        "{ ($name:ident) => { macro_rules! $name { ($x:expr) => { $x + 1 }; () => {}; } } }",
        "next",
        "macro_rules! next { ($x:expr) => { $x + 1 }; () => {}; }",
    );
}

#[test]
fn a_separator_may_be_missing_at_the_end_or_not() {
    let body = "{ ($($key:expr => $value:expr),* $(,)?) => { [$(($key, $value)),*] } }";
    for args in ["1 => 2, 3 => 4", "1 => 2, 3 => 4,"] {
        becomes(body, args, "[(1, 2), (3, 4)]");
    }
    fails(body, "1 => 2,,");
    fails(body, "1 => 2 3 => 4");
    let body = "{ ($($x:ident)|+) => { [$($x)&&+] } }";
    becomes(body, "a | b | c", "[a && b && c]");
    fails(body, "a | b |");
}

#[test]
fn rules_of_an_unstable_macro_item() {
    becomes("{ ($e:expr) { &raw const $e } }", "a.b", "&raw const a.b");
    becomes("{ ($e:expr) => { $e }, () => { 0 } }", "", "0");
}

#[test]
fn a_definition_tells_which_words_it_holds() {
    let rules = rules("{ ($e:expr) => { match $e { Ok(v) => v, _ => f(\"Err\", Errors) } } }");
    assert!(rules.mentions("Ok"));
    assert!(!rules.mentions("Err"));
}

#[test]
fn what_is_no_definition() {
    for body in [
        "",
        "{}",
        "{",
        "{ a }",
        "{ () }",
        "{ () => 1 }",
        "{ ($x:what) => {} }",
        "{ () => {} () => {} }",
    ] {
        assert!(MacroRules::parse(body).is_none(), "{body}");
    }
    fails("{ ($x:tt) => { ${count(x)} } }", "a");
}
