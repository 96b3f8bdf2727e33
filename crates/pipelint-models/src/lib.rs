//! What API functions do, as data: the schema, its loader and its checks.
//!
//! A model is a fact about a function with the page of the vendor's documentation that states it.
//! The built-in models are TOML files beside the rules; users add their own with the same schema.

mod check;
mod error;
mod models;
mod prefilter;
mod schema;

pub use error::{ModelError, Problem};
pub use models::Models;
pub use prefilter::Prefilter;
pub use schema::{
    Acquire, Check, Condition, Constant, FunctionModel, Good, Io, IoKind, ModelFile, OnFail, Owner,
    Pseudo, Release, ResourceKind, Sentinel, Slot, Success, TypeModel,
};
