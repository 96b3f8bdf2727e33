//! Files, their decoded text, spans and lines.
//!
//! Everything above this crate speaks of text by [`Span`]: a file and a range of byte offsets into
//! the *decoded* (UTF-8) text of that file.

mod span;

pub use span::{FileId, Span};
