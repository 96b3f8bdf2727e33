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
#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "error", group = "default", cwe(404))]
struct NoGoodExample;

/// A door is left open.
///
/// ## Why is this bad?
/// It gets cold (<https://example.com/cold>).
///
/// ## Known limits
/// Windows are not doors.
///
/// ## Examples
/// ```cpp
/// void leave() { open(); }
/// ```
/// ```fortran,good
/// CALL LEAVE
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "error", group = "default", cwe(404))]
struct UntaggedExample;

fn main() {}
