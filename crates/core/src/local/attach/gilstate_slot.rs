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

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::c_void;
use pyo3_ffi::{PyGILState_GetThisThreadState, PyThreadState};

/// Where the slot is.
#[derive(Clone, Copy)]
enum Storage {
    Key(libc::pthread_key_t),
    #[cfg(all(Py_3_15, target_os = "linux"))]
    Tls(tls::Variable),
}

static PLACE: OnceLock<Option<Storage>> = OnceLock::new();

/// Its key, if it is one: asked for three times in a run.
static KEY: AtomicU32 = AtomicU32::new(NO_KEY);

const NO_KEY: u32 = u32::MAX;

/// Finds the slot. `current` is the thread state that this thread's slot holds now.
pub(crate) fn locate(current: *mut PyThreadState) {
    let place = PLACE.get_or_init(|| find(current));
    if let Some(Storage::Key(key)) = *place {
        #[allow(clippy::unnecessary_cast)]
        KEY.store(key as u32, Ordering::Relaxed);
    }
}

/// What the calling thread's slot holds.
#[inline]
pub(crate) fn get() -> *mut PyThreadState {
    match KEY.load(Ordering::Relaxed) {
        NO_KEY => get_without_key(),
        // SAFETY: the key exists as long as Python does.
        key => unsafe { libc::pthread_getspecific(key as libc::pthread_key_t).cast() },
    }
}

fn get_without_key() -> *mut PyThreadState {
    match PLACE.get() {
        #[cfg(all(Py_3_15, target_os = "linux"))]
        // SAFETY: the variable is the calling thread's own.
        Some(Some(Storage::Tls(variable))) => unsafe { *variable.address() },
        // SAFETY: may be called by any thread at any time.
        _ => unsafe { PyGILState_GetThisThreadState() },
    }
}

/// Sets the calling thread's slot; does nothing where it was not found.
#[inline]
pub(crate) fn set(thread_state: *mut PyThreadState) {
    match KEY.load(Ordering::Relaxed) {
        NO_KEY => set_without_key(thread_state),
        key => Storage::Key(key as libc::pthread_key_t).set(thread_state),
    }
}

fn set_without_key(thread_state: *mut PyThreadState) {
    if let Some(Some(place)) = PLACE.get() {
        place.set(thread_state);
    }
}

impl Storage {
    #[inline]
    fn set(self, thread_state: *mut PyThreadState) {
        match self {
            // SAFETY: the key exists as long as Python does, and holds pointers of this type.
            Storage::Key(key) => unsafe {
                libc::pthread_setspecific(key, thread_state.cast::<c_void>());
            },
            #[cfg(all(Py_3_15, target_os = "linux"))]
            // SAFETY: the variable is the calling thread's own.
            Storage::Tls(variable) => unsafe { *variable.address() = thread_state },
        }
    }

    /// Whether this is the slot: what is set here is what CPython then finds.
    fn is_it(self, current: *mut PyThreadState) -> bool {
        self.set(std::ptr::null_mut());
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
    /// The least that POSIX systems have between them: glibc 1024, macOS 512, musl 128. A key that
    /// was never made reads as NULL in each of them.
    const KEYS: libc::pthread_key_t = 1024;
    (0..KEYS)
        // SAFETY: reads a slot of the calling thread; see above for keys that were never made.
        .filter(|key| unsafe { libc::pthread_getspecific(*key) } == current.cast())
        .map(Storage::Key)
        .find(|place| place.is_it(current))
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
    #[derive(Clone, Copy)]
    pub(super) struct Variable {
        library: Library,
        offset: usize,
    }

    /// A loaded library, as the loader numbers those that have thread-local storage.
    #[derive(Clone, Copy)]
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
