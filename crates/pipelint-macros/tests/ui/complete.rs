use pipelint_macros::RuleMeta;
use pipelint_report::{Group, Severity};

/// A door is left open
/// behind a guest.
///
/// More about doors.
///
/// ## Why is this bad?
/// It gets cold (<https://example.com/cold>).
///
/// ## Known limits
/// Windows are not doors.
///
/// ## Examples
/// Left open:
/// ```cpp,bad
/// void leave() { open(); }
/// ```
/// Shut:
/// ```c,good
/// void leave(void) { open(); shut(); }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "error", group = "pedantic", cwe(404, 772))]
struct DoorLeftOpen;

fn main() {
    let meta = DoorLeftOpen::META;
    assert_eq!(meta.code, "PL999");
    assert_eq!(meta.name, "door-left-open");
    assert_eq!(meta.severity, Severity::Error);
    assert_eq!(meta.group, Group::Pedantic);
    assert_eq!(meta.cwe, [404, 772]);
    assert_eq!(meta.summary, "A door is left open behind a guest.");
    assert!(meta.docs.starts_with("A door is left open\nbehind a guest.\n\nMore about doors."));
    assert!(meta.docs.contains("\n```cpp\nvoid leave() { open(); }\n```\n"));
    assert!(meta.docs.ends_with("```"));
    let examples: Vec<_> = meta
        .examples
        .iter()
        .map(|example| (example.bad, example.language, example.code))
        .collect();
    assert_eq!(
        examples,
        [
            (true, "cpp", "void leave() { open(); }\n"),
            (false, "c", "void leave(void) { open(); shut(); }\n"),
        ]
    );
}
