//! Who looks at an error that a field keeps: reads of the field in a function, through copies, pointers and tags.

use pipelint_ir::{
    Base, Cond, Const, Function, LocalKind, Mark, Name, Operand, Place, PlaceId, Proj, Reference,
    Rvalue, Statement, Terminator, Type,
};
use rustc_hash::FxHashSet;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::contexts::place_of;
use crate::kept_errors::{Kept, variable};
use crate::program::{FnRef, Program};
use crate::rust::{TAG, type_of};

/// How far a field's value is followed from variable to variable.
pub(crate) const COPIES: u32 = 3;

/// Whether a function may look at the error that is kept, or shows it to others.
pub(crate) fn asks_for(program: &Program<'_>, f: FnRef, kept: &Kept) -> bool {
    let function = program.function(f);
    let mut asker = Asker {
        program,
        f,
        function,
        kept,
        values: FxHashSet::default(),
        pointers: FxHashSet::default(),
        tags: Vec::new(),
        asks: false,
    };
    for _ in 0..COPIES {
        let before = asker.values.len() + asker.pointers.len();
        asker.tags.clear();
        asker.look();
        if asker.asks {
            return true;
        }
        if asker.values.len() + asker.pointers.len() == before {
            return false;
        }
    }
    // Followed no further.
    true
}

/// Looks for the reads of a field in a function.
struct Asker<'p, 'm> {
    program: &'p Program<'m>,
    f: FnRef,
    function: &'p Function,
    kept: &'p Kept,
    /// Variables that hold what the field held, and that point to it.
    values: FxHashSet<u32>,
    pointers: FxHashSet<u32>,
    /// What its tag is compared with.
    tags: Vec<Const>,
    asks: bool,
}

impl Asker<'_, '_> {
    fn look(&mut self) {
        for block in &self.function.blocks {
            for stmt in &block.stmts {
                self.statement(stmt);
            }
            match &block.term {
                Terminator::Branch { cond, .. } => self.condition(cond),
                term => visit_term_reads(term, |place| self.asks |= self.is_taken(place)),
            }
        }
    }

    fn statement(&mut self, stmt: &Statement) {
        match stmt {
            Statement::Drop { .. } => {}
            Statement::Mark(Mark::Shown(place)) => {
                self.asks |= self.part(*place).is_some_and(|rest| self.is_error(&rest));
            }
            Statement::Assign { dst, value } => match value {
                Rvalue::Use(of) => {
                    let Some(place) = place_of(of) else { return };
                    if let Some(rest) = self.part(place) {
                        self.copied(*dst, &rest);
                    } else if self.is_pointer(place) {
                        match self.temporary(*dst) {
                            Some(pointer) => _ = self.pointers.insert(pointer),
                            None => self.asks = true,
                        }
                    }
                }
                Rvalue::Ref(of) => {
                    if let Some(rest) = self.part(*of) {
                        match self.temporary(*dst) {
                            Some(pointer) if rest.is_empty() => {
                                self.pointers.insert(pointer);
                            }
                            _ => self.asks |= self.is_error(&rest),
                        }
                    }
                }
                Rvalue::Compare(cond) => self.condition(cond),
                _ => visit_reads(stmt, |place| self.asks |= self.is_taken(place)),
            },
            Statement::Assert(cond) => self.condition(cond),
            _ => visit_reads(stmt, |place| self.asks |= self.is_taken(place)),
        }
    }

    /// What the field holds, or a pointer to it, goes somewhere.
    fn is_taken(&self, place: PlaceId) -> bool {
        self.part(place).is_some() || self.is_pointer(place)
    }

    fn is_pointer(&self, place: PlaceId) -> bool {
        variable(self.function, place).is_some_and(|l| self.pointers.contains(&l))
    }

    /// A variable without a name, which no text can show.
    fn temporary(&self, place: PlaceId) -> Option<u32> {
        let variable = variable(self.function, place)?;
        let local = self.function.locals.get(variable as usize)?;
        (local.kind == LocalKind::Temp).then_some(variable)
    }

    /// What stands in the field, or in a part of it, is put elsewhere.
    fn copied(&mut self, dst: PlaceId, rest: &[Proj]) {
        match self.temporary(dst) {
            Some(value) if rest.is_empty() => {
                self.values.insert(value);
            }
            // Back to where it was.
            None if rest.is_empty() && self.part(dst).is_some_and(|rest| rest.is_empty()) => {}
            None if rest.is_empty() => self.asks = true,
            _ => self.asks |= self.is_error(rest) || is_tag(rest),
        }
    }

    fn condition(&mut self, cond: &Cond) {
        for (one, other) in [(&cond.lhs, &cond.rhs), (&cond.rhs, &cond.lhs)] {
            let Some(rest) = place_of(one).and_then(|place| self.part(place)) else {
                continue;
            };
            match other {
                Operand::Const(tag) if is_tag(&rest) => self.asks_tag(tag),
                _ => self.asks = true,
            }
        }
    }

    /// Whether what is kept is an error: who tells one error from no error acts on it.
    fn asks_tag(&mut self, tag: &Const) {
        let Some((_, error)) = &self.kept.part else {
            self.asks = true;
            return;
        };
        // An `Option` and a `Result` have two variants: each question tells them apart.
        let two = matches!(error, Const::Int(0 | 1));
        if !self.tags.contains(tag) {
            self.tags.push(tag.clone());
        }
        self.asks |= two || tag == error || self.tags.len() > 1;
    }

    /// What is asked for behind the field, if a place is the field or a part of it.
    fn part(&self, place: PlaceId) -> Option<Vec<Proj>> {
        let place = &self.function.places[place];
        if let Base::Local(l) = place.base {
            if self.values.contains(&l.0) {
                return Some(place.proj.to_vec());
            }
            if self.pointers.contains(&l.0) {
                let (Proj::Deref, rest) = place.proj.split_first()? else {
                    return None;
                };
                return Some(rest.to_vec());
            }
        }
        let (class, field) = &self.kept.field;
        let (n, _) = place.proj.iter().enumerate().find(|(n, step)| {
            let named = matches!(step, Proj::Field(name) if name == field);
            named && self.is_of(class, place, *n)
        })?;
        Some(place.proj[n + 1..].to_vec())
    }

    /// The object before a step may be one of the class.
    fn is_of(&self, class: &Name, place: &Place, n: usize) -> bool {
        let object = Place {
            base: place.base.clone(),
            proj: place.proj[..n].to_vec(),
        };
        let ty = self.type_of(&object);
        let Some(ty) = ty.filter(|ty| !matches!(&*ty.name, "" | "?" | "auto" | "_")) else {
            return true;
        };
        let name = &self.program.resolve(&ty).name;
        let known = self
            .program
            .class_named(self.f.0, &self.function.name, name);
        known.is_none_or(|known| known.name == *class)
    }

    /// The declared type of a place; a shared pointer leads to what it is of.
    fn type_of(&self, place: &Place) -> Option<Type> {
        let base = Place {
            base: place.base.clone(),
            proj: Vec::new(),
        };
        let mut ty = self
            .program
            .place_type(self.f.0, self.function, &base, &|_| None)?;
        for step in &place.proj {
            let shared = matches!(&*ty.name, "std::sync::Arc" | "std::rc::Rc");
            ty = match (step, ty.args.first()) {
                (Proj::Deref, Some(of))
                    if shared && ty.pointers == 0 && ty.reference == Reference::None =>
                {
                    type_of(of)
                }
                _ => self
                    .program
                    .part_type(self.f.0, &self.function.name, ty, step)?,
            };
        }
        Some(ty)
    }

    /// The error itself, or what it is a part of by another way.
    fn is_error(&self, rest: &[Proj]) -> bool {
        match (rest.first(), &self.kept.part) {
            (Some(Proj::Field(name)), Some((part, _))) => name == part,
            _ => true,
        }
    }
}

fn is_tag(rest: &[Proj]) -> bool {
    matches!(rest, [Proj::Field(name)] if name == TAG)
}
