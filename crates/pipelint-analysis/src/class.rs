//! Classes: a creation left in a field by one method, used by another.

use rustc_hash::{FxHashMap, FxHashSet};

use pipelint_ir::Name;

use crate::collect::{FieldLeft, FieldUse, Findings};
use crate::event::{Event, EventKind, PathStep, StepKind};

/// Joins what the methods of each class left in its fields with how the others use them.
pub(crate) fn link_fields(all: &mut [Findings]) -> Vec<Event> {
    let mut uses: FxHashMap<(Name, Name), Vec<FieldUse>> = FxHashMap::default();
    let mut tested: FxHashSet<(Option<Name>, Name)> = FxHashSet::default();
    for findings in all.iter_mut() {
        for used in std::mem::take(&mut findings.field_uses) {
            uses.entry((used.class.clone(), used.field.clone()))
                .or_default()
                .push(used);
        }
        tested.extend(findings.tested.drain());
    }
    for uses in uses.values_mut() {
        uses.sort_by_key(|u| (u.at, u.releases));
        uses.dedup();
    }
    let mut events = Vec::new();
    for findings in all.iter_mut() {
        let mut lefts = std::mem::take(&mut findings.fields_left);
        lefts.sort_by_key(|l| (l.event.path.len(), l.event.at));
        let mut told = FxHashSet::default();
        for left in lefts {
            let field = (Some(left.class.clone()), left.field.clone());
            if tested.contains(&field) || tested.contains(&(None, left.field.clone())) {
                continue;
            }
            let created = left.event.resource.as_ref().map(|r| r.created);
            if told.contains(&(created, left.failed_at.is_some())) {
                continue;
            }
            // A failure that shows in another field or the result is one that others can see.
            if left.failed_at.is_some() {
                let looks = created.and_then(|c| findings.success_looks.get(&c));
                if !looks.is_some_and(|looks| looks.contains(&left.look)) {
                    continue;
                }
            }
            let Some(found) = uses.get(&(left.class.clone(), left.field.clone())) else {
                continue;
            };
            if let Some(event) = join(left.clone(), found) {
                told.insert((created, left.failed_at.is_some()));
                events.push(event);
            }
        }
    }
    events
}

fn join(left: FieldLeft, uses: &[FieldUse]) -> Option<Event> {
    let uses: Vec<&FieldUse> = uses
        .iter()
        .filter(|u| left.pointer || !u.releases)
        .collect();
    let first = uses.first()?;
    let mut event = left.event;
    event.kind = match left.failed_at {
        Some(check) => EventKind::FailedUse {
            check,
            api: first.api.clone(),
        },
        None => EventKind::UncheckedUse {
            api: first.api.clone(),
        },
    };
    event.at = first.at;
    event.path.push(PathStep {
        span: first.entry,
        what: StepKind::Method(first.method.clone()),
    });
    event.path.push(PathStep {
        span: first.at,
        what: StepKind::Passed(first.api.clone()),
    });
    event.others = uses[1..]
        .iter()
        .map(|u| PathStep {
            span: u.at,
            what: StepKind::Passed(u.api.clone()),
        })
        .collect();
    event.others.retain(|s| s.span != event.at);
    event.others.dedup_by_key(|s| s.span);
    Some(event)
}
