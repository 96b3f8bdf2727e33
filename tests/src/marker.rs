//! Markers: comments in a fixture that say what has to be found where.
//!
//! `//~ PL101` at the end of a line: a finding begins on this line. `//   ^^^ PL101` on a line of
//! its own: a finding begins on the line above, in one of the columns that the carets point at. Both
//! may list several codes, and go on in words after them. `gap` stands for a region that is not
//! understood.

use std::ops::RangeInclusive;

use crate::linted::GAP;

/// A place where something has to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The line, from 1.
    pub line: u32,
    /// The code.
    pub code: String,
    /// The columns in characters, from 1; none when the marker does not say.
    pub columns: Option<RangeInclusive<u32>>,
}

/// The markers of a text, in order.
///
/// # Errors
///
/// A marker that names no code, or points at no line: it would expect nothing, and never fail.
pub fn markers(text: &str) -> Result<Vec<Marker>, String> {
    let mut markers = Vec::new();
    let mut above = 0;
    for (number, line) in (1u32..).zip(text.lines()) {
        let (at, codes, columns) = if let Some((columns, codes)) = carets(line) {
            if above == 0 {
                return Err(format!("line {number}: nothing stands above the marker"));
            }
            (above, codes, Some(columns))
        } else {
            above = number;
            match line.split_once("//~") {
                Some((_, codes)) => (number, codes, None),
                None => continue,
            }
        };
        let before = markers.len();
        for word in codes.split_whitespace() {
            if !is_code(word) {
                break;
            }
            markers.push(Marker {
                line: at,
                code: word.to_owned(),
                columns: columns.clone(),
            });
        }
        if markers.len() == before {
            return Err(format!("line {number}: the marker names no code"));
        }
    }
    Ok(markers)
}

/// The columns of a line of carets, and what follows them.
fn carets(line: &str) -> Option<(RangeInclusive<u32>, &str)> {
    let comment = line.trim_start().strip_prefix("//")?;
    let pointed = comment.trim_start();
    if !pointed.starts_with('^') {
        return None;
    }
    let rest = pointed.trim_start_matches('^');
    let column = |text: &str| u32::try_from(text.chars().count()).ok();
    let before = column(line.strip_suffix(pointed)?)?;
    let width = column(pointed.strip_suffix(rest)?)?;
    Some((before + 1..=before + width, rest))
}

fn is_code(word: &str) -> bool {
    let number = word.strip_prefix("PL").unwrap_or_default();
    word == GAP || (number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{Marker, markers};

    fn marker(line: u32, code: &str) -> Marker {
        Marker {
            line,
            code: code.to_owned(),
            columns: None,
        }
    }

    #[test]
    fn a_trailing_marker_means_its_own_line() {
        let text = "a\nf(); //~ PL101 PL103 the second is lost too\n";
        assert_eq!(
            markers(text),
            Ok(vec![marker(2, "PL101"), marker(2, "PL103")])
        );
    }

    #[test]
    fn carets_mean_columns_of_the_line_above() {
        let text = "\tf(g());\n//\t  ^^^ PL101\n//^ PL103\n";
        let at = |columns, code| Marker {
            columns: Some(columns),
            ..marker(1, code)
        };
        assert_eq!(
            markers(text),
            Ok(vec![at(6..=8, "PL101"), at(3..=3, "PL103")])
        );
    }

    #[test]
    fn plain_comments_are_no_markers() {
        assert_eq!(markers("// PL101 is silent here\n//// x\n"), Ok(vec![]));
    }

    #[test]
    fn a_marker_without_a_code_is_an_error() {
        assert!(markers("f(); //~ PL1O1\n").is_err());
        assert!(markers("f();\n//^^ the call\n").is_err());
    }

    #[test]
    fn carets_with_nothing_above_are_an_error() {
        assert!(markers("//^^ PL101\n").is_err());
    }
}
