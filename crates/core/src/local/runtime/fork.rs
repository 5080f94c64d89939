//! A host that forks. The child has the thread that forked, and no other one: whoever held a GIL or a lock there holds
//! it for ever. So each call in the child says that, and touches nothing. A run that is under way may go on, in a
//! function of the host's that has forked, or in a script that has (`os.fork`).

use std::sync::Once;

use crate::local::runtime_phase;

/// Has a child that is forked from here on know that it is one.
pub(super) fn watch() {
    static WATCH: Once = Once::new();
    unsafe extern "C" fn in_child() {
        if super::zygote::is_one() {
            return;
        }
        runtime_phase::forked();
    }
    // SAFETY: the handler does nothing but look at atomics and try a lock. Without memory for it, a child is as it would
    // be without this.
    WATCH.call_once(|| unsafe {
        libc::pthread_atfork(None, None, Some(in_child));
    });
}
