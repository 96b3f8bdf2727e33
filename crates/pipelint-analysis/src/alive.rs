//! What the variables of a function tell of the object that it works on: which of them ask whether it is still
//! there, which keep it, and which use it when they end.

use pipelint_ir::{
    Base, Callee, CmpOp, Const, Function, LocalId, LocalKind, Name, Operand, PlaceId, Proj, Rvalue,
    Statement,
};

use crate::callouts::{Object, View, is_nothing, whole};
use crate::cfg::visit_reads;
use crate::contexts::place_of;
use crate::ended_by_user::RESTORES;
use crate::program::last;

/// Types that ask whether an object is still there.
const ASKING: [&str; 6] = [
    "QPointer",
    "QWeakPointer",
    "weak_ptr",
    "WeakPtr",
    "weak_ref",
    "WeakRef",
];

/// Types that hold a lock, by reference, until they end.
const LOCKERS: [&str; 6] = [
    "QMutexLocker",
    "QReadLocker",
    "QWriteLocker",
    "lock_guard",
    "unique_lock",
    "scoped_lock",
];

/// Calls that yield a pointer that keeps the object.
const KEEPING: [&str; 4] = [
    "shared_from_this",
    "get_strong",
    "strong_from_this",
    "ref_from_this",
];

/// Calls that yield a pointer that asks.
const WEAK: [&str; 5] = [
    "weak_from_this",
    "get_weak",
    "GetWeakPtr",
    "AsWeakPtr",
    "weakFromThis",
];

/// What is known of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fact {
    Zero,
    NotZero,
    /// The object is there where it is not zero.
    Alive,
    /// The object is gone where it is not zero.
    Gone,
    /// It asks for the object, in which way is not known.
    Asks,
    /// It keeps the object.
    Keeps,
    /// It uses this field of the object at its end.
    Uses(Name),
}

/// What is known of variables, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Facts(Vec<(LocalId, Fact)>);

impl Facts {
    pub(crate) fn fact(&self, local: LocalId) -> Option<&Fact> {
        let at = self.0.binary_search_by_key(&local, |f| f.0).ok()?;
        Some(&self.0[at].1)
    }

    pub(crate) fn set(&mut self, local: LocalId, fact: Option<Fact>) {
        match (self.0.binary_search_by_key(&local, |f| f.0), fact) {
            (Ok(at), Some(fact)) => self.0[at].1 = fact,
            (Ok(at), None) => drop(self.0.remove(at)),
            (Err(at), Some(fact)) => self.0.insert(at, (local, fact)),
            (Err(_), None) => {}
        }
    }

    /// Something keeps the object.
    pub(crate) fn keep(&self) -> bool {
        self.0.iter().any(|(_, fact)| *fact == Fact::Keeps)
    }
}

/// What an operand's value is known to be.
pub(crate) fn value(function: &Function, facts: &Facts, op: &Operand) -> Option<Fact> {
    match op {
        Operand::Const(Const::Int(0) | Const::Null) => Some(Fact::Zero),
        Operand::Const(Const::Int(_)) => Some(Fact::NotZero),
        Operand::Const(_) => None,
        Operand::Copy(place) | Operand::Move(place) => {
            facts.fact(whole(function, *place)?).cloned()
        }
    }
}

/// A flag tells by its first value what it means.
fn flag_fact(facts: &Facts, flag: LocalId) -> Fact {
    match facts.fact(flag) {
        Some(Fact::Zero) => Fact::Gone,
        Some(Fact::NotZero) => Fact::Alive,
        _ => Fact::Asks,
    }
}

/// A call may change what it is given the address of, or a reference to.
pub(crate) fn forget_changed(view: &View<'_, '_>, facts: &mut Facts, args: &[Operand]) {
    for op in args {
        let place = match view.def(op) {
            Some(Rvalue::Ref(place)) => Some(*place),
            _ => place_of(op),
        };
        let local = place.and_then(|place| whole(view.function, place));
        if let Some(local) = local
            && matches!(facts.fact(local), Some(Fact::Zero | Fact::NotZero))
            && !view.is_const(local)
        {
            facts.set(local, None);
        }
    }
}

/// Some variable may ask for the object.
pub(crate) fn may_ask(function: &Function) -> bool {
    let typed = |l: &pipelint_ir::Local| ASKING.contains(&last(&l.ty.name));
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    function.locals.iter().any(typed)
        || stmts.any(|stmt| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Ref(from),
            } => whole(function, *dst).is_none() && whole(function, *from).is_some(),
            Statement::Call {
                callee: Callee::Function(name) | Callee::Method { name, .. },
                ..
            } => WEAK.contains(&last(name)),
            _ => false,
        })
}

pub(crate) fn assign(view: &View<'_, '_>, facts: &mut Facts, dst: PlaceId, from: &Rvalue) {
    let function = view.function;
    if let Rvalue::Closure(_, captured) = from {
        let by_reference = captured.iter().filter(|(_, by)| *by);
        let by_reference = by_reference.map(|(place, _)| Operand::Copy(*place));
        forget_changed(view, facts, &by_reference.collect::<Vec<_>>());
    }
    let Some(local) = whole(function, dst) else {
        // `destroyed_ = &destroyed`: whoever ends the object sets it.
        if let Rvalue::Ref(place) = from
            && let Some(field) = view.member(dst)
            && let Some(flag) = whole(function, *place)
        {
            let tells = view.tells_of_its_end(&field);
            let fact = if tells {
                flag_fact(facts, flag)
            } else {
                Fact::Asks
            };
            facts.set(flag, Some(fact));
        }
        return;
    };
    let declared = function.locals.get(local.0 as usize);
    let ty = declared.map(|l| &l.ty);
    let fact = match from {
        Rvalue::Use(op) | Rvalue::Cast(_, op) => {
            let kept = || {
                let place = place_of(op)?;
                let asks = asking_field(view, place);
                let behind = matches!(function.places[place].proj.last(), Some(Proj::Deref))
                    && matches!(&function.places[place].base, Base::Local(l)
                        if matches!(facts.fact(*l), Some(Fact::Asks | Fact::Alive)));
                (asks || behind).then_some(Fact::Asks)
            };
            value(function, facts, op).or_else(kept)
        }
        Rvalue::Compare(cond) if is_nothing(&cond.rhs) => {
            let fact = value(function, facts, &cond.lhs);
            match (cond.op, fact) {
                (CmpOp::Ne, fact) => fact,
                (CmpOp::Eq, Some(Fact::Alive)) => Some(Fact::Gone),
                (CmpOp::Eq, Some(Fact::Gone)) => Some(Fact::Alive),
                (CmpOp::Eq, Some(Fact::Zero)) => Some(Fact::NotZero),
                (CmpOp::Eq, Some(Fact::NotZero)) => Some(Fact::Zero),
                (_, Some(Fact::Asks)) => Some(Fact::Asks),
                _ => None,
            }
        }
        // `QPointer<T> alive = this`; an alias of another type may keep the object.
        Rvalue::Ref(place) if !is_temp(function, local) => {
            let object = view.object == Object::Own
                && function.places[*place].proj.is_empty()
                && function.places[*place].base == Base::SelfObj;
            match ty {
                Some(ty) if object && ASKING.contains(&last(&ty.name)) => Some(Fact::Alive),
                Some(ty) if object && ty.is_object() && ty.name != "auto" => Some(Fact::Keeps),
                _ => None,
            }
        }
        _ => None,
    };
    facts.set(local, fact);
}

fn is_temp(function: &Function, local: LocalId) -> bool {
    let declared = function.locals.get(local.0 as usize);
    declared.is_none_or(|l| l.kind == LocalKind::Temp)
}

/// A field that is a shared or weak pointer: a copy of it tells of the object's life, or keeps a part of it.
fn asking_field(view: &View<'_, '_>, place: PlaceId) -> bool {
    let field = view.member(place).and_then(|name| view.field(&name));
    field.is_some_and(|(_, ty)| {
        let name = &view.program.resolve(ty).name;
        let name = last(name);
        ASKING.contains(&name) || matches!(name, "shared_ptr" | "QSharedPointer")
    })
}

/// What is known of a variable that a call yields.
pub(crate) fn made(
    view: &View<'_, '_>,
    facts: &Facts,
    local: LocalId,
    callee: &Callee,
    args: &[Operand],
) -> Option<Fact> {
    let function = view.function;
    match callee {
        Callee::Constructor(ty) => {
            let name = last(&ty.name);
            let refers = |op: &Operand| match view.def(op) {
                Some(Rvalue::Ref(place)) => view.member(*place),
                _ => place_of(op).and_then(|place| view.member(place)),
            };
            if LOCKERS.contains(&name) || RESTORES.contains(&name) {
                return args.first().and_then(refers).map(Fact::Uses);
            }
            let asks = args
                .iter()
                .any(|op| value(function, facts, op) == Some(Fact::Alive));
            if ASKING.contains(&name) {
                let own = args.iter().any(|op| view.is_address(op));
                let field = || {
                    args.iter()
                        .filter_map(place_of)
                        .any(|p| asking_field(view, p))
                };
                return if own || asks {
                    Some(Fact::Alive)
                } else {
                    field().then_some(Fact::Asks)
                };
            }
            let keeps = !is_temp(function, local)
                && args.iter().any(|op| {
                    view.is_address(op) || value(function, facts, op) == Some(Fact::Keeps)
                });
            keeps.then_some(Fact::Keeps)
        }
        Callee::Function(name) | Callee::Method { name, .. } => {
            let name = last(name);
            if KEEPING.contains(&name) {
                return Some(Fact::Keeps);
            }
            let own = match callee {
                Callee::Method { receiver, .. } => view.is_inside(*receiver),
                _ => view.object == Object::Own,
            };
            (own && WEAK.contains(&name)).then_some(Fact::Alive)
        }
        _ => None,
    }
}

/// The part of the object that a factsment reads or writes.
pub(crate) fn touched(view: &View<'_, '_>, stmt: &Statement, facts: &Facts) -> Option<Name> {
    let function = view.function;
    match stmt {
        // An address alone touches nothing.
        Statement::Assign {
            dst,
            value: Rvalue::Ref(_) | Rvalue::Closure(..),
        } => return view.member(*dst),
        Statement::Mark(_) | Statement::Assert(_) | Statement::Opaque { .. } => return None,
        Statement::Drop { place, .. } => {
            if let Some(Fact::Uses(name)) = whole(function, *place).and_then(|l| facts.fact(l)) {
                return Some(name.clone());
            }
        }
        _ => {}
    }
    let mut found = None;
    let mut note = |place: PlaceId| found = found.take().or_else(|| view.member(place));
    visit_reads(stmt, &mut note);
    if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt {
        note(*dst);
    }
    let Statement::Call { args, callee, .. } = stmt else {
        return found;
    };
    for op in args {
        if let Some(Rvalue::Ref(place)) = view.def(op) {
            found = found.or_else(|| view.member(*place));
        }
    }
    if found.is_some() {
        return found;
    }
    if let Some(out) = view.call_out(stmt) {
        return Some(out.name);
    }
    if let Some((g, object)) = view.handed(stmt) {
        let inner = View::new(view.program, g, object)?;
        return inner
            .touches(0)
            .then(|| Name::new(last(&inner.function.name)));
    }
    if let Callee::Function(name) = callee
        && let Some((scope, method)) = name.rsplit_once("::")
        && view.object == Object::Own
        && view
            .classes
            .iter()
            .flat_map(|c| &c.bases)
            .any(|base| last(base) == last(scope))
    {
        return Some(Name::new(method));
    }
    view.unseen_method(stmt)
}
