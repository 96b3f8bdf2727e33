//! Fields by name: which functions may set them, and which of them any code looks at.
//!
//! Unknown code that is not given an object can change it only by calling back into the program. A
//! field that no function but the one being run writes (and constructors, which work on an object
//! of their own) is then as it was. A field that no function looks at was judged by none.

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, Language, Name, Operand, PlaceId, Proj, Reference,
    Rvalue, Statement, Terminator,
};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cfg::{visit_reads, visit_term_reads};
use crate::exec::Exec;
use crate::program::{FnRef, Program, Target, last};
use crate::state::{Res, State};
use crate::values::{Loc, LocId, Sym, Val};

/// Functions that write one field, as far as they are kept; a field with more changes too often.
const MOST_WRITERS: usize = 6;

/// Standard functions that write what their first argument points to.
const FILLERS: &[&str] = &[
    "memset",
    "memcpy",
    "memmove",
    "ZeroMemory",
    "RtlZeroMemory",
    "SecureZeroMemory",
    "CopyMemory",
    "MoveMemory",
    "FillMemory",
];

/// A field: by its name, and by the class that declares it where several declare the name and the
/// object's class is known; else the class is empty.
pub(crate) type FieldKey = (Name, Name);

/// What the functions of a program do to fields.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// Functions that set a field of an object which is neither just made nor just ending. More
    /// than `MOST_WRITERS` stand for any number.
    writers: FxHashMap<FieldKey, Vec<FnRef>>,
    /// The same by the name alone, whatever class declares it.
    by_name: FxHashMap<Name, Vec<FnRef>>,
    looked_at: FxHashSet<FieldKey>,
    /// Names that several classes declare.
    shared: FxHashSet<Name>,
}

/// What one function does to fields.
#[derive(Default)]
struct Touched {
    written: FxHashSet<FieldKey>,
    /// Set in the constructor or destructor of the object that has them.
    begun: FxHashSet<FieldKey>,
    looked_at: FxHashSet<FieldKey>,
}

/// Names that more than one class declares a field of.
pub(crate) fn shared_names(program: &Program<'_>) -> FxHashSet<Name> {
    let mut first: FxHashMap<&Name, &Name> = FxHashMap::default();
    let mut shared = FxHashSet::default();
    for class in program.units.iter().flat_map(|u| &u.classes) {
        for field in &class.fields {
            let known = first.entry(&field.name).or_insert(&class.name);
            if **known != class.name {
                shared.insert(field.name.clone());
            }
        }
    }
    shared
}

/// The field that a place ends in, told apart from others of its name where that can be.
pub(crate) fn key_of(
    program: &Program<'_>,
    f: FnRef,
    shared: &FxHashSet<Name>,
    place: PlaceId,
) -> Option<FieldKey> {
    let function = program.function(f);
    let name = field_of(function, place)?;
    let class = || {
        let place = &function.places[place];
        let at = place
            .proj
            .iter()
            .rposition(|p| matches!(p, Proj::Field(_)))?;
        let object = program.class_behind(f.0, function, &place.base, &place.proj[..at])?;
        let class = program.class_ref_in(f.0, &function.name, &object)?;
        program.declarer(class, name)
    };
    let class = if shared.contains(name) { class() } else { None };
    Some((class.unwrap_or_default(), name.clone()))
}

impl Fields {
    /// Reads all functions of a linked program. What files that were not lowered do to the fields
    /// `elsewhere` is not known.
    pub(crate) fn new(program: &Program<'_>, elsewhere: &FxHashSet<Name>) -> Self {
        let all: Vec<FnRef> = program.all().collect();
        let shared = shared_names(program);
        let touched: Vec<Touched> = all
            .par_iter()
            .map(|&f| touched(program, f, &shared))
            .collect();
        let unknown = |name: &Name| (Name::default(), name.clone());
        let mut fields = Self {
            looked_at: elsewhere.iter().map(unknown).collect(),
            shared,
            ..Self::default()
        };
        // What a name of another kind of structure stands for is not seen.
        let declared: FxHashSet<&Name> = program
            .units
            .iter()
            .flat_map(|u| &u.classes)
            .flat_map(|c| &c.fields)
            .filter(|f| !f.is_static && !elsewhere.contains(&f.name))
            .map(|f| &f.name)
            .collect();
        for (&f, touched) in all.iter().zip(touched) {
            for key in touched.written {
                if !declared.contains(&key.1) {
                    continue;
                }
                let by_name = fields.by_name.entry(key.1.clone()).or_default();
                if by_name.len() <= MOST_WRITERS && by_name.last() != Some(&f) {
                    by_name.push(f);
                }
                let writers = fields.writers.entry(key).or_default();
                if writers.len() <= MOST_WRITERS {
                    writers.push(f);
                }
            }
            for key in touched.begun {
                if declared.contains(&key.1) {
                    fields.by_name.entry(key.1.clone()).or_default();
                    fields.writers.entry(key).or_default();
                }
            }
            fields.looked_at.extend(touched.looked_at);
        }
        fields
    }

    /// Some function sets this field, and only these do so where the object lives.
    fn is_written_by(&self, functions: &[Option<FnRef>], class: Option<Name>, name: &Name) -> bool {
        let only = |w: &Vec<FnRef>| {
            w.len() <= MOST_WRITERS && w.iter().all(|f| functions.contains(&Some(*f)))
        };
        let Some(class) = class else {
            return self.by_name.get(name).is_some_and(only);
        };
        // An object whose class is not known may be of this one.
        let any = self.writers.get(&(Name::default(), name.clone()));
        let own = self.writers.get(&(class, name.clone()));
        (own.is_some() || any.is_some()) && own.is_none_or(only) && any.is_none_or(only)
    }

    /// Some code looks at this field.
    fn is_looked_at(&self, class: Option<Name>, name: &Name) -> bool {
        let Some(class) = class else {
            return self.looked_at.iter().any(|(_, n)| n == name);
        };
        let has = |class: Name| self.looked_at.contains(&(class, name.clone()));
        has(class) || has(Name::default())
    }
}

/// The field that a place ends in; elements count as the field that holds them.
pub(crate) fn field_of(function: &Function, place: PlaceId) -> Option<&Name> {
    let place = &function.places[place];
    let mut steps = place.proj.iter().rev();
    match steps.find(|p| !matches!(p, Proj::Index(_))) {
        Some(Proj::Field(name)) => Some(name),
        Some(_) => None,
        // In a lambda a field of the object is a name like any other.
        None => match &place.base {
            Base::Global(name) | Base::Captured(name) => Some(name),
            _ => None,
        },
    }
}

fn touched(program: &Program<'_>, f: FnRef, shared: &FxHashSet<Name>) -> Touched {
    let function = program.function(f);
    let mut found = Touched::default();
    // A constructor sets the fields of an object that is new; a destructor's is gone after it.
    let own_life = matches!(
        function.kind,
        FunctionKind::Constructor | FunctionKind::Destructor | FunctionKind::FieldInit
    );
    let cpp = program.units[f.0].language == Language::Cpp;
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let mut write = |place: PlaceId| {
            if let Some(key) = key_of(program, f, shared, place) {
                let own = own_life && function.places[place].base == Base::SelfObj;
                let found = if own {
                    &mut found.begun
                } else {
                    &mut found.written
                };
                found.insert(key);
            }
        };
        match stmt {
            Statement::Assign { dst, value } => {
                write(*dst);
                if let Rvalue::Ref(place) = value {
                    write(*place);
                }
                if is_whole_object(function, *dst) {
                    whole(program, f, function, *dst, shared, &mut found);
                }
            }
            Statement::Call {
                dst, callee, args, ..
            } => {
                dst.iter().for_each(|d| write(*d));
                if let Callee::Method { receiver, .. } = callee {
                    write(*receiver);
                }
                if let Callee::Function(name) = callee
                    && FILLERS.contains(&last(name))
                    && let Some(Operand::Copy(place)) = args.first()
                {
                    whole(program, f, function, *place, shared, &mut found);
                }
                if cpp {
                    by_reference(program, f, shared, callee, args, &mut found);
                }
            }
            Statement::Opaque { touches, .. } => touches.iter().for_each(|p| write(*p)),
            _ => {}
        }
        let mut look = |place: PlaceId| {
            found.looked_at.extend(key_of(program, f, shared, place));
        };
        match stmt {
            Statement::Assert(_) => {}
            // What an API function is given is used by it, not judged.
            Statement::Call { callee, args, .. }
                if reads_field(function, args)
                    && matches!(
                        program.target(f.0, function, callee, args.len()),
                        Target::Model(model) if model.check.is_none()
                    ) => {}
            _ => visit_reads(stmt, &mut look),
        }
    }
    // Who gets a reference to it may set it.
    let hands_out = function.ret.reference != Reference::None && !function.ret.is_const;
    for block in &function.blocks {
        if let Terminator::Return(Some(Operand::Copy(place))) = &block.term
            && hands_out
        {
            found.written.extend(key_of(program, f, shared, *place));
            // The object itself its caller has anyhow.
            if is_whole_object(function, *place) && function.places[*place].base != Base::SelfObj {
                whole(program, f, function, *place, shared, &mut found);
            }
        }
        visit_term_reads(&block.term, |place| {
            found.looked_at.extend(key_of(program, f, shared, place));
        });
    }
    found
}

fn reads_field(function: &Function, args: &[Operand]) -> bool {
    args.iter().any(|arg| match arg {
        Operand::Copy(place) | Operand::Move(place) => field_of(function, *place).is_some(),
        Operand::Const(_) => false,
    })
}

/// `*p` or `*this`: what is assigned to it goes to all fields.
fn is_whole_object(function: &Function, place: PlaceId) -> bool {
    let place = &function.places[place];
    match place.proj.last() {
        Some(last) => *last == Proj::Deref,
        None => place.base == Base::SelfObj,
    }
}

/// An object is written as a whole: so are its fields.
fn whole(
    program: &Program<'_>,
    f: FnRef,
    function: &Function,
    place: PlaceId,
    shared: &FxHashSet<Name>,
    found: &mut Touched,
) {
    let class = program
        .class_of_place(f.0, function, place)
        .and_then(|name| program.class_named(f.0, &function.name, &name));
    if let Some(class) = class {
        let key = |name: &Name| {
            let class = shared.contains(name).then(|| class.name.clone());
            (class.unwrap_or_default(), name.clone())
        };
        let keys = class.fields.iter().map(|field| key(&field.name));
        found.written.extend(keys);
    }
}

/// A C++ reference parameter may change what is passed as it is.
fn by_reference(
    program: &Program<'_>,
    f: FnRef,
    shared: &FxHashSet<Name>,
    callee: &Callee,
    args: &[Operand],
    found: &mut Touched,
) {
    let function = program.function(f);
    for (i, arg) in args.iter().enumerate() {
        let (Operand::Copy(place) | Operand::Move(place)) = arg else {
            continue;
        };
        let field = key_of(program, f, shared, *place);
        let object = is_whole_object(function, *place);
        if field.is_none() && !object {
            continue;
        }
        let changes = match program.target(f.0, function, callee, args.len()) {
            Target::Model(_) => false,
            Target::Unknown => true,
            Target::Defined(g) => {
                let param = program.function(g).locals.get(i);
                // What is given to be read alone stays as it is.
                param.is_none_or(|l| l.ty.reference != Reference::None && !l.ty.is_const)
            }
        };
        if changes {
            found.written.extend(field);
            if object {
                whole(program, f, function, *place, shared, found);
            }
        }
    }
}

impl Exec<'_, '_> {
    /// A field of the object or of what a parameter points to that unknown code leaves as it is: it
    /// was not given the object, and nothing that it can call writes a field of that name.
    pub(crate) fn is_steady(&self, state: &State, loc: LocId) -> bool {
        self.is_set_only_by(state, loc, &[Some(self.me), self.inside])
    }

    /// As `is_steady`, whatever function is being replayed: what such a field held when this
    /// function began can be asked for at any time.
    pub(crate) fn is_own_steady(&self, state: &State, loc: LocId) -> bool {
        self.is_set_only_by(state, loc, &[Some(self.me)])
    }

    fn is_set_only_by(&self, state: &State, loc: LocId, writers: &[Option<FnRef>]) -> bool {
        let mut at = loc;
        let mut fields = 0;
        loop {
            if state.exposed.get(at).is_some() {
                return false;
            }
            match self.arena.get_loc(at) {
                Loc::Field(parent, name) => {
                    let class = self.declarer(*parent, name);
                    if !self.program.fields.is_written_by(writers, class, name) {
                        return false;
                    }
                    fields += 1;
                    at = *parent;
                }
                Loc::Elem(parent, _) => at = *parent,
                _ => return fields > 0 && self.is_given_object(at),
            }
        }
    }

    /// The class that declares a field of an object, where others declare the name as well.
    fn declarer(&self, object: LocId, name: &Name) -> Option<Name> {
        if !self.program.fields.shared.contains(name) {
            return Some(Name::default());
        }
        let class = match self.arena.get_loc(object) {
            Loc::SelfObj => self.own_class(),
            Loc::Deref(_) => self.class_of(object),
            _ => self.loc_type(object).and_then(|ty| {
                let ty = self.program.resolve(&ty);
                self.program.class_ref_in(self.unit, self.scope(), &ty.name)
            }),
        };
        self.program.declarer(class?, name)
    }

    /// The object itself, or what a parameter points to.
    pub(crate) fn is_given_object(&self, root: LocId) -> bool {
        match self.arena.get_loc(root) {
            Loc::SelfObj => true,
            Loc::Deref(p) => self.is_parameter(*p),
            _ => false,
        }
    }

    /// A parameter's value as it was given.
    pub(crate) fn is_parameter(&self, v: crate::values::ValId) -> bool {
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(v) else {
            return false;
        };
        matches!(self.arena.get_loc(*loc), Loc::Local(l) if l.0 < self.function.params)
    }

    /// The one place that holds the resource is a field that no code looks at.
    pub(crate) fn is_out_of_sight(&self, state: &State, res: &Res) -> bool {
        let Some(home) = res.home.filter(|_| !res.foreign) else {
            return false;
        };
        let mut at = home;
        let field = loop {
            match self.arena.get_loc(at) {
                Loc::Field(parent, name) => break Some((*parent, name)),
                Loc::Elem(parent, _) => at = *parent,
                _ => break None,
            }
        };
        let looked_at = |(object, name): (LocId, &Name)| {
            let class = self.declarer(object, name);
            self.program.fields.is_looked_at(class, name)
        };
        self.is_steady(state, home) && field.is_some_and(|field| !looked_at(field))
    }
}
