use pipelint_macros::RuleMeta;

#[derive(RuleMeta)]
#[rule(code = "PL999", severity = "error", group = "default", cwe(404))]
struct DoorLeftOpen;

fn main() {}
