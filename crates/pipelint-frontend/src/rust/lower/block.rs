//! Blocks and statements.

use pipelint_ir::{BlockId, Name};
use pipelint_ir::{GapReason, LocalKind, Mark, Operand, PlaceId, Rvalue, Statement, Terminator};
use tree_sitter::Node;

use super::{Exit, Loop, Lowerer};
use crate::rust::SiteKind;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::outline::items;
use crate::rust::source::{child_of, children, first};
use crate::rust::ty::Ty;
use crate::rust::types::path_of;

impl Lowerer<'_> {
    /// A block: `{ … }`, `unsafe { … }`, `'label: { … }`; its value's type.
    pub(super) fn block_into(&mut self, node: Node<'_>, dst: Option<PlaceId>, hint: &Ty) -> Ty {
        let span = self.src.span(node);
        match kind(node) {
            K::UnsafeBlock => {
                self.f.push(Statement::Mark(Mark::Unsafe(true)), span);
                let ty = match child_of(node, K::Block) {
                    Some(inner) => self.block_into(inner, dst, hint),
                    None => Ty::Unit,
                };
                let end = self.src.end(node);
                self.f.push(Statement::Mark(Mark::Unsafe(false)), end);
                return ty;
            }
            K::ConstBlock => {
                return match field(node, F.body) {
                    Some(inner) => self.block_into(inner, dst, hint),
                    None => Ty::Unit,
                };
            }
            K::Block => {}
            _ => {
                return match dst {
                    Some(dst) => self.store(node, dst, hint),
                    None => {
                        self.discard(node);
                        Ty::Unit
                    }
                };
            }
        }
        let label = child_of(node, K::Label).map(|l| Name::new(self.src.text(l)));
        let end = self.src.end(node);
        let Some(label) = label else {
            return self.statements(node, dst, hint);
        };
        let after = self.f.new_block();
        let alive = self.f.alive();
        self.body.loops.push(Loop {
            label: Some(label),
            is_loop: false,
            brk: after,
            cont: None,
            alive,
            temps: self.f.temps.len(),
            slot: dst,
        });
        let ty = self.statements(node, dst, hint);
        self.body.loops.pop();
        self.f.fall_into(after, end);
        ty
    }

    /// The statements of a block, and its value.
    pub(super) fn statements(&mut self, node: Node<'_>, dst: Option<PlaceId>, hint: &Ty) -> Ty {
        let scope = self.f.enter_scope();
        let end = self.src.end(node);
        let ty = self.statements_within(node, dst, hint);
        self.f.leave_scope(&scope, end);
        ty
    }

    /// As `statements`, in a scope that is open.
    pub(super) fn statements_within(
        &mut self,
        node: Node<'_>,
        dst: Option<PlaceId>,
        hint: &Ty,
    ) -> Ty {
        let mut ty = Ty::Unit;
        let body = items(&self.src, self.cfg, node);
        let count = body.len();
        for (i, item) in body.into_iter().enumerate() {
            let last = i + 1 == count;
            let keep = self.f.temps.len();
            let span = self.src.span(item.node);
            if let Some((ended, rest)) = self.split(item.node) {
                self.discard(ended);
                self.f.end_temps(keep, span);
                let to = dst.filter(|_| last);
                ty = self.statements_within(rest.root_node(), to, hint);
                continue;
            }
            match item.what {
                K::Label | K::EmptyStatement => {}
                K::LetDeclaration => self.let_declaration(item.node),
                K::ExpressionStatement => {
                    let Some(inner) = first(item.node) else {
                        continue;
                    };
                    // A last `if` or `match` without `;` is the block's value.
                    let open = !self.src.text(item.node).ends_with(';');
                    if last && open {
                        ty = self.tail(inner, dst, hint);
                    } else if self.gives_up_the_error(inner) {
                        self.discard_voided(inner);
                        ty = Ty::Unit;
                    } else {
                        self.discard(inner);
                        let leaves = matches!(
                            kind(inner),
                            K::ReturnExpression | K::BreakExpression | K::ContinueExpression
                        );
                        ty = if leaves && last { Ty::Never } else { Ty::Unit };
                    }
                }
                K::Error => self.opaque(item.node, GapReason::Syntax),
                _ if self.declaration(item.node, item.what) => {}
                K::MacroInvocation if !last => self.discard(item.node),
                _ => ty = self.tail(item.node, dst, hint),
            }
            self.f.end_temps(keep, span);
        }
        ty
    }

    fn tail(&mut self, node: Node<'_>, dst: Option<PlaceId>, hint: &Ty) -> Ty {
        match dst {
            Some(dst) => {
                let ty = self.store(node, dst, hint);
                if ty != Ty::Never {
                    self.retype(dst, &ty);
                }
                ty
            }
            None => {
                self.discard(node);
                Ty::Unit
            }
        }
    }

    /// An item in a block; false for anything else.
    fn declaration(&mut self, node: Node<'_>, what: K) -> bool {
        match what {
            K::FunctionItem => self.nested(node),
            K::ImplItem | K::TraitItem | K::ModItem | K::ConstItem | K::StaticItem => {
                self.nested_items(node);
            }
            K::StructItem
            | K::EnumItem
            | K::UnionItem
            | K::TypeItem
            | K::UseDeclaration
            | K::MacroDefinition
            | K::ForeignModItem
            | K::ExternCrate
            | K::FunctionSignature => {}
            _ => return false,
        }
        true
    }

    fn let_declaration(&mut self, node: Node<'_>) {
        let Some(pattern) = field(node, F.pattern) else {
            self.unsupported(node);
            return;
        };
        let span = self.src.span(node);
        let written = field(node, F.ty).map(|ty| {
            let ty = self.ix.modules.ty(&self.src, &self.scope, ty);
            self.ix.normal(&ty)
        });
        let mut hint = written.clone().unwrap_or_default();
        let alternative = field(node, F.alternative);
        let uninit = field(node, F.value).filter(|value| self.is_uninit(*value));
        if let Some(call) = uninit {
            self.site(SiteKind::Call, call);
            if let (None, Some(function)) = (&written, field(call, F.function)) {
                hint = self.maybe_uninit(function);
            }
        }
        let value = field(node, F.value).filter(|_| uninit.is_none());
        let Some(value) = value else {
            self.uninitialised(pattern, hint);
            return;
        };
        let name = match kind(pattern) {
            K::Identifier => Some(pattern),
            K::MutPattern => first_name(pattern),
            _ => None,
        };
        // `let _ = value;` ends the value at once, and a place is left as it is.
        if self.src.text(pattern) == "_" {
            self.discard_voided(value);
            return;
        }
        if let (Some(name), None) = (name, alternative) {
            let name_text = self.src.name(name);
            if !name_text.starts_with(|c: char| c.is_ascii_uppercase()) {
                let at = self.src.span(name);
                let id = self.local(name_text.clone(), hint.clone(), LocalKind::Auto, at);
                let dst = self.f.place_of(id);
                let borrowed = kind(value) == K::ReferenceExpression;
                let keep = self.f.temps.len();
                let ty = self.store(value, dst, &hint);
                if borrowed {
                    self.extend_temps(keep, span);
                }
                let known = if hint == Ty::Unknown || ty == Ty::Never {
                    ty
                } else {
                    hint
                };
                self.retype(dst, &known);
                self.f.bind(name_text, id);
                let drops = self.ix.needs_drop(&self.ty_of(id));
                self.f.live(id, drops, span);
                return;
            }
        }
        let lent = self.is_lent(value);
        let before = (self.f.alive(), self.f.temps.len());
        let (place, found) = self.scrutinee(value);
        let ty = if hint == Ty::Unknown { found } else { hint };
        match alternative {
            Some(alternative) => {
                let (fail, on) = (self.f.new_block(), self.f.new_block());
                self.test(pattern, &place, &ty, fail);
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(on), span);
                self.f.switch_to(fail);
                // What the value was made with ends before the code for what did not fit.
                self.f.leave_temps(before.1, span);
                self.f.exit_to(before.0, span);
                let alive = self.f.set_alive(before.0);
                let temps = self.f.temps.split_off(before.1);
                self.block_into(alternative, None, &Ty::Unit);
                self.f.temps.extend(temps);
                self.f.set_alive(alive);
                let cur = self.f.current();
                self.f.end(cur, Terminator::Unreachable, span);
                self.f.switch_to(on);
                self.bind(pattern, &place, &ty, lent);
            }
            None => self.bind(pattern, &place, &ty, lent),
        }
    }

    /// `MaybeUninit::uninit()`: as if nothing stood there.
    fn is_uninit(&self, value: Node<'_>) -> bool {
        let function = (kind(value) == K::CallExpression)
            .then(|| field(value, F.function))
            .flatten();
        function.is_some_and(|function| {
            let path = path_of(&self.src, function);
            path.last().is_some_and(|last| last == "uninit")
                && self.resolve(&path) == "std::mem::MaybeUninit::uninit"
        })
    }

    /// `let x;`
    fn uninitialised(&mut self, pattern: Node<'_>, ty: Ty) {
        let name = match kind(pattern) {
            K::Identifier => Some(pattern),
            _ => first_name(pattern),
        };
        let Some(name) = name else { return };
        let at = self.src.span(name);
        let drops = self.ix.needs_drop(&ty);
        let name = self.src.name(name);
        let id = self.local(name.clone(), ty, LocalKind::Auto, at);
        self.f.push(Statement::Mark(Mark::Live(id)), at);
        self.f.bind(name, id);
        self.f.live(id, drops, at);
    }

    /// Temporaries of `let x = &f();` live as long as `x`.
    fn extend_temps(&mut self, keep: usize, span: pipelint_source::Span) {
        for place in self.f.temps.split_off(keep) {
            if let pipelint_ir::Base::Local(id) = self.f.places[place].base {
                self.f.live(id, true, span);
            }
        }
    }

    /// `f().ok();` says as much as `let _ = f();`.
    fn gives_up_the_error(&self, statement: Node<'_>) -> bool {
        let method = (kind(statement) == K::CallExpression)
            .then(|| field(statement, F.function))
            .flatten()
            .filter(|function| kind(*function) == K::FieldExpression)
            .and_then(|function| field(function, F.field));
        method.is_some_and(|name| self.src.text(name) == "ok")
    }

    /// `let _ = value;`, `_ = value;`: meant to be dropped.
    pub(super) fn discard_voided(&mut self, value: Node<'_>) {
        let mut inner = value;
        while matches!(
            kind(inner),
            K::UnsafeBlock | K::Block | K::ParenthesizedExpression
        ) {
            let mut parts = children(inner).into_iter();
            match (parts.next(), parts.next()) {
                (Some((one, what)), None) if what != K::ExpressionStatement => inner = one,
                _ => break,
            }
        }
        match kind(inner) {
            K::CallExpression => {
                let before = self.f.current();
                let value = self.call_dropped(inner);
                self.f.void_last_call(before);
                self.end_value(value);
            }
            _ => self.discard(value),
        }
    }

    /// Lowers code whose `return` and `?` go to a block behind it, with the result in `dst`.
    pub(super) fn with_own_exit<R>(
        &mut self,
        dst: PlaceId,
        body: impl FnOnce(&mut Self) -> R,
    ) -> (BlockId, R) {
        let after = self.f.new_block();
        let exit = Exit {
            slot: Some(dst),
            ty: Ty::Unknown,
            to: Some((after, self.f.alive())),
            temps: self.f.temps.len(),
        };
        let outer = self.body.exit.replace(exit);
        let loops = std::mem::take(&mut self.body.loops);
        let result = body(self);
        self.body.exit = outer;
        self.body.loops = loops;
        (after, result)
    }

    /// `async { … }`, `try { … }`: `return` and `?` leave it, not the function.
    pub(super) fn inner_body(&mut self, node: Node<'_>, dst: PlaceId) -> Ty {
        let Some(block) = child_of(node, K::Block) else {
            return Ty::Unit;
        };
        let end = self.src.end(node);
        let (after, ty) =
            self.with_own_exit(dst, |this| this.block_into(block, Some(dst), &Ty::Unknown));
        if kind(node) == K::TryBlock {
            let payload = self.temp(ty.clone(), end);
            self.f.assign(payload, Rvalue::Use(Operand::Move(dst)), end);
            self.make_good(Operand::Move(payload), dst, end);
        }
        self.f.fall_into(after, end);
        ty
    }
}

fn first_name<'t>(pattern: Node<'t>) -> Option<Node<'t>> {
    children(pattern)
        .into_iter()
        .find(|(_, what)| *what == K::Identifier)
        .map(|(child, _)| child)
}
