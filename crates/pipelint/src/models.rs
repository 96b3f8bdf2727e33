//! `pipelint models`: what pipelint knows of functions, owners, locks and guards.

use std::fmt::Write;
use std::path::Path;

use pipelint_models::{Guard, Lock, Models, Owner};

use crate::command::print;
use crate::config::{Config, ConfigError};
use crate::facts;

/// Names that look like an unknown one; more help nobody.
const NEAREST: usize = 3;
/// The likeness from which a name is offered.
const LIKE: f64 = 0.84;

/// Lists the models, or shows those of these names.
pub(crate) fn models(names: &[String], config: Option<&Path>) -> Result<u8, ConfigError> {
    let models = Config::load(config)?.models()?;
    if names.is_empty() {
        return Ok(print(&list(&models)));
    }
    let mut text = String::new();
    for name in names {
        let facts = show(&models, name).ok_or_else(|| unknown(&models, name))?;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&facts);
    }
    Ok(print(&text))
}

/// One line for each name: what it does, and where that is written.
fn list(models: &Models) -> String {
    let mut text = String::from("# functions\n");
    for (name, f) in models.functions() {
        entry(
            &mut text,
            name,
            &facts::function_in_brief(models, f),
            &f.page,
        );
    }
    text.push_str("# owners\n");
    for (name, o) in models.owners() {
        entry(&mut text, name, &facts::owner_in_brief(models, o), &o.page);
    }
    text.push_str("# locks\n");
    for (name, l) in models.locks() {
        entry(&mut text, name, &facts::lock_in_brief(l), &l.page);
    }
    text.push_str("# guards\n");
    for (name, g) in models.guards() {
        entry(&mut text, name, &facts::guard_in_brief(g), &g.page);
    }
    text
}

fn entry(text: &mut String, name: &str, brief: &str, page: &str) {
    let _ = writeln!(text, "{name}  {brief}  {page}");
}

/// All that is known under a name; none when that is nothing.
fn show(models: &Models, name: &str) -> Option<String> {
    let mut texts = Vec::new();
    if let Some(function) = models.function(name) {
        texts.push(facts::function(models, name, function));
    }
    if let Some(owner) = models.owner(name) {
        texts.push(facts::owner(models, name, owner));
    }
    if let Some(lock) = models.lock(name) {
        texts.push(facts::lock(name, lock));
    }
    if let Some(guard) = models.guard(name) {
        texts.push(facts::guard(name, guard));
    }
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn unknown(models: &Models, name: &str) -> ConfigError {
    let near = nearest(models, name);
    ConfigError {
        message: format!("`{name}` has no model"),
        help: if near.is_empty() {
            "`pipelint models` lists what has one; docs/models.md says how to add one".into()
        } else {
            format!("did you mean {}?", near.join(" or "))
        },
    }
}

/// The modelled names that look most like this one.
fn nearest(models: &Models, wanted: &str) -> Vec<String> {
    let wanted = wanted.to_ascii_lowercase();
    let names = models
        .functions()
        .map(|(n, _)| n)
        .chain(models.owners().map(|(n, _): (_, &Owner)| n))
        .chain(models.locks().map(|(n, _): (_, &Lock)| n))
        .chain(models.guards().map(|(n, _): (_, &Guard)| n));
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| {
            let lower = name.to_ascii_lowercase();
            // A type is as well known by its last segment.
            let last = lower.rsplit("::").next().unwrap_or(&lower);
            let likeness = strsim::jaro_winkler(&wanted, &lower);
            (likeness.max(strsim::jaro_winkler(&wanted, last)), name)
        })
        .filter(|(likeness, _)| *likeness > LIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(NEAREST)
        .map(|(_, name)| name.to_owned())
        .collect()
}
