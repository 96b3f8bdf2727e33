//! Words and marks of one line of the text form.

use thiserror::Error;

use crate::words::{PREFIXES, argument_length, plain_length};

/// Why a text is not read as IR.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: expected {expected}, found {found}")]
pub struct TextError {
    /// The line, from 1.
    pub line: u32,
    /// What may stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// One word or mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A plain name.
    Word(String),
    /// A name in backquotes.
    Quoted(String),
    /// `%3`.
    Number(u32),
    /// `g::`, `captured::`, `const::`.
    Prefix(&'static str),
    /// A string literal's text.
    Str(String),
    /// Digits.
    Int(u128),
    /// A mark.
    Mark(&'static str),
    /// The end of the line.
    End,
}

const MARKS: &[&str] = &[
    "->", "=>", "==", "!=", "<=", ">=", "<<", ">>", "&&", "(", ")", "[", "]", "{", "}", "<", ">",
    "=", "+", "-", "*", "/", "%", "&", "|", "^", ",", ".", ":", "?", "@",
];

/// A place in one line.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'t> {
    pub(crate) line: u32,
    rest: &'t str,
    /// The last token is a name that a number follows at once: `move%3`.
    pub(crate) glued: bool,
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(line: u32, text: &'t str) -> Self {
        Self {
            line,
            rest: text.trim_start(),
            glued: false,
        }
    }

    /// An error about what stands here.
    pub(crate) fn wrong(&self, expected: impl Into<String>) -> TextError {
        let found = if self.rest.is_empty() {
            "the end of the line".to_owned()
        } else {
            let shown: String = self.rest.chars().take(24).collect();
            format!("`{}`", shown.trim_end())
        };
        TextError {
            line: self.line,
            expected: expected.into(),
            found,
        }
    }

    /// The next token; the cursor stays.
    pub(crate) fn peek(&self) -> Result<Token, TextError> {
        self.clone().next()
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Result<Token, TextError> {
        let text = self.rest;
        let Some(first) = text.chars().next() else {
            return Ok(Token::End);
        };
        let (token, length) = if let Some(prefix) = PREFIXES.iter().find(|p| text.starts_with(**p))
        {
            (Token::Prefix(prefix), prefix.len())
        } else if first == '`' {
            let (inside, length) = self.quoted(text, true)?;
            (Token::Quoted(inside), length)
        } else if text.starts_with("e\"") {
            let (inside, length) = self.quoted(&text[1..], true)?;
            (Token::Str(inside), length + 1)
        } else if first == '"' {
            let (inside, length) = self.quoted(text, false)?;
            (Token::Str(inside), length)
        } else if first.is_ascii_digit() {
            let digits = digits(text);
            let value = text[..digits].parse();
            let value = value.map_err(|_| self.wrong("a number of at most 128 bits"))?;
            (Token::Int(value), digits)
        } else if first == '%' && digits(&text[1..]) > 0 {
            let end = 1 + digits(&text[1..]);
            let value = text[1..end].parse();
            let value = value.map_err(|_| self.wrong("a local's number"))?;
            (Token::Number(value), end)
        } else if plain_length(text) > 0 {
            let length = plain_length(text);
            (Token::Word(text[..length].to_owned()), length)
        } else if let Some(mark) = MARKS.iter().find(|m| text.starts_with(**m)) {
            (Token::Mark(mark), mark.len())
        } else {
            return Err(self.wrong("a name, a number or a mark"));
        };
        self.rest = &text[length..];
        let name = matches!(token, Token::Word(_) | Token::Quoted(_));
        self.glued = name && self.rest.strip_prefix('%').is_some_and(|n| digits(n) > 0);
        self.rest = self.rest.trim_start();
        Ok(token)
    }

    /// Text between quotes; in escaped text `\n`, `\r` and the backslash itself are undone.
    fn quoted(&self, text: &str, escaped: bool) -> Result<(String, usize), TextError> {
        let mut inside = String::new();
        let mut chars = text.char_indices();
        let quote = chars.next().map_or('"', |(_, c)| c);
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => return Ok((inside, at + c.len_utf8())),
                '\\' => {
                    let next = chars.next().map(|(_, c)| c);
                    if !escaped {
                        inside.push('\\');
                    }
                    match next {
                        Some('n') if escaped => inside.push('\n'),
                        Some('r') if escaped => inside.push('\r'),
                        Some(next) => inside.push(next),
                        None => {}
                    }
                }
                c => inside.push(c),
            }
        }
        Err(self.wrong(format!("text that ends in {quote}")))
    }

    /// Takes a mark if it stands here.
    pub(crate) fn takes(&mut self, mark: &str) -> bool {
        let here = matches!(self.peek(), Ok(Token::Mark(m)) if m == mark);
        if here {
            let _ = self.next();
        }
        here
    }

    /// Takes a mark.
    pub(crate) fn mark(&mut self, mark: &str) -> Result<(), TextError> {
        if self.takes(mark) {
            Ok(())
        } else {
            Err(self.wrong(format!("`{mark}`")))
        }
    }

    /// Takes a word if it stands here.
    pub(crate) fn takes_word(&mut self, word: &str) -> bool {
        let here = matches!(self.peek(), Ok(Token::Word(w)) if w == word);
        if here {
            let _ = self.next();
        }
        here
    }

    /// Takes a word.
    pub(crate) fn word(&mut self, word: &str) -> Result<(), TextError> {
        if self.takes_word(word) {
            Ok(())
        } else {
            Err(self.wrong(format!("`{word}`")))
        }
    }

    /// Takes a name, plain or in backquotes.
    pub(crate) fn name(&mut self, what: &str) -> Result<String, TextError> {
        let before = self.clone();
        match self.next()? {
            Token::Word(name) | Token::Quoted(name) if !self.glued => Ok(name),
            _ => Err(before.wrong(what)),
        }
    }

    /// Takes `WORD3`, a word with a number at its end.
    pub(crate) fn numbered(&mut self, word: &str) -> Result<u32, TextError> {
        let before = self.clone();
        let wrong = || before.wrong(format!("`{word}` with a number"));
        match self.next() {
            Ok(Token::Word(found)) => {
                let number = found.strip_prefix(word).and_then(|n| n.parse().ok());
                number.ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }

    /// Takes items up to `close`, with commas between them.
    pub(crate) fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, TextError>,
    ) -> Result<Vec<T>, TextError> {
        let mut items = Vec::new();
        if self.takes(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.takes(close) {
                return Ok(items);
            }
            if !self.takes(",") {
                return Err(self.wrong(format!("`,` or `{close}`")));
            }
        }
    }

    /// Takes a template argument as written.
    pub(crate) fn argument(&mut self) -> Result<String, TextError> {
        if self.rest.starts_with('`') {
            return self.name("a template argument");
        }
        let length = argument_length(self.rest);
        if length == 0 {
            return Err(self.wrong("a template argument"));
        }
        let argument = self.rest[..length].trim_end().to_owned();
        self.rest = &self.rest[length..];
        Ok(argument)
    }

    /// Nothing more may stand on the line.
    pub(crate) fn end(&self) -> Result<(), TextError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.wrong("the end of the line"))
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
