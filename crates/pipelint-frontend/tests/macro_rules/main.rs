//! Expansion of `macro_rules!`: text in, text out.

mod support;

mod definitions;
mod fragments;
mod hygiene;
mod properties;
mod shapes;
mod units;
