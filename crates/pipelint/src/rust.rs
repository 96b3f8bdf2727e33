//! The Rust files of a run: parsed, indexed together, lowered.

use pipelint_frontend::Lowered;
use pipelint_frontend::rust::{Index, Parsed, cfg::Cfg, lower, module_of, parse};
use pipelint_ir::{Language, Name};
use pipelint_models::Prefilter;
use pipelint_source::FileId;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::panics::guarded;
use crate::pipeline::{File, Options, language};
use crate::users;

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

/// Parses files by their places.
type Read<'r> = dyn Fn(&[usize]) -> Vec<(usize, Parsed)> + 'r;

/// Files passed over that import a type of a file that starts operations: what the type keeps pending is
/// freed, closed and used anew by those that have one.
fn users_of(
    files: &[File],
    relevant: &[usize],
    options: &Options,
    read: &Read<'_>,
) -> Vec<(usize, Parsed)> {
    let starts = users::starts_of(&options.models);
    let starting = relevant.iter().map(|&i| &files[i]);
    let starting = starting.filter(|file| starts.matches(file.text.as_bytes()));
    let mut types: FxHashSet<(Name, &str)> = FxHashSet::default();
    for file in starting {
        let program = first(&module_of(&file.path));
        types.extend(structs(&file.text).map(|name| (program.clone(), name)));
    }
    if types.is_empty() {
        return Vec::new();
    }
    let words = Prefilter::new(types.iter().map(|(_, name)| *name));
    let speaking: Vec<usize> = (0..files.len())
        .into_par_iter()
        .filter(|i| language(&files[*i].path) == Language::Rust)
        .filter(|i| relevant.binary_search(i).is_err())
        .filter(|i| words.matches(files[*i].text.as_bytes()))
        .collect();
    let mut parsed = read(&speaking);
    let index = Index::of_modules(parsed.iter().map(|(_, parsed)| parsed), &options.target);
    parsed.retain(|(_, file)| {
        let mut imported = index.imports(file).into_iter();
        imported.any(|path| {
            let name = path.rsplit("::").next().unwrap_or_default();
            types.contains(&(first(&path), name))
        })
    });
    parsed
}

/// The program that a path begins with.
fn first(path: &str) -> Name {
    Name::new(path.split("::").next().unwrap_or_default())
}

/// The structs that a text declares.
fn structs(text: &str) -> impl Iterator<Item = &str> {
    let found = memchr::memmem::find_iter(text.as_bytes(), b"struct ");
    found.filter_map(|at| {
        let name = &text[at + "struct ".len()..];
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let name = &name[..end.unwrap_or(name.len())];
        (!name.is_empty()).then_some(name)
    })
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
    options: &Options,
    tick: &(dyn Fn() + Sync),
) -> RustFiles {
    let cfg = &options.target;
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
    let mut imported: Vec<usize> = imported.into_iter().filter(others).collect();
    parsed.extend(read(&imported));
    let users = users_of(files, &relevant, options, &read);
    let users = users
        .into_iter()
        .filter(|(i, _)| imported.binary_search(i).is_err());
    let users: Vec<(usize, Parsed)> = users.collect();
    imported.extend(users.iter().map(|(i, _)| *i));
    imported.sort_unstable();
    parsed.extend(users);
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
