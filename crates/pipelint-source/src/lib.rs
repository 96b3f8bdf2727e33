//! Files, their decoded text, and spans.
//!
//! Everything above this crate speaks of text by [`Span`]: a file and a range of byte offsets into
//! the *decoded* (UTF-8) text of that file.

mod discover;
mod span;
mod text;

pub use discover::{Discovery, ENDINGS, Problem, ProblemKind, discover, is_source};
pub use span::{FileId, Span};
pub use text::{Decoded, Encoding, ReadError, decode, read, read_from};
