//! `cfg` predicates: what a target says of them.
//!
//! The grammar, the options and their values are those of the Reference,
//! <https://doc.rust-lang.org/reference/conditional-compilation.html>. The linter knows a
//! target only in part (a build script may set any option), hence the third value: unknown.

use std::collections::{BTreeMap, BTreeSet};

/// Groups nested deeper than this are not read: no source has them, and the reader recurses.
const MAX_DEPTH: u32 = 64;

/// Names that tools set for their own runs, none of which is the build that is linted.
const TOOL_NAMES: [&str; 11] = [
    "doc",
    "doctest",
    "docsrs",
    "miri",
    "loom",
    "fuzzing",
    "kani",
    "clippy",
    "rustfmt",
    "rust_analyzer",
    "proc_macro",
];

/// What is known of `cfg` options: those of a target, and which features are on.
#[derive(Debug, Clone)]
pub struct Cfg {
    /// Options without a value, set or unset.
    names: BTreeMap<String, bool>,
    /// The values of the keys that are known; a key has no others.
    values: BTreeMap<String, BTreeSet<String>>,
    /// The features that are on; all of them when this is `None`.
    features: Option<BTreeSet<String>>,
}

impl Default for Cfg {
    fn default() -> Self {
        Self::windows()
    }
}

impl Cfg {
    /// `x86_64-pc-windows-msvc`, a debug build with all features; tests are code as any other.
    pub fn windows() -> Self {
        let mut cfg = Self::common();
        cfg.set_name("windows", true);
        cfg.set_name("unix", false);
        for (key, value) in [
            ("target_family", "windows"),
            ("target_os", "windows"),
            ("target_env", "msvc"),
            ("target_vendor", "pc"),
        ] {
            cfg.set_value(key, value);
        }
        cfg
    }

    /// `x86_64-unknown-linux-gnu`, a debug build with all features; tests are code as any other.
    pub fn unix() -> Self {
        let mut cfg = Self::common();
        cfg.set_name("unix", true);
        cfg.set_name("windows", false);
        for (key, value) in [
            ("target_family", "unix"),
            ("target_os", "linux"),
            ("target_env", "gnu"),
            ("target_vendor", "unknown"),
        ] {
            cfg.set_value(key, value);
        }
        cfg
    }

    /// The target is a Unix system.
    pub fn is_unix(&self) -> bool {
        self.name("unix") == Some(true)
    }

    fn common() -> Self {
        let mut cfg = Self {
            names: BTreeMap::new(),
            values: BTreeMap::new(),
            features: None,
        };
        for name in ["debug_assertions", "test", "target_has_atomic", "true"] {
            cfg.set_name(name, true);
        }
        cfg.set_name("false", false);
        for name in TOOL_NAMES {
            cfg.set_name(name, false);
        }
        for (key, value) in [
            ("target_arch", "x86_64"),
            ("target_pointer_width", "64"),
            ("target_endian", "little"),
            ("target_abi", ""),
            ("panic", "unwind"),
        ] {
            cfg.set_value(key, value);
        }
        for width in ["8", "16", "32", "64", "ptr"] {
            cfg.set_value("target_has_atomic", width);
        }
        cfg
    }

    /// States that the option `name` is set, or that it is not.
    pub fn set_name(&mut self, name: &str, set: bool) {
        self.names.insert(name.to_owned(), set);
    }

    /// Adds `value` to the values of `key`; a key that has one has no others than those added.
    pub fn set_value(&mut self, key: &str, value: &str) {
        let values = self.values.entry(key.to_owned()).or_default();
        values.insert(value.to_owned());
    }

    /// Turns off all features but these.
    pub fn set_features<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.features = Some(names.into_iter().map(str::to_owned).collect());
    }

    /// Whether the text inside `cfg( … )` holds.
    ///
    /// `None` when that turns on an option of which nothing is known, or when the text is not a
    /// predicate.
    pub fn holds(&self, predicate: &str) -> Option<bool> {
        let mut reader = Reader {
            cfg: self,
            rest: predicate,
        };
        let truth = reader.predicate(0).ok()?;
        reader.take(",");
        reader.skip_blank().ok()?;
        if reader.rest.is_empty() { truth } else { None }
    }

    fn name(&self, name: &str) -> Option<bool> {
        self.names.get(name).copied()
    }

    fn value(&self, key: &str, value: &str) -> Option<bool> {
        if key == "feature" {
            let features = self.features.as_ref();
            return Some(features.is_none_or(|on| on.contains(value)));
        }
        self.values.get(key).map(|values| values.contains(value))
    }
}

/// The text is not a predicate.
struct Malformed;

type Truth = Option<bool>;

/// Reads a predicate and evaluates it on the way.
struct Reader<'a> {
    cfg: &'a Cfg,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn predicate(&mut self, depth: u32) -> Result<Truth, Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed);
        }
        let name = self.identifier()?;
        if self.take("(") {
            let terms = self.list(depth + 1);
            return match name {
                "all" => Ok(fold(&terms?, false)),
                "any" => Ok(fold(&terms?, true)),
                "not" => match terms?.as_slice() {
                    [term] => Ok(term.map(|truth| !truth)),
                    _ => Err(Malformed),
                },
                // `version("1.90")`, `accessible(…)` and what else is not stable.
                _ => Err(Malformed),
            };
        }
        if self.take("=") {
            let value = self.string()?;
            return Ok(self.cfg.value(name, value));
        }
        Ok(self.cfg.name(name))
    }

    /// Predicates up to and with the `)`.
    fn list(&mut self, depth: u32) -> Result<Vec<Truth>, Malformed> {
        let mut terms = Vec::new();
        loop {
            if self.take(")") {
                return Ok(terms);
            }
            terms.push(self.predicate(depth)?);
            if !self.take(",") {
                return if self.take(")") {
                    Ok(terms)
                } else {
                    Err(Malformed)
                };
            }
        }
    }

    fn skip_blank(&mut self) -> Result<(), Malformed> {
        loop {
            self.rest = self.rest.trim_start();
            if let Some(comment) = self.rest.strip_prefix("//") {
                self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let (_, rest) = comment.split_once("*/").ok_or(Malformed)?;
                self.rest = rest;
            } else {
                return Ok(());
            }
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        if self.skip_blank().is_err() {
            return false;
        }
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn identifier(&mut self) -> Result<&'a str, Malformed> {
        self.skip_blank()?;
        let text = self.rest.strip_prefix("r#").unwrap_or(self.rest);
        let end = text
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Malformed);
        }
        self.rest = rest;
        Ok(name)
    }

    /// The inside of a string, raw or not; values have no escapes in practice.
    fn string(&mut self) -> Result<&'a str, Malformed> {
        self.skip_blank()?;
        let (value, rest) = match self.rest.strip_prefix('r') {
            Some(raw) => {
                let opened = raw.trim_start_matches('#');
                let hashes = &raw[..raw.len() - opened.len()];
                let inside = opened.strip_prefix('"').ok_or(Malformed)?;
                inside.split_once(&format!("\"{hashes}")).ok_or(Malformed)?
            }
            None => {
                let inside = self.rest.strip_prefix('"').ok_or(Malformed)?;
                inside.split_once('"').ok_or(Malformed)?
            }
        };
        if value.contains('\\') {
            return Err(Malformed);
        }
        self.rest = rest;
        Ok(value)
    }
}

/// `any` when `decisive` is true, `all` when it is false: one term of that value decides, else
/// one unknown term leaves the whole unknown.
fn fold(terms: &[Truth], decisive: bool) -> Truth {
    if terms.contains(&Some(decisive)) {
        return Some(decisive);
    }
    if terms.contains(&None) {
        return None;
    }
    Some(!decisive)
}

#[cfg(test)]
mod tests {
    use super::Cfg;

    #[track_caller]
    fn on_windows(predicate: &str, expected: Option<bool>) {
        assert_eq!(Cfg::windows().holds(predicate), expected, "{predicate}");
    }

    #[test]
    fn options_of_a_target() {
        for (predicate, windows) in [
            ("windows", true),
            ("unix", false),
            ("target_os = \"windows\"", true),
            ("target_os = \"linux\"", false),
            ("target_family=\"unix\"", false),
            ("target_env = r#\"msvc\"#", true),
        ] {
            on_windows(predicate, Some(windows));
        }
        let unix = Cfg::unix();
        assert_eq!(unix.holds("unix"), Some(true));
        assert_eq!(unix.holds("windows"), Some(false));
        assert_eq!(unix.holds("target_os = \"macos\""), Some(false));
        assert_eq!(unix.holds("target_pointer_width = \"64\""), Some(true));
    }

    #[test]
    fn tests_are_linted_and_runs_of_tools_are_not() {
        on_windows("test", Some(true));
        on_windows("debug_assertions", Some(true));
        on_windows("target_has_atomic = \"64\"", Some(true));
        for name in ["doc", "doctest", "miri", "loom", "fuzzing", "kani"] {
            on_windows(name, Some(false));
            on_windows(&format!("not({name})"), Some(true));
        }
    }

    #[test]
    fn unknown_options_leave_open_only_what_turns_on_them() {
        on_windows("tokio_unstable", None);
        on_windows("target_feature = \"avx2\"", None);
        on_windows("not(tokio_unstable)", None);
        on_windows("all(windows, tokio_unstable)", None);
        on_windows("all(unix, tokio_unstable)", Some(false));
        on_windows("any(windows, tokio_unstable)", Some(true));
        on_windows("any(unix, tokio_unstable)", None);
    }

    #[test]
    fn lists() {
        on_windows("all()", Some(true));
        on_windows("any()", Some(false));
        on_windows(
            "any(\n  unix, // not here\n  /* but */ windows,\n)",
            Some(true),
        );
        on_windows("not(any(unix, all(windows, not(test))))", Some(true));
        on_windows("all(true, not(false))", Some(true));
    }

    #[test]
    fn features_are_on_unless_configured() {
        on_windows("feature = \"net\"", Some(true));
        on_windows("not(feature = \"net\")", Some(false));
        let mut cfg = Cfg::windows();
        cfg.set_features(["std"]);
        assert_eq!(cfg.holds("feature = \"std\""), Some(true));
        assert_eq!(cfg.holds("feature = \"net\""), Some(false));
    }

    #[test]
    fn an_option_that_is_set_is_known() {
        let mut cfg = Cfg::windows();
        cfg.set_name("tokio_unstable", true);
        cfg.set_value("target_feature", "sse2");
        assert_eq!(cfg.holds("tokio_unstable"), Some(true));
        assert_eq!(cfg.holds("target_feature = \"sse2\""), Some(true));
        assert_eq!(cfg.holds("target_feature = \"avx2\""), Some(false));
    }

    #[test]
    fn what_is_no_predicate_is_unknown() {
        for text in [
            "",
            ",",
            "not()",
            "not(unix, windows)",
            "all(unix",
            "unix windows",
            "= \"a\"",
            "target_os = ",
            "target_os = \"a",
            "any(unix;)",
            "version(\"1.70\")",
            "unix)",
            "/* unix",
        ] {
            on_windows(text, None);
        }
        on_windows(&"not(".repeat(100_000), None);
    }
}
