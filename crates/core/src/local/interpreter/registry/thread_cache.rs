//! The interpreters that a thread has used last, so that a run takes no lock.
//!
//! What is remembered can't be wrong: an interpreter that is gone says so, and its id goes to no other one. (The main
//! one is not remembered: a host's Python may be left and joined again, and it is 0 each time.)
//!
//! A thread forgets them at its end, by a key of POSIX's. Rust's own way takes memory in each thread, without which the
//! C library ends the process; a key that can't be had is done without.
//!
//! What is always in line here: without it a call takes 8 instructions more.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::from_ref;
use std::sync::OnceLock;

use crate::data::id::Id;
use crate::local::interpreter::handle::Interpreter;
use crate::util::thread_local::zeroed_thread_local;

/// How many.
const RECENT: usize = 16;

struct Recent {
    interpreters: [Cell<Option<Interpreter>>; RECENT],
    /// The thread forgets them at its end.
    ends: Cell<bool>,
}

zeroed_thread_local!(fn recent() -> *mut Recent, "recent_in_subpy");

/// What the calling thread remembers.
#[inline(always)]
fn here() -> &'static Recent {
    // SAFETY: `None` and `false` are zeros. It lives as long as the thread, and what is not `Sync` stays there.
    unsafe { &*recent() }
}

/// The interpreter, if the calling thread remembers it. It does not any more.
#[inline(always)]
pub(super) fn take(id: Id) -> Option<Interpreter> {
    let remembered = here().interpreters[place(id)].take();
    remembered.filter(|interpreter| interpreter.id() == id)
}

/// Has the calling thread remember it.
#[inline(always)]
pub(super) fn put(interpreter: Interpreter) {
    let (id, here) = (interpreter.id(), here());
    if !id.is_main() && (here.ends.get() || forget_at_end(here)) {
        here.interpreters[place(id)].set(Some(interpreter));
    }
}

fn place(id: Id) -> usize {
    id.get() as usize % RECENT
}

/// Says whether the calling thread will forget what it remembers.
#[cold]
fn forget_at_end(here: &Recent) -> bool {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: a place for the key.
        (unsafe { libc::pthread_key_create(&mut key, Some(forget)) } == 0).then_some(key)
    });
    // SAFETY: a key of ours; the place lives until after the thread's keys are called.
    let ends = key
        .is_some_and(|key| unsafe { libc::pthread_setspecific(key, from_ref(here).cast()) } == 0);
    here.ends.set(ends);
    ends
}

/// At the end of a thread. It may use interpreters again in what comes after this: then it is called once more.
unsafe extern "C" fn forget(here: *mut c_void) {
    // SAFETY: the calling thread's own place, which lives still.
    let here = unsafe { &*here.cast::<Recent>() };
    here.ends.set(false);
    for interpreter in &here.interpreters {
        drop(interpreter.take());
    }
}
