//! What a function of the program gives up to its callers and all of them lose: the function is at fault.

use pipelint_ir::Name;
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::event::{Event, EventKind, LeakHow, PathStep, StepKind};
use crate::exec::Exec;
use crate::state::State;
use crate::values::ValId;

impl Exec<'_, '_> {
    /// A value is closed, or given an owner again: its giver's callers know that it is theirs.
    pub(crate) fn note_back(&mut self, state: &State, v: ValId) {
        if let Some(res) = state.res.get(v)
            && self.is_rust()
            && res.created != res.origin
        {
            self.found.taken_back.insert(res.origin);
        }
    }

    /// A value is handed to others, who may take it over.
    pub(crate) fn note_passed_on(&mut self, state: &State, v: ValId) {
        if let Some(res) = state.res.get(v)
            && self.is_rust()
            && res.created != res.origin
        {
            self.found.taken_back.insert(res.created);
        }
    }
}

/// A function that was run in part may pass on elsewhere what the paths that were run lose.
pub(crate) fn note_unseen(found: &mut Findings, events: &[Event]) {
    let lost = events.iter().filter_map(|event| event.resource.as_ref());
    found.taken_back.extend(lost.map(|res| res.created));
}

/// The calls that gave up what some caller takes back, and those of their functions whose result some path
/// passes on.
pub(crate) fn taken_back(all: &mut [Findings]) -> FxHashSet<Span> {
    all.iter_mut().flat_map(|f| f.taken_back.drain()).collect()
}

/// Tells once, where it is given up, what several callers lose and none takes back.
pub(crate) fn tell_at_giver(events: &mut Vec<Event>, taken: &FxHashSet<Span>) {
    let mut lost: FxHashMap<Span, Vec<Event>> = FxHashMap::default();
    for event in events.iter() {
        if let Some((origin, _)) = giver(event, taken) {
            lost.entry(origin).or_default().push(event.clone());
        }
    }
    lost.retain(|_, callers| callers.len() > 1);
    events.retain(|e| giver(e, taken).is_none_or(|(origin, _)| !lost.contains_key(&origin)));
    let told = lost.into_iter().filter_map(|(origin, mut callers)| {
        callers.sort_by_key(|event| (event.path.len(), event.at));
        let mut callers = callers.into_iter();
        let first = callers.next()?;
        let (_, function) = giver(&first, taken)?;
        let others = callers.filter_map(|event| {
            Some(PathStep {
                span: event.resource.as_ref()?.created,
                what: StepKind::Given(giver(&event, taken)?.1),
            })
        });
        let mut others: Vec<PathStep> = others.collect();
        others.sort_by_key(|step| step.span);
        let mut resource = first.resource?;
        resource.created = origin;
        Some(Event {
            kind: EventKind::Leak(LeakHow::ByCallers),
            at: origin,
            function,
            resource: Some(resource),
            path: first.path,
            others,
        })
    });
    events.extend(told);
}

/// The call in another function by which an owner gave up what is lost on every way, and that function.
fn giver(event: &Event, taken: &FxHashSet<Span>) -> Option<(Span, Name)> {
    let EventKind::Leak(LeakHow::Left | LeakHow::Dropped | LeakHow::ScopeEnd) = event.kind else {
        return None;
    };
    let resource = event.resource.as_ref()?;
    let name = event.path.iter().find_map(|step| match &step.what {
        StepKind::Given(name) => Some(name.clone()),
        _ => None,
    })?;
    let (created, origin) = (resource.created, resource.origin);
    let lost = created != origin && !taken.contains(&created) && !taken.contains(&origin);
    (lost && resource.api.contains("into_raw")).then_some((origin, name))
}
