//! A function as text: compact, stable, and read back by [`parse_function`](crate::parse_function).

use std::fmt::{self, Write};

use rustc_hash::FxHashMap;

use crate::words::{ConstText, NameText, TypeText, is_identifier, is_reserved};
use crate::{
    Base, BinOp, Callee, CmpOp, Cond, DropKind, Function, FunctionKind, GapReason, LocalKind, Mark,
    Name, Operand, PlaceId, Proj, Rvalue, Statement, Terminator, Wholeness,
};

/// A function with its locals, gaps and blocks.
///
/// A local is `name`, or `name%3` where an earlier one has the name or the name is a word of the
/// text form, or `%3` without a name. Names that are no plain `a::b` stand in backquotes, and a
/// constant is `const::name` where the bare name would not be taken for one. Spans are not shown.
pub fn print_function(function: &Function) -> String {
    let mut out = String::new();
    let f = Printer::new(function);
    // Writing to a string does not fail.
    let _ = f.function(&mut out);
    out
}

/// The word for a function's kind.
pub(crate) fn kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Free => "fn",
        FunctionKind::Method => "method",
        FunctionKind::StaticMethod => "static method",
        FunctionKind::Constructor => "constructor",
        FunctionKind::Destructor => "destructor",
        FunctionKind::Lambda => "lambda",
        FunctionKind::FieldInit => "fieldinit",
    }
}

/// The class that a function is taken to belong to when none is written: that of its name.
pub(crate) fn implied_class(name: &str, kind: FunctionKind) -> Option<Name> {
    match kind {
        FunctionKind::Free | FunctionKind::Lambda => None,
        _ => name.rsplit_once("::").map(|(class, _)| Name::new(class)),
    }
}

/// A gap's reason.
pub(crate) struct ReasonText<'a>(pub(crate) &'a GapReason);

impl fmt::Display for ReasonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            GapReason::Syntax => f.write_str("syntax"),
            GapReason::Unsupported(what) => write!(f, "unsupported {}", NameText(what)),
            GapReason::TooDeep => f.write_str("too-deep"),
            GapReason::TooLarge => f.write_str("too-large"),
            GapReason::Bound(what) => write!(f, "bound {}", NameText(what)),
        }
    }
}

fn comparison(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => "==",
        CmpOp::Ne => "!=",
        CmpOp::Lt => "<",
        CmpOp::Le => "<=",
        CmpOp::Gt => ">",
        CmpOp::Ge => ">=",
    }
}

fn arithmetic(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::Div => "/",
        BinOp::Rem => "%",
        BinOp::BitAnd => "&",
        BinOp::BitOr => "|",
        BinOp::BitXor => "^",
        BinOp::Shl => "<<",
        BinOp::Shr => ">>",
    }
}

/// Writes the parts of one function.
pub(crate) struct Printer<'a> {
    function: &'a Function,
    /// Per local: how it is written.
    locals: Vec<String>,
    /// Locals that are written by their name alone.
    bare: FxHashMap<&'a str, ()>,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(function: &'a Function) -> Self {
        let mut bare = FxHashMap::default();
        let mut locals = Vec::with_capacity(function.locals.len());
        for (i, local) in function.locals.iter().enumerate() {
            let name = local.name.as_str();
            locals.push(if name.is_empty() {
                format!("%{i}")
            } else if !is_identifier(name) {
                let mut text = String::new();
                let _ = crate::words::quoted(&mut text, name, '`');
                format!("{text}%{i}")
            } else if is_reserved(name) || bare.insert(name, ()).is_some() {
                format!("{name}%{i}")
            } else {
                name.to_owned()
            });
        }
        Self {
            function,
            locals,
            bare,
        }
    }

    fn function(&self, out: &mut String) -> fmt::Result {
        let function = self.function;
        if function.internal {
            out.push_str("internal ");
        }
        if function.private {
            out.push_str("private ");
        }
        if function.noreturn {
            out.push_str("noreturn ");
        }
        write!(out, "{} {}", kind(function.kind), NameText(&function.name))?;
        if function.class != implied_class(&function.name, function.kind) {
            match &function.class {
                Some(class) => write!(out, " of {}", NameText(class))?,
                None => out.push_str(" of no class"),
            }
        }
        let params = (function.params as usize).min(function.locals.len());
        out.push('(');
        for i in 0..params {
            if i > 0 {
                out.push_str(", ");
            }
            self.declared(out, i)?;
        }
        write!(out, ") -> {}", TypeText(&function.ret))?;
        match function.wholeness {
            Wholeness::Whole => {}
            Wholeness::Partial => out.push_str(" partial"),
            Wholeness::GivenUp => out.push_str(" given-up"),
        }
        out.push_str(" {\n");
        for i in params..function.locals.len() {
            out.push_str(match function.locals[i].kind {
                LocalKind::Static => "  static ",
                LocalKind::Temp => "  temp ",
                LocalKind::Auto | LocalKind::Param => "  let ",
            });
            self.declared(out, i)?;
            out.push('\n');
        }
        for (i, gap) in function.gaps.iter().enumerate() {
            writeln!(out, "  gap{i} {}", ReasonText(&gap.reason))?;
        }
        for (b, block) in function.blocks.iter().enumerate() {
            write!(out, "bb{b}:")?;
            if let Some(handler) = block.unwind {
                write!(out, " unwind bb{}", handler.0)?;
            }
            out.push('\n');
            for stmt in &block.stmts {
                out.push_str("  ");
                self.statement(out, stmt)?;
                out.push('\n');
            }
            out.push_str("  ");
            self.terminator(out, &block.term)?;
            out.push('\n');
        }
        out.push_str("}\n");
        Ok(())
    }

    fn declared(&self, out: &mut String, i: usize) -> fmt::Result {
        let local = &self.function.locals[i];
        write!(out, "{}: {}", self.locals[i], TypeText(&local.ty))?;
        for word in &local.sal {
            write!(out, " @{}", NameText(word))?;
        }
        Ok(())
    }

    fn local(&self, out: &mut String, i: u32) -> fmt::Result {
        match self.locals.get(i as usize) {
            Some(name) => out.write_str(name),
            None => write!(out, "%{i}"),
        }
    }

    fn place(&self, out: &mut String, id: PlaceId) -> fmt::Result {
        let Some(place) = self.function.places.get(id) else {
            return write!(out, "place?{}", id.0);
        };
        for step in &place.proj {
            if *step == Proj::Deref {
                out.push_str("(*");
            }
        }
        match &place.base {
            Base::Local(l) => self.local(out, l.0)?,
            Base::SelfObj => out.push_str("self"),
            Base::Global(name) => write!(out, "g::{}", NameText(name))?,
            Base::Captured(name) => write!(out, "captured::{}", NameText(name))?,
        }
        for step in &place.proj {
            match step {
                Proj::Deref => out.push(')'),
                Proj::Field(name) => write!(out, ".{}", NameText(name))?,
                Proj::Index(Some(i)) => write!(out, "[{i}]")?,
                Proj::Index(None) => out.push_str("[_]"),
            }
        }
        Ok(())
    }

    fn operand(&self, out: &mut String, op: &Operand) -> fmt::Result {
        match op {
            Operand::Copy(place) => self.place(out, *place),
            Operand::Move(place) => {
                out.push_str("move ");
                self.place(out, *place)
            }
            Operand::Const(value) => self.constant(out, value),
        }
    }

    pub(crate) fn constant(&self, out: &mut String, value: &crate::Const) -> fmt::Result {
        write!(
            out,
            "{}",
            ConstText(value, &|name| self.bare.contains_key(name))
        )
    }

    fn listed<T>(
        &self,
        out: &mut String,
        items: &[T],
        mut each: impl FnMut(&mut String, &T) -> fmt::Result,
    ) -> fmt::Result {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            each(out, item)?;
        }
        Ok(())
    }

    fn operands(&self, out: &mut String, ops: &[Operand]) -> fmt::Result {
        out.push('(');
        self.listed(out, ops, |out, op| self.operand(out, op))?;
        out.push(')');
        Ok(())
    }

    fn cond(&self, out: &mut String, cond: &Cond) -> fmt::Result {
        self.operand(out, &cond.lhs)?;
        write!(out, " {} ", comparison(cond.op))?;
        self.operand(out, &cond.rhs)
    }

    fn rvalue(&self, out: &mut String, value: &Rvalue) -> fmt::Result {
        match value {
            Rvalue::Use(op) => self.operand(out, op),
            Rvalue::Ref(place) => {
                out.push('&');
                self.place(out, *place)
            }
            Rvalue::Binary(op, a, b) => {
                self.operand(out, a)?;
                write!(out, " {} ", arithmetic(*op))?;
                self.operand(out, b)
            }
            Rvalue::Compare(cond) => self.cond(out, cond),
            Rvalue::Cast(ty, op) => {
                self.operand(out, op)?;
                write!(out, " as {}", TypeText(ty))
            }
            Rvalue::Aggregate(items) => {
                out.push('{');
                self.listed(out, items, |out, (name, op)| {
                    if let Some(name) = name {
                        write!(out, ".{} = ", NameText(name))?;
                    }
                    self.operand(out, op)
                })?;
                out.push('}');
                Ok(())
            }
            Rvalue::Closure(name, captures) => {
                write!(out, "closure {} [", NameText(name))?;
                self.listed(out, captures, |out, (place, by_reference)| {
                    if *by_reference {
                        out.push('&');
                    }
                    self.place(out, *place)
                })?;
                out.push(']');
                Ok(())
            }
            Rvalue::Unknown(ops) => {
                out.push_str("unknown");
                self.operands(out, ops)
            }
        }
    }

    pub(crate) fn statement(&self, out: &mut String, stmt: &Statement) -> fmt::Result {
        match stmt {
            Statement::Assign { dst, value } => {
                self.place(out, *dst)?;
                out.push_str(" = ");
                self.rvalue(out, value)
            }
            Statement::Call {
                dst,
                callee,
                args,
                voided,
            } => {
                if let Some(dst) = dst {
                    self.place(out, *dst)?;
                    out.push_str(" = ");
                }
                if *voided {
                    out.push_str("voided ");
                }
                match callee {
                    Callee::Function(name) => write!(out, "call {}", NameText(name))?,
                    Callee::Method { receiver, name, ty } => {
                        out.push_str("method ");
                        self.place(out, *receiver)?;
                        write!(out, ".{}", NameText(name))?;
                        if let Some(ty) = ty {
                            write!(out, " of {} ", TypeText(ty))?;
                        }
                    }
                    Callee::Constructor(ty) => write!(out, "construct {}", TypeText(ty))?,
                    Callee::New(ty) => write!(out, "new {}", TypeText(ty))?,
                    Callee::Pointer(op) => {
                        out.push_str("pointer ");
                        self.operand(out, op)?;
                    }
                }
                self.operands(out, args)
            }
            Statement::Drop { place, kind } => {
                out.push_str(match kind {
                    DropKind::Scope => "drop ",
                    DropKind::Delete => "delete ",
                });
                self.place(out, *place)
            }
            Statement::Assert(cond) => {
                out.push_str("assert ");
                self.cond(out, cond)
            }
            Statement::Mark(mark) => match mark {
                Mark::Live(l) => {
                    out.push_str("live ");
                    self.local(out, l.0)
                }
                Mark::Dead(l) => {
                    out.push_str("dead ");
                    self.local(out, l.0)
                }
                Mark::LoopHead => out.write_str("loop-head"),
                Mark::Suspend => out.write_str("suspend"),
                Mark::Async => out.write_str("async"),
                Mark::Logged => out.write_str("logged"),
                Mark::Shown(place) => {
                    out.push_str("shown ");
                    self.place(out, *place)
                }
                Mark::MayEnd(place) => {
                    out.push_str("may-end ");
                    self.place(out, *place)
                }
                Mark::Unsafe(true) => out.write_str("unsafe-begin"),
                Mark::Unsafe(false) => out.write_str("unsafe-end"),
            },
            Statement::Opaque { touches, gap } => {
                write!(out, "opaque gap{gap} [")?;
                self.listed(out, touches, |out, place| self.place(out, *place))?;
                out.push(']');
                Ok(())
            }
        }
    }

    pub(crate) fn terminator(&self, out: &mut String, term: &Terminator) -> fmt::Result {
        match term {
            Terminator::Goto(b) => write!(out, "goto bb{}", b.0),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                out.push_str("branch ");
                self.cond(out, cond)?;
                write!(out, " ? bb{} : bb{}", then.0, otherwise.0)
            }
            Terminator::Switch { on, arms, default } => {
                out.push_str("switch ");
                self.operand(out, on)?;
                out.push_str(" {");
                for (value, b) in arms {
                    out.push(' ');
                    self.constant(out, value)?;
                    write!(out, " => bb{},", b.0)?;
                }
                write!(out, " _ => bb{} }}", default.0)
            }
            Terminator::Return(None) => out.write_str("return"),
            Terminator::Return(Some(op)) => {
                out.push_str("return ");
                self.operand(out, op)
            }
            Terminator::Unwind => out.write_str("unwind"),
            Terminator::Unreachable => out.write_str("unreachable"),
        }
    }
}
