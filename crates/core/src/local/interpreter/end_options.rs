//! How an interpreter is ended.

use std::time::Duration;

/// How an interpreter is ended.
pub(crate) struct EndOptions<'a> {
    /// How long its threads are awaited.
    pub(crate) timeout: Duration,
    /// Those that are left then are asked to end.
    pub(crate) stop_threads: bool,
    /// They may need them to end.
    pub(crate) exit_functions_first: bool,
    /// Asked now and then: whether to wait on.
    pub(crate) keeps_waiting: &'a dyn Fn() -> bool,
}

impl<'a> EndOptions<'a> {
    /// How long a process may take to end beside that: what runs at its end, and some more for its answer.
    pub(crate) const OF_PROCESS: Duration = Duration::from_secs(6);

    /// Its threads have so long to end.
    pub(crate) fn within(timeout: Duration, stop_threads: bool) -> Self {
        Self {
            timeout,
            stop_threads,
            exit_functions_first: false,
            keeps_waiting: &|| true,
        }
    }

    /// As Python ends: exit functions run, and then threads are awaited, for ever, or as long as this says.
    pub(crate) fn as_python(keeps_waiting: &'a dyn Fn() -> bool) -> Self {
        Self {
            timeout: Duration::MAX,
            stop_threads: false,
            exit_functions_first: true,
            keeps_waiting,
        }
    }
}
