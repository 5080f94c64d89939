//! Which locale the calling thread has: the process's, unless it is in an interpreter that has set one.
//!
//! What is always in line here: without it a run takes 12 instructions more.

use std::collections::BTreeMap;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use super::data::Locale;
use crate::local::attach::Attached;
use crate::local::python::thread_states;
use crate::local::thread::calling_thread;

/// An interpreter's id, of CPython's: never given out again.
type Id = i64;

/// Our interpreters, each with the locale that it has set.
static OURS: Mutex<BTreeMap<Id, Option<Locale>>> = Mutex::new(BTreeMap::new());
/// How many have set one.
static SET: AtomicUsize = AtomicUsize::new(0);

fn ours<T>(work: impl FnOnce(&mut BTreeMap<Id, Option<Locale>>) -> T) -> T {
    work(&mut OURS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The attached interpreter's id.
pub(crate) fn id_of_attached(py: Attached<'_>) -> Id {
    // SAFETY: attached.
    unsafe { ffi::PyInterpreterState_GetID(thread_states::interpreter(py)) }
}

/// The attached interpreter is one of ours from now on.
pub(super) fn begin(py: Attached<'_>) {
    ours(|ours| ours.insert(id_of_attached(py), None));
}

/// An interpreter, by its id, is no more. Nothing happens for one that is not ours.
pub(crate) fn end(id: Id) {
    if ours(|ours| ours.remove(&id)).flatten().is_some() {
        SET.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The interpreter that the calling thread is attached to, if it is ours, with the locale that it has set.
pub(super) fn attached() -> Option<(Id, Option<Locale>)> {
    // SAFETY: at any time. To 3.11 it is the one that has the GIL, which the caller in libpython has.
    let id = unsafe {
        let state = ffi::compat::PyThreadState_GetUnchecked();
        if state.is_null() {
            return None;
        }
        ffi::PyInterpreterState_GetID(ffi::PyThreadState_GetInterpreter(state))
    };
    ours(|ours| ours.get(&id).map(|locale| (id, *locale)))
}

/// An interpreter of ours has this locale from now on, and so has the calling thread, which is in it.
pub(super) fn set(id: Id, locale: Locale) {
    let before = ours(|ours| ours.insert(id, Some(locale))).flatten();
    if before.is_none() {
        SET.fetch_add(1, Ordering::Relaxed);
    }
    adopt(locale);
}

/// Whether any interpreter has set a locale. If none has, a thread has none of them, and nothing to put back.
#[inline(always)]
pub(crate) fn are_set() -> bool {
    SET.load(Ordering::Relaxed) > 0
}

/// The calling thread's locale, if any interpreter has set one; else NULL: what the thread has then is its own.
#[inline(always)]
pub(crate) fn get_if_set() -> libc::locale_t {
    if are_set() { get() } else { null_mut() }
}

/// The calling thread's locale.
pub(super) fn get() -> libc::locale_t {
    // SAFETY: only asks.
    unsafe { libc::uselocale(null_mut()) }
}

/// The calling thread has this locale from now on, which it had before, or which is for ever. Nothing happens for
/// NULL.
#[inline(always)]
pub(crate) fn put(locale: libc::locale_t) {
    if !locale.is_null() && get() != locale {
        // SAFETY: the caller's promise.
        unsafe { libc::uselocale(locale) };
    }
}

/// The calling thread has the locale of the interpreter that it is in. What it has outside is remembered.
pub(super) fn adopt(locale: Locale) {
    // SAFETY: an entry lives until it is left.
    if let Some(entry) = unsafe { calling_thread::entry().as_ref() }
        && entry.host.locale.get().is_null()
    {
        entry.host.locale.set(get());
    }
    put(locale.raw());
}

/// The calling thread has come into the interpreter of a thread state.
///
/// # Safety
/// It is attached.
#[inline(always)]
pub(crate) unsafe fn enter(thread_state: *mut PyThreadState) {
    if are_set() {
        // SAFETY: the caller's promise.
        let id = unsafe {
            ffi::PyInterpreterState_GetID(ffi::PyThreadState_GetInterpreter(thread_state))
        };
        let locale = ours(|ours| ours.get(&id).copied().flatten());
        if let Some(locale) = locale {
            adopt(locale);
        }
    }
}
