//! The derive that turns a rule's doc comment into its metadata, and refuses an incomplete one.

mod attribute;
mod documentation;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, parse_macro_input};

use crate::{attribute::Attribute, documentation::Documentation};

/// Gives a unit struct a `META: pipelint_report::RuleMeta`.
///
/// `#[rule(code = "PL101", severity = "warning", group = "default", cwe(252, 690))]` says what the
/// code cannot; the name is the struct's in kebab case. All else comes from the doc comment, which
/// must hold, in this order:
///
/// - a first paragraph: what the rule says;
/// - `## Why is this bad?`: the documented fact, with a link to the page that states it;
/// - `## Known limits`: where it is silent or wrong;
/// - `## Examples`: fenced code, each block tagged with its language and `bad` or `good`
///   (```` ```cpp,bad ````), at least one of each. A test runs them.
///
/// Whatever is missing is a compile error at the struct's name that says what to add.
#[proc_macro_derive(RuleMeta, attributes(rule))]
pub fn derive_rule_meta(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn expand(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    let ident = &input.ident;
    let mut problems = Problems::default();
    let unit = matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Unit));
    if !unit {
        problems.add(Error::new(
            ident.span(),
            format!("a rule is a unit struct: write `struct {ident};`"),
        ));
    }
    let attribute = problems.take(Attribute::read(input));
    let documentation = match Documentation::read(&doc_comment(input)) {
        Ok(documentation) => Some(documentation),
        Err(missing) => {
            for message in missing {
                problems.add(Error::new(ident.span(), message));
            }
            None
        }
    };
    problems.finish()?;
    let (Some(attribute), Some(documentation)) = (attribute, documentation) else {
        return Err(Error::new(
            ident.span(),
            "the rule's metadata is incomplete",
        ));
    };

    let name = kebab_case(&ident.to_string());
    let Attribute {
        code,
        severity,
        group,
        cwe,
    } = attribute;
    let Documentation {
        summary,
        text,
        examples,
    } = documentation;
    let examples = examples.iter().map(|example| {
        let (bad, language, code) = (example.bad, &example.language, &example.code);
        quote! {
            ::pipelint_report::Example { bad: #bad, language: #language, code: #code }
        }
    });
    Ok(quote! {
        impl #ident {
            /// What is known of the rule without running it.
            pub const META: ::pipelint_report::RuleMeta = ::pipelint_report::RuleMeta {
                code: #code,
                name: #name,
                severity: ::pipelint_report::Severity::#severity,
                group: ::pipelint_report::Group::#group,
                cwe: &[#(#cwe),*],
                summary: #summary,
                docs: #text,
                examples: &[#(#examples),*],
            };
        }
    })
}

/// The lines of the doc comment, each without the space that follows `///`.
fn doc_comment(input: &DeriveInput) -> String {
    let mut text = String::new();
    for attr in input.attrs.iter().filter(|a| a.path().is_ident("doc")) {
        let syn::Meta::NameValue(pair) = &attr.meta else {
            continue;
        };
        let syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(lines),
            ..
        }) = &pair.value
        else {
            continue;
        };
        for line in lines.value().lines() {
            text.push_str(line.strip_prefix(' ').unwrap_or(line).trim_end());
            text.push('\n');
        }
        // An empty doc line yields an empty literal, which has no lines.
        if lines.value().is_empty() {
            text.push('\n');
        }
    }
    text
}

/// `UncheckedHandleCreation` as `unchecked-handle-creation`.
fn kebab_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (at, c) in name.chars().enumerate() {
        if c.is_uppercase() && at > 0 {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Errors gathered, so that one build tells of all of them.
#[derive(Default)]
struct Problems(Option<Error>);

impl Problems {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(known) => known.combine(error),
            none => *none = Some(error),
        }
    }

    fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(error);
                None
            }
        }
    }

    fn finish(&mut self) -> syn::Result<()> {
        self.0.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::kebab_case;

    #[test]
    fn names_are_in_kebab_case() {
        assert_eq!(
            kebab_case("UncheckedHandleCreation"),
            "unchecked-handle-creation"
        );
        assert_eq!(kebab_case("Double"), "double");
        assert_eq!(kebab_case(""), "");
    }
}
