//! The derive takes a complete rule and refuses an incomplete one, saying what to add.

#[test]
fn a_complete_rule_has_its_metadata_and_an_incomplete_one_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/complete.rs");
    cases.compile_fail("tests/ui/refused_*.rs");
}
