//! Branches, loops and switches.

use pipelint_ir::{
    BlockId, Const, LocalKind, Mark, Name, Operand, Rvalue, Statement, Terminator, Type,
};
use tree_sitter::Node;

use super::Lowerer;
use super::cond::nonzero;
use super::frame::{Arms, Target};
use crate::cpp::constants;
use crate::cpp::kinds::{F, K, field, kind};
use crate::cpp::tree::squeeze;

impl<'t> Lowerer<'_, 't> {
    /// Branches on a condition clause: `(x)`, `(T x = f())`, `(init; x)`. What it declares belongs
    /// to the scope around the call.
    fn condition(&mut self, clause: Node<'t>, then: BlockId, otherwise: BlockId) {
        let span = self.items.source.span(clause);
        if let Some(init) = field(clause, F.initializer) {
            for child in self.items.source.children(init) {
                self.stmt(child);
            }
        }
        let value = match kind(clause) {
            K::ConditionClause => field(clause, F.value),
            _ => Some(clause),
        };
        let Some(value) = value else {
            self.opaque(clause, pipelint_ir::GapReason::Syntax);
            let unknown = self.unknown(clause, Vec::new());
            self.f.branch(nonzero(unknown), then, otherwise, span);
            return;
        };
        if clause.has_error() && self.broken(clause) {
            let unknown = self.unknown(clause, Vec::new());
            self.f.branch(nonzero(unknown), then, otherwise, span);
            return;
        }
        if kind(value) == K::Declaration {
            let declared = self.declare(value);
            let at = self.items.source.span(value);
            let read = match declared {
                Some(place) => Operand::Copy(place),
                None => self.unknown(value, Vec::new()),
            };
            self.branch(nonzero(read), then, otherwise, at);
            return;
        }
        self.cond(value, then, otherwise);
    }

    /// `if`, with its `else if`s in one loop.
    pub(super) fn if_chain(&mut self, node: Node<'t>) {
        let join = self.f.new_block();
        let mut scopes = Vec::new();
        let outside = self.f.alive();
        let mut at = Some(node);
        while let Some(node) = at.take() {
            let span = self.items.source.span(node);
            self.stray_errors(node);
            scopes.push(self.f.enter_scope());
            let (yes, no) = (self.f.new_block(), self.f.new_block());
            match field(node, F.condition) {
                Some(clause) => self.condition(clause, yes, no),
                None => {
                    let unknown = self.unknown(node, Vec::new());
                    self.f.branch(nonzero(unknown), yes, no, span);
                }
            }
            self.f.switch_to(yes);
            if let Some(body) = field(node, F.consequence) {
                self.scoped(body);
            }
            let end = self.end_of(node);
            self.f.exit_to(outside, end);
            let cur = self.f.current();
            self.f.end(cur, Terminator::Goto(join), end);
            self.f.switch_to(no);
            if let Some(clause) = field(node, F.alternative) {
                let mut inner = None;
                self.items.source.each_child(clause, |child, _, _| {
                    if child.is_named() {
                        inner = Some(child);
                    }
                });
                match inner {
                    Some(next) if kind(next) == K::IfStatement => at = Some(next),
                    Some(next) => self.scoped(next),
                    None => {}
                }
            }
        }
        let end = self.end_of(node);
        while let Some(scope) = scopes.pop() {
            self.f.leave_scope(&scope, end);
        }
        self.f.fall_into(join, end);
    }

    /// ERROR nodes between the parts of a statement.
    fn stray_errors(&mut self, node: Node<'t>) {
        if !node.has_error() {
            return;
        }
        for child in self.items.source.children(node) {
            if kind(child) == K::Error {
                self.opaque(child, pipelint_ir::GapReason::Syntax);
            }
        }
    }

    fn loop_head(&mut self, node: Node<'t>) -> BlockId {
        let head = self.f.new_block();
        let span = self.items.source.span(node);
        self.f.fall_into(head, span);
        self.f.push(Statement::Mark(Mark::LoopHead), span);
        head
    }

    pub(super) fn while_loop(&mut self, node: Node<'t>) {
        self.stray_errors(node);
        let outside = self.f.alive();
        let head = self.loop_head(node);
        let (body, exit, after) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        let scope = self.f.enter_scope();
        if let Some(clause) = field(node, F.condition) {
            self.condition(clause, body, exit);
        }
        let end = self.end_of(node);
        self.f.switch_to(exit);
        self.f.exit_to(outside, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(after), end);
        self.f.switch_to(body);
        self.f.targets.push(Target {
            brk: Some((after, outside)),
            cont: Some((head, outside)),
            leave: None,
        });
        if let Some(body) = field(node, F.body) {
            self.scoped(body);
        }
        self.f.targets.pop();
        self.f.leave_scope(&scope, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(head), end);
        self.f.switch_to(after);
    }

    pub(super) fn do_loop(&mut self, node: Node<'t>) {
        self.stray_errors(node);
        let outside = self.f.alive();
        let head = self.loop_head(node);
        let (check, after) = (self.f.new_block(), self.f.new_block());
        self.f.targets.push(Target {
            brk: Some((after, outside)),
            cont: Some((check, outside)),
            leave: None,
        });
        if let Some(body) = field(node, F.body) {
            self.scoped(body);
        }
        self.f.targets.pop();
        let end = self.end_of(node);
        self.f.fall_into(check, end);
        match field(node, F.condition) {
            Some(clause) => self.condition(clause, head, after),
            None => {
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(after), end);
            }
        }
        self.f.switch_to(after);
    }

    pub(super) fn for_loop(&mut self, node: Node<'t>) {
        self.stray_errors(node);
        let scope = self.f.enter_scope();
        if let Some(init) = field(node, F.initializer) {
            match kind(init) {
                K::Declaration => self.stmt(init),
                _ => self.full_effect(init),
            }
        }
        let outside = self.f.alive();
        let head = self.loop_head(node);
        let (body, step, after) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        let end = self.end_of(node);
        match field(node, F.condition) {
            Some(test) if test.has_error() && self.broken(test) => {
                let unknown = self.unknown(test, Vec::new());
                self.f.branch(nonzero(unknown), body, after, end);
            }
            Some(test) => self.cond(test, body, after),
            None => {
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(body), end);
            }
        }
        self.f.switch_to(body);
        self.f.targets.push(Target {
            brk: Some((after, outside)),
            cont: Some((step, outside)),
            leave: None,
        });
        if let Some(body) = field(node, F.body) {
            self.scoped(body);
        }
        self.f.targets.pop();
        self.f.fall_into(step, end);
        if let Some(update) = field(node, F.update)
            && !self.broken(update)
        {
            self.full_effect(update);
        }
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(head), end);
        self.f.switch_to(after);
        self.f.leave_scope(&scope, end);
    }

    pub(super) fn range_loop(&mut self, node: Node<'t>) {
        self.stray_errors(node);
        let span = self.items.source.span(node);
        let scope = self.f.enter_scope();
        if let Some(init) = field(node, F.initializer) {
            for child in self.items.source.children(init) {
                self.stmt(child);
            }
        }
        let range = match field(node, F.right) {
            Some(right) => {
                let keep = self.f.temps.len();
                let value = self.operand(right);
                let at = self.items.source.span(right);
                self.f.end_temps(keep, at);
                vec![value]
            }
            None => Vec::new(),
        };
        let outside = self.f.alive();
        let head = self.loop_head(node);
        let (body, after) = (self.f.new_block(), self.f.new_block());
        let more = self.f.temp(Type::named("bool"), span);
        self.set_unknown(more, range.clone(), span);
        let at = field(node, F.right).map_or(span, |right| self.items.source.span(right));
        self.f.branch(nonzero(Operand::Copy(more)), body, after, at);
        self.f.switch_to(body);
        let each = self.f.enter_scope();
        let spec = self.items.source.specifiers(node);
        let declarator = spec.declarators.first().map(|d| d.0);
        let declared = self.items.source.declared(spec.ty, declarator);
        let place = declarator.map_or(span, |d| self.items.source.span(d));
        if let Some(binding) = declared.binding {
            self.bind_parts(binding, range, place);
        } else if let Some(name) = declared.name {
            let name = self.items.source.name(name);
            let drops = self.items.known.drops(&declared.ty);
            let id = self.new_variable(name, declared.ty, LocalKind::Auto, place);
            let dst = self.f.place_of(id);
            self.set_unknown(dst, range, place);
            self.f.live(id, drops, place);
        }
        self.f.targets.push(Target {
            brk: Some((after, outside)),
            cont: Some((head, outside)),
            leave: None,
        });
        if let Some(body) = field(node, F.body) {
            self.scoped(body);
        }
        self.f.targets.pop();
        let end = self.end_of(node);
        self.f.leave_scope(&each, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(head), end);
        self.f.switch_to(after);
        self.f.leave_scope(&scope, end);
    }

    pub(super) fn switch(&mut self, node: Node<'t>) {
        self.stray_errors(node);
        let span = self.items.source.span(node);
        let scope = self.f.enter_scope();
        let mut on = None;
        let mut at = span;
        if let Some(clause) = field(node, F.condition) {
            if let Some(init) = field(clause, F.initializer) {
                for child in self.items.source.children(init) {
                    self.stmt(child);
                }
            }
            if let Some(value) = field(clause, F.value) {
                at = self.items.source.span(value);
                let keep = self.f.temps.len();
                on = match kind(value) {
                    K::Declaration => self.declare(value).map(Operand::Copy),
                    _ if self.broken(value) => None,
                    _ => Some(self.operand(value)),
                };
                self.f.end_temps(keep, at);
            }
        }
        let on = match on {
            Some(on) => on,
            None => self.unknown(node, Vec::new()),
        };
        let head = self.f.current();
        let after = self.f.new_block();
        let base = self.f.alive();
        self.f.switches.push(Arms {
            base,
            arms: Vec::new(),
            seen: rustc_hash::FxHashSet::default(),
            default: None,
        });
        self.f.targets.push(Target {
            brk: Some((after, base)),
            cont: None,
            leave: None,
        });
        let first = self.f.new_block();
        self.f.switch_to(first);
        if let Some(body) = field(node, F.body) {
            self.scoped(body);
        }
        self.f.targets.pop();
        let end = self.end_of(node);
        self.f.fall_into(after, end);
        if let Some(arms) = self.f.switches.pop() {
            let default = arms.default.unwrap_or(after);
            self.f.end(
                head,
                Terminator::Switch {
                    on,
                    arms: arms.arms,
                    default,
                },
                at,
            );
        }
        self.f.leave_scope(&scope, end);
    }

    /// `case X:`, `default:`, with the statements behind it.
    pub(super) fn case(&mut self, node: Node<'t>) {
        let span = self.items.source.span(node);
        let value_node = field(node, F.value);
        let label = value_node.map(|value| {
            let constant = constants::evaluate(&self.items.source, &self.items.known, value, 0);
            match constant {
                Some(Const::Int(_)) if self.is_constant_name(value) => {
                    Const::Named(self.items.source.qualified(value))
                }
                Some(constant @ (Const::Int(_) | Const::Named(_))) => constant,
                _ => Const::Named(Name::new(squeeze(self.items.source.text(value)))),
            }
        });
        let block = self.f.new_block();
        self.f.fall_into(block, span);
        let alive = self.f.alive();
        let Some(base) = self.f.switches.last().map(|arms| arms.base) else {
            self.opaque(node, pipelint_ir::GapReason::Syntax);
            return;
        };
        let mut entry = block;
        if alive != base {
            // The arm jumps past declarations.
            entry = self.f.new_block();
            self.f.switch_to(entry);
            self.f.live_between(base, alive, span);
            self.f.end(entry, Terminator::Goto(block), span);
            self.f.switch_to(block);
        }
        if let Some(arms) = self.f.switches.last_mut() {
            match label {
                Some(label) => {
                    if arms.seen.insert(label.clone()) {
                        arms.arms.push((label, entry));
                    }
                }
                None => arms.default = Some(entry),
            }
        }
        let mut rest = Vec::new();
        self.items.source.each_child(node, |child, _, at| {
            if child.is_named() && at != F.value {
                rest.push(child);
            }
        });
        for child in rest {
            self.stmt(child);
        }
    }

    /// A name with a value stays a name.
    fn is_constant_name(&self, node: Node<'t>) -> bool {
        matches!(kind(node), K::Identifier | K::QualifiedIdentifier)
            && self
                .items
                .known
                .constants
                .contains_key(&self.items.source.qualified(node))
    }

    /// `auto [a, b] = …`: each name gets an unknown part of the value.
    pub(super) fn bind_parts(
        &mut self,
        binding: Node<'t>,
        from: Vec<Operand>,
        span: pipelint_source::Span,
    ) {
        for part in self.items.source.children(binding) {
            let name = self.items.source.name(part);
            let at = self.items.source.span(part);
            let id = self.new_variable(name, Type::named("auto"), LocalKind::Auto, at);
            let dst = self.f.place_of(id);
            self.f.assign(dst, Rvalue::Unknown(from.clone()), span);
            self.f.live(id, false, at);
        }
    }
}
