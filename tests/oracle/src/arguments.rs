//! The arguments of a macro call, as the code that they read as.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, File, Item, Macro, MacroDelimiter, Pat, Stmt, Token};

/// What tokens read as.
pub(crate) enum Code {
    /// Expressions, between `,` or `;`.
    Expressions(Vec<Expr>),
    /// Statements.
    Statements(Vec<Stmt>),
    /// Items.
    Items(Vec<Item>),
    /// A value, patterns that it is compared with, and a message: `matches!` and its kin.
    Matches(Box<Expr>, Box<Pat>, Vec<Expr>),
    /// No code by itself: a grammar of the macro's own.
    Other,
}

/// One branch of a `cfg_if!`.
pub(crate) struct Branch {
    /// The tokens of the predicate; none of the last `else`.
    pub(crate) predicate: Option<TokenStream>,
    /// What stands between the braces.
    pub(crate) body: TokenStream,
}

/// Reads the arguments of a macro of this name.
pub(crate) fn read(name: &str, mac: &Macro) -> Code {
    let tokens = &mac.tokens;
    if matches!(name, "matches" | "assert_matches" | "debug_assert_matches") {
        return matches.parse2(tokens.clone()).unwrap_or(Code::Other);
    }
    // Between braces a block is likelier than a list.
    if let MacroDelimiter::Brace(_) = mac.delimiter
        && let Ok(statements) = Block::parse_within.parse2(tokens.clone())
    {
        return Code::Statements(statements);
    }
    general(tokens)
}

/// Reads tokens as the first that they fit: expressions, statements, items.
pub(crate) fn general(tokens: &TokenStream) -> Code {
    let commas = Punctuated::<Expr, Token![,]>::parse_terminated;
    if let Ok(list) = commas.parse2(tokens.clone()) {
        return Code::Expressions(list.into_iter().collect());
    }
    if let Some(list) = named(tokens) {
        return Code::Expressions(list);
    }
    let semicolons = Punctuated::<Expr, Token![;]>::parse_separated_nonempty;
    if let Ok(list) = semicolons.parse2(tokens.clone()) {
        return Code::Expressions(list.into_iter().collect());
    }
    if let Ok(statements) = Block::parse_within.parse2(tokens.clone()) {
        return Code::Statements(statements);
    }
    match syn::parse2::<File>(tokens.clone()) {
        Ok(file) => Code::Items(file.items),
        Err(_) => Code::Other,
    }
}

/// Expressions between commas, some of them with a name in front (`target: x`, `code = %x`), with a
/// log's sigil (`%x`, `?x`) or a snapshot's (`@x`), and such in braces.
fn named(tokens: &TokenStream) -> Option<Vec<Expr>> {
    let mut out = Vec::new();
    let mut one: Vec<TokenTree> = Vec::new();
    for token in tokens.clone() {
        if is_sign(Some(&token), ',') {
            unnamed(&one, &mut out)?;
            one.clear();
        } else {
            one.push(token);
        }
    }
    if !one.is_empty() {
        unnamed(&one, &mut out)?;
    }
    Some(out)
}

/// The expression behind a name and a sigil, or several in braces.
fn unnamed(tokens: &[TokenTree], out: &mut Vec<Expr>) -> Option<()> {
    let mut at = 0;
    loop {
        let word = matches!(
            tokens.get(at),
            Some(TokenTree::Ident(_) | TokenTree::Literal(_))
        );
        if !word {
            at = 0;
            break;
        }
        at += 1;
        let [one, two] = [tokens.get(at), tokens.get(at + 1)];
        let alone = |sign: char| is_sign(one, sign) && !is_joint(one);
        if alone(':') || alone('=') {
            at += 1;
            break;
        }
        // `=%`: the sign is joined to a sigil.
        if is_sign(one, '=') && (is_sign(two, '%') || is_sign(two, '?')) {
            at += 1;
            break;
        }
        if !is_sign(one, '.') {
            at = 0;
            break;
        }
        at += 1;
    }
    if ['%', '?', '@']
        .iter()
        .any(|sigil| is_sign(tokens.get(at), *sigil))
    {
        at += 1;
    }
    let rest: TokenStream = tokens[at..].iter().cloned().collect();
    match (syn::parse2(rest), tokens) {
        (Ok(expr), _) => out.push(expr),
        (Err(_), [TokenTree::Group(group)]) if group.delimiter() == Delimiter::Brace => {
            out.extend(named(&group.stream())?);
        }
        _ => return None,
    }
    Some(())
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_joint(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.spacing() == proc_macro2::Spacing::Joint)
}

fn matches(input: ParseStream<'_>) -> syn::Result<Code> {
    let value = input.parse::<Expr>()?;
    input.parse::<Token![,]>()?;
    let mut pattern = Pat::parse_multi_with_leading_vert(input)?;
    if input.peek(Token![if]) {
        pattern = Pat::Guard(syn::PatGuard {
            attrs: Vec::new(),
            pat: Box::new(pattern),
            if_token: input.parse()?,
            guard: input.parse()?,
        });
    }
    let mut message = Vec::new();
    if input.parse::<Option<Token![,]>>()?.is_some() {
        let rest = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
        message.extend(rest);
    }
    Ok(Code::Matches(Box::new(value), Box::new(pattern), message))
}

/// The branches of a `cfg_if!`; none when the tokens are none.
pub(crate) fn branches(tokens: &TokenStream) -> Option<Vec<Branch>> {
    let mut out = Vec::new();
    let mut predicate = None;
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(word) if word == "if" || word == "else" => {}
            TokenTree::Punct(sign) if sign.as_char() == '#' => {}
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                let mut inner = group.stream().into_iter();
                match (inner.next(), inner.next()) {
                    (Some(TokenTree::Ident(cfg)), Some(TokenTree::Group(of))) if cfg == "cfg" => {
                        predicate = Some(of.stream());
                    }
                    _ => return None,
                }
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => out.push(Branch {
                predicate: predicate.take(),
                body: group.stream(),
            }),
            _ => return None,
        }
    }
    Some(out)
}
