//! What the grammar does not know is blanked where a text did not parse, and the text parsed again.
//!
//! Only the parser sees the mended text: names are read from the file's own. Every rule keeps the
//! length, so that offsets stay. What is blanked says nothing that is asked for later: `const` and
//! `auto` of traits, attributes in patterns, macros that are no `macro_rules`.

use std::ops::Range;

use super::macro_rules::{Kind, Tokens};

/// A stretch of the text, and what each of its bytes becomes.
type Change = (Range<usize>, u8);

/// The text with everything blanked, between two offsets, that the grammar does not know; none when
/// there is nothing. `errors` is where the parser met what it did not understand.
pub(crate) fn mended(text: &str, within: Range<usize>, errors: &[Range<usize>]) -> Option<String> {
    let start = within.start;
    let tokens = Tokens::new(text.get(within)?)?;
    let mut bytes = None;
    let mut at = 0;
    while at < tokens.len() {
        let (changes, behind) = change(&tokens, at, start, errors);
        for (range, with) in changes {
            let bytes = bytes.get_or_insert_with(|| text.as_bytes().to_vec());
            for byte in bytes.get_mut(range.start + start..range.end + start)? {
                if *byte != b'\n' && *byte != b'\r' {
                    *byte = with;
                }
            }
        }
        at = behind.max(at + 1);
    }
    String::from_utf8(bytes?).ok()
}

/// What to change at a token, in offsets of the tokens' text, and the token to go on with.
fn change(
    tokens: &Tokens<&str>,
    at: usize,
    start: usize,
    errors: &[Range<usize>],
) -> (Vec<Change>, usize) {
    let blank = |range: Range<usize>, behind: usize| (vec![(range, b' ')], behind);
    if let Some(behind) = marker(tokens, at) {
        return blank(bytes(tokens, at, behind), behind);
    }
    if let Some((from, behind)) = unknown_item(tokens, at) {
        return blank(bytes(tokens, from, behind), behind);
    }
    if let Some(behind) = attribute(tokens, at) {
        let whole = bytes(tokens, at, behind);
        let starts_in = |range: Range<usize>| {
            let range = range.start + start..range.end + start;
            errors.iter().any(|error| range.contains(&error.start))
        };
        let before = |text: &str| at > 0 && tokens.is(at - 1, text);
        // Among the parts of a tuple or of a pattern.
        let group = around(tokens, at);
        let braced = group.as_ref().is_some_and(|group| {
            let text = tokens.source();
            text.get(group.clone())
                .is_some_and(|text| text.starts_with('{'))
        });
        let of_part =
            !braced && (before(",") || before("(")) && group.clone().is_some_and(starts_in);
        // Braces that were not understood are those of a pattern.
        let broken = |group: Range<usize>| {
            let (open, behind) = (group.start + start, group.end + start);
            let met = |error: &Range<usize>| {
                // One that holds all of the group, or is all in it, says nothing of its braces.
                let opens = error.start < open && open < error.end && error.end < behind;
                opens || (open < error.start && error.start < behind && behind <= error.end)
            };
            errors.iter().any(met)
        };
        let of_braces = braced && (before(",") || before("{")) && group.is_some_and(broken);
        if before("=") || of_part || of_braces || starts_in(whole.clone()) {
            return blank(whole, behind);
        }
        return (Vec::new(), behind);
    }
    (word(tokens, at), at + 1)
}

/// The index behind words and signs that only mark what follows them.
fn marker(tokens: &Tokens<&str>, at: usize) -> Option<usize> {
    let is = |offset: usize, text: &str| tokens.is(at + offset, text);
    let before = |text: &str| at > 0 && tokens.is(at - 1, text);
    let name = |offset: usize| tokens.is_ident(at + offset);
    let is_trait = |offset: usize| is(offset, "trait") || is(offset, "impl");
    match tokens.text(at) {
        // `[const] Trait`, `~const Trait`.
        "[" if is(1, "const") && is(2, "]") && (name(3) || is(3, "::")) => Some(at + 3),
        "~" if is(1, "const") => Some(at + 2),
        // Tokens of a macro's own.
        "~" => Some(at + 1),
        "$" if !name(1) && !is(1, "(") => Some(at + 1),
        // `const impl`, `const trait`, `const unsafe auto trait`.
        "const" if (1..4).any(is_trait) && (1..4).all(|i| before_trait(tokens, at + i)) => {
            Some(at + 1)
        }
        // `const |x| x`.
        "const" if is(1, "|") || is(1, "||") || is(1, "move") => Some(at + 1),
        // `impl const Trait for Type`, `Copy + const Trait`.
        "const"
            if (before("impl") || before(">") || before("+") || before(":"))
                && (name(1) || is(1, "::"))
                && !is(2, ":")
                && !is(1, "fn")
                && !is(1, "unsafe")
                && !is(1, "async")
                && !is(1, "extern") =>
        {
            Some(at + 1)
        }
        "auto" if is(1, "trait") => Some(at + 1),
        "safe" if is(1, "fn") || is(1, "static") => Some(at + 1),
        "super" if is(1, "let") => Some(at + 1),
        // `dyn 'a + Trait`.
        _ if tokens.kind(at) == Some(Kind::Lifetime) && before("dyn") && is(1, "+") => Some(at + 2),
        // `impl Trait +`.
        "+" if at > 0
            && (tokens.is_ident(at - 1) || before(">"))
            && ((is(1, "{") && is(2, "}")) || is(1, ",") || is(1, ")") || is(1, ">")) =>
        {
            Some(at + 1)
        }
        // `Type::<-1>`.
        "-" if (before("<") || before(",")) && tokens.is_word(at + 1) && is(2, ">") => Some(at + 1),
        "-" if before("<") && tokens.is_word(at + 1) && is(2, ",") && closes(tokens, at + 3) => {
            Some(at + 1)
        }
        _ => None,
    }
}

/// A word that may stand between `const` and `trait`, or what stands behind them.
fn before_trait(tokens: &Tokens<&str>, at: usize) -> bool {
    let mut behind = at;
    while behind > 0 && !tokens.is(behind, "const") {
        if tokens.is(behind - 1, "trait") || tokens.is(behind - 1, "impl") {
            return true;
        }
        behind -= 1;
    }
    matches!(tokens.text(at), "unsafe" | "auto" | "trait" | "impl")
}

/// `25>`: the rest of a list of numbers between `<` and `>`.
fn closes(tokens: &Tokens<&str>, at: usize) -> bool {
    let number = if tokens.is(at, "-") { at + 1 } else { at };
    tokens.kind(number) == Some(Kind::Literal) && tokens.is(number + 1, ">")
}

/// A macro that is no `macro_rules`, or an alias of a trait: where it begins, and what is behind it.
fn unknown_item(tokens: &Tokens<&str>, at: usize) -> Option<(usize, usize)> {
    if !tokens.is_ident(at + 1) {
        return None;
    }
    let behind = match tokens.text(at) {
        "macro" => {
            let first = tokens.after_tree(at + 2);
            tokens.close_of(at + 2)?;
            match tokens.close_of(first) {
                Some(_) if tokens.is(at + 2, "(") => tokens.after_tree(first),
                _ => first,
            }
        }
        "trait" => alias_end(tokens, at + 2)?,
        _ => return None,
    };
    Some((at, behind))
}

/// What is behind the `;` of a trait's alias; none for a trait with a body.
fn alias_end(tokens: &Tokens<&str>, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_alias = false;
    let mut at = from;
    while at < tokens.len() {
        match tokens.text(at) {
            "<" => depth += 1,
            ">" => depth = depth.saturating_sub(1),
            "=" if depth == 0 => is_alias = true,
            "{" => return None,
            ";" => return is_alias.then_some(at),
            _ => {}
        }
        at = tokens.after_tree(at);
    }
    None
}

/// The index behind an attribute.
fn attribute(tokens: &Tokens<&str>, at: usize) -> Option<usize> {
    if !tokens.is(at, "#") || tokens.is_written(at) {
        return None;
    }
    let open = if tokens.is(at + 1, "!") {
        at + 2
    } else {
        at + 1
    };
    tokens.is(open, "[").then(|| tokens.after_tree(open))
}

/// The bytes of the group that a token stands in.
fn around(tokens: &Tokens<&str>, at: usize) -> Option<Range<usize>> {
    let mut before = at;
    loop {
        before = before.checked_sub(1)?;
        match tokens.kind(before)? {
            Kind::Open(close) => return Some(bytes(tokens, before, close as usize + 1)),
            Kind::Close(open) => before = open as usize,
            _ => {}
        }
    }
}

/// Words and literals that are only spelled in a way that the grammar does not know.
fn word(tokens: &Tokens<&str>, at: usize) -> Vec<Change> {
    let text = tokens.text(at);
    let place = bytes(tokens, at, at + 1);
    let first = place.start..place.start + 1;
    match tokens.kind(at) {
        // `str![…]`: the name of a type, and of a macro. `super(…)`: a name of an Objective-C macro.
        Some(Kind::Ident) if is_primitive(text) && tokens.is(at + 1, "!") => vec![(first, b'M')],
        Some(Kind::Ident) if is_primitive(text) && is_generic(tokens, at + 1) => {
            vec![(first, b'M')]
        }
        Some(Kind::Ident) if text == "try" && tokens.is(at + 1, "!") => vec![(first, b'M')],
        Some(Kind::Ident) if text == "raw" && !(at > 0 && tokens.is(at - 1, "&")) => {
            vec![(first, b'M')]
        }
        // `Type::<u8>` where a type stands.
        Some(Kind::Punct) if is_generic(tokens, at) && is_in_type(tokens, at) => {
            vec![(place, b' ')]
        }
        Some(Kind::Ident) if text == "super" && tokens.is(at + 1, "(") => vec![(first, b'S')],
        // `fn(&_)`.
        Some(Kind::Ident) if text == "_" && at > 0 && tokens.is(at - 1, "&") => {
            vec![(first, b'T')]
        }
        Some(Kind::Literal) if text.starts_with(|c: char| c.is_ascii_digit()) => {
            let suffix = ["f16", "f128"].into_iter().find(|of| text.ends_with(of));
            suffix.map_or_else(Vec::new, |suffix| {
                vec![(place.end - suffix.len()..place.end, b' ')]
            })
        }
        Some(Kind::Literal) => escapes(text, place.start),
        _ => Vec::new(),
    }
}

/// Whether `::<` stands at an index.
fn is_generic(tokens: &Tokens<&str>, at: usize) -> bool {
    tokens.is(at, "::") && tokens.is(at + 1, "<")
}

/// Whether the path that ends before a token is a type, by what stands before it.
fn is_in_type(tokens: &Tokens<&str>, at: usize) -> bool {
    let is_marker = |at: usize| matches!(tokens.text(at), "as" | "dyn" | "mut" | "const");
    let mut first = at;
    while first > 0
        && !is_marker(first - 1)
        && (tokens.is_ident(first - 1) || tokens.is(first - 1, "::"))
    {
        first -= 1;
    }
    let Some(before) = first.checked_sub(1) else {
        return false;
    };
    match tokens.text(before) {
        "as" | "dyn" | "->" | "<" => true,
        // `<&Type::<u8>>`, `<A, Type::<u8>>`.
        "&" | "mut" | "const" | "*" | "," => is_in_angles(tokens, before),
        _ => false,
    }
}

/// Whether a `<` is open before a token, as far back as a type goes.
fn is_in_angles(tokens: &Tokens<&str>, at: usize) -> bool {
    let mut closed = 0_u32;
    let mut before = at;
    while let Some(next) = before.checked_sub(1) {
        before = next;
        match (tokens.kind(before), tokens.text(before)) {
            (Some(Kind::Close(open)), _) => before = open as usize,
            (Some(Kind::Open(_)), _) | (_, ";" | "=") => return false,
            (_, "<") if closed == 0 => return true,
            (_, "<") => closed -= 1,
            (_, ">") => closed += 1,
            _ => {}
        }
    }
    false
}

/// `\u{1_0}`: the `_` in an escape.
fn escapes(text: &str, start: usize) -> Vec<Change> {
    let mut out = Vec::new();
    for (at, _) in text.match_indices("\\u{") {
        let inside = &text[at + 3..];
        let inside = &inside[..inside.find('}').unwrap_or(0)];
        let from = start + at + 3;
        let found = inside.match_indices('_');
        out.extend(found.map(|(i, _)| (from + i..from + i + 1, b'0')));
    }
    out
}

fn is_primitive(name: &str) -> bool {
    matches!(
        name,
        "u8" | "i8"
            | "u16"
            | "i16"
            | "u32"
            | "i32"
            | "u64"
            | "i64"
            | "u128"
            | "i128"
            | "isize"
            | "usize"
            | "f32"
            | "f64"
            | "bool"
            | "str"
            | "char"
    )
}

/// The bytes of tokens, up to another.
fn bytes(tokens: &Tokens<&str>, from: usize, behind: usize) -> Range<usize> {
    let start = tokens.get(from).map_or(0, |token| token.start as usize);
    let last = tokens.get(behind.saturating_sub(1));
    start..last.map_or(start, |token| token.end as usize)
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[track_caller]
    fn becomes(text: &str, expected: &str) {
        let found = mended(text, 0..text.len(), &[]);
        assert_eq!(found.as_deref().unwrap_or(text), expected);
    }

    #[test]
    fn marks_of_traits_are_blanked() {
        becomes(
            "const impl<T: [const] A> B<T> {}",
            "      impl<T:         A> B<T> {}",
        );
        becomes("impl<T> const A for B<T> {}", "impl<T>       A for B<T> {}");
        becomes("pub const unsafe trait A {}", "pub       unsafe trait A {}");
        becomes("auto trait A {}", "     trait A {}");
        becomes("trait A = B + C;", "               ;");
        becomes("fn f<const N: usize>() {}", "fn f<const N: usize>() {}");
        becomes("impl A { const fn f() {} }", "impl A { const fn f() {} }");
        becomes(
            "impl<T> A<T> { const N: u8 = 0; }",
            "impl<T> A<T> { const N: u8 = 0; }",
        );
    }

    #[test]
    fn other_words_are_blanked_or_spelled_anew() {
        becomes("safe fn f();", "     fn f();");
        becomes("map(const |x| x)", "map(      |x| x)");
        becomes("str![a]", "Mtr![a]");
        becomes("[1f16, 2.5_f128, 3f32]", "[1   , 2.5_    , 3f32]");
        becomes("\"\\u{1_0}\"", "\"\\u{100}\"");
        becomes("f::<-1>()", "f::< 1>()");
        becomes("try!(a)", "Mry!(a)");
        becomes(
            "char::<u8>(a), char::from(b)",
            "Mhar::<u8>(a), char::from(b)",
        );
        becomes("f::<A::<u8>>(), g::<u8>()", "f::<A  <u8>>(), g::<u8>()");
        becomes("<&A::<u8>>::f()", "<&A  <u8>>::f()");
        becomes("f(a, g::<u8>())", "f(a, g::<u8>())");
        becomes("pub macro a($x:expr) { $x }", "pub                        ");
    }
}
