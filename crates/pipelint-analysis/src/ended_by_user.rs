//! What shows that user code may end the object that calls it: code in sight that does, or a class that keeps
//! the slots of its signals from coming back into it, and so knows that they use it while it emits.

use pipelint_ir::{
    Base, Callee, CmpOp, Function, FunctionKind, Name, Operand, PlaceId, Proj, Rvalue, Statement,
    Terminator, Type,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::called::Why;
use crate::callouts::{
    CallOut, CallOutKind, Object, View, is_nothing, last_name, objects, runs, whole,
};
use crate::contexts::place_of;
use crate::dispatch::Dispatch;
use crate::handlers::{Handlers, handlers};
use crate::program::{FnRef, Program, Target, last};

/// Functions behind a handler that are looked at.
const MOST_FUNCTIONS: usize = 64;

/// Types that put a field back at their end (Qt's `QScopedValueRollback`, Chromium's `base::AutoReset`).
pub(crate) const RESTORES: [&str; 2] = ["QScopedValueRollback", "AutoReset"];

/// Owners that end what they hold when they are reset, and that nobody shares.
const OWNERS: [&str; 3] = ["unique_ptr", "QScopedPointer", "scoped_ptr"];

/// What is known of calls of user code: why it may end the object. With a number, it ends what it is given
/// there.
pub(crate) type Worries = FxHashMap<CallOut, Vec<(Why, Option<usize>)>>;

/// What code in sight makes handlers, and what classes say of themselves.
pub(crate) fn worries(program: &Program<'_>) -> Worries {
    let mut found = Worries::default();
    let handlers = handlers(program);
    for handler in &handlers.known {
        if let Some(sender) = &handler.sender
            && let Some(why) = ends_field(program, handler.runs, sender, handler.by)
        {
            found
                .entry(handler.of.clone())
                .or_default()
                .push((why, None));
        }
        let function = program.function(handler.runs);
        for n in 0..function.params as usize {
            if let Some(at) = ends_given(program, handler.runs, n, 0) {
                let by = function.name.clone();
                let why = Why::Ends { by, at };
                found
                    .entry(handler.of.clone())
                    .or_default()
                    .push((why, Some(n)));
            }
        }
    }
    observers(program, &mut found);
    reentered(program, &handlers, &mut found);
    found
}

/// Where a function, or what it calls, ends what a field of this name leads to; it is one of the class that
/// this other function is of.
fn ends_field(program: &Program<'_>, from: FnRef, field: &Name, by: FnRef) -> Option<Why> {
    let class = program.function(by).class.as_ref();
    runs(program, from, MOST_FUNCTIONS)
        .into_iter()
        .find_map(|f| {
            let function = program.function(f);
            if function.kind == FunctionKind::Destructor || function.class.as_ref() != class {
                return None;
            }
            let owns = |place: PlaceId| {
                let steps = &function.places[place].proj;
                last_name(function, place).as_ref() == Some(field)
                    && steps.last() != Some(&Proj::Deref)
                    && program.units.iter().flat_map(|u| &u.classes).any(|c| {
                        let mut fields = c.fields.iter();
                        fields.any(|x| x.name == *field && OWNERS.contains(&last(&x.ty.name)))
                    })
            };
            let ends = |stmt: &Statement| match stmt {
                Statement::Drop {
                    place,
                    kind: pipelint_ir::DropKind::Delete,
                } => last_name(function, *place).as_ref() == Some(field),
                Statement::Call {
                    callee: Callee::Method { receiver, name, .. },
                    args,
                    ..
                } => name == "reset" && args.iter().all(is_nothing) && owns(*receiver),
                Statement::Assign {
                    dst,
                    value: Rvalue::Use(op),
                } => is_nothing(op) && owns(*dst),
                _ => false,
            };
            let by = function.name.clone();
            find(function, ends).map(|at| Why::Ends { by, at })
        })
}

/// Where a function, or one that it hands it to, ends what its parameter leads to.
fn ends_given(program: &Program<'_>, f: FnRef, n: usize, depth: u32) -> Option<Span> {
    let function = program.function(f);
    let mut names: Vec<_> = vec![pipelint_ir::LocalId(u32::try_from(n).ok()?)];
    let stmts = || function.blocks.iter().flat_map(|b| &b.stmts);
    // The parameter under another type: `struct conn *c = context`.
    for stmt in stmts() {
        if let Statement::Assign {
            dst,
            value: Rvalue::Use(op) | Rvalue::Cast(_, op),
        } = stmt
            && let Some(from) = place_of(op).and_then(|p| whole(function, p))
            && names.contains(&from)
            && let Some(to) = whole(function, *dst)
        {
            names.push(to);
        }
    }
    let given = |place: PlaceId| whole(function, place).is_some_and(|l| names.contains(&l));
    let is_given = |op: &Operand| place_of(op).is_some_and(given);
    let ends = |stmt: &Statement| match stmt {
        Statement::Drop {
            place,
            kind: pipelint_ir::DropKind::Delete,
        } => {
            let at = &function.places[*place];
            matches!(&at.base, Base::Local(l) if names.contains(l)) && at.proj == [Proj::Deref]
        }
        Statement::Call { callee, args, .. } => match callee {
            Callee::Function(name) if name == "free" => args.first().is_some_and(is_given),
            Callee::Function(_) if depth < 3 => args.iter().position(is_given).is_some_and(|k| {
                matches!(program.target(f.0, function, callee, args.len()),
                    Target::Defined(g) if g != f && k < program.function(g).params as usize
                        && program.function(g).kind == FunctionKind::Free
                        && ends_given(program, g, k, depth + 1).is_some())
            }),
            _ => false,
        },
        _ => false,
    };
    find(function, ends)
}

fn find(function: &Function, is: impl Fn(&Statement) -> bool) -> Option<Span> {
    let blocks = function.blocks.iter().zip(&function.map.stmts);
    let mut stmts = blocks.flat_map(|(block, spans)| block.stmts.iter().zip(spans));
    stmts.find(|(stmt, _)| is(stmt)).map(|(_, span)| *span)
}

/// Observers in sight that end the object that calls them.
fn observers(program: &Program<'_>, found: &mut Worries) {
    let mut dispatch = None;
    for f in program.all() {
        for object in objects(program.function(f)) {
            let function = program.function(f);
            let calls_method = |s: &Statement| {
                matches!(
                    s,
                    Statement::Call {
                        callee: Callee::Method { .. },
                        ..
                    }
                )
            };
            if !function
                .blocks
                .iter()
                .flat_map(|b| &b.stmts)
                .any(calls_method)
            {
                continue;
            }
            let Some(view) = View::new(program, f, object) else {
                continue;
            };
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let Some(out) = view
                    .call_out(stmt)
                    .filter(|c| c.kind == CallOutKind::Observer)
                else {
                    continue;
                };
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                let given: Vec<usize> = (0..args.len())
                    .filter(|&n| view.is_address(&args[n]))
                    .collect();
                let dispatch = dispatch.get_or_insert_with(|| Dispatch::new(program));
                let mut bodies = dispatch.bodies(program, f, callee, args.len());
                if let Target::Defined(g) = program.target(f.0, function, callee, args.len()) {
                    bodies.push(g);
                }
                for body in bodies {
                    let by = &program.function(body).name;
                    let known = found.entry(out.clone()).or_default();
                    for &n in &given {
                        if let Some(at) = ends_given(program, body, n, 0) {
                            let by = by.clone();
                            known.push((Why::Ends { by, at }, Some(n)));
                        }
                    }
                    // A field of the observer's own that leads to an object of this class.
                    for field in leads_to(program, body, &out.class) {
                        known
                            .extend(ends_field(program, body, &field, body).map(|why| (why, None)));
                    }
                }
            }
        }
    }
    found.retain(|_, why| !why.is_empty());
}

/// The fields of a method's class that lead to objects of a class.
fn leads_to(program: &Program<'_>, method: FnRef, to: &Name) -> Vec<Name> {
    let function = program.function(method);
    let class = function.class.as_ref();
    let Some(class) = class.and_then(|class| program.class(method.0, class)) else {
        return Vec::new();
    };
    let behind = |ty: &Type| {
        let ty = program.resolve(ty);
        if ty.pointers == 1 {
            return Some(ty.name.clone());
        }
        OWNERS
            .contains(&last(&ty.name))
            .then(|| ty.args.first().cloned())?
    };
    let leads = |ty: &Type| behind(ty).is_some_and(|name| last(&name) == last(to));
    let fields = class.fields.iter().filter(|f| leads(&f.ty));
    fields.map(|f| f.name.clone()).collect()
}

/// Classes that keep the slots of a signal from coming back in, by a flag that is set while it is emitted and
/// asked before. Who may be connected is not in sight, or calls on to others.
fn reentered(program: &Program<'_>, handlers: &Handlers, found: &mut Worries) {
    let signals: FxHashSet<&str> = program
        .units
        .iter()
        .flat_map(|u| &u.classes)
        .flat_map(|c| &c.methods)
        .filter(|m| m.is_signal)
        .map(|m| last(&m.name))
        .collect();
    if signals.is_empty() {
        return;
    }
    let mut open: FxHashMap<CallOut, bool> = FxHashMap::default();
    let methods = program.all().filter(|&f| {
        let function = program.function(f);
        let class = function.class.as_ref();
        let class = class.and_then(|class| program.class(f.0, class));
        let emits = |class: &pipelint_ir::Class| {
            let mut classes = program.bases(f.0, class).into_iter().chain([class]);
            classes.any(|c| c.methods.iter().any(|m| m.is_signal))
        };
        function.kind == FunctionKind::Method && class.is_some_and(emits)
    });
    let views = methods.filter_map(|f| View::new(program, f, Object::Own));
    let views: Vec<View<'_, '_>> = views.collect();
    let mut asked = Asked::default();
    views.iter().for_each(|view| note_asked(view, &mut asked));
    for view in &views {
        let Some((flag, at)) = kept_out(view, &asked) else {
            continue;
        };
        for class in &view.classes {
            for method in class.methods.iter().filter(|m| m.is_signal) {
                let of = CallOut {
                    class: class.name.clone(),
                    name: Name::new(last(&method.name)),
                    kind: CallOutKind::Signal,
                };
                let is_open = *open
                    .entry(of.clone())
                    .or_insert_with_key(|of| is_open(program, handlers, of, &signals));
                if is_open {
                    let flag = flag.clone();
                    let why = (Why::Reentered { flag, at }, None);
                    found.entry(of).or_default().push(why);
                }
            }
        }
    }
}

/// The flags of each class that its methods ask for.
type Asked = FxHashMap<Name, FxHashSet<Name>>;

/// Notes the flags that a method asks for.
fn note_asked(view: &View<'_, '_>, asked: &mut Asked) {
    for block in &view.function.blocks {
        if let Terminator::Branch { cond, .. } = &block.term
            && matches!(cond.op, CmpOp::Eq | CmpOp::Ne)
            && let Some(flag) = place_of(&cond.lhs).and_then(|p| view.member(p))
            && let Some((class, _)) = view.field(&flag)
        {
            asked.entry(class.name.clone()).or_default().insert(flag);
        }
    }
}

/// The flag that is set while a signal is emitted.
fn kept_out(view: &View<'_, '_>, asked: &Asked) -> Option<(Name, Span)> {
    let asked = |flag: &Name| {
        let class = view.field(flag).map(|(class, _)| &class.name);
        class.is_some_and(|class| asked.get(class).is_some_and(|flags| flags.contains(flag)))
    };
    let function = view.function;
    for (block, spans) in function.blocks.iter().zip(&function.map.stmts) {
        let mut set: Vec<(Name, &Operand, Option<PlaceId>)> = Vec::new();
        let mut emitted: Vec<(Name, &Operand, Option<PlaceId>, Span)> = Vec::new();
        for (stmt, span) in block.stmts.iter().zip(spans) {
            match stmt {
                Statement::Assign {
                    dst,
                    value: Rvalue::Use(value @ Operand::Const(_)),
                } => {
                    let Some(flag) = view.member(*dst) else {
                        continue;
                    };
                    let back = |(of, was, _, _): &&(Name, &Operand, Option<PlaceId>, Span)| {
                        *of == flag && *was != value
                    };
                    if let Some((_, _, _, at)) = emitted.iter().find(back)
                        && asked(&flag)
                    {
                        return Some((flag, *at));
                    }
                    set.push((flag, value, None));
                }
                Statement::Call {
                    dst: Some(dst),
                    callee: Callee::Constructor(ty),
                    args,
                    ..
                } if RESTORES.contains(&last(&ty.name)) => {
                    let (Some(first), Some(value)) = (args.first(), args.get(1)) else {
                        continue;
                    };
                    let place = match view.def(first) {
                        Some(Rvalue::Ref(place)) => Some(*place),
                        _ => place_of(first),
                    };
                    if let Some(flag) = place.and_then(|place| view.member(place)) {
                        set.push((flag, value, Some(*dst)));
                    }
                }
                Statement::Drop { place, .. } => {
                    let back = |e: &&(Name, &Operand, Option<PlaceId>, Span)| e.2 == Some(*place);
                    if let Some((flag, _, _, at)) = emitted.iter().find(back)
                        && asked(flag)
                    {
                        return Some((flag.clone(), *at));
                    }
                }
                _ if view
                    .call_out(stmt)
                    .is_some_and(|c| c.kind == CallOutKind::Signal) =>
                {
                    emitted.extend(
                        set.iter()
                            .map(|(flag, v, by)| (flag.clone(), *v, *by, *span)),
                    );
                }
                // A flag that is set for something else than the signal says that this goes on.
                Statement::Call { dst: None, .. } => {
                    set.clear();
                    emitted.clear();
                }
                _ => {}
            }
        }
    }
    None
}

/// Code out of sight may be run by a signal.
fn is_open(
    program: &Program<'_>,
    handlers: &Handlers,
    of: &CallOut,
    signals: &FxHashSet<&str>,
) -> bool {
    let mut known = handlers.known.iter().filter(|h| h.of == *of).peekable();
    let key = (of.class.clone(), of.name.clone());
    if handlers.unknown.contains(&key) {
        return true;
    }
    if known.peek().is_none() {
        return !handlers.queued.contains(&key);
    }
    let emits = |f: &FnRef| {
        let function = program.function(*f);
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| match stmt {
            Statement::Call {
                callee: Callee::Function(name) | Callee::Method { name, .. },
                ..
            } => signals.contains(last(name)),
            _ => false,
        })
    };
    known.any(|h| runs(program, h.runs, MOST_FUNCTIONS).iter().any(emits))
}
