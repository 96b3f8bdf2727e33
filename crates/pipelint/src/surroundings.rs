//! What a file is given by others before it is lowered: the headers that it includes, and the
//! macros that they define.

use std::path::{Path, PathBuf};

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::cpp::expand::{Certainty, Definition, Scope};
use pipelint_frontend::cpp::prepare::{Directives, directives};
use pipelint_ir::{Include, Language, Name};
use pipelint_models::Prefilter;
use pipelint_source::FileId;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::builds::Build;
use crate::includes::Files;
use crate::pipeline::{File, Options, language};

/// Files taken in because linted ones include them.
const CONTEXT_FILES: usize = 500;
/// How deep includes are followed out of the given files.
const CONTEXT_DEPTH: u32 = 4;

/// The includes and macros of a run.
pub(crate) struct Surroundings<'a> {
    options: &'a Options,
    names: Files,
    /// By file; none of one that was not looked at.
    directives: Vec<Option<Directives>>,
    /// What each file includes, as far as it was looked at.
    includes: Vec<Option<Vec<usize>>>,
    /// How far each file lies outside of the given ones.
    depths: Vec<u32>,
    /// Where each macro is defined: the file, the place among its macros.
    macros: FxHashMap<Name, Vec<(usize, usize)>>,
    /// Real paths of all files, once a header is looked for by its place in the file system.
    real: Option<FxHashMap<PathBuf, usize>>,
    /// How a build compiles each file, as far as one tells.
    builds: Vec<Option<&'a Build>>,
    /// What includes mean in the folders of a build.
    in_folder: FxHashMap<(&'a Path, Name), Option<PathBuf>>,
    taken_in: usize,
}

impl<'a> Surroundings<'a> {
    /// Reads the macros of all files that define any with parameters.
    pub(crate) fn new(files: &[File], options: &'a Options) -> Self {
        let mut names = Files::default();
        for file in files {
            names.add(&file.path);
        }
        let mut new = Self {
            options,
            names,
            directives: Vec::new(),
            includes: Vec::new(),
            depths: Vec::new(),
            macros: FxHashMap::default(),
            real: None,
            builds: Vec::new(),
            in_folder: FxHashMap::default(),
            taken_in: 0,
        };
        new.make_room(files, 0);
        let all: Vec<usize> = (0..files.len()).collect();
        new.read(files, &all, |file| {
            language(&file.path) != Language::Rust && defines_with_parameters(&file.text)
        });
        new
    }

    fn make_room(&mut self, files: &[File], depth: u32) {
        let options = self.options;
        let new = files.iter().skip(self.builds.len());
        self.builds
            .extend(new.map(|file| options.builds.of(&file.path)));
        self.directives.resize_with(files.len(), || None);
        self.includes.resize_with(files.len(), || None);
        self.depths.resize(files.len(), depth);
    }

    /// How a build compiles a file, as far as one tells.
    pub(crate) fn build(&self, file: usize) -> Option<&'a Build> {
        self.builds.get(file).copied().flatten()
    }

    /// What `#if` sees as defined in a file.
    pub(crate) fn preprocessor(&self, file: usize) -> &CppConfig {
        self.build(file)
            .map_or(&self.options.preprocessor, |build| &build.preprocessor)
    }

    /// Reads the directives of those files, in parallel, that were not read yet.
    fn read(&mut self, files: &[File], which: &[usize], wanted: impl Fn(&File) -> bool + Sync) {
        let read: Vec<(usize, Directives)> = which
            .par_iter()
            .filter(|&&i| self.directives[i].is_none() && wanted(&files[i]))
            .map(|&i| {
                let file = &files[i];
                let id = FileId(u32::try_from(i).unwrap_or(u32::MAX));
                let language = language(&file.path);
                let defined = self.preprocessor(i);
                (i, directives(id, &file.text, language, defined))
            })
            .collect();
        for (i, directives) in read {
            for (at, definition) in directives.macros.iter().enumerate() {
                let name = definition.name().clone();
                self.macros.entry(name).or_default().push((i, at));
            }
            self.directives[i] = Some(directives);
        }
    }

    /// Files that name no modelled function, as those in `wanted` do, but a macro whose body does.
    pub(crate) fn through_macros(
        &self,
        files: &[File],
        prefilter: &Prefilter,
        wanted: &[usize],
    ) -> Vec<usize> {
        let definitions = || {
            let read = self.directives.iter().flatten();
            read.flat_map(|directives| &directives.macros)
                .filter(|definition| definition.expands())
        };
        let mut named: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        let mut todo: Vec<&str> = Vec::new();
        for definition in definitions() {
            if prefilter.matches(definition.body().as_bytes()) {
                todo.push(definition.name());
            }
            for name in definition.names() {
                if self.macros.contains_key(name) {
                    named.entry(name).or_default().push(definition.name());
                }
            }
        }
        let mut relevant: FxHashSet<&str> = FxHashSet::default();
        while let Some(name) = todo.pop() {
            if relevant.insert(name) {
                todo.extend(named.get(name).into_iter().flatten());
            }
        }
        if relevant.is_empty() {
            return Vec::new();
        }
        let uses = Prefilter::new(relevant.into_iter());
        let files = files.par_iter().enumerate();
        files
            .filter(|(i, file)| {
                wanted.binary_search(i).is_err() && uses.matches(file.text.as_bytes())
            })
            .map(|(i, _)| i)
            .collect()
    }

    /// Follows the includes of these files. Headers that were not given are read from the file
    /// system, where the options ask for it, and added to `files`.
    pub(crate) fn follow(&mut self, files: &mut Vec<File>, from: &[usize]) {
        let mut now = from.to_vec();
        while !now.is_empty() {
            now.retain(|&i| self.includes[i].is_none());
            now.retain(|&i| language(&files[i].path) != Language::Rust);
            self.read(files, &now, |_| true);
            let at_once: Vec<Option<Vec<usize>>> =
                now.par_iter().map(|&i| self.included_here(i)).collect();
            let taken_in = self.taken_in;
            let mut next = Vec::new();
            for (i, found) in std::mem::take(&mut now).into_iter().zip(at_once) {
                // A file that was taken in since may be what an include means.
                let found = found.filter(|_| self.taken_in == taken_in);
                let found = found.unwrap_or_else(|| self.included(files, i));
                next.extend(found.iter().copied());
                self.includes[i] = Some(found);
            }
            next.sort_unstable();
            next.dedup();
            now = next;
        }
    }

    /// The files that a file includes, directly or not, as far as they were looked at.
    pub(crate) fn all_included(&self, file: usize) -> Vec<usize> {
        let mut seen: Vec<usize> = Vec::new();
        let mut known: FxHashSet<usize> = FxHashSet::default();
        let mut todo = vec![file];
        while let Some(at) = todo.pop() {
            let includes = self.includes.get(at).and_then(Option::as_ref);
            for &next in includes.into_iter().flatten() {
                if known.insert(next) {
                    seen.push(next);
                    todo.push(next);
                }
            }
        }
        seen
    }

    /// The same, in order.
    pub(crate) fn seen_by(&self, file: FileId) -> Vec<FileId> {
        let mut seen = self.all_included(file.0 as usize);
        seen.sort_unstable();
        let ids = seen.into_iter().filter_map(|i| u32::try_from(i).ok());
        ids.map(FileId).collect()
    }

    /// The files that a file includes, if the files of the run tell it of all of them.
    fn included_here(&self, from: usize) -> Option<Vec<usize>> {
        if self.build(from).is_some() {
            return None;
        }
        let directives = self.directives[from].as_ref()?;
        let found = directives.includes.iter().map(|include| {
            let named = self.names.beside(from, include);
            let named = named.or_else(|| self.names.alike(from, include));
            // Where the file system is not looked at, such an include leads nowhere.
            let nowhere = !include.quoted || !self.options.follow_includes;
            named.map(Some).or_else(|| nowhere.then_some(None))
        });
        let found: Option<Vec<Option<usize>>> = found.collect();
        Some(found?.into_iter().flatten().collect())
    }

    /// The files that a file includes.
    fn included(&mut self, files: &mut Vec<File>, from: usize) -> Vec<usize> {
        let directives = self.directives[from].take();
        let mut found = Vec::new();
        for include in directives
            .iter()
            .flat_map(|directives| &directives.includes)
        {
            let beside = self.names.beside(from, include);
            let named = beside.or_else(|| self.in_folders(files, from, include));
            if let Some(file) = named.or_else(|| self.names.alike(from, include)) {
                found.push(file);
            } else if include.quoted
                && self.options.follow_includes
                && self.depths[from] < CONTEXT_DEPTH
                && self.taken_in < CONTEXT_FILES
            {
                let folder = files[from].path.parent().unwrap_or(Path::new(""));
                let path = folder.join(include.path.replace('\\', "/"));
                found.extend(self.take_in(files, path, self.depths[from] + 1));
            }
        }
        self.directives[from] = directives;
        found
    }

    /// The file that an include means in the folders that the build has for it: one of the run,
    /// or one that is taken in.
    fn in_folders(
        &mut self,
        files: &mut Vec<File>,
        from: usize,
        include: &Include,
    ) -> Option<usize> {
        let build = self.build(from)?;
        let path = build.folders(include.quoted).find_map(|folder| {
            let at = (folder.as_path(), include.path.clone());
            let found = self.in_folder.entry(at).or_insert_with(|| {
                let path = folder.join(include.path.replace('\\', "/"));
                path.is_file().then_some(path)
            });
            found.clone()
        })?;
        let depth = self.depths[from];
        if let Some(known) = real(&path).and_then(|full| self.known(files, &full)) {
            return Some(known);
        }
        let more =
            self.options.follow_includes && depth < CONTEXT_DEPTH && self.taken_in < CONTEXT_FILES;
        more.then(|| self.take_in(files, path, depth + 1)).flatten()
    }

    /// The file of the run at this real path.
    fn known(&mut self, files: &[File], full: &Path) -> Option<usize> {
        let all = || {
            let files = files.iter().enumerate();
            files
                .filter_map(|(i, file)| Some((real(&file.path)?, i)))
                .collect()
        };
        self.real.get_or_insert_with(all).get(full).copied()
    }

    /// Reads a header that was not given.
    fn take_in(&mut self, files: &mut Vec<File>, path: PathBuf, depth: u32) -> Option<usize> {
        let full = real(&path).filter(|full| full.is_file())?;
        if self.known(files, &full).is_some() {
            return None;
        }
        // A header that cannot be read explains nothing; nobody asked for it.
        let decoded = pipelint_source::read(&path).ok()?;
        self.taken_in += 1;
        if let Some(known) = &mut self.real {
            known.insert(full, files.len());
        }
        self.names.add(&path);
        files.push(File {
            path,
            text: decoded.text,
            linted: false,
            parsed: false,
        });
        self.make_room(files, depth);
        Some(files.len() - 1)
    }

    /// The macros that a file is given by those that it includes.
    pub(crate) fn scope(&self, file: usize) -> FileScope<'_, 'a> {
        let mut visible = FxHashSet::default();
        let mut todo = vec![file];
        while let Some(i) = todo.pop() {
            for &next in self.includes[i].iter().flatten() {
                if visible.insert(next) {
                    todo.push(next);
                }
            }
        }
        // What a file defines itself, it defines where it does.
        visible.remove(&file);
        FileScope {
            all: self,
            file,
            visible,
        }
    }

    fn definition(&self, at: (usize, usize)) -> Option<&Definition> {
        self.directives.get(at.0)?.as_ref()?.macros.get(at.1)
    }
}

/// The macros that one file sees.
pub(crate) struct FileScope<'s, 'a> {
    all: &'s Surroundings<'a>,
    file: usize,
    visible: FxHashSet<usize>,
}

impl Scope for FileScope<'_, '_> {
    fn find(&self, name: &str) -> Option<(&Definition, Certainty)> {
        let places = self.all.macros.get(name)?;
        // That a thread has ended is told by the name, whatever it takes on this system.
        if self.all.options.models.joins_threads(name) {
            return None;
        }
        let included = places.iter().filter(|at| self.visible.contains(&at.0));
        if let Some(found) = self.one(included) {
            return found.map(|definition| (definition, Certainty::Included));
        }
        // An include that leads nowhere may have led there. What a source file defines is its own,
        // and a name of the system's is rather the system's.
        if self.all.options.models.function(name).is_some() {
            return None;
        }
        let others = places.iter().filter(|at| at.0 != self.file);
        let found = self.one(others)??;
        let header = places.iter().all(|at| self.all.names.is_header(at.0));
        header.then_some((found, Certainty::OnlyOne))
    }
}

impl FileScope<'_, '_> {
    /// The one definition at all of these places. The outer is none without a place, the inner
    /// where two differ: then nothing decides.
    fn one<'p>(
        &self,
        places: impl Iterator<Item = &'p (usize, usize)>,
    ) -> Option<Option<&Definition>> {
        let mut found: Option<&Definition> = None;
        for &at in places {
            let this = self.all.definition(at)?;
            match found {
                Some(first) if !first.is_same(this) => return Some(None),
                _ => found = Some(found.unwrap_or(this)),
            }
        }
        found.map(Some)
    }
}

fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// A `#define` with parameters stands in the text, if only in a comment.
fn defines_with_parameters(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank = |b: &&u8| matches!(**b, b' ' | b'\t');
    memchr::memmem::find_iter(bytes, "define").any(|at| {
        let before = bytes[..at].iter().rev().find(|b| !blank(b));
        let after = &bytes[at + "define".len()..];
        let spaces = after.iter().take_while(blank).count();
        let name = after[spaces..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count();
        before == Some(&b'#') && spaces > 0 && name > 0 && after.get(spaces + name) == Some(&b'(')
    })
}
