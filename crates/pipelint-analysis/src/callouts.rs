//! Calls out of an object: its signals, callbacks that it keeps, observers that it points to. What they run
//! is the user's code.

use pipelint_ir::{
    Base, Callee, Class, Const, Function, FunctionKind, LocalId, LocalKind, Name, Operand, PlaceId,
    Proj, Rvalue, Statement, Type,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::contexts::place_of;
use crate::program::{FnRef, Program, Target, last};

/// The object that a function works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    /// The one that the method runs on.
    Own,
    /// The one that a parameter points to.
    Given(LocalId),
}

/// How user code is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallOutKind {
    /// A signal of Qt's is emitted.
    Signal,
    /// A callback is called that a field keeps.
    Callback,
    /// A virtual method of an object that a field points to.
    Observer,
}

/// A call of user code, by the class and what is called: a signal, a field, or a method of what a field leads
/// to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallOut {
    pub(crate) class: Name,
    pub(crate) name: Name,
    pub(crate) kind: CallOutKind,
}

/// One function, seen from the object that it works on.
pub(crate) struct View<'p, 'm> {
    pub(crate) program: &'p Program<'m>,
    pub(crate) f: FnRef,
    pub(crate) function: &'p Function,
    pub(crate) object: Object,
    /// The object's class, and those it derives from.
    pub(crate) classes: Vec<&'p Class>,
    /// What the variables hold that are assigned once.
    defs: FxHashMap<LocalId, &'p Rvalue>,
}

/// The objects that a function works on: its own, and those that its parameters point to.
pub(crate) fn objects(function: &Function) -> Vec<Object> {
    let mut found = Vec::new();
    match function.kind {
        FunctionKind::Method => found.push(Object::Own),
        FunctionKind::Free | FunctionKind::StaticMethod => {}
        _ => return found,
    }
    for (l, local) in (0..function.params).zip(&function.locals) {
        if local.ty.pointers == 1 && local.kind == LocalKind::Param {
            found.push(Object::Given(LocalId(l)));
        }
    }
    found
}

impl<'p, 'm> View<'p, 'm> {
    pub(crate) fn new(program: &'p Program<'m>, f: FnRef, object: Object) -> Option<Self> {
        let function = program.function(f);
        let class = match object {
            Object::Own => program.class(f.0, function.class.as_ref()?)?,
            Object::Given(l) => {
                let ty = program.resolve(&function.locals.get(l.0 as usize)?.ty);
                program.class_named(f.0, &function.name, &ty.name)?
            }
        };
        let mut classes = vec![class];
        classes.extend(program.bases(f.0, class));
        let mut defs: FxHashMap<LocalId, Option<&Rvalue>> = FxHashMap::default();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            let (dst, value) = match stmt {
                Statement::Assign { dst, value } => (*dst, Some(value)),
                Statement::Call { dst: Some(dst), .. } => (*dst, None),
                _ => continue,
            };
            if let Some(local) = whole(function, dst) {
                let once = !defs.contains_key(&local);
                defs.insert(local, value.filter(|_| once));
            }
        }
        if let Object::Given(l) = object
            && defs.contains_key(&l)
        {
            return None;
        }
        let defs = defs.into_iter().filter_map(|(l, v)| Some((l, v?)));
        Some(Self {
            program,
            f,
            function,
            object,
            classes,
            defs: defs.collect(),
        })
    }

    /// The value of a variable that is assigned once.
    pub(crate) fn def(&self, op: &Operand) -> Option<&'p Rvalue> {
        let local = whole(self.function, place_of(op)?)?;
        self.defs.get(&local).copied()
    }

    /// The steps to a part of the object.
    fn steps(&self, place: PlaceId) -> Option<&'p [Proj]> {
        let place = &self.function.places[place];
        match (&place.base, self.object) {
            (Base::SelfObj, Object::Own) => Some(&place.proj),
            (Base::Local(l), Object::Given(p)) if *l == p => {
                let (first, rest) = place.proj.split_first()?;
                (*first == Proj::Deref).then_some(rest)
            }
            _ => None,
        }
    }

    /// The field of the object that a place lies in or behind.
    pub(crate) fn member(&self, place: PlaceId) -> Option<Name> {
        if let Some(steps) = self.steps(place) {
            return match steps.first() {
                Some(Proj::Field(name)) => Some(name.clone()),
                _ => None,
            };
        }
        // One that it has from a base is named alone.
        match &self.function.places[place].base {
            Base::Global(name) if self.object == Object::Own => {
                self.field(name).map(|_| name.clone())
            }
            _ => None,
        }
    }

    /// The place is the object itself.
    fn is_object(&self, place: PlaceId) -> bool {
        self.steps(place).is_some_and(<[Proj]>::is_empty)
    }

    /// The place is the object itself, or lies in it.
    pub(crate) fn is_inside(&self, place: PlaceId) -> bool {
        let steps = self.steps(place);
        steps.is_some_and(|steps| !steps.contains(&Proj::Deref))
    }

    /// The operand is the object's address.
    pub(crate) fn is_address(&self, op: &Operand) -> bool {
        if let Some(Rvalue::Ref(place)) = self.def(op) {
            return self.is_object(*place);
        }
        let local = place_of(op).and_then(|place| whole(self.function, place));
        matches!((self.object, local), (Object::Given(p), Some(l)) if p == l)
    }

    /// A field of the object, by its name.
    pub(crate) fn field(&self, name: &str) -> Option<(&'p Class, &'p Type)> {
        self.classes.iter().find_map(|class| {
            let field = class
                .fields
                .iter()
                .find(|f| f.name == name && !f.is_static)?;
            Some((*class, &field.ty))
        })
    }

    /// The object's end writes through this field.
    pub(crate) fn tells_of_its_end(&self, field: &Name) -> bool {
        self.classes.iter().any(|class| {
            let name = format!("{}::~{}", class.name, last(&class.name));
            let Some(end) = self.program.pick_only(self.f.0, &name, 0) else {
                return false;
            };
            let end = self.program.function(end);
            let mut stmts = end.blocks.iter().flat_map(|b| &b.stmts);
            stmts.any(|stmt| match stmt {
                Statement::Assign { dst, .. } => {
                    let place = &end.places[*dst];
                    place.base == Base::SelfObj
                        && place.proj == [Proj::Field(field.clone()), Proj::Deref]
                }
                _ => false,
            })
        })
    }

    /// A variable that is declared `const`.
    pub(crate) fn is_const(&self, local: LocalId) -> bool {
        let declared = self.function.locals.get(local.0 as usize);
        declared.is_some_and(|l| l.ty.is_const)
    }

    fn signal(&self, name: &str) -> Option<CallOut> {
        let declares = |class: &&&Class| {
            let mut methods = class.methods.iter();
            methods.any(|m| m.is_signal && last(&m.name) == name)
        };
        let class = self.classes.iter().find(declares)?;
        Some(CallOut {
            class: class.name.clone(),
            name: Name::new(name),
            kind: CallOutKind::Signal,
        })
    }

    fn kept(&self, name: &str) -> Option<CallOut> {
        let (class, ty) = self.field(name)?;
        let ty = self.program.resolve(ty);
        ty.name.contains("function").then(|| CallOut {
            class: class.name.clone(),
            name: Name::new(name),
            kind: CallOutKind::Callback,
        })
    }

    fn observer(&self, receiver: PlaceId, callee: &Callee, method: &str) -> Option<CallOut> {
        let field = self.member(receiver)?;
        if self.function.places[receiver].proj.last() != Some(&Proj::Deref) {
            return None;
        }
        let (class, ty) = self.field(&field)?;
        let seen = self
            .program
            .class_of_receiver(self.f.0, self.function, callee)?;
        let mut methods = seen.methods.iter();
        let is_virtual = methods.any(|m| m.is_virtual && last(&m.name) == method);
        (ty.pointers == 1 && is_virtual).then(|| CallOut {
            class: class.name.clone(),
            name: Name::new(format!("{field}->{method}")),
            kind: CallOutKind::Observer,
        })
    }

    /// The user code that a statement calls.
    pub(crate) fn call_out(&self, stmt: &Statement) -> Option<CallOut> {
        let Statement::Call { callee, .. } = stmt else {
            return None;
        };
        match callee {
            Callee::Function(name) if self.object == Object::Own && !name.contains("::") => {
                self.signal(name).or_else(|| self.kept(name))
            }
            Callee::Method { receiver, name, .. } if self.is_object(*receiver) => {
                self.signal(name).or_else(|| self.kept(name))
            }
            Callee::Method { receiver, name, .. } => self.observer(*receiver, callee, name),
            Callee::Pointer(op) => {
                let place = match self.def(op) {
                    Some(Rvalue::Use(from)) => place_of(from)?,
                    _ => place_of(op)?,
                };
                self.kept(&self.member(place)?)
            }
            _ => None,
        }
    }

    /// What of the object a call works on, in the function of the program that it goes to.
    pub(crate) fn handed(&self, stmt: &Statement) -> Option<(FnRef, Object)> {
        let Statement::Call { callee, args, .. } = stmt else {
            return None;
        };
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        let Target::Defined(g) = target else {
            return None;
        };
        let called = self.program.function(g);
        if called.kind == FunctionKind::Method {
            let own = match callee {
                Callee::Function(_) => self.object == Object::Own && self.is_of(called),
                Callee::Method { receiver, .. } => self.is_object(*receiver),
                _ => false,
            };
            if own {
                return Some((g, Object::Own));
            }
        }
        let at = args.iter().position(|op| self.is_address(op))?;
        let at = u32::try_from(at).ok()?;
        let takes = matches!(called.kind, FunctionKind::Free | FunctionKind::StaticMethod);
        (takes && at < called.params).then_some((g, Object::Given(LocalId(at))))
    }

    /// A method of the object's class, or of one that it derives from.
    fn is_of(&self, called: &Function) -> bool {
        let class = called.class.as_ref();
        class.is_some_and(|class| self.classes.iter().any(|c| c.name == *class))
    }

    /// The method that a call runs on the object, whose body is not in sight.
    pub(crate) fn unseen_method(&self, stmt: &Statement) -> Option<Name> {
        let Statement::Call { callee, args, .. } = stmt else {
            return None;
        };
        let name = match callee {
            Callee::Function(name) if self.object == Object::Own => name,
            Callee::Method { receiver, name, .. } if self.is_object(*receiver) => name,
            _ => return None,
        };
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        if target != Target::Unknown {
            return None;
        }
        let declared = self.classes.iter().flat_map(|c| &c.methods);
        let mut methods = declared.filter(|m| m.kind == FunctionKind::Method);
        methods
            .any(|m| last(&m.name) == last(name))
            .then(|| name.clone())
    }

    /// The function, or one that it calls for the object, reads or writes it.
    pub(crate) fn touches(&self, depth: u32) -> bool {
        let mut places = self.function.places.iter();
        if places.any(|(id, _)| self.member(id).is_some()) {
            return true;
        }
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| {
            let inner = || {
                let (g, object) = self.handed(stmt).filter(|_| depth < 4)?;
                View::new(self.program, g, object)
            };
            self.call_out(stmt).is_some() || inner().is_some_and(|view| view.touches(depth + 1))
        })
    }
}

/// The variable that a place is, with no steps.
pub(crate) fn whole(function: &Function, place: PlaceId) -> Option<LocalId> {
    let place = &function.places[place];
    match (&place.base, &place.proj[..]) {
        (Base::Local(l), []) => Some(*l),
        _ => None,
    }
}

/// The last field or name on the way to a place.
pub(crate) fn last_name(function: &Function, place: PlaceId) -> Option<Name> {
    let place = &function.places[place];
    let field = place.proj.iter().rev().find_map(|step| match step {
        Proj::Field(name) => Some(name.clone()),
        _ => None,
    });
    field.or_else(|| match &place.base {
        Base::Global(name) | Base::Captured(name) => Some(name.clone()),
        _ => None,
    })
}

/// What a function calls in sight, at any depth, itself first; what it only makes a closure of is left out.
pub(crate) fn runs(program: &Program<'_>, from: FnRef, most: usize) -> Vec<FnRef> {
    let mut seen = FxHashSet::from_iter([from]);
    let mut found = vec![from];
    let mut at = 0;
    while let Some(&f) = found.get(at) {
        at += 1;
        let function = program.function(f);
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Call { callee, args, .. } = stmt
                && let Target::Defined(g) = program.target(f.0, function, callee, args.len())
                && found.len() < most
                && seen.insert(g)
            {
                found.push(g);
            }
        }
    }
    found
}

/// A constant that means no or nothing.
pub(crate) fn is_nothing(op: &Operand) -> bool {
    matches!(op, Operand::Const(Const::Null | Const::Int(0)))
}
