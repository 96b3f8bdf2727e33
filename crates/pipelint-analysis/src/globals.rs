//! Globals that one function alone writes: what they hold when it is first called.

use pipelint_ir::{Base, Const, Function, Language, Name, Operand, Place, Rvalue, Statement, Unit};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{FnRef, last};

/// Which function writes a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    One(FnRef),
    Several,
}

/// What globals hold before anything ran, and who changes them.
#[derive(Debug, Default)]
pub(crate) struct Globals {
    writers: FxHashMap<Name, Writer>,
    /// Units whose functions name a global; two at most are kept.
    readers: FxHashMap<Name, Vec<usize>>,
    /// Per unit: globals that its functions write.
    written: Vec<FxHashSet<Name>>,
    /// Units and names of globals that only their file sees.
    internal: FxHashSet<(usize, Name)>,
    /// By last segment; none where several globals of one name begin differently.
    initial: FxHashMap<Name, Option<Const>>,
}

impl Globals {
    pub(crate) fn new(units: &[Unit]) -> Self {
        let mentioned: Vec<Mentioned> = units.par_iter().map(mentioned).collect();
        let mut globals = Self::default();
        for (u, (unit, mentioned)) in units.iter().zip(mentioned).enumerate() {
            for global in unit.globals.iter().filter(|g| !g.is_extern) {
                if global.internal {
                    globals.internal.insert((u, global.name.clone()));
                }
                let name = Name::new(last(&global.name));
                let known = globals
                    .initial
                    .entry(name)
                    .or_insert_with(|| global.init.clone());
                if *known != global.init {
                    *known = None;
                }
            }
            globals
                .written
                .push(mentioned.written.keys().cloned().collect());
            for (name, f) in mentioned.written {
                let one = f.map_or(Writer::Several, |f| Writer::One((u, f)));
                let writer = globals.writers.entry(name).or_insert(one);
                if *writer != one {
                    *writer = Writer::Several;
                }
            }
            for name in mentioned.read {
                let units = globals.readers.entry(name).or_default();
                if units.len() < 2 {
                    units.push(u);
                }
            }
        }
        globals
    }

    /// What a global holds when this function, which alone writes it, is first called.
    pub(crate) fn at_first_call(&self, f: FnRef, name: &str) -> Option<&Const> {
        let name = last(name);
        let alone = self.writers.get(name) == Some(&Writer::One(f));
        self.initial.get(name)?.as_ref().filter(|_| alone)
    }

    /// A global that only this unit sees.
    pub(crate) fn is_internal(&self, unit: usize, name: &Name) -> bool {
        self.internal.contains(&(unit, name.clone()))
    }

    /// Some function of this unit writes a global of that last segment.
    pub(crate) fn is_written_in(&self, unit: usize, name: &str) -> bool {
        self.written.get(unit).is_some_and(|w| w.contains(name))
    }

    /// A global that other units read and none writes: the run sees the program that it is of.
    pub(crate) fn is_read_only(&self, unit: usize, name: &str) -> bool {
        let name = last(name);
        let read = self.readers.get(name);
        !self.writers.contains_key(name) && read.is_some_and(|r| r.iter().any(|u| *u != unit))
    }
}

/// What the functions of one unit do to globals, by last segments of their names.
#[derive(Default)]
struct Mentioned {
    /// With the one function that writes it; none where several do.
    written: FxHashMap<Name, Option<usize>>,
    read: FxHashSet<Name>,
}

fn mentioned(unit: &Unit) -> Mentioned {
    let mut found = Mentioned::default();
    for (f, function) in unit.functions.iter().enumerate() {
        each_written(unit, function, &mut |name| {
            let writer = found.written.entry(name).or_insert(Some(f));
            if *writer != Some(f) {
                *writer = None;
            }
        });
        for (_, place) in function.places.iter() {
            if let Base::Global(name) = &place.base {
                let name = last(name);
                if !found.read.contains(name) {
                    found.read.insert(Name::new(name));
                }
            }
        }
    }
    found
}

/// Calls `f` with the last segment of each global that a function assigns, or takes the address of.
fn each_written(unit: &Unit, function: &Function, f: &mut dyn FnMut(Name)) {
    let mut note = |id| {
        if let Place {
            base: Base::Global(name),
            ..
        } = &function.places[id]
        {
            f(Name::new(last(name)));
        }
    };
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        match stmt {
            Statement::Assign { dst, value } => {
                note(*dst);
                if let Rvalue::Ref(place) = value {
                    note(*place);
                }
            }
            Statement::Call { dst: Some(dst), .. } => note(*dst),
            Statement::Opaque { touches, .. } => touches.iter().for_each(|p| note(*p)),
            _ => {}
        }
        // A C++ reference parameter may change a name that is passed as it is.
        if let (Language::Cpp, Statement::Call { args, .. }) = (unit.language, stmt) {
            for arg in args {
                if let Operand::Copy(place) | Operand::Move(place) = arg {
                    note(*place);
                }
            }
        }
    }
}
