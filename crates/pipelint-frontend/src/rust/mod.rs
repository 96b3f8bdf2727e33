//! Rust.
//!
//! Three steps: [`parse()`] each file, [`Index`] what all of them declare, [`lower`] each file's
//! bodies. A name means what its `use` says, so that the second step has to see every file.

pub mod cfg;
mod fragment;
mod holders;
mod index;
mod kinds;
mod lower;
pub mod macro_rules;
mod mend;
mod names;
mod outline;
mod paths;
mod source;
mod ty;
mod types;
mod unit;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipelint_ir::{Gap, GapReason, Language, Name, Unit};
use pipelint_source::{FileId, Span};

use crate::Lowered;
use cfg::Cfg;
use lower::Lowerer;
use source::Source;

/// A parsed file.
#[derive(Debug)]
pub struct Parsed {
    source: Source,
    module: Name,
    tree: Option<tree_sitter::Tree>,
    /// Time to parse.
    time: Duration,
}

/// What all files of a run declare: modules, types, signatures, macros.
#[derive(Debug, Default)]
pub struct Index(index::Index);

/// What was lowered at a place, for comparison with another parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SiteKind {
    /// A function with a body, or a closure: all of it.
    Function,
    /// A call of a function or method: all of it.
    Call,
    /// A macro call.
    Macro,
    /// `expression?`: all of it.
    Question,
}

/// Something that was lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: SiteKind,
}

/// Parses a file. `path` tells which module it is.
pub fn parse(file: FileId, text: &str, path: &Path) -> Parsed {
    let start = Instant::now();
    let source = Source {
        file,
        text: Arc::from([text, fragment::END].concat()),
        origin: None,
    };
    let tree = fragment::parse_all(&source);
    Parsed {
        source,
        module: module_of(path),
        tree,
        time: start.elapsed(),
    }
}

impl Index {
    /// Reads which modules the files declare, and what those use; no types and signatures.
    pub fn of_modules<'f>(files: impl Iterator<Item = &'f Parsed>, cfg: &Cfg) -> Self {
        let outlines = files
            .filter_map(|file| {
                let root = file.tree.as_ref()?.root_node();
                let outline = outline::outline(&file.source, cfg, &file.module, root);
                Some((file.source.file.0, outline))
            })
            .collect();
        Self(index::Index::new(outlines))
    }

    /// The full paths of what a file's own module imports.
    pub fn imports(&self, file: &Parsed) -> Vec<Name> {
        self.0.modules.imports(&file.module)
    }

    /// Reads what the files declare.
    pub fn new(files: &[Parsed], cfg: &Cfg) -> Self {
        let Self(mut index) = Self::of_modules(files.iter(), cfg);
        // What the target has says more than what it has not: it is read later.
        let off = |file: &&Parsed| index.modules.is_off(&file.module);
        let (mut order, on): (Vec<&Parsed>, Vec<&Parsed>) = files.iter().partition(off);
        order.extend(on);
        for file in order {
            if let Some(tree) = &file.tree {
                index.read(&file.source, cfg, &file.module, tree.root_node());
            }
        }
        Self(index)
    }
}

/// Lowers a file.
pub fn lower(file: &Parsed, index: &Index, cfg: &Cfg) -> Lowered {
    lower_with(file, index, cfg, false).0
}

/// Lowers a file, and tells what was lowered where.
pub fn lower_with_sites(file: &Parsed, index: &Index, cfg: &Cfg) -> (Lowered, Vec<Site>) {
    lower_with(file, index, cfg, true)
}

fn lower_with(file: &Parsed, index: &Index, cfg: &Cfg, sites: bool) -> (Lowered, Vec<Site>) {
    let start = Instant::now();
    let mut unit = Unit {
        file: file.source.file,
        language: Language::Rust,
        functions: Vec::new(),
        declarations: Vec::new(),
        classes: Vec::new(),
        globals: Vec::new(),
        constants: Vec::new(),
        macros: Vec::new(),
        aliases: Vec::new(),
        includes: Vec::new(),
        sees: Vec::new(),
        pragmas: Vec::new(),
        gaps: Vec::new(),
    };
    let mut found = Vec::new();
    match &file.tree {
        Some(tree) => {
            let root = tree.root_node();
            let mut lowerer = Lowerer::new(&index.0, cfg, file.source.clone(), sites);
            lowerer.module(root, &file.module);
            (unit.functions, found) = lowerer.finish();
            let modules = &index.0.modules;
            if modules.is_off(&file.module) {
                // The methods that another system's file gives a type of all systems are not those
                // that the target has.
                for function in &mut unit.functions {
                    let class = function.class.as_ref();
                    let of = class.and_then(|c| c.rsplit_once("::"));
                    function.internal = of.is_some_and(|(module, _)| !modules.is_off(module));
                }
            }
            let key =
                |f: &pipelint_ir::Function| (f.map.whole.start, std::cmp::Reverse(f.map.whole.end));
            unit.functions.sort_by_key(key);
            unit::declare(&mut unit, &file.source, cfg, &index.0, &file.module, root);
        }
        None => unit.gaps.push(Gap {
            span: file
                .source
                .span_of(0, file.source.text.len() - fragment::END.len()),
            reason: GapReason::Syntax,
        }),
    }
    let lowered = Lowered {
        unit,
        prepare: Duration::ZERO,
        parse: file.time,
        lower: start.elapsed(),
    };
    (lowered, found)
}

/// The module that a file is, as Cargo lays files out: what stands before `src` is the crate.
pub fn module_of(path: &Path) -> Name {
    let text = path.with_extension("").to_string_lossy().replace('\\', "/");
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !part.is_empty() && *part != "." && *part != "..")
        .collect();
    let at = parts.iter().rposition(|part| *part == "src");
    let (root, inner) = match at {
        Some(at) => (
            at.checked_sub(1).map_or("crate", |before| parts[before]),
            &parts[at + 1..],
        ),
        None => {
            let file = parts.last().copied().unwrap_or("crate");
            (file, &parts[parts.len()..])
        }
    };
    let mut module = root.replace('-', "_");
    for (i, part) in inner.iter().enumerate() {
        let last = i + 1 == inner.len();
        if last && (*part == "mod" || (i == 0 && matches!(*part, "lib" | "main"))) {
            break;
        }
        module.push_str("::");
        module.push_str(part);
    }
    Name::new(module)
}
