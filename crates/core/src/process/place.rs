//! Where the program of workers is.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::data::error::{Error, Result, Status};

const NAME: &str = "subpy-worker";

/// Where it is looked for: from the folder of the file that this code is in, which is a library or a program.
pub(super) fn worker() -> Result<PathBuf> {
    let here = this_file().ok_or_else(|| not_found(&[]))?;
    let folder = here.parent().unwrap_or(Path::new("/"));
    let places = [
        folder.join("../libexec/subpy").join(NAME),
        // Where libraries are in a folder of their architecture.
        folder.join("../../libexec/subpy").join(NAME),
        folder.join(NAME),
    ];
    let found = places.iter().find(|place| place.is_file());
    let found = found.ok_or_else(|| not_found(&places))?;
    Ok(std::fs::canonicalize(found).unwrap_or_else(|_| found.clone()))
}

fn not_found(places: &[PathBuf]) -> Error {
    let places: Vec<_> = places
        .iter()
        .map(|place| place.display().to_string())
        .collect();
    let message = format!(
        "the program of interpreters in processes, {NAME}, is not there ({}): install it, or say where it is in \
         subpy_runtime_config::worker",
        places.join(", ")
    );
    Error::new(Status::Unsupported, message)
}

/// The file that this function was loaded from.
fn this_file() -> Option<PathBuf> {
    let mut found = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: an address, and a place for what is known of it; the name lives as long as the file is loaded.
    let name = unsafe {
        let address = this_file as fn() -> Option<PathBuf> as *const libc::c_void;
        if libc::dladdr(address, found.as_mut_ptr()) == 0 {
            return None;
        }
        let name = found.assume_init().dli_fname;
        (!name.is_null()).then(|| CStr::from_ptr(name))?
    };
    let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    match name.is_absolute() {
        true => Some(name.to_owned()),
        // The program, by the name that it was started by.
        false => std::fs::canonicalize("/proc/self/exe").ok(),
    }
}
