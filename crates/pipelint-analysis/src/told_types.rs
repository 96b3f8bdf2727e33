//! Types of variables that declare none: told by the one statement that fills them.

use pipelint_ir::{
    Base, Callee, Function, Operand, PlaceId, Proj, Reference, Rvalue, Statement, Type,
};
use rustc_hash::FxHashMap;

use crate::program::{FnRef, Program, Target, last};

/// How far what fills a variable is followed.
const DEEPEST: u32 = 8;

/// One function's variables, and what fills them.
pub(crate) struct Told<'p, 'm> {
    pub(crate) program: &'p Program<'m>,
    pub(crate) f: FnRef,
    pub(crate) function: &'p Function,
    /// The statements that fill the variables which are filled once.
    defs: FxHashMap<u32, Option<&'p Statement>>,
}

impl<'p, 'm> Told<'p, 'm> {
    pub(crate) fn new(program: &'p Program<'m>, f: FnRef) -> Self {
        let function = program.function(f);
        let mut defs: FxHashMap<u32, Option<&Statement>> = FxHashMap::default();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            let (Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }) = stmt
            else {
                continue;
            };
            let place = &function.places[*dst];
            if let (Base::Local(l), []) = (&place.base, &place.proj[..]) {
                let known = defs.entry(l.0);
                known.and_modify(|d| *d = None).or_insert(Some(stmt));
            }
        }
        Self {
            program,
            f,
            function,
            defs,
        }
    }

    /// The one statement that fills a variable.
    pub(crate) fn def(&self, local: u32) -> Option<&'p Statement> {
        if local < self.function.params {
            return None;
        }
        self.defs.get(&local).copied().flatten()
    }

    pub(crate) fn type_of(&self, place: PlaceId) -> Option<Type> {
        let place = &self.function.places[place];
        self.type_behind(&place.base, &place.proj)
    }

    /// The type of what some steps lead to.
    pub(crate) fn type_behind(&self, base: &Base, steps: &[Proj]) -> Option<Type> {
        self.behind(base, steps, 0)
    }

    fn behind(&self, base: &Base, steps: &[Proj], depth: u32) -> Option<Type> {
        if depth > DEEPEST {
            return None;
        }
        let mut ty = match base {
            Base::Local(l) => {
                let declared = &self.function.locals.get(l.0 as usize)?.ty;
                // An `auto&` is what it refers to.
                match declared.name.is_empty() || declared.name == "auto" {
                    true => self.filled(self.def(l.0)?, depth)?,
                    false => declared.clone(),
                }
            }
            Base::SelfObj => Type::named(self.function.class.clone()?),
            Base::Global(name) => self.of_class(name)?,
            Base::Captured(name) => {
                let (outer, place) = self.captured(name)?;
                let place = &outer.function.places[place];
                let ty = outer.behind(&place.base, &place.proj, depth + 1)?;
                Type {
                    reference: Reference::None,
                    ..ty
                }
            }
        };
        for step in steps {
            // A reference that a declaration does not show.
            if *step == Proj::Deref && ty.is_object() {
                let behind = self.part(ty.clone(), step);
                ty = behind.unwrap_or(ty);
                continue;
            }
            ty = self.part(ty, step)?;
        }
        Some(ty)
    }

    /// What a closure has captured: the function that makes it, and the place there.
    pub(crate) fn captured(&self, name: &str) -> Option<(Self, PlaceId)> {
        let own = &self.function.name;
        let outer = own.rfind("::{").and_then(|at| own.get(..at))?;
        let mut outer = self.program.functions.get(outer)?.iter();
        let outer = outer.find(|(u, _)| *u == self.f.0)?;
        let told = Self::new(self.program, *outer);
        let stmts = told.function.blocks.iter().flat_map(|b| &b.stmts);
        let captures = stmts.filter_map(|stmt| match stmt {
            Statement::Assign {
                value: Rvalue::Closure(made, captures),
                ..
            } if made == own => Some(captures),
            _ => None,
        });
        let named = |place: PlaceId| match &told.function.places[place].base {
            Base::Local(l) => {
                let local = told.function.locals.get(l.0 as usize);
                local.is_some_and(|l| l.name == name)
            }
            Base::Captured(outer) => outer == name,
            _ => false,
        };
        let place = captures.flatten().find(|(place, _)| named(*place))?.0;
        Some((told, place))
    }

    fn part(&self, ty: Type, step: &Proj) -> Option<Type> {
        let ty = match step {
            Proj::Deref => ty,
            _ => self.program.resolve(&ty).into_owned(),
        };
        self.program
            .part_type(self.f.0, &self.function.name, ty, step)
    }

    /// A field of the object that a lambda has captured, or a global variable.
    fn of_class(&self, name: &str) -> Option<Type> {
        let class = self.function.class.as_ref();
        let class = class.and_then(|class| self.program.class_ref(self.f.0, class));
        if let Some(class) = class.and_then(|class| self.program.declaring(class, name)) {
            let fields = &self.program.class_at(class).fields;
            return Some(fields.iter().find(|f| f.name == name)?.ty.clone());
        }
        let globals = &self.program.units[self.f.0].globals;
        Some(globals.iter().find(|g| g.name == name)?.ty.clone())
    }

    fn operand(&self, op: &Operand, depth: u32) -> Option<Type> {
        match op {
            Operand::Copy(place) | Operand::Move(place) => {
                let place = &self.function.places[*place];
                self.behind(&place.base, &place.proj, depth + 1)
            }
            Operand::Const(_) => None,
        }
    }

    /// The type that a statement gives what it fills.
    fn filled(&self, stmt: &Statement, depth: u32) -> Option<Type> {
        match stmt {
            Statement::Assign { value, .. } => match value {
                Rvalue::Use(op) => self.operand(op, depth),
                Rvalue::Cast(ty, _) => Some((**ty).clone()),
                Rvalue::Ref(place) => {
                    let place = &self.function.places[*place];
                    let ty = self.behind(&place.base, &place.proj, depth + 1)?;
                    Some(Type {
                        reference: Reference::Shared,
                        ..ty
                    })
                }
                _ => None,
            },
            Statement::Call { callee, args, .. } => self.called(callee, args, depth),
            _ => None,
        }
    }

    fn called(&self, callee: &Callee, args: &[Operand], depth: u32) -> Option<Type> {
        match callee {
            Callee::Constructor(ty) => Some((**ty).clone()),
            Callee::New(ty) => Some(Type {
                pointers: ty.pointers.saturating_add(1),
                ..(**ty).clone()
            }),
            Callee::Function(name)
                if crate::owners::moves(name) || name.ends_with("Arc::clone") =>
            {
                let ty = self.operand(args.first()?, depth)?;
                Some(Type {
                    reference: Reference::None,
                    ..ty
                })
            }
            Callee::Method { receiver, name, ty } => {
                let of = match ty {
                    Some(ty) => (**ty).clone(),
                    None => {
                        let place = &self.function.places[*receiver];
                        self.behind(&place.base, &place.proj, depth + 1)?
                    }
                };
                match &**name {
                    "take" | "replace" | "clone" if of.name == "Option" || *name == "clone" => {
                        Some(of)
                    }
                    "upgrade" if last(&of.name) == "Weak" => {
                        let inner = of.args.first()?;
                        let counted = of.name.replace("Weak", "Arc");
                        Some(Type {
                            args: vec![format!("{counted}<{inner}>").into()],
                            ..Type::named("Option")
                        })
                    }
                    _ => self.defined(callee, args),
                }
            }
            _ => self.defined(callee, args),
        }
    }

    /// The method that a call runs on a variable whose type no declaration tells.
    pub(crate) fn method(&self, callee: &Callee, args: usize) -> Option<FnRef> {
        let Callee::Method {
            receiver,
            name,
            ty: None,
        } = callee
        else {
            return None;
        };
        let of = self.type_of(*receiver)?;
        let named = match crate::names::led_to(&of, Some(name)) {
            Some(behind) => behind,
            None => self.program.resolve(&of).name.clone(),
        };
        let class = self
            .program
            .class_named(self.f.0, &self.function.name, &named)?;
        self.program.method(self.f.0, class, name, args)
    }

    fn defined(&self, callee: &Callee, args: &[Operand]) -> Option<Type> {
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        match target {
            Target::Defined(g) => Some(self.program.function(g).ret.clone()),
            _ => None,
        }
    }
}
