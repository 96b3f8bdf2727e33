//! A model's facts in words.

use std::fmt::Write;

use pipelint_models::{
    Acquire, Check, Condition, Copies, Deleter, FunctionModel, Good, Guard, Holds, Io, IoKind,
    Lock, LockCall, LockDoes, LockMode, Models, OnFail, Owner, Release, Role, Sentinel, Slot,
    Success,
};

/// What a function does, in half a line: "creates a handle (NULL on failure; CloseHandle)".
pub(crate) fn function_in_brief(models: &Models, f: &FunctionModel) -> String {
    let mut parts: Vec<String> = Vec::new();
    for a in &f.acquires {
        let noun = noun(models, &a.kind);
        let failure = match (a.failure, f.success) {
            (Some(value), _) => format!("{} on failure; ", sentinel(value)),
            (None, Some(success)) => format!("{}; ", success_word(success)),
            (None, None) => String::new(),
        };
        let part = format!(
            "creates {} ({failure}{})",
            article(noun),
            release_of(models, &a.kind)
        );
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    for r in &f.releases {
        let part = format!("releases {}", article(noun(models, &r.kind)));
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if !f.takes.is_empty() {
        parts.push("takes an argument over".into());
    }
    if let Some(pseudo) = &f.pseudo {
        parts.push(format!("yields {}", pseudo.noun));
    }
    if let Some(io) = &f.io {
        parts.push(io_word(io.does).into());
    }
    if let Some(check) = &f.check {
        parts.push(format!(
            "checks its argument and {} otherwise",
            on_fail(check.on_fail)
        ));
    }
    if f.noreturn {
        parts.push("does not return".into());
    }
    if f.returns_arg.is_some() {
        parts.push("yields its argument".into());
    }
    if f.logs {
        parts.push("writes a message".into());
    }
    if parts.is_empty() {
        parts.push(match f.success {
            Some(success) => format!("uses its arguments ({})", success_word(success)),
            None => "uses its arguments".into(),
        });
    }
    parts.join(", ")
}

/// All of a function's facts.
pub(crate) fn function(models: &Models, name: &str, f: &FunctionModel) -> String {
    let mut text = Page::new(name, "function", &f.names);
    for a in &f.acquires {
        text.line(&acquire(models, a));
    }
    for r in &f.releases {
        text.line(&release(models, r));
    }
    if let Some(success) = f.success {
        text.line(&format!("result: {}", success_word(success)));
    }
    if let Some(pseudo) = &f.pseudo {
        text.line(&format!("result: {}, not to be closed", pseudo.noun));
    }
    if let Some(arg) = f.returns_arg {
        text.line(&format!("result: the value of argument {arg}"));
    }
    if let Some(c) = &f.check {
        text.line(&check(c));
    }
    if let Some(i) = &f.io {
        text.line(&io(i));
    }
    for (args, does) in [
        (&f.needs, "must be live or set"),
        (&f.takes, "is taken over on success"),
        (&f.escapes, "is kept beyond the call"),
        (&f.fills, "points to what the call writes"),
    ] {
        if let Some(args) = arguments(args) {
            text.line(&format!("{args} {does}"));
        }
    }
    if f.noreturn {
        text.line("never returns");
    }
    for when in &f.noreturn_when {
        text.line(&format!("never returns{}", condition(Some(when))));
    }
    if f.lowers_count {
        text.line("lowers a count: where the result is 0, the last owner is at work");
    }
    if f.sets {
        text.line("changes what later steps build on");
    }
    if f.logs {
        text.line("writes a message and judges nothing");
    }
    if f.common {
        text.line("is too common a name to be meant in another scope");
    }
    text.line("uses its arguments otherwise, and keeps none");
    text.end(&f.page)
}

/// What a type owns, in half a line.
pub(crate) fn owner_in_brief(models: &Models, o: &Owner) -> String {
    match (o.holds(), &o.kind) {
        (Holds::Action, _) => "runs an action when it ends".into(),
        (Holds::Object, _) => "owns an object".into(),
        (Holds::Resource, Some(kind)) => {
            format!(
                "owns {} ({})",
                article(noun(models, kind)),
                release_of(models, kind)
            )
        }
        (Holds::Resource, None) => "owns a resource".into(),
    }
}

/// All of an owner's facts.
pub(crate) fn owner(models: &Models, name: &str, o: &Owner) -> String {
    let mut text = Page::new(name, "owner", &o.names);
    text.line(&owner_in_brief(models, o));
    if let Some((first, more)) = o.empty.split_first() {
        let mut line = format!("is empty as {}", sentinel(*first));
        for value in more {
            let _ = write!(line, " or {}", sentinel(*value));
        }
        text.line(&line);
    }
    if let Some(args) = arguments(&o.takes) {
        text.line(&format!("{args} of the constructor is taken over"));
    }
    match o.deleter {
        Some(Deleter::Template(n)) => {
            text.line(&format!("template argument {n} is what releases it"));
        }
        Some(Deleter::Arg(n)) => {
            text.line(&format!(
                "argument {n} of the constructor is what releases it"
            ));
        }
        None => {}
    }
    text.line(match o.copies() {
        Copies::Never => "cannot be copied",
        Copies::Share => "copies share what it holds",
        Copies::Transfer => "a copy takes what it holds and leaves it empty",
        Copies::Duplicate => "a copy holds a resource of its own",
    });
    text.line(if o.moves() {
        "a move leaves it empty"
    } else {
        "cannot be moved"
    });
    if o.converts() {
        text.line("stands for its raw value");
    }
    for (role, members) in o.members.roles() {
        if !members.is_empty() {
            text.line(&format!("{}: {}", members.join(", "), role_word(role)));
        }
    }
    if !o.made_by.is_empty() {
        text.line(&format!("made by {}", o.made_by.join(", ")));
    }
    text.end(&o.page)
}

/// What a lock is, in half a line.
pub(crate) fn lock_in_brief(l: &Lock) -> String {
    let shared = l
        .calls
        .iter()
        .chain(&l.methods)
        .any(|c| c.mode == LockMode::Shared);
    let mut brief = String::from(if shared { "reader-writer lock" } else { "lock" });
    if l.recursive {
        brief.push_str(", recursive");
    }
    brief
}

/// All of a lock's facts.
pub(crate) fn lock(name: &str, l: &Lock) -> String {
    let mut text = Page::new(name, "lock", &l.names);
    text.line(if l.recursive {
        "the thread that holds it may take it again"
    } else {
        "the thread that holds it must not take it again"
    });
    for call in &l.calls {
        let argument = format!(" (argument {})", call.arg);
        text.line(&lock_call(call, &argument));
    }
    for call in &l.methods {
        text.line(&lock_call(call, ""));
    }
    text.end(&l.page)
}

/// What a guard does, in half a line.
pub(crate) fn guard_in_brief(g: &Guard) -> String {
    match g.mode {
        LockMode::Exclusive => "holds a lock as long as it lives".into(),
        LockMode::Shared => "holds a lock, shared, as long as it lives".into(),
    }
}

/// All of a guard's facts.
pub(crate) fn guard(name: &str, g: &Guard) -> String {
    let mut text = Page::new(name, "guard", &g.names);
    text.line(&guard_in_brief(g));
    if g.all {
        text.line("all arguments of the constructor are locks");
    } else if let Some(args) = arguments(&g.locks) {
        text.line(&format!("{args} of the constructor is the lock"));
    }
    if g.held_over_await {
        text.line("made to be held where a task waits");
    }
    if g.deferred {
        text.line("the constructor does not take the lock");
    }
    for (names, does) in [
        (&g.defer, "the constructor does not take the lock"),
        (&g.adopt, "the lock is held already"),
        (&g.attempt, "the lock is taken only if it is free"),
        (&g.lock, "takes the lock again"),
        (&g.try_lock, "takes the lock if it is free"),
        (&g.unlock, "gives the lock back"),
        (&g.release, "lets go of the lock, which stays held"),
        (&g.is_held, "tells whether the lock is held"),
    ] {
        if !names.is_empty() {
            text.line(&format!("{}: {does}", names.join(", ")));
        }
    }
    if !g.made_by.is_empty() {
        text.line(&format!("made by {}", g.made_by.join(", ")));
    }
    text.end(&g.page)
}

/// One entry as text: its name, its facts, its page.
struct Page(String);

impl Page {
    fn new(name: &str, what: &str, names: &[String]) -> Self {
        let mut text = format!("{name} ({what})\n");
        if names.len() > 1 {
            let _ = writeln!(text, "  also: {}", others(name, names));
        }
        Self(text)
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.0, "  {line}");
    }

    fn end(mut self, page: &str) -> String {
        let _ = writeln!(self.0, "  page: {page}");
        self.0
    }
}

fn others(name: &str, names: &[String]) -> String {
    let others: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|n| *n != name)
        .collect();
    others.join(", ")
}

fn noun<'a>(models: &'a Models, kind: &'a str) -> &'a str {
    models.resource(kind).map_or(kind, |r| r.noun.as_str())
}

fn release_of<'a>(models: &'a Models, kind: &'a str) -> &'a str {
    models.resource(kind).map_or("", |r| r.release.as_str())
}

/// The noun with its article. An abbreviation is spelled out when it is read.
fn article(noun: &str) -> String {
    let abbreviation = noun.starts_with(|c: char| c.is_ascii_uppercase());
    let vowel = noun.starts_with(if abbreviation {
        ['A', 'E', 'F', 'H', 'I', 'L', 'M', 'N', 'O', 'R', 'S', 'X'].as_slice()
    } else {
        ['a', 'e', 'i', 'o', 'u'].as_slice()
    });
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

fn sentinel(value: Sentinel) -> &'static str {
    match value {
        Sentinel::Null => "NULL",
        Sentinel::InvalidHandle => "INVALID_HANDLE_VALUE",
        Sentinel::InvalidSocket => "INVALID_SOCKET",
        Sentinel::MinusOne => "-1",
    }
}

fn success_word(success: Success) -> &'static str {
    match success {
        Success::Nonzero => "nonzero on success",
        Success::Zero => "zero on success",
        Success::Nonnegative => "not negative on success",
        Success::ZeroOrMinusOne => "zero on success, -1 on failure",
        Success::ZeroOrNegative => "zero on success, negative on failure",
        Success::NotMinusOne => "-1 on failure",
    }
}

fn arguments(args: &[usize]) -> Option<String> {
    let all: Vec<String> = args.iter().map(usize::to_string).collect();
    match all.as_slice() {
        [] => None,
        [one] => Some(format!("argument {one}")),
        [first @ .., last] => Some(format!(
            "each of the arguments {} and {last}",
            first.join(", ")
        )),
    }
}

fn condition(when: Option<&Condition>) -> String {
    let Some(c) = when else {
        return String::new();
    };
    let arg = c.arg;
    if let Some(flag) = &c.flag {
        format!(", if argument {arg} has {flag}")
    } else if let Some(flag) = &c.no_flag {
        format!(", unless argument {arg} has {flag}")
    } else if let Some(null) = c.null {
        let not = if null { "" } else { "not " };
        format!(", if argument {arg} is {not}NULL")
    } else if let Some(value) = &c.equals {
        format!(", if argument {arg} is {value}")
    } else {
        String::new()
    }
}

fn acquire(models: &Models, a: &Acquire) -> String {
    let at = match &a.at {
        Slot::Result => "result".to_owned(),
        Slot::Out(arg) => format!("where argument {arg} points"),
        Slot::Field(arg, field) => format!("`{field}` of what argument {arg} points to"),
        Slot::Element(arg, i) => format!("element {i} of argument {arg}"),
    };
    let mut line = format!("{at}: {}", article(noun(models, &a.kind)));
    if let Some(failure) = a.failure {
        let _ = write!(line, ", {} on failure", sentinel(failure));
    }
    line.push_str(&condition(a.when.as_ref()));
    let _ = write!(line, "; released by {}", release_of(models, &a.kind));
    if a.infallible {
        line.push_str("; practically cannot fail");
    }
    line
}

fn release(models: &Models, r: &Release) -> String {
    let mut line = format!(
        "releases argument {}, {}",
        r.arg,
        article(noun(models, &r.kind))
    );
    for kind in &r.also {
        let _ = write!(line, " or {}", noun(models, kind));
    }
    if r.by_pointer {
        line.push_str(", which is given by pointer and reset");
    }
    line.push_str(&condition(r.when.as_ref()));
    if r.null_ok {
        line.push_str("; NULL is harmless");
    }
    if r.even_on_failure {
        line.push_str("; even when the call fails");
    }
    line
}

fn io_word(does: IoKind) -> &'static str {
    match does {
        IoKind::Read => "reads",
        IoKind::Write => "writes",
        IoKind::Transact => "writes and reads",
        IoKind::Connect => "waits for a peer",
        IoKind::Control => "changes a mode",
        IoKind::Flush => "flushes",
        IoKind::Disconnect => "disconnects",
    }
}

fn io(io: &Io) -> String {
    let mut line = format!("{}: handle in argument {}", io_word(io.does), io.handle);
    for (what, arg) in [
        ("buffer", io.buffer),
        ("length", io.length),
        ("transferred count", io.count),
        ("OVERLAPPED", io.overlapped),
    ] {
        if let Some(arg) = arg {
            let _ = write!(line, ", {what} in {arg}");
        }
    }
    if let Some(pending) = &io.pending {
        let _ = write!(line, "; {pending} means under way");
    }
    if !io.good_errors.is_empty() {
        let _ = write!(line, "; {} is no failure", io.good_errors.join(", "));
    }
    line
}

fn on_fail(does: OnFail) -> &'static str {
    match does {
        OnFail::Aborts => "ends the process",
        OnFail::Throws => "throws",
        OnFail::Returns => "returns from the function that uses it",
        OnFail::Continues => "goes on",
    }
}

fn check(c: &Check) -> String {
    let good = match c.good {
        Good::Nonzero => "not zero",
        Good::Zero => "zero",
        Good::Nonnegative => "not negative",
        Good::ValidHandle => "neither NULL nor INVALID_HANDLE_VALUE",
        Good::NotInvalid => "not INVALID_HANDLE_VALUE",
    };
    format!(
        "checks that argument {} is {good}, and {} otherwise",
        c.arg,
        on_fail(c.on_fail)
    )
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Get => "yields the raw value, which stays its own",
        Role::Release => "gives the raw value up; it is empty then",
        Role::Reset => "releases what it holds and takes over the argument",
        Role::Attach => "takes over the argument and releases nothing",
        Role::Close => "releases what it holds; it is empty then",
        Role::Open => "holds a new resource of its own making",
        Role::Put => "releases what it holds and yields the address for the next",
        Role::Address => "yields the address of what it holds",
        Role::Swap => "exchanges with another",
        Role::IsValid => "tells whether it holds something",
        Role::IsEmpty => "tells whether it is empty",
        Role::Run => "runs the action now; it is empty then",
        Role::Cancel => "drops the action; it is empty then",
    }
}

fn lock_call(call: &LockCall, argument: &str) -> String {
    let does = match call.does {
        LockDoes::Lock => "takes it",
        LockDoes::TryLock => "takes it if it is free",
        LockDoes::Unlock => "gives it back",
        LockDoes::Wait => "gives it back while it waits for a signal",
        LockDoes::Make => "makes it",
    };
    let mode = match call.mode {
        LockMode::Exclusive => "",
        LockMode::Shared => ", shared",
    };
    let mut line = format!("{}{argument}: {does}{mode}", call.names.join(", "));
    line.push_str(&condition(call.when.as_ref()));
    if let Some(success) = call.success {
        let _ = write!(line, "; {}", success_word(success));
    }
    line
}
