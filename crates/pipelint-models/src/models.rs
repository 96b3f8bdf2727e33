//! The loaded models and how to look things up in them.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use crate::buffer::Buffer;
use crate::check::{self, Fault, Known};
use crate::condition::ConditionVariable;
use crate::error::{ModelError, Problem};
use crate::like;
use crate::lock::{Guard, Lock, LockCall};
use crate::owner::Owner;
use crate::prefilter::Prefilter;
use crate::readiness::Readiness;
use crate::schema::{Acquire, FunctionModel, ModelFile, Release, ResourceKind};
use crate::slot::Slot;
use crate::status::StatusType;
use crate::thread::ThreadMaker;
use crate::transfer::Stream;
use crate::types::{TypeTable, bare_type};
use crate::writer::Writer;

/// All models of a run. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Models(Arc<Tables>);

#[derive(Debug, Clone, Default)]
struct Tables {
    /// Shared by all names of an entry.
    functions: FxHashMap<SmolStr, Arc<FunctionModel>>,
    /// The keys of `functions`, sorted.
    sorted: Vec<SmolStr>,
    resources: FxHashMap<SmolStr, ResourceKind>,
    owners: TypeTable<Owner>,
    /// Owners by the functions that make one.
    owner_makers: FxHashMap<SmolStr, Arc<Owner>>,
    locks: TypeTable<Lock>,
    /// Locks that are handles: no type tells them.
    handle_locks: Vec<Arc<Lock>>,
    /// Which locks a function has to do with, and which of their calls it is.
    lock_calls: FxHashMap<String, Vec<(Arc<Lock>, usize)>>,
    guards: TypeTable<Guard>,
    /// Member functions of locks and guards.
    lock_methods: FxHashSet<String>,
    conditions: TypeTable<ConditionVariable>,
    buffers: TypeTable<Buffer>,
    /// What some of them are asked.
    asks: FxHashSet<SmolStr>,
    streams: TypeTable<Stream>,
    /// Fields that an acquiring call uses which is given the address of what holds them.
    used_fields: Vec<SmolStr>,
    statuses: TypeTable<StatusType>,
    writers: TypeTable<Writer>,
    readiness: TypeTable<Readiness>,
    /// What registers a task.
    registering: BTreeSet<SmolStr>,
    threads: TypeTable<ThreadMaker>,
    /// Whether a value of the type is a handle.
    types: FxHashMap<SmolStr, bool>,
    /// Names that tell of the system's functions where the code is that of a Unix system.
    unix_names: Vec<SmolStr>,
    constants: FxHashMap<SmolStr, i64>,
    /// Built when they are first asked for: that of Windows, and that of Unix.
    prefilters: [OnceLock<Prefilter>; 2],
}

/// A file as it was read.
pub(crate) struct Parsed<'a> {
    name: &'a str,
    text: &'a str,
    pub(crate) file: ModelFile,
}

impl Parsed<'_> {
    fn error(&self, fault: Fault) -> ModelError {
        let entry = match self.line(&fault) {
            Some(line) => format!("{}, line {line}", fault.entry),
            None => fault.entry,
        };
        ModelError::new(self.name, entry, fault.problem)
    }

    /// The line on which an entry begins.
    fn line(&self, fault: &Fault) -> Option<usize> {
        let table = toml::de::DeTable::parse(self.text).ok()?;
        let section = table.get_ref().get(fault.section)?.get_ref().as_array()?;
        let before = self.text.get(..section.get(fault.index)?.span().start)?;
        Some(before.matches('\n').count() + 1)
    }
}

/// What entries may refer to: all that was there, and all that the new files bring.
struct Context<'a> {
    tables: &'a Tables,
    /// Functions of the new files that yield pseudo-handles.
    pseudo: FxHashSet<&'a str>,
}

impl Known for Context<'_> {
    fn kind(&self, kind: &str) -> bool {
        self.tables.resources.contains_key(kind)
    }

    fn constant(&self, name: &str) -> bool {
        self.tables.constants.contains_key(name)
    }

    fn pseudo(&self, function: &str) -> bool {
        self.pseudo.contains(function)
            || self
                .tables
                .functions
                .get(function)
                .is_some_and(|f| f.pseudo.is_some())
    }
}

impl Models {
    /// Loads files, each a name (for messages) and its TOML text. A later file overrides what an
    /// earlier one says of the same name; within one file a name may stand once.
    pub fn from_files<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Models, ModelError> {
        Models::default().with_files(files)
    }

    /// These models with further files laid over them.
    pub fn with_files<'a>(
        self,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Models, ModelError> {
        let mut tables = Arc::unwrap_or_clone(self.0);
        tables.prefilters = Default::default();
        let mut parsed: Vec<Parsed<'_>> = Vec::new();
        for (name, text) in files {
            let file: ModelFile = toml::from_str(text).map_err(|e| syntax(name, text, &e))?;
            parsed.push(Parsed { name, text, file });
        }
        // Kinds and constants first: a function may refer to those of any file.
        for Parsed { file, .. } in &parsed {
            for c in &file.constants {
                tables.constants.insert(c.name.as_str().into(), c.value);
            }
            for r in &file.resources {
                tables.resources.insert(r.kind.as_str().into(), r.clone());
            }
        }
        let pseudo = parsed
            .iter()
            .flat_map(|p| &p.file.functions)
            .filter(|f| f.pseudo.is_some())
            .flat_map(|f| f.names.iter().map(String::as_str))
            .collect();
        let known = Context {
            tables: &tables,
            pseudo,
        };
        for p in &parsed {
            check::check(&p.file, &known).map_err(|fault| p.error(fault))?;
        }
        like::resolve(&mut parsed, &tables.owners)
            .map_err(|(at, fault)| parsed[at].error(fault))?;
        for p in parsed {
            tables.add(p.file);
        }
        tables.sorted = tables.functions.keys().cloned().collect();
        tables.sorted.sort_unstable();
        Ok(Models(Arc::new(tables)))
    }

    /// What a function does, by its name as written, `::`-qualified or not: the full name is tried
    /// first, then its last segment. A `common` name (`open`, `exit`) is found that way only
    /// behind `::` and `std::`, for in another scope it is most likely another function
    /// (`QFile::open`).
    pub fn function(&self, name: &str) -> Option<&FunctionModel> {
        if let Some(f) = self.0.functions.get(name) {
            return Some(f);
        }
        // Most names have one segment.
        let (scope, last) = name.contains(':').then(|| name.rsplit_once("::"))??;
        let f = self.0.functions.get(last)?;
        let global = matches!(scope.strip_prefix("::").unwrap_or(scope), "" | "std");
        (global || !f.common).then_some(&**f)
    }

    /// A kind of resource.
    pub fn resource(&self, kind: &str) -> Option<&ResourceKind> {
        self.0.resources.get(kind)
    }

    /// Whether a release is right for a resource of this kind.
    pub fn fits(&self, release: &Release, kind: &str) -> bool {
        let counts = |kind: &ResourceKind| kind.counts_as.iter().any(|k| release.fits(k));
        release.fits(kind) || self.resource(kind).is_some_and(counts)
    }

    /// A named constant's value.
    pub fn constant(&self, name: &str) -> Option<i64> {
        self.0.constants.get(name).copied()
    }

    /// Names of fields that a call uses which is given the address of the structure that holds them.
    pub fn used_fields(&self) -> &[SmolStr] {
        &self.0.used_fields
    }

    /// Whether a value of this type is a handle that a close may take.
    pub fn is_handle_type(&self, name: &str) -> bool {
        let name = bare_type(name);
        let last = match name.contains(':') {
            true => name.rsplit("::").next().unwrap_or(name),
            false => name,
        };
        self.0.types.get(last).copied().unwrap_or(false)
    }

    /// The owner type of this name, with or without template arguments: its full name, or the end
    /// of that (`Wrappers::Event` for `Microsoft::WRL::Wrappers::Event`). A `common` one is not
    /// found by its last segment alone.
    pub fn owner(&self, type_name: &str) -> Option<&Owner> {
        self.0.owners.get(type_name)
    }

    /// The owner that the result of this function is (`std::make_unique`, `wil::scope_exit`).
    pub fn made_owner(&self, function: &str) -> Option<&Owner> {
        let name = bare_type(function);
        self.0.owner_makers.get(name).map(|o| &**o)
    }

    /// Every owner with one of its names, sorted by name.
    pub fn owners(&self) -> impl Iterator<Item = (&str, &Owner)> {
        self.0.owners.iter()
    }

    /// The lock type of this name, spelled as for [`Models::owner`].
    pub fn lock(&self, type_name: &str) -> Option<&Lock> {
        self.0.locks.get(type_name)
    }

    /// The lock type of exactly this full name, as paths of Rust's are resolved.
    pub fn lock_exactly(&self, full_name: &str) -> Option<&Lock> {
        self.0.locks.exact(full_name)
    }

    /// Every lock type with one of its names, sorted by name.
    pub fn locks(&self) -> impl Iterator<Item = (&str, &Lock)> {
        self.0.locks.iter()
    }

    /// Some lock or guard has a member function of this name.
    pub fn is_lock_method(&self, name: &str) -> bool {
        self.0.lock_methods.contains(name)
    }

    /// What a function does to locks that it is given, with the locks for which it is made.
    pub fn lock_calls(&self, function: &str) -> impl Iterator<Item = (&Lock, &LockCall)> {
        let known = self.0.lock_calls.get(function).into_iter().flatten();
        known.filter_map(|(lock, i)| Some((&**lock, lock.calls.get(*i)?)))
    }

    /// The locks that are handles, made by the functions that they name.
    pub fn handle_locks(&self) -> impl Iterator<Item = &Lock> {
        self.0.handle_locks.iter().map(|l| &**l)
    }

    /// The guard type of this name, spelled as for [`Models::owner`].
    pub fn guard(&self, type_name: &str) -> Option<&Guard> {
        self.0.guards.get(type_name)
    }

    /// Every guard type with one of its names, sorted by name.
    pub fn guards(&self) -> impl Iterator<Item = (&str, &Guard)> {
        self.0.guards.iter()
    }

    /// The class of this name whose derived classes run a method beside their maker's code, spelled as for
    /// [`Models::owner`].
    pub fn thread_class(&self, type_name: &str) -> Option<&ThreadMaker> {
        let found = self.0.threads.get(type_name);
        found.filter(|t| t.method.is_some())
    }

    /// A call of this name returns when a thread has ended.
    pub fn joins_threads(&self, name: &str) -> bool {
        let mut known = self.0.threads.iter();
        known.any(|(_, thread)| thread.joined_by.iter().any(|join| join == name))
    }

    /// Some class has a member function of this name that ends its thread.
    pub fn ends_threads(&self, method: &str) -> bool {
        let mut known = self.0.threads.iter();
        known.any(|(_, thread)| thread.terminate.iter().any(|end| end == method))
    }

    /// Some condition variable has a member function of this name that waits.
    pub fn is_wait(&self, method: &str) -> bool {
        let mut known = self.0.conditions.iter();
        known.any(|(_, condition)| condition.waits.iter().any(|wait| wait == method))
    }

    /// Some condition variable has a member function of this name that waits or wakes.
    pub fn is_of_condition(&self, method: &str) -> bool {
        let mut known = self.0.conditions.iter();
        known.any(|(_, c)| c.waits.iter().chain(&c.wakes).any(|n| n == method))
    }

    /// The condition variable of this name, spelled as for [`Models::owner`].
    pub fn condition(&self, type_name: &str) -> Option<&ConditionVariable> {
        self.0.conditions.get(type_name)
    }

    /// Some type that holds memory has a member function of this name that tells how much.
    pub fn asks_buffer(&self, method: &str) -> bool {
        self.0.asks.contains(method)
    }

    /// The type of this name that holds memory and gives out pointers into it, spelled as for
    /// [`Models::owner`].
    pub fn buffer(&self, type_name: &str) -> Option<&Buffer> {
        self.0.buffers.get(type_name)
    }

    /// The type of this full name whose methods may transfer less than they are given.
    pub fn stream(&self, type_name: &str) -> Option<&Stream> {
        self.0.streams.exact(type_name)
    }

    /// Whether this type carries the code of an error. Its last segment alone means another type.
    pub fn is_status_type(&self, type_name: &str) -> bool {
        self.0.statuses.get(type_name).is_some()
    }

    /// The type of this name whose methods send bytes to a peer. Its last segment alone means another
    /// type.
    pub fn writer(&self, type_name: &str) -> Option<&Writer> {
        self.0.writers.get(type_name)
    }

    /// The type of this name whose methods register a task to be woken.
    pub fn readiness(&self, type_name: &str) -> Option<&Readiness> {
        self.0.readiness.get(type_name)
    }

    /// What runs code beside its caller's by this full name: a function, a type, or a class to derive from.
    pub fn thread_maker(&self, name: &str) -> Option<&ThreadMaker> {
        self.0.threads.exact(name)
    }

    /// The type of this name whose objects run code beside their maker's, spelled as for
    /// [`Models::owner`].
    pub fn thread_type(&self, type_name: &str) -> Option<&ThreadMaker> {
        let found = self.0.threads.get(type_name);
        found.filter(|t| !t.methods && !t.fields && t.method.is_none())
    }

    /// All that runs code beside its caller's, with one of its names, sorted by name.
    pub fn thread_makers(&self) -> impl Iterator<Item = (&str, &ThreadMaker)> {
        self.0.threads.iter()
    }

    /// Every modelled function with one of its names, sorted by name.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &FunctionModel)> {
        self.0
            .sorted
            .iter()
            .filter_map(|n| Some((n.as_str(), &**self.0.functions.get(n)?)))
    }

    /// The filter that says from a file's bytes whether it is worth parsing. Building it takes
    /// some milliseconds: build one for a run and share it.
    pub fn prefilter(&self) -> Prefilter {
        self.prefilter_of(false)
    }

    /// As `prefilter`, where the code of a Unix system is read: files count besides that name its headers.
    pub fn unix_prefilter(&self) -> Prefilter {
        self.prefilter_of(true)
    }

    fn prefilter_of(&self, unix: bool) -> Prefilter {
        self.0.prefilters[usize::from(unix)]
            .get_or_init(|| self.build_prefilter(unix))
            .clone()
    }

    fn build_prefilter(&self, unix: bool) -> Prefilter {
        let functions = self
            .functions()
            .filter(|(_, f)| !f.common && self.decides(f))
            .map(|(name, _)| name.rsplit("::").next().unwrap_or(name));
        let types = self.0.types.keys().map(SmolStr::as_str);
        let headers = self.0.unix_names.iter().filter(|_| unix);
        let registering = self.0.registering.iter();
        let others = headers.chain(registering).map(SmolStr::as_str);
        let concurrent = self.names_of_threads().chain(self.names_of_locks());
        Prefilter::new(functions.chain(types).chain(others).chain(concurrent))
    }

    /// Functions that run what they are given: names of their own, unlike those of types and methods.
    fn names_of_threads(&self) -> impl Iterator<Item = &str> {
        let runs = self.thread_makers();
        let runs =
            runs.filter(|(name, t)| t.callback.is_some() && !t.common && !name.contains(':'));
        runs.map(|(name, _)| name)
    }

    /// What code that locks speaks of: a lock's type, its guards, a condition variable, or a function that is
    /// given one.
    fn names_of_locks(&self) -> impl Iterator<Item = &str> {
        let locks = self.0.locks.iter().filter(|(_, lock)| !lock.common);
        let locks = locks.map(|(name, _)| name);
        let guards = self.0.guards.iter().map(|(name, _)| name);
        let conditions = self.0.conditions.iter().map(|(name, _)| name);
        let types = locks.chain(guards).chain(conditions);
        let types = types.map(|name| name.rsplit("::").next().unwrap_or(name));
        let speaks = |lock: &Lock| !lock.names.is_empty() && !lock.common;
        let calls = self.0.lock_calls.iter();
        let calls = calls.filter(move |(_, of)| of.iter().any(|(lock, _)| speaks(lock)));
        types.chain(calls.map(|(name, _)| name.as_str()))
    }

    /// Whether a call of this function can matter to a rule.
    fn decides(&self, f: &FunctionModel) -> bool {
        let leaks = |kind: &str| self.resource(kind).is_none_or(|r| r.leaks);
        // What a call allocates for its caller is there only if it succeeded.
        let made = |a: &Acquire| a.at != Slot::Result || leaks(&a.kind);
        f.acquires.iter().any(made)
            || f.releases.iter().any(|r| leaks(&r.kind))
            || f.io.is_some()
            || f.pseudo.is_some()
            || f.starts.is_some()
            || f.registers.is_some()
            || f.ends_thread.is_some()
            || f.killable.is_some()
            || !f.takes.is_empty()
            || !f.needs.is_empty()
            || f.wakes
    }
}

impl Tables {
    fn add(&mut self, file: ModelFile) {
        for f in file.functions {
            let f = Arc::new(f);
            for name in &f.names {
                self.functions.insert(name.as_str().into(), Arc::clone(&f));
            }
        }
        for o in file.owners {
            let o = Arc::new(o);
            for name in &o.names {
                self.owners.insert(name, o.common, &o);
            }
            for name in &o.made_by {
                self.owner_makers
                    .insert(name.as_str().into(), Arc::clone(&o));
            }
        }
        for lock in file.locks {
            let lock = Arc::new(lock);
            let methods = lock.methods.iter().flat_map(|call| &call.names);
            self.lock_methods.extend(methods.cloned());
            for known in self.lock_calls.values_mut() {
                // What is said anew of a lock stands alone.
                known.retain(|(l, _)| !l.names.iter().any(|n| lock.names.contains(n)));
            }
            for (i, call) in lock.calls.iter().enumerate() {
                for name in &call.names {
                    let known = self.lock_calls.entry(name.clone()).or_default();
                    known.push((Arc::clone(&lock), i));
                }
            }
            for name in &lock.names {
                self.locks.insert(name, false, &lock);
            }
            if lock.names.is_empty() {
                self.handle_locks
                    .retain(|l| !l.made_by.iter().any(|n| lock.made_by.contains(n)));
                self.handle_locks.push(lock);
            }
        }
        for guard in file.guards {
            let guard = Arc::new(guard);
            let members = [&guard.lock, &guard.unlock, &guard.try_lock, &guard.release];
            self.lock_methods
                .extend(members.into_iter().flatten().cloned());
            for name in &guard.names {
                self.guards.insert(name, guard.common, &guard);
            }
        }
        for condition in file.conditions {
            let condition = Arc::new(condition);
            for name in &condition.names {
                self.conditions.insert(name, false, &condition);
            }
        }
        for buffer in file.buffers {
            self.asks.extend(buffer.asks.iter().map(SmolStr::new));
            let buffer = Arc::new(buffer);
            for name in &buffer.names {
                self.buffers.insert(name, false, &buffer);
            }
        }
        for stream in file.streams {
            let stream = Arc::new(stream);
            for name in &stream.names {
                self.streams.insert(name, true, &stream);
            }
        }
        for field in file.structures.into_iter().flat_map(|s| s.uses) {
            let field = SmolStr::new(field);
            if !self.used_fields.contains(&field) {
                self.used_fields.push(field);
            }
        }
        for status in file.statuses {
            let status = Arc::new(status);
            for name in &status.names {
                self.statuses.insert(name, true, &status);
            }
        }
        for writer in file.writers {
            let writer = Arc::new(writer);
            for name in &writer.names {
                self.writers.insert(name, true, &writer);
            }
        }
        for readiness in file.readiness {
            let readiness = Arc::new(readiness);
            for name in &readiness.names {
                self.readiness.insert(name, true, &readiness);
            }
            let methods = readiness.registers.iter();
            self.registering.extend(methods.map(SmolStr::new));
        }
        for thread in file.threads {
            let thread = Arc::new(thread);
            for name in &thread.names {
                self.threads.insert(name, false, &thread);
            }
        }
        for t in file.types {
            for name in t.names {
                if t.unix {
                    self.unix_names.push(name.into());
                } else {
                    self.types.insert(name.into(), t.handle);
                }
            }
        }
    }
}

fn syntax(name: &str, text: &str, e: &toml::de::Error) -> ModelError {
    let entry = match e.span().and_then(|s| text.get(..s.start)) {
        Some(before) => format!("line {}", before.matches('\n').count() + 1),
        None => "the file".into(),
    };
    ModelError::new(
        name,
        entry,
        Problem::Syntax(e.message().replace('\n', ", ")),
    )
}
