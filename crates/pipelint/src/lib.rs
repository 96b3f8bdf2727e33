//! The linter as a library: what the command runs, and what tests call in-process.
//!
//! The command line is the stable interface; these items may change.

pub mod args;
mod builds;
mod command;
mod config;
mod context;
mod dump;
mod facts;
mod includes;
mod models;
mod options;
mod panics;
mod pipeline;
mod rust;
mod select;
mod statistics;
mod suppress;
mod surroundings;
mod thread_types;
mod users;

pub use builds::Builds;
pub use command::main;
pub use config::{ConfigError, config_schema};
pub use pipeline::{Input, Options, Run, lint};
pub use select::{Selection, SelectorError};
pub use statistics::Statistics;
