//! Threads of control: which functions may run at the same time.
//!
//! A root is a place that has code run beside the code that asks for it, and what that code reaches by calls
//! that are surely made. One more root, the callers, is all that others begin: `main`, what other files can
//! call, and objects that end. A function that somebody out of sight may call besides, by its address, is on
//! a thread that nobody knows: no root has it on that account.

use std::collections::VecDeque;
use std::sync::OnceLock;

use pipelint_ir::{Callee, Const, FunctionKind, Name, Operand, Statement};
use pipelint_models::{FunctionModel, RunsOn};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::contexts::place_of;
use crate::program::{FnRef, Program, Target, last};
use crate::scoped_threads::ends_within;
use crate::started::reaches;
use crate::summaries::Order;
use crate::thread_calls::{Calls, Shared};
use crate::thread_starts::{How, ThreadStart, last_name, thread_starts};

/// A root, by its place among all; the callers are the first.
pub(crate) type RootId = usize;

/// The root that the callers are.
pub(crate) const CALLERS: RootId = 0;

/// A thread of control.
#[derive(Debug)]
pub(crate) struct Root {
    /// None for the callers.
    pub(crate) start: Option<ThreadStart>,
}

impl Root {
    /// What makes it run: `CreateThread`; empty for the callers.
    pub(crate) fn api(&self) -> Name {
        let start = self.start.as_ref();
        start.map(|s| s.how.api.clone()).unwrap_or_default()
    }

    /// The place that makes it run.
    pub(crate) fn at(&self) -> Option<Span> {
        self.start.as_ref().map(|s| s.span)
    }

    pub(crate) fn on(&self) -> Option<RunsOn> {
        self.start.as_ref().map(|s| s.how.on)
    }

    /// One start may have it run several times at once.
    fn overlaps(&self) -> bool {
        self.start.as_ref().is_some_and(|s| s.how.overlaps)
    }
}

/// How the callers come to run a function while some thread runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// They are seen to do so: the destructor of an object that the thread works on, or what starts the
    /// thread or waits for its end, leads there.
    Seen,
    /// It is, or is called by, what other files can call at any time.
    Offered,
}

/// Which functions run on which threads of control.
pub(crate) struct Threads<'a, 'm> {
    program: &'a Program<'m>,
    all: &'a [FnRef],
    pub(crate) calls: Calls,
    roots: Vec<Root>,
    /// Per function: the roots that have it.
    of: Vec<Vec<RootId>>,
    /// Per root but the callers: what its functions share with others.
    shared: Vec<FxHashMap<usize, Shared>>,
    /// What the callers begin with.
    entries: Vec<usize>,
    /// Per function: where it waits for the end of something.
    joins: Vec<Vec<Join>>,
    /// Per root: when callers know that it runs.
    lives: Vec<OnceLock<Life>>,
    /// Per root: what the callers may run beside it, whatever is held.
    besides: Vec<OnceLock<FxHashMap<usize, Beside>>>,
}

impl<'a, 'm> Threads<'a, 'm> {
    /// None for a program that has nothing run beside its callers.
    pub(crate) fn new(program: &'a Program<'m>, all: &'a [FnRef], order: &Order) -> Option<Self> {
        let starts = thread_starts(program, all);
        if starts.is_empty() {
            return None;
        }
        let calls = Calls::new(program, all, order, &starts);
        let mut started = vec![false; all.len()];
        for start in &starts {
            started[program.number(start.entry)] = true;
        }
        let entries = (0..all.len())
            .filter(|&f| {
                let function = program.function(all[f]);
                let called = calls.into[f]
                    .iter()
                    .any(|&c| order.rings[c] != order.rings[f]);
                let out_of_sight = calls.taken[f] && function.kind != FunctionKind::Destructor;
                !called && !started[f] && !out_of_sight && function.kind != FunctionKind::Lambda
            })
            .collect();
        let mut roots = vec![Root { start: None }];
        roots.extend(starts.into_iter().map(|start| Root { start: Some(start) }));
        let names = roots.iter().filter_map(|root| root.start.as_ref());
        let names = names.flat_map(|start| &start.how.joined_by);
        let names: FxHashSet<Name> = names.map(|name| Name::new(last(name))).collect();
        let mut lives = Vec::new();
        lives.resize_with(roots.len(), OnceLock::new);
        let mut besides = Vec::new();
        besides.resize_with(roots.len(), OnceLock::new);
        let mut threads = Self {
            joins: all.par_iter().map(|&f| joins(program, &names, f)).collect(),
            lives,
            besides,
            program,
            all,
            calls,
            of: vec![Vec::new(); all.len()],
            shared: vec![FxHashMap::default()],
            roots,
            entries,
        };
        // Who starts a thread or waits for its end is another one, whatever calls it.
        let others = threads.roots.iter().filter_map(|root| root.start.as_ref());
        let starters = others.clone().filter_map(|start| start.by);
        let mut begin: Vec<usize> = starters.map(|(by, _)| program.number(by)).collect();
        begin.extend((0..all.len()).filter(|&f| {
            let joins = &threads.joins[f];
            !joins.is_empty()
                && others
                    .clone()
                    .any(|start| joins.iter().any(|join| join.surely_ends(start)))
        }));
        begin.extend(&threads.entries);
        for f in threads.reach(begin, &|_| true) {
            threads.of[f].push(CALLERS);
        }
        for id in 1..threads.roots.len() {
            let shared = threads.follow(id);
            for &f in shared.keys() {
                threads.of[f].push(id);
            }
            threads.shared.push(shared);
        }
        Some(threads)
    }

    /// What each root begins with.
    pub(crate) fn beginnings(&self) -> Vec<(usize, RootId)> {
        let offered = (0..self.all.len()).filter(|f| self.is_for_others(*f));
        let callers = self.entries.iter().copied().chain(offered);
        let callers = callers.map(|f| (f, CALLERS));
        let starts = self.roots.iter().enumerate();
        let starts = starts.filter_map(|(id, root)| {
            let start = root.start.as_ref()?;
            Some((self.program.number(start.entry), id))
        });
        callers.chain(starts).collect()
    }

    /// All that is started.
    pub(crate) fn starts(&self) -> impl Iterator<Item = (RootId, &ThreadStart)> {
        let roots = self.roots.iter().enumerate();
        roots.filter_map(|(id, root)| Some((id, root.start.as_ref()?)))
    }

    pub(crate) fn root(&self, id: RootId) -> &Root {
        &self.roots[id]
    }

    /// The roots that have a function.
    pub(crate) fn of(&self, f: FnRef) -> &[RootId] {
        &self.of[self.program.number(f)]
    }

    /// What a root's function shares with others: the object it runs on, what its parameters point to.
    pub(crate) fn shared(&self, root: RootId, f: FnRef) -> Option<&Shared> {
        self.shared.get(root)?.get(&self.program.number(f))
    }

    /// Two roots on which two functions may run at the same time, on one object as far as is known.
    #[cfg(test)]
    pub(crate) fn in_parallel(&self, f: FnRef, g: FnRef) -> Option<(&Root, &Root)> {
        for &a in self.of(f) {
            for &b in self.of(g) {
                if self.at_once((a, f), (b, g)) {
                    return Some((&self.roots[a], &self.roots[b]));
                }
            }
        }
        None
    }

    /// Two functions may run at the same time, each on one of its roots.
    pub(crate) fn at_once(&self, (a, f): (RootId, FnRef), (b, g): (RootId, FnRef)) -> bool {
        let beside = |thread: RootId, g: FnRef| {
            let known = self.besides[thread].get_or_init(|| self.beside(thread, &|_| true));
            known.contains_key(&self.program.number(g))
        };
        match (a, b) {
            (CALLERS, CALLERS) => false,
            (CALLERS, _) => beside(b, f),
            (_, CALLERS) => beside(a, g),
            _ => a != b || self.roots[a].overlaps(),
        }
    }

    /// All that some functions lead to through functions that are wanted, themselves included.
    pub(crate) fn reach(&self, from: Vec<usize>, wanted: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let mut seen = vec![false; self.all.len()];
        let mut todo = from;
        let mut found = Vec::new();
        while let Some(f) = todo.pop() {
            if !wanted(f) || std::mem::replace(&mut seen[f], true) {
                continue;
            }
            found.push(f);
            todo.extend(self.calls.out[f].iter().map(|edge| edge.to));
        }
        found
    }

    /// What a root leads to through functions that are wanted.
    pub(crate) fn reach_of(&self, root: RootId, wanted: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let entry = self.roots[root].start.as_ref();
        let entry = entry.map(|s| self.program.number(s.entry));
        self.reach(entry.into_iter().collect(), wanted)
    }

    /// What a root leads to, and what of it is shared.
    fn follow(&self, root: RootId) -> FxHashMap<usize, Shared> {
        let mut known: FxHashMap<usize, Shared> = FxHashMap::default();
        let Some(start) = &self.roots[root].start else {
            return known;
        };
        let entry = self.program.number(start.entry);
        known.insert(entry, Shared::all(self.program.function(start.entry)));
        let mut todo = VecDeque::from([entry]);
        while let Some(f) = todo.pop_front() {
            let Some(shared) = known.get(&f).cloned() else {
                continue;
            };
            let function = self.program.function(self.all[f]);
            let locals = shared.locals(function);
            for edge in &self.calls.out[f] {
                let callee = self.program.function(self.all[edge.to]);
                let handed = match shared.is_nothing() {
                    true => Shared::default(),
                    false => shared.handed(function, &locals, edge.at, callee),
                };
                let new = !known.contains_key(&edge.to);
                if known.entry(edge.to).or_default().join(&handed) || new {
                    todo.push_back(edge.to);
                }
            }
        }
        known
    }

    /// The functions that the callers may run while a thread runs, through functions that are wanted.
    pub(crate) fn beside(
        &self,
        thread: RootId,
        wanted: &dyn Fn(usize) -> bool,
    ) -> FxHashMap<usize, Beside> {
        let mut found: FxHashMap<usize, Beside> = FxHashMap::default();
        let Some((life, start)) = self.life(thread) else {
            return found;
        };
        // The classes of the objects that it works on.
        let classes: FxHashSet<&Name> = self.shared[thread]
            .iter()
            .filter(|(_, shared)| shared.this)
            .filter_map(|(f, _)| self.program.function(self.all[*f]).class.as_ref())
            .chain(self.program.function(start.entry).class.as_ref())
            .collect();
        let mut entries: Vec<(usize, Beside)> = Vec::new();
        for &f in self.entries.iter().filter(|_| !life.scoped) {
            let function = self.program.function(self.all[f]);
            let class = function.class.as_ref();
            let ends = function.kind == FunctionKind::Destructor
                && class.is_some_and(|class| classes.contains(class));
            let seen = ends || life.starters[f] || life.others[f];
            if seen {
                entries.push((f, Beside::Seen));
            } else if self.is_offered(self.all[f]) {
                entries.push((f, Beside::Offered));
            }
        }
        // Who waits for the thread's end is not that thread, whatever calls it.
        let waits = (0..self.all.len()).filter(|f| life.others[*f] && !life.scoped);
        let starts = start.by.map(|(by, _)| self.program.number(by));
        entries.extend(waits.chain(starts).map(|f| (f, Beside::Seen)));
        entries.sort_by_key(|(f, how)| (*how != Beside::Seen, *f));
        for (entry, how) in entries {
            let mut todo = vec![entry];
            while let Some(f) = todo.pop() {
                if !wanted(f) || found.contains_key(&f) || life.is_before(self, f) {
                    continue;
                }
                found.insert(f, how);
                let edges = self.calls.out[f].iter();
                let open = edges
                    .filter(|edge| life.starters[edge.to] || life.runs(self, start, f, edge.at));
                todo.extend(open.map(|edge| edge.to));
            }
        }
        found
    }

    /// A statement of a function that the callers run may run while a thread runs.
    pub(crate) fn runs_beside(&self, thread: RootId, f: usize, at: (usize, usize)) -> bool {
        let known = self.life(thread);
        known.is_some_and(|(life, start)| life.runs(self, start, f, at))
    }

    /// Some function waits for the end of what is started.
    pub(crate) fn is_awaited(&self, thread: RootId) -> bool {
        let known = self.life(thread);
        known.is_some_and(|(life, _)| life.own.iter().any(|waits| *waits))
    }

    /// When callers know that a root runs.
    fn life(&self, root: RootId) -> Option<(&Life, &ThreadStart)> {
        let start = self.roots[root].start.as_ref()?;
        let life = self.lives[root].get_or_init(|| Life::new(self, start));
        Some((life, start))
    }

    /// A method that a class offers beside others that it keeps to itself, and that some root has.
    fn is_for_others(&self, f: usize) -> bool {
        let at = self.all[f];
        let function = self.program.function(at);
        let class = function.class.as_ref();
        let class = class.and_then(|class| self.program.class(at.0, class));
        function.kind == FunctionKind::Method
            && !self.of[f].is_empty()
            && class.is_some_and(|class| class.methods.iter().any(|m| m.is_private))
            && self.is_offered(at)
            && !crate::words::has_word(
                last(&function.name),
                &["locked", "unlocked", "nolock", "unsafe", "internal", "impl"],
            )
    }

    /// Other files can call it when they like: its class offers it, or it is no file's own.
    pub(crate) fn is_offered(&self, f: FnRef) -> bool {
        let function = self.program.function(f);
        let name = last(&function.name);
        // What somebody is told of is run by whoever tells.
        let told = ["on", "On", "handle", "Handle", "_on"].iter().any(|word| {
            let rest = name.strip_prefix(word);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
        });
        let called = ["callback", "_cb", "handler", "Callback", "Handler", "event"];
        // What begins the program has begun before the thread, and is known to start it or is not.
        let begins = matches!(name, "main" | "wmain" | "WinMain" | "wWinMain" | "_tmain");
        if begins || told || called.iter().any(|word| name.contains(word)) {
            return false;
        }
        match function.kind {
            FunctionKind::Method | FunctionKind::StaticMethod => {
                let class = function.class.as_ref();
                let class = class.and_then(|class| self.program.class(f.0, class));
                let mut declared = class.iter().flat_map(|class| &class.methods);
                declared.any(|m| m.name == function.name && !m.is_private && !m.is_virtual)
            }
            FunctionKind::Free => !function.internal && !function.private,
            _ => false,
        }
    }
}

/// A statement that waits until something has ended.
#[derive(Debug)]
struct Join {
    at: (usize, usize),
    /// The function's or method's name.
    name: Name,
    /// A wait of the system's for handles: the name of what keeps the one, none for an array of them.
    handle: Option<Option<Name>>,
}

impl Join {
    /// Nothing else waits like that: who does is another thread.
    fn surely_ends(&self, start: &ThreadStart) -> bool {
        self.ends(start)
            && match &self.handle {
                Some(handle) => handle.is_some(),
                None => !matches!(&*self.name, "wait" | "get"),
            }
    }

    /// It waits for the thread of this start.
    fn ends(&self, start: &ThreadStart) -> bool {
        let by_name = start.how.joined_by.iter().any(|n| last(n) == self.name);
        let by_handle = match (&self.handle, &start.kept) {
            (Some(Some(handle)), Some(thread)) => handle == thread,
            // Whose the handles of an array are is not asked.
            (Some(None), Some(_)) => true,
            _ => false,
        };
        by_name || by_handle
    }
}

/// The waits of a function for the end of something.
fn joins(program: &Program<'_>, names: &FxHashSet<Name>, f: FnRef) -> Vec<Join> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call { callee, args, .. } = stmt else {
                continue;
            };
            let name = match callee {
                Callee::Function(name) => last(name),
                // Others join texts and paths.
                Callee::Method { name, .. } if args.is_empty() || name != "join" => name,
                _ => continue,
            };
            let waits = match program.target(f.0, function, callee, args.len()) {
                Target::Model(model) => waited_for(model, args),
                _ => None,
            };
            if waits.is_none() && !names.contains(name) {
                continue;
            }
            let handle = waits.map(|handle| {
                let place = args.get(handle?).and_then(place_of)?;
                last_name(function, place)
            });
            found.push(Join {
                at: (b, i),
                name: Name::new(name),
                handle,
            });
        }
    }
    found
}

/// The argument that is waited for: a thread, or an object whose callbacks end; none for an array of them.
fn waited_for(model: &FunctionModel, args: &[Operand]) -> Option<Option<usize>> {
    if let Some(awaits) = &model.awaits_callbacks {
        // `INVALID_HANDLE_VALUE` asks for the wait; without it the callback goes on.
        let asked = awaits.when.as_ref().is_none_or(|_| {
            let nothing =
                |arg: &Operand| matches!(arg, Operand::Const(Const::Null | Const::Int(0)));
            !args.iter().any(nothing)
        });
        return asked.then_some(Some(awaits.object));
    }
    let waits = model.waits.as_ref()?;
    (waits.handle.is_some() || waits.array.is_some()).then_some(waits.handle)
}

/// From where to where callers know that a thread runs.
#[derive(Debug)]
struct Life {
    /// It ends before the function returns that starts it.
    scoped: bool,
    /// Functions that start it, or lead to those.
    starters: Vec<bool>,
    /// Functions that wait for its end.
    own: Vec<bool>,
    /// Functions that surely do, and that it does not run itself.
    others: Vec<bool>,
    /// Those, and what calls them.
    joiners: Vec<bool>,
}

impl Life {
    fn new(threads: &Threads<'_, '_>, start: &ThreadStart) -> Self {
        let mut starters = vec![false; threads.all.len()];
        let scoped = start.by.is_some_and(|(by, at)| {
            let joins = threads.joins[threads.program.number(by)].iter();
            let joins = joins.filter(|join| join.surely_ends(start));
            let joins: Vec<(usize, usize)> = joins.map(|join| join.at).collect();
            ends_within(threads.program.function(by), at, &joins)
        });
        let by = start.by.map(|(by, _)| threads.program.number(by));
        let mut todo: Vec<usize> = by.into_iter().collect();
        while let Some(f) = todo.pop() {
            if !std::mem::replace(&mut starters[f], true) && !scoped {
                todo.extend(&threads.calls.into[f]);
            }
        }
        let joins = threads.joins.iter();
        let own: Vec<bool> = joins
            .map(|joins| joins.iter().any(|join| join.ends(start)))
            .collect();
        let mut joiners = own.clone();
        for f in (0..own.len()).filter(|f| own[*f]) {
            for &caller in &threads.calls.into[f] {
                joiners[caller] = true;
            }
        }
        let own_functions = threads.reach(vec![threads.program.number(start.entry)], &|_| true);
        let mut others: Vec<bool> = threads
            .joins
            .iter()
            .map(|joins| joins.iter().any(|join| join.surely_ends(start)))
            .collect();
        for f in own_functions {
            others[f] = false;
        }
        Self {
            scoped,
            starters,
            own,
            others,
            joiners,
        }
    }

    /// It only runs before the thread is there: what makes an object that starts none.
    fn is_before(&self, threads: &Threads<'_, '_>, f: usize) -> bool {
        let kind = threads.program.function(threads.all[f]).kind;
        let makes = matches!(kind, FunctionKind::Constructor | FunctionKind::FieldInit);
        makes && !self.starters[f]
    }

    /// Whether the callers may run a statement while the thread runs: after its start, where that is here,
    /// and not after a wait for its end.
    fn runs(
        &self,
        threads: &Threads<'_, '_>,
        start: &ThreadStart,
        f: usize,
        at: (usize, usize),
    ) -> bool {
        let function = threads.program.function(threads.all[f]);
        let edges = &threads.calls.out[f];
        if self.starters[f] {
            let own = start.by.filter(|(by, _)| threads.program.number(*by) == f);
            let calls = edges.iter().filter(|edge| self.starters[edge.to]);
            let mut starts = own.map(|(_, at)| at).into_iter().chain(calls.map(|e| e.at));
            if !starts.any(|start| reaches(function, start, at)) {
                return false;
            }
        }
        let own = threads.joins[f].iter().filter(|join| join.ends(start));
        let calls = edges.iter().filter(|edge| self.own[edge.to]);
        let mut joins = own.map(|join| join.at).chain(calls.map(|edge| edge.at));
        !(self.joiners[f] && joins.any(|join| reaches(function, join, at)))
    }
}

/// What has something run beside its caller, in words.
pub(crate) fn words(how: &How) -> String {
    let api = &how.api;
    match how.on {
        RunsOn::Thread => format!("`{api}` runs it on a thread of its own"),
        RunsOn::Pool => format!("`{api}` runs it on a thread of a pool"),
        RunsOn::Console => "the system runs it on a thread of its own".to_owned(),
        RunsOn::Signal => format!("`{api}` lets it interrupt any thread"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MODELS: &str = r#"
        [[functions]]
        names = ["start"]
        page = "https://example.org/start"
        starts = { callback = 0, context = 1 }

        [[threads]]
        names = ["submit"]
        page = "https://example.org/submit"
        on = "pool"
        callback = 0
        overlaps = true
        joined_by = ["join"]
    "#;

    const PROGRAM: &str = "
        unit c

        fn helper() -> void {
        bb0:
          return
        }
        fn shared() -> void {
        bb0:
          return
        }
        fn thread(p: void*) -> void {
        bb0:
          call helper()
          call shared()
          return
        }
        fn work(p: void*) -> void {
        bb0:
          call shared()
          return
        }
        fn early() -> void {
        bb0:
          return
        }
        fn late() -> void {
        bb0:
          return
        }
        fn after() -> void {
        bb0:
          return
        }
        fn main() -> int {
        bb0:
          call early()
          call start(fn thread, null)
          call submit(fn work)
          call late()
          call join()
          call after()
          return 0
        }
    ";

    /// Which of two functions run at the same time.
    fn beside(pairs: &[(&str, &str)]) -> Vec<bool> {
        let models = pipelint_models::Models::from_files([("models", MODELS)]).unwrap();
        let text: Vec<&str> = PROGRAM.lines().map(str::trim).collect();
        let unit = pipelint_ir::parse_unit(&text.join("\n")).unwrap();
        let program = Program::link(vec![unit], &models, &FxHashSet::default());
        let all: Vec<FnRef> = program.all().collect();
        let order = Order::new(&program, &all);
        let threads = Threads::new(&program, &all, &order).unwrap();
        let named = |name: &str| program.functions[name][0];
        let found = pairs.iter();
        found
            .map(|(f, g)| threads.in_parallel(named(f), named(g)).is_some())
            .collect()
    }

    #[test]
    fn threads_run_beside_each_other_and_their_starter() {
        let found = beside(&[
            ("thread", "work"),
            ("helper", "shared"),
            ("shared", "shared"),
            ("late", "helper"),
            ("work", "late"),
        ]);
        assert_eq!(found, [true; 5]);
    }

    #[test]
    fn a_thread_is_not_beside_itself() {
        // Work of the pool may be.
        let found = beside(&[("helper", "helper"), ("thread", "helper"), ("work", "work")]);
        assert_eq!(found, [false, false, true]);
    }

    #[test]
    fn what_comes_before_the_start_or_after_the_end_is_not_beside() {
        let found = beside(&[("early", "helper"), ("after", "work"), ("late", "after")]);
        assert_eq!(found, [false; 3]);
    }
}
