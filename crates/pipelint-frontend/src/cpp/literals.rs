//! Literals as constants.

/// The value of an integer literal: decimal, hexadecimal, octal or binary, with digit separators
/// and suffixes. None for anything else.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, text[1..].trim_start()),
        b'+' => (false, text[1..].trim_start()),
        _ => (false, text),
    };
    let bytes = rest.as_bytes();
    let (radix, digits) = match bytes {
        [b'0', b'x' | b'X', ..] => (16, &rest[2..]),
        [b'0', b'b' | b'B', ..] => (2, &rest[2..]),
        [b'0', b'0'..=b'9' | b'\'', ..] => (8, &rest[1..]),
        [b'0'..=b'9', ..] => (10, rest),
        _ => return None,
    };
    let mut value: i128 = 0;
    let mut seen = radix == 8;
    let mut at = 0;
    for byte in digits.bytes() {
        if byte == b'\'' {
            at += 1;
            continue;
        }
        let Some(digit) = char::from(byte).to_digit(radix) else {
            break;
        };
        value = value
            .checked_mul(i128::from(radix))?
            .checked_add(i128::from(digit))?;
        seen = true;
        at += 1;
    }
    if !seen || !is_suffix(&digits[at..]) {
        return None;
    }
    Some(if negative { -value } else { value })
}

fn is_suffix(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "" | "u"
            | "l"
            | "ul"
            | "lu"
            | "ll"
            | "ull"
            | "llu"
            | "z"
            | "uz"
            | "zu"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "ui8"
            | "ui16"
            | "ui32"
            | "ui64"
    )
}

/// The value of a character literal with one character; none for others.
pub(crate) fn character(text: &str) -> Option<i128> {
    let open = text.find('\'')?;
    let inner = text[open + 1..].strip_suffix('\'')?;
    let mut chars = inner.chars();
    let first = chars.next()?;
    if first != '\\' {
        return chars
            .next()
            .is_none()
            .then_some(i128::from(u32::from(first)));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let simple = match escape {
        'n' => 10,
        't' => 9,
        'r' => 13,
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'v' => 11,
        '\\' | '\'' | '"' | '?' => i128::from(u32::from(escape)),
        'x' | 'u' | 'U' => return i128::from_str_radix(rest, 16).ok(),
        '0'..='7' => return i128::from_str_radix(&inner[1..], 8).ok(),
        _ => return None,
    };
    rest.is_empty().then_some(simple)
}

/// The text of a string literal between its quotes.
pub(crate) fn string(text: &str) -> &str {
    let Some(open) = text.find('"') else {
        return text;
    };
    let prefix = &text[..open];
    let body = text[open + 1..]
        .strip_suffix('"')
        .unwrap_or(&text[open + 1..]);
    if !prefix.ends_with('R') {
        return body;
    }
    // R"delimiter( … )delimiter"
    let Some(paren) = body.find('(') else {
        return body;
    };
    let delimiter = &body[..paren];
    body[paren + 1..]
        .strip_suffix(delimiter)
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(&body[paren + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for (text, value) in [
            ("0", 0),
            ("1'000u", 1000),
            ("0x1Ful", 31),
            ("0b101", 5),
            ("017", 15),
            ("-1", -1),
            ("0xFFFFFFFFFFFFFFFFui64", 0xFFFF_FFFF_FFFF_FFFF),
        ] {
            assert_eq!(integer(text), Some(value), "{text}");
        }
        for text in ["1.0", "1e3", "0x", "abc", "", "1f", "12_km"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn characters() {
        assert_eq!(character("'a'"), Some(97));
        assert_eq!(character("L'\\n'"), Some(10));
        assert_eq!(character("'\\x41'"), Some(65));
        assert_eq!(character("'\\0'"), Some(0));
        assert_eq!(character("'ab'"), None);
        assert_eq!(character("'"), None);
    }

    #[test]
    fn strings() {
        assert_eq!(string("L\"a b\""), "a b");
        assert_eq!(string("R\"x(a\")x\""), "a\"");
        assert_eq!(string("\"\""), "");
    }
}
