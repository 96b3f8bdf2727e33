//! The rules: one file each, with documentation, examples and words; and the built-in models.
//!
//! A rule is a unit struct with a doc comment, from which the derive makes its metadata, and an
//! implementation of [`Rule`]. To add one: a file in its family's folder, and a line in [`all`].

mod cancellation;
mod concurrency;
mod construction;
mod errors;
mod handles;
pub mod models;
pub mod pages;
mod prelude;
mod rule;
mod words;

pub use rule::Rule;

/// Every rule, in the order of the codes.
pub fn all() -> &'static [&'static dyn Rule] {
    &[
        &handles::UncheckedHandleCreation,
        &handles::WrongFailureValue,
        &handles::LeakedHandle,
        &handles::UninitialisedHandleClosed,
        &handles::DoubleClose,
        &handles::UseAfterClose,
        &handles::HandleOverwritten,
        &handles::WrongReleaseFunction,
        &handles::CloseOfInvalid,
        &handles::CopyableHandleOwner,
        &handles::OwnedFieldNeverClosed,
        &handles::ForgottenHandle,
        &handles::AliasedOwnership,
        &handles::PseudoHandleClosed,
        &handles::HandleTruncated,
        &construction::FailedInitContinues,
        &construction::PartialConstructionLeak,
        &construction::InitResultDropped,
        &cancellation::UnhandledCancelFailure,
        &cancellation::CancelWithoutWait,
        &cancellation::PendingIoOutlivesMemory,
        &cancellation::OverlappedReusedWhilePending,
        &cancellation::OverlappedNotZeroed,
        &cancellation::HandleClosedWhilePending,
        &cancellation::NullOverlappedOnOverlappedHandle,
        &cancellation::CallbackOutlivesObject,
        &cancellation::ResetAfterStart,
        &cancellation::CancelFromOtherThread,
        &cancellation::TemporaryOverlapped,
        &cancellation::InFlightFlagStuck,
        &cancellation::SelfWait,
        &concurrency::UnlockWindow,
        &concurrency::UnguardedAccess,
        &concurrency::MissingUnlock,
        &concurrency::LockMisuse,
        &concurrency::WaitUnderLock,
        &concurrency::LockOrderInversion,
        &concurrency::CallbackUnderLock,
        &concurrency::UnsynchronisedFlag,
        &concurrency::GuardDroppedAtOnce,
        &concurrency::GuardAcrossAwait,
        &concurrency::UnsafeSend,
        &concurrency::UseAfterCallback,
        &concurrency::ThreadTerminated,
        &concurrency::MissedWakeUp,
        &errors::UncheckedIoResult,
        &errors::UnhandledIoError,
        &errors::ClobberedLastError,
        &errors::StaleLastError,
        &errors::ShortTransferIgnored,
        &errors::PipeConnectedMisread,
        &errors::PendingMisread,
        &errors::NullCountWithoutOverlapped,
        &errors::MoreDataIgnored,
        &errors::WaitResultIgnored,
        &errors::OverlappedResultIgnored,
        &errors::WrongCountReported,
        &errors::SwallowedIoError,
        &errors::SuccessAfterFailure,
        &errors::FailureOnlyLogged,
    ]
}
