//! Owners that are like others: `like` is followed when the models are loaded.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::Fault;
use crate::error::Problem;
use crate::models::Parsed;
use crate::owner::Owner;
use crate::types::TypeTable;

/// Fills in what the owners of these files take from others, of these files or loaded before. A
/// fault comes with the number of its file.
pub(crate) fn resolve(
    files: &mut [Parsed<'_>],
    loaded: &TypeTable<Owner>,
) -> Result<(), (usize, Fault)> {
    // Later files override earlier ones, so the last entry of a name is the one that is meant.
    let mut places: FxHashMap<String, (usize, usize)> = FxHashMap::default();
    for (f, parsed) in files.iter().enumerate() {
        for (o, owner) in parsed.file.owners.iter().enumerate() {
            for name in &owner.names {
                places.insert(name.clone(), (f, o));
            }
        }
    }
    for f in 0..files.len() {
        for o in 0..files[f].file.owners.len() {
            resolve_one((f, o), files, loaded, &places)?;
        }
    }
    Ok(())
}

fn resolve_one(
    start: (usize, usize),
    files: &mut [Parsed<'_>],
    loaded: &TypeTable<Owner>,
    places: &FxHashMap<String, (usize, usize)>,
) -> Result<(), (usize, Fault)> {
    // Down the chain to one that is like no other, then back up. Each link is cut when it is
    // followed, so that no link is followed twice.
    let mut chain: Vec<(usize, usize)> = Vec::new();
    let mut passed: FxHashSet<(usize, usize)> = FxHashSet::default();
    let mut at = start;
    let mut base = loop {
        let owner = &mut files[at.0].file.owners[at.1];
        let Some(like) = owner.like.take() else {
            break owner.clone();
        };
        let entry = format!("owner {}", owner.names.first().map_or("", String::as_str));
        chain.push(at);
        passed.insert(at);
        match places.get(&like) {
            // An entry of the user that overrides a built-in one may build on it.
            Some(next) if *next == at => match loaded.exact(&like) {
                Some(base) => break base.clone(),
                None => return Err(fault(at, entry, like)),
            },
            Some(next) if passed.contains(next) => {
                return Err(fault(at, entry, like));
            }
            Some(next) => at = *next,
            None => match loaded.exact(&like) {
                Some(base) => break base.clone(),
                None => return Err(fault(at, entry, like)),
            },
        }
    };
    while let Some(at) = chain.pop() {
        let owner = &mut files[at.0].file.owners[at.1];
        owner.fill_from(&base);
        base = owner.clone();
    }
    Ok(())
}

fn fault((file, index): (usize, usize), entry: String, like: String) -> (usize, Fault) {
    let fault = Fault {
        section: "owners",
        index,
        entry,
        problem: Problem::Like(like.into()),
    };
    (file, fault)
}
