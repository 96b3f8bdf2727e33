//! The Rust files of a run: parsed, indexed together, lowered.

use pipelint_frontend::Lowered;
use pipelint_frontend::rust::{Index, Parsed, cfg::Cfg, lower, parse};
use pipelint_ir::Language;
use pipelint_source::FileId;
use rayon::prelude::*;

use crate::panics::guarded;
use crate::pipeline::{File, language};

/// Files that declare what others use: they are read, and not lowered unless they are relevant.
fn declares(file: &File) -> bool {
    let name = file.path.file_name().and_then(|name| name.to_str());
    matches!(name, Some("mod.rs" | "lib.rs" | "main.rs"))
        || memchr::memmem::find(file.text.as_bytes(), b"macro_rules!").is_some()
}

/// Lowers the Rust files among `wanted`; with each the place of its file.
pub(crate) fn lower_all(
    files: &[File],
    wanted: &[usize],
    cfg: &Cfg,
    tick: &(dyn Fn() + Sync),
) -> Vec<(usize, Result<Lowered, String>)> {
    let relevant: Vec<usize> = wanted
        .iter()
        .copied()
        .filter(|&i| language(&files[i].path) == Language::Rust)
        .collect();
    if relevant.is_empty() {
        return Vec::new();
    }
    let is_rust = |file: &File| language(&file.path) == Language::Rust;
    let mut read: Vec<usize> = (0..files.len())
        .filter(|&i| is_rust(&files[i]))
        .filter(|i| relevant.binary_search(i).is_ok() || declares(&files[*i]))
        .collect();
    // The largest first: a thread that began one last would be waited for.
    read.sort_by_key(|&i| (std::cmp::Reverse(files[i].text.len()), i));
    let mut parsed: Vec<(usize, Parsed)> = read
        .par_iter()
        .with_max_len(1)
        .map(|&i| {
            let id = FileId(u32::try_from(i).unwrap_or(u32::MAX));
            (i, parse(id, &files[i].text, &files[i].path))
        })
        .collect();
    parsed.sort_by_key(|(i, _)| *i);
    let (places, parsed): (Vec<usize>, Vec<Parsed>) = parsed.into_iter().unzip();
    let index = match guarded(|| Index::new(&parsed, cfg)) {
        Ok(index) => index,
        Err(panic) => {
            return relevant
                .into_iter()
                .map(|i| (i, Err(panic.clone())))
                .collect();
        }
    };
    let mut results: Vec<(usize, Result<Lowered, String>)> = places
        .into_par_iter()
        .zip(parsed)
        .filter(|(i, _)| relevant.binary_search(i).is_ok())
        .map(|(i, parsed)| {
            let lowered = guarded(|| {
                let lowered = lower(&parsed, &index, cfg);
                if cfg!(debug_assertions) {
                    crate::pipeline::assert_sound(&lowered.unit);
                }
                lowered
            });
            tick();
            (i, lowered)
        })
        .collect();
    results.sort_by_key(|(i, _)| *i);
    results
}
