//! The shape of `[[locks]]` and `[[guards]]`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::schema::{Condition, Success};

/// A type, or a kind of handle, that one thread at a time can hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Names of the type, qualified, without template arguments; none for a lock that is a handle.
    #[serde(default)]
    pub names: Vec<String>,
    /// Functions that make such a lock, where no type tells it (`CreateMutexW`).
    #[serde(default)]
    pub made_by: Vec<String>,
    /// The page that says so.
    pub page: String,
    /// The thread that holds it may take it again.
    #[serde(default)]
    pub recursive: bool,
    /// Much code speaks of it that has nothing to do with the models: a file that does is not read for that.
    #[serde(default)]
    pub common: bool,
    /// Functions that take the lock as an argument.
    #[serde(default)]
    pub calls: Vec<LockCall>,
    /// Member functions of the type.
    #[serde(default)]
    pub methods: Vec<LockCall>,
}

/// What some functions do with a lock.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockCall {
    /// Their names.
    pub names: Vec<String>,
    /// What they do.
    pub does: LockDoes,
    /// How they hold it; alone unless said.
    #[serde(default)]
    pub mode: LockMode,
    /// The argument with the lock, or with the pointer to it. For a method it has no meaning.
    #[serde(default)]
    pub arg: usize,
    /// How the result says that it worked; without it, it always works.
    #[serde(default)]
    pub success: Option<Success>,
    /// Only under this condition.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// What a function does with a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockDoes {
    /// Waits until it holds the lock.
    Lock,
    /// Holds the lock if it is free, or within a time; `success` tells.
    TryLock,
    /// Gives the lock back.
    Unlock,
    /// Gives the lock back, waits for a signal, and holds it again (`SleepConditionVariableCS`).
    Wait,
    /// Makes the lock, which nobody holds then: the argument leads to it, or to where the handle is put.
    Make,
}

/// How a lock is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// By one.
    #[default]
    Exclusive,
    /// By many that read.
    Shared,
}

/// A type that holds a lock as long as it lives.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Its names, qualified, without template arguments.
    pub names: Vec<String>,
    /// The page that says so.
    pub page: String,
    /// The constructor's arguments that are the locks; the first unless said.
    #[serde(default = "first")]
    pub locks: Vec<usize>,
    /// All of the constructor's arguments are locks (`std::scoped_lock`).
    #[serde(default)]
    pub all: bool,
    /// Too common a name to be meant when it stands with no scope (`MutexGuard`).
    #[serde(default)]
    pub common: bool,
    /// Rust: made to be held where a task waits (`.await`).
    #[serde(default)]
    pub held_over_await: bool,
    /// How it holds the lock; alone unless said.
    #[serde(default)]
    pub mode: LockMode,
    /// Functions that yield such a guard, with the lock as their receiver or argument
    /// (`SRWLOCK`'s `wil::AcquireSRWLockExclusive`, and `wil::srwlock::lock_exclusive`).
    #[serde(default)]
    pub made_by: Vec<String>,
    /// Arguments with which the constructor does not take the lock (`std::defer_lock`).
    #[serde(default)]
    pub defer: Vec<String>,
    /// Arguments that say that the caller holds the lock already (`std::adopt_lock`).
    #[serde(default)]
    pub adopt: Vec<String>,
    /// Arguments with which the constructor takes the lock only if it is free
    /// (`std::try_to_lock`).
    #[serde(default)]
    pub attempt: Vec<String>,
    /// The constructor does not take the lock: a member function does (`CSingleLock`).
    #[serde(default)]
    pub deferred: bool,
    /// Member functions that take the lock again.
    #[serde(default)]
    pub lock: Vec<String>,
    /// Member functions that give it back.
    #[serde(default)]
    pub unlock: Vec<String>,
    /// Member functions that take it if it is free.
    #[serde(default)]
    pub try_lock: Vec<String>,
    /// Member functions after which the guard has nothing to do with the lock, which stays held.
    #[serde(default)]
    pub release: Vec<String>,
    /// Member functions that tell whether the lock is held.
    #[serde(default)]
    pub is_held: Vec<String>,
}

fn first() -> Vec<usize> {
    vec![0]
}
