//! The checks of one file's entries, made when it is loaded.

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use crate::error::Problem;
use crate::lock::{Guard, Lock, LockCall, LockDoes};
use crate::owner::{Deleter, Owner};
use crate::schema::{Condition, FunctionModel, ModelFile};
use crate::slot::Slot;

/// More arguments than this no modelled function has; a larger position is a slip.
const MAX_ARGUMENTS: usize = 32;

/// What an entry may refer to.
pub(crate) trait Known {
    /// A resource kind of this name exists.
    fn kind(&self, kind: &str) -> bool;
    /// A constant of this name exists.
    fn constant(&self, name: &str) -> bool;
    /// A function of this name yields a pseudo-handle.
    fn pseudo(&self, function: &str) -> bool;
}

/// A problem with one entry of a file.
pub(crate) struct Fault {
    /// The section, `functions`.
    pub(crate) section: &'static str,
    /// The entry's number in the section.
    pub(crate) index: usize,
    /// The entry in words: `function CreateEventW`.
    pub(crate) entry: String,
    /// What is wrong.
    pub(crate) problem: Problem,
}

/// Runs a check over the entries of a section.
fn each<'a, T>(
    section: &'static str,
    entries: &'a [T],
    name: impl Fn(&'a T) -> Option<&'a str>,
    mut check: impl FnMut(&'a T) -> Result<(), Problem>,
) -> Result<(), Fault> {
    for (index, entry) in entries.iter().enumerate() {
        check(entry).map_err(|problem| Fault {
            section,
            index,
            entry: format!(
                "{} {}",
                section.trim_end_matches('s'),
                name(entry).unwrap_or("(no name)")
            ),
            problem,
        })?;
    }
    Ok(())
}

fn first(names: &[String]) -> Option<&str> {
    names.first().map(String::as_str)
}

/// Checks every entry of a file; the first problem is returned.
pub(crate) fn check(models: &ModelFile, known: &impl Known) -> Result<(), Fault> {
    let mut seen = FxHashSet::default();
    each(
        "resources",
        &models.resources,
        |r| Some(r.kind.as_str()),
        |r| {
            if !is_kind(&r.kind) {
                return Err(Problem::Name(r.kind.as_str().into()));
            }
            if !seen.insert(r.kind.as_str()) {
                return Err(Problem::Twice(r.kind.as_str().into()));
            }
            for kind in &r.counts_as {
                known_kind(kind, known)?;
            }
            page(&r.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "functions",
        &models.functions,
        |f| first(&f.names),
        |f| {
            names(&f.names, &mut seen)?;
            function(f, known)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "owners",
        &models.owners,
        |o| first(&o.names),
        |o| {
            names(&o.names, &mut seen)?;
            owner(o, known)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "locks",
        &models.locks,
        |l| first(&l.names).or(first(&l.made_by)),
        |l| {
            if l.names.is_empty() && l.made_by.is_empty() {
                return Err(Problem::NamelessLock);
            }
            distinct(&l.names, &mut seen)?;
            lock(l, known)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "guards",
        &models.guards,
        |g| first(&g.names),
        |g| {
            names(&g.names, &mut seen)?;
            guard(g)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "conditions",
        &models.conditions,
        |c| first(&c.names),
        |c| {
            names(&c.names, &mut seen)?;
            page(&c.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "buffers",
        &models.buffers,
        |b| first(&b.names),
        |b| {
            names(&b.names, &mut seen)?;
            page(&b.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "streams",
        &models.streams,
        |s| first(&s.names),
        |s| {
            names(&s.names, &mut seen)?;
            page(&s.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "structures",
        &models.structures,
        |s| first(&s.names),
        |s| {
            names(&s.names, &mut seen)?;
            names(&s.uses, &mut FxHashSet::default())?;
            page(&s.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "statuses",
        &models.statuses,
        |s| first(&s.names),
        |s| {
            names(&s.names, &mut seen)?;
            page(&s.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "writers",
        &models.writers,
        |w| first(&w.names),
        |w| {
            names(&w.names, &mut seen)?;
            names(&w.sends, &mut FxHashSet::default())?;
            page(&w.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "readiness",
        &models.readiness,
        |r| first(&r.names),
        |r| {
            names(&r.names, &mut seen)?;
            names(&r.registers, &mut FxHashSet::default())?;
            page(&r.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "threads",
        &models.threads,
        |t| first(&t.names),
        |t| {
            names(&t.names, &mut seen)?;
            distinct(&t.joined_by, &mut FxHashSet::default())?;
            page(&t.page)
        },
    )?;

    let mut seen = FxHashSet::default();
    each(
        "types",
        &models.types,
        |t| first(&t.names),
        |t| names(&t.names, &mut seen),
    )?;

    let mut seen = FxHashSet::default();
    each(
        "constants",
        &models.constants,
        |c| Some(c.name.as_str()),
        |c| names(std::slice::from_ref(&c.name), &mut seen),
    )
}

fn names<'a>(names: &'a [String], seen: &mut FxHashSet<&'a str>) -> Result<(), Problem> {
    if names.is_empty() {
        return Err(Problem::Name(SmolStr::default()));
    }
    distinct(names, seen)
}

fn distinct<'a>(names: &'a [String], seen: &mut FxHashSet<&'a str>) -> Result<(), Problem> {
    for name in names {
        qualified(name)?;
        if !seen.insert(name) {
            return Err(Problem::Twice(name.into()));
        }
    }
    Ok(())
}

fn qualified(name: &str) -> Result<(), Problem> {
    if name.split("::").all(is_identifier) {
        Ok(())
    } else {
        Err(Problem::Name(name.into()))
    }
}

fn is_identifier(s: &str) -> bool {
    s.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && s.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

fn is_kind(s: &str) -> bool {
    !s.is_empty() && s.chars().all(|c| c == '-' || c.is_ascii_alphanumeric())
}

fn page(page: &str) -> Result<(), Problem> {
    let host = page
        .strip_prefix("https://")
        .and_then(|rest| rest.split('/').next());
    match host {
        Some(h) if h.contains('.') && !page.contains(char::is_whitespace) => Ok(()),
        _ => Err(Problem::Page(page.into())),
    }
}

fn known_kind(kind: &str, known: &impl Known) -> Result<(), Problem> {
    if known.kind(kind) {
        Ok(())
    } else {
        Err(Problem::UnknownKind(kind.into()))
    }
}

fn constant(name: &str, known: &impl Known) -> Result<(), Problem> {
    if name.parse::<i64>().is_ok() || known.constant(name) {
        Ok(())
    } else {
        Err(Problem::UnknownConstant(name.into()))
    }
}

fn argument(field: &'static str, arg: usize) -> Result<(), Problem> {
    if arg < MAX_ARGUMENTS {
        Ok(())
    } else {
        Err(Problem::Argument { field, arg })
    }
}

fn arguments(field: &'static str, args: &[usize]) -> Result<(), Problem> {
    for (i, &arg) in args.iter().enumerate() {
        argument(field, arg)?;
        if args[..i].contains(&arg) {
            return Err(Problem::ArgumentTwice { field, arg });
        }
    }
    Ok(())
}

fn condition(when: Option<&Condition>, known: &impl Known) -> Result<(), Problem> {
    let Some(c) = when else { return Ok(()) };
    argument("when", c.arg)?;
    let tests = [
        c.flag.is_some(),
        c.no_flag.is_some(),
        c.null.is_some(),
        c.equals.is_some(),
    ];
    if tests.iter().filter(|t| **t).count() != 1 {
        return Err(Problem::Condition);
    }
    for flag in c.flag.iter().chain(&c.no_flag) {
        constant(flag, known)?;
    }
    match c.equals.as_deref().map(|e| (e, e.strip_suffix("()"))) {
        None => Ok(()),
        Some((_, Some(call))) if known.pseudo(call) => Ok(()),
        Some((_, Some(call))) => Err(Problem::UnknownPseudo(call.into())),
        Some((name, None)) => constant(name, known),
    }
}

fn owner(o: &Owner, known: &impl Known) -> Result<(), Problem> {
    page(&o.page)?;
    if let Some(kind) = &o.kind {
        known_kind(kind, known)?;
    }
    arguments("takes", &o.takes)?;
    if let Some(Deleter::Template(arg) | Deleter::Arg(arg)) = o.deleter {
        argument("deleter", arg)?;
    }
    if let Some(traits) = &o.traits {
        argument("traits", traits.template)?;
        for name in [&traits.empty, &traits.release] {
            if !is_member(name) {
                return Err(Problem::Member(name.as_str().into()));
            }
        }
    }
    o.made_by.iter().try_for_each(|n| qualified(n))?;
    let mut seen = FxHashSet::default();
    for name in o.members.roles().into_iter().flat_map(|(_, names)| names) {
        if !is_member(name) {
            return Err(Problem::Member(name.into()));
        }
        if !seen.insert(name) {
            return Err(Problem::TwoRoles(name.into()));
        }
    }
    Ok(())
}

/// A member function's name: an identifier, or an operator as C++ writes it.
fn is_member(name: &str) -> bool {
    match name.strip_prefix("operator") {
        Some("&" | "*" | "->" | "!" | "=" | "()" | " bool") => true,
        _ => is_identifier(name),
    }
}

fn lock(l: &Lock, known: &impl Known) -> Result<(), Problem> {
    page(&l.page)?;
    l.made_by.iter().try_for_each(|n| qualified(n))?;
    for call in l.calls.iter().chain(&l.methods) {
        lock_call(call, known)?;
    }
    Ok(())
}

fn lock_call(call: &LockCall, known: &impl Known) -> Result<(), Problem> {
    let mut seen = FxHashSet::default();
    names(&call.names, &mut seen)?;
    argument("arg", call.arg)?;
    condition(call.when.as_ref(), known)?;
    match (call.does, call.names.first()) {
        (LockDoes::TryLock, Some(name)) if call.success.is_none() => {
            Err(Problem::SilentAttempt(name.into()))
        }
        _ => Ok(()),
    }
}

fn guard(g: &Guard) -> Result<(), Problem> {
    page(&g.page)?;
    arguments("locks", &g.locks)?;
    let tags = g.defer.iter().chain(&g.adopt).chain(&g.attempt);
    tags.chain(&g.made_by).try_for_each(|n| qualified(n))?;
    let members = [&g.lock, &g.unlock, &g.try_lock, &g.release, &g.is_held];
    let mut seen = FxHashSet::default();
    for name in members.into_iter().flatten() {
        if !is_member(name) {
            return Err(Problem::Member(name.into()));
        }
        if !seen.insert(name) {
            return Err(Problem::TwoRoles(name.into()));
        }
    }
    Ok(())
}

/// What it does to overlapped operations.
fn overlapped(f: &FunctionModel, known: &impl Known) -> Result<(), Problem> {
    if let Some(start) = &f.starts_io {
        argument("starts_io.overlapped", start.overlapped)?;
        argument("starts_io.handle", start.handle)?;
        arguments("starts_io.buffers", &start.buffers)?;
    }
    if let Some(cancel) = &f.cancels {
        argument("cancels.handle", cancel.handle)?;
        if let Some(arg) = cancel.overlapped {
            argument("cancels.overlapped", arg)?;
        }
        if let Some(name) = &cancel.nothing {
            constant(name, known)?;
        }
    }
    if let Some(completes) = &f.completes {
        argument("completes.overlapped", completes.overlapped)?;
        for (field, arg) in [
            ("completes.handle", completes.handle),
            ("completes.count", completes.count),
        ] {
            if let Some(arg) = arg {
                argument(field, arg)?;
            }
        }
        condition(completes.waits_when.as_ref(), known)?;
        if let Some(name) = &completes.incomplete {
            constant(name, known)?;
        }
    }
    if let Some(packet) = f.packet {
        argument("packet", packet)?;
    }
    if let Some(w) = &f.waits {
        let fields = [
            ("waits.handle", w.handle),
            ("waits.array", w.array),
            ("waits.all", w.all),
            ("waits.timeout", w.timeout),
            ("waits.alertable", w.alertable),
            ("waits.count", w.count),
        ];
        for (field, arg) in fields {
            if let Some(arg) = arg {
                argument(field, arg)?;
            }
        }
    }
    if let Some(tells) = f.waits.as_ref().and_then(|w| w.tells.as_ref()) {
        for name in [&tells.forever, &tells.late, &tells.failed] {
            constant(name, known)?;
        }
    }
    if let Some(arg) = f.after_wait {
        argument("after_wait", arg)?;
    }
    if let Some(mode) = &f.pipe_mode {
        argument("pipe_mode.flags", mode.flags)?;
        if let Some(arg) = mode.of {
            argument("pipe_mode.of", arg)?;
        }
    }
    if let Some(name) = f.io.as_ref().and_then(|io| io.more.as_ref()) {
        constant(name, known)?;
    }
    if let Some(arg) = f.resets {
        argument("resets", arg)?;
    }
    if let Some(arg) = f.wakes_within {
        argument("wakes_within", arg)?;
    }
    if let Some(arg) = f.signals {
        argument("signals", arg)?;
    }
    Ok(())
}

/// What it does to callbacks.
fn callbacks(f: &FunctionModel, known: &impl Known) -> Result<(), Problem> {
    if let Some(registers) = &f.registers {
        argument("registers.callback", registers.callback)?;
        argument("registers.context", registers.context)?;
        if let Some(arg) = registers.grouped_unless_null {
            argument("registers.grouped_unless_null", arg)?;
        }
    }
    if let Some(arms) = &f.arms {
        argument("arms.object", arms.object)?;
        if let Some(arg) = arms.unless_null {
            argument("arms.unless_null", arg)?;
        }
    }
    if let Some(awaits) = &f.awaits_callbacks {
        argument("awaits_callbacks.object", awaits.object)?;
        condition(awaits.when.as_ref(), known)?;
    }
    if let Some(closes) = &f.closes_callbacks {
        argument("closes_callbacks.object", closes.object)?;
        condition(closes.when.as_ref(), known)?;
    }
    Ok(())
}

fn function(f: &FunctionModel, known: &impl Known) -> Result<(), Problem> {
    page(&f.page)?;
    arguments("needs", &f.needs)?;
    arguments("takes", &f.takes)?;
    arguments("escapes", &f.escapes)?;
    arguments("fills", &f.fills)?;
    if let Some(arg) = f.returns_arg {
        argument("returns_arg", arg)?;
    }

    for a in &f.acquires {
        known_kind(&a.kind, known)?;
        condition(a.when.as_ref(), known)?;
        match a.at.argument() {
            None if a.failure.is_none() => return Err(Problem::NoFailure),
            None => {}
            Some(arg) => {
                argument("acquires", arg)?;
                if a.failure.is_some() {
                    return Err(Problem::FailureOfOut);
                }
                if f.success.is_none() {
                    return Err(Problem::NoSuccess);
                }
            }
        }
        if let Slot::Field(_, name) = &a.at {
            qualified(name)?;
        }
    }
    for r in &f.releases {
        for kind in std::iter::once(&r.kind).chain(&r.also) {
            known_kind(kind, known)?;
        }
        argument("releases", r.arg)?;
        condition(r.when.as_ref(), known)?;
        if r.when.is_none() && f.takes.contains(&r.arg) {
            return Err(Problem::Contradiction(
                "releasing and taking over one argument",
            ));
        }
    }
    for when in &f.noreturn_when {
        condition(Some(when), known)?;
    }
    if let Some(check) = &f.check {
        argument("check", check.arg)?;
    }
    if let Some(io) = &f.io {
        argument("io.handle", io.handle)?;
        for (field, arg) in [
            ("io.buffer", io.buffer),
            ("io.length", io.length),
            ("io.count", io.count),
            ("io.overlapped", io.overlapped),
        ] {
            if let Some(arg) = arg {
                argument(field, arg)?;
            }
        }
        for name in io.good_errors.iter().chain(&io.pending) {
            constant(name, known)?;
        }
    }
    overlapped(f, known)?;
    callbacks(f, known)?;
    let judged = f.io.is_some() || f.sets || f.starts_io.is_some() || f.cancels.is_some();
    if (judged || f.completes.is_some()) && f.success.is_none() {
        return Err(Problem::NoSuccess);
    }

    let result_acquired = f.acquires.iter().any(|a| a.at == Slot::Result);
    if f.noreturn && !f.noreturn_when.is_empty() {
        return Err(Problem::Contradiction("`noreturn` and `noreturn_when`"));
    }
    if f.noreturn && (!f.acquires.is_empty() || f.logs || f.check.is_some()) {
        return Err(Problem::Contradiction(
            "`noreturn` and acquiring, logging or checking",
        ));
    }
    if f.pseudo.is_some() && result_acquired {
        return Err(Problem::Contradiction("`pseudo` and an acquired result"));
    }
    if f.returns_arg.is_some() && (result_acquired || f.success.is_some()) {
        return Err(Problem::Contradiction(
            "`returns_arg` and another meaning of the result",
        ));
    }
    if f.success.is_some() && result_acquired {
        return Err(Problem::Contradiction("`success` and an acquired result"));
    }
    Ok(())
}
