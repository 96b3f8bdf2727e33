//! Values of constants, arithmetic and conversions.

use pipelint_ir::{Base, BinOp, Const, Operand, Type};

use crate::event::{Event, EventKind, StepKind};
use crate::exec::Exec;
use crate::state::State;
use crate::values::{Loc, Sym, Val, ValId};

impl Exec<'_, '_> {
    pub(crate) fn constant(&mut self, c: &Const) -> ValId {
        match c {
            Const::Int(value) => self.arena.int(*value),
            Const::Null => self.arena.int(0),
            Const::Named(name) => match self.program.constant(self.unit, name) {
                Some(value) => self.arena.int(value),
                None => self.arena.val(Val::Named(name.clone())),
            },
            Const::Str(_) => self.arena.val(Val::Str),
            Const::Function(name) => self.arena.val(Val::Function(name.clone())),
            Const::Other => self.arena.sym(Sym::Computed {
                stmt: self.stmt,
                round: 0,
            }),
        }
    }

    pub(crate) fn binary(&mut self, op: BinOp, a: ValId, b: ValId) -> ValId {
        if let (Some(x), Some(y)) = (self.arena.as_int(a), self.arena.as_int(b)) {
            let folded = match op {
                BinOp::Add => x.checked_add(y),
                BinOp::Sub => x.checked_sub(y),
                BinOp::Mul => x.checked_mul(y),
                BinOp::Div => x.checked_div(y),
                BinOp::Rem => x.checked_rem(y),
                BinOp::BitAnd => Some(x & y),
                BinOp::BitOr => Some(x | y),
                BinOp::BitXor => Some(x ^ y),
                BinOp::Shl => u32::try_from(y)
                    .ok()
                    .filter(|y| *y < 64)
                    .and_then(|y| x.checked_shl(y)),
                BinOp::Shr => u32::try_from(y)
                    .ok()
                    .filter(|y| *y < 64)
                    .and_then(|y| x.checked_shr(y)),
            };
            if let Some(value) = folded {
                return self.arena.int(value);
            }
        }
        self.arena.val(Val::Bin(op, a, b))
    }

    pub(crate) fn cast(&mut self, state: &mut State, ty: &Type, from: &Operand, v: ValId) -> ValId {
        let to = self.program.resolve(ty);
        if let Some(value) = self.arena.as_int(v) {
            let narrowed = if to.is_object() {
                narrow_int(&to.name, value)
            } else {
                value
            };
            // `(HANDLE)0xFFFFFFFF…` is how -1 is written by hand.
            let wide = to.pointers > 0 || self.program.models.is_handle_type(&to.name);
            let narrowed = if wide && narrowed == i128::from(u64::MAX) {
                -1
            } else {
                narrowed
            };
            return self.arena.int(narrowed);
        }
        if to.pointers == 1
            && let Some(class) = self.program.class_ref(self.unit, &to.name)
        {
            self.pointees.insert(v, class);
        }
        if to.is_object() && is_unsigned_32(&to.name) {
            let handle = state.res.get(v).is_some()
                || state.pseudo.get(v).is_some()
                || self.operand_is_handle(from)
                || self.value_is_handle(v);
            if handle {
                let step = StepKind::Narrowed(ty.name.clone());
                state.step(self.span, step, Some(v));
                return self.arena.val(Val::Narrow(v, ty.name.clone()));
            }
        }
        let pointer = to.pointers > 0 || self.program.models.is_handle_type(&to.name);
        if pointer {
            let mut parts = Vec::new();
            self.arena.parts(v, &mut parts);
            for part in parts {
                if let Val::Narrow(inner, name) = self.arena.get(part).clone() {
                    let resource = state.res.get(inner).map(|r| self.resource(r));
                    let path = self.path(state, Some(inner), StepKind::Assigned(ty.name.clone()));
                    self.found.add(Event {
                        kind: EventKind::Truncated { ty: name },
                        at: self.at(),
                        function: self.function.name.clone(),
                        resource,
                        path,
                        others: Vec::new(),
                    });
                    break;
                }
            }
        }
        v
    }

    pub(crate) fn operand_is_handle(&self, op: &Operand) -> bool {
        let (Operand::Copy(p) | Operand::Move(p)) = op else {
            return false;
        };
        let place = &self.function.places[*p];
        let Base::Local(l) = place.base else {
            return false;
        };
        place.proj.is_empty()
            && self.function.locals.get(l.0 as usize).is_some_and(|l| {
                let ty = self.program.resolve(&l.ty);
                ty.is_object() && self.program.models.is_handle_type(&ty.name)
            })
    }

    /// A value read from a variable that is declared as a handle.
    pub(crate) fn value_is_handle(&self, v: ValId) -> bool {
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(v) else {
            return false;
        };
        let ty = match self.arena.get_loc(*loc) {
            Loc::Local(l) => self.function.locals.get(l.0 as usize).map(|l| &l.ty),
            Loc::Field(parent, field) if matches!(self.arena.get_loc(*parent), Loc::SelfObj) => {
                let class = self.own_class().map(|c| self.program.class_at(c));
                class
                    .and_then(|c| c.fields.iter().find(|f| f.name == *field))
                    .map(|f| &f.ty)
            }
            _ => None,
        };
        ty.is_some_and(|ty| {
            let ty = self.program.resolve(ty);
            ty.is_object() && self.program.models.is_handle_type(&ty.name)
        })
    }
}

pub(crate) fn is_unsigned_32(name: &str) -> bool {
    matches!(
        name,
        "DWORD"
            | "ULONG"
            | "UINT"
            | "UINT32"
            | "DWORD32"
            | "ULONG32"
            | "uint32_t"
            | "unsigned"
            | "unsigned int"
            | "unsigned long"
            | "std::uint32_t"
            | "quint32"
            | "uint"
    )
}

/// A constant converted to an integer type of known width.
fn narrow_int(name: &str, value: i128) -> i128 {
    if is_unsigned_32(name) {
        return value & 0xFFFF_FFFF;
    }
    match name {
        "int" | "long" | "LONG" | "INT" | "BOOL" | "HRESULT" | "int32_t" => {
            (value & 0xFFFF_FFFF) as u32 as i32 as i128
        }
        "WORD" | "USHORT" | "uint16_t" | "unsigned short" => value & 0xFFFF,
        "BYTE" | "UCHAR" | "uint8_t" | "unsigned char" => value & 0xFF,
        "bool" => i128::from(value != 0),
        _ => value,
    }
}
