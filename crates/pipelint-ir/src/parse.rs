//! The text form read back: a function.

use pipelint_source::{FileId, Span};
use rustc_hash::FxHashMap;

use crate::lex::{Cursor, TextError, Token};
use crate::parse_stmt::{block, comparison, keyword, named};
use crate::print::implied_class;
use crate::words::is_reserved;
use crate::{
    Block, Cond, Const, Function, FunctionKind, Gap, GapReason, Local, LocalId, LocalKind, Name,
    Operand, PlaceTable, Reference, SourceMap, Terminator, Type, Wholeness,
};

/// Reads one function in the form that [`print_function`](crate::print_function) writes. Empty lines
/// and lines that begin with `//` are skipped. All spans are empty.
///
/// # Errors
///
/// Names the line and what was expected there.
pub fn parse_function(text: &str) -> Result<Function, TextError> {
    let mut lines = Lines::new(text);
    let Some(header) = lines.next() else {
        return Err(lines.ended("a function"));
    };
    let function = function(header, &mut lines)?;
    match lines.next() {
        None => Ok(function),
        Some(line) => Err(line.wrong("nothing after the function")),
    }
}

/// The lines of a text that say something.
pub(crate) struct Lines<'t> {
    lines: std::iter::Zip<std::ops::RangeFrom<u32>, std::str::Lines<'t>>,
    last: u32,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            lines: (1u32..).zip(text.lines()),
            last: 1,
        }
    }

    pub(crate) fn next(&mut self) -> Option<Cursor<'t>> {
        let (line, text) = self.lines.find(|(_, text)| {
            let text = text.trim_start();
            !text.is_empty() && !text.starts_with("//")
        })?;
        self.last = line;
        Some(Cursor::new(line, text))
    }

    pub(crate) fn ended(&self, expected: &str) -> TextError {
        TextError {
            line: self.last,
            expected: expected.into(),
            found: "the end of the text".into(),
        }
    }
}

/// A function's kind, if one stands here.
pub(crate) fn kind(line: &mut Cursor<'_>) -> Option<FunctionKind> {
    let before = line.clone();
    if line.takes_word("static") {
        if line.takes_word("method") {
            return Some(FunctionKind::StaticMethod);
        }
        *line = before;
        return None;
    }
    [
        ("fn", FunctionKind::Free),
        ("method", FunctionKind::Method),
        ("constructor", FunctionKind::Constructor),
        ("destructor", FunctionKind::Destructor),
        ("lambda", FunctionKind::Lambda),
        ("fieldinit", FunctionKind::FieldInit),
    ]
    .into_iter()
    .find_map(|(word, kind)| line.takes_word(word).then_some(kind))
}

/// A type.
pub(crate) fn ty(line: &mut Cursor<'_>) -> Result<Type, TextError> {
    let mut ty = Type {
        is_const: line.takes_word("const"),
        is_volatile: line.takes_word("volatile"),
        ..Type::default()
    };
    if !line.takes("?") {
        let mut name = line.name("a type, or `?`")?;
        while let Ok(Token::Word(word)) = line.peek() {
            let around = [
                "partial",
                "given",
                "of",
                "noreturn",
                "virtual",
                "deleted",
                "defaulted",
                "private",
            ];
            if around.contains(&word.as_str()) {
                break;
            }
            line.takes_word(&word);
            name.push(' ');
            name.push_str(&word);
        }
        ty.name = name.into();
    }
    if line.takes("<") {
        ty.args = line
            .list(">", Cursor::argument)?
            .into_iter()
            .map(Name::from)
            .collect();
    }
    let counted = |line: &Cursor<'_>, count: u8| {
        count
            .checked_add(1)
            .ok_or_else(|| line.wrong("fewer than 256 of these"))
    };
    while line.takes("*") {
        ty.pointers = counted(line, ty.pointers)?;
    }
    if line.takes("&&") {
        ty.reference = Reference::Rvalue;
    } else if line.takes("&") {
        ty.reference = Reference::Shared;
    }
    while line.takes("[") {
        if !line.takes("]") {
            let before = line.clone();
            let length = match line.next()? {
                Token::Int(n) => u64::try_from(n).ok(),
                _ => None,
            };
            let (Some(length), 0) = (length, ty.arrays) else {
                return Err(before.wrong("`]`, or the length of the outermost array"));
            };
            ty.array_len = Some(length);
            line.mark("]")?;
        }
        ty.arrays = counted(line, ty.arrays)?;
    }
    Ok(ty)
}

/// A constant, if what stands here can be nothing else.
pub(crate) fn constant(line: &mut Cursor<'_>) -> Result<Option<Const>, TextError> {
    let before = line.clone();
    let found = match line.next()? {
        Token::Str(text) => Const::Str(text.into()),
        Token::Int(value) => match i128::try_from(value) {
            Ok(value) => Const::Int(value),
            Err(_) => return Err(before.wrong("a number of at most 127 bits")),
        },
        Token::Mark("-") => match line.next()? {
            Token::Int(value) => match 0i128.checked_sub_unsigned(value) {
                Some(value) => Const::Int(value),
                None => return Err(before.wrong("a number of at most 127 bits")),
            },
            _ => return Err(before.wrong("a value")),
        },
        Token::Prefix("const::") => Const::Named(line.name("a constant's name")?.into()),
        Token::Word(word) if word == "null" && !line.glued => Const::Null,
        Token::Word(word) if word == "other" && !line.glued => Const::Other,
        Token::Word(word) if word == "fn" && !line.glued => {
            Const::Function(line.name("a function's name")?.into())
        }
        _ => {
            *line = before;
            return Ok(None);
        }
    };
    Ok(Some(found))
}

/// A gap's reason.
pub(crate) fn reason(line: &mut Cursor<'_>) -> Result<GapReason, TextError> {
    if line.takes_word("syntax") {
        Ok(GapReason::Syntax)
    } else if line.takes_word("unsupported") {
        Ok(GapReason::Unsupported(line.name("a construct")?.into()))
    } else if line.takes_word("bound") {
        Ok(GapReason::Bound(line.name("a bound")?.into()))
    } else if line.takes_word("too") {
        line.mark("-")?;
        if line.takes_word("deep") {
            Ok(GapReason::TooDeep)
        } else {
            line.word("large").map(|()| GapReason::TooLarge)
        }
    } else {
        Err(line.wrong("`syntax`, `unsupported`, `too-deep`, `too-large` or `bound`"))
    }
}

/// A function whose header is on this line.
pub(crate) fn function(mut line: Cursor<'_>, lines: &mut Lines<'_>) -> Result<Function, TextError> {
    let mut parser = Parser::header(&mut line)?;
    loop {
        let Some(mut line) = lines.next() else {
            return Err(lines.ended("a statement, or `}`"));
        };
        if line.takes("}") {
            line.end()?;
            return parser.finish(&line);
        }
        parser.line(&mut line)?;
        line.end()?;
    }
}

/// Reads the lines of one function.
pub(crate) struct Parser {
    pub(crate) function: Function,
    /// Locals that are written by their name alone.
    pub(crate) bare: FxHashMap<Name, LocalId>,
    /// The block that is being read has no terminator yet.
    open: bool,
}

impl Parser {
    fn header(line: &mut Cursor<'_>) -> Result<Self, TextError> {
        let internal = line.takes_word("internal");
        let private = line.takes_word("private");
        let noreturn = line.takes_word("noreturn");
        let Some(kind) = kind(line) else {
            return Err(line.wrong("a function: `fn`, `method`, `constructor`, …"));
        };
        let name: Name = line.name("the function's name")?.into();
        let class = if line.takes_word("of") {
            if line.takes_word("no") {
                line.word("class")?;
                None
            } else {
                Some(line.name("a class, or `no class`")?.into())
            }
        } else {
            implied_class(&name, kind)
        };
        let mut parser = Self {
            function: Function {
                name,
                class,
                kind,
                internal,
                private,
                noreturn,
                ret: Type::default(),
                params: 0,
                locals: Vec::new(),
                places: PlaceTable::default(),
                blocks: Vec::new(),
                gaps: Vec::new(),
                wholeness: Wholeness::Whole,
                map: SourceMap::default(),
            },
            bare: FxHashMap::default(),
            open: false,
        };
        line.mark("(")?;
        line.list(")", |line| parser.declare(line, LocalKind::Param))?;
        parser.function.params = u32::try_from(parser.function.locals.len()).unwrap_or(u32::MAX);
        line.mark("->")?;
        parser.function.ret = ty(line)?;
        if line.takes_word("partial") {
            parser.function.wholeness = Wholeness::Partial;
        } else if line.takes_word("given") {
            line.mark("-")?;
            line.word("up")?;
            parser.function.wholeness = Wholeness::GivenUp;
        }
        line.mark("{")?;
        line.end()?;
        Ok(parser)
    }

    fn finish(mut self, line: &Cursor<'_>) -> Result<Function, TextError> {
        if self.open {
            return Err(line.wrong("a terminator of the last block before it ends"));
        }
        let empty = Span::new(FileId(0), 0, 0);
        let f = &mut self.function;
        f.map = SourceMap {
            name: empty,
            whole: empty,
            locals: vec![empty; f.locals.len()],
            stmts: f
                .blocks
                .iter()
                .map(|b| vec![empty; b.stmts.len()])
                .collect(),
            terms: vec![empty; f.blocks.len()],
        };
        crate::validate(f).map_err(|wrong| TextError {
            line: line.line,
            expected: "a function that holds together".into(),
            found: wrong,
        })?;
        Ok(self.function)
    }

    /// `name: TYPE @SAL`.
    fn declare(&mut self, line: &mut Cursor<'_>, kind: LocalKind) -> Result<(), TextError> {
        let before = line.clone();
        let index = u32::try_from(self.function.locals.len()).unwrap_or(u32::MAX);
        let (name, number) = named(line)?;
        if number.is_some_and(|n| n != index) || (name.is_none() && number.is_none()) {
            return Err(before.wrong(format!("a local that is number {index}")));
        }
        if let (Some(name), None) = (&name, number) {
            let taken = is_reserved(name) || self.bare.contains_key(name.as_str());
            if taken {
                return Err(before.wrong(format!("a new name, or `{name}%{index}`")));
            }
            self.bare.insert(Name::new(name), LocalId(index));
        }
        line.mark(":")?;
        let mut local = Local {
            name: name.unwrap_or_default().into(),
            ty: ty(line)?,
            kind,
            sal: Vec::new(),
        };
        while line.takes("@") {
            local.sal.push(line.name("a SAL word")?.into());
        }
        self.function.locals.push(local);
        Ok(())
    }

    /// A line of the body.
    fn line(&mut self, line: &mut Cursor<'_>) -> Result<(), TextError> {
        let before = line.clone();
        if self.function.blocks.is_empty() {
            let kinds = [
                ("let", LocalKind::Auto),
                ("static", LocalKind::Static),
                ("temp", LocalKind::Temp),
            ];
            for (word, kind) in kinds {
                if line.takes_word(word) {
                    return self.declare(line, kind);
                }
            }
            let next = self.function.gaps.len();
            if line.numbered("gap").is_ok_and(|n| n as usize == next) {
                let reason = reason(line)?;
                let span = Span::default();
                self.function.gaps.push(Gap { span, reason });
                return Ok(());
            }
            *line = before.clone();
        }
        let next = self.function.blocks.len();
        if let Ok(number) = line.numbered("bb")
            && line.takes(":")
        {
            if self.open {
                return Err(before.wrong("the last block's terminator"));
            }
            if number as usize != next {
                return Err(before.wrong(format!("`bb{next}:`")));
            }
            let unwind = line.takes_word("unwind").then(|| block(line)).transpose()?;
            self.function.blocks.push(Block {
                stmts: Vec::new(),
                term: Terminator::Unreachable,
                unwind,
            });
            self.open = true;
            return Ok(());
        }
        *line = before.clone();
        if !self.open {
            let expected = if next == 0 {
                "`let`, `static`, `temp`, the next gap, or `bb0:`".to_owned()
            } else {
                format!("`bb{next}:` or `}}`")
            };
            return Err(before.wrong(expected));
        }
        if let Some(term) = self.terminator(line)? {
            self.open = false;
            if let Some(block) = self.function.blocks.last_mut() {
                block.term = term;
            }
            return Ok(());
        }
        let stmt = self.statement(line)?;
        if let Some(block) = self.function.blocks.last_mut() {
            block.stmts.push(stmt);
        }
        Ok(())
    }

    fn terminator(&mut self, line: &mut Cursor<'_>) -> Result<Option<Terminator>, TextError> {
        let before = line.clone();
        let Some(word) = keyword(line) else {
            return Ok(None);
        };
        let term = match word.as_str() {
            "goto" => Terminator::Goto(block(line)?),
            "branch" => {
                let lhs = self.operand(line)?;
                let Some(op) = comparison(line) else {
                    return Err(line.wrong("a comparison"));
                };
                let rhs = self.operand(line)?;
                line.mark("?")?;
                let then = block(line)?;
                line.mark(":")?;
                Terminator::Branch {
                    cond: Cond { op, lhs, rhs },
                    then,
                    otherwise: block(line)?,
                }
            }
            "switch" => {
                let on = self.operand(line)?;
                let mut arms = Vec::new();
                line.mark("{")?;
                while !line.takes_word("_") {
                    let before = line.clone();
                    let Operand::Const(value) = self.operand(line)? else {
                        return Err(before.wrong("a constant, or `_`"));
                    };
                    line.mark("=>")?;
                    arms.push((value, block(line)?));
                    line.mark(",")?;
                }
                line.mark("=>")?;
                let default = block(line)?;
                line.mark("}")?;
                Terminator::Switch { on, arms, default }
            }
            "return" if line.end().is_ok() => Terminator::Return(None),
            "return" => Terminator::Return(Some(self.operand(line)?)),
            "unwind" => Terminator::Unwind,
            "unreachable" => Terminator::Unreachable,
            _ => {
                *line = before;
                return Ok(None);
            }
        };
        Ok(Some(term))
    }
}
