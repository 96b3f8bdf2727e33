//! Where a pointer comes from that a function ends: out of a container that is asked about, from elsewhere (a
//! message, another container, what a thread was given), or it is the function's own. It is followed back through
//! iterators, copies and callers; what decides on the way whether the pointer is ended is looked at, too.

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Operand, Place, PlaceId, Proj, Rvalue, Statement, Terminator,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::contexts::place_of;
use crate::lock_contexts::LockContexts;
use crate::object_keys::ObjectKey;
use crate::pointer_members::PointerMembers;
use crate::program::{FnRef, Program, Target, last, successors};
use crate::threads::CALLERS;
use crate::told_types::Told;
use crate::words::has_word;

/// How far copies, helpers and callers are followed.
const DEEPEST: u32 = 8;

/// A statement by its block and number.
pub(crate) type At = (usize, usize);

/// A function with all that fills its variables.
pub(crate) struct Body<'p, 'm> {
    pub(crate) told: Told<'p, 'm>,
    defs: FxHashMap<u32, Vec<(At, &'p Statement)>>,
    /// Variables whose address is taken.
    lent: FxHashSet<u32>,
}

impl<'p, 'm> Body<'p, 'm> {
    pub(crate) fn new(program: &'p Program<'m>, f: FnRef) -> Self {
        let told = Told::new(program, f);
        let mut defs: FxHashMap<u32, Vec<(At, &Statement)>> = FxHashMap::default();
        let mut lent = FxHashSet::default();
        for (b, block) in told.function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                if let Some(l) = filled(told.function, stmt) {
                    defs.entry(l).or_default().push(((b, i), stmt));
                }
                if let Statement::Assign {
                    value: Rvalue::Ref(of),
                    ..
                } = stmt
                    && let Some(l) = whole(told.function, *of)
                {
                    lent.insert(l);
                }
            }
        }
        Self { told, defs, lent }
    }

    fn place(&self, id: PlaceId) -> &'p Place {
        &self.told.function.places[id]
    }

    /// The values that a variable gets, constants left out.
    fn values(&self, local: u32) -> impl Iterator<Item = &'p Statement> {
        let all = self.defs.get(&local).into_iter().flatten();
        all.map(|(_, stmt)| *stmt).filter(|stmt| {
            !matches!(
                stmt,
                Statement::Assign {
                    value: Rvalue::Use(Operand::Const(_)) | Rvalue::Cast(_, Operand::Const(_)),
                    ..
                }
            )
        })
    }
}

/// The variable that a place is.
pub(crate) fn whole(function: &pipelint_ir::Function, place: PlaceId) -> Option<u32> {
    match (
        &function.places[place].base,
        &function.places[place].proj[..],
    ) {
        (Base::Local(l), []) => Some(l.0),
        _ => None,
    }
}

/// The variable that a statement fills.
pub(crate) fn filled(function: &pipelint_ir::Function, stmt: &Statement) -> Option<u32> {
    match stmt {
        Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => {
            whole(function, *dst)
        }
        _ => None,
    }
}

/// Where a pointer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Container,
    Elsewhere,
    /// The function has made the object.
    Own,
    /// Its callers know.
    Parameter(u32),
}

impl Origin {
    /// What two ways to fill a variable make of it.
    fn join(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        let rank = |origin: &Option<Self>| match origin {
            Some(Self::Own) => 0,
            Some(Self::Container) => 1,
            Some(Self::Parameter(_)) => 2,
            Some(Self::Elsewhere) => 3,
            None => 4,
        };
        if rank(&a) <= rank(&b) { a } else { b }
    }
}

/// A function on the way from what brought the pointer to what ends it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) f: usize,
    pub(crate) context: usize,
    pub(crate) at: At,
    /// Variables that the pointer, or the way to it, goes through.
    pub(crate) locals: FxHashSet<u32>,
}

/// Looks where pointers come from.
pub(crate) struct Origins<'a, 'p, 'm> {
    pub(crate) program: &'p Program<'m>,
    pub(crate) all: &'a [FnRef],
    pub(crate) contexts: &'a LockContexts,
    pub(crate) members: &'a PointerMembers,
    /// The container that is asked about.
    pub(crate) container: &'a ObjectKey,
}

impl<'p> Origins<'_, 'p, '_> {
    /// Where a pointer of a function comes from in one of its contexts, and the functions on the way.
    pub(crate) fn trace(
        &self,
        (f, context, at): (usize, usize, At),
        base: &Base,
        steps: &[Proj],
    ) -> Option<(Origin, Vec<Frame>)> {
        let mut frames = Vec::new();
        let (mut f, mut context, mut at) = (f, context, at);
        let (mut base, mut steps) = (base.clone(), steps.to_vec());
        for _ in 0..DEEPEST {
            let body = Body::new(self.program, self.all[f]);
            let mut locals = FxHashSet::default();
            let origin = self.from(&body, &base, &steps, &mut locals, 0);
            frames.push(Frame {
                f,
                context,
                at,
                locals,
            });
            let n = match origin? {
                Origin::Parameter(n) => n,
                origin => return Some((origin, frames)),
            };
            let way = self.contexts.of(f).get(context)?;
            let Some((caller, outer, call)) = way.from else {
                // A thread was given it.
                return (way.root != CALLERS).then_some((Origin::Elsewhere, frames));
            };
            let function = self.program.function(self.all[caller]);
            let stmt = function.blocks.get(call.0)?.stmts.get(call.1)?;
            let Statement::Call { args, .. } = stmt else {
                return None;
            };
            let place = &function.places[place_of(args.get(n as usize)?)?];
            (f, context, at) = (caller, outer, call);
            (base, steps) = (place.base.clone(), place.proj.clone());
        }
        None
    }

    fn from(
        &self,
        body: &Body<'p, '_>,
        base: &Base,
        steps: &[Proj],
        locals: &mut FxHashSet<u32>,
        depth: u32,
    ) -> Option<Origin> {
        if self.members.object(&body.told, base, steps).as_ref() == Some(self.container) {
            // An iterator, and not an object that has the container.
            if let Base::Local(l) = base
                && !steps.iter().any(is_field)
            {
                locals.insert(l.0);
            }
            return Some(Origin::Container);
        }
        let Base::Local(l) = base else {
            return (!steps.is_empty() || matches!(base, Base::Global(_)))
                .then_some(Origin::Elsewhere);
        };
        let l = l.0;
        if !locals.insert(l) || depth > DEEPEST {
            return None;
        }
        let mut found = None;
        let mut filled = false;
        for stmt in body.values(l) {
            filled = true;
            let from = self.filled_from(body, stmt, locals, depth + 1);
            found = Origin::join(found, from);
        }
        if filled {
            return found;
        }
        let through = steps.contains(&Proj::Deref) && steps.iter().any(is_field);
        match (l < body.told.function.params, through) {
            // What a message brings along.
            (true, true) => Some(Origin::Elsewhere),
            (true, false) => Some(Origin::Parameter(l)),
            (false, _) => body.lent.contains(&l).then_some(Origin::Elsewhere),
        }
    }

    fn of(
        &self,
        body: &Body<'p, '_>,
        op: &Operand,
        locals: &mut FxHashSet<u32>,
        depth: u32,
    ) -> Option<Origin> {
        let place = body.place(place_of(op)?);
        self.from(body, &place.base, &place.proj, locals, depth)
    }

    fn any<'o>(
        &self,
        body: &Body<'p, '_>,
        ops: impl IntoIterator<Item = &'o Operand>,
        locals: &mut FxHashSet<u32>,
        depth: u32,
    ) -> Option<Origin> {
        ops.into_iter().fold(None, |found, op| {
            Origin::join(found, self.of(body, op, locals, depth))
        })
    }

    fn filled_from(
        &self,
        body: &Body<'p, '_>,
        stmt: &Statement,
        locals: &mut FxHashSet<u32>,
        depth: u32,
    ) -> Option<Origin> {
        match stmt {
            Statement::Assign { value, .. } => match value {
                Rvalue::Use(op) | Rvalue::Cast(_, op) => self.of(body, op, locals, depth),
                Rvalue::Ref(place) => self.of(body, &Operand::Copy(*place), locals, depth),
                Rvalue::Binary(_, a, b) => self.any(body, [a, b], locals, depth),
                Rvalue::Unknown(ops) => self.any(body, ops, locals, depth),
                _ => None,
            },
            Statement::Call { callee, args, .. } => match callee {
                Callee::New(_) => Some(Origin::Own),
                Callee::Constructor(_) => self.any(body, args, locals, depth),
                Callee::Method { receiver, .. } => {
                    match self.yielded(body, callee, args, locals, depth) {
                        None => self.of(body, &Operand::Copy(*receiver), locals, depth),
                        found => found,
                    }
                }
                Callee::Function(name) => {
                    let makes = [
                        "alloc", "malloc", "calloc", "realloc", "new", "create", "make",
                    ];
                    if has_word(last(name), &makes) {
                        return Some(Origin::Own);
                    }
                    match self.yielded(body, callee, args, locals, depth) {
                        None => self
                            .any(body, args, locals, depth)
                            .filter(|o| *o != Origin::Elsewhere),
                        found => found,
                    }
                }
                Callee::Pointer(_) => None,
            },
            _ => None,
        }
    }

    /// What a function of the program returns.
    fn yielded(
        &self,
        body: &Body<'p, '_>,
        callee: &Callee,
        args: &[Operand],
        locals: &mut FxHashSet<u32>,
        depth: u32,
    ) -> Option<Origin> {
        let told = &body.told;
        let target = told
            .program
            .target(told.f.0, told.function, callee, args.len());
        let Target::Defined(g) = target else {
            return None;
        };
        if depth + 2 > DEEPEST {
            return None;
        }
        let of = Body::new(self.program, g);
        let mut found = None;
        for block in &of.told.function.blocks {
            let Terminator::Return(Some(value)) = &block.term else {
                continue;
            };
            let mut own = FxHashSet::default();
            let from = match self.of(&of, value, &mut own, depth + 2) {
                Some(Origin::Parameter(n)) => args
                    .get(n as usize)
                    .and_then(|arg| self.of(body, arg, locals, depth + 1)),
                from => from,
            };
            found = Origin::join(found, from);
        }
        found
    }
}

fn is_field(step: &Proj) -> bool {
    matches!(step, Proj::Field(_))
}

/// What a condition asks of an object that is about to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// What state it is in: what others do before may decide it.
    State,
    /// Which object it is.
    Which,
}

impl Frame {
    /// The state of the object decides whether it is ended.
    pub(crate) fn depends_on_state(&self, body: &Body<'_, '_>) -> bool {
        let blocks = &body.told.function.blocks;
        blocks.iter().any(|block| {
            let (asks, ways) = match &block.term {
                Terminator::Branch {
                    cond,
                    then,
                    otherwise,
                } => (self.asks(body, cond), vec![then.0, otherwise.0]),
                Terminator::Switch { on, arms, default } => {
                    let asks = self.state_of(body, on, 0);
                    let ways = arms.iter().map(|(_, to)| to.0).chain([default.0]);
                    (asks, ways.collect())
                }
                _ => return false,
            };
            let Some((Asks::State, local)) = asks else {
                return false;
            };
            let leads = ways
                .iter()
                .filter(|way| self.comes_from(body, **way as usize, local));
            let leads = leads.count();
            leads > 0 && leads < ways.len()
        })
    }

    /// A way leads from a block to the place, with the same object in a variable.
    fn comes_from(&self, body: &Body<'_, '_>, from: usize, local: u32) -> bool {
        let defs = body.defs.get(&local);
        let anew = |b: usize| {
            let mut at = defs.into_iter().flatten().map(|(at, _)| at);
            at.any(|at| at.0 == b && (b != self.at.0 || at.1 < self.at.1))
        };
        let mut seen = FxHashSet::default();
        let mut todo = vec![from];
        while let Some(b) = todo.pop() {
            if anew(b) || !seen.insert(b) {
                continue;
            }
            if b == self.at.0 {
                return true;
            }
            if let Some(block) = body.told.function.blocks.get(b) {
                successors(&block.term, |next| todo.push(next));
            }
        }
        false
    }

    fn asks(&self, body: &Body<'_, '_>, cond: &Cond) -> Option<(Asks, u32)> {
        let known = |op: &Operand| matches!(op, Operand::Const(_));
        let (left, right) = (
            self.state_of(body, &cond.lhs, 0),
            self.state_of(body, &cond.rhs, 0),
        );
        let equal = matches!(cond.op, CmpOp::Eq | CmpOp::Ne);
        match (left, right) {
            (None, None) => None,
            (Some((Asks::State, l)), None) if equal && !known(&cond.rhs) => Some((Asks::Which, l)),
            (None, Some((Asks::State, l))) if equal && !known(&cond.lhs) => Some((Asks::Which, l)),
            (Some(left), _) => Some(left),
            (None, right) => right,
        }
    }

    /// A value tells of the object, and through which variable.
    fn state_of(&self, body: &Body<'_, '_>, op: &Operand, depth: u32) -> Option<(Asks, u32)> {
        let place = body.place(place_of(op)?);
        self.state_at(body, place, false, depth)
    }

    fn state_at(
        &self,
        body: &Body<'_, '_>,
        place: &Place,
        method: bool,
        depth: u32,
    ) -> Option<(Asks, u32)> {
        let Base::Local(l) = place.base else {
            return None;
        };
        if self.locals.contains(&l.0) {
            // `it->second` is the pointer itself.
            let of_iterator = |step: &Proj| match step {
                Proj::Field(name) => matches!(&**name, "first" | "second"),
                _ => true,
            };
            let through = place.proj.contains(&Proj::Deref);
            let plain = place.proj.iter().all(of_iterator);
            let told = match method {
                true => through,
                false => through && !plain,
            };
            return told.then_some((Asks::State, l.0));
        }
        if !place.proj.is_empty() || depth > 3 {
            return None;
        }
        let of = |op: &Operand| self.state_of(body, op, depth + 1);
        body.values(l.0).find_map(|stmt| match stmt {
            Statement::Assign { value, .. } => match value {
                Rvalue::Use(op) | Rvalue::Cast(_, op) => of(op),
                Rvalue::Binary(_, a, b) => of(a).or_else(|| of(b)),
                Rvalue::Compare(cond) => self.asks(body, cond),
                Rvalue::Unknown(ops) => ops.iter().find_map(of),
                _ => None,
            },
            Statement::Call {
                callee: Callee::Method { receiver, .. },
                args,
                ..
            } => {
                let on = self.state_at(body, body.place(*receiver), true, depth + 1);
                on.or_else(|| args.iter().find_map(of))
            }
            Statement::Call { args, .. } => {
                // A function that is given the object may ask anything.
                let given = |op: &Operand| {
                    let place = body.place(place_of(op)?);
                    match (&place.base, &place.proj[..]) {
                        (Base::Local(l), []) if self.locals.contains(&l.0) => {
                            Some((Asks::State, l.0))
                        }
                        _ => None,
                    }
                };
                args.iter().find_map(|op| of(op).or_else(|| given(op)))
            }
            _ => None,
        })
    }
}
