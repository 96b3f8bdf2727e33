//! Lines and columns against a slow count.

use pipelint_report::{LineIndex, Position};

fn slow(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let line = before.rsplit('\n').next().unwrap_or_default();
    Position {
        line: before.matches('\n').count() as u32 + 1,
        column: line.chars().count() as u32 + 1,
        utf16: line.encode_utf16().count() as u32 + 1,
    }
}

#[test]
fn positions_are_those_of_a_slow_count() {
    // Lines longer and shorter than a block, and characters across the blocks' borders.
    let mut wide = String::from("\n");
    for length in [0, 1, 300, 1021, 5000] {
        wide.push_str(&"aé宽🚰".repeat(length / 10));
        wide.push_str(&"x".repeat(length % 10));
        wide.push_str("\r\n");
    }
    wide.push_str("end");
    let exact = "宽x".repeat(256);
    assert_eq!(exact.len(), 1024, "the text ends with a block");
    for text in [
        wide.as_str(),
        exact.as_str(),
        "",
        "\n",
        "a\nb",
        "plain\r\n\r\ntext\n",
    ] {
        let lines = LineIndex::new(text);
        assert_eq!(lines.line_count(), text.matches('\n').count() + 1);
        for offset in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            assert_eq!(lines.position(text, offset), slow(text, offset), "{offset}");
        }
        assert_eq!(lines.position(text, text.len() + 9), slow(text, text.len()));
    }
}

#[test]
fn a_place_inside_a_character_is_where_it_begins() {
    let text = "a🚰b";
    let lines = LineIndex::new(text);
    for offset in 1..5 {
        assert_eq!(lines.position(text, offset), slow(text, 1));
    }
}

#[test]
fn a_line_ends_before_its_line_break() {
    let text = "one\r\ntwo\n\r\r\nfour";
    let lines = LineIndex::new(text);
    let all: Vec<&str> = (0..lines.line_count() + 2)
        .map(|line| &text[lines.line_range(text, line)])
        .collect();
    assert_eq!(all, ["one", "two", "\r", "four", "", ""]);
}
