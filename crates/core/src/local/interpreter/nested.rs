//! A run that the host makes while the script of another interpreter calls it. Who asks the outer run to end asks the
//! inner one, too: the outer one goes on only when that has ended.

use std::sync::Arc;

use crate::local::interpreter::registry;
use crate::local::interpreter::shared::{InnerRun, Shared};
use crate::local::thread::entry::Entry;

impl Shared {
    /// This run is inside of that of another interpreter, if the thread was in one. To be called by the holder of the
    /// claim.
    ///
    /// # Safety
    /// `outer` is the entry that the thread had before.
    #[cold]
    pub(super) unsafe fn begin_nested(self: &Arc<Self>, outer: *const Entry) {
        // SAFETY: the caller's promise.
        if let Some(outer) = unsafe { run_in(outer) } {
            let inner = InnerRun {
                outer: outer.run_around(self),
                shared: self.clone(),
                run: self.state.run(),
            };
            outer.inner_runs().push(inner);
        }
    }

    /// It has ended.
    ///
    /// # Safety
    /// As for [`begin_nested`](Self::begin_nested).
    #[cold]
    pub(super) unsafe fn end_nested(self: &Arc<Self>, outer: *const Entry) {
        // SAFETY: the caller's promise.
        if let Some(outer) = unsafe { run_in(outer) } {
            let mut runs = outer.inner_runs();
            // The last one that has begun ends first.
            if let Some(at) = runs.iter().rposition(|run| Arc::ptr_eq(&run.shared, self)) {
                let ended = runs.remove(at);
                drop(runs);
                drop(ended);
            }
        }
    }
}

/// The interpreter whose run an entry is in; `None`: it is in none.
///
/// # Safety
/// NULL, or an entry of the calling thread.
unsafe fn run_in(entry: *const Entry) -> Option<Arc<Shared>> {
    // SAFETY: an entry lives until it is left, which the calling thread does later.
    let (id, thread_state) = unsafe {
        entry
            .as_ref()
            .map(|entry| (entry.id, entry.thread_state.get()))?
    };
    let found = registry::find(id?).ok()?;
    found.0.runs_in(thread_state).then(|| found.0.clone())
}
