//! Conditions: deciding them, learning from them, and what judging a value says of resources.

use pipelint_ir::{BinOp, CmpOp, Name};
use pipelint_models::Sentinel;

use crate::event::{Event, EventKind, StepKind};
use crate::exec::{Exec, Outcome, number};
use crate::log::Action;
use crate::program::ClassRef;
use crate::state::{Fact, State, Status};
use crate::status::note_failures;
use crate::values::{Loc, Sym, Val, ValId};
use crate::words::speaks_of_nothing;

/// A union of flags: known bits, and flags whose value is not known.
#[derive(Default)]
struct Mask {
    bits: i128,
    names: Vec<ValId>,
}

impl Mask {
    fn within(&self, other: &Self) -> bool {
        self.bits & !other.bits == 0 && self.names.iter().all(|n| other.names.contains(n))
    }
}

pub(crate) fn negate(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Ne,
        CmpOp::Ne => CmpOp::Eq,
        CmpOp::Lt => CmpOp::Ge,
        CmpOp::Ge => CmpOp::Lt,
        CmpOp::Gt => CmpOp::Le,
        CmpOp::Le => CmpOp::Gt,
    }
}

fn mirror(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::Le => CmpOp::Ge,
        CmpOp::Ge => CmpOp::Le,
        same => same,
    }
}

pub(crate) fn holds(op: CmpOp, a: i128, b: i128) -> bool {
    match op {
        CmpOp::Eq => a == b,
        CmpOp::Ne => a != b,
        CmpOp::Lt => a < b,
        CmpOp::Le => a <= b,
        CmpOp::Gt => a > b,
        CmpOp::Ge => a >= b,
    }
}

/// Whether a fact decides `value op c`.
fn decide(fact: &Fact, op: CmpOp, c: i128) -> Option<bool> {
    match op {
        CmpOp::Eq if fact.exact() == Some(c) => Some(true),
        CmpOp::Eq if fact.excludes(c) => Some(false),
        CmpOp::Lt if fact.hi < c => Some(true),
        CmpOp::Lt if fact.lo >= c => Some(false),
        CmpOp::Le if fact.hi <= c => Some(true),
        CmpOp::Le if fact.lo > c => Some(false),
        CmpOp::Ne | CmpOp::Gt | CmpOp::Ge => decide(fact, negate(op), c).map(|b| !b),
        _ => None,
    }
}

/// Narrows a fact by `value op c`; false when nothing is left.
fn learn(fact: &mut Fact, op: CmpOp, c: i128) -> bool {
    match op {
        CmpOp::Eq => !fact.excludes(c) && fact.clamp(c, c),
        CmpOp::Ne => fact.exclude(c),
        CmpOp::Lt => fact.clamp(i128::MIN, c.saturating_sub(1)),
        CmpOp::Le => fact.clamp(i128::MIN, c),
        CmpOp::Gt => fact.clamp(c.saturating_add(1), i128::MAX),
        CmpOp::Ge => fact.clamp(c, i128::MAX),
    }
}

impl Exec<'_, '_> {
    /// The value of a comparison: decided, or a 0-or-1 that remembers what it compares.
    pub(crate) fn compare(&mut self, state: &mut State, op: CmpOp, a: ValId, b: ValId) -> ValId {
        self.note_comparison(state, op, a, b);
        self.codes_compared(state, a, b);
        if let Some(known) = self.decided(state, op, a, b) {
            self.mark_checked(state, op, a, b);
            return self.arena.int(i128::from(known));
        }
        self.cmp_val(op, a, b)
    }

    fn cmp_val(&mut self, op: CmpOp, a: ValId, b: ValId) -> ValId {
        // Only Eq and Lt are stored; the others are their negations, written `== 0`.
        match op {
            CmpOp::Eq | CmpOp::Lt => self.arena.val(Val::Cmp(op, a, b)),
            CmpOp::Gt => self.arena.val(Val::Cmp(CmpOp::Lt, b, a)),
            CmpOp::Ne | CmpOp::Ge | CmpOp::Le => {
                let positive = self.cmp_val(negate(op), a, b);
                let zero = self.arena.int(0);
                self.arena.val(Val::Cmp(CmpOp::Eq, positive, zero))
            }
        }
    }

    fn decided(&mut self, state: &State, op: CmpOp, a: ValId, b: ValId) -> Option<bool> {
        if a == b && !matches!(self.arena.get(a), Val::Str) {
            return Some(matches!(op, CmpOp::Eq | CmpOp::Le | CmpOp::Ge));
        }
        match (self.arena.as_int(a), self.arena.as_int(b)) {
            (Some(x), Some(y)) => Some(holds(op, x, y)),
            (None, Some(c)) => self.decide_against(state, op, a, c),
            (Some(c), None) => self.decide_against(state, mirror(op), b, c),
            (None, None)
                if made_and_borrowed(state, a, b)
                    || made_and_borrowed(state, b, a)
                    || self.made_and_given(state, a, b)
                    || self.made_and_given(state, b, a) =>
            {
                match op {
                    CmpOp::Eq => Some(false),
                    CmpOp::Ne => Some(true),
                    _ => None,
                }
            }
            (None, None)
                if self.is_nobody_elses(state, a, b) || self.is_nobody_elses(state, b, a) =>
            {
                match op {
                    CmpOp::Eq => Some(false),
                    CmpOp::Ne => Some(true),
                    _ => None,
                }
            }
            (None, None) if self.are_apart(a, b) => match op {
                CmpOp::Eq => Some(false),
                CmpOp::Ne => Some(true),
                _ => None,
            },
            (None, None) => {
                let v = self.cmp_val(op, a, b);
                self.decide_against(state, CmpOp::Ne, v, 0)
            }
        }
    }

    /// A live handle that this path made and gave to nobody is none that the caller had before.
    fn made_and_given(&self, state: &State, made: ValId, given: ValId) -> bool {
        let Some(res) = state.res.get(made) else {
            return false;
        };
        let plain = matches!(self.arena.get(given), Val::Sym(Sym::Load { loc, .. })
            if matches!(self.arena.get_loc(*loc), Loc::Local(_)));
        plain
            && self.is_given(given)
            && !res.escaped
            && !res.adopted
            && res.status == Status::Open
            && self.outcome(state, made, res) == Outcome::Succeeded
    }

    /// A constant whose definition is out of sight, and whose name does not speak of success; or the
    /// negation of one.
    pub(crate) fn is_named_error(&self, v: ValId) -> bool {
        match self.arena.get(v) {
            Val::Named(name) => !speaks_of_nothing(name),
            Val::Bin(BinOp::Sub, a, b) if self.arena.as_int(*a) == Some(0) => {
                matches!(self.arena.get(*b), Val::Named(name) if !speaks_of_nothing(name))
            }
            _ => false,
        }
    }

    fn decide_against(&self, state: &State, op: CmpOp, v: ValId, c: i128) -> Option<bool> {
        let fact = match self.arena.get(v) {
            Val::Cmp(..) => {
                let mut fact = state.facts.get(v).cloned().unwrap_or_default();
                fact.clamp(0, 1);
                fact
            }
            _ if c == 0 && self.is_named_error(v) => {
                return match op {
                    CmpOp::Eq => Some(false),
                    CmpOp::Ne => Some(true),
                    _ => None,
                };
            }
            Val::Ptr(_) | Val::Str | Val::Function(_) => {
                return match (op, c) {
                    (CmpOp::Eq, 0 | -1) => Some(false),
                    (CmpOp::Ne, 0 | -1) => Some(true),
                    _ => None,
                };
            }
            Val::Bin(BinOp::BitAnd, x, mask) => {
                let mut fact = state.facts.get(v).cloned().unwrap_or_default();
                self.implied_by_masks(state, *x, *mask, &mut fact)?;
                fact
            }
            _ => state.facts.get(v)?.clone(),
        };
        decide(&fact, op, c)
    }

    /// What other masks of the same flags say: `x & (A|B)` being 0 makes `x & A` 0, and `x & A` not
    /// being 0 makes `x & (A|B)` not 0. None when that contradicts the fact.
    fn implied_by_masks(
        &self,
        state: &State,
        x: ValId,
        mask: ValId,
        fact: &mut Fact,
    ) -> Option<()> {
        let wanted = self.mask(mask);
        for (v, known) in state.facts.iter() {
            let Val::Bin(BinOp::BitAnd, y, other) = self.arena.get(v) else {
                continue;
            };
            if *y != x || *other == mask {
                continue;
            }
            let other = self.mask(*other);
            let fits = if known.exact() == Some(0) && wanted.within(&other) {
                fact.clamp(0, 0)
            } else if known.excludes(0) && other.within(&wanted) {
                fact.exclude(0)
            } else {
                true
            };
            if !fits {
                return None;
            }
        }
        Some(())
    }

    /// A union of flags has the one of this name.
    pub(crate) fn has_flag(&self, v: ValId, name: &str) -> bool {
        let mask = self.mask(v);
        let bit = self.program.constant(self.unit, name);
        let named = |n: &ValId| matches!(self.arena.get(*n), Val::Named(of) if of == name);
        bit.is_some_and(|bit| bit != 0 && mask.bits & bit == bit) || mask.names.iter().any(named)
    }

    /// The flags a value is the union of.
    fn mask(&self, v: ValId) -> Mask {
        let mut mask = Mask::default();
        let mut todo = vec![v];
        while let Some(v) = todo.pop() {
            match self.arena.get(v) {
                Val::Int(bits) => mask.bits |= bits,
                Val::Bin(BinOp::BitOr, a, b) => todo.extend([*a, *b]),
                _ => mask.names.push(v),
            }
        }
        mask
    }

    /// Makes `a op b` have this truth; false when it cannot on this path.
    pub(crate) fn assume(
        &mut self,
        state: &mut State,
        op: CmpOp,
        a: ValId,
        b: ValId,
        truth: bool,
    ) -> bool {
        let step = Some(StepKind::Branch(truth));
        self.assume_step(state, op, a, b, truth, step)
    }

    /// As `assume`, at an arm of a switch: the step names the arm; none for all the others.
    pub(crate) fn assume_as(
        &mut self,
        state: &mut State,
        op: CmpOp,
        a: ValId,
        b: ValId,
        truth: bool,
        arm: Option<Option<Name>>,
    ) -> bool {
        self.assume_step(state, op, a, b, truth, arm.map(StepKind::Case))
    }

    fn assume_step(
        &mut self,
        state: &mut State,
        op: CmpOp,
        a: ValId,
        b: ValId,
        truth: bool,
        step: Option<StepKind>,
    ) -> bool {
        if truth {
            self.note_comparison(state, op, a, b);
        }
        self.kept_for_its_number(state, a, b);
        let op = if truth { op } else { negate(op) };
        if op == CmpOp::Eq && self.believed_failed(state, a, b) {
            return false;
        }
        if let Some(known) = self.decided(state, op, a, b) {
            if known {
                self.mark_checked(state, op, a, b);
            }
            return known;
        }
        match step {
            Some(step) if self.is_callers_condition(a, b) => state.step_given(self.span, step),
            Some(step) => state.step(self.span, step, None),
            None => {}
        }
        let feasible = match (self.arena.as_int(a), self.arena.as_int(b)) {
            (None, Some(c)) => self.learn(state, op, a, c),
            (Some(c), None) => self.learn(state, mirror(op), b, c),
            _ => {
                let v = self.cmp_val(op, a, b);
                self.learn(state, CmpOp::Ne, v, 0) && self.learn_from_name(state, op, a, b)
            }
        };
        if feasible {
            if let (None, Some(c), CmpOp::Eq | CmpOp::Ne) =
                (self.arena.as_int(a), self.arena.as_int(b), op)
            {
                self.asks_memory(state, a, c, op == CmpOp::Eq);
            }
            self.lock_answered(state);
            self.escape_tested_elements(state, a, b);
            self.note_last_owner(state, op, a, b);
        }
        let feasible = feasible && self.learn_from_success(state, a, b);
        if feasible {
            self.mark_checked(state, op, a, b);
            self.remember_facts(state, a, b);
            if self.is_callers_condition(a, b) {
                let span = self.span;
                self.record(state, Action::Assume { op, a, b, span });
            }
        }
        feasible
    }

    /// The value of a comparison that a called function made: decided here, if it can be.
    pub(crate) fn decided_or_cmp(&mut self, state: &State, op: CmpOp, a: ValId, b: ValId) -> ValId {
        match self.decided(state, op, a, b) {
            Some(known) => self.arena.int(i128::from(known)),
            None => self.cmp_val(op, a, b),
        }
    }

    /// As `assume`, for what a call's outcome means: no condition of the program was seen.
    pub(crate) fn learn_quietly(
        &mut self,
        state: &mut State,
        op: CmpOp,
        v: ValId,
        c: ValId,
        truth: bool,
    ) -> bool {
        let op = if truth { op } else { negate(op) };
        match self.arena.as_int(c) {
            Some(c) => self.learn(state, op, v, c),
            None => true,
        }
    }

    /// Learns `v op c`, and through a comparison's result what it compared.
    fn learn(&mut self, state: &mut State, op: CmpOp, v: ValId, c: i128) -> bool {
        let mut fact = state.facts.get(v).cloned().unwrap_or_default();
        let comparison = match *self.arena.get(v) {
            Val::Cmp(op, a, b) => Some((op, a, b)),
            _ => None,
        };
        if comparison.is_some() && !fact.clamp(0, 1) {
            return false;
        }
        if !learn(&mut fact, op, c) {
            return false;
        }
        // A call that fails with -1 returns no other negative number.
        let minus_one = state.res.get(v).is_some_and(|res| {
            matches!(
                res.failure,
                Some(Sentinel::MinusOne | Sentinel::InvalidSocket)
            )
        });
        if minus_one && fact.hi < 0 && !learn(&mut fact, CmpOp::Eq, -1) {
            return false;
        }
        let exact = fact.exact();
        state.facts.insert(v, fact);
        if let (Some((op, a, b)), Some(exact)) = (comparison, exact) {
            let op = if exact == 0 { negate(op) } else { op };
            if let Some(known) = self.decided_plain(state, op, a, b) {
                return known;
            }
            return match (self.arena.as_int(a), self.arena.as_int(b)) {
                (None, Some(c)) => self.learn(state, op, a, c),
                (Some(c), None) => self.learn(state, mirror(op), b, c),
                _ => true,
            };
        }
        true
    }

    /// As `decided`, without looking the comparison itself up.
    fn decided_plain(&self, state: &State, op: CmpOp, a: ValId, b: ValId) -> Option<bool> {
        match (self.arena.as_int(a), self.arena.as_int(b)) {
            (Some(x), Some(y)) => Some(holds(op, x, y)),
            (None, Some(c)) => self.decide_against(state, op, a, c),
            (Some(c), None) => self.decide_against(state, mirror(op), b, c),
            (None, None) => None,
        }
    }

    /// After a condition on `a` and `b`: creations whose outcome it decided are judged.
    fn mark_checked(&mut self, state: &mut State, op: CmpOp, a: ValId, b: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        let judged: Vec<ValId> = state
            .res
            .iter()
            .filter(|(v, res)| parts.contains(v) || parts.contains(&res.judge))
            .map(|(v, _)| v)
            .collect();
        for v in judged {
            let Some(res) = state.res.get(v) else {
                continue;
            };
            let outcome = self.outcome(state, v, res);
            // A status is judged by any look at it; a handle by one that decides.
            let decided = res.judge != v || outcome != Outcome::Maybe;
            let created = res.created;
            let span = self.span;
            let memory = self.is_plain_memory(&res.kind);
            if let Some(res) = state.res.get_mut(v) {
                if decided {
                    res.checked = true;
                }
                if outcome == Outcome::Failed && res.failed_at.is_none() && !memory {
                    res.failed_at = Some(span);
                }
            }
            self.settle_move(state, v, outcome);
            // `fd < 0` looks for -1, `fd == 0` does not.
            let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
            if decided && !(equality && self.is_foreign_comparison(state, v, a, b)) {
                self.found.compared_rightly(created);
            }
        }
        let outs: Vec<ValId> = state
            .failed_outs
            .iter()
            .filter(|(_, out)| parts.contains(&out.judge))
            .map(|(v, _)| v)
            .collect();
        for v in outs {
            let span = self.span;
            if let Some(out) = state.failed_outs.get_mut(v) {
                out.checked = true;
                out.failed_at = out.failed_at.or(Some(span));
            }
        }
        let span = self.span;
        state.failed_fields.change(
            |_, field| parts.contains(&field.out.judge),
            |field| {
                field.out.checked = true;
                field.failed_at = field.failed_at.or(Some(span));
            },
        );
        note_failures(state, &parts);
        self.judge_error(state, &parts);
        self.judge_io(state, a, b, &parts);
        self.judge_operations(state, &parts);
        self.judge_counted(state, &parts);
        // `GetLastError() == 0` right after a creation judges it too.
        let against_zero = self.arena.as_int(b) == Some(0) || self.arena.as_int(a) == Some(0);
        let told: Vec<ValId> = state
            .errors
            .iter()
            .filter(|(v, _)| against_zero && parts.contains(v))
            .map(|(_, made)| *made)
            .collect();
        for made in told {
            if let Some(res) = state.res.get_mut(made) {
                res.checked = true;
                let created = res.created;
                self.found.compared_rightly(created);
            }
        }
        self.note_names_held(state, a, b);
        self.note_field_tests(state, &parts);
    }

    /// `GetLastError() == ERROR_ALREADY_EXISTS` after a named object was made: it is there for its name,
    /// which the process holds until it ends.
    fn note_names_held(&self, state: &mut State, a: ValId, b: ValId) {
        for (error, code) in [(a, b), (b, a)] {
            let Some(&made) = state.errors.get(error) else {
                continue;
            };
            let Some(res) = state.res.get(made) else {
                continue;
            };
            let model = self.program.models.function(&res.api);
            let exists = model.and_then(|m| m.acquires.iter().find_map(|a| a.exists.as_ref()));
            let exists = exists.and_then(|name| self.program.constant(self.unit, name));
            if exists.is_some()
                && self.arena.as_int(code) == exists
                && let Some(res) = state.res.get_mut(made)
            {
                res.escaped = true;
            }
        }
    }

    /// A comparison with a value the creation never yields decides nothing about its failure.
    fn is_foreign_comparison(&self, state: &State, v: ValId, a: ValId, b: ValId) -> bool {
        let Some(failure) = state.res.get(v).and_then(|r| r.failure) else {
            return false;
        };
        let other = if a == v { b } else { a };
        self.arena
            .as_int(other)
            .is_some_and(|c| matches!(c, 0 | -1) && c != number(failure))
    }

    /// Fields of the object that a condition looks at, with a value from before this method.
    fn note_field_tests(&mut self, state: &State, parts: &[ValId]) {
        if self.function.kind == pipelint_ir::FunctionKind::Destructor {
            return;
        }
        for part in parts {
            if state.res.get(*part).is_some() {
                continue;
            }
            if let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(*part)
                && let Loc::Field(parent, field) = self.arena.get_loc(*loc)
            {
                if *self.arena.get_loc(*parent) != Loc::SelfObj
                    && let (Some(own), Some(path)) = (self.own_class(), self.own_path(*loc))
                {
                    self.found.tested.insert((Some(own), path));
                }
                let class = match self.arena.get_loc(*parent) {
                    Loc::SelfObj => self.own_class(),
                    _ => self.class_of(*parent),
                };
                let class = match (class, self.inside_of()) {
                    // The object may be a part of one whose type is not in sight; what the method
                    // calls was seen when it was run itself.
                    (None, Some(callees)) => match self.program.declarer(callees, field) {
                        Some(_) => Some(callees),
                        None => continue,
                    },
                    (class, _) => class,
                };
                if class != self.own_class() && self.hears_of_the_test() {
                    self.found.tested_outside.insert((class, field.clone()));
                }
                self.found.tested.insert((class, field.clone()));
            }
        }
    }

    /// What is being replayed can tell this function what its test said: it is no end of an object,
    /// and has a result that is not the object.
    fn hears_of_the_test(&self) -> bool {
        let callee = self.inside.map(|f| self.program.function(f));
        self.ending == 0
            && callee.is_none_or(|f| {
                // An operator that yields its own object tells nothing.
                let class = f.class.as_deref().map(crate::program::last);
                let own = f.ret.reference != pipelint_ir::Reference::None
                    && class == Some(crate::program::last(&f.ret.name));
                f.kind != pipelint_ir::FunctionKind::Destructor && &*f.ret.name != "void" && !own
            })
    }

    /// The class of the method that is being replayed.
    pub(crate) fn inside_of(&self) -> Option<ClassRef> {
        let callee = self.inside?;
        let name = self.program.function(callee).class.as_ref()?;
        self.program.class_ref(callee.0, name)
    }

    /// The class of the method being run.
    pub(crate) fn own_class(&self) -> Option<ClassRef> {
        let name = self.function.class.as_ref()?;
        self.program.class_ref(self.unit, name)
    }

    /// The class a location's declared type names, for `p->` with a typed local `p`.
    pub(crate) fn class_of(&self, loc: crate::values::LocId) -> Option<ClassRef> {
        let Loc::Deref(v) = self.arena.get_loc(loc) else {
            return None;
        };
        if let Some(class) = self.pointees.get(v) {
            return Some(*class);
        }
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(*v) else {
            return None;
        };
        let Loc::Local(l) = self.arena.get_loc(*loc) else {
            return None;
        };
        let name = &self.function.locals.get(l.0 as usize)?.ty.name;
        self.program.class_ref(self.unit, name)
    }

    /// The branch on which a creation's result equals a value that the writer takes for failure,
    /// wrongly: the comparison is told; what the branch does with it is not what was meant.
    fn believed_failed(&self, state: &State, a: ValId, b: ValId) -> bool {
        let (v, c) = match (self.arena.as_int(a), self.arena.as_int(b)) {
            (None, Some(c)) => (a, c),
            (Some(c), None) => (b, c),
            _ => return false,
        };
        let res = state.res.get(v).filter(|r| !r.checked);
        res.and_then(|r| r.failure)
            .is_some_and(|f| c != number(f) && matches!(c, 0 | -1))
    }

    /// A descriptor is compared with more than its failure value: it may be one of the standard
    /// streams, or be held open for its number.
    fn kept_for_its_number(&mut self, state: &mut State, a: ValId, b: ValId) {
        for (v, other) in [(a, b), (b, a)] {
            if matches!(self.arena.as_int(other), Some(0 | -1)) {
                continue;
            }
            // `value == S::sentinel()`: what the caller gave is judged by what nobody sees here.
            let unseen = matches!(
                self.arena.get(other),
                Val::Sym(Sym::Call { .. } | Sym::Inner { .. })
            );
            if unseen && self.is_rust() && self.is_parameter(v) {
                self.record(state, Action::Escape(v));
            }
            if let Some(res) = state.res.get_mut(v)
                && &*res.kind == "file-descriptor"
            {
                res.escaped = true;
                res.home = None;
            }
        }
    }

    /// Records a comparison of a creation's result with a value it never yields on failure.
    fn note_comparison(&mut self, state: &mut State, op: CmpOp, a: ValId, b: ValId) {
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return;
        }
        self.note_wait_comparison(state, a, b);
        self.judge_counts(state, a, b);
        let (v, c) = match (self.arena.as_int(a), self.arena.as_int(b)) {
            (None, Some(c)) => (a, c),
            (Some(c), None) => (b, c),
            _ => return,
        };
        let Some(res) = state.res.get(v) else { return };
        let Some(failure) = res.failure else { return };
        if c == number(failure) {
            let created = res.created;
            self.found.compared_rightly(created);
            return;
        }
        let compared = match (c, failure) {
            (0, Sentinel::InvalidHandle | Sentinel::InvalidSocket | Sentinel::MinusOne) => "NULL",
            (-1, Sentinel::Null) => "INVALID_HANDLE_VALUE",
            _ => return,
        };
        if res.escaped && res.checked {
            return;
        }
        let created = res.created;
        let resource = Some(self.resource(res));
        let path = self.path(state, Some(v), StepKind::Compared(compared.into()));
        self.found.compared_wrongly(
            created,
            Event {
                kind: EventKind::WrongFailureValue {
                    compared: compared.into(),
                },
                at: self.at(),
                function: self.function.name.clone(),
                resource,
                path,
                others: Vec::new(),
            },
        );
    }
}

/// A handle that this path made and gave to nobody is none that a call like `GetCurrentProcess`
/// yields.
fn made_and_borrowed(state: &State, made: ValId, borrowed: ValId) -> bool {
    state.pseudo.get(borrowed).is_some() && state.res.get(made).is_some_and(|res| !res.escaped)
}
