//! What the analysis saw: the facts rules choose from and put into words.

use std::sync::Arc;

use pipelint_ir::Name;
use pipelint_models::{IoKind, Sentinel};
use pipelint_source::Span;

use crate::callback_fault::CallbackFault;
use crate::callback_under_lock::CallbackUnderLock;
use crate::called::AfterCallback;
use crate::count_fault::CountFault;
use crate::error_fault::ErrorFault;
use crate::freed_beside::FreedBeside;
use crate::guard_fault::GuardFault;
use crate::handed_on::HandedOn;
use crate::io_fault::IoFault;
use crate::lock_fault::LockFault;
use crate::lock_order::LockOrder;
use crate::overlapped_handle::NoOverlapped;
use crate::published::PublishedUse;
use crate::results::ResultFault;
use crate::silenced::Silenced;
use crate::stale_store::StaleStore;
use crate::stuck_flag::StuckFlag;
use crate::thread_terminated::Holds;
use crate::unguarded::UnguardedAccess;
use crate::unlock_window::UnlockWindow;
use crate::unsynchronised::UnsynchronisedFlag;
use crate::wait_under_lock::WaitUnderLock;
use crate::wake_fault::WakeFault;

/// A resource as a person knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The call that made it: `CreateEventW`.
    pub api: Name,
    /// That call; where a function of the program hands the resource out, the call of it.
    pub created: Span,
    /// The creating call itself.
    pub origin: Span,
    /// The variable or field it was first put in, as written (`h`, `ov.hEvent`); empty if none.
    pub var: Name,
    /// Words for its kind: "handle".
    pub noun: Name,
    /// The function that releases it rightly.
    pub release: Name,
    /// The value that means the call failed; none when the call's status says it.
    pub failure: Option<Sentinel>,
    /// A function of the program saw that it failed, and handed it on all the same.
    pub(crate) handed_on: Option<Arc<HandedOn>>,
}

/// What happens at one step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// A resource is made by this call and put into this variable.
    Created {
        /// The call.
        api: Name,
        /// The variable; empty if none.
        var: Name,
    },
    /// A condition holds (true) or does not.
    Branch(bool),
    /// A switch takes the arm of this value; none for the default.
    Case(Option<Name>),
    /// This function of the program is called; what follows happens in it.
    Called(Name),
    /// This function of the program hands the resource out.
    Given(Name),
    /// A value is passed to this call.
    Passed(Name),
    /// Memory is read or written through the pointer to it.
    Reached,
    /// A resource is released by this call.
    Closed(Name),
    /// The variable is declared without a value.
    Declared(Name),
    /// The variable is assigned.
    Assigned(Name),
    /// This variable is read.
    Read(Name),
    /// A comparison with this value, which the call never yields on failure.
    Compared(Name),
    /// The value is narrowed to this type.
    Narrowed(Name),
    /// The function returns, throws, or its end is reached.
    Left,
    /// The variable leaves scope.
    ScopeEnd(Name),
    /// An owner is kept from ending by this call or wrapper.
    Forgotten(Name),
    /// The object of this class runs this method later.
    Method(Name),
    /// This call starts an operation.
    Started(Name),
    /// A call has a function run beside its caller: on a thread, as a handler.
    RunBeside(Name),
    /// This call asks for the cancel of an operation.
    CancelAsked(Name),
    /// The path waits for this object.
    Awaited(Name),
    /// This lock is taken.
    Locked(Name),
    /// This lock is given back.
    Unlocked(Name),
    /// The task waits.
    Suspended,
    /// The field holds this.
    Kept(Name),
    /// This runs without a lock that was to be held.
    Unguarded,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// Where.
    pub span: Span,
    /// What happens.
    pub what: StepKind,
}

/// How a resource is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeakHow {
    /// The function is left while the resource is held.
    Left,
    /// The creating call's result is dropped where it stands.
    Dropped,
    /// The only variable that holds it leaves scope.
    ScopeEnd,
    /// Its owner is kept from ending.
    Forgotten,
    /// The function that gives it up has several callers, and none takes it back.
    ByCallers,
    /// The function fails to make something else, and leaves it in its caller's variable.
    HalfDone,
}

/// How two owners of one resource are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aliased {
    /// Both end.
    BothEnd {
        /// The first owner's end, and its place.
        first: (Name, Span),
        /// The second owner's.
        then: Name,
    },
    /// One ends that was made of what another one lent.
    EndsLent {
        /// Who lent it.
        lender: Name,
        /// The owner's end.
        then: Name,
    },
    /// A callback makes one of its context at each run, and the object that keeps the context has it.
    EndsContext {
        /// The field that keeps it.
        field: Name,
        /// The callback.
        callback: Name,
    },
    /// One is handed out that was made of what another one lent.
    LeavesLent {
        /// Who lent it.
        lender: Name,
    },
}

/// Why the next step depends on a dropped I/O result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependence {
    /// The buffer the call fills is read.
    BufferRead,
    /// The transferred count is used.
    CountUsed,
    /// The next transfer on the same handle builds on it.
    NextTransfer,
    /// The function reports success.
    ReportsSuccess,
    /// The operation is overlapped: the result alone tells whether it was started.
    Pending,
    /// The task says that it waits, and the result alone tells whether anybody will wake it.
    NobodyWakes,
}

/// What kind of fault a path shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The result of a creating call reaches a use, never compared with its failure value.
    UncheckedUse {
        /// The using call.
        api: Name,
    },
    /// The result is compared with a value the call never yields on failure, and nowhere with the
    /// one it does.
    WrongFailureValue {
        /// What it is compared with, as a person writes it.
        compared: Name,
    },
    /// A resource is lost.
    Leak(LeakHow),
    /// A variable that was never set is passed to a call.
    Uninitialised {
        /// The variable.
        var: Name,
        /// The call.
        api: Name,
        /// The call releases it.
        closes: bool,
    },
    /// A thread is started before something that it uses is made.
    StartedTooEarly {
        /// What it uses.
        var: Name,
        /// The call that starts it.
        starter: Name,
        /// The function that it runs.
        thread: Name,
        /// The call that makes the thing, and its place.
        made: (Name, Span),
        /// The using call in the thread, and its place.
        used: (Name, Span),
    },
    /// The result of a function of the program, which tells of a failure, is dropped.
    StatusDropped {
        /// The function.
        callee: Name,
        /// A call whose result is looked at; none where `.ok()` drops the error, and what is left of
        /// the result is given on unasked.
        judged: Option<Span>,
    },
    /// A class makes a resource into a field, and no code ever closes it or hands it on.
    NeverClosed {
        /// The class.
        class: Name,
    },
    /// Released twice.
    DoubleClose {
        /// The first release's call and place.
        first: (Name, Span),
        /// The second release's call.
        api: Name,
        /// The second one is what the object does at its end; the event stands at the first.
        by_end: bool,
    },
    /// Two owners hold one resource, and both will release it.
    AliasedOwner(Aliased),
    /// A place that outlives the function is left holding what was released, and another function
    /// takes it for live.
    LeftClosed {
        /// The release's call.
        closed: Name,
        /// The other function.
        by: Name,
        /// The release in the other function.
        api: Name,
    },
    /// Passed to a call after its release.
    UseAfterClose {
        /// The release's call and place.
        closed: (Name, Span),
        /// The using call; empty where memory is reached through its pointer.
        api: Name,
    },
    /// The variable that alone holds a live resource is assigned over.
    Overwritten {
        /// The variable.
        var: Name,
    },
    /// A call that moves a block failed, and its result was written over the block's address.
    BlockLost {
        /// The variable.
        var: Name,
        /// The call.
        api: Name,
    },
    /// Released by a function of another kind.
    WrongRelease {
        /// The releasing call.
        api: Name,
    },
    /// A value known to be the failure or empty value is released.
    CloseOfInvalid {
        /// The variable, as written.
        var: Name,
        /// The releasing call.
        api: Name,
        /// The value.
        value: Sentinel,
    },
    /// A pseudo-handle or borrowed handle is closed.
    PseudoClosed {
        /// The releasing call.
        api: Name,
        /// The call that yields the pseudo-handle.
        from: Name,
        /// What it is, in words.
        noun: Name,
    },
    /// A handle went through an unsigned 32-bit integer and back.
    Truncated {
        /// The integer type.
        ty: Name,
    },
    /// The creation is known to have failed on this path, and its result reaches a use.
    FailedUse {
        /// The test that saw the failure.
        check: Span,
        /// The using call.
        api: Name,
    },
    /// The result of an I/O call is dropped and the next step depends on it.
    ResultDropped {
        /// The I/O call.
        api: Name,
        /// What it does.
        does: IoKind,
        /// What depends on it.
        depends: Dependence,
        /// Where.
        dependent: Span,
    },
    /// A move takes a field over that the destructor releases, and leaves it to the source as well.
    KeptByMove {
        /// The field.
        field: Name,
        /// The releasing call.
        api: Name,
    },
    /// A move writes a field over that the destructor releases, and nothing closes what it held.
    LostByMove {
        /// The field.
        field: Name,
        /// The releasing call.
        api: Name,
    },
    /// A class whose destructor releases a raw field, and which anybody may copy.
    CopyableOwner {
        /// The class, its last segment.
        class: Name,
        /// The field.
        field: Name,
        /// The releasing call.
        api: Name,
        /// The copy is a Rust type's derived `Clone`.
        derived: bool,
    },
    /// A fault of an operation that is under way.
    Io(IoFault),
    /// A lock is taken or given back wrongly.
    Lock(LockFault),
    /// A guard holds its lock too short or too long.
    Guard(GuardFault),
    /// A thread is ended, or may be, at any point, and can hold something.
    ThreadTerminated {
        /// The call.
        api: Name,
        /// The function that the thread runs.
        thread: Name,
        /// What it can hold.
        holds: Holds,
        /// The thread says so of itself.
        itself: bool,
    },
    /// Rust: a type is asserted to be `Sync`, and holds what no two threads may use at once.
    SharedUnlocked {
        /// The type.
        class: Name,
        /// The field.
        field: Name,
        /// What it holds, in words.
        holds: Name,
    },
    /// A fault of a callback that the thread pool runs.
    Callback(CallbackFault),
    /// An error is asked for too late or for nothing, or misread.
    LastError(ErrorFault),
    /// A constructor throws while a raw field of the object holds a live resource.
    HalfConstructed {
        /// The field.
        field: Name,
    },
    /// What a call told of how it went is not heeded.
    Result(ResultFault),
    /// How far a transfer came is not heeded.
    Count(CountFault),
    /// A transfer may fail, and nobody hears of it.
    Silenced(Silenced),
    /// A call gets no OVERLAPPED on a handle that was opened for overlapped operations.
    NoOverlapped(NoOverlapped),
    /// A flag says that an operation is under way which was not started.
    StuckFlag(StuckFlag),
    /// A flag is polled on one thread and set on another, and nothing orders the two.
    UnsynchronisedFlag(UnsynchronisedFlag),
    /// What was learnt under a lock is acted on after it was given back and taken again.
    UnlockWindow(UnlockWindow),
    /// An atomic is set to what was true under a lock that was given back.
    StaleStore(StaleStore),
    /// An object is used after the lock was given back under which others came to know it, and one of them may
    /// have ended it.
    PublishedUse(PublishedUse),
    /// A variable that a lock guards is touched without it.
    Unguarded(UnguardedAccess),
    /// A thread uses memory that is freed beside it.
    FreedBeside(FreedBeside),
    /// Code waits with a lock held.
    WaitUnderLock(WaitUnderLock),
    /// Locks are taken in orders that contradict each other.
    LockOrder(LockOrder),
    /// User code is called with a lock held.
    CallbackUnderLock(CallbackUnderLock),
    /// An object is touched after a call of user code that may have ended it.
    AfterCallback(AfterCallback),
    /// A fault of threads that wait to be woken.
    Wake(WakeFault),
}

impl EventKind {
    /// How many calls lie between the function that tells it and the call that it is about, where the
    /// nearest one is to be told.
    pub(crate) fn frames(&self) -> usize {
        match self {
            Self::Io(fault) => fault.frames(),
            _ => 0,
        }
    }
}

/// A fault, seen on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What kind.
    pub kind: EventKind,
    /// Where it shows: the use, the second close, the comparison, the dropped call, the leaving.
    pub at: Span,
    /// The qualified name of the function it shows in.
    pub function: Name,
    /// The resource it is about, if any.
    pub resource: Option<Resource>,
    /// The path to it, in order; ends at `at`.
    pub path: Vec<PathStep>,
    /// Other places with the same fault and cause (further uses), in source order.
    pub others: Vec<PathStep>,
}
