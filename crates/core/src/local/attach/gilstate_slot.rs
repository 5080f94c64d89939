//! Defect: each OS thread has a slot for "its" thread state, which `PyGILState_Ensure` enters. Since
//! 3.12 attaching a thread state puts it there, and nothing takes it out again when it is detached.
//! - A thread that ran in a subinterpreter once enters it again with its next `PyGILState_Ensure`,
//!   where the host meant its own.
//! - A thread state that is deleted by another OS thread leaves the slot dangling: that thread's next
//!   attach, anywhere, writes to the freed block.
//!
//! Has it: 3.12 and later; before, the slot is filled when a thread state is made.
//!
//! Cure: while a thread state of ours is attached, the slot holds it, so that extension modules work;
//! before and after, and while the host is called without the GIL, the slot holds what the host had there.
//! It is set before a thread state is attached, not after: CPython notes of each whether the slot holds it, and
//! attaching puts another one out, to which it writes. As we do it, nothing is put out: each of ours was in the slot
//! when it was made, the slot being empty, and each of the host's comes back to find it as it was. Debug builds assert
//! that the notes are right. CPython has no call to set the slot, so
//! it is found once, at start, by the value that it is known to hold, and checked by what
//! `PyGILState_GetThisThreadState` then says:
//! - to 3.14 it is a pthread key;
//! - in 3.15 it is a variable in libpython's thread-local storage (which is looked at on x86-64 and AArch64).

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3_ffi::{PyGILState_GetThisThreadState, PyThreadState};

/// Where the slot is.
#[derive(PartialEq)]
enum Storage {
    Key(key::Key),
    #[cfg(all(Py_3_15, target_os = "linux"))]
    Tls(tls::Variable),
}

/// NULL: it was not found. One that was replaced stays, since other threads may be using it.
static SLOT: AtomicPtr<Storage> = AtomicPtr::new(null_mut());

#[inline]
fn slot() -> Option<&'static Storage> {
    // SAFETY: it is never freed.
    unsafe { SLOT.load(Ordering::Acquire).as_ref() }
}

/// Finds the slot, also when Python starts once more. `current` is the thread state that this thread's slot holds now.
pub(crate) fn locate(current: *mut PyThreadState) {
    let found = find(current);
    if found.as_ref() != slot() {
        let found = found.map_or(null_mut(), |found| Box::into_raw(Box::new(found)));
        SLOT.store(found, Ordering::Release);
    }
}

/// What the calling thread's slot holds.
#[inline]
pub(crate) fn get() -> *mut PyThreadState {
    match slot() {
        Some(Storage::Key(key)) => key.get().cast(),
        #[cfg(all(Py_3_15, target_os = "linux"))]
        // SAFETY: the variable is the calling thread's own.
        Some(Storage::Tls(variable)) => unsafe { *variable.address() },
        // SAFETY: may be called by any thread at any time.
        None => unsafe { PyGILState_GetThisThreadState() },
    }
}

/// Sets the calling thread's slot; does nothing where it was not found.
#[inline]
pub(crate) fn set(thread_state: *mut PyThreadState) {
    if let Some(slot) = slot() {
        slot.set(thread_state);
    }
}

impl Storage {
    #[inline]
    fn set(&self, thread_state: *mut PyThreadState) {
        match self {
            Storage::Key(key) => key.set(thread_state.cast()),
            #[cfg(all(Py_3_15, target_os = "linux"))]
            // SAFETY: the variable is the calling thread's own.
            Storage::Tls(variable) => unsafe { *variable.address() = thread_state },
        }
    }

    /// Whether this is the slot: what is set here is what CPython then finds.
    fn is_it(&self, current: *mut PyThreadState) -> bool {
        self.set(null_mut());
        // SAFETY: may be called by any thread at any time.
        let emptied = unsafe { PyGILState_GetThisThreadState() }.is_null();
        self.set(current);
        // SAFETY: as above.
        emptied && unsafe { PyGILState_GetThisThreadState() } == current
    }
}

fn find(current: *mut PyThreadState) -> Option<Storage> {
    #[cfg(all(Py_3_15, target_os = "linux"))]
    for variable in tls::variables_with(current.cast()) {
        if Storage::Tls(variable).is_it(current) {
            return Some(Storage::Tls(variable));
        }
    }
    key::all_with(current.cast())
        .map(Storage::Key)
        .find(|slot| slot.is_it(current))
}

/// Keys of POSIX's.
mod key {
    use libc::{c_void, pthread_key_t};

    use in_thread::InThread;

    #[derive(PartialEq)]
    pub(super) struct Key {
        key: pthread_key_t,
        in_thread: InThread,
    }

    impl Key {
        #[inline]
        pub(super) fn get(&self) -> *mut c_void {
            match self.in_thread.value() {
                // SAFETY: the calling thread's own.
                Some(value) => unsafe { *value },
                // SAFETY: the key exists as long as Python does.
                None => unsafe { libc::pthread_getspecific(self.key) },
            }
        }

        #[inline]
        pub(super) fn set(&self, value: *mut c_void) {
            match self.in_thread.value() {
                // SAFETY: as above.
                Some(place) => unsafe { *place = value },
                // SAFETY: as above; it holds pointers of this type.
                None => drop(unsafe { libc::pthread_setspecific(self.key, value) }),
            }
        }
    }

    /// Those that hold `value` in the calling thread.
    pub(super) fn all_with(value: *mut c_void) -> impl Iterator<Item = Key> {
        /// The least that POSIX systems have between them: glibc 1024, macOS 512, musl 128. A key that
        /// was never made reads as NULL in each of them.
        const KEYS: pthread_key_t = 1024;
        (0..KEYS)
            // SAFETY: reads a slot of the calling thread; see above for keys that were never made.
            .filter(move |key| unsafe { libc::pthread_getspecific(*key) } == value)
            .map(move |key| Key {
                key,
                in_thread: InThread::find(key, value),
            })
    }

    /// glibc keeps the values of the first keys in what it has of each thread, each beside the number of the key's
    /// making: 0 in a thread that has never set it. A run asks for one three times, and a call for it takes as long as a
    /// locked instruction. So the place is looked for, and used in the threads where the number is right.
    #[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
    mod in_thread {
        use std::ffi::c_void;

        use libc::pthread_key_t;

        use crate::util::thread_local::thread_pointer;

        /// Less than what glibc has of a thread, which takes 2,304 bytes.
        const SIZE: usize = 2048;

        /// How far the number is from the thread's own address, and what it is. Without a place, no number is right.
        #[derive(PartialEq)]
        pub(super) struct InThread {
            offset: usize,
            number: usize,
        }

        impl InThread {
            /// Where the calling thread has the value. `None`: the C library has to be asked.
            #[inline]
            pub(super) fn value(&self) -> Option<*mut *mut c_void> {
                let place = thread_pointer().wrapping_add(self.offset);
                // SAFETY: inside of what glibc has of the calling thread.
                let is_right = unsafe { *place.cast::<usize>() } == self.number;
                is_right.then(|| place.wrapping_add(size_of::<usize>()).cast())
            }

            /// Looks for the place of a key that holds `value` in the calling thread.
            pub(super) fn find(key: pthread_key_t, value: *mut c_void) -> Self {
                let word = |offset: usize| thread_pointer().wrapping_add(offset).cast::<usize>();
                // SAFETY: inside of what glibc has of the calling thread, which nobody else writes. Another value for a
                // moment is nothing to CPython, which the calling thread is not in.
                let holds = |offset: usize, value: *mut c_void| unsafe {
                    libc::pthread_setspecific(key, value);
                    word(offset).wrapping_add(1).read_volatile() == value.addr()
                };
                let mut other = 0_usize;
                let other = (&raw mut other).cast();
                let found = (0..SIZE)
                    .step_by(size_of::<usize>())
                    // SAFETY: as above.
                    .filter(|offset| unsafe { *word(*offset) } != 0)
                    .find(|offset| holds(*offset, other) && holds(*offset, value));
                holds(0, value);
                match found {
                    Some(offset) => Self {
                        offset,
                        // SAFETY: as above.
                        number: unsafe { *word(offset) },
                    },
                    // The thread's own address is there, which is not 1.
                    None => Self {
                        offset: 0,
                        number: 1,
                    },
                }
            }
        }
    }

    #[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
    mod in_thread {
        use libc::{c_void, pthread_key_t};

        /// Nothing is known of other C libraries.
        #[derive(PartialEq)]
        pub(super) struct InThread;

        impl InThread {
            #[inline]
            pub(super) fn value(&self) -> Option<*mut *mut c_void> {
                None
            }

            pub(super) fn find(_: pthread_key_t, _: *mut c_void) -> Self {
                Self
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::ptr::null_mut;

        use super::{all_with, c_void, pthread_key_t};

        fn get(key: pthread_key_t) -> *mut c_void {
            // SAFETY: a key that was made below.
            unsafe { libc::pthread_getspecific(key) }
        }

        /// The first keys are in the thread's own block, later ones are not.
        #[test]
        fn a_key_holds_in_each_thread_what_the_c_library_says() {
            for _ in 0..48 {
                let mut key = 0;
                let value = (&raw mut key).cast();
                // SAFETY: a place for the key; a key that was made.
                unsafe {
                    assert_eq!(libc::pthread_key_create(&mut key, None), 0);
                    assert_eq!(libc::pthread_setspecific(key, value), 0);
                }
                let found = all_with(value).find(|found| found.key == key).unwrap();
                assert_eq!((get(key), found.get()), (value, value));
                found.set(null_mut());
                assert!(get(key).is_null() && found.get().is_null());
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        let other = (&raw const found).cast_mut().cast();
                        assert!(found.get().is_null());
                        for value in [other, null_mut(), other] {
                            found.set(value);
                            assert_eq!((get(key), found.get()), (value, value));
                        }
                    });
                });
                assert!(found.get().is_null());
            }
        }
    }
}

/// Thread-local variables of libpython, found by their value.
///
/// The loader is asked for them as compiled code asks: by the number of the library and an offset. What
/// `dl_iterate_phdr` says of the calling thread is not enough: it is NULL in a thread that has not used them yet, and
/// in one that is older than the library.
#[cfg(all(Py_3_15, target_os = "linux"))]
mod tls {
    use std::cell::Cell;
    use std::ffi::c_int;

    use libc::{PT_TLS, c_void, dl_phdr_info, size_t};
    use pyo3_ffi::PyThreadState;

    /// An offset into the thread-local storage of libpython.
    #[derive(Clone, Copy, PartialEq)]
    pub(super) struct Variable {
        library: Library,
        offset: usize,
    }

    /// A loaded library, as the loader numbers those that have thread-local storage.
    #[derive(Clone, Copy, PartialEq)]
    struct Library(usize);

    thread_local! {
        /// Where the calling thread's storage of libpython begins.
        static BASE: Cell<*mut u8> = const { Cell::new(std::ptr::null_mut()) };
    }

    impl Variable {
        /// Where the variable is for the calling thread.
        #[inline]
        pub(super) fn address(self) -> *mut *mut PyThreadState {
            let mut base = BASE.get();
            if base.is_null() {
                base = self.library.storage();
                BASE.set(base);
            }
            base.wrapping_add(self.offset).cast()
        }
    }

    impl Library {
        /// Where its storage for the calling thread begins.
        #[cold]
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        fn storage(self) -> *mut u8 {
            unsafe extern "C" {
                fn __tls_get_addr(place: *const [usize; 2]) -> *mut c_void;
            }
            // SAFETY: a library that is loaded; on these processors offsets count from the beginning.
            unsafe { __tls_get_addr(&[self.0, 0]) }.cast()
        }

        /// NULL: other processors are not known well enough.
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        fn storage(self) -> *mut u8 {
            std::ptr::null_mut()
        }
    }

    /// The variables that hold `value` in the calling thread.
    pub(super) fn variables_with(value: *mut c_void) -> impl Iterator<Item = Variable> {
        let found = libpython();
        found.into_iter().flat_map(move |(library, size)| {
            let base = library.storage();
            let size = if base.is_null() { 0 } else { size };
            let at = move |offset: usize| base.wrapping_add(offset).cast::<*mut c_void>();
            let offsets = (0..size).step_by(size_of::<*mut c_void>());
            offsets
                // SAFETY: inside of the storage, aligned as that is.
                .filter(move |offset| unsafe { at(*offset).read() } == value)
                .map(move |offset| Variable { library, offset })
        })
    }

    /// The library, and the size of its storage; `None` if it has none.
    fn libpython() -> Option<(Library, usize)> {
        let mut found = None;
        // SAFETY: the callback gets `found` back and is done before the call returns.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
        found
    }

    unsafe extern "C" fn visit(info: *mut dl_phdr_info, _: size_t, found: *mut c_void) -> c_int {
        // SAFETY: the loader describes a loaded object; `found` is `libpython`'s.
        unsafe {
            let info = &*info;
            let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
            let python = pyo3_ffi::Py_IsInitialized as *const () as u64;
            let is_python = headers.iter().any(|h| {
                let start = info.dlpi_addr + h.p_vaddr;
                h.p_type == libc::PT_LOAD && (start..start + h.p_memsz).contains(&python)
            });
            if is_python && info.dlpi_tls_modid != 0 {
                let size = headers.iter().find(|h| h.p_type == PT_TLS);
                *found.cast::<Option<(Library, usize)>>() =
                    size.map(|tls| (Library(info.dlpi_tls_modid), tls.p_memsz as usize));
            }
            c_int::from(is_python)
        }
    }
}
