//! Statements, and the jumps among them.

use pipelint_ir::{
    Base, GapReason, LocalKind, Mark, Name, Operand, PlaceId, Reference, Rvalue, Statement,
    Terminator, Type,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::frame::ROOT;
use crate::cpp::kinds::{F, K, field, kind};

impl<'t> Lowerer<'_, 't> {
    /// Lowers a statement.
    pub(super) fn stmt(&mut self, node: Node<'t>) {
        if !self.enter(node) {
            return;
        }
        self.stmt_inner(node);
        self.leave();
    }

    /// Lowers a statement whose declarations end with it.
    pub(super) fn scoped(&mut self, node: Node<'t>) {
        let scope = self.f.enter_scope();
        self.stmt(node);
        let end = self.end_of(node);
        self.f.leave_scope(&scope, end);
    }

    /// The last byte of a node: its closing brace or semicolon.
    pub(super) fn end_of(&self, node: Node<'t>) -> Span {
        let end = node.end_byte();
        self.items
            .source
            .span_of(end.saturating_sub(1).max(node.start_byte()), end)
    }

    fn stmt_inner(&mut self, node: Node<'t>) {
        let span = self.items.source.span(node);
        match kind(node) {
            K::CompoundStatement => self.block(node),
            K::ExpressionStatement => {
                if self.broken(node) {
                    return;
                }
                if let Some(inner) = self.items.source.first(node) {
                    self.full_effect(inner);
                }
            }
            K::Declaration => self.local_declaration(node),
            K::IfStatement => self.if_chain(node),
            K::WhileStatement => self.while_loop(node),
            K::DoStatement => self.do_loop(node),
            K::ForStatement => self.for_loop(node),
            K::ForRangeLoop => self.range_loop(node),
            K::SwitchStatement => self.switch(node),
            K::CaseStatement => self.case(node),
            K::LabeledStatement => self.labeled(node),
            K::GotoStatement => {
                let label = field(node, F.label).map(|label| self.items.source.name(label));
                self.f.goto(label.unwrap_or_default(), span);
            }
            K::BreakStatement => {
                let to = self.f.targets.iter().rev().find_map(|target| target.brk);
                self.jump(node, to);
            }
            K::ContinueStatement => {
                let to = self.f.targets.iter().rev().find_map(|target| target.cont);
                self.jump(node, to);
            }
            K::SehLeave => {
                let to = self.f.targets.iter().rev().find_map(|target| target.leave);
                self.jump(node, to);
            }
            K::ReturnStatement | K::CoReturnStatement => {
                if self.broken(node) {
                    self.leave_function(None, span);
                    return;
                }
                let value = self.items.source.first(node);
                self.return_statement(value, span);
            }
            K::CoYieldStatement => {
                if let Some(value) = self.items.source.first(node) {
                    self.full_effect(value);
                }
                self.f.push(Statement::Mark(Mark::Suspend), span);
            }
            K::ThrowStatement => {
                if let Some(value) = self.items.source.first(node) {
                    let keep = self.f.temps.len();
                    self.operand(value);
                    self.f.end_temps(keep, span);
                }
                self.throw(span);
            }
            K::TryStatement => self.try_statement(node, None),
            K::SehTry => self.seh_try(node),
            K::AttributedStatement => {
                let inner = self.items.source.children(node);
                for child in inner {
                    if kind(child) != K::AttributeDeclaration {
                        self.stmt(child);
                    }
                }
            }
            K::TypeDefinition
            | K::AliasDeclaration
            | K::ClassSpecifier
            | K::StructSpecifier
            | K::UnionSpecifier
            | K::EnumSpecifier => {
                let space = std::rc::Rc::clone(&self.space);
                self.items.local_type(node, &space);
            }
            K::StaticAssert
            | K::UsingDeclaration
            | K::NamespaceAlias
            | K::PreprocCall
            | K::PreprocDef
            | K::PreprocFunctionDef
            | K::PreprocInclude
            | K::ConceptDefinition
            | K::AttributeDeclaration
            | K::Comment => {}
            K::PreprocIf
            | K::PreprocIfdef
            | K::PreprocElse
            | K::PreprocElif
            | K::PreprocElifdef => {
                self.opaque(node, GapReason::Unsupported(Name::new(node.kind())))
            }
            K::TemplateDeclaration => {
                for child in self.items.source.children(node) {
                    if kind(child) == K::Declaration {
                        self.stmt(child);
                    }
                }
            }
            K::FunctionDefinition => self.function_in_function(node),
            K::Error => self.opaque(node, GapReason::Syntax),
            K::Other if !node.is_named() => {}
            _ if is_expression(node) => self.full_effect(node),
            _ => self.opaque(node, GapReason::Unsupported(Name::new(node.kind()))),
        }
    }

    /// The statements of a block.
    fn block(&mut self, node: Node<'t>) {
        let scope = self.f.enter_scope();
        for child in self.items.source.children(node) {
            self.stmt(child);
        }
        let end = self.end_of(node);
        self.f.leave_scope(&scope, end);
    }

    /// An expression and the end of its temporaries.
    pub(super) fn full_effect(&mut self, node: Node<'t>) {
        let keep = self.f.temps.len();
        self.effect(node);
        let span = self.items.source.span(node);
        self.f.end_temps(keep, span);
    }

    /// Notes a simple statement that did not parse; true if so.
    pub(super) fn broken(&mut self, node: Node<'t>) -> bool {
        if !node.has_error() || !self.really_broken(node) {
            return false;
        }
        self.opaque(node, GapReason::Syntax);
        true
    }

    /// True when something other than a semicolon is wrong in a node. A lambda's body is judged
    /// by itself.
    fn really_broken(&self, node: Node<'t>) -> bool {
        let mut found = false;
        self.items.source.walk(node, |child, what| {
            if found || !child.has_error() {
                return false;
            }
            if what == K::Error {
                found = true;
            } else if child.is_missing() {
                found |= child.kind() != ";";
            }
            what != K::CompoundStatement
        });
        found
    }

    /// What reads as a function's definition inside a function: `f(a) = 0;`, or a function that
    /// an unbalanced brace before it put here.
    fn function_in_function(&mut self, node: Node<'t>) {
        let spec = self.items.source.specifiers(node);
        if self
            .items
            .source
            .child_of(node, K::PureVirtualClause)
            .is_some()
            && let [(declarator, _)] = *spec.declarators.as_slice()
            && kind(declarator) == K::FunctionDeclarator
            && let (Some(name), Some(list)) = (
                field(declarator, F.declarator),
                field(declarator, F.parameters),
            )
        {
            self.assign_zero_to_call(node, name, list);
            return;
        }
        self.opaque(node, GapReason::Unsupported(Name::new(node.kind())));
        if spec.body.is_some() {
            let space = std::rc::Rc::clone(&self.around);
            self.items
                .work
                .push(crate::cpp::items::Work::Definition(node, space));
        }
    }

    /// `f(a) = 0;`, where `f` is a macro or returns a reference.
    fn assign_zero_to_call(&mut self, node: Node<'t>, name: Node<'t>, list: Node<'t>) {
        let span = self.items.source.span(node);
        let args = self.items.source.children(list);
        let args = args.into_iter().map(|arg| self.vexing(arg)).collect();
        let callee = pipelint_ir::Callee::Function(self.items.source.qualified(name));
        let dst = self.f.temp(Type::default(), span);
        let call = Statement::Call {
            dst: Some(dst),
            callee,
            args,
            voided: false,
        };
        self.f.push(call, span);
        let zero = Operand::Const(pipelint_ir::Const::Int(0));
        self.f.assign(dst, Rvalue::Use(zero), span);
    }

    /// `break`, `continue`, `__leave`.
    fn jump(&mut self, node: Node<'t>, to: Option<(pipelint_ir::BlockId, super::frame::Link)>) {
        let span = self.items.source.span(node);
        match to {
            Some((block, alive)) => {
                self.f.exit_to(alive, span);
                self.f.terminate(Terminator::Goto(block), span);
            }
            None => {
                self.opaque(node, GapReason::Syntax);
                self.f.terminate(Terminator::Unreachable, span);
            }
        }
    }

    fn labeled(&mut self, node: Node<'t>) {
        let Some(label) = field(node, F.label) else {
            return;
        };
        let name = self.items.source.name(label);
        let span = self.items.source.span(label);
        self.f.label(name, span);
        let mut rest = Vec::new();
        self.items.source.each_child(node, |child, _, at| {
            if child.is_named() && at != F.label {
                rest.push(child);
            }
        });
        for child in rest {
            self.stmt(child);
        }
    }

    fn return_statement(&mut self, value: Option<Node<'t>>, span: Span) {
        let Some(node) = value else {
            self.leave_function(None, span);
            return;
        };
        let keep = self.f.temps.len();
        let value = self.returned(node, span);
        self.f.end_temps(keep, span);
        self.leave_function(value, span);
    }

    /// The value to return, safe from what ends before the function is left.
    fn returned(&mut self, node: Node<'t>, span: Span) -> Option<Operand> {
        let ret = self.f.ret.clone();
        let node = self.items.source.bare(node);
        if ret.name == "void" && ret.is_object() {
            self.effect(node);
            return None;
        }
        if kind(node) == K::InitializerList {
            let temp = self.f.temp(ret.clone(), span);
            self.initialise_braced(temp, &ret, node, false, span);
            return Some(Operand::Copy(temp));
        }
        let value = self.operand(node);
        let (Operand::Copy(place) | Operand::Move(place)) = value else {
            return Some(value);
        };
        let ends = self.f.anything_alive() || !self.f.temps.is_empty();
        let Base::Local(id) = self.f.places[place].base else {
            if !ends || ret.reference != Reference::None {
                return Some(value);
            }
            // It is read before what ends here ends: a guard, say.
            let temp = self.f.temp(ret, span);
            self.f.assign(temp, Rvalue::Use(value), span);
            return Some(Operand::Copy(temp));
        };
        let local = self.f.local_info(id).clone();
        let whole = self.f.places[place].proj.is_empty();
        if local.kind == LocalKind::Temp && whole {
            // An object made to be returned is the caller's.
            self.f.temps.retain(|temp| *temp != place);
            return Some(value);
        }
        let moves = whole
            && matches!(local.kind, LocalKind::Auto | LocalKind::Param)
            && self.items.known.drops(&local.ty);
        if !ends && !moves {
            return Some(value);
        }
        let temp = self.f.temp(ret, span);
        let from = if moves {
            Operand::Move(place)
        } else {
            Operand::Copy(place)
        };
        self.f.assign(temp, Rvalue::Use(from), span);
        Some(Operand::Copy(temp))
    }

    /// Ends everything and leaves the function.
    pub(super) fn leave_function(&mut self, value: Option<Operand>, span: Span) {
        self.f.exit_to(ROOT, span);
        self.f.terminate(Terminator::Return(value), span);
    }

    /// Leaves by an exception: to the handler around it, or out of the function.
    pub(super) fn throw(&mut self, span: Span) {
        match self.f.handler {
            Some((block, alive)) => {
                self.f.exit_to(alive, span);
                self.f.terminate(Terminator::Goto(block), span);
            }
            None => {
                self.f.exit_to(ROOT, span);
                self.f.terminate(Terminator::Unwind, span);
            }
        }
    }

    /// Assigns an unknown value.
    pub(super) fn set_unknown(&mut self, dst: PlaceId, from: Vec<Operand>, span: Span) {
        self.f.assign(dst, Rvalue::Unknown(from), span);
    }

    /// A new local that is alive from here.
    pub(super) fn new_variable(
        &mut self,
        name: Name,
        ty: Type,
        kind: LocalKind,
        span: Span,
    ) -> pipelint_ir::LocalId {
        let id = self.f.local(name.clone(), ty, kind, span);
        self.f.bind(name, id);
        id
    }
}

/// True for an expression that stands where a statement is expected.
fn is_expression(node: Node<'_>) -> bool {
    matches!(
        kind(node),
        K::CallExpression
            | K::AssignmentExpression
            | K::BinaryExpression
            | K::UnaryExpression
            | K::UpdateExpression
            | K::ConditionalExpression
            | K::CommaExpression
            | K::ParenthesizedExpression
            | K::FieldExpression
            | K::SubscriptExpression
            | K::PointerExpression
            | K::CastExpression
            | K::Identifier
            | K::QualifiedIdentifier
            | K::LambdaExpression
            | K::NewExpression
            | K::DeleteExpression
            | K::NumberLiteral
            | K::StringLiteral
            | K::CoAwaitExpression
            | K::CompoundLiteral
            | K::InitializerList
            | K::TypeIdentifier
            | K::This
            | K::True
            | K::False
            | K::Null
    )
}
