//! Leaves out the ends of variables that only ever hold numbers: nothing happens there, and a value
//! that is needed for nothing else would keep paths apart.

use pipelint_ir::{Base, Callee, Local, LocalId, Operand, PlaceId, PlaceTable, Rvalue, Statement};

use super::tidy::Drafted;

/// What a local is given.
enum Given {
    /// A number.
    Number,
    /// What another local holds.
    Local(LocalId),
    /// Anything.
    Unknown,
}

/// Takes out each `Drop` of a local of an unknown type that is only given constants and what is
/// computed of numbers.
pub(crate) fn leave_out_ends(drafts: &mut [Drafted], places: &PlaceTable, locals: &[Local]) {
    let whole = |at: PlaceId| whole(places, at);
    let is_unknown = |id: LocalId| {
        let local = locals.get(id.0 as usize);
        local.is_some_and(|local| local.ty.name == "auto" && local.ty.is_object())
    };
    let ended = |stmt: &Statement| match stmt {
        Statement::Drop { place, .. } => whole(*place).filter(|id| is_unknown(*id)),
        _ => None,
    };
    let all = || drafts.iter().flat_map(|(block, ..)| &block.stmts);
    if !all().any(|stmt| ended(stmt).is_some()) {
        return;
    }
    let mut given = Vec::new();
    all().for_each(|stmt| note(stmt, places, &mut given));
    // Those that are given nothing are parameters, or set where nobody sees it.
    let mut plain = vec![false; locals.len()];
    for (to, _) in &given {
        set(&mut plain, *to, true);
    }
    let mut changed = true;
    while changed {
        changed = false;
        for (to, what) in &given {
            let is_number = match what {
                Given::Number => true,
                Given::Local(from) => is_set(&plain, *from),
                Given::Unknown => false,
            };
            if !is_number && is_set(&plain, *to) {
                set(&mut plain, *to, false);
                changed = true;
            }
        }
    }
    let keep = |stmt: &Statement| ended(stmt).is_none_or(|id| !is_set(&plain, id));
    for (block, spans, _) in drafts {
        let mut kept = block.stmts.iter().map(keep);
        spans.retain(|_| kept.next().unwrap_or(true));
        block.stmts.retain(keep);
    }
}

/// Notes what the statement gives to locals.
fn note(stmt: &Statement, places: &PlaceTable, given: &mut Vec<(LocalId, Given)>) {
    let mut unknown = |at: PlaceId| {
        if let Base::Local(id) = places[at].base {
            given.push((id, Given::Unknown));
        }
    };
    match stmt {
        Statement::Assign { dst, value } => {
            match value {
                Rvalue::Ref(of) => unknown(*of),
                Rvalue::Closure(_, captures) => captures.iter().for_each(|(of, _)| unknown(*of)),
                _ => {}
            }
            match whole(places, *dst) {
                Some(id) => given.push((id, kind_of(value, places))),
                None => unknown(*dst),
            }
        }
        Statement::Call { dst, callee, .. } => {
            dst.iter().for_each(|dst| unknown(*dst));
            if let Callee::Method { receiver, .. } = callee {
                unknown(*receiver);
            }
        }
        Statement::Opaque { touches, .. } => touches.iter().for_each(|at| unknown(*at)),
        _ => {}
    }
}

fn kind_of(value: &Rvalue, places: &PlaceTable) -> Given {
    match value {
        Rvalue::Use(Operand::Const(_)) | Rvalue::Binary(..) | Rvalue::Compare(_) => Given::Number,
        Rvalue::Use(Operand::Copy(from) | Operand::Move(from)) => {
            whole(places, *from).map_or(Given::Unknown, Given::Local)
        }
        _ => Given::Unknown,
    }
}

/// The local that a place is, if it is no part of one.
fn whole(places: &PlaceTable, at: PlaceId) -> Option<LocalId> {
    match places[at].base {
        Base::Local(id) if places[at].proj.is_empty() => Some(id),
        _ => None,
    }
}

fn is_set(flags: &[bool], id: LocalId) -> bool {
    flags.get(id.0 as usize).copied().unwrap_or(false)
}

fn set(flags: &mut [bool], id: LocalId, to: bool) {
    if let Some(flag) = flags.get_mut(id.0 as usize) {
        *flag = to;
    }
}
