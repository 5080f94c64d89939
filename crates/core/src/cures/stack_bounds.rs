//! Defect: since 3.14 a thread state remembers where the stack of the OS thread ends that attached it
//! first, to raise RecursionError in time. Carried to another OS thread, it watches the wrong stack.
//!
//! Has it: 3.14 and later. 3.14.0 and 3.14.1 lack the call that mends it.
//!
//! Cure: when a thread state is attached in another OS thread than the last time, it is told the
//! bounds of that thread's stack, which are asked of the system once in a thread.

#[cfg(not(Py_3_14))]
mod bounds {
    use pyo3_ffi::PyThreadState;

    /// The OS thread whose stack a thread state watches: nothing to remember before 3.14.
    pub(crate) struct Watched;

    impl Watched {
        pub(crate) fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn follow(&mut self, _: *mut PyThreadState) {}
    }

    pub(crate) fn can_follow() -> bool {
        true
    }
}

#[cfg(Py_3_14)]
mod bounds {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use pyo3_ffi::PyThreadState;

    type SetStackProtection = unsafe extern "C" fn(*mut PyThreadState, *mut c_void, usize) -> c_int;

    /// The OS thread whose stack a thread state watches.
    pub(crate) struct Watched(u64);

    impl Watched {
        /// For a thread state that was made in the calling thread.
        pub(crate) fn new() -> Self {
            Self(THREAD.get())
        }

        /// Tells the attached thread state which stack it is on now, if that is another one.
        #[inline]
        pub(crate) fn follow(&mut self, thread_state: *mut PyThreadState) {
            let here = THREAD.get();
            if self.0 != here {
                watch_this_stack(thread_state);
                self.0 = here;
            }
        }
    }

    thread_local! {
        /// The calling thread's number: unlike a pthread_t, it is never given out again.
        static THREAD: Cell<u64> = {
            static NEXT: AtomicU64 = AtomicU64::new(0);
            Cell::new(NEXT.fetch_add(1, Ordering::Relaxed))
        };
        static STACK: Cell<Option<(*mut c_void, usize)>> = const { Cell::new(None) };
    }

    fn watch_this_stack(thread_state: *mut PyThreadState) {
        let (lowest, size) = STACK.get().unwrap_or_else(this_stack);
        STACK.set(Some((lowest, size)));
        if let (Some(set), true) = (setter(), size > 0) {
            // SAFETY: attached, and the bounds are those of the stack that we are on.
            if unsafe { set(thread_state, lowest, size) } != 0 {
                crate::python::object::clear_exception(); // too small a stack: the old bounds stay
            }
        }
    }

    /// The lowest address and the size of the calling thread's stack.
    fn this_stack() -> (*mut c_void, usize) {
        let mut lowest = std::ptr::null_mut();
        let mut size = 0;
        // SAFETY: the attributes are filled by the first call and released by the last.
        unsafe {
            let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
            if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) == 0 {
                libc::pthread_attr_getstack(&attributes, &mut lowest, &mut size);
                libc::pthread_attr_destroy(&mut attributes);
            }
        }
        (lowest, size)
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

pub(crate) use bounds::{Watched, can_follow};
