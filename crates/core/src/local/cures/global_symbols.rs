//! Defect: extension modules are not linked to libpython; they expect its symbols to be global. In a
//! host that loads subpy with `dlopen(..., RTLD_LOCAL)`, as plugin hosts do, they aren't, and every
//! extension module fails to import with "undefined symbol".
//!
//! Has it: every version, on ELF systems.
//!
//! Cure: the libpython that is loaded already is opened once more, as a global one.

use std::ffi::{CStr, c_void};

/// Makes libpython's symbols global.
pub(crate) fn expose() {
    if let Some(library) = library() {
        // SAFETY: RTLD_NOLOAD: nothing is loaded, and the handle is kept for ever, as the library is.
        unsafe {
            libc::dlopen(
                library.as_ptr(),
                libc::RTLD_NOW | libc::RTLD_GLOBAL | libc::RTLD_NOLOAD,
            )
        };
    }
}

/// The file of the libpython that is loaded.
pub(crate) fn library() -> Option<&'static CStr> {
    file_of(pyo3_ffi::Py_GetVersion as *const c_void)
}

/// The file that a function is in, which is never unloaded.
pub(crate) fn file_of(function: *const c_void) -> Option<&'static CStr> {
    // SAFETY: a plain struct that `dladdr` fills; the name that it points to lives as long as the
    // file is loaded.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(function, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        Some(CStr::from_ptr(info.dli_fname))
    }
}
