//! What a script sets in the host's thread, and what the host gets back: the thread's signal mask, the processors that
//! it may use, its name. Nothing is asked of the system before a script sets one of them.

use std::cell::Cell;
use std::ffi::c_char;
use std::ptr::{null, null_mut};

/// One of them.
#[derive(Clone, Copy)]
pub(crate) enum Attribute {
    SignalMask,
    Processors,
    Name,
}

/// Those that a script has set while it is in the host's thread, each as the other side has it: the host's while the
/// script runs, the script's while the host is called.
#[derive(Default)]
pub(crate) struct Attributes {
    signal_mask: Option<libc::sigset_t>,
    processors: Option<Vec<u64>>,
    name: Option<[c_char; 16]>,
}

/// Where a thread that is in an interpreter has its attributes. NULL: it has none.
pub(crate) type Slot = Cell<*mut Attributes>;

/// The calling thread, which is the host's, is about to set an attribute. It is kept for the host.
pub(crate) fn keep(attribute: Attribute, slot: &Slot) {
    if slot.get().is_null() {
        slot.set(Box::into_raw(Box::default()));
    }
    // SAFETY: made above, by this thread, which alone has it.
    let attributes = unsafe { &mut *slot.get() };
    match attribute {
        Attribute::SignalMask => drop(attributes.signal_mask.get_or_insert_with(signal_mask)),
        Attribute::Processors => {
            if attributes.processors.is_none() {
                attributes.processors = processors();
            }
        }
        Attribute::Name => drop(attributes.name.get_or_insert_with(name)),
    }
}

/// The calling thread gets what the other side has.
///
/// # Safety
/// The slot is the thread's, and has attributes.
#[cold]
#[inline(never)]
pub(in crate::local) unsafe fn swap(slot: &Slot) {
    // SAFETY: the caller's promise.
    let attributes = unsafe { &mut *slot.get() };
    if let Some(other) = &mut attributes.processors
        && let Some(own) = processors()
    {
        // SAFETY: so many bytes. (What another program has forbidden meanwhile can't be had.)
        unsafe { libc::sched_setaffinity(0, size_of_val(&other[..]), other.as_ptr().cast()) };
        *other = own;
    }
    if let Some(other) = &mut attributes.name {
        let own = name();
        // SAFETY: a text that ends in a NUL.
        unsafe { libc::prctl(libc::PR_SET_NAME, other.as_ptr()) };
        *other = own;
    }
    if let Some(other) = &mut attributes.signal_mask {
        let own = signal_mask();
        // SAFETY: a set that the thread had. What waits is delivered here.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, other, null_mut()) };
        *other = own;
    }
}

/// The host has its own again, for good.
///
/// # Safety
/// As for [`swap`].
#[cold]
#[inline(never)]
pub(in crate::local) unsafe fn put_back(slot: &Slot) {
    // SAFETY: the caller's promise; made by `keep`.
    unsafe {
        swap(slot);
        drop(Box::from_raw(slot.replace(null_mut())));
    }
}

fn signal_mask() -> libc::sigset_t {
    // SAFETY: a set that the call fills.
    unsafe {
        let mut mask = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, null(), &mut mask);
        mask
    }
}

/// A bit for each. `None`: it can't be known.
fn processors() -> Option<Vec<u64>> {
    let mut set = vec![0_u64; 16];
    // SAFETY: so many bytes.
    while unsafe { libc::sched_getaffinity(0, size_of_val(&set[..]), set.as_mut_ptr().cast()) } != 0
    {
        if set.len() > 4096 {
            return None;
        }
        set.resize(set.len() * 2, 0); // the machine has more
    }
    Some(set)
}

fn name() -> [c_char; 16] {
    let mut name = [0; 16];
    // SAFETY: as much room as the call wants.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name
}
