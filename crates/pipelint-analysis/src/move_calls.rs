//! Moves of classes that write their own: `a = std::move(b)` runs the constructor or the operator that
//! takes a `T &&`, and what that does to both objects is told by its code.
//!
//! The type of such a call's callee is a `T &&`, which tells it from other constructors and operators.

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, Language, LocalId, LocalKind, Mark, Operand, PlaceId,
    Proj, Reference, Statement, Type,
};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::owners::moves;
use crate::program::{FnRef, Program, last};
use crate::reference::is_mapped;

/// A `dst = std::move(src)` that runs code of the class's.
struct Moved {
    block: usize,
    stmt: usize,
    class: Type,
    /// The object begins here; otherwise it is assigned.
    begins: bool,
}

impl Program<'_> {
    /// Makes of each move into an object of a class with a move of its own the call that it is.
    pub(crate) fn settle_moves(&mut self) {
        let found: Vec<Vec<(usize, Vec<Moved>)>> = (0..self.units.len())
            .into_par_iter()
            .map(|u| {
                let unit = &self.units[u];
                if unit.language != Language::Cpp {
                    return Vec::new();
                }
                let all = unit.functions.iter().map(|f| self.moved_in(u, f));
                let all = all.enumerate();
                all.filter(|(_, moved)| !moved.is_empty()).collect()
            })
            .collect();
        for (unit, found) in self.units.iter_mut().zip(found) {
            for (f, moved) in found {
                for moved in moved {
                    make(&mut unit.functions[f], moved);
                }
            }
        }
    }

    fn moved_in(&self, unit: usize, function: &Function) -> Vec<Moved> {
        let mut moved = Vec::new();
        if !is_mapped(function) {
            return moved;
        }
        let mut begun: FxHashSet<PlaceId> = FxHashSet::default();
        // Declared without a value: what is written there later is assigned.
        let mut live: FxHashSet<LocalId> = FxHashSet::default();
        for (block, b) in function.blocks.iter().enumerate() {
            for (stmt, s) in b.stmts.iter().enumerate() {
                let dst = match s {
                    Statement::Mark(Mark::Live(local)) => {
                        live.insert(*local);
                        continue;
                    }
                    Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => *dst,
                    _ => continue,
                };
                let first = begun.insert(dst);
                if let Some(class) = self.moved_class(unit, function, s) {
                    let begins = first && may_begin(function, dst, &live);
                    if self.move_of(unit, &function.name, &class, begins).is_some() {
                        moved.push(Moved {
                            block,
                            stmt,
                            class,
                            begins,
                        });
                    }
                }
            }
        }
        moved
    }

    /// The class of the objects that a statement moves from one place to another.
    fn moved_class(&self, unit: usize, function: &Function, s: &Statement) -> Option<Type> {
        let Statement::Call {
            dst: Some(dst),
            callee: Callee::Function(name),
            args,
            ..
        } = s
        else {
            return None;
        };
        let [Operand::Move(src) | Operand::Copy(src)] = args[..] else {
            return None;
        };
        if !moves(name) {
            return None;
        }
        let class = |place: PlaceId| {
            let no_type = |_: usize| None;
            let at = &function.places[place];
            let mut ty = self.place_type(unit, function, at, &no_type)?;
            if at.proj.is_empty() && ty.reference == Reference::Rvalue {
                ty.reference = Reference::None;
            }
            let plain = ty.is_object() && ty.args.is_empty();
            let name = &self.resolve(&ty).name;
            let class = self.class_ref_in(unit, &function.name, name);
            class.filter(|_| plain).map(|class| (class, ty))
        };
        let ((to, ty), (from, _)) = (class(*dst)?, class(src)?);
        let owner = self.owner_type(unit, &function.name, &ty).is_some();
        (to == from && !owner).then(|| Type::named(self.class_at(to).name.clone()))
    }

    /// The constructor or the operator of a class that moves its objects.
    pub(crate) fn move_of(
        &self,
        unit: usize,
        scope: &str,
        class: &Type,
        begins: bool,
    ) -> Option<FnRef> {
        let class = self.class_named(unit, scope, &class.name)?;
        let own = last(&class.name);
        let name = match begins {
            true => format!("{}::{own}", class.name),
            false => format!("{}::operator=", class.name),
        };
        let takes = |f: &Function| {
            let given = f.locals.first();
            let kind = match begins {
                true => FunctionKind::Constructor,
                false => FunctionKind::Method,
            };
            f.kind == kind
                && given.is_some_and(|p| {
                    p.ty.reference == Reference::Rvalue
                        && p.ty.pointers == 0
                        && last(&p.ty.name) == own
                })
        };
        self.pick_only_of(unit, &name, 1, takes)
    }
}

/// What is first written there may be an object that begins: a variable that is declared with it, or a
/// field that a constructor makes.
fn may_begin(function: &Function, dst: PlaceId, live: &FxHashSet<LocalId>) -> bool {
    let place = &function.places[dst];
    match (&place.base, &place.proj[..]) {
        (Base::Local(l), []) => {
            let local = function.locals.get(l.0 as usize);
            local.is_some_and(|l| l.kind != LocalKind::Param) && !live.contains(l)
        }
        (Base::SelfObj, [Proj::Field(_)]) => function.kind == FunctionKind::Constructor,
        _ => false,
    }
}

fn make(function: &mut Function, moved: Moved) {
    let mut ty = moved.class;
    ty.reference = Reference::Rvalue;
    let s = &mut function.blocks[moved.block].stmts[moved.stmt];
    if let Statement::Call {
        dst, callee, args, ..
    } = s
        && let Some(receiver) = *dst
    {
        match moved.begins {
            true => *callee = Callee::Constructor(Box::new(ty)),
            false => {
                *callee = Callee::Method {
                    receiver,
                    name: "operator=".into(),
                    ty: Some(Box::new(ty)),
                };
                *dst = None;
            }
        }
        // The object is given by reference.
        for arg in args {
            if let Operand::Move(place) = *arg {
                *arg = Operand::Copy(place);
            }
        }
    }
}
