//! `pipelint dump`: what the front end makes of a file.

use std::path::Path;

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::rust::{self, cfg::Cfg};
use pipelint_ir::Language;
use pipelint_source::FileId;

use crate::args::DumpWhat;
use crate::config::ConfigError;

pub(crate) fn dump(
    what: DumpWhat,
    file: &Path,
    config: &CppConfig,
    target: &Cfg,
) -> Result<u8, ConfigError> {
    let decoded = pipelint_source::read(file).map_err(|error| ConfigError {
        message: error.to_string(),
        help: error.help().into(),
    })?;
    let language = crate::pipeline::language(file);
    let unit = if language == Language::Rust {
        let parsed = [rust::parse(FileId(0), &decoded.text, file)];
        let index = rust::Index::new(&parsed, target);
        rust::lower(&parsed[0], &index, target).unit
    } else {
        pipelint_frontend::lower_cpp(FileId(0), &decoded.text, language, config).unit
    };
    let text = match what {
        DumpWhat::Ir => pipelint_ir::print_unit(&unit),
        DumpWhat::Cfg => unit
            .functions
            .iter()
            .map(|f| format!("%% {}\n{}\n", f.name, pipelint_ir::mermaid(f)))
            .collect(),
    };
    Ok(crate::command::print(&text))
}
