//! One copy of subpy in a process. A second one (static in two plugins, or two versions of the shared library)
//! would take the first for a host that has started Python, and both would change it.
//!
//! Each copy is in some file that the process has loaded, and leaves an ELF note there, which says where its
//! [`CLAIMED`] is. A copy that starts looks at the notes of all files. It does that inside of the loader's lock,
//! which is the process's, so of two that start at once one sees the other. The note's form never changes:
//! copies of different versions read it.

use std::arch::global_asm;
use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::one_version;
use crate::data::error::{Error, Result, Status};

/// 1 from the time when this copy starts or joins Python until it leaves a Python of the host's. For ever, if it
/// has started Python itself: that can't be done again in a process.
static CLAIMED: AtomicU32 = AtomicU32::new(0);

const NAME: &[u8] = b"subpy\0";
/// The type of the note.
const CLAIM: u32 = 1;

// The owner's name, its length, that of the rest, the type; then how far it is from here to `CLAIMED`.
global_asm!(
    ".pushsection .note.subpy, \"a\", %note",
    ".balign 4",
    ".long 6",
    ".long 4",
    ".long 1",
    ".asciz \"subpy\"",
    ".balign 4",
    ".long {claimed} - .",
    ".popsection",
    claimed = sym CLAIMED,
);

/// Claims the process for this copy. `NotPermitted`, or `Unsupported` if it is for another Python: another one has;
/// its file is in the message.
pub(crate) fn reserve() -> Result<()> {
    let mut other: Option<PathBuf> = None;
    // SAFETY: the callback takes what it is given here.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut other).cast()) };
    let Some(file) = other else { return Ok(()) };
    give_back();
    one_version::check_copy(&file)?;
    let message = format!(
        "another copy of subpy is in use in this process, in {}: link all parts of the program to one shared \
         libsubpy",
        file.display()
    );
    Err(Error::new(Status::NotPermitted, message))
}

/// Lets another copy have the process.
pub(crate) fn give_back() {
    CLAIMED.store(0, Ordering::SeqCst);
}

/// Looks for another copy's claim in one file that is loaded. Called inside of the loader's lock, which is held
/// until all files are looked at.
unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, other: *mut c_void) -> c_int {
    CLAIMED.store(1, Ordering::SeqCst);
    // SAFETY: what the loader hands over, which lives as long as its lock is held, and `reserve`'s place.
    unsafe {
        if !claims_of(&*info).any(|claimed| is_set_elsewhere(claimed)) {
            return 0;
        }
        *other.cast() = Some(file_of(&*info));
    }
    1
}

/// The claims of the copies in a file.
///
/// # Safety
/// As the loader handed it over.
unsafe fn claims_of(info: &libc::dl_phdr_info) -> impl Iterator<Item = *const AtomicU32> {
    // SAFETY: the caller's promise.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let notes = headers
        .iter()
        .filter(|header| header.p_type == libc::PT_NOTE);
    notes.flat_map(move |header| {
        let start = (info.dlpi_addr + header.p_vaddr) as *const u8;
        // SAFETY: as above.
        let notes = unsafe { std::slice::from_raw_parts(start, header.p_memsz as usize) };
        claims(notes, if header.p_align == 8 { 8 } else { 4 })
    })
}

/// # Safety
/// A copy's claim.
unsafe fn is_set_elsewhere(claimed: *const AtomicU32) -> bool {
    // SAFETY: the caller's promise.
    !std::ptr::eq(claimed, &CLAIMED) && unsafe { &*claimed }.load(Ordering::SeqCst) != 0
}

/// Where the claims are that these notes tell of.
fn claims(notes: &[u8], align: usize) -> impl Iterator<Item = *const AtomicU32> {
    let mut rest = notes;
    std::iter::from_fn(move || {
        loop {
            let word = |at: usize| Some(u32::from_ne_bytes(rest.get(at..at + 4)?.try_into().ok()?));
            let (name_size, size, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
            let place = (12 + name_size).next_multiple_of(align);
            let name = rest.get(12..12 + name_size)?;
            let found = rest.get(place..place + size)?;
            rest = rest
                .get((place + size).next_multiple_of(align)..)
                .unwrap_or(&[]);
            if name == NAME && kind == CLAIM && size == 4 {
                let distance = i32::from_ne_bytes(found.try_into().ok()?);
                return Some(found.as_ptr().wrapping_offset(distance as isize).cast());
            }
        }
    })
}

/// # Safety
/// As the loader handed it over.
unsafe fn file_of(info: &libc::dl_phdr_info) -> PathBuf {
    let name = if info.dlpi_name.is_null() {
        c""
    } else {
        // SAFETY: the caller's promise.
        unsafe { CStr::from_ptr(info.dlpi_name) }
    };
    let name = name.to_bytes();
    if name.is_empty() {
        return std::env::current_exe().unwrap_or_else(|_| "the program".into());
    }
    OsStr::from_bytes(name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, rest: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for word in [name.len() as u32, rest.len() as u32, kind] {
            note.extend(word.to_ne_bytes());
        }
        for part in [name, rest] {
            note.extend(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    #[test]
    fn a_claim_is_found_among_other_notes() {
        let reserve = note(NAME, CLAIM, &8_i32.to_ne_bytes());
        let notes = [note(b"GNU\0", 3, &[7; 20]), reserve, note(NAME, 2, &[1; 4])].concat();
        let found: Vec<_> = claims(&notes, 4).collect();
        let here = notes.len() - note(NAME, 2, &[1; 4]).len() - 4;
        assert_eq!(found, [notes[here..].as_ptr().wrapping_add(8).cast()]);
        for cut in 0..notes.len() {
            claims(&notes[..cut], 4).for_each(drop); // a note that is cut off is none
        }
    }

    #[test]
    fn this_copy_has_a_note_and_does_not_refuse_itself() {
        unsafe extern "C" fn has(
            info: *mut libc::dl_phdr_info,
            _: usize,
            own: *mut c_void,
        ) -> c_int {
            // SAFETY: as for `look`.
            unsafe {
                let claims = claims_of(&*info).filter(|claimed| std::ptr::eq(*claimed, &CLAIMED));
                *own.cast::<usize>() += claims.count();
            }
            0
        }
        let mut own = 0_usize;
        // SAFETY: as in `reserve`.
        unsafe { libc::dl_iterate_phdr(Some(has), (&raw mut own).cast()) };
        assert_eq!(own, 1);
        assert!(reserve().is_ok() && reserve().is_ok());
        give_back();
    }
}
