//! Constant expressions: the conditions of `#if` and the values of `#define`.

use super::lexer::{Kind, Lexer, Piece};

/// Nesting of parentheses and operators that is followed.
const MAX_DEPTH: u32 = 60;

/// A value, or nothing known of it.
pub(crate) type Value = Option<i128>;

/// Where names get their meaning.
pub(crate) trait Names {
    /// The value of a name that is not followed by arguments.
    fn value(&self, name: &str) -> Value;
    /// The value of `name(…)`, with the tokens in its parentheses.
    fn call(&self, name: &str, arguments: &[(Kind, &str)]) -> Value;
    /// Whether the name is defined.
    fn defined(&self, name: &str) -> bool;
    /// Whether `(name)` before an operand is a cast.
    fn casts(&self) -> bool;
}

/// Evaluates `text`; `None` if a part that decides is unknown or it is no expression.
pub(crate) fn evaluate(text: &str, names: &dyn Names) -> Value {
    let tokens = tokens(text);
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        depth: 0,
        names,
    };
    let value = parser.ternary();
    if parser.at < tokens.len() {
        None
    } else {
        value
    }
}

/// The tokens of one line, with the operators that the lexer leaves in parts joined.
pub(crate) fn tokens(text: &str) -> Vec<(Kind, &str)> {
    let mut out: Vec<(Kind, &str)> = Vec::new();
    let mut last_end = 0;
    let mut last_start = 0;
    let mut lexer = Lexer::new(text.as_bytes());
    while let Some(piece) = lexer.next() {
        let (kind, start, end) = match piece {
            Piece::Token(kind, start, end) => (kind, start, end),
            Piece::Directive(start, end) => (Kind::Other, start, end),
        };
        let joins = start == last_end
            && matches!(text.get(last_start..end), Some("||" | ">>"))
            && out.last().is_some();
        if joins {
            out.pop();
            out.push((Kind::Other, text.get(last_start..end).unwrap_or("")));
        } else {
            out.push((kind, text.get(start..end).unwrap_or("")));
        }
        last_start = start;
        last_end = end;
    }
    out
}

struct Parser<'t> {
    tokens: &'t [(Kind, &'t str)],
    at: usize,
    depth: u32,
    names: &'t dyn Names,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> &'t str {
        self.tokens.get(self.at).map_or("", |token| token.1)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.peek() == text;
        if found {
            self.at += 1;
        }
        found
    }

    /// Gives up on the whole expression.
    fn fail(&mut self) -> Value {
        self.at = usize::MAX;
        None
    }

    fn ternary(&mut self) -> Value {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail();
        }
        let cond = self.binary(0);
        let value = if self.eat("?") {
            let yes = self.ternary();
            if !self.eat(":") {
                return self.fail();
            }
            let no = self.ternary();
            match cond {
                Some(0) => no,
                Some(_) => yes,
                None if yes == no => yes,
                None => None,
            }
        } else {
            cond
        };
        self.depth -= 1;
        value
    }

    fn binary(&mut self, least: u8) -> Value {
        let mut left = self.unary();
        loop {
            let op = self.peek();
            let Some(power) = power(op) else { return left };
            if power < least {
                return left;
            }
            self.at += 1;
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return self.fail();
            }
            let right = self.binary(power + 1);
            self.depth -= 1;
            left = apply(op, left, right);
        }
    }

    fn unary(&mut self) -> Value {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail();
        }
        let value = self.unary_inner();
        self.depth -= 1;
        value
    }

    fn unary_inner(&mut self) -> Value {
        let Some(&(kind, text)) = self.tokens.get(self.at) else {
            return self.fail();
        };
        self.at += 1;
        match text {
            "!" => return self.unary().map(|value| i128::from(value == 0)),
            "-" => return self.unary().map(i128::wrapping_neg),
            "+" => return self.unary(),
            "~" => return self.unary().map(|value| !value),
            "(" => return self.parenthesis(),
            "true" => return Some(1),
            "false" => return Some(0),
            "not" => return self.unary().map(|value| i128::from(value == 0)),
            "defined" => {
                let open = self.eat("(");
                let name = self.peek();
                self.at += 1;
                if open && !self.eat(")") {
                    return self.fail();
                }
                return Some(i128::from(self.names.defined(name)));
            }
            _ => {}
        }
        match kind {
            Kind::Num => number(text),
            Kind::Char => character(text),
            Kind::Ident | Kind::Caps => {
                if self.peek() == "(" {
                    let from = self.at;
                    self.skip_group();
                    let arguments = self.tokens.get(from..self.at).unwrap_or(&[]);
                    self.names.call(text, arguments)
                } else {
                    self.names.value(text)
                }
            }
            _ => self.fail(),
        }
    }

    /// After `(`: a cast that is dropped, or an expression.
    fn parenthesis(&mut self) -> Value {
        if self.names.casts() {
            let mut end = self.at;
            while matches!(
                self.tokens.get(end),
                Some((Kind::Ident | Kind::Caps | Kind::Star | Kind::Scope, _))
            ) {
                end += 1;
            }
            let closes = end > self.at && matches!(self.tokens.get(end), Some((Kind::RParen, _)));
            let operand = match self.tokens.get(end + 1) {
                Some((kind, text)) => {
                    matches!(
                        kind,
                        Kind::Num | Kind::LParen | Kind::Ident | Kind::Caps | Kind::Char
                    ) || matches!(*text, "-" | "~" if self.one_word_type(end))
                }
                None => false,
            };
            if closes && operand {
                self.at = end + 1;
                return self.unary();
            }
        }
        let value = self.ternary();
        if self.eat(")") { value } else { self.fail() }
    }

    /// `(A)-1` is a cast unless `A` has a value of its own.
    fn one_word_type(&self, end: usize) -> bool {
        end > self.at + 1
            || self
                .tokens
                .get(self.at)
                .is_some_and(|&(_, name)| self.names.value(name).is_none())
    }

    fn skip_group(&mut self) {
        let mut open = 0u32;
        while let Some((kind, _)) = self.tokens.get(self.at) {
            self.at += 1;
            match kind {
                Kind::LParen => open += 1,
                Kind::RParen => {
                    open -= 1;
                    if open == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}

fn power(op: &str) -> Option<u8> {
    Some(match op {
        "||" | "or" => 1,
        "&&" | "and" => 2,
        "|" => 3,
        "^" => 4,
        "&" => 5,
        "==" | "!=" => 6,
        "<" | ">" | "<=" | ">=" => 7,
        "<<" | ">>" => 8,
        "+" | "-" => 9,
        "*" | "/" | "%" => 10,
        _ => return None,
    })
}

fn apply(op: &str, left: Value, right: Value) -> Value {
    // Half an answer can be enough.
    match (op, left, right) {
        ("&&" | "and", Some(0), _) | ("&&" | "and", _, Some(0)) => return Some(0),
        ("||" | "or", Some(value), _) | ("||" | "or", _, Some(value)) if value != 0 => {
            return Some(1);
        }
        _ => {}
    }
    let (left, right) = (left?, right?);
    let shift = u32::try_from(right).ok().filter(|&by| by < 64);
    match op {
        "||" | "or" => Some(i128::from(left != 0 || right != 0)),
        "&&" | "and" => Some(i128::from(left != 0 && right != 0)),
        "|" => Some(left | right),
        "^" => Some(left ^ right),
        "&" => Some(left & right),
        "==" => Some(i128::from(left == right)),
        "!=" => Some(i128::from(left != right)),
        "<" => Some(i128::from(left < right)),
        ">" => Some(i128::from(left > right)),
        "<=" => Some(i128::from(left <= right)),
        ">=" => Some(i128::from(left >= right)),
        "<<" => shift.map(|by| left.wrapping_shl(by)),
        ">>" => shift.map(|by| left >> by),
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        "%" => left.checked_rem(right),
        _ => None,
    }
}

/// An integer literal with its suffix and separators.
pub(crate) fn number(text: &str) -> Value {
    let text: String = text.chars().filter(|&c| c != '\'').collect();
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let suffix = &digits[end..];
    let known = matches!(
        suffix,
        "" | "u" | "l" | "ul" | "lu" | "ll" | "ull" | "llu" | "z" | "uz"
    ) || matches!(
        suffix,
        "i8" | "i16" | "i32" | "i64" | "ui8" | "ui16" | "ui32" | "ui64"
    );
    if !known {
        return None;
    }
    if end == 0 {
        // `0u`, `0l`: the zero was taken for an octal prefix.
        return (radix == 8).then_some(0);
    }
    i128::from_str_radix(&digits[..end], radix).ok()
}

/// A character literal's value, for the plain ones.
fn character(text: &str) -> Value {
    let inner = text.split_once('\'')?.1.strip_suffix('\'')?;
    let mut chars = inner.chars();
    let value = match (chars.next()?, chars.next(), chars.next()) {
        ('\\', Some(escape), None) => match escape {
            'n' => 10,
            't' => 9,
            'r' => 13,
            '0' => 0,
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'v' => 11,
            '\\' | '\'' | '"' | '?' => u32::from(escape),
            _ => return None,
        },
        (plain, None, None) => u32::from(plain),
        _ => return None,
    };
    Some(i128::from(value))
}
