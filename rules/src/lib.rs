//! The rules: one file each, with documentation, examples and words; and the built-in models.

pub mod models;
