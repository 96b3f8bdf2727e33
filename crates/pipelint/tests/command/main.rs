//! The command from outside: arguments and files in, output and exit status out.

mod common;
mod compile_commands;
mod config;
mod decoding;
mod determinism;
mod folders;
mod formats;
mod hostile;
mod models;
mod pages;
mod select;
mod status;
mod stdin;
mod suppress;
