//! Where the program of workers is.

use std::ffi::OsStr;
use std::ops::Range;
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
        // Where libexec is the folder of libraries.
        folder.join("subpy").join(NAME),
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

/// The file that this function is in, as the kernel has it: the loader has the name that it was asked for, which may be a
/// link, or be meant from another working directory.
fn this_file() -> Option<PathBuf> {
    let address = this_file as fn() -> Option<PathBuf> as usize;
    let maps = std::fs::read("/proc/self/maps").ok()?;
    let mut lines = maps.split(|byte| *byte == b'\n');
    let line = lines.find(|line| range(line).is_some_and(|range| range.contains(&address)))?;
    let name = line.iter().position(|byte| *byte == b'/')?;
    Some(Path::new(OsStr::from_bytes(&line[name..])).to_owned())
}

/// The addresses that a line of `maps` is about.
fn range(line: &[u8]) -> Option<Range<usize>> {
    let text = std::str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?;
    let (start, end) = text.split_once('-')?;
    let number = |digits| usize::from_str_radix(digits, 16).ok();
    Some(number(start)?..number(end)?)
}
