//! PL1: handles and memory.

mod aliased_ownership;
mod close_of_invalid;
mod copyable_handle_owner;
mod double_close;
mod forgotten_handle;
mod handle_overwritten;
mod handle_truncated;
mod leaked_handle;
mod owned_field_never_closed;
mod pseudo_handle_closed;
mod unchecked_handle_creation;
mod uninitialised_handle_closed;
mod use_after_close;
mod wrong_failure_value;
mod wrong_release_function;

pub(crate) use aliased_ownership::AliasedOwnership;
pub(crate) use close_of_invalid::CloseOfInvalid;
pub(crate) use copyable_handle_owner::CopyableHandleOwner;
pub(crate) use double_close::DoubleClose;
pub(crate) use forgotten_handle::ForgottenHandle;
pub(crate) use handle_overwritten::HandleOverwritten;
pub(crate) use handle_truncated::HandleTruncated;
pub(crate) use leaked_handle::LeakedHandle;
pub(crate) use owned_field_never_closed::OwnedFieldNeverClosed;
pub(crate) use pseudo_handle_closed::PseudoHandleClosed;
pub(crate) use unchecked_handle_creation::UncheckedHandleCreation;
pub(crate) use uninitialised_handle_closed::UninitialisedHandleClosed;
pub(crate) use use_after_close::UseAfterClose;
pub(crate) use wrong_failure_value::WrongFailureValue;
pub(crate) use wrong_release_function::WrongReleaseFunction;
