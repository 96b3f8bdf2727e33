//! Shared pointers: each `Arc` or `Rc` of an object has the same address, and whoever has one of them
//! can give back the counts of all.

use pipelint_ir::{
    Base, Callee, Function, LocalId, Name, Operand, PlaceId, Proj, Rvalue, Statement, Type,
};

use crate::cfg::{visit_reads, visit_term_reads};
use crate::exec::Exec;
use crate::forget::takes_back;
use crate::program::{Program, last};

/// How far a pointer is followed from variable to variable.
const COPIES: u32 = 4;

impl Exec<'_, '_> {
    /// `let _ = Arc::into_raw(a);`, or one that is taken back where nobody else will: a count is added that is given back by an address which others
    /// have, unless the pointer is known to be the only one.
    pub(crate) fn adds_a_count(&self, name: &str, args: &[Operand], dst: Option<PlaceId>) -> bool {
        let shared = matches!(name, "std::sync::Arc::into_raw" | "std::rc::Rc::into_raw");
        let (true, [arg], Some(dst)) = (shared, args, dst) else {
            return false;
        };
        let Base::Local(result) = self.function.places[dst].base else {
            return false;
        };
        self.is_only_given_back(result) && !self.is_only_pointer(arg, COPIES)
    }

    /// Whatever asks for a pointer gives its count back.
    fn is_only_given_back(&self, pointer: LocalId) -> bool {
        let mut other = false;
        for block in &self.function.blocks {
            for stmt in &block.stmts {
                let back = match stmt {
                    Statement::Drop { .. } => true,
                    Statement::Call {
                        callee: Callee::Function(name),
                        ..
                    } => takes_back(name),
                    _ => false,
                };
                if !back {
                    visit_reads(stmt, |p| other |= self.is_in(p, pointer));
                }
            }
            visit_term_reads(&block.term, |p| other |= self.is_in(p, pointer));
        }
        !other
    }

    /// Nothing asks for the result of a call.
    pub(crate) fn is_dropped_result(&self, dst: PlaceId) -> bool {
        match self.function.places[dst].base {
            Base::Local(result) => !self.is_read(result),
            _ => false,
        }
    }

    /// What an `Arc` or `Rc` counts, where no code of the program makes a second pointer to an object of that
    /// type: it ends with the first.
    pub(crate) fn alone_counted(&self, ty: &Type) -> Option<Type> {
        if !matches!(&*ty.name, "std::sync::Arc" | "std::rc::Rc") {
            return None;
        }
        let inner = crate::holders::led_to(ty)?;
        let class = self.program.class_ref(self.unit, &inner.name)?;
        let class = (class.0, &self.program.class_at(class).name);
        let units = self.program.units.iter().enumerate();
        let mut functions = units.flat_map(|(u, unit)| unit.functions.iter().map(move |f| (u, f)));
        let cloned = functions.any(|(u, f)| {
            let mut stmts = f.blocks.iter().flat_map(|b| &b.stmts);
            stmts.any(|stmt| clones(self.program, (u, f), class, stmt))
        });
        (!cloned).then_some(inner)
    }

    /// Something asks for what a variable holds.
    fn is_read(&self, variable: LocalId) -> bool {
        let mut read = false;
        let mut see = |p: PlaceId| read |= self.is_in(p, variable);
        for block in &self.function.blocks {
            for stmt in &block.stmts {
                if !matches!(stmt, Statement::Drop { .. }) {
                    visit_reads(stmt, &mut see);
                }
            }
            visit_term_reads(&block.term, &mut see);
        }
        read
    }

    /// It was made here, and nobody else can have got one of it, or its address.
    fn is_only_pointer(&self, pointer: &Operand, depth: u32) -> bool {
        let (Operand::Move(place) | Operand::Copy(place)) = pointer else {
            return false;
        };
        let at = &self.function.places[*place];
        let Base::Local(variable) = at.base else {
            return false;
        };
        if depth == 0 || !at.proj.is_empty() || variable.0 < self.function.params {
            return false;
        }
        let whole = |p: PlaceId| {
            let fields = |p: &Proj| matches!(p, Proj::Field(_));
            self.is_in(p, variable) && !self.function.places[p].proj.iter().any(fields)
        };
        let mut moves = 0;
        for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
            let made = match stmt {
                Statement::Assign { dst, value } if *dst == *place => match value {
                    Rvalue::Use(from) => self.is_only_pointer(from, depth - 1),
                    _ => false,
                },
                Statement::Call {
                    dst: Some(dst),
                    callee,
                    ..
                } if *dst == *place => {
                    matches!(callee, Callee::Function(name) if makes(name))
                }
                _ => true,
            };
            if !made {
                return false;
            }
            match stmt {
                Statement::Drop { .. } => {}
                Statement::Assign {
                    value: Rvalue::Ref(of),
                    ..
                } if self.is_in(*of, variable) => return false,
                _ => visit_reads(stmt, |p| moves += u32::from(whole(p))),
            }
        }
        // The one move is that into the call.
        moves == 1
    }

    fn is_in(&self, place: PlaceId, variable: LocalId) -> bool {
        self.function.places[place].base == Base::Local(variable)
    }
}

/// The statement may count an object of the class once more. What it counts is not always known: then it may
/// be one where the class is declared.
fn clones(
    program: &Program<'_>,
    (unit, function): (usize, &Function),
    (declared, class): (usize, &Name),
    stmt: &Statement,
) -> bool {
    let Statement::Call { callee, args, .. } = stmt else {
        return false;
    };
    let named = |ty: Option<&Type>| match ty {
        Some(ty) => last(&ty.name) == last(class),
        None => unit == declared,
    };
    match callee {
        Callee::Method { name, ty, .. } if name == "clone" => named(ty.as_deref()),
        Callee::Function(name)
            if name.ends_with("::clone") || name.ends_with("::increment_strong_count") =>
        {
            let given = args.first().and_then(|arg| match arg {
                Operand::Copy(place) | Operand::Move(place) => {
                    let place = &function.places[*place];
                    program.place_type(unit, function, place, &|_| None)
                }
                Operand::Const(_) => None,
            });
            match given {
                Some(ty) => crate::holders::led_to(&ty).is_none_or(|ty| named(Some(&ty))),
                None => unit == declared,
            }
        }
        _ => false,
    }
}

/// What makes a shared pointer that is the only one.
fn makes(name: &Name) -> bool {
    matches!(&**name, "std::sync::Arc::new" | "std::rc::Rc::new")
}
