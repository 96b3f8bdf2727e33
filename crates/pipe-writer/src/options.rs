//! What a writer is told when it is made.

/// A callback that is given the number of bytes the kernel has just taken.
pub(crate) type Notify = Box<dyn Fn(usize) + Send + Sync>;

/// Who handles the completion of a write that the kernel could not finish at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completion {
    /// On Windows, the threadpool waits for the event and starts the next write. On Unix, which
    /// has no such pool, bytes move during the calls of the writer, as with `EventLoop`.
    #[default]
    Background,
    /// The caller waits, for the event on Windows or for the descriptor to become writable on
    /// Unix, and then calls `on_signalled`.
    EventLoop,
}

/// How a writer is to behave.
#[derive(Default)]
pub struct Options {
    pub(crate) capacity: Option<usize>,
    pub(crate) completion: Completion,
    pub(crate) notify: Option<Notify>,
}

impl Options {
    /// A buffer of 64 KiB, completions in the background, no notification.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the capacity in bytes of the writer's own buffer; zero is taken as one.
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = Some(bytes.max(1));
        self
    }

    /// Says who handles completions.
    #[must_use]
    pub fn completion(mut self, completion: Completion) -> Self {
        self.completion = completion;
        self
    }

    /// Sets a callback that is given the number of bytes the kernel has just taken.
    ///
    /// It is called with no lock held, so it may write more; it can run on two threads at the
    /// same time, and never runs after `close` or the drop of the writer has returned. It must
    /// not close or drop the writer: that would wait for the callback itself. A panic in it
    /// ends the process when it runs on the threadpool.
    #[must_use]
    pub fn on_bytes_written(mut self, notify: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.notify = Some(Box::new(notify));
        self
    }

    /// The capacity in bytes.
    pub(crate) fn capacity_or_default(&self) -> usize {
        self.capacity.unwrap_or(64 * 1024)
    }
}
