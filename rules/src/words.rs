//! From events to words: labels of paths, names of values, and the checks that can be typed in.

use pipelint_analysis::{Event, PathStep, Resource, StepKind};
use pipelint_models::Sentinel;
use pipelint_report::{Diagnostic, RuleMeta, Step};
use pipelint_source::Span;

/// What a rule says of an event beside its path.
pub(crate) struct Words {
    /// The place that must change.
    pub(crate) primary: Span,
    /// A short clause on that place.
    pub(crate) label: String,
    /// One sentence.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: String,
}

/// A diagnostic with the event's path, and its other places as related ones.
pub(crate) fn diagnostic(rule: &'static RuleMeta, event: &Event, words: Words) -> Diagnostic {
    Diagnostic {
        rule,
        primary: words.primary,
        label: words.label,
        message: words.message,
        path: event.path.iter().map(step).collect(),
        related: event.others.iter().map(step).collect(),
        help: words.help,
        function: event.function.to_string(),
    }
}

/// Says something else of a step of the path: what the rule knows of it.
pub(crate) fn relabel(path: &mut [Step], at: Span, label: &str) {
    if let Some(step) = path.iter_mut().rev().find(|step| step.span == at) {
        step.label = label.to_owned();
    }
}

/// A method of Rust's streams: `write` of a type, which no path of a function qualifies.
pub(crate) fn is_method(call: &str) -> bool {
    matches!(call, "Write::write" | "Read::read")
}

/// Every use, the one on the path included, as related places in the order of the source.
pub(crate) fn uses(event: &Event) -> Vec<Step> {
    let first = event.path.last().filter(|step| step.span == event.at);
    let mut uses: Vec<Step> = first.into_iter().chain(&event.others).map(step).collect();
    uses.sort_by_key(|step| step.span);
    uses.dedup_by_key(|step| step.span);
    uses
}

/// A step with its label.
pub(crate) fn step(step: &PathStep) -> Step {
    Step {
        span: step.span,
        label: label(&step.what),
    }
}

/// A place with what is to be said of it.
pub(crate) fn said(span: Span, label: String) -> Step {
    Step { span, label }
}

fn label(what: &StepKind) -> String {
    match what {
        StepKind::Created { api, var } if var.is_empty() => format!("comes from `{api}`"),
        StepKind::Created { api, var } => format!("`{var}` comes from `{api}`"),
        StepKind::Branch(true) => "this is true".to_owned(),
        StepKind::Branch(false) => "this is false".to_owned(),
        StepKind::Case(Some(value)) => format!("takes `case {value}`"),
        StepKind::Case(None) => "takes `default`".to_owned(),
        StepKind::Called(function) => format!("`{function}` is called"),
        StepKind::Given(function) => format!("`{function}` hands it out"),
        StepKind::Passed(api) => format!("passed to `{api}`"),
        StepKind::Reached => "the memory is reached here".to_owned(),
        StepKind::Closed(api) => format!("{} by `{api}`", past(api)),
        StepKind::Declared(var) => format!("`{var}` is declared without a value"),
        StepKind::Read(var) => format!("`{var}` is read"),
        StepKind::Assigned(var) => format!("`{var}` is assigned"),
        StepKind::Compared(value) => format!("compared with {value}"),
        StepKind::Narrowed(ty) => format!("narrowed to `{ty}`"),
        StepKind::Left => "the function is left here".to_owned(),
        StepKind::ScopeEnd(var) if var.is_empty() => "the value ends here".to_owned(),
        StepKind::ScopeEnd(var) => format!("`{var}` leaves scope"),
        StepKind::Forgotten(by) => format!("`{by}` keeps its owner from ending"),
        StepKind::Started(api) => format!("`{api}` starts the operation"),
        StepKind::RunBeside(api) => format!("`{api}` has it run beside its caller"),
        StepKind::Locked(lock) if lock.is_empty() => "the lock is taken".to_owned(),
        StepKind::Locked(lock) => format!("`{lock}` is locked"),
        StepKind::Unlocked(lock) if lock.is_empty() => "the lock is given back".to_owned(),
        StepKind::Unlocked(lock) => format!("`{lock}` is unlocked"),
        StepKind::Kept(what) => format!("holds {what}"),
        StepKind::Suspended => "the task waits here".to_owned(),
        StepKind::Unguarded => "this runs without the lock".to_owned(),
        StepKind::Awaited(object) => format!("waits for `{object}`"),
        StepKind::CancelAsked(api) => format!("`{api}` asks for a cancel"),
        StepKind::Method(method) => format!("`{method}` runs later"),
    }
}

/// A value as a person writes it.
pub(crate) fn sentinel(value: Sentinel) -> &'static str {
    match value {
        Sentinel::Null => "NULL",
        Sentinel::InvalidHandle => "INVALID_HANDLE_VALUE",
        Sentinel::InvalidSocket => "INVALID_SOCKET",
        Sentinel::MinusOne => "-1",
    }
}

/// What a releasing call does, by its name: memory is freed, the rest is released.
pub(crate) fn past(release: &str) -> &'static str {
    let name = release.to_ascii_lowercase();
    if name.contains("free") {
        "freed"
    } else if name.contains("realloc") {
        "moved"
    } else {
        "released"
    }
}

/// The same, of now: `frees`.
pub(crate) fn present(release: &str) -> &'static str {
    match past(release) {
        "freed" => "frees",
        "moved" => "moves",
        _ => "releases",
    }
}

/// What makes an owner again of what this call gave up: `from_raw_handle`, `Box::from_raw`.
pub(crate) fn back(resource: &Resource) -> String {
    resource.api.replace("into_raw", "from_raw")
}

/// The variable that holds a resource, or the call it came from.
pub(crate) fn subject(resource: &Resource) -> String {
    if resource.var.is_empty() && resource.api.is_empty() {
        format!("the {}", noun(resource))
    } else if resource.var.is_empty() {
        format!("the result of `{}`", resource.api)
    } else {
        format!("`{}`", resource.var)
    }
}

/// The variable as it stands in code; a plain word where there is none.
pub(crate) fn variable(resource: &Resource) -> &str {
    if resource.var.is_empty() {
        "result"
    } else {
        &resource.var
    }
}

/// What a resource is: `handle`.
pub(crate) fn noun(resource: &Resource) -> &str {
    if resource.noun.is_empty() {
        "resource"
    } else {
        &resource.noun
    }
}

/// The call that releases a variable's resource: `CloseHandle(h)`.
pub(crate) fn release(resource: &Resource) -> String {
    let release: &str = if resource.release.is_empty() {
        "the function that releases it"
    } else {
        &resource.release
    };
    format!("{release}({})", variable(resource))
}

/// The value that an empty variable of this kind holds.
pub(crate) fn empty(resource: &Resource) -> &'static str {
    sentinel(resource.failure.unwrap_or(Sentinel::Null))
}

/// How to judge a creation where it stands.
pub(crate) fn check(resource: &Resource) -> String {
    let (var, api) = (variable(resource), &resource.api);
    match resource.failure {
        Some(failure) => {
            let value = sentinel(failure);
            format!(
                "compare {} with {value} right after `{api}`: `if ({var} == {value}) {{ … }}`",
                subject(resource)
            )
        }
        None => format!(
            "look at what `{api}` returns before {} is used",
            subject(resource)
        ),
    }
}

/// How a creation fails: `can return NULL`.
pub(crate) fn can_fail(resource: &Resource) -> String {
    match resource.failure {
        Some(failure) => format!("`{}` can return {}", resource.api, sentinel(failure)),
        None => format!(
            "`{}` can fail and leave {} unset",
            resource.api,
            subject(resource)
        ),
    }
}
