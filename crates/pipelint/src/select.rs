//! Which rules report.

use pipelint_report::{Group, RuleMeta, Severity};
use thiserror::Error;

/// A selector that names no rule.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "`{selector}` names no rule, family or group of rules{}",
    near(nearest)
)]
pub struct SelectorError {
    /// What was given.
    pub selector: String,
    /// Codes and names that look like it.
    pub nearest: Vec<&'static str>,
}

fn near(nearest: &[&str]) -> String {
    if nearest.is_empty() {
        "; `pipelint rules` lists them".into()
    } else {
        format!("; did you mean {}?", nearest.join(" or "))
    }
}

/// The rules that report, and from which severity on.
#[derive(Debug, Clone)]
pub struct Selection {
    rules: Vec<&'static RuleMeta>,
    at_least: Severity,
    /// The rules were named: all that they know of is told.
    named: bool,
}

impl Default for Selection {
    fn default() -> Self {
        let all = pipelint_rules::all().iter().map(|r| r.meta());
        Self {
            rules: all.filter(|m| m.group == Group::Default).collect(),
            at_least: Severity::Note,
            named: false,
        }
    }
}

impl Selection {
    /// The default rules or those of `select`, without those of `ignore`.
    pub fn new(
        select: &[String],
        ignore: &[String],
        at_least: Severity,
    ) -> Result<Self, SelectorError> {
        let mut selection = Self {
            at_least,
            ..Self::default()
        };
        if !select.is_empty() {
            let mut chosen = Vec::new();
            for selector in select {
                chosen.extend(matching(selector)?);
            }
            let all = pipelint_rules::all().iter().map(|r| r.meta());
            selection.rules = all.filter(|m| chosen.contains(&m.code)).collect();
            selection.named = true;
        }
        for selector in ignore {
            let dropped = matching(selector)?;
            selection.rules.retain(|m| !dropped.contains(&m.code));
        }
        Ok(selection)
    }

    /// Whether a rule reports.
    pub fn has(&self, rule: &RuleMeta) -> bool {
        rule.severity >= self.at_least && self.rules.iter().any(|m| m.code == rule.code)
    }

    /// Whether findings of a group are told of the rules that report.
    pub fn tells(&self, group: Group) -> bool {
        self.named || group == Group::Default
    }

    /// The rules that report, by code.
    pub fn rules(&self) -> &[&'static RuleMeta] {
        &self.rules
    }
}

/// Whether a word of a selector or an allow comment names the rule.
pub(crate) fn names(selector: &str, rule: &RuleMeta) -> bool {
    selector.eq_ignore_ascii_case("all")
        || selector.eq_ignore_ascii_case(rule.code)
        || selector.eq_ignore_ascii_case(rule.name)
        || selector.eq_ignore_ascii_case(rule.family())
        || selector.eq_ignore_ascii_case("PL")
}

fn matching(selector: &str) -> Result<Vec<&'static str>, SelectorError> {
    let selector = selector.trim();
    let all = pipelint_rules::all();
    let found: Vec<&str> = all
        .iter()
        .map(|r| r.meta())
        .filter(|m| names(selector, m))
        .map(|m| m.code)
        .collect();
    let family = selector.len() == 3
        && selector
            .get(..2)
            .is_some_and(|p| p.eq_ignore_ascii_case("PL"))
        && selector.ends_with(|c: char| ('1'..='8').contains(&c));
    if found.is_empty() && !family {
        return Err(SelectorError {
            selector: selector.into(),
            nearest: nearest(selector),
        });
    }
    Ok(found)
}

/// The rule whose code or name is a few edits away.
pub(crate) fn nearest(selector: &str) -> Vec<&'static str> {
    let wanted = selector.to_ascii_lowercase();
    let words = pipelint_rules::all()
        .iter()
        .map(|r| r.meta())
        .flat_map(|m| [m.code, m.name]);
    let mut scored: Vec<(f64, &str)> = words
        .map(|w| (strsim::jaro_winkler(&wanted, &w.to_ascii_lowercase()), w))
        .filter(|(score, _)| *score > 0.84)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(2).map(|(_, w)| w).collect()
}
