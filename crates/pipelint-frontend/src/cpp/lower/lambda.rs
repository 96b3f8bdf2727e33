//! Lambdas: functions of their own, and what they capture.

use pipelint_ir::{FunctionKind, LocalKind, Name, PlaceId, Reference, Rvalue, Type};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::frame::Frame;
use super::init::Form;
use crate::cpp::kinds::{F, K, field};

/// What a capture list says.
#[derive(Default)]
struct Captures {
    /// `[&]` is true, `[=]` false.
    default: Option<bool>,
    /// Named captures; true by reference.
    named: Vec<(Name, bool)>,
}

impl<'t> Lowerer<'_, 't> {
    /// A lambda expression: its body becomes a function, its value a closure.
    pub(super) fn lambda(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        let names = self.f.names_mark();
        let captures = field(node, F.captures).map(|list| self.captures(list));
        let captures = captures.unwrap_or_default();
        self.f.lambdas += 1;
        let name = Name::new(format!("{}::{{lambda#{}}}", self.f.name, self.f.lambdas));
        let frame = Frame::new(name.clone(), FunctionKind::Lambda, self.f.class.clone());
        self.outer.push(std::mem::replace(&mut self.f, frame));
        self.f.whole = self.items.source.span(node);
        self.f.name_span =
            field(node, F.captures).map_or(self.f.whole, |list| self.items.source.span(list));
        let declarator = field(node, F.declarator);
        if let Some(declarator) = declarator {
            self.f.ret = match self
                .items
                .source
                .child_of(declarator, K::TrailingReturnType)
            {
                Some(_) => self.trailing(declarator),
                None => Type::named("auto"),
            };
            if let Some(list) = self.items.source.parameters(declarator) {
                self.params(list);
            }
        } else {
            self.f.ret = Type::named("auto");
        }
        if let Some(body) = field(node, F.body) {
            self.stmt(body);
        }
        let end = self.end_of(node);
        let outer = self
            .outer
            .pop()
            .unwrap_or_else(|| Frame::new(Name::default(), FunctionKind::Free, None));
        let inner = std::mem::replace(&mut self.f, outer);
        let used = inner.captured.clone();
        self.done.push(inner.finish(end));
        let mut list = Vec::new();
        for (name, by_reference) in &captures.named {
            list.push((self.captured_place(name), *by_reference));
        }
        if let Some(by_reference) = captures.default {
            for name in used {
                if !captures.named.iter().any(|(named, _)| *named == name) {
                    list.push((self.captured_place(&name), by_reference));
                }
            }
        }
        self.f.forget_names(names);
        self.f.assign(dst, Rvalue::Closure(name, list), span);
    }

    fn trailing(&self, declarator: Node<'t>) -> Type {
        let trailing = self
            .items
            .source
            .child_of(declarator, K::TrailingReturnType);
        let descriptor = trailing.and_then(|node| self.items.source.first(node));
        descriptor
            .map(|node| self.items.source.descriptor(node))
            .unwrap_or_default()
    }

    fn captured_place(&mut self, name: &Name) -> PlaceId {
        let (place, _) = self.resolve(name);
        self.f.places.intern(place)
    }

    fn captures(&mut self, list: Node<'t>) -> Captures {
        let mut out = Captures::default();
        let mut by_reference = false;
        let mut parts = Vec::new();
        self.items
            .source
            .each_child(list, |child, what, _| parts.push((child, what)));
        for (child, what) in parts {
            match what {
                K::Other => by_reference = child.kind() == "&",
                K::LambdaDefaultCapture => {
                    out.default = Some(self.items.source.text(child) == "&");
                }
                K::Identifier => out
                    .named
                    .push((self.items.source.name(child), by_reference)),
                K::LambdaCaptureInitializer => {
                    if let Some(name) = self.init_capture(child) {
                        out.named.push((name, by_reference));
                    }
                }
                K::PackExpansion => {
                    if let Some(inner) = self.items.source.first(child) {
                        out.named
                            .push((self.items.source.name(inner), by_reference));
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// `[x = value]`: a variable that only the lambda sees.
    fn init_capture(&mut self, node: Node<'t>) -> Option<Name> {
        let (name, value) = (field(node, F.left)?, field(node, F.right)?);
        let name = self.items.source.name(name);
        let span = self.items.source.span(node);
        let ty = self.infer(value).unwrap_or_else(|| Type::named("auto"));
        let ty = Type {
            reference: Reference::None,
            ..ty
        };
        let id = self.f.local(name.clone(), ty, LocalKind::Temp, span);
        self.initialise_local(id, value, Form::Equals, span);
        // Its name means it until the lambda ends.
        self.f.bind(name.clone(), id);
        Some(name)
    }
}
