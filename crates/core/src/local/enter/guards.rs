//! What a thread does at its way into an interpreter and back, and out of it for a call of the host's and back. On each
//! side the thread has what belongs there: a thread state, the slot of
//! `PyGILState`, a locale, floating point settings, attributes, and whether it can be cancelled.
//!
//! A host may run each script on a stack of its own (a fiber), and change stacks inside of its functions. Then calls do
//! not return in the order in which they were made. So one that returns into an interpreter takes what is its own,
//! whatever the thread has then; and one that leaves an interpreter puts back what it found only if nobody has done so
//! in between.
//!
//! What is always in line here: without it a run takes 22 instructions more.

use std::mem::ManuallyDrop;
use std::ptr::null_mut;

use libc::locale_t;
use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use crate::local::attach::{attach, attached, attached_with, gilstate_slot};
use crate::local::cures::locale::thread as locale;
use crate::local::thread::attributes;
use crate::local::thread::calling_thread;
use crate::local::thread::calling_thread::{CallingThread, LC_GLOBAL_LOCALE};
use crate::local::thread::cancel_state;
use crate::local::thread::entry::Entry;
use crate::local::thread::float_environment::FloatEnvironment;
use crate::local::thread::wake::Wake;

/// The calling thread has entered an interpreter, and is attached to nothing yet. It leaves when this is dropped.
pub(super) struct Entered<'a>(&'a Entry);

impl<'a> Entered<'a> {
    /// Detaches the calling thread from whatever it is attached to.
    #[inline(always)]
    pub(super) fn new(entry: &'a Entry) -> Self {
        let before = &entry.before;
        before.cancel_state.set(cancel_state::disable());
        let slot = gilstate_slot::get();
        let thread_state = attached_with(slot);
        let thread = CallingThread::get();
        let outer = thread.entry();
        let locale = locale::get_if_set();
        let floats = FloatEnvironment::get();
        before.entry.set(outer);
        before.thread_state.set(thread_state);
        before.slot.set(slot);
        before.locale.set(locale);
        before.floats.set(floats);
        before.switches.set(thread.switches());
        entry.host.locale.set(locale);
        entry.host.floats.set(floats);
        entry.wake.enter();
        if !thread_state.is_null() {
            Self::set_aside(entry);
        }
        if !floats.are_of_python() {
            FloatEnvironment::OF_PYTHON.put();
        }
        thread.set_entry(entry);
        Self(entry)
    }

    /// One that was forgotten.
    ///
    /// # Safety
    /// The calling thread has entered with this, and has not left.
    pub(super) unsafe fn kept(entry: &'a Entry) -> Self {
        Self(entry)
    }

    /// The thread is attached: to a thread state of the host's, or of an interpreter that is further out. Then the
    /// host's locale and settings are what that one remembers.
    #[cold]
    fn set_aside(entry: &Entry) {
        // SAFETY: attached; an entry lives until it is left.
        unsafe {
            ffi::PyEval_SaveThread();
            if let Some(outer) = entry.before.entry.get().as_ref() {
                entry.host.locale.set(outer.host.locale.get());
                entry.host.floats.set(outer.host.floats.get());
            }
        }
        locale::put(entry.host.locale.get());
    }

    /// The thread computes as it did before.
    #[inline(always)]
    pub(super) fn put_back_floats(&self) {
        self.0.before.floats.get().put();
    }

    /// The thread has again what it had, save for what it is attached to. The answer is the thread's place.
    #[inline(always)]
    pub(super) fn put_back(&self) -> CallingThread {
        let attributes = self.0.attributes.get();
        if !attributes.is_null() {
            // SAFETY: of this entry, which is over.
            unsafe { attributes::put_back(&self.0.attributes) };
        }
        self.put_back_floats();
        self.put_back_locale();
        let thread = CallingThread::get();
        thread.set_entry(self.0.before.entry.get());
        thread
    }

    #[inline(always)]
    pub(super) fn put_back_locale(&self) {
        let outside = self.0.host.locale.get();
        // Else nobody has set one in the thread.
        if !outside.is_null() {
            let before = self.0.before.locale.get();
            locale::put(if before.is_null() { outside } else { before });
        }
    }

    /// The thread can be cancelled again, if it could.
    #[inline(always)]
    pub(super) fn allow_cancel(&self) {
        cancel_state::restore(self.0.before.cancel_state.get());
    }

    /// The call of the host's that we came from has returned. Nobody misses what it had: it took that itself.
    #[cold]
    fn leave_nothing() {
        calling_thread::set_entry(std::ptr::null());
        gilstate_slot::set(null_mut());
    }
}

impl Entered<'_> {
    /// As dropping it, in line.
    #[inline(always)]
    pub(super) fn leave(self) {
        ManuallyDrop::new(self).end();
    }

    #[inline(always)]
    fn end(&self) {
        let before = &self.0.before;
        self.0.wake.leave();
        let thread = self.put_back();
        if !before.entry.get().is_null() && before.switches.get() != thread.switches() {
            Self::leave_nothing();
        } else {
            gilstate_slot::set(before.slot.get());
            let thread_state = before.thread_state.get();
            if !thread_state.is_null() {
                // SAFETY: it was attached in this thread before, and nobody deletes another's.
                unsafe { ffi::PyEval_RestoreThread(thread_state) };
            }
        }
        // Last: what waits for a GIL could be cancelled.
        self.allow_cancel();
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// The calling thread has left an interpreter to call the host, and has what is the host's. When this is dropped, it
/// comes back, wherever it is then.
pub(in crate::local) struct InHost {
    /// NULL: a thread that a script has started.
    inside: *const Entry,
    /// What it has meanwhile.
    entry: *const Entry,
    pub(super) thread_state: *mut PyThreadState,
    keeps_gil: bool,
    /// It was in the host already, which has called us from a function of its.
    is_inner: bool,
    locale: locale_t,
}

impl InHost {
    /// Whether the host has something there that the interpreter, which is attached, has not: a locale, settings, or
    /// attributes. Else there is nothing to do but to say so.
    #[inline(always)]
    pub(in crate::local) fn has_own(inside: &Entry) -> bool {
        locale::are_set()
            || !inside.host.locale.get().is_null()
            || !inside.host.floats.get().are_of_python()
            || !inside.attributes.get().is_null()
    }

    /// To be made while the interpreter is attached, whose GIL the host has meanwhile.
    #[inline(always)]
    pub(in crate::local) fn keeping_gil() -> Self {
        let inside = calling_thread::entry();
        let mut in_host = Self::begin(inside, inside, true);
        // Used only where the host comes back from another of its stacks. What is attached is not asked for: that takes time.
        // SAFETY: an entry lives until it is left.
        in_host.thread_state =
            unsafe { inside.as_ref() }.map_or_else(null_mut, |inside| inside.thread_state.get());
        if in_host.thread_state.is_null() {
            in_host.thread_state = attached();
        }
        in_host
    }

    /// To be made while the interpreter is attached; it is detached, and the thread has this entry meanwhile, unless it
    /// has one anyway.
    pub(super) fn releasing_gil(entry: &Entry) -> Self {
        let inside = calling_thread::entry();
        let meanwhile = if inside.is_null() { entry } else { inside };
        let mut in_host = Self::begin(inside, meanwhile, false);
        // SAFETY: attached; an entry lives until it is left.
        unsafe {
            // Not always that of `inside`: CPython attaches another one by itself where it imports some modules.
            in_host.thread_state = ffi::PyEval_SaveThread();
            if let Some(inside) = inside.as_ref() {
                gilstate_slot::set(inside.before.slot.get());
            }
        }
        calling_thread::set_entry(meanwhile);
        in_host
    }

    #[inline(always)]
    fn begin(inside: *const Entry, entry: *const Entry, keeps_gil: bool) -> Self {
        let locale = locale::get_if_set();
        // SAFETY: an entry lives until it is left.
        let inside_of = unsafe { inside.as_ref() };
        let is_inner = match inside_of {
            Some(inside) => inside.wake.is_in_host(),
            None => calling_thread::script_wake().is_some_and(Wake::is_in_host),
        };
        match inside_of {
            _ if is_inner => {}
            Some(inside) => {
                inside.wake.leave_for_host();
                locale::put(inside.host.locale.get());
                if !inside.host.floats.get().are_of_python() {
                    inside.host.floats.get().put();
                }
                if !inside.attributes.get().is_null() {
                    // SAFETY: this thread has set them in this entry.
                    unsafe { attributes::swap(&inside.attributes) };
                }
            }
            None => {
                if let Some(wake) = calling_thread::script_wake() {
                    wake.leave_for_host();
                }
                if !locale.is_null() {
                    locale::put(LC_GLOBAL_LOCALE);
                }
            }
        }
        Self {
            inside,
            entry,
            thread_state: null_mut(),
            keeps_gil,
            is_inner,
            locale,
        }
    }

    /// The host has come back to us from another of its stacks, which may have something else attached.
    #[cold]
    #[inline(never)]
    fn take_over() {
        calling_thread::has_switched();
        if !attached().is_null() {
            // SAFETY: attached.
            unsafe { ffi::PyEval_SaveThread() };
        }
    }
}

impl Drop for InHost {
    #[inline(always)]
    fn drop(&mut self) {
        locale::put(self.locale);
        // SAFETY: as in `begin`; the entry is not left before we return into the interpreter.
        match unsafe { self.inside.as_ref() } {
            _ if self.is_inner => {}
            Some(inside) => {
                inside.wake.return_from_host();
                if !inside.host.floats.get().are_of_python() {
                    FloatEnvironment::OF_PYTHON.put();
                }
                if !inside.attributes.get().is_null() {
                    // SAFETY: as in `begin`.
                    unsafe { attributes::swap(&inside.attributes) };
                }
            }
            None => {
                if let Some(wake) = calling_thread::script_wake() {
                    wake.return_from_host();
                }
            }
        }
        if calling_thread::entry() != self.entry {
            Self::take_over();
        } else if self.keeps_gil {
            return;
        // SAFETY: as above.
        } else if let Some(inside) = unsafe { self.inside.as_ref() } {
            inside.before.slot.set(gilstate_slot::get());
        }
        calling_thread::set_entry(self.inside);
        // SAFETY: it was attached in this thread before, and is nobody else's to attach.
        unsafe { attach(self.thread_state) };
    }
}
