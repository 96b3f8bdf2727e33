//! The shape of `[[threads]]`: what runs code of the program beside the code that asks for it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::schema::Condition;

/// Functions that have code run beside their caller's, types whose objects do, or classes whose derived
/// classes do.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThreadMaker {
    /// Their names, qualified, without template arguments.
    pub names: Vec<String>,
    /// The page that says so.
    pub page: String,
    /// On what it runs; a thread of its own unless said.
    #[serde(default)]
    pub on: RunsOn,
    /// The argument that is run; the first that can be unless said (`std::thread`'s).
    #[serde(default)]
    pub callback: Option<usize>,
    /// The argument that it is given; all that follow unless said.
    #[serde(default)]
    pub context: Option<usize>,
    /// Classes that derive from this one run this method.
    #[serde(default)]
    pub method: Option<String>,
    /// The names are methods of types out of sight (`spawn`), and count in Rust alone.
    #[serde(default)]
    pub methods: bool,
    /// The names are fields: a function that is put there is run (`sa_handler`).
    #[serde(default)]
    pub fields: bool,
    /// Too common a name to decide that a file is worth parsing (`signal`).
    #[serde(default)]
    pub common: bool,
    /// One call may have it run several times at once.
    #[serde(default)]
    pub overlaps: bool,
    /// Functions and member functions that return when it has ended.
    #[serde(default)]
    pub joined_by: Vec<String>,
    /// Calls that the system makes wait while it runs.
    #[serde(default)]
    pub serialised_by: Option<Serialised>,
    /// Member functions that end the thread, whatever it does.
    #[serde(default)]
    pub terminate: Vec<String>,
    /// Member functions by which the thread says when it must not be ended.
    #[serde(default)]
    pub spared_by: Vec<String>,
}

/// Calls that return no sooner than what was started has come to its end, for this time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serialised {
    /// The functions.
    pub names: Vec<String>,
    /// The argument that names what is run.
    pub arg: usize,
    /// Only under this condition.
    pub when: Condition,
}

/// What code runs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunsOn {
    /// A thread of its own.
    #[default]
    Thread,
    /// Some thread of a pool.
    Pool,
    /// A thread that the system makes for an event of the console.
    Console,
    /// Whatever thread it interrupts.
    Signal,
}
