//! A failure of the linter on one file must not end the run.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps guarded panics off standard error: [`guarded`] gives back what they say, with the place in
/// the linter's code. For the command; a library leaves the hook to its user.
pub(crate) fn keep_quiet() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if GUARDED.get() {
            LAST.set(Some(info.to_string().replace('\n', " ")));
        } else {
            before(info);
        }
    }));
}

/// Runs `work`; where it panics, what the panic says.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| {
        let said = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        LAST.take()
            .or(said)
            .unwrap_or_else(|| "no message".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_given_back_and_the_thread_goes_on() {
        assert_eq!(guarded(|| 3), Ok(3));
        let index = std::hint::black_box(7);
        let said = guarded(|| [1, 2, 3][index]).expect_err("there is no such element");
        assert!(said.contains("index out of bounds"), "{said}");
        assert_eq!(guarded(|| 4), Ok(4));
    }
}
