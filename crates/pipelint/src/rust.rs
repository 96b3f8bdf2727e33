//! The Rust files of a run: parsed, indexed together, lowered.

use pipelint_frontend::Lowered;
use pipelint_frontend::rust::{Index, Parsed, cfg::Cfg, lower, module_of, parse};
use pipelint_ir::{Language, Name};
use pipelint_source::FileId;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::panics::guarded;
use crate::pipeline::{File, language};

/// Files that declare what others use: they are read, and not lowered unless they are relevant.
fn declares(file: &File) -> bool {
    let name = file.path.file_name().and_then(|name| name.to_str());
    matches!(name, Some("mod.rs" | "lib.rs" | "main.rs"))
        || memchr::memmem::find(file.text.as_bytes(), b"macro_rules!").is_some()
}

/// The files whose modules these files import from.
fn imports(files: &[File], from: &[(usize, Parsed)], cfg: &Cfg) -> Vec<usize> {
    let mut modules: FxHashMap<Name, usize> = FxHashMap::default();
    for (i, file) in files.iter().enumerate() {
        if language(&file.path) == Language::Rust {
            modules.entry(module_of(&file.path)).or_insert(i);
        }
    }
    let index = Index::of_modules(from.iter().map(|(_, parsed)| parsed), cfg);
    let mut found: Vec<usize> = Vec::new();
    for (_, parsed) in from {
        for path in index.imports(parsed) {
            // `a::b::f` is an item of `a::b`, or of `a` with `b` its type.
            let mut at: &str = &path;
            while let Some((parent, _)) = at.rsplit_once("::") {
                if let Some(&file) = modules.get(parent) {
                    found.push(file);
                    break;
                }
                at = parent;
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What became of the Rust files of a run, by the places of the files.
#[derive(Default)]
pub(crate) struct RustFiles {
    /// Those that were lowered.
    pub(crate) lowered: Vec<(usize, Result<Lowered, String>)>,
    /// Those that were parsed for what they declare, and not lowered.
    pub(crate) indexed: Vec<usize>,
}

/// Lowers the Rust files among `wanted`, and those that they import.
pub(crate) fn lower_all(
    files: &[File],
    wanted: &[usize],
    cfg: &Cfg,
    tick: &(dyn Fn() + Sync),
) -> RustFiles {
    let relevant: Vec<usize> = wanted
        .iter()
        .copied()
        .filter(|&i| language(&files[i].path) == Language::Rust)
        .collect();
    if relevant.is_empty() {
        return RustFiles::default();
    }
    let is_rust = |i: &usize| language(&files[*i].path) == Language::Rust;
    let others = |i: &usize| relevant.binary_search(i).is_err();
    let declaring: Vec<usize> = (0..files.len())
        .filter(is_rust)
        .filter(|i| others(i) && declares(&files[*i]))
        .collect();
    let read = |which: &[usize]| -> Vec<(usize, Parsed)> {
        // The largest first: a thread that began one last would be waited for.
        let mut order = which.to_vec();
        order.sort_by_key(|&i| (std::cmp::Reverse(files[i].text.len()), i));
        let parsed = order.par_iter().with_max_len(1).map(|&i| {
            let id = FileId(u32::try_from(i).unwrap_or(u32::MAX));
            (i, parse(id, &files[i].text, &files[i].path))
        });
        parsed.collect()
    };
    let mut parsed = read(&relevant);
    // What relevant files import says what their calls do: it is lowered with them.
    let imported = imports(files, &parsed, cfg);
    let imported: Vec<usize> = imported.into_iter().filter(others).collect();
    parsed.extend(read(&imported));
    let rest: Vec<usize> = declaring
        .into_iter()
        .filter(|i| imported.binary_search(i).is_err())
        .collect();
    parsed.extend(read(&rest));
    let indexed = rest;
    parsed.sort_by_key(|(i, _)| *i);
    let wanted = |i: &usize| !others(i) || imported.binary_search(i).is_ok();
    let (places, parsed): (Vec<usize>, Vec<Parsed>) = parsed.into_iter().unzip();
    let index = match guarded(|| Index::new(&parsed, cfg)) {
        Ok(index) => index,
        Err(panic) => {
            let failed = relevant.into_iter().map(|i| (i, Err(panic.clone())));
            return RustFiles {
                lowered: failed.collect(),
                indexed: Vec::new(),
            };
        }
    };
    let mut lowered: Vec<(usize, Result<Lowered, String>)> = places
        .into_par_iter()
        .zip(parsed)
        .filter(|(i, _)| wanted(i))
        .map(|(i, parsed)| {
            let lowered = guarded(|| {
                let lowered = lower(&parsed, &index, cfg);
                if cfg!(debug_assertions) {
                    crate::pipeline::assert_sound(&lowered.unit);
                }
                lowered
            });
            // Files that were only taken in are counted already.
            if !others(&i) {
                tick();
            }
            (i, lowered)
        })
        .collect();
    lowered.sort_by_key(|(i, _)| *i);
    RustFiles { lowered, indexed }
}
