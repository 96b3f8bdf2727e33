//! Assignments: what a place holds after each kind of value.

use pipelint_ir::{Base, Const, Name, Operand, Place, PlaceId, Proj, Rvalue};

use crate::exec::Exec;
use crate::state::State;
use crate::values::{Loc, Sym, Val};

/// Entries of an initialiser list that are followed one by one.
const LARGEST_AGGREGATE: usize = 32;

impl Exec<'_, '_> {
    pub(crate) fn assign(&mut self, state: &mut State, dst: PlaceId, value: &Rvalue) {
        self.reach(state, dst, true);
        if self.owner_assign(state, dst, value) {
            return;
        }
        let to = self.place(state, dst);
        if let Some(v) = self.closure(state, value) {
            if let Rvalue::Closure(_, captures) = value {
                for (place, _) in captures.iter().filter(|(_, by_ref)| !by_ref) {
                    let object = self.place(state, *place);
                    self.hand_over_io(state, object);
                }
            }
            self.write(state, to, v);
            return;
        }
        let v = match value {
            Rvalue::Use(op) => {
                if let Operand::Copy(src) | Operand::Move(src) = op {
                    self.reach(state, *src, true);
                    let from = self.place(state, *src);
                    if !self.is_variable(dst) && state.env.get(to).is_some() {
                        // `slot() = h`: the temporary stands for what a call or cast named.
                        let v = self.read(state, from);
                        self.escape(state, v);
                    }
                    if self.copies_by_code(dst) {
                        // What the class's own copy or move does is out of sight.
                        let ptr = self.arena.val(Val::Ptr(from));
                        self.escape(state, ptr);
                        let unknown = self.fresh(state, 0);
                        self.write(state, to, unknown);
                        return;
                    }
                    let array = self.is_array_field(&self.function.places[*src]);
                    let v = if array {
                        self.arena.val(Val::Ptr(from))
                    } else {
                        self.read(state, from)
                    };
                    self.errno_was_left(state, *src, v);
                    self.check_overwrite(state, dst, to, v);
                    // The whole first, then its parts: whoever replays it writes in this order.
                    self.write_keeping_parts(state, to, v);
                    self.copy_parts(state, from, to);
                    self.name_resource(state, v, dst);
                    if let Operand::Move(src) = op
                        && !self.is_rust()
                        && self
                            .declared_type_of(*src)
                            .is_some_and(|ty| crate::names::points_uniquely(&ty))
                    {
                        // What was moved from points to nothing.
                        let nothing = self.arena.int(0);
                        self.write(state, from, nothing);
                    }
                    if self.is_rust() {
                        self.stay_in_box(state, from, to);
                        self.follow_buffers(state, from, to);
                        self.moves_io(state, from, to);
                        self.leave_behind(state, op);
                    }
                    return;
                }
                self.operand(state, op)
            }
            Rvalue::Ref(place) => {
                self.owner_address(state, dst, *place);
                self.reach(state, *place, false);
                let loc = self.place(state, *place);
                let held = state.env.get(loc).map(|v| self.arena.get(*v));
                if !self.is_variable(*place)
                    && self.is_variable(dst)
                    && matches!(held, Some(Val::Sym(Sym::Call { .. } | Sym::Inner { .. })))
                {
                    // A reference bound to what a call gave: it may name somebody's memory.
                    let root = self.arena.root(loc);
                    state.exposed.insert(root, ());
                }
                self.arena.val(Val::Ptr(loc))
            }
            Rvalue::Binary(op, a, b) => {
                let (a, b) = (self.operand(state, a), self.operand(state, b));
                self.binary(*op, a, b)
            }
            Rvalue::Compare(cond) => {
                let (a, b) = (
                    self.operand(state, &cond.lhs),
                    self.operand(state, &cond.rhs),
                );
                self.settle_dropped_by_condition(state, a, b);
                self.judge_owner(state, &cond.lhs);
                self.compare(state, cond.op, a, b)
            }
            Rvalue::Cast(ty, op) => {
                let v = self.operand(state, op);
                self.cast(state, ty, op, v)
            }
            Rvalue::Aggregate(items) if items.len() > LARGEST_AGGREGATE => {
                // A table: what it holds is data, and following each entry would be slow.
                for (_, op) in items {
                    let v = self.operand(state, op);
                    self.escape(state, v);
                }
                let unknown = self.fresh(state, 0);
                self.write(state, to, unknown);
                return;
            }
            Rvalue::Aggregate(items) => {
                self.clear_within(state, to);
                let fields = self.positional_fields(dst);
                let zeroes = items.iter().all(|(name, op)| {
                    name.is_none() && matches!(op, Operand::Const(Const::Int(0) | Const::Null))
                });
                let unknown = fields.is_empty()
                    && !zeroes
                    && items.iter().any(|(name, _)| name.is_none())
                    && !self.is_array(dst);
                if unknown {
                    // Which field each entry is for is out of sight.
                    for (_, op) in items {
                        let v = self.operand(state, op);
                        self.escape(state, v);
                        if let Operand::Copy(place) | Operand::Move(place) = op {
                            let object = self.place(state, *place);
                            self.hand_over_io(state, object);
                        }
                    }
                    let whole = self.fresh(state, 0);
                    self.write(state, to, whole);
                    return;
                }
                let zero = self.arena.int(0);
                self.write(state, to, zero);
                for (i, (name, op)) in items.iter().enumerate() {
                    let v = self.operand(state, op);
                    let name = name.clone().or_else(|| fields.get(i).cloned());
                    let part = match name {
                        Some(name) => Loc::Field(to, name),
                        None => Loc::Elem(to, i64::try_from(i).ok()),
                    };
                    let part = self.arena.loc(part);
                    if let Operand::Copy(src) | Operand::Move(src) = op {
                        // A list within the list is a temporary with parts of its own.
                        let from = self.place(state, *src);
                        self.copy_parts(state, from, part);
                        self.write_keeping_parts(state, part, v);
                        if self.is_rust() {
                            self.follow_buffers(state, from, part);
                            self.moves_io(state, from, part);
                        }
                        continue;
                    }
                    self.write(state, part, v);
                }
                return;
            }
            Rvalue::Closure(_, captures) => {
                for (place, by_ref) in captures {
                    let loc = self.place(state, *place);
                    let v = if *by_ref {
                        self.arena.val(Val::Ptr(loc))
                    } else {
                        self.escape_parts(state, &Operand::Copy(*place));
                        self.hand_over_io(state, loc);
                        self.read(state, loc)
                    };
                    self.escape(state, v);
                }
                self.fresh(state, 0)
            }
            Rvalue::Unknown(ops) => {
                for op in ops {
                    let v = self.operand(state, op);
                    self.escape(state, v);
                    self.escape_parts(state, op);
                }
                self.fresh(state, 0)
            }
        };
        self.check_overwrite(state, dst, to, v);
        self.write(state, to, v);
        self.name_resource(state, v, dst);
    }

    /// A field that is an array: it stands for its address.
    pub(crate) fn is_array_field(&self, place: &Place) -> bool {
        let field = place.proj.last();
        matches!(field, Some(Proj::Field(name)) if self.program.array_fields.contains(name))
    }

    fn is_array(&self, dst: PlaceId) -> bool {
        let place = &self.function.places[dst];
        match place.base {
            Base::Local(l) if place.proj.is_empty() => self
                .function
                .locals
                .get(l.0 as usize)
                .is_some_and(|l| l.ty.arrays > 0),
            _ => false,
        }
    }

    /// Field names of a struct local's class, for positional initialisers.
    fn positional_fields(&self, dst: PlaceId) -> Vec<Name> {
        let Base::Local(l) = self.function.places[dst].base else {
            return Vec::new();
        };
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return Vec::new();
        };
        let class = self
            .program
            .class(self.unit, &self.program.resolve(&local.ty).name);
        class.map_or_else(Vec::new, |c| {
            c.fields.iter().map(|f| f.name.clone()).collect()
        })
    }
}
