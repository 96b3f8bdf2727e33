//! Whole functions: names, parameters, member-initialiser lists, bodies.

use std::rc::Rc;

use pipelint_ir::{
    Const, Function, FunctionKind, GapReason, LocalKind, Name, Operand, Rvalue, Type,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::frame::Frame;
use super::init::Form;
use crate::cpp::items::Space;
use crate::cpp::kinds::{K, kind};
use crate::cpp::tree::last_segment;

impl<'t> Lowerer<'_, 't> {
    /// Lowers a function definition, and the lambdas in it.
    pub(super) fn definition(mut self, node: Node<'t>, space: &Rc<Space>) -> Vec<Function> {
        let spec = self.items.source.specifiers(node);
        let declared = self
            .items
            .source
            .declared(spec.ty.clone(), spec.declarators.first().map(|d| d.0));
        let (Some(name_node), Some(function)) = (declared.name, declared.function) else {
            return Vec::new();
        };
        let name = self.items.source.qualified(name_node);
        let full = self.full_name(&name, space);
        let (class, what) = self.class_of(&full, &name, space, spec.is_static, spec.inits);
        self.f = Frame::new(full.clone(), what, class);
        self.f.whole = self.items.source.span(node);
        self.f.name_span = self.items.source.span(name_node);
        self.f.ret = match what {
            FunctionKind::Constructor | FunctionKind::Destructor => Type::named("void"),
            _ => declared.ty.clone(),
        };
        self.around = Rc::clone(space);
        self.space = Rc::new(Space {
            prefix: format!("{full}::"),
            class: None,
            internal: true,
            depth: 0,
        });
        let noreturn = self
            .items
            .declared_function(node, &spec, &declared, space)
            .is_some_and(|declaration| declaration.noreturn);
        self.header_errors(node, &spec.errors);
        if let Some(list) = self.items.source.parameters(function) {
            if list.has_error() {
                self.broken(list);
            }
            self.params(list);
        }
        let end = self.end_of(node);
        match spec.body {
            Some(body) if kind(body) == K::TryStatement => {
                let inits = self.items.source.child_of(body, K::FieldInitializerList);
                self.try_statement(body, inits.or(spec.inits));
            }
            body => {
                if let Some(inits) = spec.inits {
                    self.member_inits(inits);
                }
                if let Some(body) = body {
                    self.stmt(body);
                }
            }
        }
        self.f.exit_to(super::frame::ROOT, end);
        let mut function = self.f.finish(end);
        function.noreturn = noreturn;
        function.internal = space.internal || (spec.is_static && space.class.is_none());
        let mut out = vec![function];
        out.append(&mut self.done);
        out
    }

    /// The qualified name of a definition. Where a `using namespace` lets it name its class
    /// without the namespace, and this file shows the class, the class tells the rest.
    fn full_name(&self, written: &Name, space: &Space) -> Name {
        let full = space.qualify(written);
        let Some(at) = full.rfind("::") else {
            return full;
        };
        if !written.contains("::") {
            return full;
        }
        match self.items.known.class(&full[..at]) {
            Some(facts) if facts.name.ends_with(&format!("::{}", &full[..at])) => {
                Name::new(format!("{}{}", facts.name, &full[at..]))
            }
            _ => full,
        }
    }

    /// The class a function belongs to, and what it is there.
    fn class_of(
        &self,
        full: &Name,
        written: &Name,
        space: &Space,
        is_static: bool,
        inits: Option<Node<'t>>,
    ) -> (Option<Name>, FunctionKind) {
        let known = &self.items.known;
        let class = if written.contains("::") {
            let qualifier = &full[..full.rfind("::").unwrap_or(0)];
            let short = &written[..written.rfind("::").unwrap_or(0)];
            let namespace = known.namespaces.contains(qualifier)
                || (known.namespaces.contains(short) && known.class(short).is_none());
            (!namespace).then(|| Name::new(qualifier))
        } else {
            space.class.clone()
        };
        let Some(class) = class else {
            return (None, FunctionKind::Free);
        };
        let last = last_segment(full);
        let what = if last.starts_with('~') {
            FunctionKind::Destructor
        } else if last == last_segment(&class) || inits.is_some() {
            FunctionKind::Constructor
        } else if is_static && space.class.is_some() {
            FunctionKind::StaticMethod
        } else {
            let facts = known.class(&class);
            let said = facts.and_then(|facts| facts.methods.get(last)).copied();
            match said {
                Some(true) => FunctionKind::StaticMethod,
                _ => FunctionKind::Method,
            }
        };
        (Some(class), what)
    }

    /// ERROR nodes before the body. A lone word is a macro that changes nothing here.
    fn header_errors(&mut self, _node: Node<'t>, errors: &[Node<'t>]) {
        for &error in errors {
            let text = self.items.source.text(error).trim();
            let word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !word {
                self.opaque(error, GapReason::Syntax);
            }
        }
    }

    /// Declares the parameters: they are the first locals.
    pub(super) fn params(&mut self, list: Node<'t>) {
        let params = self.items.source.params(list);
        self.f.params = u32::try_from(params.len()).unwrap_or(u32::MAX);
        let mut objects = Vec::new();
        for param in params {
            let name = param
                .name
                .map(|name| self.items.source.name(name))
                .unwrap_or_default();
            let span = self.items.source.span(param.node);
            let drops = self.items.known.drops(&param.ty);
            let id = self.new_variable(name, param.ty, LocalKind::Param, span);
            let sal = self
                .items
                .sal_of(param.node.start_byte(), param.node.end_byte());
            self.f.set_sal(id, sal);
            if drops {
                objects.push((id, span));
            }
        }
        // Parameters of class type end with the function.
        for (id, span) in objects {
            self.f.live(id, true, span);
        }
    }

    /// A constructor's member-initialiser list.
    pub(super) fn member_inits(&mut self, list: Node<'t>) {
        for init in self.items.source.children(list) {
            match kind(init) {
                K::FieldInitializer => self.member_init(init),
                K::Error => self.opaque(init, GapReason::Syntax),
                _ => {}
            }
        }
    }

    fn member_init(&mut self, node: Node<'t>) {
        if node.has_error() && self.broken(node) {
            return;
        }
        let span = self.items.source.span(node);
        let (mut target, mut value) = (None, None);
        self.items
            .source
            .each_child(node, |child, what, _| match what {
                K::ArgumentList | K::InitializerList => value = Some(child),
                _ if child.is_named() && target.is_none() => target = Some(child),
                _ => {}
            });
        let (Some(target), Some(value)) = (target, value) else {
            return;
        };
        let name = self.items.source.qualified(target);
        let keep = self.f.temps.len();
        if self.is_base(&name, target) {
            let args = self.arguments(value);
            let dst = self.self_place();
            let ty = Type {
                args: self.items.source.template_args(target),
                ..Type::named(name)
            };
            self.construct(dst, ty, args, span);
            self.f.end_temps(keep, span);
            return;
        }
        let ty = self.field_type(&name);
        let dst = self.self_field(name);
        self.field_value(dst, ty, value, span);
        self.f.end_temps(keep, span);
    }

    /// Gives a field its first value.
    fn field_value(
        &mut self,
        dst: pipelint_ir::PlaceId,
        ty: Option<Type>,
        value: Node<'t>,
        span: Span,
    ) {
        if let Some(ty) = &ty {
            if super::frame::is_reference(ty) {
                self.bind_reference(dst, value, span);
            } else {
                self.initialise(dst, ty, value, Form::Direct, span);
            }
            return;
        }
        if !matches!(kind(value), K::ArgumentList | K::InitializerList) {
            self.store(value, dst, span);
            return;
        }
        let args = self.items.source.children(value);
        match args.as_slice() {
            [] => {
                let zero = Rvalue::Use(Operand::Const(Const::Int(0)));
                self.f.assign(dst, zero, span);
            }
            [one] if kind(*one) != K::InitializerPair => self.store(*one, dst, span),
            _ => {
                if args
                    .first()
                    .is_some_and(|arg| kind(*arg) == K::InitializerPair)
                {
                    self.aggregate(value, dst, span);
                    return;
                }
                let args = self.arguments(value);
                self.construct(dst, Type::default(), args, span);
            }
        }
    }

    /// The type of a field of this function's class, if the file shows the class.
    fn field_type(&self, name: &Name) -> Option<Type> {
        let facts = self.items.known.class(self.f.class.as_ref()?)?;
        facts.fields.get(name).cloned()
    }

    /// Whether a name in a member-initialiser list is a base class, or the class itself.
    fn is_base(&self, name: &Name, node: Node<'t>) -> bool {
        let Some(class) = &self.f.class else {
            return false;
        };
        let last = last_segment(name);
        if last == last_segment(class) {
            return true;
        }
        if let Some(facts) = self.items.known.class(class) {
            if facts.bases.iter().any(|base| last_segment(base) == last) {
                return true;
            }
            if facts.fields.contains_key(name) {
                return false;
            }
        }
        // The class stands in another file: its bases are written like types.
        matches!(
            kind(node),
            K::QualifiedIdentifier | K::TemplateMethod | K::TemplateFunction | K::TemplateType
        ) || (last.starts_with(|c: char| c.is_ascii_uppercase())
            && !crate::cpp::types::all_caps(last))
    }

    /// The default member initialisers of a class, as a function that its constructors run first.
    pub(super) fn field_init(
        mut self,
        class: &Name,
        fields: &[(Name, Type, Node<'t>)],
    ) -> Vec<Function> {
        let name = Name::new(format!("{class}::{{init}}"));
        self.f = Frame::new(name, FunctionKind::FieldInit, Some(class.clone()));
        self.f.ret = Type::named("void");
        let source = &self.items.source;
        if let (Some(first), Some(last)) = (fields.first(), fields.last()) {
            let whole = source.span_of(first.2.start_byte(), last.2.end_byte());
            self.f.whole = whole;
            self.f.name_span = whole;
        }
        for (name, ty, value) in fields {
            let span = self.items.source.span(*value);
            let dst = self.self_field(name.clone());
            if value.has_error() && self.broken(*value) {
                continue;
            }
            let keep = self.f.temps.len();
            self.field_value(dst, Some(ty.clone()), *value, span);
            self.f.end_temps(keep, span);
        }
        let end = fields
            .last()
            .map(|field| self.end_of(field.2))
            .unwrap_or_default();
        let mut out = vec![self.f.finish(end)];
        out.append(&mut self.done);
        out
    }

    /// The lambdas of a namespace-scope variable's initialiser.
    pub(super) fn initialiser(mut self, name: &Name, node: Node<'t>) -> Vec<Function> {
        let mut lambdas = Vec::new();
        self.items.source.walk(node, |child, what| {
            if what == K::LambdaExpression {
                lambdas.push(child);
            }
            what != K::LambdaExpression
        });
        if lambdas.is_empty() {
            return Vec::new();
        }
        self.f = Frame::new(name.clone(), FunctionKind::Free, None);
        for lambda in lambdas {
            let span = self.items.source.span(lambda);
            let temp = self.f.temp(Type::named("auto"), span);
            self.lambda(lambda, temp, span);
        }
        self.done
    }
}
