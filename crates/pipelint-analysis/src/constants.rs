//! Names with a value that does not change: constants, macros, globals that nobody writes.

use pipelint_ir::{Const, FunctionKind, Name, Operand, Statement, Terminator};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{FnRef, Program, last};

impl Program<'_> {
    pub(crate) fn index_constants(&mut self, elsewhere: &FxHashSet<Name>) {
        let mut aliases: Vec<(usize, Name, Name)> = Vec::new();
        for (u, unit) in self.units.iter().enumerate() {
            let mut own = FxHashMap::default();
            let globals = unit.globals.iter().filter_map(|g| {
                let steady = g.ty.is_const
                    || (g.internal && !self.globals.is_written_in(u, last(&g.name)))
                    || (!g.internal
                        && !g.is_extern
                        && !elsewhere.contains(last(&g.name))
                        && self.globals.is_read_only(u, &g.name));
                Some((&g.name, g.init.as_ref().filter(|_| steady)?, g.internal))
            });
            let named = unit.constants.iter().map(|c| (&c.name, &c.value, false));
            for (name, value, internal) in named.chain(globals) {
                let value = match value {
                    Const::Int(value) => *value,
                    Const::Null => 0,
                    Const::Named(other) => {
                        aliases.push((u, name.clone(), other.clone()));
                        continue;
                    }
                    _ => continue,
                };
                own.insert(name.clone(), value);
                if !internal {
                    let known = self.constants.entry(name.clone()).or_insert(Some(value));
                    if *known != Some(value) {
                        // Two files disagree: which one is meant cannot be known.
                        *known = None;
                    }
                }
            }
            self.unit_constants.push(own);
        }
        for (u, name, other) in aliases {
            if let Some(value) = self.constant(u, &other) {
                self.unit_constants[u].insert(name.clone(), value);
                self.constants.entry(name).or_insert(Some(value));
            }
        }
    }

    pub(crate) fn index_renames(&mut self) {
        for unit in &self.units {
            let mut own = FxHashMap::default();
            for constant in &unit.constants {
                let Const::Named(other) = &constant.value else {
                    continue;
                };
                own.insert(constant.name.clone(), other.clone());
                let known = self
                    .common_renames
                    .entry(constant.name.clone())
                    .or_insert_with(|| Some(other.clone()));
                if known.as_ref() != Some(other) {
                    *known = None;
                }
            }
            self.renames.push(own);
        }
    }

    /// What a name stands for after object-like macros; a few steps deep.
    pub(crate) fn renamed<'a>(&'a self, unit: usize, name: &'a str) -> &'a str {
        let mut name = name;
        for _ in 0..4 {
            let own = self.renames.get(unit).and_then(|own| own.get(name));
            // A header may rename a function of the system for some files; which, is not known.
            let common = || {
                let other = self.common_renames.get(name).and_then(Option::as_ref);
                other.filter(|_| self.models.function(name).is_none())
            };
            match own.or_else(common) {
                Some(other) if other != name => name = other,
                _ => break,
            }
        }
        name
    }

    /// The value of a named constant as seen from a unit.
    pub(crate) fn constant(&self, unit: usize, name: &str) -> Option<i128> {
        let own = self
            .unit_constants
            .get(unit)
            .and_then(|own| own.get(name).copied());
        own.or_else(|| self.constants.get(name).copied().flatten())
            .or_else(|| self.models.constant(name).map(i128::from))
            .or_else(|| self.sum(unit, name))
    }

    /// A sum as written in the label of a case: `WAIT_OBJECT_0 + 1`.
    fn sum(&self, unit: usize, text: &str) -> Option<i128> {
        let (before, last) = text.rsplit_once('+')?;
        let term = |text: &str| {
            let text = text.trim();
            text.parse().ok().or_else(|| self.constant(unit, text))
        };
        term(before)?.checked_add(term(last)?)
    }

    /// The constant that a defined function always returns.
    pub(crate) fn constant_result(&self, f: FnRef) -> Option<i128> {
        self.constant_results.get(&f).copied()
    }

    pub(crate) fn find_constant_results(&mut self) {
        let mut found = FxHashMap::default();
        for f in self.all() {
            let function = self.function(f);
            let mut value = None;
            let mut steady = function.kind != FunctionKind::Lambda;
            for block in &function.blocks {
                // Any call or store may matter; only plain returns are taken.
                steady &= block
                    .stmts
                    .iter()
                    .all(|s| matches!(s, Statement::Mark(_) | Statement::Assert(_)));
                match &block.term {
                    Terminator::Return(Some(Operand::Const(c))) => {
                        let this = match c {
                            Const::Int(v) => Some(*v),
                            Const::Null => Some(0),
                            Const::Named(name) => self.constant(f.0, name),
                            _ => None,
                        };
                        steady &= this.is_some() && (value.is_none() || value == this);
                        value = this;
                    }
                    Terminator::Goto(_) | Terminator::Unreachable => {}
                    _ => steady = false,
                }
            }
            if let (true, Some(value)) = (steady, value) {
                found.insert(f, value);
            }
        }
        self.constant_results = found;
    }
}
