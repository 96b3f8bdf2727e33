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
struct DoorLeftOpen;

fn main() {}
