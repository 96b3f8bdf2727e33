//! The pass before the parse: text in, text of the same length out, that the grammar understands.

mod branches;
mod conditions;
mod declarations;
mod expressions;
mod facts;
mod language;
mod properties;
mod statements;
mod support;
