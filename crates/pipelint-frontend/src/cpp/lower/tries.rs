//! `try` and `catch`, `__try`, `__except` and `__finally`.

use pipelint_ir::{BlockId, Const, LocalKind, Operand, Rvalue, Terminator, Type};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::cond::nonzero;
use super::frame::{Handler, ROOT, Target};
use crate::cpp::kinds::{F, K, field, kind};

impl<'t> Lowerer<'_, 't> {
    /// `try { … } catch …`. `inits` is run inside, for a constructor's function-try-block.
    pub(super) fn try_statement(&mut self, node: Node<'t>, inits: Option<Node<'t>>) {
        let dispatch = self.f.new_block();
        let after = self.f.new_block();
        let outer = self.f.handler;
        let outside = self.f.unwind();
        self.f.handler = Some((dispatch, self.f.alive()));
        self.f.set_unwind(Some(dispatch));
        let mut clauses = Vec::new();
        let mut body = None;
        self.items.source.each_child(node, |child, what, at| {
            if at == F.body {
                body = Some(child);
            } else if what == K::CatchClause {
                clauses.push(child);
            }
        });
        if let Some(inits) = inits {
            self.member_inits(inits);
        }
        if let Some(body) = body {
            self.stmt(body);
        }
        self.f.handler = outer;
        self.f.set_unwind(outside);
        let end = self.end_of(node);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(after), end);
        self.f.switch_to(dispatch);
        for clause in clauses {
            self.catch(clause, after);
        }
        self.propagate(outer, end);
        self.f.switch_to(after);
        if node.has_error() {
            for child in self.items.source.children(node) {
                if kind(child) == K::Error || child.is_missing() {
                    self.opaque(child, pipelint_ir::GapReason::Syntax);
                }
            }
        }
    }

    /// An exception goes on to the handler around, or out of the function.
    fn propagate(&mut self, outer: Option<Handler>, span: Span) {
        match outer {
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

    /// One handler: taken or not, nobody knows; `catch (...)` always.
    fn catch(&mut self, clause: Node<'t>, after: BlockId) {
        let span = self.items.source.span(clause);
        let list = field(clause, F.parameters);
        let params = list
            .map(|list| self.items.source.params(list))
            .unwrap_or_default();
        let next = self.f.new_block();
        let at = list.map_or(span, |list| self.items.source.span(list));
        let every = list.is_some_and(|list| {
            list.children(&mut list.walk())
                .any(|token| token.kind() == "...")
        });
        if !every {
            let handler = self.f.new_block();
            let taken = self.f.temp(Type::named("bool"), at);
            self.f.assign(taken, Rvalue::Unknown(Vec::new()), at);
            self.f
                .branch(nonzero(Operand::Copy(taken)), handler, next, at);
            self.f.switch_to(handler);
        }
        let scope = self.f.enter_scope();
        for param in params {
            let Some(name) = param.name else { continue };
            let name = self.items.source.name(name);
            let at = self.items.source.span(param.node);
            let drops = self.items.known.drops(&param.ty);
            let id = self.new_variable(name, param.ty, LocalKind::Auto, at);
            let place = self.f.place_of(id);
            self.f.assign(place, Rvalue::Unknown(Vec::new()), at);
            self.f.live(id, drops, at);
        }
        if let Some(body) = field(clause, F.body) {
            self.stmt(body);
        }
        let end = self.end_of(clause);
        self.f.leave_scope(&scope, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(after), end);
        self.f.switch_to(next);
    }

    /// `__try` with `__except` or `__finally`.
    pub(super) fn seh_try(&mut self, node: Node<'t>) {
        let span = self.items.source.span(node);
        let body = field(node, F.body);
        let except = self.items.source.child_of(node, K::SehExcept);
        let finally = self.items.source.child_of(node, K::SehFinally);
        if let Some(finally) = finally {
            self.seh_finally(node, body, finally, span);
        } else if let Some(except) = except {
            self.seh_except(node, body, except);
        } else if let Some(body) = body {
            self.opaque(node, pipelint_ir::GapReason::Syntax);
            self.stmt(body);
        }
    }

    fn seh_body(&mut self, body: Option<Node<'t>>, end: Span) {
        let leave = self.f.new_block();
        let alive = self.f.alive();
        self.f.targets.push(Target {
            brk: None,
            cont: None,
            leave: Some((leave, alive)),
        });
        if let Some(body) = body {
            self.stmt(body);
        }
        self.f.targets.pop();
        self.f.fall_into(leave, end);
    }

    fn seh_finally(
        &mut self,
        node: Node<'t>,
        body: Option<Node<'t>>,
        finally: Node<'t>,
        span: Span,
    ) {
        let outside = self.f.alive();
        self.f.enter_finally(span);
        let end = body.map_or(span, |body| self.end_of(body));
        self.seh_body(body, end);
        // Falling out of the body is one way through.
        self.f.exit_to(outside, end);
        let on = self.f.current();
        let index = self.f.open_finally();
        if let Some(body) = field(finally, F.body) {
            self.stmt(body);
        }
        let end = self.end_of(node);
        self.f.close_finally(index, end);
        self.f.switch_to(on);
    }

    fn seh_except(&mut self, node: Node<'t>, body: Option<Node<'t>>, except: Node<'t>) {
        let dispatch = self.f.new_block();
        let after = self.f.new_block();
        let outer = self.f.handler;
        let outside = self.f.unwind();
        self.f.handler = Some((dispatch, self.f.alive()));
        self.f.set_unwind(Some(dispatch));
        let end = body.map_or_else(|| self.end_of(node), |body| self.end_of(body));
        self.seh_body(body, end);
        self.f.handler = outer;
        self.f.set_unwind(outside);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(after), end);
        self.f.switch_to(dispatch);
        let (handler, pass) = (self.f.new_block(), self.f.new_block());
        match field(except, F.filter) {
            Some(filter) => self.filter(filter, handler, pass),
            None => {
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(handler), end);
            }
        }
        self.f.switch_to(pass);
        self.propagate(outer, end);
        self.f.switch_to(handler);
        if let Some(body) = field(except, F.body) {
            self.stmt(body);
        }
        let end = self.end_of(except);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(after), end);
        self.f.switch_to(after);
    }

    /// A filter expression: positive handles the exception, anything else passes it on.
    fn filter(&mut self, node: Node<'t>, handler: BlockId, pass: BlockId) {
        let span = self.items.source.span(node);
        let inner = self.items.source.bare(node);
        let named = match kind(inner) {
            K::Identifier => self.items.source.text(inner),
            _ => "",
        };
        let to = match named {
            "EXCEPTION_EXECUTE_HANDLER" => Some(handler),
            "EXCEPTION_CONTINUE_SEARCH" => Some(pass),
            _ => None,
        };
        if let Some(to) = to {
            let cur = self.f.current();
            self.f.end(cur, Terminator::Goto(to), span);
            return;
        }
        let value = self.operand(node);
        let zero = Operand::Const(Const::Int(0));
        let cond = super::cond::normal(pipelint_ir::CmpOp::Gt, value, zero);
        self.branch(cond, handler, pass, span);
    }
}
