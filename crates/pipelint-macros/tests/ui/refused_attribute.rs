use pipelint_macros::RuleMeta;

/// A door is left open.
///
/// ## Why is this bad?
/// It gets cold (<https://example.com/cold>).
///
/// ## Known limits
/// Windows are not doors.
///
/// ## Examples
/// ```cpp,bad
/// void leave() { open(); }
/// ```
/// ```cpp,good
/// void leave() { open(); shut(); }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL1", severity = "error", group = "default", cwe(404))]
struct BadCode;

/// A door is left open.
///
/// ## Why is this bad?
/// It gets cold (<https://example.com/cold>).
///
/// ## Known limits
/// Windows are not doors.
///
/// ## Examples
/// ```cpp,bad
/// void leave() { open(); }
/// ```
/// ```cpp,good
/// void leave() { open(); shut(); }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "fatal", group = "default", cwe(404))]
struct BadSeverity;

/// A door is left open.
///
/// ## Why is this bad?
/// It gets cold (<https://example.com/cold>).
///
/// ## Known limits
/// Windows are not doors.
///
/// ## Examples
/// ```cpp,bad
/// void leave() { open(); }
/// ```
/// ```cpp,good
/// void leave() { open(); shut(); }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "error", group = "default")]
struct NoCwe;

/// A door is left open.
///
/// ## Why is this bad?
/// It gets cold (<https://example.com/cold>).
///
/// ## Known limits
/// Windows are not doors.
///
/// ## Examples
/// ```cpp,bad
/// void leave() { open(); }
/// ```
/// ```cpp,good
/// void leave() { open(); shut(); }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "error", group = "default", cwe(404), since = "1.0")]
struct UnknownKey;

fn main() {}
