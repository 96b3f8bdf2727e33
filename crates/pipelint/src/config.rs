//! `pipelint.toml`.

use std::path::{Path, PathBuf};

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_models::{
    ConditionVariable, Constant, FunctionModel, Guard, Lock, Models, Owner, ResourceKind,
    ThreadMaker, TypeModel,
};
use pipelint_report::Severity;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use crate::args::{Branches, Level, Target};
use crate::builds::Builds;
use crate::options::Change;

/// The sections that the models' own loader reads.
const MODELS: [&str; 9] = [
    "functions",
    "resources",
    "owners",
    "locks",
    "guards",
    "conditions",
    "threads",
    "types",
    "constants",
];

/// A configuration that cannot be used.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct ConfigError {
    /// What is wrong, with file and line.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The configuration of pipelint, `pipelint.toml`.
// Sections of models are read by the models' own loader.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "pipelint.toml")]
pub(crate) struct Config {
    /// The rules that report: `ALL`, families (`PL1`), codes (`PL103`) or names; without it, those
    /// of the group `default`.
    pub(crate) select: Vec<String>,
    /// Rules that do not report, whatever `select` says.
    pub(crate) ignore: Vec<String>,
    /// The lowest severity that is reported.
    severity: Option<ConfigLevel>,
    /// The system whose branches are read, of `#if` and of Rust's `cfg`; without it, Windows.
    target: Option<Target>,
    /// `NAME` or `NAME=VALUE`: names that `#if` takes as defined.
    defines: Vec<String>,
    /// Names that `#if` takes as not defined.
    undefines: Vec<String>,
    /// A `compile_commands.json`, or the folder that holds one, relative to the folder of this file:
    /// its include folders and definitions are used too.
    compile_commands: Option<PathBuf>,
    /// Paths that are not linted, as in `.gitignore`, relative to the folder of this file.
    pub(crate) exclude: Vec<String>,
    /// What functions of your own do.
    #[schemars(with = "Vec<FunctionModel>")]
    functions: Option<IgnoredAny>,
    /// Kinds of resource, and what releases each.
    #[schemars(with = "Vec<ResourceKind>")]
    resources: Option<IgnoredAny>,
    /// Types that release what they hold.
    #[schemars(with = "Vec<Owner>")]
    owners: Option<IgnoredAny>,
    /// Types, or kinds of handle, that one thread at a time can hold.
    #[schemars(with = "Vec<Lock>")]
    locks: Option<IgnoredAny>,
    /// Types that hold a lock as long as they live.
    #[schemars(with = "Vec<Guard>")]
    guards: Option<IgnoredAny>,
    /// Types on which a thread waits until another one wakes it.
    #[schemars(with = "Vec<ConditionVariable>")]
    conditions: Option<IgnoredAny>,
    /// What runs code beside the code that asks for it.
    #[schemars(with = "Vec<ThreadMaker>")]
    threads: Option<IgnoredAny>,
    /// Type names that make a file worth parsing.
    #[schemars(with = "Vec<TypeModel>")]
    types: Option<IgnoredAny>,
    /// Values of named constants.
    #[schemars(with = "Vec<Constant>")]
    constants: Option<IgnoredAny>,
    #[serde(skip)]
    pub(crate) path: Option<PathBuf>,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Severity")]
enum ConfigLevel {
    /// Everything.
    Note,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
}

impl Config {
    /// The named file, else the nearest `pipelint.toml` from the current folder upwards, else none.
    pub(crate) fn load(named: Option<&Path>) -> Result<Self, ConfigError> {
        let path = match named {
            Some(path) => Some(path.to_owned()),
            None => std::env::current_dir().ok().and_then(|cwd| {
                cwd.ancestors()
                    .map(|d| d.join("pipelint.toml"))
                    .find(|f| f.is_file())
            }),
        };
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(&path).map_err(|error| ConfigError {
            message: format!("cannot read the configuration {}: {error}", path.display()),
            help: "name a readable TOML file with --config".into(),
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError {
            message: format!("{}: {}", at(&path, &text, error.span()), error.message()),
            help: "docs/configuration.md lists the keys".into(),
        })?;
        config.path = Some(path);
        config.text = text;
        Ok(config)
    }

    /// The models: the built-in ones with the file's laid over them.
    pub(crate) fn models(&self) -> Result<Models, ConfigError> {
        let builtin = pipelint_rules::models::builtin();
        let sections = [
            &self.functions,
            &self.resources,
            &self.owners,
            &self.locks,
            &self.guards,
            &self.conditions,
            &self.threads,
            &self.types,
            &self.constants,
        ];
        if sections.iter().all(|s| s.is_none()) {
            return Ok(builtin);
        }
        let name = self
            .path
            .as_ref()
            .map_or_else(String::new, |p| p.display().to_string());
        let text = only_models(&self.text);
        builtin
            .with_files([(name.as_str(), text.as_str())])
            .map_err(|error| ConfigError {
                message: format!("{}: {}: {}", error.file, error.entry, error.problem),
                help: error.problem.way_out().into(),
            })
    }

    /// The severity from which findings are reported.
    pub(crate) fn severity(&self, argument: Option<Level>) -> Severity {
        match (argument, self.severity) {
            (Some(Level::Error), _) | (None, Some(ConfigLevel::Error)) => Severity::Error,
            (Some(Level::Warning), _) | (None, Some(ConfigLevel::Warning)) => Severity::Warning,
            _ => Severity::Note,
        }
    }

    /// What a build says of the files, as far as one is named.
    pub(crate) fn builds(
        &self,
        argument: Option<&Path>,
        branches: &Branches,
    ) -> Result<Builds, ConfigError> {
        let own = self.compile_commands.as_ref().map(|named| {
            let folder = self.path.as_deref().and_then(Path::parent);
            folder.unwrap_or(Path::new("")).join(named)
        });
        let Some(path) = argument.map(Path::to_owned).or(own) else {
            return Ok(Builds::default());
        };
        Builds::read(&path, &|changes| self.preprocessor_over(changes, branches))
    }

    /// The system whose branches are read; the command line over the file.
    pub(crate) fn target(&self, arguments: &Branches) -> Target {
        arguments.target.or(self.target).unwrap_or_default()
    }

    /// What `#if` sees as defined; the command line over the file over a build for the target.
    pub(crate) fn preprocessor(&self, arguments: &Branches) -> CppConfig {
        self.preprocessor_over(&[], arguments)
    }

    /// The same, with what a build defines over the target's names and under the rest.
    fn preprocessor_over(&self, build: &[Change], arguments: &Branches) -> CppConfig {
        let mut config = self.target(arguments).preprocessor();
        let build = build.iter().map(|change| match change {
            Change::Define(text) => (text, true),
            Change::Undefine(name) => (name, false),
        });
        let files = self
            .defines
            .iter()
            .map(|d| (d, true))
            .chain(self.undefines.iter().map(|d| (d, false)));
        let line = arguments
            .define
            .iter()
            .map(|d| (d, true))
            .chain(arguments.undefine.iter().map(|d| (d, false)));
        for (text, defined) in build.chain(files).chain(line) {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (text.as_str(), None),
            };
            if defined {
                config.undefines.remove(name);
                config.defines.insert(name.to_owned(), value);
            } else {
                config.defines.remove(name);
                config.undefines.insert(name.to_owned());
            }
        }
        config
    }
}

/// The JSON schema of `pipelint.toml`, as it is published.
pub fn config_schema() -> String {
    let mut text = format!("{:#}", schemars::schema_for!(Config).as_value());
    text.push('\n');
    text
}

/// The text with every key that is no section of models made blank, so that the lines stay.
fn only_models(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let Ok(table) = toml::de::DeTable::parse(text) else {
        return text.to_owned();
    };
    for (key, value) in table.get_ref() {
        if MODELS.contains(&key.get_ref().as_ref()) {
            continue;
        }
        let range = key.span().start..value.span().end;
        for byte in bytes.get_mut(range).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn at(path: &Path, text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let line = span
        .and_then(|s| text.get(..s.start))
        .map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}
