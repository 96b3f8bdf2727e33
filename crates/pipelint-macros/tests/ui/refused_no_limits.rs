use pipelint_macros::RuleMeta;

/// A door is left open.
///
/// ## Why is this bad?
/// It gets cold (<https://example.com/cold>).
///
/// ## Examples
/// ```cpp,bad
/// void leave() { open(); }
/// ```
/// ```cpp,good
/// void leave() { open(); shut(); }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "error", group = "default", cwe(404))]
struct DoorLeftOpen;

fn main() {}
