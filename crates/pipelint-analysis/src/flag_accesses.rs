//! What functions do with plain variables and fields that several threads can see: where a loop asks one of
//! them whether to go on, where one is set to a constant, and what they do that orders such accesses.

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Const, Function, FunctionKind, Language, Mark, Name, Operand,
    PlaceId, Proj, Reference, Rvalue, Statement, Terminator, Type,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{ClassRef, FnRef, Program, Target, last, scope_of, successors};
use crate::words::has_word;

/// How far copies of what a condition asks are followed.
const DEEPEST: u32 = 4;

/// A variable that outlives its function.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A variable at file scope: its unit, and its number there.
    Global(usize, usize),
    /// A field, by the class that declares it; a static one is no object's.
    Field(ClassRef, Name, bool),
    /// A local variable that a lambda has by reference.
    Local(FnRef, u32),
    /// What a parameter of a thread's function points to.
    Behind(FnRef, u32),
}

/// A loop that asks a thing whether to go on.
#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) thing: Thing,
    /// The place that is read; none where a method of the shared object reads it.
    pub(crate) place: Option<PlaceId>,
    /// The call of that method.
    pub(crate) getter: Option<(usize, usize)>,
    pub(crate) at: (usize, usize),
    pub(crate) span: Span,
    /// What the value is compared with, one after the other.
    conds: Vec<(CmpOp, i128)>,
    /// Where the last comparison holds, the loop is left, and where it does not.
    leaves: (bool, bool),
    /// Something in the loop waits.
    pub(crate) waits: bool,
    /// Something in the loop is called.
    pub(crate) calls: bool,
}

impl Poll {
    /// The loop is left once the thing has this value.
    pub(crate) fn ends_at(&self, value: i128) -> bool {
        let mut value = value;
        for (op, with) in &self.conds {
            value = i128::from(compare(*op, value, *with));
        }
        if value != 0 {
            self.leaves.0
        } else {
            self.leaves.1
        }
    }
}

fn compare(op: CmpOp, a: i128, b: i128) -> bool {
    match op {
        CmpOp::Eq => a == b,
        CmpOp::Ne => a != b,
        CmpOp::Lt => a < b,
        CmpOp::Le => a <= b,
        CmpOp::Gt => a > b,
        CmpOp::Ge => a >= b,
    }
}

/// A thing is set to a constant.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) thing: Thing,
    pub(crate) place: PlaceId,
    pub(crate) value: i128,
    pub(crate) at: (usize, usize),
    pub(crate) span: Span,
    /// Something is woken or signalled behind it.
    pub(crate) wakes: bool,
}

/// What one function does.
#[derive(Debug, Default)]
pub(crate) struct Accesses {
    pub(crate) polls: Vec<Poll>,
    pub(crate) writes: Vec<Write>,
    /// Things whose addresses it takes.
    pub(crate) lent: Vec<Thing>,
    /// It takes a lock, or orders memory by other means.
    pub(crate) orders: bool,
}

/// Globals by name.
pub(crate) struct Variables(FxHashMap<Name, Vec<(usize, usize)>>);

impl Variables {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        let mut found: FxHashMap<Name, Vec<(usize, usize)>> = FxHashMap::default();
        for (u, unit) in program.units.iter().enumerate() {
            for (g, global) in unit.globals.iter().enumerate() {
                found.entry(global.name.clone()).or_default().push((u, g));
            }
        }
        Self(found)
    }

    /// The one variable that a name means in a scope of a unit.
    fn find(&self, program: &Program<'_>, unit: usize, scope: &str, name: &str) -> Option<Thing> {
        let name = name.strip_prefix("::").unwrap_or(name);
        let mut scope = scope;
        loop {
            let qualified = match scope {
                "" => name.to_owned(),
                _ => format!("{scope}::{name}"),
            };
            if let Some(found) = self.0.get(&*qualified) {
                let at = |&&(u, g): &&(usize, usize)| &program.units[u].globals[g];
                let own = found.iter().find(|at_| at_.0 == unit && !at(at_).is_extern);
                let shown = |f: &&(usize, usize)| !at(f).internal && !at(f).is_extern;
                let mut others = found.iter().filter(shown);
                let other = others.next().filter(|_| others.next().is_none());
                let &(u, g) = own.or(other)?;
                return Some(Thing::Global(u, g));
            }
            if scope.is_empty() {
                return None;
            }
            scope = scope_of(scope);
        }
    }
}

/// Looks at one function.
pub(crate) struct Looker<'a, 'm> {
    program: &'a Program<'m>,
    variables: &'a Variables,
    f: FnRef,
    function: &'a Function,
    /// Local variables that its lambdas have by reference.
    captured: FxHashSet<u32>,
}

impl<'a, 'm> Looker<'a, 'm> {
    pub(crate) fn new(program: &'a Program<'m>, variables: &'a Variables, f: FnRef) -> Self {
        let function = program.function(f);
        let mut captured = FxHashSet::default();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Assign {
                value: Rvalue::Closure(_, captures),
                ..
            } = stmt
            {
                for (place, _) in captures.iter().filter(|(_, by_reference)| *by_reference) {
                    let place = &function.places[*place];
                    if let (Base::Local(l), []) = (&place.base, &place.proj[..]) {
                        captured.insert(l.0);
                    }
                }
            }
        }
        Self {
            program,
            variables,
            f,
            function,
            captured,
        }
    }

    pub(crate) fn accesses(&self) -> Accesses {
        let function = self.function;
        let mut found = Accesses::default();
        let mut wakes = Vec::new();
        let mut loops = false;
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                match stmt {
                    Statement::Mark(Mark::LoopHead) => loops = true,
                    Statement::Assign { dst, value } => {
                        if let Rvalue::Ref(of) = value {
                            found.lent.extend(self.thing(*of));
                        }
                        if let Rvalue::Use(Operand::Const(value)) = value
                            && let Some(value) = self.number(value)
                            && let Some(thing) = self.thing(*dst)
                        {
                            let spans = function.map.stmts.get(b);
                            let span = spans.and_then(|s| s.get(i)).copied();
                            found.writes.push(Write {
                                thing,
                                place: *dst,
                                value,
                                at: (b, i),
                                span: span.unwrap_or(function.map.name),
                                wakes: false,
                            });
                        }
                    }
                    Statement::Call { callee, args, .. } => {
                        found.orders |= self.orders(callee, args.len());
                        if wakes_others(callee) {
                            wakes.push((b, i));
                        }
                    }
                    Statement::Opaque { touches, .. } => {
                        found
                            .lent
                            .extend(touches.iter().filter_map(|p| self.thing(*p)));
                    }
                    _ => {}
                }
            }
        }
        for write in &mut found.writes {
            let mut wakes = wakes.iter();
            write.wakes = wakes.any(|w| crate::started::reaches(function, write.at, *w));
        }
        if loops {
            self.polls(&mut found.polls);
        }
        found
    }

    fn number(&self, value: &Const) -> Option<i128> {
        match value {
            Const::Int(value) => Some(*value),
            Const::Null => Some(0),
            Const::Named(name) => self.program.constant(self.f.0, name),
            _ => None,
        }
    }

    /// The thing that a place is, if it is a plain number that nothing but its type guards.
    fn thing(&self, place: PlaceId) -> Option<Thing> {
        let place = &self.function.places[place];
        let (thing, ty) = self.named(&place.base, &place.proj)?;
        is_plain_number(self.program, ty).then_some(thing)
    }

    /// The thing that a place is, as far as these steps lead, and its type.
    pub(crate) fn named(&self, base: &Base, steps: &[Proj]) -> Option<(Thing, &'a Type)> {
        let program = self.program;
        let unit = self.f.0;
        let thing = match (base, steps) {
            (Base::Global(name), []) => {
                let own = || {
                    let lambda = self.function.kind == FunctionKind::Lambda;
                    let class = self.function.class.as_ref().filter(|_| lambda)?;
                    self.field(program.class_ref(unit, class)?, name)
                };
                let scope = scope_of(&self.function.name);
                let shared = || {
                    let class = self.function.class.as_ref()?;
                    self.field(program.class_ref(unit, class)?, name)
                };
                own()
                    .or_else(|| self.variables.find(program, unit, scope, name))
                    .or_else(|| shared().filter(|t| matches!(t, Thing::Field(_, _, true))))?
            }
            (base, [before @ .., Proj::Field(name)]) => {
                if program.units[unit].language == Language::Rust {
                    return None;
                }
                let class = match (base, before) {
                    (Base::Global(variable), [] | [Proj::Deref]) => {
                        let scope = scope_of(&self.function.name);
                        let of = self.variables.find(program, unit, scope, variable)?;
                        let Thing::Global(u, g) = of else { return None };
                        let ty = &program.units[u].globals[g].ty;
                        program.resolve(ty).name.clone()
                    }
                    (Base::Global(_), _) => return None,
                    (base, before) => program.class_behind(unit, self.function, base, before)?,
                };
                let class = program.class_ref_in(unit, &self.function.name, &class)?;
                self.field(class, name)?
            }
            (Base::Local(l), []) if self.captured.contains(&l.0) => Thing::Local(self.f, l.0),
            (Base::Captured(name), []) => self.outer_local(name)?,
            _ => return None,
        };
        let ty = match &thing {
            Thing::Global(u, g) => &program.units[*u].globals[*g].ty,
            Thing::Field(class, name, _) => {
                let class = program.class_at(*class);
                &class.fields.iter().find(|f| f.name == *name)?.ty
            }
            Thing::Local(f, l) | Thing::Behind(f, l) => {
                &program.function(*f).locals.get(*l as usize)?.ty
            }
        };
        Some((thing, ty))
    }

    /// The variable of the function around a lambda that the lambda has by reference.
    fn outer_local(&self, name: &Name) -> Option<Thing> {
        let outer = self
            .program
            .lambda(self.f.0, scope_of(&self.function.name))?;
        let around = self.program.function(outer);
        let mut stmts = around.blocks.iter().flat_map(|b| &b.stmts);
        let captures = stmts.find_map(|stmt| match stmt {
            Statement::Assign {
                value: Rvalue::Closure(lambda, captures),
                ..
            } if *lambda == self.function.name => Some(captures),
            _ => None,
        })?;
        let mut found = captures.iter().filter_map(|(place, by_reference)| {
            let place = &around.places[*place];
            let (Base::Local(l), []) = (&place.base, &place.proj[..]) else {
                return None;
            };
            let local = around.locals.get(l.0 as usize)?;
            (*by_reference && local.name == *name).then_some(l.0)
        });
        let local = found.next()?;
        found.next().is_none().then_some(Thing::Local(outer, local))
    }

    /// The field of this name that objects of a class have, by the class that declares it.
    fn field(&self, class: ClassRef, name: &str) -> Option<Thing> {
        let at = self.program.declaring(class, name)?;
        let mut fields = self.program.class_at(at).fields.iter();
        let field = fields.find(|f| f.name == name)?;
        Some(Thing::Field(at, field.name.clone(), field.is_static))
    }

    /// The loops' ends that ask a thing.
    fn polls(&self, found: &mut Vec<Poll>) {
        let function = self.function;
        for (b, block) in function.blocks.iter().enumerate() {
            let Terminator::Branch {
                cond,
                then,
                otherwise,
            } = &block.term
            else {
                continue;
            };
            let Some(asked) = self.asked(b, cond, 0) else {
                continue;
            };
            let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
            let (a, z) = (
                comes_to(function, then, b),
                comes_to(function, otherwise, b),
            );
            if a == z {
                continue;
            }
            let body = body(function, b);
            let calls = body
                .iter()
                .flat_map(|b| &function.blocks[*b].stmts)
                .filter_map(|stmt| match stmt {
                    Statement::Call { callee, .. } => Some(callee),
                    _ => None,
                });
            let (mut any, mut waits) = (false, false);
            for callee in calls {
                any = true;
                waits |= waits_for_others(callee);
            }
            let span = function.map.terms.get(b).copied();
            found.push(Poll {
                thing: asked.thing,
                place: asked.place,
                getter: asked.getter,
                at: (b, block.stmts.len()),
                span: span.unwrap_or(function.map.name),
                conds: asked.conds,
                leaves: (!a, !z),
                waits,
                calls: any,
            });
        }
    }

    /// What the condition of a block asks.
    fn asked(&self, b: usize, cond: &Cond, depth: u32) -> Option<Asked> {
        let Operand::Const(with) = &cond.rhs else {
            return None;
        };
        let with = (cond.op, self.number(with)?);
        let (Operand::Copy(place) | Operand::Move(place)) = &cond.lhs else {
            return None;
        };
        if let Some(thing) = self.thing(*place) {
            return Some(Asked {
                thing,
                place: Some(*place),
                getter: None,
                conds: vec![with],
            });
        }
        let (i, stmt) = self.function.blocks[b]
            .stmts
            .iter()
            .enumerate()
            .rev()
            .find(|(_, stmt)| match stmt {
                Statement::Assign { dst, .. } => dst == place,
                Statement::Call { dst, .. } => dst.as_ref() == Some(place),
                _ => false,
            })?;
        match stmt {
            Statement::Assign { value, .. } => match value {
                Rvalue::Use(op) if depth < DEEPEST => {
                    let cond = Cond {
                        lhs: op.clone(),
                        ..cond.clone()
                    };
                    self.asked(b, &cond, depth + 1)
                }
                Rvalue::Compare(cond) if depth < DEEPEST => {
                    let mut asked = self.asked(b, cond, depth + 1)?;
                    asked.conds.push(with);
                    Some(asked)
                }
                _ => None,
            },
            Statement::Call { callee, args, .. } if args.is_empty() => {
                let target = self.program.target(self.f.0, self.function, callee, 0);
                let Target::Defined(g) = target else {
                    return None;
                };
                let (thing, mut conds) = self.told_by(g)?;
                conds.push(with);
                Some(Asked {
                    thing,
                    place: None,
                    getter: Some((b, i)),
                    conds,
                })
            }
            _ => None,
        }
    }

    /// The thing that a method tells the value of, and does nothing else.
    fn told_by(&self, g: FnRef) -> Option<(Thing, Vec<(CmpOp, i128)>)> {
        let function = self.program.function(g);
        let looker = Looker::new(self.program, self.variables, g);
        let [block] = &function.blocks[..] else {
            return None;
        };
        let Terminator::Return(Some(Operand::Copy(told) | Operand::Move(told))) = &block.term
        else {
            return None;
        };
        match &block.stmts[..] {
            [] => Some((looker.thing(*told)?, Vec::new())),
            [
                Statement::Assign {
                    dst,
                    value: Rvalue::Use(Operand::Copy(p)),
                },
            ] if dst == told => Some((looker.thing(*p)?, Vec::new())),
            [
                Statement::Assign {
                    dst,
                    value: Rvalue::Compare(cond),
                },
            ] if dst == told => match (&cond.lhs, &cond.rhs) {
                (Operand::Copy(p), Operand::Const(with)) => {
                    Some((looker.thing(*p)?, vec![(cond.op, looker.number(with)?)]))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// A call that takes a lock, or orders memory by other means.
    fn orders(&self, callee: &Callee, args: usize) -> bool {
        const WORDS: &[&str] = &[
            "lock",
            "locked",
            "locker",
            "mutex",
            "guard",
            "critical",
            "enter",
            "acquire",
            "semaphore",
            "interlocked",
            "atomic",
            "barrier",
            "fence",
            "sync",
            "synchronized",
            "once",
        ];
        let models = self.program.models;
        match callee {
            Callee::Function(name) => {
                let target = self.program.target(self.f.0, self.function, callee, args);
                let own = matches!(target, Target::Defined(_));
                has_word(last(name), WORDS) || (own && has_word(scope_of(name), &["lock"]))
            }
            Callee::Method { name, .. } => has_word(name, WORDS),
            Callee::Constructor(ty) | Callee::New(ty) => {
                let ty = self.program.resolve(ty);
                models.guard(&ty.name).is_some() || has_word(last(&ty.name), WORDS)
            }
            Callee::Pointer(_) => false,
        }
    }
}

/// What a condition asks.
struct Asked {
    thing: Thing,
    place: Option<PlaceId>,
    getter: Option<(usize, usize)>,
    conds: Vec<(CmpOp, i128)>,
}

/// A path leads from one block to another.
fn comes_to(function: &Function, from: usize, to: usize) -> bool {
    let mut seen = FxHashSet::default();
    let mut todo = vec![from];
    while let Some(b) = todo.pop() {
        if b == to {
            return true;
        }
        if seen.insert(b)
            && let Some(block) = function.blocks.get(b)
        {
            successors(&block.term, |next| todo.push(next));
        }
    }
    false
}

/// The blocks of the loop that a block is in.
fn body(function: &Function, of: usize) -> Vec<usize> {
    let all = 0..function.blocks.len();
    let mut next = Vec::new();
    successors(&function.blocks[of].term, |b| next.push(b));
    all.filter(|&b| {
        b == of || next.iter().any(|n| comes_to(function, *n, b)) && comes_to(function, b, of)
    })
    .collect()
}

fn name_of(callee: &Callee) -> &str {
    match callee {
        Callee::Function(name) => last(name),
        Callee::Method { name, .. } => name,
        _ => "",
    }
}

/// A call that may sleep until another thread does something.
fn waits_for_others(callee: &Callee) -> bool {
    const WORDS: &[&str] = &[
        "wait", "poll", "epoll", "select", "get", "message", "recv", "pop", "take", "dequeue",
        "park", "acquire", "accept", "join", "read", "receive", "next", "kevent",
    ];
    let name = name_of(callee);
    has_word(name, WORDS) || name.starts_with("Wait") || name.starts_with("epoll_wait")
}

/// A call that may wake another thread.
fn wakes_others(callee: &Callee) -> bool {
    const WORDS: &[&str] = &[
        "set",
        "signal",
        "post",
        "notify",
        "wake",
        "wakeup",
        "release",
        "pulse",
        "interrupt",
        "alert",
        "kick",
        "trigger",
        "write",
        "send",
        "push",
        "unpark",
        "broadcast",
        "cancel",
        "shutdown",
        "close",
        "queue",
        "resume",
    ];
    has_word(name_of(callee), WORDS)
}

/// A number that one thread may read while another writes it, and no more than its type protects it.
fn is_plain_number(program: &Program<'_>, ty: &Type) -> bool {
    const NUMBERS: &[&str] = &[
        "bool",
        "_Bool",
        "BOOL",
        "BOOLEAN",
        "Bool",
        "gboolean",
        "int",
        "unsigned",
        "unsigned int",
        "char",
        "short",
        "long",
        "unsigned long",
        "unsigned char",
        "BYTE",
        "UCHAR",
        "WORD",
        "USHORT",
        "DWORD",
        "LONG",
        "ULONG",
        "UINT",
        "INT",
        "size_t",
        "int8_t",
        "uint8_t",
        "int16_t",
        "uint16_t",
        "int32_t",
        "uint32_t",
        "int64_t",
        "uint64_t",
        "sig_atomic_t",
        "std::sig_atomic_t",
        "qint32",
        "quint32",
        "u8",
        "u16",
        "u32",
        "u64",
        "i8",
        "i16",
        "i32",
        "i64",
        "usize",
        "isize",
    ];
    let mut ty = ty;
    for _ in 0..8 {
        if ty.is_volatile || ty.pointers > 0 || ty.arrays > 0 || ty.reference != Reference::None {
            return false;
        }
        if NUMBERS.contains(&&*ty.name) {
            return true;
        }
        match program.aliases.get(&ty.name) {
            Some(alias) if alias.name != ty.name => ty = alias,
            _ => return false,
        }
    }
    false
}
