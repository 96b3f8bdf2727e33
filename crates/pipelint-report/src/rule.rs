//! What is known of a rule without running it.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably a defect under some conditions.
    Warning,
    /// A defect on the shown path.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The escape sequence of its colour on a terminal.
    pub(crate) fn ansi(self) -> &'static str {
        match self {
            Self::Note => "\x1b[36m",
            Self::Warning => "\x1b[33m",
            Self::Error => "\x1b[31m",
        }
    }
}

/// Whether a rule runs unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// On.
    Default,
    /// Off unless selected.
    Pedantic,
}

impl Group {
    /// `default` or `pedantic`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Pedantic => "pedantic",
        }
    }
}

/// A documented example, executed as a test.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// True: the rule reports it. False: no rule reports anything.
    pub bad: bool,
    /// `cpp`, `c` or `rust`.
    pub language: &'static str,
    /// The code.
    pub code: &'static str,
}

/// A rule's metadata, made from its doc comment by `#[derive(RuleMeta)]`.
#[derive(Debug)]
pub struct RuleMeta {
    /// `PL101`.
    pub code: &'static str,
    /// `unchecked-handle-creation`.
    pub name: &'static str,
    /// Severity.
    pub severity: Severity,
    /// Group.
    pub group: Group,
    /// CWE numbers.
    pub cwe: &'static [u32],
    /// The first paragraph: what it says.
    pub summary: &'static str,
    /// The whole documentation as Markdown, without the title.
    pub docs: &'static str,
    /// The examples.
    pub examples: &'static [Example],
}

impl RuleMeta {
    /// The family: the code's first three characters (`PL1`).
    pub fn family(&self) -> &'static str {
        &self.code[..3]
    }
}
