//! The shape of a model file. Argument positions count from 0.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::buffer::Buffer;
use crate::callback::{Arms, AwaitsCallbacks, ClosesCallbacks, Registers};
use crate::condition::ConditionVariable;
use crate::last_error::ErrorEffect;
use crate::lock::{Guard, Lock};
use crate::overlapped::{Cancel, Completes, Opens, Overlaps, Start, Waits};
use crate::owner::Owner;
use crate::readiness::Readiness;
use crate::slot::Slot;
use crate::status::StatusType;
use crate::structure::Structure;
use crate::thread::{RunsOn, ThreadMaker};
use crate::transfer::{PipeMode, Short, Stream};
use crate::writer::Writer;

/// One TOML file of models.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// `[[resources]]`: kinds of resource.
    #[serde(default)]
    pub resources: Vec<ResourceKind>,
    /// `[[functions]]`: what functions do.
    #[serde(default)]
    pub functions: Vec<FunctionModel>,
    /// `[[owners]]`: types that own a resource.
    #[serde(default)]
    pub owners: Vec<Owner>,
    /// `[[locks]]`: types that one thread at a time can hold.
    #[serde(default)]
    pub locks: Vec<Lock>,
    /// `[[guards]]`: types that hold a lock as long as they live.
    #[serde(default)]
    pub guards: Vec<Guard>,
    /// `[[conditions]]`: types on which a thread waits until another one wakes it.
    #[serde(default)]
    pub conditions: Vec<ConditionVariable>,
    /// `[[buffers]]`: types that hold memory and give out pointers into it.
    #[serde(default)]
    pub buffers: Vec<Buffer>,
    /// `[[structures]]`: structures that carry resources into a call.
    #[serde(default)]
    pub structures: Vec<Structure>,
    /// `[[streams]]`: types whose methods may transfer less than they are given.
    #[serde(default)]
    pub streams: Vec<Stream>,
    /// `[[statuses]]`: types that carry the code of an error.
    #[serde(default)]
    pub statuses: Vec<StatusType>,
    /// `[[writers]]`: types whose methods send bytes to a peer.
    #[serde(default)]
    pub writers: Vec<Writer>,
    /// `[[readiness]]`: types whose methods register a task to be woken.
    #[serde(default)]
    pub readiness: Vec<Readiness>,
    /// `[[threads]]`: what runs code of the program beside the code that asks for it.
    #[serde(default)]
    pub threads: Vec<ThreadMaker>,
    /// `[[types]]`: type names that make a file worth parsing.
    #[serde(default)]
    pub types: Vec<TypeModel>,
    /// `[[constants]]`: values of named constants.
    #[serde(default)]
    pub constants: Vec<Constant>,
}

/// A kind of resource and what releases it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceKind {
    /// Its name in `acquires` and `releases`: `handle`, `find-handle`, `threadpool-wait`.
    pub kind: String,
    /// The words for a person: "handle", "threadpool wait object".
    pub noun: String,
    /// The usual releasing function, named in help texts.
    pub release: String,
    /// Values that never name a live resource of this kind, whatever call made it; a comparison
    /// with one of them is about existence.
    #[serde(default)]
    pub empty: Vec<Sentinel>,
    /// Kinds that it may be as well, which nobody can tell from it: what releases one of them releases
    /// it rightly (a duplicated handle may be a socket).
    #[serde(default)]
    pub counts_as: Vec<String>,
    /// A leak of it is worth a report (false for what the system reclaims by itself).
    #[serde(default = "yes")]
    pub leaks: bool,
    /// It is memory, named by its address: reading or writing through the pointer is a use of it,
    /// and that an allocation can fail is none of pipelint's business.
    #[serde(default)]
    pub memory: bool,
    /// The page that says so.
    pub page: String,
}

fn yes() -> bool {
    true
}

/// A value that means failure or absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
pub enum Sentinel {
    /// Null pointer or handle.
    #[serde(rename = "NULL")]
    Null,
    /// `(HANDLE)-1`.
    #[serde(rename = "INVALID_HANDLE_VALUE")]
    InvalidHandle,
    /// `(SOCKET)~0`.
    #[serde(rename = "INVALID_SOCKET")]
    InvalidSocket,
    /// The integer -1 (`open`, `_open`); any negative value fails too.
    #[serde(rename = "-1")]
    MinusOne,
}

/// How a call that yields a status says that it succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Success {
    /// A BOOL: nonzero.
    Nonzero,
    /// An error code: zero (`RegOpenKeyEx`, `pthread_*`, `errno_t`).
    Zero,
    /// An HRESULT or POSIX result: not negative.
    Nonnegative,
    /// Zero, where every failure is -1 (`pipe`, `_pipe`).
    ZeroOrMinusOne,
    /// Zero, where every failure is negative: an HRESULT or NTSTATUS with one success code.
    ZeroOrNegative,
    /// Not -1 (`WaitForSingleObject`'s WAIT_FAILED, `SuspendThread`).
    NotMinusOne,
}

/// A condition on the arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The argument.
    pub arg: usize,
    /// It has this flag (a named constant) set.
    #[serde(default)]
    pub flag: Option<String>,
    /// It has this flag (a named constant) not set.
    #[serde(default)]
    pub no_flag: Option<String>,
    /// It is null.
    #[serde(default)]
    pub null: Option<bool>,
    /// It equals this named constant or integer.
    #[serde(default)]
    pub equals: Option<String>,
}

/// A call acquires a resource.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acquire {
    /// Kind of resource.
    pub kind: String,
    /// Where it comes out; the result unless said.
    #[serde(default = "result")]
    pub at: Slot,
    /// For a result: the value that means failure. For an out-parameter the function's `success`
    /// decides.
    #[serde(default)]
    pub failure: Option<Sentinel>,
    /// Only under this condition.
    #[serde(default)]
    pub when: Option<Condition>,
    /// The call practically cannot fail with valid arguments: PL101 does not speak of it.
    #[serde(default)]
    pub infallible: bool,
    /// The error that tells that an object of this name was there before. Who asks for it may make the
    /// object for its name alone, and keeps it as long as the process runs.
    #[serde(default)]
    pub exists: Option<String>,
}

fn result() -> Slot {
    Slot::Result
}

/// A call releases a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Kind of resource it releases rightly.
    pub kind: String,
    /// Further kinds it releases rightly (POSIX `close` takes files and sockets).
    #[serde(default)]
    pub also: Vec<String>,
    /// The argument.
    pub arg: usize,
    /// The argument is a pointer to the handle, which is reset.
    #[serde(default)]
    pub by_pointer: bool,
    /// A null argument is documented to be harmless (`free`, `LocalFree`).
    #[serde(default)]
    pub null_ok: bool,
    /// Only under this condition.
    #[serde(default)]
    pub when: Option<Condition>,
    /// Releases even when the call itself fails (DUPLICATE_CLOSE_SOURCE).
    #[serde(default)]
    pub even_on_failure: bool,
    /// Only if the call succeeds, which its result tells: a failed `realloc` leaves the block live.
    #[serde(default)]
    pub on_success: bool,
}

impl Release {
    /// Whether it releases this kind of resource rightly.
    pub fn fits(&self, kind: &str) -> bool {
        self.kind == kind || self.also.iter().any(|k| k == kind)
    }
}

/// What kind of transfer an I/O call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IoKind {
    /// Fills a buffer.
    Read,
    /// Sends a buffer.
    Write,
    /// Sends and fills (`TransactNamedPipe`, `DeviceIoControl`).
    Transact,
    /// Waits for a peer (`ConnectNamedPipe`).
    Connect,
    /// Changes a mode or state (`SetNamedPipeHandleState`).
    Control,
    /// Waits until data has reached the other side (`FlushFileBuffers`).
    Flush,
    /// Ends the connection (`DisconnectNamedPipe`).
    Disconnect,
}

/// An I/O call's arguments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Io {
    /// What it does.
    pub does: IoKind,
    /// The handle.
    pub handle: usize,
    /// The buffer read into or written from.
    #[serde(default)]
    pub buffer: Option<usize>,
    /// Its length.
    #[serde(default)]
    pub length: Option<usize>,
    /// Out-parameter with the transferred count.
    #[serde(default)]
    pub count: Option<usize>,
    /// The OVERLAPPED.
    #[serde(default)]
    pub overlapped: Option<usize>,
    /// Error codes of a failing call that are no failure (`ERROR_PIPE_CONNECTED`).
    #[serde(default)]
    pub good_errors: Vec<String>,
    /// The error code that means "under way".
    #[serde(default)]
    pub pending: Option<String>,
    /// When a write that succeeds may have sent less than it was given; never, unless said.
    #[serde(default)]
    pub short: Option<Short>,
    /// The error code that says that a part of the message was read, and that the rest waits.
    #[serde(default)]
    pub more: Option<String>,
    /// It reads messages, or fails: no other mode of the pipe will do (`TransactNamedPipe`).
    #[serde(default)]
    pub messages: bool,
}

/// What a checking macro or function does when the value it checks is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFail {
    /// Ends the process.
    Aborts,
    /// Throws.
    Throws,
    /// Returns from the calling function (a macro).
    Returns,
    /// Goes on; the value was looked at (`LOG_IF_…`).
    Continues,
}

/// A checking macro or function: `PCHECK(x)`, `THROW_IF_NULL_ALLOC(p)`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The argument it judges.
    pub arg: usize,
    /// When the argument is good.
    pub good: Good,
    /// What happens otherwise.
    pub on_fail: OnFail,
}

/// When a checked value is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Good {
    /// Not zero or null.
    Nonzero,
    /// Zero.
    Zero,
    /// Not negative.
    Nonnegative,
    /// Neither null nor `INVALID_HANDLE_VALUE`.
    ValidHandle,
    /// Not `INVALID_HANDLE_VALUE`.
    NotInvalid,
}

/// A call that starts a thread or work item.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Starts {
    /// The function that it runs.
    pub callback: usize,
    /// What that function is given.
    pub context: usize,
    /// Flags: unless they are 0, when it begins to run is not known.
    #[serde(default)]
    pub flags: Option<usize>,
    /// On what it runs; a thread of its own unless said.
    #[serde(default)]
    pub on: RunsOn,
}

/// How a call waits for others.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// The most time that it waits; where this is 0 it does not.
    #[serde(default)]
    pub timeout: Option<usize>,
    /// Only under this condition.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// A pseudo-handle that needs no close.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pseudo {
    /// Words for it: "the current process's pseudo-handle".
    pub noun: String,
}

/// What one function, or a set of functions with the same facts, does.
///
/// A modelled function only uses its arguments: what it keeps is in `escapes`, what it fills in
/// `fills`, and everything else stays the caller's.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionModel {
    /// Its names: `CreateEvent`, `CreateEventA`, `CreateEventW`.
    pub names: Vec<String>,
    /// The page that states the facts.
    pub page: String,
    /// Resources it acquires.
    #[serde(default)]
    pub acquires: Vec<Acquire>,
    /// Resources it releases.
    #[serde(default)]
    pub releases: Vec<Release>,
    /// How its result says success, when the result is a status.
    #[serde(default)]
    pub success: Option<Success>,
    /// Arguments that must be live resources or valid pointers: a failed creation's value is no
    /// good there.
    #[serde(default)]
    pub needs: Vec<usize>,
    /// Arguments it takes over on success: they are its own afterwards (`_open_osfhandle`).
    #[serde(default)]
    pub takes: Vec<usize>,
    /// Arguments it keeps beyond the call, the caller remaining responsible (contexts, callbacks).
    #[serde(default)]
    pub escapes: Vec<usize>,
    /// Arguments whose pointee it writes.
    #[serde(default)]
    pub fills: Vec<usize>,
    /// The result is this argument's value (`std::move`, `HandleToULong`).
    #[serde(default)]
    pub returns_arg: Option<usize>,
    /// The result is a pseudo-handle or a borrowed handle.
    #[serde(default)]
    pub pseudo: Option<Pseudo>,
    /// Never returns.
    #[serde(default)]
    pub noreturn: bool,
    /// Does not return where one of these holds (`syscall(SYS_exit, …)`).
    #[serde(default)]
    pub noreturn_when: Vec<Condition>,
    /// The result is a count that the call lowered: what is done where it is 0 is done by the last
    /// of several owners (`InterlockedDecrement`).
    #[serde(default)]
    pub lowers_count: bool,
    /// It changes what later steps build on (a signal, a mode, a limit): where it failed, they find
    /// what was there before. Its `success` tells.
    #[serde(default)]
    pub sets: bool,
    /// It checks an argument.
    #[serde(default)]
    pub check: Option<Check>,
    /// It is an I/O call.
    #[serde(default)]
    pub io: Option<Io>,
    /// A flag says that the handle it makes is for overlapped operations.
    #[serde(default)]
    pub opens_overlapped: Option<Opens>,
    /// It must have an OVERLAPPED where its handle was opened for overlapped operations.
    #[serde(default)]
    pub overlaps: Option<Overlaps>,
    /// It starts an operation that `io` does not speak of, or whose completion a routine tells.
    #[serde(default)]
    pub starts_io: Option<Start>,
    /// It sets the mode of a pipe end.
    #[serde(default)]
    pub pipe_mode: Option<PipeMode>,
    /// It asks the kernel to cancel operations.
    #[serde(default)]
    pub cancels: Option<Cancel>,
    /// It asks how an operation went.
    #[serde(default)]
    pub completes: Option<Completes>,
    /// It waits for objects.
    #[serde(default)]
    pub waits: Option<Waits>,
    /// An argument with an object that only who has waited for it with success may be done with
    /// (`ReleaseMutex`).
    #[serde(default)]
    pub after_wait: Option<usize>,
    /// Operations of others may have completed when it returns (`GetQueuedCompletionStatus`).
    #[serde(default)]
    pub drains: bool,
    /// The out-parameter with the OVERLAPPED of the packet that it takes from a completion port. A failure
    /// with a packet there is that of one operation, one without is that of the call.
    #[serde(default)]
    pub packet: Option<usize>,
    /// Waits until another thread wakes it, and gives its lock back meanwhile
    /// (`SleepConditionVariableCS`).
    #[serde(default)]
    pub wakes: bool,
    /// With `wakes`: the argument with the most time that it waits.
    #[serde(default)]
    pub wakes_within: Option<usize>,
    /// It returns when others have done something, which may take as long as they like.
    #[serde(default)]
    pub blocks: Option<Blocks>,
    /// Who waits for what this argument names is woken (`WakeConditionVariable`, `SetEvent`).
    #[serde(default)]
    pub signals: Option<usize>,
    /// The argument is an event that it makes unsignalled.
    #[serde(default)]
    pub resets: Option<usize>,
    /// It starts a thread or work item that runs a function of its caller's.
    #[serde(default)]
    pub starts: Option<Starts>,
    /// The argument is a thread, which it ends, whatever that does.
    #[serde(default)]
    pub ends_thread: Option<usize>,
    /// Under this condition the calling thread may be ended at any point from then on.
    #[serde(default)]
    pub killable: Option<Condition>,
    /// It makes an object whose callback the thread pool runs.
    #[serde(default)]
    pub registers: Option<Registers>,
    /// It has callbacks of an object run, or no more.
    #[serde(default)]
    pub arms: Option<Arms>,
    /// It waits for callbacks that run.
    #[serde(default)]
    pub awaits_callbacks: Option<AwaitsCallbacks>,
    /// It closes an object that has callbacks, and waits for none.
    #[serde(default)]
    pub closes_callbacks: Option<ClosesCallbacks>,
    /// Arguments that point to a lock which is none before this call.
    #[serde(default)]
    pub initialises: Vec<usize>,
    /// What it does with the thread's last error or `errno`.
    #[serde(default)]
    pub error: ErrorEffect,
    /// It only logs: it returns, and judges nothing.
    #[serde(default)]
    pub logs: bool,
    /// An assertion that vanishes from release builds: of a constant 0 it says that no run comes
    /// here.
    #[serde(default)]
    pub asserts: bool,
    /// Too common a name to decide that a file is worth parsing (`open`, `close`, `free`).
    #[serde(default)]
    pub common: bool,
}

/// Type names that make a file worth parsing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypeModel {
    /// The names.
    pub names: Vec<String>,
    /// Values of this type are handles that a close may take.
    #[serde(default)]
    pub handle: bool,
    /// They make a file worth parsing only where the code of a Unix system is read: names of its
    /// headers, whose functions (`open`, `close`) are too common to tell.
    #[serde(default)]
    pub unix: bool,
}

/// A named constant's value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: i64,
}
