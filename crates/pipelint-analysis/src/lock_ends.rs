//! Functions that are left with a lock held.
//!
//! A function may take a lock for its caller. So more has to be seen: on another way out it gives the lock
//! back and says the same, or says that all went well where this way says that it failed; or nobody else can
//! give it back: it was made here, a guard that never ends holds it, or it is a private part of the object, and
//! no code in sight gives it back for others.

use pipelint_ir::{Base, Name, Operand, Proj, Reference, Rvalue, Statement, Type};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::collect::Findings;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::{Exec, number};
use crate::lock_fault::LockFault;
use crate::lockset::Hold;
use crate::program::{ClassRef, FnRef};
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};
use crate::words::has_word;

/// A lock by the class whose part it is, or a global one.
pub(crate) type LockKey = (Option<ClassRef>, Name);

/// What an end of a function says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Says {
    Nothing,
    Number(i128),
    /// A resource of this kind.
    Made(Name),
    /// What is not known.
    Something,
    /// An exception.
    Throws,
}

/// How one way out leaves the locks.
#[derive(Debug)]
pub(crate) struct LockEnd {
    says: Says,
    held: Vec<Left>,
    freed: Vec<LocId>,
}

/// A lock that is held at an end.
#[derive(Debug)]
struct Left {
    loc: LocId,
    taken: (Name, Span),
    made: bool,
    forgotten: bool,
    by: Option<FnRef>,
    path: Vec<PathStep>,
}

/// What functions do to locks, to be joined.
#[derive(Debug, Default)]
pub(crate) struct KeptLocks {
    /// Locks that a function gives back for its callers.
    given_back: Vec<LockKey>,
    /// Faults that stand if nobody does.
    pub(crate) faults: Vec<(Event, LockKey)>,
}

/// The faults that other functions had to settle.
pub(crate) fn kept(all: &mut [Findings]) -> Vec<Event> {
    let mut given_back: FxHashSet<LockKey> = FxHashSet::default();
    let mut faults = Vec::new();
    for found in all {
        given_back.extend(found.locks.given_back.drain(..));
        faults.append(&mut found.locks.faults);
    }
    faults.retain(|(_, key)| !given_back.contains(key));
    faults.into_iter().map(|(event, _)| event).collect()
}

impl Exec<'_, '_> {
    /// The function is left here.
    pub(crate) fn note_lock_end(&mut self, state: &State, value: Option<ValId>, throws: bool) {
        self.is_left = true;
        for (loc, hold) in state.locks.iter() {
            if hold.count == 0
                && let Some(key) = self.lock_key(loc)
            {
                self.found.locks.given_back.push(key);
            }
        }
        if self.alone || self.is_entry_point() {
            return;
        }
        let held: Vec<(LocId, Hold)> = state
            .locks
            .iter()
            .filter(|(_, hold)| hold.count > 0 && !hold.callers && !hold.doubtful)
            .filter(|(loc, _)| !self.is_handed_on(state, *loc, value))
            // A guard gives it back, wherever it is by now.
            .filter(|(_, hold)| !hold.guarded || hold.forgotten)
            .map(|(loc, hold)| (loc, hold.clone()))
            .collect();
        let left = held.into_iter().map(|(loc, hold)| {
            let taken = hold.taken;
            let about = self.arena.val(Val::Ptr(loc));
            let mut path = state.path(Some(about), Some(taken.1));
            path.push(PathStep {
                span: self.span,
                what: StepKind::Left,
            });
            Left {
                loc,
                taken,
                made: state.made_locks.get(loc).is_some(),
                forgotten: hold.forgotten,
                by: hold.by,
                path,
            }
        });
        let held: Vec<Left> = left.collect();
        let freed: Vec<LocId> = state.given_locks.iter().map(|(loc, ())| loc).collect();
        if held.is_empty() && freed.is_empty() {
            return;
        }
        let says = match value.map(|v| (self.arena.as_int(v), v)) {
            _ if throws => Says::Throws,
            None => Says::Nothing,
            Some((Some(n), _)) => Says::Number(n),
            Some((None, v)) => match state.facts.get(v).and_then(crate::state::Fact::exact) {
                Some(n) => Says::Number(n),
                None => match state.res.get(v).filter(|res| !res.kind.is_empty()) {
                    Some(res) => Says::Made(res.kind.clone()),
                    None => Says::Something,
                },
            },
        };
        self.lock_ends.push(LockEnd { says, held, freed });
    }

    /// The type of a location, where its declarations or what its pointer was put into tell it.
    fn type_told(&self, loc: LocId) -> Option<Type> {
        match self.arena.get_loc(loc) {
            Loc::Deref(v) => match self.loc_type(loc).filter(|ty| ty.name != "void") {
                Some(ty) => Some(ty),
                None => {
                    let class = self.pointees.get(v).or_else(|| self.shown.get(v))?;
                    let class = self.program.class_at(*class);
                    Some(Type::named(class.name.clone()))
                }
            },
            Loc::Field(parent, name) => {
                let ty = self.type_told(*parent)?;
                let step = Proj::Field(name.clone());
                self.program.part_type(self.unit, self.scope(), ty, &step)
            }
            _ => self.loc_type(loc),
        }
    }

    /// Which class's lock it is, or which global one.
    pub(crate) fn lock_key(&self, loc: LocId) -> Option<LockKey> {
        match self.arena.get_loc(loc) {
            Loc::Global(name) => {
                // A static member, or a field of the object that a lambda has captured.
                let class = self.function.class.as_ref();
                let class = class.and_then(|class| self.program.class_ref(self.unit, class));
                let class = class.and_then(|class| self.program.declaring(class, name));
                // A file's own one is no other file's.
                let mut own = self.program.units[self.unit].globals.iter();
                let own = class.is_none() && own.any(|g| g.internal && g.name == *name);
                match own {
                    true => Some((None, Name::new(format!("#{}::{name}", self.unit)))),
                    false => Some((class, name.clone())),
                }
            }
            Loc::Field(parent, name) => {
                let class = |ty: &Type| {
                    let ty = self.program.resolve(ty);
                    self.program.class_ref_in(self.unit, self.scope(), &ty.name)
                };
                let known = self.type_told(*parent).and_then(|ty| class(&ty));
                let class = known.or_else(|| class(&self.seen_as(*parent)?))?;
                let class = self.program.declaring(class, name).unwrap_or(class);
                Some((Some(class), name.clone()))
            }
            // Through a pointer that is kept: the pointer names it.
            Loc::Deref(v) => match self.arena.get(*v) {
                Val::Sym(Sym::Load { loc, .. }) => self.lock_key(*loc),
                _ => None,
            },
            _ => None,
        }
    }

    /// What an untyped pointer that the function was given leads to: the one type that it is converted to.
    fn seen_as(&self, object: LocId) -> Option<Type> {
        let Loc::Deref(v) = self.arena.get_loc(object) else {
            return None;
        };
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(*v) else {
            return None;
        };
        let Loc::Local(given) = *self.arena.get_loc(*loc) else {
            return None;
        };
        let stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        let mut types = stmts.filter_map(|stmt| match stmt {
            Statement::Assign {
                value: Rvalue::Cast(ty, Operand::Copy(of) | Operand::Move(of)),
                ..
            } => {
                let of = &self.function.places[*of];
                (of.base == Base::Local(given) && of.proj.is_empty()).then_some(&**ty)
            }
            _ => None,
        });
        let first = types.next().filter(|ty| ty.pointers == 1)?;
        types.all(|ty| ty == first).then(|| Type {
            pointers: 0,
            ..first.clone()
        })
    }

    /// Looks at all ways out.
    pub(crate) fn tell_kept_locks(&mut self) {
        let ends = std::mem::take(&mut self.lock_ends);
        let owed = std::mem::take(&mut self.locks_owed);
        if !self.is_left {
            // A thread's loop gives it back for others, and never ends.
            self.found.locks.given_back.extend(owed);
        }
        let hands_on = has_word(
            &self.function.name,
            &[
                "lock", "acquire", "enter", "begin", "take", "grab", "hold", "start", "open",
                "get", "trylock",
            ],
        );
        let mut told: FxHashSet<Span> = FxHashSet::default();
        for end in &ends {
            for left in &end.held {
                if told.contains(&left.taken.1) {
                    continue;
                }
                let others = ends.iter().filter(|e| {
                    e.freed.contains(&left.loc) && e.held.iter().all(|l| l.loc != left.loc)
                });
                // Another way says the same, or this one that it failed where the other did not.
                let (mut same, mut fails) = (false, false);
                // No caller can tell two ways apart that return one number.
                let mut alike = false;
                for other in others {
                    same |= end.says == other.says && end.says != Says::Throws;
                    alike |= end.says == other.says && matches!(end.says, Says::Number(_));
                    fails |= match (&end.says, &other.says) {
                        (a, b) if a == b => false,
                        (Says::Throws, _) => true,
                        (Says::Number(a), Says::Number(b)) => {
                            self.is_failure(*a) && !self.is_failure(*b)
                        }
                        (Says::Number(a), Says::Something) => self.is_failure(*a),
                        (Says::Number(a), Says::Made(kind)) => {
                            self.is_failure(*a) || self.is_none_of(kind, *a)
                        }
                        _ => false,
                    };
                }
                let own = self.way_to(left.loc).is_some_and(|(root, _)| {
                    matches!(self.arena.get_loc(root), Loc::Local(l) if l.0 >= self.function.params)
                });
                let private = || self.is_private_lock(left.loc);
                let key = self.lock_key(left.loc);
                let alone = left.forgotten || (left.made && own);
                if !alone && !fails && !alike && (hands_on || !(same || private())) {
                    continue;
                }
                told.insert(left.taken.1);
                let fault = LockFault::Kept {
                    lock: self.lock_name(left.loc),
                    api: left.taken.0.clone(),
                    elsewhere: same || fails,
                    forgotten: left.forgotten,
                    by: left.by.map(|f| self.program.function(f).name.clone()),
                };
                let event = Event {
                    kind: EventKind::Lock(fault),
                    at: left.taken.1,
                    function: self.function.name.clone(),
                    resource: None,
                    path: left.path.clone(),
                    others: Vec::new(),
                };
                match key {
                    Some(key) if !(left.made && own) => {
                        self.found.locks.faults.push((event, key));
                    }
                    _ => self.found.add(event),
                }
            }
        }
    }

    /// The caller gets a pointer to the lock: whoever has it gives the lock back.
    fn is_handed_on(&self, state: &State, lock: LocId, value: Option<ValId>) -> bool {
        let leads = |v: ValId| *self.arena.get(v) == Val::Ptr(lock);
        let mut env = state.env.iter();
        value.is_some_and(leads) || env.any(|(loc, v)| leads(*v) && self.is_callers(loc))
    }

    /// A value that no resource of the kind has.
    fn is_none_of(&self, kind: &str, n: i128) -> bool {
        let kind = self.program.models.resource(kind);
        kind.is_some_and(|kind| kind.empty.iter().any(|empty| number(*empty) == n))
    }

    /// A number by which a function says that it failed.
    fn is_failure(&self, n: i128) -> bool {
        let ty = self.program.resolve(&self.function.ret);
        let pointer = ty.pointers > 0 || ty.reference != Reference::None;
        let boolean = matches!(&*ty.name, "bool" | "BOOL" | "BOOLEAN" | "gboolean");
        match (
            pointer || boolean,
            self.program.models.is_handle_type(&ty.name),
        ) {
            (true, _) => n == 0,
            (_, true) => matches!(n, -1 | 0),
            _ => n < 0,
        }
    }

    /// Only the class's own code can name it.
    fn is_private_lock(&self, loc: LocId) -> bool {
        let Loc::Field(parent, name) = self.arena.get_loc(loc) else {
            return false;
        };
        if *self.arena.get_loc(*parent) != Loc::SelfObj {
            return false;
        }
        let class = self.function.class.as_deref();
        let class = class.and_then(|class| self.program.class(self.unit, class));
        class.is_some_and(|class| class.fields.iter().any(|f| f.name == *name && f.is_private))
    }
}
