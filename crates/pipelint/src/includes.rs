//! Which file an include means among those of the run, without a build's include path.

use std::path::{Component, Path};

use pipelint_ir::Include;
use rustc_hash::FxHashMap;

/// The files of a run by what an include may call them.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The components of each file's path, in lower case: includes are written for a file system
    /// that does not tell case apart.
    paths: Vec<Vec<String>>,
    /// By the whole path.
    whole: FxHashMap<String, usize>,
    /// By the last component.
    last: FxHashMap<String, Vec<usize>>,
}

impl Files {
    /// Adds the next file.
    pub(crate) fn add(&mut self, path: &Path) {
        let index = self.paths.len();
        let parts = components(&path.to_string_lossy());
        self.whole.entry(parts.join("/")).or_insert(index);
        if let Some(last) = parts.last() {
            self.last.entry(last.clone()).or_default().push(index);
        }
        self.paths.push(parts);
    }

    /// A file that others include.
    pub(crate) fn is_header(&self, index: usize) -> bool {
        let name = self.paths.get(index).and_then(|parts| parts.last());
        let ending = name.and_then(|name| name.rsplit_once('.'));
        !ending.is_some_and(|(_, ending)| matches!(ending, "c" | "cc" | "cpp" | "cxx" | "c++"))
    }

    /// The file beside the file `from` that `#include "…"` means.
    pub(crate) fn beside(&self, from: usize, include: &Include) -> Option<usize> {
        if !include.quoted {
            return None;
        }
        let folder = self.folder(from)?.join("/");
        let beside = components(&format!("{folder}/{}", include.path)).join("/");
        self.whole.get(&beside).copied()
    }

    fn folder(&self, file: usize) -> Option<&[String]> {
        let own = self.paths.get(file)?;
        own.get(..own.len().saturating_sub(1))
    }

    /// The file that `include` in the file `from` may mean where no folder of includes is known:
    /// the one whose path ends as the include is written. Of several, the one that has most
    /// folders in common with `from`; of those, the first.
    pub(crate) fn alike(&self, from: usize, include: &Include) -> Option<usize> {
        let folder = self.folder(from)?;
        let written = components(&include.path);
        let last = self.last.get(written.last()?)?;
        let up = written.iter().take_while(|part| *part == "..").count();
        let written = written.get(up..).unwrap_or_default();
        let common = |index: usize| {
            let theirs = self.paths[index].iter();
            theirs.zip(folder).take_while(|(a, b)| a == b).count()
        };
        last.iter()
            .copied()
            .filter(|&index| self.paths[index].ends_with(written))
            .min_by_key(|&index| (std::cmp::Reverse(common(index)), index))
    }
}

/// A path's components in lower case, `.` left out and `..` resolved where it can be.
fn components(path: &str) -> Vec<String> {
    let slashes = path.replace('\\', "/").to_lowercase();
    let mut out: Vec<String> = Vec::new();
    for component in Path::new(&slashes).components() {
        match component {
            Component::Normal(part) => out.push(part.to_string_lossy().into_owned()),
            Component::ParentDir => match out.last() {
                Some(last) if last != ".." => {
                    out.pop();
                }
                _ => out.push("..".to_owned()),
            },
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    out
}
