//! Defect: C code that recurses is stopped by a count that fits the main thread's stack of 8 MiB (3.12 and
//! 3.13), or by the bounds of the stack that a thread state was first attached on (3.14 and later). On
//! another OS thread's stack it overflows first, which ends the process.
//!
//! Has it: 3.12 and later. (3.14.0 and 3.14.1 lack the call that mends it. Before 3.12 the recursion limit
//! of the scripts counts C code, too; nothing is done about it here.)
//!
//! Cure: when a thread state is attached in another OS thread than the last time, it is told of that
//! thread's stack, whose bounds are asked of the system once in a thread.

#[cfg(not(Py_3_12))]
mod bounds {
    use pyo3_ffi::PyThreadState;

    use crate::local::attach::Attached;

    /// The OS thread whose stack a thread state knows: nothing to remember before 3.12.
    pub(crate) struct KnownStack;

    impl KnownStack {
        pub(crate) fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn follow(&mut self, _: Attached<'_>, _: *mut PyThreadState) {}
    }

    pub(crate) fn can_follow() -> bool {
        true
    }
}

#[cfg(Py_3_12)]
mod bounds {
    use std::sync::atomic::{AtomicU64, Ordering};

    use pyo3_ffi::PyThreadState;

    use crate::local::attach::Attached;
    use crate::local::thread::{calling_thread, stack};

    pub(crate) use super::tell::can_follow;

    /// The OS thread whose stack a thread state knows.
    pub(crate) struct KnownStack(u64);

    impl KnownStack {
        /// For a thread state that was never told of any.
        pub(crate) fn new() -> Self {
            Self(u64::MAX)
        }

        /// Tells the attached thread state which stack it is on now, if that is another one.
        #[inline]
        pub(crate) fn follow(&mut self, py: Attached<'_>, thread_state: *mut PyThreadState) {
            // A thread that has no number yet is none of those.
            if self.0 != calling_thread::number() {
                self.follow_here(py, thread_state);
            }
        }

        #[cold]
        fn follow_here(&mut self, py: Attached<'_>, thread_state: *mut PyThreadState) {
            static NEXT: AtomicU64 = AtomicU64::new(1);
            if calling_thread::number() == UNNUMBERED {
                calling_thread::set_number(NEXT.fetch_add(1, Ordering::Relaxed));
            }
            self.0 = calling_thread::number();
            let stack = stack::of_this_thread();
            if stack.size > 0 {
                super::tell::tell(py, thread_state, stack);
            }
        }
    }

    const UNNUMBERED: u64 = 0;
}

#[cfg(all(Py_3_12, not(Py_3_14)))]
mod tell {
    use std::ffi::c_int;
    use std::sync::OnceLock;

    use pyo3_ffi::{Py_GetRecursionLimit, PyThreadState};

    use crate::local::attach::Attached;
    use crate::local::thread::stack::Stack;

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

    /// Lets C code recurse as deep as the stack allows, but no deeper than CPython does.
    pub(super) fn tell(_: Attached<'_>, thread_state: *mut PyThreadState, stack: Stack) {
        /// What CPython allows.
        static MOST: OnceLock<c_int> = OnceLock::new();
        // SAFETY: attached, at rest: nothing recurses in it. The fields are checked before they are
        // believed.
        unsafe {
            let start = &mut *thread_state.cast::<Start>();
            if start.recursion_limit != Py_GetRecursionLimit() {
                return;
            }
            let most = *MOST.get_or_init(|| start.c_recursion_remaining);
            let here = std::ptr::from_ref(&most) as usize;
            let room = here.saturating_sub(stack.lowest as usize + MARGIN);
            let levels = c_int::try_from(room / LEVEL).unwrap_or(c_int::MAX);
            start.c_recursion_remaining = levels.min(most);
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
    use crate::local::thread::stack::Stack;

    type SetStackProtection = unsafe extern "C" fn(*mut PyThreadState, *mut c_void, usize) -> c_int;

    /// Has the thread state watch this stack.
    pub(super) fn tell(py: Attached<'_>, thread_state: *mut PyThreadState, stack: Stack) {
        // SAFETY: attached, and the bounds are those of the stack that we are on.
        if setter().is_some_and(|set| unsafe { set(thread_state, stack.lowest, stack.size) } != 0) {
            crate::local::python::object::clear_exception(py); // too small a stack: the old bounds stay
        }
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

pub(crate) use bounds::{KnownStack, can_follow};
