//! Functions that an object is made with, keeps in a field, and has run where a thread of control begins: a class
//! around a thread or a callback. Who makes such an object has the function run.

use pipelint_ir::{Base, Callee, Function, FunctionKind, Name, Operand, Proj, Rvalue, Statement};
use rustc_hash::FxHashSet;

use crate::program::{ClassRef, FnRef, Program, Target, last};

/// How deep what a thread runs is followed to the call of the field.
const DEEPEST: u32 = 3;

/// Constructors, with the parameter that what begins at a function runs.
pub(crate) fn makers(program: &Program<'_>, all: &[FnRef], begins: FnRef) -> Vec<(FnRef, usize)> {
    let mut called = FxHashSet::default();
    fields_called(program, begins, 0, &mut called);
    if called.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for &f in all {
        let function = program.function(f);
        if function.kind != FunctionKind::Constructor {
            continue;
        }
        let class = function.class.as_ref();
        let Some(class) = class.and_then(|class| program.class_ref(f.0, class)) else {
            continue;
        };
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            let dst = match stmt {
                Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => dst,
                _ => continue,
            };
            let to = &function.places[*dst];
            let (Base::SelfObj, [Proj::Field(field)]) = (&to.base, &to.proj[..]) else {
                continue;
            };
            if called.contains(&(class, field.clone()))
                && let Some(n) = handed(function, stmt, 0)
            {
                found.push((f, n));
            }
        }
    }
    found
}

/// The parameter that a statement hands on: as it is, moved, or wrapped into an object.
fn handed(function: &Function, stmt: &Statement, depth: u32) -> Option<usize> {
    let from = match stmt {
        Statement::Assign {
            value: Rvalue::Use(from) | Rvalue::Cast(_, from),
            ..
        } => from,
        Statement::Call {
            callee: Callee::Function(name),
            args,
            ..
        } if matches!(last(name), "move" | "forward") => args.first()?,
        Statement::Call {
            callee: Callee::Constructor(_),
            args,
            ..
        } if args.len() == 1 => args.first()?,
        _ => return None,
    };
    let (Operand::Copy(place) | Operand::Move(place)) = from else {
        return None;
    };
    let at = &function.places[*place];
    let (Base::Local(l), []) = (&at.base, &at.proj[..]) else {
        return None;
    };
    if l.0 < function.params {
        return Some(l.0 as usize);
    }
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    let made = stmts.find(|stmt| match stmt {
        Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => dst == place,
        _ => false,
    })?;
    (depth < DEEPEST)
        .then(|| handed(function, made, depth + 1))
        .flatten()
}

/// The fields that a function calls, by the classes that have them.
fn fields_called(
    program: &Program<'_>,
    f: FnRef,
    depth: u32,
    called: &mut FxHashSet<(ClassRef, Name)>,
) {
    let function = program.function(f);
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let Statement::Call { callee, args, .. } = stmt else {
            continue;
        };
        match callee {
            Callee::Method { receiver, name, ty } => {
                let of = match ty {
                    Some(ty) => Some((**ty).clone()),
                    None => program.type_of_place(f.0, function, *receiver),
                };
                let class = of.and_then(|ty| {
                    let name = program.resolve(&ty).name.clone();
                    program.class_ref_in(f.0, &function.name, &name)
                });
                let class = class.and_then(|class| program.declaring(class, name));
                if let Some(class) = class {
                    called.insert((class, name.clone()));
                }
            }
            Callee::Function(name) => {
                // A field of the method's own object.
                let class = function.class.as_ref();
                let class = class.and_then(|class| program.class_ref(f.0, class));
                let class = class.and_then(|class| program.declaring(class, name));
                if let Some(class) = class {
                    called.insert((class, name.clone()));
                }
            }
            Callee::Pointer(Operand::Copy(place) | Operand::Move(place)) => {
                let at = &function.places[*place];
                if let [before @ .., Proj::Field(name)] = &at.proj[..] {
                    let class = program.class_behind(f.0, function, &at.base, before);
                    let class = class
                        .and_then(|class| program.class_ref_in(f.0, &function.name, &class))
                        .and_then(|class| program.declaring(class, name));
                    if let Some(class) = class {
                        called.insert((class, name.clone()));
                    }
                }
            }
            _ => {}
        }
        if depth < DEEPEST
            && let Target::Defined(g) = program.target(f.0, function, callee, args.len())
            && g != f
        {
            fields_called(program, g, depth + 1, called);
        }
    }
}
