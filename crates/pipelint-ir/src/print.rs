//! The IR as text: compact, stable, and readable back by [`parse_function`](crate::parse_function).

use std::fmt::{self, Write};

use crate::{
    Base, BinOp, Callee, CmpOp, Cond, Const, DropKind, Function, FunctionKind, LocalKind, Mark,
    Operand, PlaceId, Proj, Reference, Rvalue, Statement, Terminator, Type, Unit, Wholeness,
};

/// A unit: its classes, constants and globals, then its functions.
pub fn print_unit(unit: &Unit) -> String {
    let mut out = String::new();
    for class in &unit.classes {
        let _ = write!(out, "class {}", class.name);
        for (i, base) in class.bases.iter().enumerate() {
            let _ = write!(out, "{} {base}", if i == 0 { " :" } else { "," });
        }
        out.push_str(" {\n");
        for field in &class.fields {
            let word = if field.is_static { "static " } else { "" };
            let init = if field.has_init { " = …" } else { "" };
            let _ = writeln!(out, "  {word}{}: {}{init}", field.name, TypeText(&field.ty));
        }
        out.push_str("}\n");
    }
    for constant in &unit.constants {
        let _ = writeln!(
            out,
            "const {} = {}",
            constant.name,
            ConstText(&constant.value)
        );
    }
    for global in &unit.globals {
        let word = if global.is_extern { "extern " } else { "" };
        let _ = write!(
            out,
            "{word}global {}: {}",
            global.name,
            TypeText(&global.ty)
        );
        if let Some(init) = &global.init {
            let _ = write!(out, " = {}", ConstText(init));
        }
        out.push('\n');
    }
    for function in &unit.functions {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&print_function(function));
    }
    out
}

/// A function with its locals and blocks.
pub fn print_function(function: &Function) -> String {
    let mut out = String::new();
    let f = Printer(function);
    let kind = match function.kind {
        FunctionKind::Free => "fn",
        FunctionKind::Method => "method",
        FunctionKind::StaticMethod => "static method",
        FunctionKind::Constructor => "constructor",
        FunctionKind::Destructor => "destructor",
        FunctionKind::Lambda => "lambda",
        FunctionKind::FieldInit => "fieldinit",
    };
    if function.internal {
        out.push_str("internal ");
    }
    if function.noreturn {
        out.push_str("noreturn ");
    }
    let _ = write!(out, "{kind} {}(", function.name);
    for i in 0..function.params {
        if i > 0 {
            out.push_str(", ");
        }
        let _ = write!(out, "{}", f.declared(i));
    }
    let _ = write!(out, ") -> {}", TypeText(&function.ret));
    match function.wholeness {
        Wholeness::Whole => {}
        Wholeness::Partial => out.push_str(" partial"),
        Wholeness::GivenUp => out.push_str(" given-up"),
    }
    out.push_str(" {\n");
    for i in function.params..u32::try_from(function.locals.len()).unwrap_or(u32::MAX) {
        let word = match function.locals[i as usize].kind {
            LocalKind::Static => "static",
            LocalKind::Temp => "temp",
            LocalKind::Auto | LocalKind::Param => "let",
        };
        let _ = writeln!(out, "  {word} {}", f.declared(i));
    }
    for (b, block) in function.blocks.iter().enumerate() {
        let _ = write!(out, "bb{b}:");
        if let Some(handler) = block.unwind {
            let _ = write!(out, " unwind bb{}", handler.0);
        }
        out.push('\n');
        for stmt in &block.stmts {
            out.push_str("  ");
            let _ = f.statement(&mut out, stmt);
            out.push('\n');
        }
        out.push_str("  ");
        let _ = f.terminator(&mut out, &block.term);
        out.push('\n');
    }
    out.push_str("}\n");
    out
}

/// A place as text, for messages of tests and dumps.
pub(crate) struct Printer<'a>(pub(crate) &'a Function);

struct TypeText<'a>(&'a Type);
struct ConstText<'a>(&'a Const);

impl fmt::Display for TypeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ty = self.0;
        if ty.is_const {
            f.write_str("const ")?;
        }
        f.write_str(if ty.name.is_empty() { "?" } else { &ty.name })?;
        if !ty.args.is_empty() {
            write!(f, "<{}>", ty.args.join(", "))?;
        }
        for _ in 0..ty.pointers {
            f.write_char('*')?;
        }
        match ty.reference {
            Reference::None => {}
            Reference::Shared => f.write_char('&')?,
            Reference::Rvalue => f.write_str("&&")?,
        }
        for i in 0..ty.arrays {
            match ty.array_len {
                Some(n) if i == 0 => write!(f, "[{n}]")?,
                _ => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for ConstText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Const::Int(value) => write!(f, "{value}"),
            Const::Null => f.write_str("null"),
            Const::Named(name) => f.write_str(name),
            Const::Str(text) => write!(f, "\"{text}\""),
            Const::Function(name) => write!(f, "fn {name}"),
            Const::Other => f.write_str("other"),
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

impl Printer<'_> {
    /// A local's name: its own where no earlier local has it, else with its number.
    fn local(&self, i: u32) -> String {
        let Some(local) = self.0.locals.get(i as usize) else {
            return format!("%{i}");
        };
        if local.name.is_empty() {
            return format!("%{i}");
        }
        let earlier = self.0.locals[..i as usize]
            .iter()
            .any(|l| l.name == local.name);
        if earlier {
            format!("{}%{i}", local.name)
        } else {
            local.name.to_string()
        }
    }

    fn declared(&self, i: u32) -> String {
        let local = &self.0.locals[i as usize];
        let mut text = format!("{}: {}", self.local(i), TypeText(&local.ty));
        for word in &local.sal {
            let _ = write!(text, " @{word}");
        }
        text
    }

    pub(crate) fn place(&self, id: PlaceId) -> String {
        let place = &self.0.places[id];
        let mut text = match &place.base {
            Base::Local(l) => self.local(l.0),
            Base::SelfObj => "self".into(),
            Base::Global(name) => format!("g::{name}"),
            Base::Captured(name) => format!("captured::{name}"),
        };
        for step in &place.proj {
            match step {
                Proj::Deref => text = format!("(*{text})"),
                Proj::Field(name) => {
                    let _ = write!(text, ".{name}");
                }
                Proj::Index(Some(i)) => {
                    let _ = write!(text, "[{i}]");
                }
                Proj::Index(None) => text.push_str("[_]"),
            }
        }
        text
    }

    fn operand(&self, op: &Operand) -> String {
        match op {
            Operand::Copy(place) => self.place(*place),
            Operand::Move(place) => format!("move {}", self.place(*place)),
            Operand::Const(c) => ConstText(c).to_string(),
        }
    }

    fn operands(&self, ops: &[Operand]) -> String {
        ops.iter()
            .map(|op| self.operand(op))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn cond(&self, cond: &Cond) -> String {
        format!(
            "{} {} {}",
            self.operand(&cond.lhs),
            comparison(cond.op),
            self.operand(&cond.rhs)
        )
    }

    fn rvalue(&self, value: &Rvalue) -> String {
        match value {
            Rvalue::Use(op) => self.operand(op),
            Rvalue::Ref(place) => format!("&{}", self.place(*place)),
            Rvalue::Binary(op, a, b) => {
                format!(
                    "{} {} {}",
                    self.operand(a),
                    arithmetic(*op),
                    self.operand(b)
                )
            }
            Rvalue::Compare(cond) => self.cond(cond),
            Rvalue::Cast(ty, op) => format!("{} as {}", self.operand(op), TypeText(ty)),
            Rvalue::Aggregate(items) => {
                let items = items.iter().map(|(name, op)| match name {
                    Some(name) => format!(".{name} = {}", self.operand(op)),
                    None => self.operand(op),
                });
                format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
            }
            Rvalue::Closure(name, captures) => {
                let captures = captures.iter().map(|(place, by_ref)| {
                    let mark = if *by_ref { "&" } else { "" };
                    format!("{mark}{}", self.place(*place))
                });
                format!(
                    "closure {name} [{}]",
                    captures.collect::<Vec<_>>().join(", ")
                )
            }
            Rvalue::Unknown(ops) => format!("unknown({})", self.operands(ops)),
        }
    }

    pub(crate) fn statement(&self, out: &mut String, stmt: &Statement) -> fmt::Result {
        match stmt {
            Statement::Assign { dst, value } => {
                write!(out, "{} = {}", self.place(*dst), self.rvalue(value))
            }
            Statement::Call {
                dst,
                callee,
                args,
                voided,
            } => {
                if let Some(dst) = dst {
                    write!(out, "{} = ", self.place(*dst))?;
                }
                if *voided {
                    out.push_str("voided ");
                }
                match callee {
                    Callee::Function(name) => write!(out, "call {name}")?,
                    Callee::Method { receiver, name, ty } => {
                        write!(out, "method {}.{name}", self.place(*receiver))?;
                        if let Some(ty) = ty {
                            write!(out, " of {} ", TypeText(ty))?;
                        }
                    }
                    Callee::Constructor(ty) => write!(out, "construct {}", TypeText(ty))?,
                    Callee::New(ty) => write!(out, "new {}", TypeText(ty))?,
                    Callee::Pointer(op) => write!(out, "pointer {}", self.operand(op))?,
                }
                write!(out, "({})", self.operands(args))
            }
            Statement::Drop { place, kind } => {
                let word = match kind {
                    DropKind::Scope => "drop",
                    DropKind::Delete => "delete",
                };
                write!(out, "{word} {}", self.place(*place))
            }
            Statement::Mark(mark) => match mark {
                Mark::Live(l) => write!(out, "live {}", self.local(l.0)),
                Mark::Dead(l) => write!(out, "dead {}", self.local(l.0)),
                Mark::LoopHead => out.write_str("loop-head"),
                Mark::Suspend => out.write_str("suspend"),
                Mark::Unsafe(true) => out.write_str("unsafe-begin"),
                Mark::Unsafe(false) => out.write_str("unsafe-end"),
            },
            Statement::Opaque { touches, gap } => {
                let places = touches.iter().map(|p| self.place(*p)).collect::<Vec<_>>();
                write!(out, "opaque gap{gap} [{}]", places.join(", "))
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
                write!(
                    out,
                    "branch {} ? bb{} : bb{}",
                    self.cond(cond),
                    then.0,
                    otherwise.0
                )
            }
            Terminator::Switch { on, arms, default } => {
                write!(out, "switch {} {{", self.operand(on))?;
                for (value, b) in arms {
                    write!(out, " {} => bb{},", ConstText(value), b.0)?;
                }
                write!(out, " _ => bb{} }}", default.0)
            }
            Terminator::Return(None) => out.write_str("return"),
            Terminator::Return(Some(op)) => write!(out, "return {}", self.operand(op)),
            Terminator::Unwind => out.write_str("unwind"),
            Terminator::Unreachable => out.write_str("unreachable"),
        }
    }
}
