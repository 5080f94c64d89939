//! One version of Python in a process. Extension modules need libpython's symbols to be global, and so a second
//! libpython, and what is built for it, would get functions of the first.

use std::ffi::{CStr, CString, OsStr, c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::data::error::{Error, Result, Status};
use crate::local::cures;
use crate::local::cures::global_symbols;
use crate::local::cures::global_symbols::file_of;

/// The version that this copy of subpy is built for: `3.13`.
pub(super) const BUILT_FOR: &str = env!("SUBPY_PYTHON");

/// `Unsupported`: the functions of Python that we have are another version's.
pub(super) fn check() -> Result<()> {
    let file = global_symbols::library().unwrap_or_default();
    check_beside(cures::python_version(), path(file))
}

/// The same of another copy of subpy, which is in use in this process, in `file`.
pub(super) fn check_copy(file: &Path) -> Result<()> {
    match python_of(file) {
        Some(version) => check_beside(&version, file),
        None => Ok(()),
    }
}

fn check_beside(version: &str, file: &Path) -> Result<()> {
    if minor(version) == BUILT_FOR {
        return Ok(());
    }
    let message = format!(
        "subpy is built for Python {BUILT_FOR}, in {}, and this process has Python {version} already, in {}: two \
         versions can't be used in one process",
        path(file_of(check as *const c_void).unwrap_or_default()).display(),
        file.display()
    );
    Err(Error::new(Status::Unsupported, message))
}

/// `3.13` of `3.13.0`.
pub(super) fn minor(version: &str) -> &str {
    match version.match_indices('.').nth(1) {
        Some((end, _)) => &version[..end],
        None => version,
    }
}

/// The version of Python that the copy of subpy in a file uses, if it tells.
fn python_of(file: &Path) -> Option<String> {
    let file = CString::new(file.as_os_str().as_bytes()).ok()?;
    // SAFETY: the file is loaded, and stays so: a copy in use is never unloaded. Each copy's function is of this type,
    // and may be called at any time.
    unsafe {
        let copy = libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD);
        if copy.is_null() {
            return None;
        }
        let function = libc::dlsym(copy, c"subpy_python_version".as_ptr());
        let version = (!function.is_null()).then(|| {
            let version: extern "C" fn() -> *const c_char = std::mem::transmute(function);
            CStr::from_ptr(version()).to_string_lossy().into_owned()
        });
        libc::dlclose(copy);
        version
    }
}

fn path(file: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(file.to_bytes()))
}
