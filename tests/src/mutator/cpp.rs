//! Safeguards of C++.

use tree_sitter::{Language, Node};

use super::tree::{all, ancestors, children, outermost, parse, text_of};
use super::{Slip, is_safeguard, shown};

/// Types whose objects hold a lock.
const GUARDS: [&str; 4] = ["lock_guard", "scoped_lock", "shared_lock", "unique_lock"];

pub(super) fn language() -> Language {
    tree_sitter_cpp::LANGUAGE.into()
}

pub(super) fn slips(text: &str) -> Result<Vec<Slip>, String> {
    let tree = parse(text, &language())?;
    let mut slips = Vec::new();
    for node in all(tree.root_node()) {
        let Some(function) = function_of(text, node) else {
            continue;
        };
        let found = match node.kind() {
            "if_statement" => check(text, node),
            "expression_statement" => statement(text, node),
            "declaration" => guard(text, node),
            _ => None,
        };
        if let Some((dropped, replacement)) = found {
            // A statement stands alone in `if (…) statement;`.
            let alone = node
                .parent()
                .is_none_or(|p| p.kind() != "compound_statement");
            slips.push(Slip {
                function,
                dropped,
                nth: 1,
                range: node.byte_range(),
                replacement: match alone {
                    true => format!("{{ {replacement} }}"),
                    false => replacement,
                },
            });
        }
    }
    Ok(slips)
}

/// The name of the function that a node stands in; lambdas have none of their own.
fn function_of(text: &str, node: Node<'_>) -> Option<String> {
    let function = ancestors(node).find(|n| n.kind() == "function_definition")?;
    let mut at = function.child_by_field_name("declarator")?;
    while let Some(inner) = at.child_by_field_name("declarator") {
        at = inner;
    }
    // `T &f()`: a reference's declarator has no field.
    let declared = outermost(at, &["function_declarator"]);
    let name = declared
        .first()
        .and_then(|n| n.child_by_field_name("declarator"));
    let name = shown(text_of(text, name.unwrap_or(at)));
    let class = ancestors(function).find(|n| n.kind() == "class_specifier");
    let class = class.and_then(|class| class.child_by_field_name("name"));
    Some(match class {
        Some(class) => format!("{}::{name}", text_of(text, class)),
        None => name,
    })
}

/// `if (failed) return error;`, which becomes what its condition calls.
fn check(text: &str, node: Node<'_>) -> Option<(String, String)> {
    if node.child_by_field_name("alternative").is_some() {
        return None;
    }
    let body = node.child_by_field_name("consequence")?;
    let last = match body.kind() {
        "compound_statement" => children(body).into_iter().next_back()?,
        _ => body,
    };
    let leaves = outermost(
        last,
        &["return_statement", "throw_statement", "lambda_expression"],
    );
    if leaves.iter().all(|n| n.kind() == "lambda_expression") {
        return None;
    }
    let condition = node.child_by_field_name("condition")?;
    let mut kept: Vec<String> = Vec::new();
    for part in children(condition) {
        match part.kind() {
            "init_statement" => kept.push(text_of(text, part).to_owned()),
            _ => {
                let calls = outermost(part, &["call_expression"]);
                kept.extend(
                    calls
                        .iter()
                        .map(|call| format!("{};", text_of(text, *call))),
                );
            }
        }
    }
    let dropped = format!("if {}", shown(text_of(text, condition)));
    Some((dropped, kept.join(" ")))
}

/// A call that is made for what it does, or a variable that is reset.
fn statement(text: &str, node: Node<'_>) -> Option<(String, String)> {
    let [expression] = children(node)[..] else {
        return None;
    };
    let safeguard = match expression.kind() {
        "call_expression" => {
            let function = expression.child_by_field_name("function")?;
            let name = outermost(function, &["identifier", "field_identifier"]);
            name.last()
                .is_some_and(|name| is_safeguard(text_of(text, *name)))
        }
        "assignment_expression" => {
            let operator = expression.child_by_field_name("operator")?;
            let right = expression.child_by_field_name("right")?;
            operator.kind() == "=" && is_plain(text_of(text, right))
        }
        _ => false,
    };
    safeguard.then(|| (shown(text_of(text, node)), String::new()))
}

/// A value that says that nothing is there, or that something is so.
fn is_plain(value: &str) -> bool {
    matches!(
        value,
        "nullptr" | "NULL" | "INVALID_HANDLE_VALUE" | "true" | "false" | "{}"
    )
}

/// An object that holds a lock, and that nothing else in the function names.
fn guard(text: &str, node: Node<'_>) -> Option<(String, String)> {
    let ty = node.child_by_field_name("type")?;
    let is_guard = GUARDS.contains(&text_of(text, ty).rsplit("::").next()?);
    let declarator = node.child_by_field_name("declarator")?;
    let name = outermost(declarator, &["identifier"]).into_iter().next()?;
    let function = ancestors(node).find(|n| n.kind() == "function_definition")?;
    let same = |n: &Node<'_>| n.kind() == "identifier" && text_of(text, *n) == text_of(text, name);
    let names = all(function).into_iter().filter(same).count();
    (is_guard && names == 1).then(|| (shown(text_of(text, node)), String::new()))
}
