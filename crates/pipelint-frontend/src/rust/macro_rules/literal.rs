//! How long a literal is: <https://doc.rust-lang.org/reference/tokens.html#literals>.

use super::lexer::ident_length;

/// The most `#` that a raw string may have.
const MAX_HASHES: usize = 255;

/// The length of the literal that a text starts with: `None` when it starts with none,
/// `Some(None)` when it starts one that never ends.
pub(super) fn length(text: &str) -> Option<Option<usize>> {
    let bytes = text.as_bytes();
    let first = *bytes.first()?;
    if first.is_ascii_digit() {
        return Some(Some(number(text)));
    }
    let prefix = match bytes {
        [b'b' | b'c', b'r', ..] => 2,
        [b'b' | b'c' | b'r', ..] => 1,
        _ => 0,
    };
    let raw = prefix > 0 && bytes.get(prefix - 1) == Some(&b'r');
    let rest = text.get(prefix..)?;
    match rest.as_bytes().first()? {
        b'"' if raw => Some(raw_string(rest).map(|len| prefix + len)),
        b'"' => Some(quoted(rest).map(|len| prefix + len)),
        b'#' if raw && rest.trim_start_matches('#').starts_with('"') => {
            Some(raw_string(rest).map(|len| prefix + len))
        }
        b'\'' if prefix == 0 || (prefix == 1 && first == b'b') => {
            character(rest).map(|len| Some(prefix + len))
        }
        _ => None,
    }
}

/// `"…"` with escapes.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `#…"…"#…`, without the `r`.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.len() - text.trim_start_matches('#').len();
    if hashes > MAX_HASHES {
        return None;
    }
    let inside = text.get(hashes + 1..)?;
    for (at, _) in inside.match_indices('"') {
        let after = inside.get(at + 1..)?;
        if after.len() >= hashes && after.bytes().take(hashes).all(|byte| byte == b'#') {
            return Some(hashes + 1 + at + 1 + hashes);
        }
    }
    None
}

/// `'c'`, or nothing where a lifetime starts.
fn character(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let mut rest = chars.skip(1);
        return rest
            .find(|(_, c)| *c == '\'' || *c == '\n')
            .and_then(|(at, c)| (c == '\'').then_some(at + 1));
    }
    let (at, second) = chars.next()?;
    (second == '\'' && first != '\'').then_some(at + 1)
}

/// Digits, a fraction, an exponent, a suffix. `1..2`, `1.max(2)` and `x.0.1` end before a dot
/// that belongs to what follows, but the last is one number: so it is to a macro.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|byte| !(byte.is_ascii_digit() || *byte == b'_'));
        from + end.unwrap_or(rest.len())
    };
    let suffix = |from: usize| {
        let rest = text.get(from..).unwrap_or("");
        let end = rest.find(|c: char| !(c == '_' || c.is_alphanumeric()));
        from + end.unwrap_or(rest.len())
    };
    if matches!(bytes, [b'0', b'x' | b'o' | b'b', ..]) {
        return suffix(2);
    }
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        match text.get(end + 1..).unwrap_or("") {
            after if after.starts_with(|c: char| c.is_ascii_digit()) => end = digits(end + 1),
            after if after.starts_with('.') || ident_length(after).is_some() => return end,
            _ => return end + 1,
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    suffix(end)
}
