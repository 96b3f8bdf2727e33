//! Objects made of a list of their fields' values: `return {count, error};`, where no constructor runs.

use pipelint_ir::{Callee, FunctionKind, Name, Operand, PlaceId, Type};

use crate::exec::Exec;
use crate::memory::is_primitive;
use crate::state::State;
use crate::values::{Loc, ValId};

impl Exec<'_, '_> {
    /// `T{a, b}` for a struct of plain fields. False where a constructor may run, or some field is more
    /// than a number, a pointer or a status.
    pub(crate) fn make_aggregate(
        &mut self,
        state: &mut State,
        callee: &Callee,
        args: &[Operand],
        dst: Option<PlaceId>,
    ) -> bool {
        let (Callee::Constructor(ty), Some(dst)) = (callee, dst) else {
            return false;
        };
        let Some(fields) = self.plain_fields(ty) else {
            return false;
        };
        if args.is_empty() || args.len() > fields.len() || self.is_rust() {
            return false;
        }
        // `T{other}` is a copy.
        if let [Operand::Copy(place) | Operand::Move(place)] = args
            && self.has_parts(state, *place)
        {
            return false;
        }
        let to = self.place(state, dst);
        self.clear_within(state, to);
        let whole = self.fresh(state, 0);
        self.write(state, to, whole);
        for (i, (name, is_status)) in fields.into_iter().enumerate() {
            let mut v = match args.get(i) {
                Some(arg) => self.operand(state, arg),
                None => self.arena.int(0),
            };
            if is_status {
                v = self.some_error(state, v);
            }
            let part = self.arena.loc(Loc::Field(to, name));
            self.write_keeping_parts(state, part, v);
        }
        true
    }

    /// A struct of plain fields is made of a list.
    pub(crate) fn is_list_of_fields(&self, callee: &Callee) -> bool {
        let Callee::Constructor(ty) = callee else {
            return false;
        };
        !self.is_rust() && self.plain_fields(ty).is_some()
    }

    /// `T{a, b}` of a type that is out of sight: by their order, what is told of its parts are constants, and
    /// counts of transfers that nobody has asked about.
    pub(crate) fn note_positional_parts(
        &mut self,
        state: &mut State,
        callee: &Callee,
        values: &[ValId],
        dst: Option<PlaceId>,
    ) {
        let (Callee::Constructor(ty), Some(dst)) = (callee, dst) else {
            return;
        };
        let known = self.program.class_named(self.unit, self.scope(), &ty.name);
        if values.len() < 2 || known.is_some() || self.is_rust() {
            return;
        }
        let to = self.place(state, dst);
        for (i, v) in values.iter().enumerate() {
            if self.arena.as_int(*v).is_some() || self.is_unasked_count(state, *v) {
                let part = self.arena.loc(Loc::Elem(to, i64::try_from(i).ok()));
                state.env.insert(part, *v);
            }
        }
    }

    fn has_parts(&mut self, state: &mut State, place: PlaceId) -> bool {
        let loc = self.place(state, place);
        !self.parts_of(state, loc).is_empty()
    }

    /// The fields of a struct that no constructor makes, and whether each is a status.
    fn plain_fields(&self, ty: &Type) -> Option<Vec<(Name, bool)>> {
        if ty.pointers > 0 || ty.arrays > 0 {
            return None;
        }
        let resolved = self.program.resolve(ty);
        let class = self
            .program
            .class_named(self.unit, self.scope(), &resolved.name)?;
        let made = |m: &pipelint_ir::Declaration| m.kind == FunctionKind::Constructor;
        if class.is_union || !class.bases.is_empty() || class.methods.iter().any(made) {
            return None;
        }
        let plain = |field: &pipelint_ir::Field| {
            let status = self.program.is_status(&field.ty);
            let name = self.program.resolve(&field.ty).name.clone();
            let number = is_primitive(name.trim_start_matches("std::"));
            let scalar = number && field.ty.is_object()
                || self.is_plain(&field.ty)
                    && self
                        .program
                        .class_named(self.unit, &class.name, &name)
                        .is_none();
            (status || scalar).then(|| (field.name.clone(), status))
        };
        class.fields.iter().map(plain).collect()
    }
}
