//! What `syn` finds in a file.

use std::collections::{BTreeMap, BTreeSet};

use pipelint_frontend::rust::SiteKind;
use pipelint_frontend::rust::cfg::Cfg;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, Macro, Pat, Signature, Stmt, Visibility};

use crate::arguments::{self, Code};
use crate::attributes;
use crate::place::{self, Range, from, to};

/// Why something that `syn` finds need not be lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// `cfg` says that the target does not have it. It must not be lowered.
    Off,
    /// It stands in a type: the length of an array, a generic argument.
    Type,
    /// It is a constant in a pattern: `const { … }`, or a macro.
    Pattern,
    /// It is the number of an enum's variant.
    Discriminant,
    /// It is given to a macro that does not run it: `stringify!`.
    NotRun,
    /// It is given to a macro that the crate defines, and is not in what that becomes.
    OwnMacro,
    /// It is nested deeper than the front end follows.
    TooDeep,
}

/// Something that `syn` finds.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) kind: SiteKind,
    pub(crate) at: Range,
    /// Why it need not be lowered.
    pub(crate) reason: Option<Reason>,
}

/// All that `syn` finds in a file.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    pub(crate) sites: Vec<Expected>,
    /// Tokens that read as no code: what is lowered within them is checked by itself.
    pub(crate) unread: Vec<Range>,
    /// Arguments of macros that the crate defines. What is lowered in them depends on what these become.
    pub(crate) own: Vec<Range>,
    /// Macro calls whose arguments read as code.
    pub(crate) read: usize,
    /// Macro calls with a grammar of their own, by name.
    pub(crate) foreign: BTreeMap<String, usize>,
}

/// Finds everything in a file. `own` are the macros that the crate defines.
pub(crate) fn find(file: &syn::File, text: &str, cfg: &Cfg, own: &BTreeSet<String>) -> Sites {
    let mut walk = Walk {
        text,
        cfg,
        own,
        reason: None,
        out: Sites::default(),
    };
    for item in &file.items {
        walk.visit_item(item);
    }
    walk.out
}

struct Walk<'a> {
    text: &'a str,
    cfg: &'a Cfg,
    own: &'a BTreeSet<String>,
    reason: Option<Reason>,
    out: Sites,
}

impl Walk<'_> {
    fn note(&mut self, kind: SiteKind, at: Range) {
        self.out.sites.push(Expected {
            kind,
            at,
            reason: self.reason,
        });
    }

    /// Walks with a reason; one that is met further out is the stronger.
    fn within(&mut self, reason: Reason, walk: impl FnOnce(&mut Self)) {
        let outer = self.reason;
        self.reason = outer.or(Some(reason));
        walk(self);
        self.reason = outer;
    }

    fn under(&mut self, attributes: &[Attribute], walk: impl FnOnce(&mut Self)) {
        if attributes::is_on(attributes, self.text, self.cfg) {
            walk(self);
        } else {
            // That it is not there weighs more than where it would be.
            let outer = self.reason.replace(Reason::Off);
            walk(self);
            self.reason = outer;
        }
    }

    fn function(
        &mut self,
        vis: Option<&Visibility>,
        first: Option<proc_macro2::Span>,
        sig: &Signature,
        body: &Block,
    ) {
        let start = place::function_start(vis, first, sig);
        self.note(SiteKind::Function, start..to(body.brace_token.span.close()));
        self.visit_signature(sig);
        self.visit_block(body);
    }

    fn code(&mut self, name: &str, code: Code, whole: Range) {
        match code {
            Code::Expressions(list) => list.iter().for_each(|e| self.visit_expr(e)),
            Code::Statements(list) => list.iter().for_each(|s| self.visit_stmt(s)),
            Code::Items(list) => list.iter().for_each(|i| self.visit_item(i)),
            Code::Matches(value, pattern, message) => {
                self.visit_expr(&value);
                self.visit_pat(&pattern);
                message.iter().for_each(|e| self.visit_expr(e));
            }
            Code::Other => {
                *self.out.foreign.entry(name.to_owned()).or_default() += 1;
                self.out.unread.push(whole);
                return;
            }
        }
        self.out.read += 1;
    }

    /// The branches of `cfg_if!`: the first whose predicate holds is there.
    fn branches(&mut self, mac: &Macro, whole: Range) {
        let Some(branches) = arguments::branches(&mac.tokens) else {
            *self.out.foreign.entry("cfg_if".to_owned()).or_default() += 1;
            self.out.unread.push(whole);
            return;
        };
        self.out.read += 1;
        let mut chosen = false;
        for branch in branches {
            let holds = match &branch.predicate {
                Some(tokens) => self.holds(tokens),
                None => true,
            };
            let on = holds && !chosen;
            chosen |= on;
            let outer = self.reason;
            if !on {
                self.reason = Some(Reason::Off);
            }
            match arguments::general(&branch.body) {
                Code::Other => self.out.unread.push(whole.clone()),
                code => self.code("cfg_if", code, whole.clone()),
            }
            self.reason = outer;
        }
    }

    fn holds(&self, predicate: &proc_macro2::TokenStream) -> bool {
        let mut tokens = predicate.clone().into_iter();
        let Some(first) = tokens.next() else {
            return true;
        };
        let last = tokens.last().unwrap_or_else(|| first.clone());
        let text = self.text.get(from(first.span())..to(last.span()));
        text.and_then(|text| self.cfg.holds(text)).unwrap_or(true)
    }
}

/// Macros that look at their arguments and do not run them: the language's, and `quote`'s.
fn is_not_run(name: &str) -> bool {
    matches!(
        name,
        "stringify"
            | "concat"
            | "env"
            | "option_env"
            | "include"
            | "include_str"
            | "include_bytes"
            | "line"
            | "file"
            | "column"
            | "module_path"
            | "cfg"
            | "asm"
            | "global_asm"
            | "naked_asm"
            | "offset_of"
            | "quote"
            | "quote_spanned"
            | "parse_quote"
            | "parse_quote_spanned"
    )
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.under(attributes::of_item(item), |this| match item {
            syn::Item::Verbatim(tokens) => this.verbatim(tokens),
            _ => visit::visit_item(this, item),
        });
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        self.under(attributes::of_impl_item(item), |this| match item {
            syn::ImplItem::Verbatim(tokens) => this.verbatim(tokens),
            _ => visit::visit_impl_item(this, item),
        });
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        self.under(attributes::of_trait_item(item), |this| match item {
            syn::TraitItem::Verbatim(tokens) => this.verbatim(tokens),
            _ => visit::visit_trait_item(this, item),
        });
    }

    fn visit_foreign_item(&mut self, item: &'ast syn::ForeignItem) {
        self.under(attributes::of_foreign_item(item), |this| {
            visit::visit_foreign_item(this, item);
        });
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        // `macro_rules! name { … }` is no call.
        if item.ident.is_none() {
            self.visit_macro(&item.mac);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.under(&variant.attrs, |this| {
            this.visit_fields(&variant.fields);
            if let Some((_, number)) = &variant.discriminant {
                this.within(Reason::Discriminant, |this| this.visit_expr(number));
            }
        });
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.under(&arm.attrs, |this| visit::visit_arm(this, arm));
    }

    fn visit_field_value(&mut self, value: &'ast syn::FieldValue) {
        self.under(&value.attrs, |this| visit::visit_field_value(this, value));
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.under(&field.attrs, |this| visit::visit_field(this, field));
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        match stmt {
            Stmt::Local(local) => self.under(&local.attrs, |this| visit::visit_local(this, local)),
            Stmt::Macro(stmt) => self.under(&stmt.attrs, |this| this.visit_macro(&stmt.mac)),
            Stmt::Expr(expr, _) => {
                self.under(attributes::of_statement(expr), |this| this.visit_expr(expr));
            }
            Stmt::Item(item) => self.visit_item(item),
        }
    }

    fn visit_type(&mut self, ty: &'ast syn::Type) {
        self.within(Reason::Type, |this| visit::visit_type(this, ty));
    }

    fn visit_generics(&mut self, generics: &'ast syn::Generics) {
        self.within(Reason::Type, |this| visit::visit_generics(this, generics));
    }

    fn visit_generic_argument(&mut self, argument: &'ast syn::GenericArgument) {
        self.within(Reason::Type, |this| {
            visit::visit_generic_argument(this, argument)
        });
    }

    fn visit_pat(&mut self, pat: &'ast Pat) {
        match pat {
            // A guard runs.
            Pat::Guard(guard) => {
                self.visit_pat(&guard.pat);
                self.visit_expr(&guard.guard);
            }
            Pat::Verbatim(tokens) => self.verbatim(tokens),
            _ => self.within(Reason::Pattern, |this| visit::visit_pat(this, pat)),
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let first = item.modifiers.defaultness.map(|token| token.span);
        self.function(Some(&item.vis), first, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let first = item.modifiers.defaultness.map(|token| token.span);
        self.function(Some(&item.vis), first, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let first = item.modifiers.defaultness.map(|token| token.span);
        match &item.default {
            Some(body) => self.function(None, first, &item.sig, body),
            None => self.visit_signature(&item.sig),
        }
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        self.under(attributes::of_expr(expr), |this| match expr {
            Expr::Verbatim(tokens) => this.verbatim(tokens),
            _ => visit::visit_expr(this, expr),
        });
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let at = place::start(&call.func)..to(call.paren_token.span.close());
        self.note(SiteKind::Call, at);
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let at = place::start(&call.receiver)..to(call.paren_token.span.close());
        self.note(SiteKind::Call, at);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_try(&mut self, expr: &'ast syn::ExprTry) {
        let at = place::start(&expr.expr)..to(expr.question_token.span);
        self.note(SiteKind::Question, at);
        visit::visit_expr_try(self, expr);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let words = [
            closure.lifetimes.as_ref().map(|l| l.for_token.span),
            closure.constness.map(|token| token.span),
            closure.asyncness.map(|token| token.span),
            closure.capture.map(|token| token.span),
        ];
        let first = words.into_iter().flatten().map(from).min();
        let start = first.unwrap_or_else(|| from(closure.inputs_begin.span));
        let end = to(syn::spanned::Spanned::span(&*closure.body));
        self.note(SiteKind::Function, start..end);
        visit::visit_expr_closure(self, closure);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        let whole = place::mac(mac);
        self.note(SiteKind::Macro, whole.clone());
        let span = mac.delimiter.span();
        let inside = to(span.open())..from(span.close());
        let name = mac.path.segments.last().map(|s| s.ident.to_string());
        let name = name.unwrap_or_default();
        if name == "cfg_if" {
            self.branches(mac, inside);
        } else if is_not_run(&name) {
            self.within(Reason::NotRun, |this| {
                this.code(&name, arguments::read(&name, mac), inside);
            });
        } else if self.own.contains(&name) {
            self.out.own.push(inside.clone());
            self.within(Reason::OwnMacro, |this| {
                this.code(&name, arguments::read(&name, mac), inside);
            });
        } else {
            self.code(&name, arguments::read(&name, mac), inside);
        }
    }
}

impl Walk<'_> {
    /// Syntax that `syn` does not take apart.
    fn verbatim(&mut self, tokens: &proc_macro2::TokenStream) {
        let mut tokens = tokens.clone().into_iter();
        if let Some(first) = tokens.next() {
            let last = tokens.last().unwrap_or_else(|| first.clone());
            self.out.unread.push(from(first.span())..to(last.span()));
        }
    }
}
