//! Closures: functions of their own, and what they capture.

use pipelint_ir::{Base, Function, FunctionKind, Name, PlaceId, Rvalue, Statement};
use pipelint_source::Span;
use tree_sitter::Node;

use super::{Body, Lowerer, Outer};
use crate::build::frame::Frame;
use crate::rust::SiteKind;
use crate::rust::kinds::{F, K, field};
use crate::rust::source::{children, has_token};
use crate::rust::ty::Ty;

impl Lowerer<'_> {
    /// A closure: its body becomes a function, its value what it captured.
    pub(super) fn closure(&mut self, node: Node<'_>, dst: PlaceId, span: Span) {
        match field(node, F.body) {
            Some(body) => self.closure_over(node, body, dst, span),
            None => {
                self.unsupported(node);
            }
        }
    }

    /// A closure with this body.
    pub(super) fn closure_over(
        &mut self,
        node: Node<'_>,
        body: Node<'_>,
        dst: PlaceId,
        span: Span,
    ) {
        self.site_at(SiteKind::Function, span);
        self.f.lambdas += 1;
        let name = Name::new(format!("{}::{{closure#{}}}", self.f.name, self.f.lambdas));
        let by_value = has_token(node, "move");
        let mut frame = Frame::new(name.clone(), FunctionKind::Lambda, self.f.class.clone());
        frame.whole = span;
        frame.name_span = field(node, F.parameters).map_or(span, |list| self.src.span(list));
        let inner = Body {
            receiver: self.body.receiver,
            ..Body::default()
        };
        self.outer.push(Outer {
            frame: std::mem::replace(&mut self.f, frame),
            body: std::mem::replace(&mut self.body, inner),
        });
        if let Some(list) = field(node, F.parameters) {
            self.parameters(list);
        }
        let written = field(node, F.return_type);
        let ret = written.map(|ty| self.ix.modules.ty(&self.src, &self.scope, ty));
        let (function, captured) = self.body_of(body, ret.unwrap_or_default());
        if let Some(outer) = self.outer.pop() {
            self.f = outer.frame;
            self.body = outer.body;
        }
        let mut list = Vec::new();
        let changed = changed_captures(&function);
        self.done.push(function);
        for name in &captured {
            if let Some((place, ty)) = self.variable(name) {
                let place = self.f.places.intern(place);
                // A number or pointer that is only read is what it was, whoever runs it.
                let copied = by_value || ty.is_scalar() && !changed.contains(name);
                list.push((place, !copied));
            }
        }
        self.f.assign(dst, Rvalue::Closure(name, list), span);
    }

    /// Runs a closure's body here, with its first parameter bound to a place; the type of its value.
    ///
    /// For what `Option` and `Result` do with closures: they run them at most once, at once.
    pub(super) fn run_inline(
        &mut self,
        closure: Node<'_>,
        argument: Option<(PlaceId, Ty)>,
        dst: PlaceId,
    ) -> Ty {
        self.site(SiteKind::Function, closure);
        let end = self.src.end(closure);
        let scope = self.f.enter_scope();
        let (after, ty) = self.with_own_exit(dst, |this| {
            this.bind_parameter(closure, argument);
            let Some(body) = field(closure, F.body) else {
                return Ty::Unit;
            };
            let keep = this.f.temps.len();
            let ty = this.store(body, dst, &Ty::Unknown);
            this.f.end_temps(keep, end);
            ty
        });
        self.f.leave_scope(&scope, end);
        self.f.fall_into(after, end);
        self.retype(dst, &ty);
        ty
    }

    /// Binds a closure's first parameter to what it is given.
    fn bind_parameter(&mut self, closure: Node<'_>, argument: Option<(PlaceId, Ty)>) {
        let list = field(closure, F.parameters);
        let first = list.and_then(|list| children(list).into_iter().next());
        let (Some((parameter, what)), Some((place, ty))) = (first, argument) else {
            return;
        };
        let (pattern, written) = match what {
            K::Parameter => (field(parameter, F.pattern), field(parameter, F.ty)),
            _ => (Some(parameter), None),
        };
        let written = written.map(|ty| {
            let ty = self.ix.modules.ty(&self.src, &self.scope, ty);
            self.ix.normal(&ty)
        });
        if let Some(pattern) = pattern {
            let at = self.f.places[place].clone();
            self.bind(pattern, &at, &written.unwrap_or(ty), false);
        }
    }
}

/// The captured variables that a closure's body may change.
fn changed_captures(closure: &Function) -> Vec<Name> {
    let captured = |place: PlaceId| match &closure.places[place].base {
        Base::Captured(name) => Some(name.clone()),
        _ => None,
    };
    let statements = closure.blocks.iter().flat_map(|block| &block.stmts);
    let changed = statements.flat_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Ref(of),
        } => vec![*dst, *of],
        Statement::Assign { dst, value } => match value {
            Rvalue::Closure(_, captures) => {
                let inner = captures.iter().map(|(place, _)| *place);
                inner.chain([*dst]).collect()
            }
            _ => vec![*dst],
        },
        Statement::Call { dst: Some(dst), .. } => vec![*dst],
        Statement::Opaque { touches, .. } => touches.clone(),
        _ => Vec::new(),
    });
    changed.filter_map(captured).collect()
}
