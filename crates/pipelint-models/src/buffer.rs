//! The shape of `[[buffers]]`: types that hold memory and give out pointers into it.

use schemars::JsonSchema;
use serde::Deserialize;

/// A type whose values hold memory of their own: a pointer into it (`as_ptr`) dangles once the value
/// has ended.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// Its names, qualified, without type arguments.
    pub names: Vec<String>,
    /// Member functions that yield a pointer into it.
    #[serde(default)]
    pub pointers: Vec<String>,
    /// Member functions that only tell how much it holds.
    #[serde(default)]
    pub asks: Vec<String>,
    /// The page that says how long such a pointer is good.
    pub page: String,
}
