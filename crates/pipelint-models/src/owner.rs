//! The shape of `[[owners]]`: types whose destructor releases what they hold.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::schema::Sentinel;

/// A type that owns something: its destructor releases it, or runs an action.
///
/// A member function that no role lists uses what the object holds and changes nothing about it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Its names, qualified, without template arguments.
    pub names: Vec<String>,
    /// The page or header that says so.
    pub page: String,
    /// The owner whose facts hold for what this entry leaves out, and whose member functions it
    /// has too.
    #[serde(default)]
    pub like: Option<String>,
    /// What it holds; a resource unless said.
    #[serde(default)]
    pub holds: Option<Holds>,
    /// Kind of resource, when it is always one kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Values that count as nothing held. The first is the one that it is set to.
    #[serde(default)]
    pub empty: Vec<Sentinel>,
    /// Arguments of its constructors that it takes over: a raw value, or the action.
    #[serde(default)]
    pub takes: Vec<usize>,
    /// Where the type or function that releases what it holds stands.
    #[serde(default)]
    pub deleter: Option<Deleter>,
    /// The template argument whose static functions say what an empty owner holds and how it
    /// releases; a class of the program, most often.
    #[serde(default)]
    pub traits: Option<Traits>,
    /// A move leaves the source empty; so unless said.
    #[serde(default)]
    pub moves: Option<bool>,
    /// What a copy does; there is none unless said.
    #[serde(default)]
    pub copies: Option<Copies>,
    /// The object stands for its raw value wherever that is wanted (`operator HANDLE`).
    #[serde(default)]
    pub converts: Option<bool>,
    /// Its member functions, by what they do with what it holds.
    #[serde(default)]
    pub members: Members,
    /// Its end leaves the thread's last error as it was.
    #[serde(default)]
    pub keeps_error: bool,
    /// Functions whose result is such an object (`std::make_unique`, `wil::scope_exit`).
    #[serde(default)]
    pub made_by: Vec<String>,
    /// Too common a name to be meant when it stands with no scope (`File`, `Event`).
    #[serde(default)]
    pub common: bool,
}

impl Owner {
    /// What it holds.
    pub fn holds(&self) -> Holds {
        self.holds.unwrap_or_default()
    }

    /// Whether it can be moved from, which leaves it empty.
    pub fn moves(&self) -> bool {
        self.moves.unwrap_or(true)
    }

    /// What a copy does.
    pub fn copies(&self) -> Copies {
        self.copies.unwrap_or_default()
    }

    /// Whether the object stands for its raw value wherever that is wanted.
    pub fn converts(&self) -> bool {
        self.converts.unwrap_or_default()
    }

    /// What the member function of this name does with what the object holds; none if it only
    /// uses it.
    pub fn role(&self, member: &str) -> Option<Role> {
        self.members
            .roles()
            .into_iter()
            .find(|(_, names)| names.iter().any(|n| n == member))
            .map(|(role, _)| role)
    }

    /// Takes from `base` what this entry leaves out.
    pub(crate) fn fill_from(&mut self, base: &Self) {
        self.holds = self.holds.or(base.holds);
        if self.kind.is_none() {
            self.kind.clone_from(&base.kind);
        }
        if self.empty.is_empty() {
            self.empty.clone_from(&base.empty);
        }
        if self.takes.is_empty() {
            self.takes.clone_from(&base.takes);
        }
        self.deleter = self.deleter.or(base.deleter);
        if self.traits.is_none() {
            self.traits.clone_from(&base.traits);
        }
        self.moves = self.moves.or(base.moves);
        self.copies = self.copies.or(base.copies);
        self.converts = self.converts.or(base.converts);
        self.members.fill_from(&base.members);
    }
}

/// What an owner holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// A raw resource, which its destructor releases.
    #[default]
    Resource,
    /// A pointer to an object, which its destructor destroys (`std::unique_ptr`).
    Object,
    /// A callable, which its destructor calls (`wil::scope_exit`).
    Action,
}

/// What a copy of an owner does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Copies {
    /// There is no copy.
    #[default]
    Never,
    /// Both hold the resource, and the last one releases it (`std::shared_ptr`).
    Share,
    /// The copy takes the resource and leaves the source empty (`ATL::CHandle`).
    Transfer,
    /// The copy holds a resource of its own.
    Duplicate,
}

/// Where the type or function that releases what an owner holds stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Deleter {
    /// This template argument (`std::unique_ptr<T, Closer>`).
    Template(usize),
    /// This argument of the constructor (`std::shared_ptr<void>(h, CloseHandle)`).
    Arg(usize),
}

/// A template argument whose static functions describe the resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traits {
    /// Which template argument, counted from 0.
    pub template: usize,
    /// The function that returns the value of an empty owner.
    pub empty: String,
    /// The function that releases.
    pub release: String,
}

/// What a member function does with what its owner holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Yields the raw value, which stays the owner's.
    Get,
    /// Yields the raw value, which is the caller's from then on; the owner is empty.
    Release,
    /// Releases what is held and takes over the argument; with no argument the owner is empty.
    Reset,
    /// Takes over the argument; what was held is not released.
    Attach,
    /// Releases what is held; the owner is empty.
    Close,
    /// Makes a resource of its own and holds it.
    Open,
    /// Releases what is held and yields the address to write the next one to.
    Put,
    /// Yields the address of what is held and releases nothing.
    Address,
    /// Exchanges with another owner.
    Swap,
    /// Tells whether something is held.
    IsValid,
    /// Tells whether nothing is held.
    IsEmpty,
    /// Runs the action now; the owner is empty.
    Run,
    /// Drops the action; the owner is empty.
    Cancel,
}

/// The member functions of an owner, by what they do with what it holds. Operators are written as
/// in C++: `operator&`, `operator bool`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Members {
    /// Yield the raw value, which stays the owner's.
    pub get: Vec<String>,
    /// Yield the raw value, which is the caller's from then on; the owner is empty.
    pub release: Vec<String>,
    /// Release what is held and take over the argument; with no argument the owner is empty.
    pub reset: Vec<String>,
    /// Take over the argument; what was held is not released.
    pub attach: Vec<String>,
    /// Release what is held; the owner is empty.
    pub close: Vec<String>,
    /// Make a resource of their own, which the owner holds.
    pub open: Vec<String>,
    /// Release what is held and yield the address to write the next one to.
    pub put: Vec<String>,
    /// Yield the address of what is held and release nothing.
    pub address: Vec<String>,
    /// Exchange with another owner.
    pub swap: Vec<String>,
    /// Tell whether something is held.
    pub is_valid: Vec<String>,
    /// Tell whether nothing is held.
    pub is_empty: Vec<String>,
    /// Run the action now; the owner is empty.
    pub run: Vec<String>,
    /// Drop the action; the owner is empty.
    pub cancel: Vec<String>,
}

impl Members {
    /// Every role with its member functions.
    pub fn roles(&self) -> [(Role, &[String]); 13] {
        [
            (Role::Get, &self.get),
            (Role::Release, &self.release),
            (Role::Reset, &self.reset),
            (Role::Attach, &self.attach),
            (Role::Close, &self.close),
            (Role::Open, &self.open),
            (Role::Put, &self.put),
            (Role::Address, &self.address),
            (Role::Swap, &self.swap),
            (Role::IsValid, &self.is_valid),
            (Role::IsEmpty, &self.is_empty),
            (Role::Run, &self.run),
            (Role::Cancel, &self.cancel),
        ]
    }

    /// Takes from `base` the member functions that have no role here.
    fn fill_from(&mut self, base: &Self) {
        let own: Vec<String> = self
            .roles()
            .into_iter()
            .flat_map(|(_, names)| names.iter().cloned())
            .collect();
        let pairs = [
            (&mut self.get, &base.get),
            (&mut self.release, &base.release),
            (&mut self.reset, &base.reset),
            (&mut self.attach, &base.attach),
            (&mut self.close, &base.close),
            (&mut self.open, &base.open),
            (&mut self.put, &base.put),
            (&mut self.address, &base.address),
            (&mut self.swap, &base.swap),
            (&mut self.is_valid, &base.is_valid),
            (&mut self.is_empty, &base.is_empty),
            (&mut self.run, &base.run),
            (&mut self.cancel, &base.cancel),
        ];
        for (to, from) in pairs {
            to.extend(from.iter().filter(|n| !own.contains(n)).cloned());
        }
    }
}
