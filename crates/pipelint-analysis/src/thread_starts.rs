//! The places that have code run beside the code that asks for it: calls, objects of thread types,
//! handlers, and classes that derive from a thread.

use pipelint_ir::{
    Base, Callee, Const, Function, FunctionKind, Language, Name, Operand, PlaceId, Proj, Rvalue,
    Statement, Type,
};
use pipelint_models::{RunsOn, Serialised, ThreadMaker};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::kept_functions;
use crate::program::{FnRef, Program, Target, last};

/// How deep what is run is followed through copies, binds and wrappers.
const DEEPEST: u32 = 4;

/// A place that has a function run beside its caller.
#[derive(Debug, Clone)]
pub(crate) struct ThreadStart {
    /// What is run.
    pub(crate) entry: FnRef,
    pub(crate) how: How,
    pub(crate) span: Span,
    /// Where the place is; none for a class whose objects run a method.
    pub(crate) by: Option<(FnRef, (usize, usize))>,
    /// The last name of the place that keeps the thread.
    pub(crate) kept: Option<Name>,
    /// What its parameters are given that the starting function knows.
    pub(crate) given: Vec<Given>,
}

/// What a parameter of what is run is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) param: u32,
    /// A place of the starting function: a pointer, or what is pointed to.
    pub(crate) place: PlaceId,
    /// The place's address is given.
    pub(crate) by_address: bool,
}

/// What a place does with what it has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct How {
    /// The call, type or class, as a person writes it.
    pub(crate) api: Name,
    pub(crate) on: RunsOn,
    pub(crate) overlaps: bool,
    /// Calls that return when it has ended.
    pub(crate) joined_by: Vec<Name>,
    /// Calls that the system makes wait for it.
    pub(crate) serialised_by: Option<Serialised>,
}

impl How {
    fn of(api: &str, maker: &ThreadMaker) -> Self {
        Self {
            api: Name::new(api),
            on: maker.on,
            overlaps: maker.overlaps,
            joined_by: maker.joined_by.iter().map(Name::new).collect(),
            serialised_by: maker.serialised_by.clone(),
        }
    }
}

/// What an argument is that is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Function(FnRef),
    /// The function's own parameter, which its callers know.
    Parameter(usize),
}

/// A start in a function, with what is run as it stands there.
struct Site {
    run: Run,
    how: How,
    at: (usize, usize),
    span: Span,
    kept: Option<Name>,
    given: Vec<Given>,
}

/// Functions that have a parameter run.
type Wrappers = FxHashMap<FnRef, Vec<(usize, How)>>;

/// All starts of the program.
pub(crate) fn thread_starts(program: &Program<'_>, all: &[FnRef]) -> Vec<ThreadStart> {
    let mut wrappers = Wrappers::default();
    let mut found = Vec::new();
    for round in 0..DEEPEST {
        let sites: Vec<(FnRef, Vec<Site>)> = all
            .par_iter()
            .filter_map(|&f| {
                let sites = sites(program, f, (round > 0).then_some(&wrappers));
                (!sites.is_empty()).then_some((f, sites))
            })
            .collect();
        let mut next = Wrappers::default();
        let mut begun: FxHashMap<FnRef, How> = FxHashMap::default();
        for (f, sites) in sites {
            for site in sites {
                if let Run::Function(entry) = site.run {
                    begun.entry(entry).or_insert_with(|| site.how.clone());
                }
                match site.run {
                    Run::Function(entry) => found.push(ThreadStart {
                        entry,
                        how: site.how,
                        span: site.span,
                        by: Some((f, site.at)),
                        kept: site.kept,
                        given: site.given,
                    }),
                    Run::Parameter(n) => next.entry(f).or_default().push((n, site.how)),
                }
            }
        }
        let mut begun: Vec<(FnRef, How)> = begun.into_iter().collect();
        begun.sort_by_key(|(f, _)| *f);
        for (entry, how) in begun {
            for (maker, n) in kept_functions::makers(program, all, entry) {
                next.entry(maker).or_default().push((n, how.clone()));
            }
        }
        if next.is_empty() {
            break;
        }
        wrappers = next;
    }
    found.extend(derived(program));
    found
}

/// The methods that objects of classes run which derive from a thread.
fn derived(program: &Program<'_>) -> Vec<ThreadStart> {
    let mut found = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        let Some(class) = function.class.as_ref() else {
            continue;
        };
        let makers = program.models.thread_makers();
        for (name, maker) in makers {
            if maker.method.as_deref() == Some(last(&function.name))
                && derives(program, f.0, class, name, 0)
            {
                found.push(ThreadStart {
                    entry: f,
                    how: How::of(name, maker),
                    span: function.map.name,
                    by: None,
                    kept: None,
                    given: Vec::new(),
                });
            }
        }
    }
    found
}

/// A class derives from one of this name, which may be out of sight.
fn derives(program: &Program<'_>, unit: usize, class: &str, base: &str, depth: u32) -> bool {
    let Some(at) = program.class_ref(unit, class) else {
        return false;
    };
    let class = program.class_at(at);
    class.bases.iter().any(|b| {
        b == base
            || depth < DEEPEST
                && program
                    .class_named(at.0, &class.name, b)
                    .is_some_and(|b| derives(program, at.0, &b.name, base, depth + 1))
    })
}

/// The starts that stand in a function; with wrappers, the calls of those alone.
fn sites(program: &Program<'_>, f: FnRef, wrappers: Option<&Wrappers>) -> Vec<Site> {
    let function = program.function(f);
    let mut looker = Looker {
        program,
        f,
        function,
        defined: None,
    };
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            let span = span.copied().unwrap_or(function.map.name);
            let asked = match wrappers {
                Some(wrappers) => looker.wrapped(stmt, wrappers),
                None => looker.asked(stmt),
            };
            for (run, how) in asked {
                let kept = match stmt {
                    Statement::Call { dst: Some(dst), .. } => {
                        let kept = last_name(function, *dst);
                        let kept = kept.or_else(|| converted(function, *dst));
                        kept.or_else(|| looker.put_out(stmt, b, i))
                    }
                    _ => looker.put_out(stmt, b, i),
                };
                let given = match wrappers {
                    Some(_) => Vec::new(),
                    None => looker.given(stmt, &run),
                };
                found.push(Site {
                    run,
                    how,
                    at: (b, i),
                    span,
                    kept,
                    given,
                });
            }
        }
    }
    found
}

/// What a temporary is put into: `thread = (HANDLE)_beginthreadex(…)`.
fn converted(function: &Function, temporary: PlaceId) -> Option<Name> {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.find_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Use(op) | Rvalue::Cast(_, op),
        } => match op {
            Operand::Copy(place) | Operand::Move(place) if *place == temporary => {
                last_name(function, *dst)
            }
            _ => None,
        },
        _ => None,
    })
}

/// The field or variable that a place is.
pub(crate) fn last_name(function: &Function, place: PlaceId) -> Option<Name> {
    let place = &function.places[place];
    let field = place.proj.iter().rev().find_map(|step| match step {
        Proj::Field(name) => Some(name.clone()),
        _ => None,
    });
    field.or_else(|| match &place.base {
        Base::Global(name) | Base::Captured(name) => Some(Name::new(last(name))),
        Base::Local(l) => {
            let name = &function.locals.get(l.0 as usize)?.name;
            (!name.is_empty()).then(|| name.clone())
        }
        Base::SelfObj => None,
    })
}

struct Looker<'a, 'm> {
    program: &'a Program<'m>,
    f: FnRef,
    function: &'a Function,
    /// The statements that fill places which are filled once.
    defined: Option<FxHashMap<PlaceId, Option<&'a Statement>>>,
}

impl<'a> Looker<'a, '_> {
    /// What a statement has run.
    fn asked(&mut self, stmt: &'a Statement) -> Vec<(Run, How)> {
        match stmt {
            Statement::Assign { dst, value } => self.handler(*dst, value).into_iter().collect(),
            Statement::Call {
                dst, callee, args, ..
            } => self.asked_by_call(*dst, callee, args).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// A function that is put into a field which the system looks at.
    fn handler(&mut self, dst: PlaceId, value: &'a Rvalue) -> Option<(Run, How)> {
        let (Rvalue::Use(op) | Rvalue::Cast(_, op)) = value else {
            return None;
        };
        let Some(Proj::Field(field)) = self.function.places[dst].proj.last() else {
            return None;
        };
        let maker = self.program.models.thread_maker(field)?;
        if !maker.fields {
            return None;
        }
        Some((self.run(op, 0)?, How::of(field, maker)))
    }

    fn asked_by_call(
        &mut self,
        dst: Option<PlaceId>,
        callee: &'a Callee,
        args: &'a [Operand],
    ) -> Option<(Run, How)> {
        let models = self.program.models;
        let rust = self.program.units[self.f.0].language == Language::Rust;
        match callee {
            Callee::Function(name) => {
                let target = self
                    .program
                    .target(self.f.0, self.function, callee, args.len());
                if let Target::Model(model) = target {
                    let asked = match (&model.starts, &model.registers) {
                        (Some(starts), _) => Some((starts.callback, starts.on, false)),
                        (_, Some(r)) => Some((r.callback, RunsOn::Pool, r.overlaps)),
                        _ => None,
                    };
                    if let Some((callback, on, overlaps)) = asked {
                        let how = How {
                            api: Name::new(last(name)),
                            on,
                            overlaps,
                            joined_by: Vec::new(),
                            serialised_by: None,
                        };
                        return Some((self.run(args.get(callback)?, 0)?, how));
                    }
                }
                let written = name.strip_prefix("::").unwrap_or(name);
                if let Some(maker) = models.thread_maker(written)
                    && maker.method.is_none()
                    && !maker.methods
                    && !maker.fields
                {
                    // What the program defines itself does what is said of it all the same.
                    return self.by(maker, last(name), args);
                }
                if matches!(target, Target::Defined(_)) {
                    return None;
                }
                self.made_into(dst, args)
            }
            Callee::Constructor(ty) | Callee::New(ty) => {
                let maker = self.thread_type(&ty.name)?;
                self.by(maker, &ty.name, args)
            }
            Callee::Method { receiver, name, ty } => {
                if rust {
                    let maker = models.thread_maker(name).filter(|m| m.methods)?;
                    return self.by(maker, name, args);
                }
                // A container of threads that makes one in place.
                if !name.starts_with("emplace") {
                    return self.made_into(dst, args);
                }
                let of = match ty {
                    Some(ty) => (**ty).clone(),
                    None => self.declared_type(*receiver)?,
                };
                let maker = of.args.iter().find_map(|arg| self.thread_type(arg))?;
                let name = of.args.first()?.clone();
                self.by(maker, &name, args)
            }
            Callee::Pointer(_) => None,
        }
    }

    /// A call that makes a thread of its arguments, as the type tells of what it is put into.
    fn made_into(&mut self, dst: Option<PlaceId>, args: &'a [Operand]) -> Option<(Run, How)> {
        if args.is_empty() {
            return None;
        }
        let ty = self.declared_type(dst?)?;
        let name = std::iter::once(&ty.name).chain(&ty.args);
        let mut makers = name.filter_map(|name| Some((name.clone(), self.thread_type(name)?)));
        let (name, maker) = makers.next()?;
        self.by(maker, &name, args)
    }

    fn thread_type(&self, name: &str) -> Option<&'a ThreadMaker> {
        let maker = self.program.models.thread_type(name)?;
        let own = self
            .program
            .class_named(self.f.0, &self.function.name, name)
            .is_some();
        (!own).then_some(maker)
    }

    /// The declared type of a variable, or of a field of the method's class.
    fn declared_type(&self, place: PlaceId) -> Option<Type> {
        let place = &self.function.places[place];
        let field = match (&place.base, &place.proj[..]) {
            (Base::Local(l), []) => {
                return Some(self.function.locals.get(l.0 as usize)?.ty.clone());
            }
            (Base::SelfObj, [Proj::Field(field)]) => field,
            (Base::Global(name), []) => name,
            _ => return None,
        };
        let class = self.function.class.as_ref()?;
        let class = self.program.class(self.f.0, class)?;
        let field = class.fields.iter().find(|f| f.name == *field)?;
        Some(field.ty.clone())
    }

    fn by(&mut self, maker: &ThreadMaker, api: &str, args: &'a [Operand]) -> Option<(Run, How)> {
        let run = match maker.callback {
            Some(n) => self.run(args.get(n)?, 0)?,
            None => args.iter().find_map(|arg| self.run(arg, 0))?,
        };
        Some((run, How::of(api, maker)))
    }

    /// Where a call puts the object that stands for what it has run: `RegisterWaitForSingleObject(&wait, …)`.
    fn put_out(&self, stmt: &Statement, b: usize, i: usize) -> Option<Name> {
        let Statement::Call { callee, args, .. } = stmt else {
            return None;
        };
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        let Target::Model(model) = target else {
            return None;
        };
        model.registers.as_ref()?;
        let mut out = model.acquires.iter().filter_map(|a| a.at.argument());
        let (Operand::Copy(place) | Operand::Move(place)) = args.get(out.next()?)? else {
            return None;
        };
        let before = self.function.blocks[b].stmts[..i].iter().rev();
        let mut refers = before.filter_map(|stmt| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Ref(of),
            } if dst == place => Some(*of),
            _ => None,
        });
        last_name(self.function, refers.next()?)
    }

    /// What a call gives to the function that it has run: one argument, where the models say which, or all
    /// that follow the function.
    fn given(&mut self, stmt: &'a Statement, run: &Run) -> Vec<Given> {
        let (Statement::Call { callee, args, .. }, Run::Function(_)) = (stmt, run) else {
            return Vec::new();
        };
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        let models = self.program.models;
        let by_model = match (&target, callee) {
            (Target::Model(model), _) if model.starts.is_some() || model.registers.is_some() => {
                let starts = model.starts.as_ref().map(|s| s.context);
                starts.or_else(|| model.registers.as_ref().map(|r| r.context))
            }
            (_, Callee::Function(name)) => {
                let written = name.strip_prefix("::").unwrap_or(name);
                models.thread_maker(written).and_then(|maker| maker.context)
            }
            _ => None,
        };
        let given: Vec<&Operand> = match by_model {
            Some(n) => args.get(n).into_iter().collect(),
            None => {
                let at = args.iter().position(|arg| self.run(arg, 0).is_some());
                args.iter()
                    .skip(at.map_or(args.len(), |at| at + 1))
                    .collect()
            }
        };
        let mut found = Vec::new();
        for (param, arg) in (0..).zip(given) {
            if let Some((place, by_address)) = self.led_to(arg, 0) {
                found.push(Given {
                    param,
                    place,
                    by_address,
                });
            }
        }
        found
    }

    /// The place whose address an argument is, or the pointer that it copies.
    fn led_to(&mut self, op: &Operand, depth: u32) -> Option<(PlaceId, bool)> {
        let (Operand::Copy(place) | Operand::Move(place)) = op else {
            return None;
        };
        if depth > DEEPEST {
            return None;
        }
        match self.definition(*place) {
            Some(Statement::Assign { value, .. }) => match value {
                Rvalue::Ref(of) => Some((*of, true)),
                Rvalue::Use(op) | Rvalue::Cast(_, op) => self.led_to(op, depth + 1),
                _ => Some((*place, false)),
            },
            // `std::ref(value)`
            Some(Statement::Call {
                callee: Callee::Function(name),
                args,
                ..
            }) if matches!(last(name), "ref" | "addressof") => {
                let (Operand::Copy(of) | Operand::Move(of)) = args.first()? else {
                    return None;
                };
                self.led_to(args.first()?, depth + 1)
                    .filter(|(_, by_address)| *by_address)
                    .or(Some((*of, true)))
            }
            _ => Some((*place, false)),
        }
    }

    /// A call of a function that has a parameter run.
    fn wrapped(&mut self, stmt: &'a Statement, wrappers: &Wrappers) -> Vec<(Run, How)> {
        let Statement::Call {
            dst, callee, args, ..
        } = stmt
        else {
            return Vec::new();
        };
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        let known = match (target, callee) {
            (Target::Defined(g), _) => wrappers.get(&g),
            (_, Callee::Function(name)) if last(name).starts_with("make_") => {
                self.made_by(*dst, wrappers)
            }
            (_, Callee::Constructor(ty) | Callee::New(ty)) => self.maker(&ty.name, wrappers),
            _ => None,
        };
        let mut found = Vec::new();
        for (n, how) in known.into_iter().flatten() {
            if let Some(run) = args.get(*n).and_then(|arg| self.run(arg, 0)) {
                found.push((run, how.clone()));
            }
        }
        found
    }

    /// What the constructor of a class has run that the class's smart pointer is filled with.
    fn made_by<'w>(
        &self,
        dst: Option<PlaceId>,
        wrappers: &'w Wrappers,
    ) -> Option<&'w Vec<(usize, How)>> {
        let ty = self.declared_type(dst?)?;
        self.maker(ty.args.first()?, wrappers)
    }

    fn maker<'w>(&self, class: &str, wrappers: &'w Wrappers) -> Option<&'w Vec<(usize, How)>> {
        let program = self.program;
        let class = program.class_ref_in(self.f.0, &self.function.name, class)?;
        let of = |f: &FnRef| {
            let function = program.function(*f);
            let own = function.class.as_ref();
            function.kind == FunctionKind::Constructor
                && own.and_then(|own| program.class_ref(f.0, own)) == Some(class)
        };
        let mut found: Vec<&FnRef> = wrappers.keys().filter(|f| of(f)).collect();
        found.sort();
        wrappers.get(*found.first()?)
    }

    /// What an argument is that is to be run.
    fn run(&mut self, op: &Operand, depth: u32) -> Option<Run> {
        if depth > DEEPEST {
            return None;
        }
        let named = |name: &str| {
            let found = self.program.only_function(self.f.0, self.function, name);
            found.map(Run::Function)
        };
        let place = match op {
            Operand::Const(Const::Function(name)) => return named(name),
            Operand::Const(_) => return None,
            Operand::Copy(place) | Operand::Move(place) => *place,
        };
        let at = &self.function.places[place];
        match (&at.base, &at.proj[..]) {
            (Base::Global(name), []) => return named(name),
            (Base::Local(l), []) if l.0 < self.function.params => {
                return Some(Run::Parameter(l.0 as usize));
            }
            (Base::Local(_), []) => {}
            _ => return None,
        }
        match self.definition(place)? {
            Statement::Assign { value, .. } => match value {
                Rvalue::Closure(name, _) => self.program.lambda(self.f.0, name).map(Run::Function),
                Rvalue::Use(op) | Rvalue::Cast(_, op) => self.run(op, depth + 1),
                // Rust's `Some`.
                Rvalue::Aggregate(items) => {
                    items.iter().find_map(|(_, op)| self.run(op, depth + 1))
                }
                _ => None,
            },
            Statement::Call {
                callee: Callee::Function(name),
                args,
                ..
            } if matches!(last(name), "bind" | "bind_front" | "move" | "forward") => {
                self.run(args.first()?, depth + 1)
            }
            _ => None,
        }
    }

    /// The one statement that fills a place.
    fn definition(&mut self, place: PlaceId) -> Option<&'a Statement> {
        let function = self.function;
        let defined = self.defined.get_or_insert_with(|| {
            let mut defined: FxHashMap<PlaceId, Option<&'a Statement>> = FxHashMap::default();
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt
                {
                    let known = defined.entry(*dst);
                    known
                        .and_modify(|known| *known = None)
                        .or_insert(Some(stmt));
                }
            }
            defined
        });
        defined.get(&place).copied().flatten()
    }
}
