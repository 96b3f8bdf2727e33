//! Macro calls: their arguments are code.

use pipelint_ir::{Callee, CmpOp, Const, Mark, Name, Operand, PlaceId, Rvalue, Statement};
use pipelint_source::Span;
use smol_str::format_smolstr;
use tree_sitter::Node;

use super::arguments::{Arguments, expression, is_list};
use super::cond::{nonzero, normal};
use super::function::Within;
use super::{Lowerer, MAX_EXPANSION, Value};
use crate::rust::SiteKind;
use crate::rust::fragment::{chosen_branch, invocation, parse, parse_all, source_of};
use crate::rust::kinds::{K, kind};
use crate::rust::source::{Piece, children};
use crate::rust::ty::Ty;

impl Lowerer<'_> {
    /// A macro call as an expression or statement.
    pub(super) fn macro_value(&mut self, node: Node<'_>, dst: Option<PlaceId>) -> Value {
        let span = self.src.span(node);
        let Some((name, tree)) = invocation(&self.src, node) else {
            return self.unsupported(node);
        };
        self.site(SiteKind::Macro, node);
        if let Some(value) = self.own_macro(&name, tree, dst, span) {
            return value;
        }
        match name.as_str() {
            "cfg" => {
                let text = self.src.text(tree);
                let holds = self.cfg.holds(&text[1..text.len().saturating_sub(1)]);
                match holds {
                    Some(holds) => Value {
                        op: Operand::Const(Const::Int(i128::from(holds))),
                        ty: Ty::Bool,
                    },
                    None => self.unknown(Vec::new(), Ty::Bool, span),
                }
            }
            "cfg_if" => match chosen_branch(&self.src, self.cfg, tree) {
                Some((start, end)) => {
                    let parsed = parse(&self.src.text, &[(start.saturating_sub(1), end + 1)]);
                    match parsed
                        .as_ref()
                        .and_then(|tree| expression(tree.root_node()))
                    {
                        Some(inner) => self.value(inner),
                        None => super::expr::unit(),
                    }
                }
                None => super::expr::unit(),
            },
            "stringify" | "concat" | "env" | "option_env" | "include_str" | "include_bytes"
            | "line" | "file" | "column" | "module_path" | "include" | "asm" | "global_asm" => {
                Value {
                    op: Operand::Const(Const::Other),
                    ty: Ty::Unknown,
                }
            }
            // Code that is not run here.
            "quote" | "quote_spanned" | "parse_quote" | "parse_quote_spanned" => {
                self.unknown(Vec::new(), Ty::Unknown, span)
            }
            "w" | "s" | "wide" | "u16cstr" | "c" if is_text(tree) => Value {
                op: Operand::Const(Const::Str(Name::default())),
                ty: Ty::Ptr(Box::default()),
            },
            "select" | "select_biased" => match self.select(tree, span) {
                Some(value) => value,
                None => self.library_macro(&name, tree, dst, span),
            },
            "__select" => self.unknown(Vec::new(), Ty::Unknown, span),
            "matches" | "assert_matches" | "debug_assert_matches" => self.matches(tree, span),
            _ => self.library_macro(&name, tree, dst, span),
        }
    }

    /// A macro of a library, by its arguments.
    fn library_macro(
        &mut self,
        name: &str,
        tree: Node<'_>,
        dst: Option<PlaceId>,
        span: Span,
    ) -> Value {
        match self.arguments_of(tree) {
            Some(Arguments::Expression(parsed)) => match expression(parsed.root_node()) {
                Some(inner) => self.called_with(name, inner, dst, span),
                None => super::expr::unit(),
            },
            Some(Arguments::Statements(parsed)) => {
                let held = self.temp(Ty::Unknown, span);
                let ty = self.statements(parsed.root_node(), Some(held), &Ty::Unknown);
                self.retype(held, &ty);
                let from = vec![self.take(held, ty).op];
                let callee = Callee::Function(Name::new(format!("{name}!")));
                self.emit(callee, from, Ty::Unknown, dst, true, span)
            }
            Some(Arguments::Braced(source, parsed)) => {
                let outer = std::mem::replace(&mut self.src, source);
                let value = match expression(parsed.root_node()) {
                    Some(inner) => self.called_with(name, inner, dst, span),
                    None => super::expr::unit(),
                };
                self.src = outer;
                value
            }
            None => self.unparsed_macro(name, tree, self.src.text(tree).len() <= 2, span),
        }
    }

    /// A macro of a library, with its arguments as one expression.
    fn called_with(
        &mut self,
        name: &str,
        inner: Node<'_>,
        dst: Option<PlaceId>,
        span: Span,
    ) -> Value {
        let args: Vec<Node<'_>> = if is_list(inner) && name != "vec" {
            self.elements(inner)
        } else {
            vec![inner]
        };
        match name {
            "assert" | "assert_eq" | "assert_ne" | "debug_assert" | "debug_assert_eq"
            | "debug_assert_ne" | "ensure" | "ensure_eq" => self.assertion(name, &args, span),
            "panic" | "unreachable" | "todo" | "unimplemented" => {
                self.formatted(&args);
                self.panic(span);
                never()
            }
            "bail" => {
                self.formatted(&args);
                self.leave_with_error(span);
                never()
            }
            "try" | "r#try" => match args.first() {
                Some(arg) => {
                    let value = self.value(*arg);
                    let place = self.held(value.op.clone(), value.ty.clone(), span);
                    self.unwrap_or_leave(place, &value.ty, span)
                }
                None => super::expr::unit(),
            },
            "vec" | "smallvec" => {
                if kind(inner) == K::ArrayExpression {
                    let dst = dst.unwrap_or_else(|| self.temp(Ty::Unknown, span));
                    let ty = self.store(inner, dst, &Ty::Unknown);
                    let ty = Ty::Named("Vec".into(), vec![ty.element()]);
                    self.retype(dst, &ty);
                    return Value {
                        op: Operand::Copy(dst),
                        ty,
                    };
                }
                let from = args.iter().map(|arg| self.value(*arg).op).collect();
                self.unknown(from, Ty::named("Vec"), span)
            }
            _ if formats(name) => {
                self.formatted(&args);
                match name {
                    "format" | "format_args" | "anyhow" | "eyre" => {
                        self.unknown(Vec::new(), Ty::named("String"), span)
                    }
                    "write" | "writeln" => {
                        let ty = Ty::result(Ty::Unit, Ty::Unknown);
                        self.unknown(Vec::new(), ty, span)
                    }
                    _ => {
                        self.logs(name, span);
                        super::expr::unit()
                    }
                }
            }
            "addr_of" | "addr_of_mut" => match args.first() {
                Some(arg) => {
                    let (place, ty) = self.place(*arg);
                    self.temp_of(Rvalue::Ref(place), Ty::Ptr(Box::new(ty)), span)
                }
                None => super::expr::unit(),
            },
            _ => {
                // Unknown code that has all it is given.
                let from: Vec<Operand> = args.iter().map(|arg| self.read(*arg).op).collect();
                let callee = Callee::Function(Name::new(format!("{name}!")));
                self.emit(callee, from, Ty::Unknown, dst, true, span)
            }
        }
    }

    /// Arguments that are no expressions, as in `select!`: the names among them are given away.
    fn unparsed_macro(&mut self, name: &str, tree: Node<'_>, empty: bool, span: Span) -> Value {
        match name {
            "panic" | "unreachable" | "todo" | "unimplemented" => {
                self.panic(span);
                return never();
            }
            "bail" => {
                self.leave_with_error(span);
                return never();
            }
            _ => {}
        }
        if empty || formats(name) {
            self.logs(name, span);
            return super::expr::unit();
        }
        let touched = self.touches(tree);
        let mut from = Vec::new();
        for place in touched {
            let at = self.temp(Ty::Unknown, span);
            self.f.assign(at, Rvalue::Ref(place), span);
            from.push(Operand::Copy(at));
            from.push(Operand::Copy(place));
        }
        let callee = Callee::Function(Name::new(format!("{name}!")));
        self.emit(callee, from, Ty::Unknown, None, true, span)
    }

    /// Marks where a macro prints or logs: all that is to be seen of it in the graph.
    fn logs(&mut self, name: &str, span: Span) {
        let logs = matches!(
            name,
            "println"
                | "print"
                | "eprintln"
                | "eprint"
                | "info"
                | "warn"
                | "error"
                | "debug"
                | "trace"
                | "log"
                | "event"
                | "dbg"
        );
        if logs {
            self.f.push(Statement::Mark(Mark::Logged), span);
        }
    }

    /// What is printed is only looked at.
    fn formatted(&mut self, args: &[Node<'_>]) {
        for arg in args {
            let shown = match kind(*arg) {
                K::StringLiteral | K::RawStringLiteral => None,
                // `name = value`
                K::AssignmentExpression => {
                    let right = children(*arg).into_iter().nth(1);
                    right.map(|(right, _)| right)
                }
                _ => Some(*arg),
            };
            if let Some(shown) = shown
                && let Operand::Copy(place) = self.read(shown).op
                && !self.f.places[place].proj.is_empty()
            {
                let span = self.src.span(shown);
                self.f.push(Statement::Mark(Mark::Shown(place)), span);
            }
        }
    }

    fn leave_with_error(&mut self, span: Span) {
        if let Some(exit) = self.body.exit.clone() {
            if let Some(slot) = exit.slot {
                let error = self.unknown(Vec::new(), Ty::Unknown, span);
                self.make_bad(Some(error.op), slot, span);
            }
            self.leave_to(&exit, span);
        }
    }

    /// `assert!` and its kin. Those of debug builds say what is meant, and test nothing.
    fn assertion(&mut self, name: &str, args: &[Node<'_>], span: Span) -> Value {
        let two = name.ends_with("_eq") || name.ends_with("_ne");
        let rest = args.get(if two { 2.. } else { 1.. }).unwrap_or_default();
        let [first, ..] = args else {
            return super::expr::unit();
        };
        if name.starts_with("debug") {
            if let (true, [a, b, ..]) = (two, args) {
                let (a, b) = (self.read(*a), self.read(*b));
                let plain = !matches!(a.ty.referent(), Ty::Named(..) | Ty::Tuple(_));
                let op = if name.ends_with("_eq") {
                    CmpOp::Eq
                } else {
                    CmpOp::Ne
                };
                if plain {
                    self.f.push(Statement::Assert(normal(op, a.op, b.op)), span);
                }
            } else {
                self.read(*first);
            }
            self.perhaps(rest, span);
            return super::expr::unit();
        }
        let (good, bad) = (self.f.new_block(), self.f.new_block());
        let scope = self.f.enter_scope();
        if let (true, [a, b, ..]) = (two, args) {
            let (a, b) = (self.read(*a), self.read(*b));
            let op = if name.ends_with("_eq") {
                CmpOp::Eq
            } else {
                CmpOp::Ne
            };
            let plain = |ty: &Ty| {
                matches!(ty, Ty::Num(_) | Ty::Bool | Ty::Ptr(_)) || super::expr::is_handle(ty)
            };
            let numbers =
                |op: &Operand| matches!(op, Operand::Const(Const::Int(_) | Const::Named(_)));
            if plain(&a.ty) || plain(&b.ty) || numbers(&a.op) || numbers(&b.op) {
                self.branch(normal(op, a.op, b.op), good, bad, span);
            } else {
                let unknown = self.unknown(vec![a.op, b.op], Ty::Bool, span);
                self.branch(nonzero(unknown.op), good, bad, span);
            }
        } else {
            self.cond(*first, good, bad);
        }
        self.f.switch_to(bad);
        self.formatted(rest);
        if name.starts_with("ensure") {
            self.leave_with_error(span);
        } else {
            self.panic(span);
        }
        self.f.switch_to(good);
        self.f.leave_scope(&scope, span);
        super::expr::unit()
    }

    /// The message of an assertion that is not followed: it may be made.
    pub(super) fn perhaps(&mut self, message: &[Node<'_>], span: Span) {
        if message.iter().all(|part| self.literal(*part).is_some()) {
            return;
        }
        let (made, on) = (self.f.new_block(), self.f.new_block());
        let fails = self.unknown(Vec::new(), Ty::Bool, span);
        self.f.branch(nonzero(fails.op), made, on, span);
        self.f.switch_to(made);
        let scope = self.f.enter_scope();
        self.formatted(message);
        self.f.leave_scope(&scope, span);
        let cur = self.f.current();
        self.f.end(cur, pipelint_ir::Terminator::Goto(on), span);
        self.f.switch_to(on);
    }

    /// A macro that the program defines, run on its arguments.
    fn own_macro(
        &mut self,
        name: &str,
        tree: Node<'_>,
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        let source = self.expansion(name, tree, span, "{", "}")?;
        let parsed = parse_all(&source)?;
        let root = parsed.root_node();
        if root.has_error() {
            return None;
        }
        let inner = expression(root)?;
        let outer = std::mem::replace(&mut self.src, source);
        self.expanding += 1;
        let ty = match dst {
            Some(dst) => {
                let ty = self.store(inner, dst, &Ty::Unknown);
                self.retype(dst, &ty);
                Value {
                    op: Operand::Copy(dst),
                    ty,
                }
            }
            None => self.value(inner),
        };
        self.expanding -= 1;
        self.src = outer;
        Some(ty)
    }

    /// The text that an own macro becomes.
    fn expansion(
        &mut self,
        name: &str,
        tree: Node<'_>,
        span: Span,
        before: &str,
        after: &str,
    ) -> Option<crate::rust::source::Source> {
        if self.expanding >= MAX_EXPANSION {
            return None;
        }
        let rules = self
            .ix
            .own_macro(self.src.file.0, &self.scope.module, name)?;
        let (start, end) = (tree.start_byte() + 1, tree.end_byte().checked_sub(1)?);
        let args = self.src.text.get(start..end)?;
        let expansion = rules.expand(args)?;
        let shift = u32::try_from(before.len()).unwrap_or(0);
        let mut pieces: Vec<Piece> = Vec::new();
        // Where the last piece ends: in the expansion, and in the arguments.
        let (mut written, mut taken) = (0, 0_usize);
        let blank = |text: Option<&str>| text.is_some_and(|text| text.trim().is_empty());
        for piece in &expansion.pieces {
            let Some(of) = piece.from.map(|from| start + from as usize) else {
                continue;
            };
            for (from, span) in self.src.pieces(of, of + piece.len as usize) {
                let length = span.range().len();
                let (from, at) = (from - start, piece.start as usize + (from - of));
                let to = from + length;
                let run = pieces.last().map_or(0, |last| {
                    let last_byte = start + taken.saturating_sub(1);
                    let goes_on = taken <= from
                        && blank(expansion.text.get(written..at))
                        && blank(args.get(taken..from))
                        && self.src.written_at(last_byte, start + to).is_some();
                    last.run + u32::from(!goes_on)
                });
                pieces.push(Piece {
                    start: u32::try_from(at).unwrap_or(u32::MAX).saturating_add(shift),
                    span,
                    run,
                });
                (written, taken) = (at + length, to);
            }
        }
        let text = format!("{before}{}{after}", expansion.text);
        Some(source_of(&self.src, text, span, pieces))
    }

    /// Whether a macro call is surely an `Option` or `Result`: what it becomes ends in one.
    pub(super) fn is_outcome_macro(&self, node: Node<'_>) -> bool {
        let Some((name, _)) = invocation(&self.src, node) else {
            return false;
        };
        self.ix
            .own_macro(self.src.file.0, &self.scope.module, &name)
            .is_some_and(|rules| rules.mentions("Ok") && rules.mentions("Err"))
    }

    /// A macro call where an item may stand.
    pub(super) fn item_macro(&mut self, node: Node<'_>, within: &Within) {
        let Some((name, tree)) = invocation(&self.src, node) else {
            return;
        };
        let span = self.src.span(node);
        self.site(SiteKind::Macro, node);
        if name == "cfg_if" {
            let Some((start, end)) = chosen_branch(&self.src, self.cfg, tree) else {
                return;
            };
            let text = self.src.text.clone();
            if let Some(parsed) = parse(&text, &[(start, end)]) {
                self.items_within(parsed.root_node(), within);
            }
            return;
        }
        if let Some(source) = self.expansion(&name, tree, span, "", "")
            && let Some(parsed) = parse_all(&source)
            && !parsed.root_node().has_error()
        {
            let outer = std::mem::replace(&mut self.src, source);
            self.expanding += 1;
            self.items_within(parsed.root_node(), within);
            self.expanding -= 1;
            self.src = outer;
            return;
        }
        // Items that a macro of another crate is given: `thread_local!`, `bitflags!`.
        let text = self.src.text.clone();
        let inside = (tree.start_byte() + 1, tree.end_byte().saturating_sub(1));
        if inside.0 >= inside.1 {
            return;
        }
        if let Some(parsed) = parse(&text, &[inside])
            && !parsed.root_node().has_error()
            && children(parsed.root_node()).into_iter().all(is_item)
        {
            self.items_within(parsed.root_node(), within);
        } else if self.arguments_of(tree).is_some() {
            // Anything else that reads as code may run, whatever the macro makes of it.
            let full = format_smolstr!("{}::{{{name}!}}", self.scope.module);
            self.value_of_item(full, span, span, node);
        }
    }
}

/// Whether a node is an item, or belongs to one.
fn is_item((node, what): (Node<'_>, K)) -> bool {
    match what {
        K::ExpressionStatement => crate::rust::fragment::macro_item(node).is_some(),
        _ => matches!(
            what,
            K::AttributeItem
                | K::ConstItem
                | K::EmptyStatement
                | K::EnumItem
                | K::ExternCrate
                | K::ForeignModItem
                | K::FunctionItem
                | K::FunctionSignature
                | K::ImplItem
                | K::InnerAttributeItem
                | K::MacroDefinition
                | K::MacroInvocation
                | K::ModItem
                | K::StaticItem
                | K::StructItem
                | K::TraitItem
                | K::TypeItem
                | K::UnionItem
                | K::UseDeclaration
        ),
    }
}

/// Whether a macro is given one string and nothing else.
fn is_text(tree: Node<'_>) -> bool {
    let parts = children(tree);
    matches!(
        parts.as_slice(),
        [(_, K::StringLiteral | K::RawStringLiteral)]
    )
}

fn never() -> Value {
    Value {
        op: Operand::Const(Const::Int(0)),
        ty: Ty::Never,
    }
}

/// Macros that print, log or format their arguments.
fn formats(name: &str) -> bool {
    matches!(
        name,
        "println"
            | "print"
            | "eprintln"
            | "eprint"
            | "format"
            | "format_args"
            | "write"
            | "writeln"
            | "info"
            | "warn"
            | "error"
            | "debug"
            | "trace"
            | "log"
            | "anyhow"
            | "eyre"
            | "event"
            | "span"
            | "info_span"
            | "debug_span"
            | "trace_span"
            | "dbg"
    )
}
