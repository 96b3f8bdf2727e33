//! The text form read back: statements, values and places.

use crate::lex::{Cursor, TextError, Token};
use crate::parse::{Parser, constant, ty};
use crate::words::{is_bare_constant, is_identifier, is_reserved};
use crate::{
    Base, BinOp, BlockId, Callee, CmpOp, Cond, Const, DropKind, LocalId, Mark, Operand, Place,
    PlaceId, Proj, Rvalue, Statement,
};

const A_VALUE: &str = "a value: a place, a number, a string, `null`, `NAMED`, `const::name`";

/// Takes a reserved word that is not the name of a local with a number.
pub(crate) fn keyword(line: &mut Cursor<'_>) -> Option<String> {
    let mut after = line.clone();
    let Ok(Token::Word(word)) = after.next() else {
        return None;
    };
    if !is_reserved(&word) || after.glued {
        return None;
    }
    *line = after;
    Some(word)
}

/// Takes `bb3`.
pub(crate) fn block(line: &mut Cursor<'_>) -> Result<BlockId, TextError> {
    line.numbered("bb").map(BlockId)
}

/// Takes a local as written: its name, its number.
pub(crate) fn named(line: &mut Cursor<'_>) -> Result<(Option<String>, Option<u32>), TextError> {
    let before = line.clone();
    let name = match line.next()? {
        Token::Number(number) => return Ok((None, Some(number))),
        Token::Word(word) if is_identifier(&word) => word,
        Token::Quoted(name) if line.glued => name,
        _ => return Err(before.wrong("a local: `name`, `name%3` or `%3`")),
    };
    let number = match line.glued {
        true => match line.next()? {
            Token::Number(number) => Some(number),
            _ => None,
        },
        false => None,
    };
    Ok((Some(name), number))
}

pub(crate) fn comparison(line: &mut Cursor<'_>) -> Option<CmpOp> {
    [
        ("==", CmpOp::Eq),
        ("!=", CmpOp::Ne),
        ("<=", CmpOp::Le),
        (">=", CmpOp::Ge),
        ("<", CmpOp::Lt),
        (">", CmpOp::Gt),
    ]
    .into_iter()
    .find_map(|(mark, op)| line.takes(mark).then_some(op))
}

fn arithmetic(line: &mut Cursor<'_>) -> Option<BinOp> {
    [
        ("+", BinOp::Add),
        ("-", BinOp::Sub),
        ("*", BinOp::Mul),
        ("/", BinOp::Div),
        ("%", BinOp::Rem),
        ("&", BinOp::BitAnd),
        ("|", BinOp::BitOr),
        ("^", BinOp::BitXor),
        ("<<", BinOp::Shl),
        (">>", BinOp::Shr),
    ]
    .into_iter()
    .find_map(|(mark, op)| line.takes(mark).then_some(op))
}

impl Parser {
    /// The number of a declared local.
    fn local(&self, line: &mut Cursor<'_>) -> Result<LocalId, TextError> {
        let before = line.clone();
        let (name, number) = named(line)?;
        let found = match (&name, number) {
            (Some(name), None) => self.bare.get(name.as_str()).copied(),
            (_, Some(number)) => {
                let local = self.function.locals.get(number as usize);
                let same = local.is_some_and(|l| l.name == name.as_deref().unwrap_or_default());
                same.then_some(LocalId(number))
            }
            (None, None) => None,
        };
        found.ok_or_else(|| before.wrong("a declared local"))
    }

    fn place(&mut self, line: &mut Cursor<'_>) -> Result<PlaceId, TextError> {
        let place = self.whole_place(line)?;
        Ok(self.function.places.intern(place))
    }

    fn whole_place(&mut self, line: &mut Cursor<'_>) -> Result<Place, TextError> {
        let mut open = 0usize;
        while line.takes("(") {
            line.mark("*")?;
            open += 1;
        }
        let mut after = line.clone();
        let base = match after.next()? {
            Token::Prefix("g::") => Base::Global(after.name("a global's name")?.into()),
            Token::Prefix("captured::") => Base::Captured(after.name("a variable's name")?.into()),
            Token::Word(word) if word == "self" && !after.glued => Base::SelfObj,
            _ => Base::Local(self.local(line)?),
        };
        if !matches!(base, Base::Local(_)) {
            *line = after;
        }
        let mut place = Place::from_base(base);
        loop {
            if line.takes(".") {
                let field = line.name("a field's name")?;
                place.proj.push(Proj::Field(field.into()));
            } else if line.takes("[") {
                let before = line.clone();
                let index = if line.takes_word("_") {
                    None
                } else {
                    match constant(line)? {
                        Some(Const::Int(i)) => i64::try_from(i).ok(),
                        _ => None,
                    }
                    .ok_or_else(|| before.wrong("a 64-bit index, or `_`"))
                    .map(Some)?
                };
                place.proj.push(Proj::Index(index));
                line.mark("]")?;
            } else if open > 0 {
                line.mark(")")?;
                open -= 1;
                place.proj.push(Proj::Deref);
            } else {
                return Ok(place);
            }
        }
    }

    pub(crate) fn operand(&mut self, line: &mut Cursor<'_>) -> Result<Operand, TextError> {
        if let Some(value) = constant(line)? {
            return Ok(Operand::Const(value));
        }
        let mut after = line.clone();
        match after.next()? {
            Token::Word(word) if word == "move" && !after.glued => {
                *line = after;
                return Ok(Operand::Move(self.place(line)?));
            }
            Token::Word(word) if !after.glued && is_bare_constant(&word) => {
                if !self.bare.contains_key(word.as_str()) {
                    *line = after;
                    return Ok(Operand::Const(Const::Named(word.into())));
                }
            }
            Token::Word(_)
            | Token::Quoted(_)
            | Token::Number(_)
            | Token::Prefix(_)
            | Token::Mark("(") => {}
            _ => return Err(line.wrong(A_VALUE)),
        }
        Ok(Operand::Copy(self.place(line)?))
    }

    fn operands(&mut self, line: &mut Cursor<'_>) -> Result<Vec<Operand>, TextError> {
        line.mark("(")?;
        line.list(")", |line| self.operand(line))
    }

    pub(crate) fn statement(&mut self, line: &mut Cursor<'_>) -> Result<Statement, TextError> {
        let before = line.clone();
        if let Some(call) = self.call(line, None)? {
            return Ok(call);
        }
        match keyword(line).as_deref() {
            Some("drop") => Ok(Statement::Drop {
                place: self.place(line)?,
                kind: DropKind::Scope,
            }),
            Some("delete") => Ok(Statement::Drop {
                place: self.place(line)?,
                kind: DropKind::Delete,
            }),
            Some("assert") => {
                let lhs = self.operand(line)?;
                let Some(op) = comparison(line) else {
                    return Err(line.wrong("a comparison"));
                };
                let rhs = self.operand(line)?;
                Ok(Statement::Assert(Cond { op, lhs, rhs }))
            }
            Some("live") => Ok(Statement::Mark(Mark::Live(self.local(line)?))),
            Some("dead") => Ok(Statement::Mark(Mark::Dead(self.local(line)?))),
            Some("loop") => {
                line.mark("-")?;
                line.word("head")?;
                Ok(Statement::Mark(Mark::LoopHead))
            }
            Some("suspend") => Ok(Statement::Mark(Mark::Suspend)),
            Some("async") => Ok(Statement::Mark(Mark::Async)),
            Some("logged") => Ok(Statement::Mark(Mark::Logged)),
            Some("shown") => Ok(Statement::Mark(Mark::Shown(self.place(line)?))),
            Some("may") => {
                line.mark("-")?;
                line.word("end")?;
                Ok(Statement::Mark(Mark::MayEnd(self.place(line)?)))
            }
            Some("unsafe") => {
                line.mark("-")?;
                let enters = line.takes_word("begin");
                if !enters {
                    line.word("end")?;
                }
                Ok(Statement::Mark(Mark::Unsafe(enters)))
            }
            Some("opaque") => {
                let gap = line.numbered("gap")?;
                line.mark("[")?;
                let touches = line.list("]", |line| self.place(line))?;
                Ok(Statement::Opaque { touches, gap })
            }
            Some("self") | None => {
                *line = before;
                let dst = self.place(line)?;
                line.mark("=")?;
                match self.call(line, Some(dst))? {
                    Some(call) => Ok(call),
                    None => {
                        let value = self.rvalue(line)?;
                        Ok(Statement::Assign { dst, value })
                    }
                }
            }
            Some(_) => Err(before.wrong("a statement")),
        }
    }

    /// A call, if one stands here.
    fn call(
        &mut self,
        line: &mut Cursor<'_>,
        dst: Option<PlaceId>,
    ) -> Result<Option<Statement>, TextError> {
        let before = line.clone();
        let mut word = keyword(line);
        let voided = word.as_deref() == Some("voided");
        if voided {
            word = keyword(line);
        }
        let callee = match word.as_deref() {
            Some("call") => Callee::Function(line.name("a function's name")?.into()),
            Some("method") => {
                let mut receiver = self.whole_place(line)?;
                let Some(Proj::Field(name)) = receiver.proj.pop() else {
                    return Err(line.wrong("`.` and a method's name before the arguments"));
                };
                let of = line.takes_word("of");
                Callee::Method {
                    receiver: self.function.places.intern(receiver),
                    name,
                    ty: if of { Some(Box::new(ty(line)?)) } else { None },
                }
            }
            Some("construct") => Callee::Constructor(Box::new(ty(line)?)),
            Some("new") => Callee::New(Box::new(ty(line)?)),
            Some("pointer") => Callee::Pointer(self.operand(line)?),
            _ if voided => return Err(line.wrong("a call")),
            _ => {
                *line = before;
                return Ok(None);
            }
        };
        Ok(Some(Statement::Call {
            dst,
            callee,
            args: self.operands(line)?,
            voided,
        }))
    }

    fn rvalue(&mut self, line: &mut Cursor<'_>) -> Result<Rvalue, TextError> {
        if line.takes("&") {
            return Ok(Rvalue::Ref(self.place(line)?));
        }
        if line.takes("{") {
            let items = line.list("}", |line| {
                let mut name = None;
                if line.takes(".") {
                    name = Some(line.name("a field's name")?.into());
                    line.mark("=")?;
                }
                Ok((name, self.operand(line)?))
            })?;
            return Ok(Rvalue::Aggregate(items));
        }
        let before = line.clone();
        match keyword(line).as_deref() {
            Some("closure") => {
                let name = line.name("a lambda's name")?.into();
                line.mark("[")?;
                let captures = line.list("]", |line| {
                    let by_reference = line.takes("&");
                    Ok((self.place(line)?, by_reference))
                })?;
                return Ok(Rvalue::Closure(name, captures));
            }
            Some("unknown") => return Ok(Rvalue::Unknown(self.operands(line)?)),
            _ => *line = before,
        }
        let lhs = self.operand(line)?;
        if line.takes_word("as") {
            return Ok(Rvalue::Cast(Box::new(ty(line)?), lhs));
        }
        if let Some(op) = comparison(line) {
            let rhs = self.operand(line)?;
            return Ok(Rvalue::Compare(Cond { op, lhs, rhs }));
        }
        if let Some(op) = arithmetic(line) {
            return Ok(Rvalue::Binary(op, lhs, self.operand(line)?));
        }
        Ok(Rvalue::Use(lhs))
    }
}
