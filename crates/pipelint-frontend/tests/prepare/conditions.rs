//! Constant expressions in `#if`.

use crate::support::{cpp, fold};

#[track_caller]
fn check(condition: &str, expected: bool) {
    let text = format!("#if {condition}\nint yes;\n#else\nint no;\n#endif\n");
    let expected = if expected { "int yes;" } else { "int no;" };
    assert_eq!(fold(&cpp(&text).text), expected, "#if {condition}");
}

#[test]
fn arithmetic() {
    check("1 + 2 * 3 == 7", true);
    check("(1 + 2) * 3 == 9", true);
    check("10 - 4 - 3 == 3", true);
    check("7 / 2 == 3 && 7 % 2 == 1", true);
    check("1 << 4 == 16", true);
    check("256 >> 4 == 16", true);
    check("(6 & 3) == 2 && (6 | 3) == 7 && (6 ^ 3) == 5", true);
    check("~0 == -1", true);
    check("-1 < 0", true);
    check("+1 > 0", true);
}

#[test]
fn comparisons_and_logic() {
    check("1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2 && 1 != 2", true);
    check("0 || 1", true);
    check("0 || 0", false);
    check("1 && 0", false);
    check("!1", false);
    check("!0 && !!1", true);
    check("true && !false", true);
    check("1 ? 0 : 1", false);
    check("0 ? 0 : 2 ? 3 : 0", true);
}

#[test]
fn numbers_and_characters() {
    check("0x10 == 16 && 0b101 == 5 && 010 == 8", true);
    check("1'000 == 1000", true);
    check("10UL == 10 && 0xFFul == 255 && 0u == 0", true);
    check("'A' == 65 && '\\n' == 10", true);
}

#[test]
fn known_names() {
    check("_WIN32_WINNT >= 0x0600", true);
    check("_MSC_VER >= 1900", true);
    check("defined _WIN64", true);
    check("defined ( UNICODE )", true);
    check("__cplusplus >= 201703L", true);
}

#[test]
fn half_an_answer_can_be_enough() {
    check("0 && UNKNOWN(1)", false);
    check("UNKNOWN(1) && 0", false);
    check("1 || UNKNOWN(1)", true);
}

#[test]
fn what_cannot_be_evaluated_is_read() {
    check("1 / 0", true);
    check("3 +", true);
    check("@", true);
    check("", true);
}
