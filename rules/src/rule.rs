//! What a rule is.

use pipelint_analysis::Event;
use pipelint_report::{Diagnostic, RuleMeta};

/// A rule: it picks events of one kind and puts them into words. It finds nothing itself.
pub trait Rule: Sync {
    /// What is known of the rule without running it.
    fn meta(&self) -> &'static RuleMeta;

    /// What the rule says of an event; none when the event is another rule's.
    fn report(&self, event: &Event) -> Option<Diagnostic>;
}
