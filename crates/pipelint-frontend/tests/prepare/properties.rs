//! What holds for every text.

use std::time::{Duration, Instant};

use pipelint_ir::Language;

use crate::support::{cpp, prepared};

/// Pieces that texts are made of: each begins something, ends something, or is in the way.
const PIECES: &[&str] = &[
    "#if ",
    "#ifdef A\n",
    "#else\n",
    "#elif 1\n",
    "#endif\n",
    "#define A",
    "#define F(x) ",
    "#undef A\n",
    "#include <",
    "\\\n",
    "\\\r\n",
    "\r\n",
    "\n",
    " ",
    "\t",
    "/*",
    "*/",
    "//",
    "\"",
    "'",
    "R\"(",
    ")\"",
    "L\"",
    "u8R\"x(",
    "(",
    ")",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "<",
    ">",
    ";",
    ",",
    ":",
    "::",
    "->",
    ".",
    "*",
    "&",
    "=",
    "==",
    "^",
    "~",
    "!",
    "?",
    "...",
    "0",
    "1'0",
    "0x",
    "1e+",
    "é",
    "日本",
    "\u{feff}",
    "\0",
    "a",
    "b",
    "Foo",
    "FOO",
    "BAR_API",
    "HANDLE",
    "WINAPI",
    "CALLBACK",
    "_In_",
    "_Out_writes_(n)",
    "IN ",
    "__declspec(",
    "__attribute__((",
    "noreturn",
    "class ",
    "struct ",
    "enum ",
    "union ",
    "namespace ",
    "template<",
    "typename ",
    "operator",
    "operator()",
    "new ",
    "delete[] ",
    "sizeof",
    "decltype(",
    "offsetof(",
    "friend ",
    "using ",
    "typedef ",
    "static ",
    "const ",
    "extern \"C\" ",
    "public:",
    "signals:",
    "slots",
    "emit ",
    "forever ",
    "foreach(",
    "STDMETHOD(",
    "STDMETHOD_(",
    "PURE",
    "THIS_",
    "MIDL_INTERFACE(\"x\")",
    "DECLARE_INTERFACE_(",
    "__asm ",
    "__asm{",
    "__pragma(",
    "try ",
    "catch(",
    "CATCH_RETURN()",
    "CATCH_LOG();",
    "if(",
    "else ",
    "do ",
    "while(",
    "for(",
    "switch(",
    "case ",
    "return ",
    "throw ",
    "goto ",
    "int ",
    "void ",
    "auto ",
    "PRId64",
    "TEXT(\"a\")",
    "Q_OBJECT",
    "FOO(",
    "va_arg(ap, int)",
    "noexcept",
    "override",
    "final",
    "sealed",
    "ref ",
    "interface ",
    "defined(",
];

/// A small generator of numbers, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn any_text_keeps_its_length_and_its_lines() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..20_000 {
        let mut text = String::new();
        for _ in 0..random.below(40) {
            text.push_str(PIECES[random.below(PIECES.len())]);
        }
        let language = if round % 2 == 0 {
            Language::Cpp
        } else {
            Language::C
        };
        let out = prepared(&text, language);
        let bound = u32::try_from(text.len()).expect("the text is short");
        for at in out.sal.iter().map(|fact| fact.0).chain(out.noreturn) {
            assert!(at < bound, "{text:?}");
        }
        for span in out
            .gaps
            .iter()
            .map(|gap| gap.span)
            .chain(out.macros.iter().map(|m| m.span))
        {
            assert!(span.start <= span.end && span.end <= bound, "{text:?}");
        }
    }
}

#[test]
fn any_bytes_that_are_text_keep_their_length() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    for _ in 0..5_000 {
        let text: String = (0..random.below(60))
            .map(|_| char::from_u32(random.below(0x300) as u32).unwrap_or(' '))
            .collect();
        cpp(&text);
    }
}

#[test]
fn the_same_text_gives_the_same_result() {
    let text = "class API X { Q_OBJECT signals: void a(); };\n#define A 1\nint f(_In_ int x);\n";
    let (first, second) = (cpp(text), cpp(text));
    assert_eq!(first.text, second.text);
    assert_eq!(first.sal, second.sal);
}

#[test]
fn characters_outside_ascii_go_whole() {
    let out = cpp("#if 0\nint ä = '日';\n#endif\nint b; // é\n");
    assert!(out.text.ends_with("int b; // é\n"));
    assert!(
        out.text[..out.text.len() - "int b; // é\n".len()]
            .bytes()
            .all(|byte| byte == b' ' || byte == b'\n')
    );
}

#[test]
fn a_comment_beside_a_blanked_word_stays() {
    let out = cpp("int WINAPI /* pipelint: one */ f(_In_ // pipelint: two\n int a);\n");
    assert!(out.text.contains("/* pipelint: one */"));
    assert!(out.text.contains("// pipelint: two"));
}

/// Each of these nests or repeats what some rule looks ahead for; none may cost more than the
/// length of the text does.
#[test]
fn no_text_takes_long() {
    let times = 20_000;
    let open = [
        "(",
        "[",
        "{",
        "[[",
        "FOO(",
        "f(",
        "FOO ",
        "A<",
        "template<",
        "__declspec(",
        "foreach(a ",
        "friend X ",
        "class A ",
        "operator ",
        "new a*",
        "[x{",
        "->decltype(",
        "typedef A(b) ",
        "f(a)int a;",
        "enum{A(",
        "\"\" FOO ",
        "f(a*=",
        "#if 1\n",
        "#define A A A\n",
        "try{}CATCH(x)",
        "_Out_(",
        ")",
        "}",
    ];
    for piece in open {
        for around in ["", "void f(){"] {
            let text = format!("{around}{}", piece.repeat(times));
            let start = Instant::now();
            prepared(&text, Language::C);
            cpp(&text);
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "{around}{piece:?} repeated"
            );
        }
    }
}
