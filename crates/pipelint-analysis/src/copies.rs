//! Classes that close a handle when they end and that anybody may copy.

use pipelint_ir::{
    Base, Callee, Class, FunctionKind, Name, Operand, PlaceId, Proj, Reference, Statement,
    Terminator, Type,
};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{ClassRef, FnRef, Program, Target, last};

/// A release of a field, in a destructor or in what it calls.
pub(crate) struct Close {
    pub(crate) field: Name,
    pub(crate) api: Name,
    pub(crate) at: Span,
}

/// One event for each class of the program whose destructor releases a raw field and whose copy
/// would release it once more.
pub(crate) fn copyable_owners(program: &Program<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    let mut told: FxHashSet<Span> = FxHashSet::default();
    for f in program.all() {
        let function = program.function(f);
        if function.kind != FunctionKind::Destructor {
            continue;
        }
        let class = function
            .class
            .as_ref()
            .and_then(|name| program.class_ref(f.0, name));
        let Some(class) = class else { continue };
        let Some(close) = close_of_field(program, f, class) else {
            continue;
        };
        let derived = program.units[f.0].language == pipelint_ir::Language::Rust;
        let copied = match derived {
            true => derives_clone(program, class),
            false => copies(program, class),
        };
        if !copied || !told.insert(program.class_at(class).span) {
            continue;
        }
        let at = program.class_at(class);
        let field = at.fields.iter().find(|field| field.name == close.field);
        let Some(field) = field else { continue };
        let step = |span, what| PathStep { span, what };
        events.push(Event {
            kind: EventKind::CopyableOwner {
                class: Name::new(last(&at.name)),
                field: close.field.clone(),
                api: close.api.clone(),
                derived,
            },
            at: at.span,
            function: function.name.clone(),
            resource: None,
            path: vec![
                step(field.span, StepKind::Declared(close.field.clone())),
                step(close.at, StepKind::Closed(close.api.clone())),
            ],
            others: Vec::new(),
        });
    }
    events
}

/// The field that a destructor releases, itself or by a method of its class. None where a flag or
/// a count decides: such a class knows of its copies.
pub(crate) fn close_of_field(program: &Program<'_>, f: FnRef, class: ClassRef) -> Option<Close> {
    let found = close_in(program, f, class)?;
    if let Ok(close) = found {
        return Some(close);
    }
    let function = program.function(f);
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let Statement::Call { callee, args, .. } = stmt else {
            continue;
        };
        let own = match callee {
            Callee::Function(_) => true,
            Callee::Method { receiver, .. } => {
                function.places[*receiver] == pipelint_ir::Place::from_base(Base::SelfObj)
            }
            _ => false,
        };
        let Target::Defined(g) = program.target(f.0, function, callee, args.len()) else {
            continue;
        };
        let same = program.function(g).class == function.class;
        if own
            && same
            && program.function(g).kind == FunctionKind::Method
            && let Ok(close) = close_in(program, g, class)?
        {
            return Some(close);
        }
    }
    None
}

/// None where a condition on something else than the field itself decides; the inner is an error
/// where no field is released.
fn close_in(program: &Program<'_>, f: FnRef, class: ClassRef) -> Option<Result<Close, ()>> {
    let function = program.function(f);
    let mut found: Result<Close, ()> = Err(());
    let field_of = |place: PlaceId| {
        let place = &function.places[place];
        match (&place.base, &place.proj[..]) {
            (Base::SelfObj, [Proj::Field(name)]) => Some(name.clone()),
            _ => None,
        }
    };
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let Statement::Call { callee, args, .. } = stmt else {
            continue;
        };
        let Target::Model(model) = program.target(f.0, function, callee, args.len()) else {
            continue;
        };
        let Some(release) = model.releases.first() else {
            continue;
        };
        let kind = program.models.resource(&release.kind);
        let Some(memory) = kind.map(|k| k.memory) else {
            continue;
        };
        let Some(Operand::Copy(place)) = args.get(release.arg) else {
            continue;
        };
        if let (Some(field), Callee::Function(api)) = (field_of(*place), callee)
            && raw_field(program, class, &field, memory)
        {
            let at = span_of(function, stmt);
            found = Ok(Close {
                field,
                api: Name::new(last(api)),
                at,
            });
            break;
        }
    }
    let Ok(close) = &found else {
        return Some(found);
    };
    let asks_else = function.blocks.iter().any(|b| match &b.term {
        Terminator::Branch { cond, .. } => [&cond.lhs, &cond.rhs].into_iter().any(|op| match op {
            Operand::Copy(place) | Operand::Move(place) => match field_of(*place) {
                Some(field) => field != close.field && !raw_field(program, class, &field, true),
                None => !is_result(function, *place),
            },
            Operand::Const(_) => false,
        }),
        Terminator::Switch { .. } => true,
        _ => false,
    });
    (!asks_else).then_some(found)
}

/// A temporary holds what a call gave or a comparison: of what, its statement tells.
fn is_result(function: &pipelint_ir::Function, place: PlaceId) -> bool {
    let sets = |stmt: &Statement| match stmt {
        Statement::Call {
            dst: Some(dst),
            callee: Callee::Function(name),
            ..
        } => *dst == place && last(name).starts_with(|c: char| c.is_ascii_uppercase()),
        _ => false,
    };
    function.blocks.iter().flat_map(|b| &b.stmts).any(sets)
}

fn span_of(function: &pipelint_ir::Function, wanted: &Statement) -> Span {
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            if std::ptr::eq(stmt, wanted) {
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                return span.copied().unwrap_or(function.map.name);
            }
        }
    }
    function.map.name
}

/// A field of the class itself that is a raw handle, or an opaque one of `memory` (`HLOCAL`): a plain
/// pointer to memory is nobody's business here.
fn raw_field(program: &Program<'_>, class: ClassRef, name: &str, memory: bool) -> bool {
    let field = program
        .class_at(class)
        .fields
        .iter()
        .find(|f| f.name == name);
    field.is_some_and(|f| {
        // A Rust type that frees what it points to owns it.
        let rust = program.units[class.0].language == pipelint_ir::Language::Rust;
        let pointed = memory && rust && f.ty.pointers == 1;
        pointed
            || !f.is_static && f.ty.is_object() && {
                let ty = program.resolve(&f.ty);
                program.models.is_handle_type(&ty.name) || (memory && is_opaque(&ty.name))
            }
    })
}

/// `HLOCAL`, `HGLOBAL`, `PSECURITY_DESCRIPTOR`: a name of the system's.
fn is_opaque(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(plain)
}

/// A Rust type with a `Drop` cannot be `Copy`; the clone that it derives copies each field.
pub(crate) fn derives_clone(program: &Program<'_>, at: ClassRef) -> bool {
    let mut methods = program.class_at(at).methods.iter();
    methods.any(|m| m.defaulted && last(&m.name) == "clone")
}

/// True when the compiler writes a copy for this class: nothing declares or forbids one.
fn copies(program: &Program<'_>, at: ClassRef) -> bool {
    let class = program.class_at(at);
    let name = last(&class.name);
    if !class.bases.is_empty() || class.is_union {
        return false;
    }
    let of_itself = |m: &pipelint_ir::Declaration| {
        let first = m.params.first();
        first.is_some_and(|p| last(&p.name) == name && p.pointers == 0)
    };
    // `= default` asks the compiler to write it.
    let asked_for = class.methods.iter().any(|m| {
        let copies = m
            .params
            .first()
            .is_some_and(|p| p.reference == Reference::Shared);
        m.kind == FunctionKind::Constructor && of_itself(m) && m.defaulted && copies
    });
    let declares = class.methods.iter().any(|m| {
        let of_itself = of_itself(m);
        (m.kind == FunctionKind::Constructor && of_itself)
            || last(&m.name) == "operator="
            // An interface is handed on by pointer.
            || m.is_virtual
    });
    (asked_for || !declares)
        && class
            .fields
            .iter()
            .all(|f| f.is_static || copied_as_it_is(program, at.0, class, &f.ty))
}

/// A field that does not stand in the way of a copy.
fn copied_as_it_is(program: &Program<'_>, unit: usize, class: &Class, ty: &Type) -> bool {
    if ty.reference != Reference::None {
        return false;
    }
    let resolved = program.resolve(ty);
    let name: &str = &resolved.name;
    let text = matches!(
        last(name),
        "string"
            | "wstring"
            | "string_view"
            | "wstring_view"
            | "vector"
            | "map"
            | "function"
            | "QString"
    );
    text || program.is_scalar(unit, &class.name, ty)
        || ty.pointers > 0
        || (is_opaque(name) && program.class_named(unit, &class.name, name).is_none())
}
