//! By which name several functions know one object: a field of a class, a global variable, or one function's
//! own variable.

use pipelint_ir::{Base, Callee, FunctionKind, Name, Operand, PlaceId, Proj, Rvalue, Statement};

use crate::program::{ClassRef, last};
use crate::told_types::Told;

/// How far copies are followed.
const DEEPEST: u32 = 8;

/// Notes what a value is put into.
type Put<'a> = dyn Fn(PlaceId, &mut Vec<ObjectKey>, &mut Vec<u32>) + 'a;

/// An object by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ObjectKey {
    Field(ClassRef, Name),
    /// With its unit, where it is that file's own.
    Global(Option<usize>, Name),
    /// A function's variable.
    Local(usize, u32),
}

/// A step into a value that holds another one, and is no class of the program's.
fn wraps(step: &Proj) -> bool {
    match step {
        Proj::Deref | Proj::Index(_) => true,
        Proj::Field(name) => {
            matches!(&**name, crate::rust::TAG | crate::rust::BAD | "0")
                || *name == crate::forget::KEPT
        }
    }
}

/// Methods that yield what the object holds, or a part of it.
fn hands_out(name: &str) -> bool {
    matches!(
        name,
        "take"
            | "replace"
            | "as_ref"
            | "as_mut"
            | "unwrap"
            | "expect"
            | "get"
            | "native_handle"
            | "drain"
            | "iter"
            | "iter_mut"
            | "into_iter"
            | "pop"
            | "back"
            | "front"
            | "at"
            | "begin"
            | "operator*"
            | "operator[]"
            | "clone"
            | "release"
    )
}

impl Told<'_, '_> {
    /// The name of what a place is, or holds.
    pub(crate) fn object(&self, place: PlaceId) -> Option<ObjectKey> {
        self.object_at(place, 0)
    }

    pub(crate) fn object_of(&self, op: &Operand) -> Option<ObjectKey> {
        match op {
            Operand::Copy(place) | Operand::Move(place) => self.object(*place),
            Operand::Const(_) => None,
        }
    }

    fn object_at(&self, place: PlaceId, depth: u32) -> Option<ObjectKey> {
        let place = &self.function.places[place];
        self.object_behind(&place.base, &place.proj, depth)
    }

    /// The same of what some steps lead to.
    pub(crate) fn object_behind(
        &self,
        base: &Base,
        steps: &[Proj],
        depth: u32,
    ) -> Option<ObjectKey> {
        if depth > DEEPEST {
            return None;
        }
        let field = steps.iter().rposition(|step| !wraps(step));
        if let Some(at) = field
            && let Some(Proj::Field(name)) = steps.get(at)
        {
            let ty = self.type_behind(base, steps.get(..at)?)?;
            let named = self.program.resolve(&ty).name.clone();
            let class = self
                .program
                .class_ref_in(self.f.0, &self.function.name, &named)?;
            let class = self.program.declaring(class, name).unwrap_or(class);
            return Some(ObjectKey::Field(class, name.clone()));
        }
        match base {
            Base::Local(l) => {
                let own = ObjectKey::Local(self.program.number(self.f), l.0);
                let from = self.def(l.0).and_then(|stmt| self.made_of(stmt));
                match from {
                    Some(from) => self.object_at(from, depth + 1),
                    None => Some(own),
                }
            }
            Base::Global(name) => {
                let class = self.function.class.as_ref();
                let class = class.filter(|_| self.function.kind == FunctionKind::Lambda);
                let class = class.and_then(|class| self.program.class_ref(self.f.0, class));
                if let Some(class) = class.and_then(|c| self.program.declaring(c, name)) {
                    return Some(ObjectKey::Field(class, name.clone()));
                }
                let mut globals = self.program.units[self.f.0].globals.iter();
                let own = globals.any(|g| g.internal && g.name == *name);
                Some(ObjectKey::Global(own.then_some(self.f.0), name.clone()))
            }
            Base::Captured(name) => {
                let (outer, place) = self.captured(name)?;
                outer.object_at(place, depth + 1)
            }
            Base::SelfObj => None,
        }
    }

    /// The place that a statement copies, moves, or takes a part of.
    fn made_of(&self, stmt: &Statement) -> Option<PlaceId> {
        let place = |op: &Operand| match op {
            Operand::Copy(place) | Operand::Move(place) => Some(*place),
            Operand::Const(_) => None,
        };
        match stmt {
            Statement::Assign { value, .. } => match value {
                Rvalue::Use(op) | Rvalue::Cast(_, op) => place(op),
                Rvalue::Ref(place) => Some(*place),
                // An element in a loop.
                Rvalue::Unknown(ops) => match &ops[..] {
                    [op] => place(op),
                    _ => None,
                },
                _ => None,
            },
            Statement::Call { callee, args, .. } => match callee {
                Callee::Function(name)
                    if crate::owners::moves(name)
                        || name.ends_with("Arc::clone")
                        || last(name) == "exchange" =>
                {
                    place(args.first()?)
                }
                Callee::Method { receiver, name, .. } if hands_out(last(name)) => Some(*receiver),
                _ => None,
            },
            _ => None,
        }
    }

    /// Where the result of a statement is kept: what it fills, and what is made of that by copies, moves and
    /// containers that take it in.
    pub(crate) fn kept(&self, at: (usize, usize)) -> Vec<ObjectKey> {
        let mut found = Vec::new();
        let stmt = self
            .function
            .blocks
            .get(at.0)
            .and_then(|b| b.stmts.get(at.1));
        let Some(stmt) = stmt else { return found };
        let mut locals: Vec<u32> = Vec::new();
        let put = |place: PlaceId, found: &mut Vec<ObjectKey>, locals: &mut Vec<u32>| {
            found.extend(self.object(place));
            if let Base::Local(l) = self.function.places[place].base
                && !locals.contains(&l.0)
            {
                locals.push(l.0);
            }
        };
        if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt {
            put(*dst, &mut found, &mut locals);
        }
        if let Statement::Call { callee, args, .. } = stmt {
            // An out-parameter.
            for arg in args {
                if let Operand::Copy(p) | Operand::Move(p) = arg
                    && let (Base::Local(l), []) = (
                        &self.function.places[*p].base,
                        &self.function.places[*p].proj[..],
                    )
                    && let Some(Statement::Assign {
                        value: Rvalue::Ref(filled),
                        ..
                    }) = self.def(l.0)
                {
                    put(*filled, &mut found, &mut locals);
                }
            }
            if let Callee::Method { receiver, .. } = callee {
                put(*receiver, &mut found, &mut locals);
            }
        }
        for _ in 0..4 {
            for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
                self.passed_on(stmt, &mut found, &mut locals, &put);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn passed_on(
        &self,
        stmt: &Statement,
        found: &mut Vec<ObjectKey>,
        locals: &mut Vec<u32>,
        put: &Put<'_>,
    ) {
        let ours = |op: &Operand, locals: &[u32]| match op {
            Operand::Copy(p) | Operand::Move(p) => match &self.function.places[*p].base {
                Base::Local(l) => locals.contains(&l.0),
                _ => false,
            },
            Operand::Const(_) => false,
        };
        match stmt {
            Statement::Assign { dst, value } => match value {
                Rvalue::Use(op) | Rvalue::Cast(_, op) if ours(op, locals) => {
                    put(*dst, found, locals);
                }
                Rvalue::Aggregate(parts) => {
                    for (name, op) in parts {
                        if !ours(op, locals) {
                            continue;
                        }
                        match name {
                            Some(name) if !wraps(&Proj::Field(name.clone())) => {
                                let ty = self.type_of(*dst);
                                let class = ty.and_then(|ty| {
                                    let named = self.program.resolve(&ty).name.clone();
                                    let scope = &self.function.name;
                                    self.program.class_ref_in(self.f.0, scope, &named)
                                });
                                found.extend(class.map(|c| ObjectKey::Field(c, name.clone())));
                            }
                            _ => put(*dst, found, locals),
                        }
                    }
                }
                _ => {}
            },
            Statement::Call {
                dst, callee, args, ..
            } if args.iter().any(|op| ours(op, locals)) => match callee {
                Callee::Method { receiver, name, .. }
                    if matches!(
                        last(name),
                        "push"
                            | "push_back"
                            | "emplace_back"
                            | "insert"
                            | "append"
                            | "operator="
                            | "reset"
                            | "replace"
                            | "emplace"
                    ) =>
                {
                    put(*receiver, found, locals);
                }
                Callee::Function(name) if crate::owners::moves(name) || last(name) == "Some" => {
                    if let Some(dst) = dst {
                        put(*dst, found, locals);
                    }
                }
                Callee::Constructor(ty) if crate::names::points_uniquely(ty) => {
                    if let Some(dst) = dst {
                        put(*dst, found, locals);
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
}
