//! A small lexer for C and C++: just enough to know what is a comment, a literal, a directive.

/// What a token is, as far as the structure of declarations and statements needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name with lower-case letters.
    Ident,
    /// A name all in capitals, or one that begins with two underscores: perhaps a macro.
    Caps,
    /// A name all in capitals that is known to be a type.
    CapsType,
    Num,
    Str,
    Char,
    /// `class`, `struct`, `union`.
    Class,
    Enum,
    Namespace,
    Template,
    /// `int`, `void`, `auto` and the like.
    Builtin,
    /// `static`, `const`, `typedef` and the like.
    Spec,
    /// `if`, `while`, `for`, `switch`, `catch`: a parenthesis and a statement follow.
    Ctrl,
    /// `else`, `do`: a statement follows.
    Else,
    Try,
    /// `return`, `goto`, `throw` and the like: they begin a statement.
    Jump,
    /// `case`, `default`.
    Case,
    /// `public`, `private`, `protected`.
    Access,
    Using,
    Operator,
    /// `noexcept`, `override`, `final`, `mutable`: they follow a parameter list.
    After,
    /// `new`, `delete`, `sizeof`, casts and other words of expressions.
    Expr,
    Extern,
    LParen,
    RParen,
    LBrace,
    RBrace,
    LBrack,
    RBrack,
    Semi,
    Comma,
    Colon,
    /// `::`
    Scope,
    /// `->`
    Arrow,
    Dot,
    Star,
    Amp,
    Lt,
    Gt,
    Eq,
    Tilde,
    Other,
}

/// What the lexer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A token; a name is `Ident` or `Caps`, by its letters.
    Token(Kind, usize, usize),
    /// A directive, from `#` to the end of its last line, the newline left out.
    Directive(usize, usize),
}

const SPACE: u8 = 1;
const START: u8 = 2;
const DIGIT: u8 = 4;
const LOWER: u8 = 8;

const CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match byte {
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c => SPACE,
            b'a'..=b'z' | 0x80..=0xff => START | LOWER,
            b'A'..=b'Z' | b'_' | b'$' => START,
            b'0'..=b'9' => DIGIT,
            _ => 0,
        };
        at += 1;
    }
    table
};

/// True for a byte that continues a name.
pub(crate) fn is_name(byte: u8) -> bool {
    CLASS[usize::from(byte)] & (START | DIGIT) != 0
}

/// Walks the text once.
pub(crate) struct Lexer<'a> {
    src: &'a [u8],
    pos: usize,
    at_line_start: bool,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(src: &'a [u8]) -> Self {
        // A byte order mark that the decoder left is no token.
        let pos = if src.starts_with(&[0xef, 0xbb, 0xbf]) {
            3
        } else {
            0
        };
        Self {
            src,
            pos,
            at_line_start: true,
        }
    }

    /// For text that stands within a line, as a macro's body does: a `#` begins no directive.
    pub(crate) fn within_line(src: &'a [u8]) -> Self {
        Self {
            src,
            pos: 0,
            at_line_start: false,
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.src.get(at).copied().unwrap_or(0)
    }

    /// The next token or directive.
    pub(crate) fn next(&mut self) -> Option<Piece> {
        loop {
            let start = self.pos;
            let &first = self.src.get(start)?;
            let class = CLASS[usize::from(first)];
            if class & SPACE != 0 {
                self.pos += 1;
                continue;
            }
            if first == b'\n' {
                self.pos += 1;
                self.at_line_start = true;
                continue;
            }
            let second = self.byte(start + 1);
            if first == b'/' && second == b'/' {
                self.pos = line_comment_end(self.src, start + 2);
                continue;
            }
            if first == b'/' && second == b'*' {
                self.pos = block_comment_end(self.src, start + 2);
                continue;
            }
            if first == b'\\' && (second == b'\n' || second == b'\r') {
                self.pos += if second == b'\r' && self.byte(start + 2) == b'\n' {
                    3
                } else {
                    2
                };
                continue;
            }
            if first == b'#' && self.at_line_start {
                let end = directive_end(self.src, start + 1);
                self.pos = end;
                return Some(Piece::Directive(start, end));
            }
            self.at_line_start = false;
            let kind = if class & START != 0 {
                self.name(start)
            } else if class & DIGIT != 0
                || (first == b'.' && CLASS[usize::from(second)] & DIGIT != 0)
            {
                self.pos = number_end(self.src, start);
                Kind::Num
            } else {
                self.punctuation(first, second)
            };
            return Some(Piece::Token(kind, start, self.pos));
        }
    }

    fn name(&mut self, start: usize) -> Kind {
        let mut at = start;
        let mut seen = 0;
        while let Some(&byte) = self.src.get(at) {
            let class = CLASS[usize::from(byte)];
            if class & (START | DIGIT) == 0 {
                break;
            }
            seen |= class;
            at += 1;
        }
        self.pos = at;
        let quote = self.byte(at);
        let text = &self.src[start..at];
        if quote == b'"' && matches!(text, b"L" | b"u" | b"U" | b"u8") {
            self.pos = string_end(self.src, at);
            return Kind::Str;
        }
        if quote == b'"' && matches!(text, b"R" | b"LR" | b"uR" | b"UR" | b"u8R") {
            self.pos = raw_string_end(self.src, at);
            return Kind::Str;
        }
        if quote == b'\'' && matches!(text, b"L" | b"u" | b"U" | b"u8") {
            self.pos = quoted_end(self.src, at + 1, b'\'');
            return Kind::Char;
        }
        if seen & LOWER == 0 && at - start > 1 || text.starts_with(b"__") {
            Kind::Caps
        } else {
            Kind::Ident
        }
    }

    fn punctuation(&mut self, first: u8, second: u8) -> Kind {
        self.pos += 1;
        match first {
            b'"' => {
                self.pos = string_end(self.src, self.pos - 1);
                Kind::Str
            }
            b'\'' => {
                self.pos = quoted_end(self.src, self.pos, b'\'');
                Kind::Char
            }
            b'(' => Kind::LParen,
            b')' => Kind::RParen,
            b'{' => Kind::LBrace,
            b'}' => Kind::RBrace,
            b'[' => Kind::LBrack,
            b']' => Kind::RBrack,
            b';' => Kind::Semi,
            b',' => Kind::Comma,
            b':' if second == b':' => {
                self.pos += 1;
                Kind::Scope
            }
            b':' => Kind::Colon,
            b'-' if second == b'>' => {
                self.pos += 1;
                Kind::Arrow
            }
            b'.' if second == b'.' && self.byte(self.pos + 1) == b'.' => {
                self.pos += 2;
                Kind::Other
            }
            b'.' => Kind::Dot,
            b'*' => Kind::Star,
            b'&' if second == b'&' => {
                self.pos += 1;
                Kind::Amp
            }
            b'&' => Kind::Amp,
            b'<' if second == b'<' || second == b'=' => {
                self.pos += 1;
                Kind::Other
            }
            b'<' => Kind::Lt,
            b'>' if second == b'=' => {
                self.pos += 1;
                Kind::Other
            }
            b'>' => Kind::Gt,
            b'=' if second == b'=' => {
                self.pos += 1;
                Kind::Other
            }
            b'=' => Kind::Eq,
            b'!' | b'+' | b'-' | b'/' | b'%' | b'^' | b'|' if second == b'=' => {
                self.pos += 1;
                Kind::Other
            }
            b'~' => Kind::Tilde,
            _ => Kind::Other,
        }
    }
}

/// The end of a line comment, before its newline; a trailing `\` continues it.
fn line_comment_end(src: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = src.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' => at = after_continuation(src, at).unwrap_or(at + 1),
            _ => at += 1,
        }
    }
    at
}

fn block_comment_end(src: &[u8], from: usize) -> usize {
    let mut at = from;
    while at + 1 < src.len() {
        if src[at] == b'*' && src[at + 1] == b'/' {
            return at + 2;
        }
        at += 1;
    }
    src.len()
}

/// Past a `\` and the newline after it.
fn after_continuation(src: &[u8], at: usize) -> Option<usize> {
    match (src.get(at + 1), src.get(at + 2)) {
        (Some(b'\n'), _) => Some(at + 2),
        (Some(b'\r'), Some(b'\n')) => Some(at + 3),
        _ => None,
    }
}

/// The end of a literal whose opening quote is before `from`. It cannot pass a newline.
fn quoted_end(src: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while let Some(&byte) = src.get(at) {
        if byte == quote {
            return at + 1;
        }
        match byte {
            b'\n' => return at,
            b'\\' => {
                at = after_continuation(src, at).unwrap_or_else(|| match src.get(at + 1) {
                    Some(b'\n') | None => at + 1,
                    Some(_) => at + 2,
                });
            }
            _ => at += 1,
        }
    }
    // An escape at the very end may step past it.
    src.len()
}

/// The end of a string whose opening quote is at `at`, with a user-defined suffix.
fn string_end(src: &[u8], at: usize) -> usize {
    let mut end = quoted_end(src, at + 1, b'"');
    // `"a"PRId64` is a macro, `"a"_L1` and `"a"sv` are suffixes.
    if matches!(src.get(end), Some(b'_' | b'a'..=b'z')) && src[end - 1] == b'"' {
        while src.get(end).is_some_and(|&byte| is_name(byte)) {
            end += 1;
        }
    }
    end
}

/// The end of a raw string whose opening quote is at `at`.
fn raw_string_end(src: &[u8], at: usize) -> usize {
    let from = at + 1;
    // A delimiter has at most 16 characters; without one this is an ordinary string.
    let head = &src[from..src.len().min(from + 17)];
    let Some(len) = head.iter().position(|&byte| byte == b'(') else {
        return string_end(src, at);
    };
    let delimiter = &head[..len];
    let mut end = from + len + 1;
    while end < src.len() {
        if src[end] == b')'
            && src[end + 1..].starts_with(delimiter)
            && src.get(end + 1 + len) == Some(&b'"')
        {
            let mut end = end + len + 2;
            while src.get(end).is_some_and(|&byte| is_name(byte)) {
                end += 1;
            }
            return end;
        }
        end += 1;
    }
    src.len()
}

/// The end of a number: digits, separators, exponents, suffixes.
fn number_end(src: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = src.get(at) {
        let exponent = matches!(byte, b'e' | b'E' | b'p' | b'P')
            && matches!(src.get(at + 1), Some(b'+' | b'-'));
        // In 0xE+1 the sign is an operator.
        let hex = matches!(src.get(from + 1), Some(b'x' | b'X')) && matches!(byte, b'e' | b'E');
        if exponent && !hex {
            at += 2;
        } else if is_name(byte) || byte == b'.' {
            at += 1;
        } else if byte == b'\'' && src.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) {
            at += 2;
        } else {
            break;
        }
    }
    at
}

/// The end of a directive: before the newline that neither a `\` nor a comment carries over.
fn directive_end(src: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = src.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' => at = after_continuation(src, at).unwrap_or(at + 1),
            b'/' if src.get(at + 1) == Some(&b'/') => return line_comment_end(src, at + 2),
            b'/' if src.get(at + 1) == Some(&b'*') => at = block_comment_end(src, at + 2),
            b'"' => at = quoted_end(src, at + 1, b'"'),
            b'\'' => at = quoted_end(src, at + 1, b'\''),
            _ => at += 1,
        }
    }
    at
}

/// A directive's text on one line: continuations removed, each comment one space.
pub(crate) fn flatten(text: &str) -> std::borrow::Cow<'_, str> {
    let src = text.as_bytes();
    let comment = |at: usize| {
        src[at] == b'/' && matches!(src.get(at + 1), Some(b'/' | b'*'))
            || src[at] == b'\\' && after_continuation(src, at).is_some()
    };
    if !(0..src.len()).any(comment) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut kept = 0;
    while at < src.len() {
        let next = match src[at] {
            b'"' | b'\'' => {
                at = quoted_end(src, at + 1, src[at]).min(src.len());
                continue;
            }
            b'\\' => after_continuation(src, at).map(|end| (end, "")),
            b'/' if src.get(at + 1) == Some(&b'/') => Some((line_comment_end(src, at + 2), " ")),
            b'/' if src.get(at + 1) == Some(&b'*') => Some((block_comment_end(src, at + 2), " ")),
            _ => None,
        };
        match next {
            Some((end, with)) => {
                out.push_str(text.get(kept..at).unwrap_or(""));
                out.push_str(with);
                at = end;
                kept = end;
            }
            None => at += 1,
        }
    }
    out.push_str(text.get(kept..).unwrap_or(""));
    out.into()
}
