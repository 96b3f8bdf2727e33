//! Types by the names that programs give them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// Facts about types, found by full name or by the end of it.
#[derive(Debug, Clone)]
pub(crate) struct TypeTable<T> {
    full: BTreeMap<SmolStr, Arc<T>>,
    /// By what remains of a full name when leading scopes are left out; the latest entry counts.
    ends: FxHashMap<SmolStr, Arc<T>>,
}

impl<T> Default for TypeTable<T> {
    fn default() -> Self {
        Self {
            full: BTreeMap::new(),
            ends: FxHashMap::default(),
        }
    }
}

impl<T> TypeTable<T> {
    /// Adds a type. A `common` name is not found by its last segment alone.
    pub(crate) fn insert(&mut self, name: &str, common: bool, facts: &Arc<T>) {
        self.full.insert(name.into(), Arc::clone(facts));
        let mut rest = name;
        while let Some((_, end)) = rest.split_once("::") {
            rest = end;
            if !common || rest.contains("::") {
                self.ends.insert(rest.into(), Arc::clone(facts));
            }
        }
    }

    /// The type that a program writes so, with or without template arguments.
    pub(crate) fn get(&self, written: &str) -> Option<&T> {
        let name = bare_type(written);
        self.full
            .get(name)
            .or_else(|| self.ends.get(name))
            .map(|facts| &**facts)
    }

    /// The type of exactly this full name.
    pub(crate) fn exact(&self, name: &str) -> Option<&T> {
        self.full.get(name).map(|facts| &**facts)
    }

    /// All with one of their names, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.full
            .iter()
            .map(|(name, facts)| (name.as_str(), &**facts))
    }
}

/// A type's name without qualifiers before it and template arguments behind it.
pub(crate) fn bare_type(name: &str) -> &str {
    // Most names are written so already.
    let bytes = name.as_bytes();
    if memchr::memchr2(b'<', b' ', bytes).is_none() && bytes.first() != Some(&b':') {
        return name;
    }
    let mut name = name.split('<').next().unwrap_or(name).trim();
    for word in ["const ", "volatile ", "struct ", "class ", "::"] {
        name = name.strip_prefix(word).unwrap_or(name).trim_start();
    }
    name.strip_suffix(" const").unwrap_or(name).trim_end()
}
