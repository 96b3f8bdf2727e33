//! `pipelint dump`: what the front end makes of a file.

use std::path::Path;

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_ir::Language;
use pipelint_source::FileId;

use crate::args::DumpWhat;
use crate::config::ConfigError;

pub(crate) fn dump(what: DumpWhat, file: &Path, config: &CppConfig) -> Result<u8, ConfigError> {
    let decoded = pipelint_source::read(file).map_err(|error| ConfigError {
        message: error.to_string(),
        help: error.help().into(),
    })?;
    let language = match file.extension().and_then(|e| e.to_str()) {
        Some("c") => Language::C,
        _ => Language::Cpp,
    };
    let lower = || pipelint_frontend::lower_cpp(FileId(0), &decoded.text, language, config);
    let unit = lower().unit;
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
