//! `#[rule(…)]`: what the code and the doc comment cannot say.

use proc_macro2::{Ident, Span};
use syn::{
    DeriveInput, Error, LitInt, LitStr, Token, meta::ParseNestedMeta, punctuated::Punctuated,
};

const SHAPE: &str =
    r#"`#[rule(code = "PL101", severity = "warning", group = "default", cwe(252, 690))]`"#;

/// The attribute's parts. Severity and group are the variants' names.
pub(crate) struct Attribute {
    pub(crate) code: String,
    pub(crate) severity: Ident,
    pub(crate) group: Ident,
    pub(crate) cwe: Vec<u32>,
}

impl Attribute {
    pub(crate) fn read(input: &DeriveInput) -> syn::Result<Self> {
        let at = input.ident.span();
        let mut attrs = input.attrs.iter().filter(|a| a.path().is_ident("rule"));
        let Some(attr) = attrs.next() else {
            return Err(Error::new(at, format!("add {SHAPE}")));
        };
        if let Some(second) = attrs.next() {
            return Err(Error::new_spanned(second, "one `#[rule(…)]` is enough"));
        }
        let mut code = None;
        let mut severity = None;
        let mut group = None;
        let mut cwe = None;
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("code") {
                code = Some(read_code(&meta)?);
            } else if meta.path.is_ident("severity") {
                let words = [("note", "Note"), ("warning", "Warning"), ("error", "Error")];
                severity = Some(read_word(&meta, &words)?);
            } else if meta.path.is_ident("group") {
                let words = [("default", "Default"), ("pedantic", "Pedantic")];
                group = Some(read_word(&meta, &words)?);
            } else if meta.path.is_ident("cwe") {
                cwe = Some(read_cwe(&meta)?);
            } else {
                return Err(meta.error(format!("unknown key; the attribute is {SHAPE}")));
            }
            Ok(())
        })?;
        let missing = |key: &str, shape: &str| {
            Error::new(at, format!("`#[rule(…)]` lacks `{key}`: add `{shape}`"))
        };
        Ok(Self {
            code: code.ok_or_else(|| missing("code", "code = \"PL101\""))?,
            severity: severity.ok_or_else(|| missing("severity", "severity = \"warning\""))?,
            group: group.ok_or_else(|| missing("group", "group = \"default\""))?,
            cwe: cwe.ok_or_else(|| missing("cwe", "cwe(252)"))?,
        })
    }
}

fn read_code(meta: &ParseNestedMeta<'_>) -> syn::Result<String> {
    let text: LitStr = meta.value()?.parse()?;
    let code = text.value();
    let number = code.strip_prefix("PL").unwrap_or_default();
    if number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()) {
        Ok(code)
    } else {
        Err(Error::new(
            text.span(),
            "a code is `PL` and three digits, such as \"PL101\"",
        ))
    }
}

fn read_word(meta: &ParseNestedMeta<'_>, words: &[(&str, &str)]) -> syn::Result<Ident> {
    let text: LitStr = meta.value()?.parse()?;
    let value = text.value();
    match words.iter().find(|(word, _)| *word == value) {
        Some((_, variant)) => Ok(Ident::new(variant, Span::call_site())),
        None => {
            let all: Vec<String> = words.iter().map(|(w, _)| format!("\"{w}\"")).collect();
            Err(Error::new(
                text.span(),
                format!("write one of {}", all.join(", ")),
            ))
        }
    }
}

fn read_cwe(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<u32>> {
    let content;
    syn::parenthesized!(content in meta.input);
    let numbers = Punctuated::<LitInt, Token![,]>::parse_terminated(&content)?;
    if numbers.is_empty() {
        return Err(meta.error("name at least one CWE number: `cwe(252)`"));
    }
    numbers.iter().map(LitInt::base10_parse).collect()
}
