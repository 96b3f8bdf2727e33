//! Objects made of one value: whether a constructor runs, and which, is known only when the classes of
//! all files are.

use pipelint_ir::{
    Base, Callee, Const, Function, FunctionKind, Language, LocalKind, Name, Operand, Place,
    PlaceId, Proj, Reference, Rvalue, Statement, Type,
};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::owners::moves;
use crate::program::{Program, Target, last};
use crate::reference::{add_local, is_mapped};

/// What the statement at a place becomes.
enum Change {
    /// `a = construct T(b)` of a `b` that is a `T`: a copy, or a move.
    Copy { block: usize, stmt: usize },
    /// What came right before made the value that the object is made of: it makes the object.
    Elide { block: usize, stmt: usize },
    /// The first value of a field, which a constructor of its class is given.
    Construct {
        block: usize,
        stmt: usize,
        class: Type,
        /// The type of the value.
        of: Type,
    },
}

impl Program<'_> {
    /// Makes of each construction of a value of the class itself the copy or move that it is, and
    /// of the first value of a field, whose class the constructor's file does not show, the
    /// construction that it is.
    pub(crate) fn settle_initialisers(&mut self) {
        let found: Vec<Vec<(usize, Vec<Change>)>> = (0..self.units.len())
            .into_par_iter()
            .map(|u| {
                let unit = &self.units[u];
                if unit.language != Language::Cpp {
                    return Vec::new();
                }
                let changes = |f: &Function| Initialisers::new(self, u, f).changes();
                let all = unit.functions.iter().map(changes).enumerate();
                all.filter(|(_, changes)| !changes.is_empty()).collect()
            })
            .collect();
        for (unit, found) in self.units.iter_mut().zip(found) {
            for (f, changes) in found {
                // From the end, so that the places before stay what they are.
                for change in changes.into_iter().rev() {
                    make(&mut unit.functions[f], change);
                }
            }
        }
    }

    /// Whether a constructor copies or moves an object of its own class.
    pub(crate) fn copies_its_class(&self, function: &Function) -> bool {
        let own = function.class.as_deref().map(last);
        let given = function.locals.first().filter(|_| function.params == 1);
        function.kind == FunctionKind::Constructor
            && given.is_some_and(|p| {
                p.ty.pointers == 0 && own.is_some_and(|own| last(&p.ty.name) == own)
            })
    }
}

/// The initialisers of one function.
struct Initialisers<'p, 'm> {
    program: &'p Program<'m>,
    unit: usize,
    function: &'p Function,
}

impl<'p, 'm> Initialisers<'p, 'm> {
    fn new(program: &'p Program<'m>, unit: usize, function: &'p Function) -> Self {
        Self {
            program,
            unit,
            function,
        }
    }

    fn changes(&self) -> Vec<Change> {
        if !is_mapped(self.function) {
            return Vec::new();
        }
        let blocks = &self.function.blocks;
        let fields = self.fields_unseen();
        let mut begun: FxHashSet<&Name> = FxHashSet::default();
        let mut changes = Vec::new();
        for (block, b) in blocks.iter().enumerate() {
            for (stmt, s) in b.stmts.iter().enumerate() {
                let before = stmt.checked_sub(1).map(|i| &b.stmts[i]);
                if let Some(change) = self.own_kind(s, before, block, stmt) {
                    changes.push(change);
                } else if fields
                    && let Some(field) = self.written_field(s)
                    && begun.insert(field)
                    && let Some((class, of)) = self.constructed(s, field)
                {
                    changes.push(Change::Construct {
                        block,
                        stmt,
                        class,
                        of,
                    });
                }
            }
        }
        changes
    }

    /// `a = construct T(b)` where `b` is a `T`.
    fn own_kind(
        &self,
        s: &Statement,
        before: Option<&'p Statement>,
        block: usize,
        stmt: usize,
    ) -> Option<Change> {
        let Statement::Call {
            dst: Some(_),
            callee: Callee::Constructor(ty),
            args,
            ..
        } = s
        else {
            return None;
        };
        let [Operand::Copy(arg) | Operand::Move(arg)] = args[..] else {
            return None;
        };
        let ty = self.program.resolve(ty);
        let class = self
            .program
            .class_ref_in(self.unit, &self.function.name, &ty.name)?;
        let maker = before.filter(|b| self.is_temporary(arg) && dst_of(b) == Some(arg));
        let given = match maker {
            Some(maker) => self.result_type(maker)?,
            None => self.type_of(&args[0])?,
        };
        let given = self.program.resolve(&given);
        let same = given.pointers == 0
            && given.arrays == 0
            && self
                .program
                .class_ref_in(self.unit, &self.function.name, &given.name)
                == Some(class);
        same.then(|| match maker {
            Some(_) if !self.ends(arg) => Change::Elide { block, stmt },
            _ => Change::Copy { block, stmt },
        })
    }

    /// The function is a constructor of a class that its file does not show.
    fn fields_unseen(&self) -> bool {
        let constructor = self.function.kind == FunctionKind::Constructor;
        let class = self.function.class.as_ref().filter(|_| constructor);
        class
            .and_then(|class| self.program.class_ref(self.unit, class))
            .is_some_and(|(unit, _)| unit != self.unit)
    }

    /// The field of this object that a statement writes.
    fn written_field(&self, s: &Statement) -> Option<&'p Name> {
        let dst = match s {
            Statement::Assign { dst, .. } => *dst,
            Statement::Call { dst, .. } => (*dst)?,
            _ => return None,
        };
        let place = &self.function.places[dst];
        match (&place.base, &place.proj[..]) {
            (Base::SelfObj, [Proj::Field(field)]) => Some(field),
            _ => None,
        }
    }

    /// The class of the field, if what the statement puts there is something else than an object of
    /// it, and the type of that.
    fn constructed(&self, s: &Statement, field: &Name) -> Option<(Type, Type)> {
        let of = match s {
            Statement::Assign {
                value: Rvalue::Use(value),
                ..
            } => self.type_of(value)?,
            Statement::Call { callee, .. } if !matches!(callee, Callee::Constructor(_)) => {
                self.result_type(s)?
            }
            _ => return None,
        };
        let of = self.program.resolve(&of).into_owned();
        let own = self.function.class.as_ref()?;
        let (unit, own) = self.program.class_ref(self.unit, own)?;
        let own = &self.program.units[unit].classes[own];
        let ty = &own.fields.iter().find(|f| f.name == *field)?.ty;
        if !ty.is_object() {
            return None;
        }
        let class = self.program.class_named(unit, &own.name, &ty.name)?;
        let made = class.methods.iter();
        let mut made = made.filter(|m| m.kind == FunctionKind::Constructor);
        let one = |m: &pipelint_ir::Declaration| {
            m.params.len() == 1 && last(&m.params[0].name) != last(&class.name)
        };
        let object = self
            .program
            .class_named(self.unit, &self.function.name, &of.name);
        let another = object.is_none() || of.pointers > 0;
        (another && made.any(one)).then(|| (Type::named(class.name.clone()), of))
    }

    /// The type of what a statement puts into its target.
    fn result_type(&self, s: &Statement) -> Option<Type> {
        match s {
            Statement::Assign {
                value: Rvalue::Use(value),
                ..
            } => self.type_of(value),
            Statement::Call {
                callee: Callee::Function(name),
                args,
                ..
            } if moves(name) => self.type_of(args.first()?),
            Statement::Call {
                callee: Callee::Constructor(ty),
                ..
            } => Some((**ty).clone()),
            Statement::Call { callee, args, .. } => {
                let n = args.len();
                match self
                    .program
                    .find_target(self.unit, self.function, callee, n)
                {
                    Target::Defined(f) => {
                        let ty = &self.program.function(f).ret;
                        (!matches!(&*ty.name, "" | "auto" | "?")).then(|| ty.clone())
                    }
                    // A function of the system's yields a number or a pointer.
                    Target::Model(model) if !model.acquires.is_empty() => {
                        Some(Type::named("HANDLE"))
                    }
                    Target::Model(_) | Target::Unknown => None,
                }
            }
            _ => None,
        }
    }

    fn type_of(&self, op: &Operand) -> Option<Type> {
        match op {
            Operand::Copy(place) | Operand::Move(place) => {
                let found = self
                    .program
                    .type_of_place(self.unit, self.function, *place)?;
                (!matches!(&*found.name, "" | "auto")).then_some(found)
            }
            Operand::Const(Const::Int(_) | Const::Null) => Some(Type::named("int")),
            Operand::Const(Const::Named(name)) => {
                let known = self.program.models.constant(name).is_some();
                known.then(|| Type::named("int"))
            }
            Operand::Const(_) => None,
        }
    }

    fn is_temporary(&self, place: PlaceId) -> bool {
        let place = &self.function.places[place];
        let local = match (&place.base, &place.proj[..]) {
            (Base::Local(l), []) => self.function.locals.get(l.0 as usize),
            _ => None,
        };
        local.is_some_and(|l| l.kind == LocalKind::Temp)
    }

    /// A destructor runs on it.
    fn ends(&self, object: PlaceId) -> bool {
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|s| matches!(s, Statement::Drop { place, .. } if *place == object))
    }
}

fn dst_of(s: &Statement) -> Option<PlaceId> {
    match s {
        Statement::Assign { dst, .. } => Some(*dst),
        Statement::Call { dst, .. } => *dst,
        _ => None,
    }
}

fn make(function: &mut Function, change: Change) {
    match change {
        Change::Copy { block, stmt } => {
            let s = &mut function.blocks[block].stmts[stmt];
            if let Statement::Call {
                dst: Some(dst),
                args,
                ..
            } = s
                && let Some(arg) = args.pop()
            {
                let value = Rvalue::Use(arg);
                *s = Statement::Assign { dst: *dst, value };
            }
        }
        Change::Elide { block, stmt } => {
            let made = function.blocks[block].stmts.remove(stmt);
            function.map.stmts[block].remove(stmt);
            let object = dst_of(&made);
            let maker = function.blocks[block].stmts.get_mut(stmt.wrapping_sub(1));
            match (maker, object) {
                (
                    Some(Statement::Call {
                        dst, callee, args, ..
                    }),
                    object,
                ) => {
                    *dst = object;
                    // As `T a = std::move(b)` is lowered.
                    if let (Callee::Function(name), [Operand::Copy(from)]) = (&*callee, &args[..])
                        && moves(name)
                    {
                        args[0] = Operand::Move(*from);
                    }
                }
                (Some(Statement::Assign { dst, .. }), Some(object)) => *dst = object,
                _ => {}
            }
        }
        Change::Construct {
            block,
            stmt,
            class,
            of,
        } => {
            let span = function.map.stmts[block][stmt];
            let ty = Type {
                reference: Reference::None,
                ..of
            };
            let temp = add_local(function, ty, span);
            let value = function.places.intern(Place {
                base: Base::Local(temp),
                proj: Vec::new(),
            });
            let object = match &mut function.blocks[block].stmts[stmt] {
                Statement::Assign { dst, .. } => std::mem::replace(dst, value),
                Statement::Call { dst, .. } => match dst.replace(value) {
                    Some(object) => object,
                    None => return,
                },
                _ => return,
            };
            let constructed = Statement::Call {
                dst: Some(object),
                callee: Callee::Constructor(Box::new(class)),
                args: vec![Operand::Copy(value)],
                voided: false,
            };
            function.blocks[block].stmts.insert(stmt + 1, constructed);
            function.map.stmts[block].insert(stmt + 1, span);
        }
    }
}
