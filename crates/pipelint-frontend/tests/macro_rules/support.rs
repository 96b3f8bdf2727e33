//! Expansion with a check of what holds for each.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use pipelint_frontend::rust::macro_rules::{Expansion, MacroRules};

/// The tokens of a text, one space between two, signs of several characters taken apart.
pub(crate) fn tokens(text: &str) -> String {
    let stream = text
        .parse()
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut out = String::new();
    push(stream, &mut out);
    out
}

fn push(stream: TokenStream, out: &mut String) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("( ", ") "),
                    Delimiter::Bracket => ("[ ", "] "),
                    Delimiter::Brace => ("{ ", "} "),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                push(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => out.push('\''),
            other => {
                out.push_str(&other.to_string());
                out.push(' ');
            }
        }
    }
}

/// Reads a definition that must be understood.
pub(crate) fn rules(body: &str) -> MacroRules {
    MacroRules::parse(body).unwrap_or_else(|| panic!("not understood: {body}"))
}

/// Expands, checks the map, and gives the text.
pub(crate) fn expansion(body: &str, args: &str) -> Option<Expansion> {
    let expansion = rules(body).expand(args)?;
    check_map(&expansion, args);
    Some(expansion)
}

/// The pieces cover the text and are what they were copied from.
pub(crate) fn check_map(expansion: &Expansion, args: &str) {
    let mut at = 0;
    for piece in &expansion.pieces {
        assert_eq!(piece.start, at, "a gap: {expansion:?}");
        assert!(piece.len > 0, "an empty piece: {expansion:?}");
        at += piece.len;
        if let Some(from) = piece.from {
            let there = &args[from as usize..][..piece.len as usize];
            let here = &expansion.text[piece.start as usize..][..piece.len as usize];
            assert_eq!(here, there);
        }
    }
    assert_eq!(at as usize, expansion.text.len());
}

/// Demands that a call becomes these tokens.
#[track_caller]
pub(crate) fn becomes(body: &str, args: &str, expected: &str) {
    let Some(expansion) = expansion(body, args) else {
        panic!("no rule matches {args}");
    };
    assert_eq!(tokens(&expansion.text), tokens(expected), "{args}");
}

/// Demands that a call has no expansion.
#[track_caller]
pub(crate) fn fails(body: &str, args: &str) {
    if let Some(expansion) = rules(body).expand(args) {
        panic!("{args} becomes {}", expansion.text);
    }
}
