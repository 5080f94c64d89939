//! Defect: C code that recurses is stopped by a count that fits the main thread's stack of 8 MiB (3.12 and
//! 3.13), or by the bounds of the stack that a thread state was first attached on (3.14 and later). On
//! another OS thread's stack it overflows first, which ends the process.
//!
//! Has it: 3.12 and later. (3.14.0 and 3.14.1 lack the call that mends it. Before 3.12 the recursion limit
//! of the scripts counts C code, too; nothing is done about it here.)
//!
//! Cure: Python runs where there is room for it, see [`stack`]. When a thread state is attached on another stack than the
//! last time, it is told of that, whose bounds are asked of the system once in a thread.

use pyo3_ffi::{PyObject, PyThreadState};

use crate::local::attach::Attached;
use crate::local::python::thread_states;
use crate::local::stack;
use crate::local::stack::{OwnStack, Room, Stack};

/// The stack that a thread state knows.
pub(crate) struct KnownStack(Stack);

impl KnownStack {
    /// For a thread state that was never told of any.
    pub(crate) fn new() -> Self {
        Self(Stack::NONE)
    }

    /// Tells the attached thread state which stack it is on now, if that is another one.
    #[inline]
    pub(crate) fn follow(&mut self, py: Attached<'_>, thread_state: *mut PyThreadState) {
        if let Some(stack) = stack::current()
            && stack.number != self.0.number
        {
            self.follow_to(py, thread_state, stack);
        }
    }

    #[cold]
    fn follow_to(&mut self, py: Attached<'_>, thread_state: *mut PyThreadState, stack: Stack) {
        self.0 = stack;
        if stack.size > 0 {
            tell::tell(py, thread_state, stack);
        }
    }

    /// What is left of it, for a call from inside. `None`: the calling thread is on another one.
    pub(crate) fn room<'a>(&self) -> Option<Room<'a>> {
        self.0.is_here().then(Room::left_here)
    }
}

/// Does `work` where there is room for it, on a stack for once; with the thread state of a script's own thread attached,
/// which is told of each way. NULL: an exception is set.
pub(crate) fn with_room(py: Attached<'_>, work: impl FnOnce() -> *mut PyObject) -> *mut PyObject {
    if Room::here().is_some() {
        return work();
    }
    let thread_state = thread_states::attached(py);
    let told = tell::told(py, thread_state);
    let Ok(mut own) = OwnStack::new() else {
        // SAFETY: attached.
        return unsafe { pyo3_ffi::PyErr_NoMemory() };
    };
    let result = own.run(|_| {
        KnownStack::new().follow(py, thread_state);
        work()
    });
    if let Some(stack) = stack::current() {
        tell::tell_again(py, thread_state, stack, told);
    }
    result
}

#[cfg(not(Py_3_12))]
mod tell {
    use pyo3_ffi::PyThreadState;

    use crate::local::attach::Attached;
    use crate::local::stack::Stack;

    /// Nothing to tell before 3.12.
    pub(super) fn tell(_: Attached<'_>, _: *mut PyThreadState, _: Stack) {}

    /// What a thread state knows.
    pub(super) struct Told;

    pub(super) fn told(_: Attached<'_>, _: *mut PyThreadState) -> Told {
        Told
    }

    /// Tells it that it is back on the stack that it was on when it was told that.
    pub(super) fn tell_again(_: Attached<'_>, _: *mut PyThreadState, _: Stack, _: Told) {}

    pub(crate) fn can_follow() -> bool {
        true
    }
}

#[cfg(all(Py_3_12, not(Py_3_14)))]
mod tell {
    use std::ffi::c_int;
    use std::sync::OnceLock;

    use pyo3_ffi::{Py_GetRecursionLimit, PyThreadState};

    use crate::local::attach::Attached;
    use crate::local::stack::Stack;

    /// What a level of recursion takes at most, in bytes: 10,000 are safe in 8 MiB.
    const LEVEL: usize = 800;
    /// What is left for what CPython doesn't count, in bytes.
    const MARGIN: usize = 16 * 1024;

    /// The start of CPython's public `struct _ts`: the same in all patch releases.
    #[repr(C)]
    struct Start {
        links: [usize; 3],
        #[cfg(Py_3_13)]
        eval_breaker: usize,
        status: c_int,
        #[cfg(Py_3_13)]
        whence_and_state: [c_int; 2],
        recursion_remaining: c_int,
        recursion_limit: c_int,
        c_recursion_remaining: c_int,
    }

    /// How deep C code may still recurse. `None`: the fields are not where they were.
    fn remaining<'a>(_: Attached<'a>, thread_state: *mut PyThreadState) -> Option<&'a mut c_int> {
        // SAFETY: attached, and nobody else looks at it. The fields are checked before they are believed.
        unsafe {
            let start = &mut *thread_state.cast::<Start>();
            (start.recursion_limit == Py_GetRecursionLimit())
                .then_some(&mut start.c_recursion_remaining)
        }
    }

    /// Lets C code recurse as deep as the stack allows, but no deeper than CPython does. To be called while nothing
    /// recurses in the thread state.
    pub(super) fn tell(py: Attached<'_>, thread_state: *mut PyThreadState, stack: Stack) {
        /// What CPython allows.
        static MOST: OnceLock<c_int> = OnceLock::new();
        if let Some(remaining) = remaining(py, thread_state) {
            let most = *MOST.get_or_init(|| *remaining);
            let here = std::ptr::from_ref(&most) as usize;
            let room = here.saturating_sub(stack.lowest + MARGIN);
            let levels = c_int::try_from(room / LEVEL).unwrap_or(c_int::MAX);
            *remaining = levels.min(most);
        }
    }

    /// What a thread state knows: how deep C code may recurse.
    pub(super) struct Told(Option<c_int>);

    pub(super) fn told(py: Attached<'_>, thread_state: *mut PyThreadState) -> Told {
        Told(remaining(py, thread_state).map(|remaining| *remaining))
    }

    /// Tells it that it is back on the stack that it was on when it was told that.
    pub(super) fn tell_again(
        py: Attached<'_>,
        thread_state: *mut PyThreadState,
        _: Stack,
        told: Told,
    ) {
        if let Some((remaining, told)) = remaining(py, thread_state).zip(told.0) {
            *remaining = told;
        }
    }

    pub(crate) fn can_follow() -> bool {
        true
    }
}

#[cfg(Py_3_14)]
mod tell {
    use std::ffi::{c_int, c_void};
    use std::sync::OnceLock;

    use pyo3_ffi::PyThreadState;

    use crate::local::attach::Attached;
    use crate::local::stack::Stack;

    type SetStackProtection = unsafe extern "C" fn(*mut PyThreadState, *mut c_void, usize) -> c_int;

    /// Has the thread state watch this stack.
    pub(super) fn tell(py: Attached<'_>, thread_state: *mut PyThreadState, stack: Stack) {
        // SAFETY: attached, and the bounds are those of the stack that we are on.
        if setter().is_some_and(
            |set| unsafe { set(thread_state, stack.lowest as *mut c_void, stack.size) } != 0,
        ) {
            crate::local::python::object::clear_exception(py); // too small a stack: the old bounds stay
        }
    }

    /// What a thread state knows: that is asked of the system.
    pub(super) struct Told;

    pub(super) fn told(_: Attached<'_>, _: *mut PyThreadState) -> Told {
        Told
    }

    /// Tells it that it is back on this stack.
    pub(super) fn tell_again(
        py: Attached<'_>,
        thread_state: *mut PyThreadState,
        stack: Stack,
        _: Told,
    ) {
        tell(py, thread_state, stack);
    }

    /// The call is looked up when it is needed: 3.14.0 and 3.14.1 don't have it.
    fn setter() -> Option<SetStackProtection> {
        static SETTER: OnceLock<Option<SetStackProtection>> = OnceLock::new();
        *SETTER.get_or_init(|| {
            let name = c"PyUnstable_ThreadState_SetStackProtection";
            // SAFETY: the symbol, where there is one, has this type.
            unsafe {
                let symbol = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
                (!symbol.is_null())
                    .then(|| std::mem::transmute::<*mut c_void, SetStackProtection>(symbol))
            }
        })
    }

    pub(crate) fn can_follow() -> bool {
        setter().is_some()
    }
}

pub(crate) use tell::can_follow;
