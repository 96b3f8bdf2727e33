//! What can be wrong with a model file, in words that lead out of it.

use smol_str::SmolStr;

/// A model file that cannot be used: which file, which entry, what is wrong, what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{file}: {entry}: {problem}; {}", .problem.way_out())]
pub struct ModelError {
    /// The file's name as given to the loader.
    pub file: String,
    /// The entry: `function CreateEventW, line 9`, `line 12`.
    pub entry: String,
    /// What is wrong.
    pub problem: Box<Problem>,
}

impl ModelError {
    pub(crate) fn new(file: &str, entry: impl Into<String>, problem: Problem) -> Self {
        Self {
            file: file.into(),
            entry: entry.into(),
            problem: Box::new(problem),
        }
    }
}

/// What is wrong with one entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not TOML, or not of the schema.
    #[error("{0}")]
    Syntax(String),
    /// The entry lists no name, or an empty or malformed one.
    #[error("`{0}` is not a name")]
    Name(SmolStr),
    /// A name is described twice in one file.
    #[error("`{0}` is described twice in this file")]
    Twice(SmolStr),
    /// A kind of resource that no `[[resources]]` describes.
    #[error("no resource kind is called `{0}`")]
    UnknownKind(SmolStr),
    /// A constant that no `[[constants]]` describes.
    #[error("no constant is called `{0}`")]
    UnknownConstant(SmolStr),
    /// A call in `equals` that yields no pseudo-handle.
    #[error("`equals` names `{0}()`, which is not known to yield a pseudo-handle")]
    UnknownPseudo(SmolStr),
    /// The page is no web address.
    #[error("`page` is `{0}`, which is no https address")]
    Page(String),
    /// An argument position no function has.
    #[error("`{field}` names argument {arg}")]
    Argument {
        /// The field.
        field: &'static str,
        /// The position.
        arg: usize,
    },
    /// An argument position is listed twice in one field.
    #[error("`{field}` names argument {arg} twice")]
    ArgumentTwice {
        /// The field.
        field: &'static str,
        /// The position.
        arg: usize,
    },
    /// A result is acquired with no failure value.
    #[error("`acquires` has a result without `failure`")]
    NoFailure,
    /// An out-parameter is acquired with a failure value.
    #[error("`acquires` has a `failure` for an out-parameter")]
    FailureOfOut,
    /// An out-parameter is acquired by a function with no status.
    #[error("`acquires` fills an out-parameter, and nothing says when that succeeded")]
    NoSuccess,
    /// A condition without a test, or with several.
    #[error("`when` needs exactly one of `flag`, `no_flag`, `null` and `equals`")]
    Condition,
    /// `like` names no owner, or goes in a circle.
    #[error("`like` names `{0}`, which is no owner that could be built on")]
    Like(SmolStr),
    /// A member function's name that is none.
    #[error("`members` has `{0}`, which is no name of a member function")]
    Member(SmolStr),
    /// A member function with two roles.
    #[error("the member function `{0}` has two roles")]
    TwoRoles(SmolStr),
    /// A lock that is neither a type nor made by a function.
    #[error("the lock has neither `names` nor `made_by`")]
    NamelessLock,
    /// A lock whose attempt does not say when it worked.
    #[error("`{0}` tries to lock, and nothing says when that succeeded")]
    SilentAttempt(SmolStr),
    /// Two statements that cannot both hold.
    #[error("{0} cannot both hold")]
    Contradiction(&'static str),
}

impl Problem {
    /// What to do about it.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "docs/models.md lists the fields of each entry",
            Self::Name(_) => "give at least one identifier, `::`-qualified if need be",
            Self::Twice(_) => "merge the two entries, or keep one",
            Self::UnknownKind(_) => "add a [[resources]] entry with this `kind`, or correct it",
            Self::UnknownConstant(_) => {
                "add a [[constants]] entry with this `name`, or write a number"
            }
            Self::UnknownPseudo(_) => "give that function a `pseudo`, or name a constant",
            Self::Page(_) => "cite the documentation page that states the fact",
            Self::Argument { .. } => "arguments count from 0 and there are at most 32",
            Self::ArgumentTwice { .. } => "name each argument once",
            Self::NoFailure => {
                "add `failure = \"NULL\"`, \"INVALID_HANDLE_VALUE\", \"INVALID_SOCKET\" or \"-1\""
            }
            Self::FailureOfOut => "drop it; the function's `success` decides",
            Self::NoSuccess => {
                "add `success = \"nonzero\"`, \"zero\", \"nonnegative\" or \"not-minus-one\""
            }
            Self::Condition => "keep one test; two conditions are two entries",
            Self::Like(_) => "name an owner by its full name; `pipelint models` lists them",
            Self::Member(_) => {
                "write the name alone, or an operator as in C++: \"operator&\", \"operator bool\""
            }
            Self::TwoRoles(_) => "list it under the one that the documentation states",
            Self::NamelessLock => "name the type, or the functions that make the handle",
            Self::SilentAttempt(_) => {
                "add `success = \"nonzero\"`, \"zero\", \"nonnegative\" or \"not-minus-one\""
            }
            Self::Contradiction(_) => "keep the one that the documentation states",
        }
    }
}
