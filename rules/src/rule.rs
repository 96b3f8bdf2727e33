//! What a rule is.

use pipelint_analysis::Event;
use pipelint_report::{Diagnostic, Group, RuleMeta};

/// A rule: it picks events of one kind and puts them into words. It finds nothing itself.
pub trait Rule: Sync {
    /// What is known of the rule without running it.
    fn meta(&self) -> &'static RuleMeta;

    /// Whether what it says of an event is told unless told otherwise: a rule of the default group may know of
    /// some that only pedantic people want to hear of. They are told where the rule is selected by name.
    fn group(&self, _event: &Event) -> Group {
        self.meta().group
    }

    /// What the rule says of an event; none when the event is another rule's.
    fn report(&self, event: &Event) -> Option<Diagnostic>;
}
