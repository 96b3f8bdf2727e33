//! Text that comes from linted files, made safe for where it is written.

use std::borrow::Cow;

/// What to show in place of a character that would steer the terminal or reorder its line: control
/// characters (tabs excepted) and the bidirectional controls.
pub(crate) fn visible(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{061c}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => c,
    }
}

/// `text` on one line, with [`visible`] characters only.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c != '\t' && visible(c) == c) {
        return Cow::Borrowed(text);
    }
    text.replace("\r\n", " ")
        .chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            _ => visible(c),
        })
        .collect::<String>()
        .into()
}

/// `text` with [`visible`] characters and its line breaks.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| visible(c) == c) {
        return Cow::Borrowed(text);
    }
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\n' { c } else { visible(c) })
        .collect::<String>()
        .into()
}

/// A path as a URI reference, and whether it is relative to the source root.
pub(crate) fn uri(path: &str) -> (String, bool) {
    let windows = path.as_bytes().get(1) == Some(&b':')
        && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let path = if windows || path.starts_with("\\\\") {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    };
    if let Some(host) = path.strip_prefix("//") {
        (format!("file://{}", percent(host)), false)
    } else if path.starts_with('/') {
        (format!("file://{}", percent(&path)), false)
    } else if windows {
        let (drive, rest) = path.split_at(2);
        (format!("file:///{drive}{}", percent(rest)), false)
    } else {
        let mut rest = path.as_str();
        while let Some(shorter) = rest.strip_prefix("./") {
            rest = shorter.trim_start_matches('/');
        }
        (percent(rest), true)
    }
}

/// Percent-encodes all that a URI's path may not hold. `:` goes too: in the first segment of a
/// relative reference it would end a scheme.
fn percent(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(byte as char),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'+' | b'@' | b',' | b'=' => out.push(byte as char),
            _ => {
                out.push('%');
                for digit in [byte >> 4, byte & 15] {
                    out.push(char::from_digit(digit.into(), 16).map_or('0', upper));
                }
            }
        }
    }
    out
}

fn upper(c: char) -> char {
    c.to_ascii_uppercase()
}
