//! Call sites: what each call of the program goes to, found out once.
//!
//! Every pass over the program asks it anew, and to find it means to walk scopes and overloads by
//! name. A site is known by where its callee lies: linked units do not move while a program lives.

use pipelint_ir::{Block, Callee, Function, Statement};
use pipelint_models::Slot;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::program::{Program, Target};
use crate::split::split_blocks;

/// Targets by call site, per unit.
#[derive(Debug, Default)]
pub(crate) struct Sites<'m>(Vec<FxHashMap<usize, Target<'m>>>);

/// Where a callee lies. Only compared, never followed.
fn site(callee: &Callee) -> usize {
    std::ptr::from_ref(callee).addr()
}

impl<'m> Sites<'m> {
    pub(crate) fn get(&self, unit: usize, callee: &Callee) -> Option<Target<'m>> {
        self.0.get(unit)?.get(&site(callee)).copied()
    }
}

impl<'m> Program<'m> {
    /// Finds what the calls of all functions go to, once names and classes are indexed, and cuts
    /// blocks behind those that give a path several outcomes.
    pub(crate) fn find_targets(&mut self) {
        let found: Vec<Vec<Targets<'m>>> = (0..self.units.len())
            .into_par_iter()
            .map(|u| {
                let functions = self.units[u].functions.iter();
                functions.map(|f| self.targets_in(u, f)).collect()
            })
            .collect();
        let units = self.units.par_iter_mut().zip(found);
        let sites = units.map(|(unit, found)| {
            let mut sites = FxHashMap::default();
            for (function, targets) in unit.functions.iter_mut().zip(found) {
                cut_and_note(function, targets, &mut sites);
            }
            sites
        });
        self.sites = Sites(sites.collect());
    }

    fn targets_in(&self, unit: usize, function: &Function) -> Targets<'m> {
        let block = |b: &Block| {
            let calls = b.stmts.iter().filter_map(callee);
            calls
                .map(|(callee, args)| self.find_target(unit, function, callee, args))
                .collect()
        };
        function.blocks.iter().map(block).collect()
    }
}

/// Per block, what its calls go to.
type Targets<'m> = Vec<Vec<Target<'m>>>;

/// Cuts a function's blocks, and notes where its callees lie from then on.
fn cut_and_note<'m>(
    function: &mut Function,
    targets: Targets<'m>,
    sites: &mut FxHashMap<usize, Target<'m>>,
) {
    let forks = |targets: &Vec<Target<'m>>| targets.iter().filter(|t| t.forks()).nth(1).is_some();
    let mut cut_from = Vec::new();
    if targets.iter().any(forks) {
        let cuts: Vec<Vec<usize>> = function
            .blocks
            .iter()
            .zip(&targets)
            .map(|(block, targets)| {
                let calls = (0..).zip(&block.stmts).filter(|(_, s)| callee(s).is_some());
                let forking = calls.zip(targets).filter(|(_, target)| target.forks());
                forking.map(|((i, _), _)| i + 1).collect()
            })
            .collect();
        cut_from = split_blocks(function, cuts);
    }
    let blocks = targets.len();
    let mut left: Vec<_> = targets.into_iter().map(Vec::into_iter).collect();
    let origin = (0..blocks).chain(cut_from);
    for (block, from) in function.blocks.iter().zip(origin) {
        for (callee, _) in block.stmts.iter().filter_map(callee) {
            if let Some(target) = left[from].next() {
                sites.insert(site(callee), target);
            }
        }
    }
}

impl Target<'_> {
    /// After a call of this, one path may be several.
    fn forks(&self) -> bool {
        match self {
            Self::Defined(_) => true,
            Self::Model(model) => {
                model.check.is_some() || model.acquires.iter().any(|a| a.at != Slot::Result)
            }
            Self::Unknown => false,
        }
    }
}

/// The callee of a call, and how many arguments it has.
fn callee(stmt: &Statement) -> Option<(&Callee, usize)> {
    match stmt {
        Statement::Call { callee, args, .. } => Some((callee, args.len())),
        _ => None,
    }
}
