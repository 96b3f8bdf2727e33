//! Names that a macro gives to its arguments: `info!(target: "pipe", code = %error)`.

use super::macro_rules::Tokens;

/// The stretches of a macro's arguments, delimiters and all, that are left when the names that stand
/// before expressions are left out, with the sigils `%` and `?` of a log's fields, the braces around
/// several fields, and the `@` before a snapshot. Offsets are those
/// of the text; none when there is no such name.
pub(crate) fn without(arguments: &str) -> Option<Vec<(usize, usize)>> {
    let tokens = Tokens::new(arguments)?;
    let end = tokens.close_of(0)?;
    if end + 1 != tokens.len() {
        return None;
    }
    let mut out = Vec::new();
    let mut kept_from = 0;
    let mut at = 1;
    let mut begins = true;
    // Where a group of fields closes, and is left out too.
    let mut closes = None;
    while at < end {
        let behind = match closes {
            Some(close) if close == at => {
                closes = None;
                at + 1
            }
            None if begins && is_fields(&tokens, at) => {
                closes = tokens.close_of(at);
                at + 1
            }
            _ if begins => behind_name(&tokens, at),
            _ => at,
        };
        if behind > at {
            let from = tokens.get(at)?.start;
            let to = tokens.get(behind)?.start;
            out.push((kept_from, from as usize));
            kept_from = to as usize;
            // Behind a brace may stand a name.
            begins = closes.is_some() && behind == at + 1 && tokens.is(at, "{");
            at = behind;
            continue;
        }
        begins = tokens.is(at, ",");
        at = tokens.after_tree(at);
    }
    out.push((kept_from, arguments.len()));
    (out.len() > 1).then_some(out)
}

/// The index behind the name and sigil that an argument begins with; the index itself when it begins
/// with none.
fn behind_name(tokens: &Tokens<&str>, at: usize) -> usize {
    let mut behind = at;
    let mut word = at;
    // `a`, `a.b`, `"a b"`.
    while tokens.is_word(word) {
        word += 1;
        if tokens.is(word, ":") || tokens.is(word, "=") {
            behind = word + 1;
            break;
        }
        if !tokens.is(word, ".") {
            break;
        }
        word += 1;
    }
    if ["%", "?", "@"].iter().any(|sigil| tokens.is(behind, sigil)) {
        behind += 1;
    }
    behind
}

/// Whether a group is one of fields: `{ a = %b, c }`.
fn is_fields(tokens: &Tokens<&str>, at: usize) -> bool {
    let Some(close) = tokens.close_of(at).filter(|_| tokens.is(at, "{")) else {
        return false;
    };
    let behind = behind_name(tokens, at + 1);
    behind > at + 1 || (tokens.is_word(at + 1) && (at + 2 == close || tokens.is(at + 2, ",")))
}

#[cfg(test)]
mod tests {
    use super::without;

    fn kept(text: &str) -> String {
        let stretches = without(text).unwrap_or_else(|| vec![(0, text.len())]);
        stretches.iter().map(|&(a, b)| &text[a..b]).collect()
    }

    #[test]
    fn names_and_sigils_are_left_out() {
        assert_eq!(
            kept(r#"(target: "x", "m {}", f())"#),
            r#"("x", "m {}", f())"#
        );
        assert_eq!(kept("(a = %b.c(), d.e = ?f, \"g\" = 1)"), "(b.c(), f, 1)");
        assert_eq!(kept("[%a, ?b]"), "[a, b]");
        assert_eq!(
            kept("(t: x, { a = ?f(), b }, \"m\")"),
            "(x, f(), b , \"m\")"
        );
        assert_eq!(kept("(a, @\"b\")"), "(a, \"b\")");
    }

    #[test]
    fn what_is_no_name_stays() {
        assert_eq!(kept("(a::b, c == d, e(f = g))"), "(a::b, c == d, e(f = g))");
        assert_eq!(kept("(a.b(), x?)"), "(a.b(), x?)");
        assert_eq!(kept("()"), "()");
    }
}
