//! What holds for every text, with syn as the judge of what a fragment is.

use std::time::{Duration, Instant};

use pipelint_frontend::rust::macro_rules::MacroRules;
use syn::{Expr, Stmt};

use crate::support::{check_map, expansion, rules};

/// A small generator of numbers, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn choice<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// The text of an expression, most often a right one.
    fn expr(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .choice(&[
                    "a",
                    "1",
                    "\"s\"",
                    "'c'",
                    "a::B",
                    "()",
                    "self",
                    "Vec::<A, B>::new()",
                    "m!(a, b)",
                    "-1",
                ])
                .to_owned();
        }
        let mut sub = || self.expr(depth - 1);
        let (a, b) = (sub(), sub());
        match self.below(24) {
            0 => format!("{a} + {b}"),
            1 => format!("{a} || {b}"),
            2 => format!("{a} = {b}"),
            3 => format!("({a}, {b})"),
            4 => format!("f({a}, {b})"),
            5 => format!("{a}.m::<A, B>({b})"),
            6 => format!("|x, y: HashMap<A, B>| {a}"),
            7 => format!("|| -> Vec<A> {{ {a} }}"),
            8 => format!("{a} as HashMap<A, B>"),
            9 => format!("S {{ x: {a}, ..{b} }}"),
            10 => format!("if {a} {{ {b} }} else {{ {a} }}"),
            11 => format!("if let A | B(x, ..) = {a} {{ {b} }}"),
            12 => format!("match {a} {{ x if y => {b}, _ => {{}} }}"),
            13 => format!("{a}..{b}"),
            14 => format!("&mut {a}"),
            15 => format!("!{a}"),
            16 => format!("{a}[{b}]"),
            17 => format!("{a}?.0.1"),
            18 => format!("return {a}"),
            19 => format!("unsafe {{ {a}; {b} }}.x"),
            20 => format!("'l: loop {{ break 'l {a}; }}"),
            21 => format!("{a} < {b}"),
            22 => format!("<A as B<C, D>>::f({a})"),
            _ => format!("async move {{ {a}.await }}"),
        }
    }
}

fn parsed(text: &str) -> Expr {
    syn::parse_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Demands that the found expression is the given one, in parentheses or not.
#[track_caller]
fn same(found: &Expr, given: &Expr, text: &str) {
    match found {
        Expr::Paren(inner) if found != given => assert_eq!(&*inner.expr, given, "{text}"),
        _ => assert_eq!(found, given, "{text}"),
    }
}

#[test]
fn an_expression_is_one_operand_whatever_it_is() {
    let product = rules("{ ($a:expr, $b:expr) => { $a * $b } }");
    let method = rules("{ ($a:expr) => { $a.len() } }");
    let minus = rules("{ ($a:expr) => { -$a } }");
    let cast = rules("{ ($a:expr) => { $a as u8 } }");
    let list = rules("{ ($($a:expr),* $(,)?) => { [$($a),*] } }");
    let choice = rules("{ ($a:expr; $b:expr) => { match $a { _ => $b } } }");
    let branch = rules("{ ($a:expr => $b:expr) => { if $a { $b } } }");
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut judged = 0;
    for _ in 0..6_000 {
        let depth = 1 + random.below(3) as u32;
        let (a, b) = (random.expr(depth), random.expr(1));
        let (Ok(left), Ok(right)) = (syn::parse_str::<Expr>(&a), syn::parse_str::<Expr>(&b)) else {
            continue;
        };
        judged += 1;
        let expand = |rules: &MacroRules, args: &str| {
            let found = rules.expand(args);
            let found = found.unwrap_or_else(|| panic!("no rule matches {args}"));
            check_map(&found, args);
            found.text
        };
        let text = expand(&product, &format!("{a}, {b}"));
        let Expr::Binary(found) = parsed(&text) else {
            panic!("{text}");
        };
        same(&found.left, &left, &text);
        same(&found.right, &right, &text);
        let text = expand(&method, &a);
        let Expr::MethodCall(found) = parsed(&text) else {
            panic!("{text}");
        };
        same(&found.receiver, &left, &text);
        let text = expand(&minus, &a);
        if !matches!(left, Expr::Lit(_)) {
            let Expr::Unary(found) = parsed(&text) else {
                panic!("{text}");
            };
            same(&found.expr, &left, &text);
        }
        let text = expand(&cast, &a);
        let Expr::Cast(found) = parsed(&text) else {
            panic!("{text}");
        };
        same(&found.expr, &left, &text);
        let text = expand(&list, &format!("{a}, {b}, {a},"));
        let Expr::Array(found) = parsed(&text) else {
            panic!("{text}");
        };
        assert_eq!(found.elems.len(), 3, "{text}");
        for (found, given) in found.elems.iter().zip([&left, &right, &left]) {
            same(found, given, &text);
        }
        let text = expand(&choice, &format!("{a}; {b}"));
        let Expr::Match(found) = parsed(&text) else {
            panic!("{text}");
        };
        same(&found.expr, &left, &text);
        let text = expand(&branch, &format!("{a} => {b}"));
        let Expr::If(found) = parsed(&text) else {
            panic!("{text}");
        };
        same(&found.cond, &left, &text);
        let [Stmt::Expr(then, None)] = &*found.then_branch.stmts else {
            // A macro that is called alone is a statement.
            assert!(b.starts_with("m!"), "{text}");
            continue;
        };
        same(then, &right, &text);
    }
    assert!(judged > 3_000, "only {judged} were expressions");
}

/// Pieces that texts are made of: each begins something, ends something, or is in the way.
const PIECES: &[&str] = &[
    "$",
    "$x",
    "$y",
    "$crate",
    ":expr",
    ":ty",
    ":tt",
    ":pat",
    ":item",
    ":stmt",
    ":vis",
    ":path",
    ":meta",
    ":block",
    ":literal",
    ":ident",
    ":lifetime",
    "$(",
    ")*",
    "),+",
    ")?",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "=>",
    ";",
    ",",
    "=",
    "<",
    ">",
    ">>",
    "::",
    "->",
    "|",
    "||",
    "&&",
    "&",
    "..",
    "!",
    "#",
    "?",
    "+",
    "*",
    "-",
    ".",
    "@",
    "_",
    "a",
    "b",
    "let ",
    "match ",
    "if ",
    "else ",
    "for ",
    "in ",
    "fn ",
    "struct ",
    "impl ",
    "use ",
    "const ",
    "extern ",
    "pub ",
    "pub(in ",
    "macro_rules",
    "as ",
    "dyn ",
    "mut ",
    "ref ",
    "'a",
    "'b'",
    "'",
    "\"",
    "\"c\"",
    "r#\"",
    "\"#",
    "r#a",
    "b\"",
    "1",
    "1.",
    "0x",
    "1e+",
    "//",
    "///",
    "/*",
    "*/",
    "/**",
    "\n",
    " ",
    "é",
    "日本",
    "\u{feff}",
    "\0",
    "{name}",
    "__m1",
];

#[test]
fn no_text_is_too_wild() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let mut text = |bound: usize| -> String {
        let count = random.below(bound);
        (0..count).map(|_| random.choice(PIECES)).collect()
    };
    let mut expanded = 0;
    for _ in 0..60_000 {
        let body = match text(3).len() {
            0 => format!("{{ ({}) => {{ {} }} }}", text(8), text(12)),
            1 => format!("{{ ($($x:tt)*) => {{ {} $($x)* }} }}", text(12)),
            2 => format!(
                "{{ ($x:{} $($y:tt)*) => {{ {} }} }}",
                ["expr", "ty", "pat", "item", "stmt", "path"][text(7).len() % 6],
                text(9)
            ),
            _ => text(30),
        };
        let Some(rules) = MacroRules::parse(&body) else {
            continue;
        };
        let args = text(14);
        if let Some(found) = rules.expand(&args) {
            check_map(&found, &args);
            expanded += 1;
        }
    }
    assert!(expanded > 500, "only {expanded} were expanded");
}

/// Demands an expansion, or that there is none, sooner than quadratic work could end. The bound
/// on steps refuses what looks at each of so many tokens once for each other.
#[track_caller]
fn is_quick(rules: &MacroRules, args: &str, expands: bool) {
    let start = Instant::now();
    assert_eq!(rules.expand(args).is_some(), expands);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn long_lists_take_linear_time() {
    let list = rules("{ ($($a:expr),* $(,)?) => { [$($a),*] } }");
    is_quick(&list, &"x.y(), ".repeat(30_000), true);
    let tokens = rules("{ ($($a:tt)*) => { $($a)* } }");
    is_quick(&tokens, &"<a | ".repeat(30_000), true);
    let lines = rules("{ ($($(#[$m:meta])* $v:vis $a:ident $(= $b:expr)?),*) => { $($a)* } }");
    is_quick(&lines, &vec!["#[a] a = 1 + 2"; 30_000].join(", "), true);
    let one = rules("{ ($a:expr) => { f($a) } }");
    is_quick(&one, &format!("a{}", " < b".repeat(60_000)), true);
    // Each could open arguments that never close.
    let never = rules("{ ($a:expr) => { f($a) }; ($($a:tt)*) => {}; }");
    is_quick(&never, &"< ".repeat(200_000), true);
    is_quick(&never, &"a::<".repeat(200_000), true);
    is_quick(&never, &"a as b<".repeat(100_000), true);
    // What could open a text that never closes.
    is_quick(&never, &"r#".repeat(200_000), false);
    is_quick(&never, &"/*".repeat(200_000), false);
    is_quick(&never, &"'".repeat(200_000), false);
    is_quick(&never, &format!("r{}\"\"#", "#".repeat(200_000)), false);
}

#[test]
fn what_grows_without_bound_is_refused() {
    let squares = rules("{ ($($a:ident)*; $b:tt) => { $($a $b)* } }");
    let args = |names: usize| format!("{}; ({})", "a ".repeat(names), "b ".repeat(1_000));
    assert!(squares.expand(&args(50)).is_some());
    assert_eq!(squares.expand(&args(2_000)), None);
    // Every round looks through all that is left.
    let retries = rules("{ ($($($e:expr;)? $a:tt)*) => {} }");
    let start = Instant::now();
    assert_eq!(retries.expand(&"a + ".repeat(100_000)), None);
    assert!(start.elapsed() < Duration::from_secs(5));
    let silent = rules("{ ($($($v:vis $a:ident)*;)*) => { $($($v)*)* } }");
    assert!(silent.expand(&"a b c;".repeat(1_000)).is_some());
}

#[test]
fn deep_nesting_is_refused_or_read() {
    let body = "{ ($a:tt) => { $a }; ($e:expr) => { -$e }; ($t:ty) => {} }";
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("&", ""),
        ("<", ">"),
        ("-", ""),
        ("fn() -> ", ""),
    ] {
        for depth in [100, 100_000] {
            let text = format!("{}a{}", open.repeat(depth), close.repeat(depth));
            let found = rules(body).expand(&text);
            if let Some(found) = found {
                check_map(&found, &text);
            }
            let _ = MacroRules::parse(&format!("{{ ({text}) => {{ {text} }} }}"));
        }
    }
    let deep = format!(
        "{{ ({}$a:tt{}) => {{}} }}",
        "$(".repeat(150),
        ")*".repeat(150)
    );
    assert!(MacroRules::parse(&deep).is_some());
    assert!(expansion(body, "((((a))))").is_some());
}
