//! Safeguards of Rust.

use tree_sitter::{Language, Node};

use super::tree::{all, ancestors, children, outermost, parse, text_of};
use super::{Slip, is_safeguard, shown};

pub(super) fn language() -> Language {
    tree_sitter_rust::LANGUAGE.into()
}

pub(super) fn slips(text: &str) -> Result<Vec<Slip>, String> {
    let tree = parse(text, &language())?;
    let mut slips = Vec::new();
    for node in all(tree.root_node()) {
        let Some(function) = function_of(text, node) else {
            continue;
        };
        let found = match node.kind() {
            "expression_statement" => [statement(text, node), question_mark(text, node)],
            // The last of a loop's body has no semicolon to make a statement of it.
            "if_expression" if ends_a_block(node) => [check(text, node), None],
            "match_arm" => [arm(text, node), None],
            _ => [None, None],
        };
        let found = found.into_iter().flatten();
        slips.extend(found.map(|(dropped, replacement)| Slip {
            function: function.clone(),
            dropped,
            nth: 1,
            range: node.byte_range(),
            replacement,
        }));
    }
    Ok(slips)
}

/// The name of the function that a node stands in, behind its type's; closures have none.
fn function_of(text: &str, node: Node<'_>) -> Option<String> {
    let function = ancestors(node).find(|n| n.kind() == "function_item")?;
    let name = text_of(text, function.child_by_field_name("name")?);
    let of = ancestors(function).find(|n| n.kind() == "impl_item");
    let of = of.and_then(|of| of.child_by_field_name("type"));
    Some(match of {
        Some(of) => format!("{}::{name}", text_of(text, of)),
        None => name.to_owned(),
    })
}

fn ends_a_block(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| parent.kind() == "block")
}

fn statement(text: &str, node: Node<'_>) -> Option<(String, String)> {
    let [expression] = children(node)[..] else {
        return None;
    };
    let safeguard = match expression.kind() {
        "if_expression" => return check(text, expression),
        "assignment_expression" => {
            let right = expression.child_by_field_name("right")?;
            matches!(text_of(text, right), "true" | "false" | "None")
        }
        "macro_invocation" => {
            let name = expression.child_by_field_name("macro")?;
            text_of(text, name).starts_with("assert")
        }
        _ => called(text, expression).is_some_and(is_safeguard),
    };
    safeguard.then(|| (shown(text_of(text, node)), String::new()))
}

/// The name of the function that an expression calls, in an `unsafe` block or before a `?`, too.
fn called<'s>(text: &'s str, mut expression: Node<'_>) -> Option<&'s str> {
    while matches!(
        expression.kind(),
        "unsafe_block" | "block" | "try_expression"
    ) {
        let [inner] = children(expression)[..] else {
            return None;
        };
        expression = inner;
    }
    let function = match expression.kind() {
        "call_expression" => expression.child_by_field_name("function")?,
        _ => return None,
    };
    let name = match function.kind() {
        "field_expression" => function.child_by_field_name("field")?,
        "scoped_identifier" => function.child_by_field_name("name")?,
        _ => function,
    };
    Some(text_of(text, name))
}

/// `if failed { return Err(…) }`, which becomes what its condition calls.
fn check(text: &str, node: Node<'_>) -> Option<(String, String)> {
    if node.child_by_field_name("alternative").is_some() {
        return None;
    }
    let body = node.child_by_field_name("consequence")?;
    let last = children(body).into_iter().next_back()?;
    let ways = ["return_expression", "try_expression", "closure_expression"];
    let leaves = outermost(last, &ways);
    if leaves.iter().all(|n| n.kind() == "closure_expression") {
        return None;
    }
    let condition = node.child_by_field_name("condition")?;
    let calls = outermost(
        condition,
        &["call_expression", "unsafe_block", "try_expression"],
    );
    let kept = calls
        .iter()
        .map(|call| format!("{};", text_of(text, *call)));
    let dropped = format!("if {}", shown(text_of(text, condition)));
    Some((dropped, kept.collect::<Vec<_>>().join(" ")))
}

/// `f()?;`, which becomes `f();`.
fn question_mark(text: &str, node: Node<'_>) -> Option<(String, String)> {
    let [expression] = children(node)[..] else {
        return None;
    };
    if expression.kind() != "try_expression" {
        return None;
    }
    let [inner] = children(expression)[..] else {
        return None;
    };
    let inner = text_of(text, inner);
    Some((format!("? of {}", shown(inner)), format!("{inner};")))
}

/// `Err(error) => …,` in a match that is a statement: it does nothing then.
fn arm(text: &str, node: Node<'_>) -> Option<(String, String)> {
    let pattern = node.child_by_field_name("pattern")?;
    let value = node.child_by_field_name("value")?;
    let empty = value.kind() == "block" && children(value).is_empty();
    if empty || !yields_nothing(node) || !text_of(text, pattern).starts_with("Err(") {
        return None;
    }
    let dropped = shown(text_of(text, node));
    Some((dropped, format!("{} => {{}}", text_of(text, pattern))))
}

/// Whether an arm's match is a statement, and not the value of what it stands last in.
fn yields_nothing(arm: Node<'_>) -> bool {
    let mut of = ancestors(arm)
        .skip_while(|n| n.kind() != "match_expression")
        .peekable();
    let Some(mut statement) = of.next() else {
        return false;
    };
    if let Some(parent) = of.next_if(|n| n.kind() == "expression_statement") {
        statement = parent;
    }
    let Some(block) = of.next().filter(|n| n.kind() == "block") else {
        return false;
    };
    let is_loop = of.next().is_some_and(|n| {
        let loops = ["while_expression", "loop_expression", "for_expression"];
        loops.contains(&n.kind())
    });
    is_loop || children(block).last() != Some(&statement)
}
