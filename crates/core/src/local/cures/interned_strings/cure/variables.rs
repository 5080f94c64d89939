//! The variables of the process: what its executable and libraries have in memory of their own.

use std::ffi::{c_int, c_void};

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{Elf64_Phdr, PF_W, PT_GNU_RELRO, PT_LOAD, dl_phdr_info, size_t};

/// More than this is not searched, in bytes.
const MOST: usize = 32 << 20;

struct Search {
    /// From here on, as many bytes.
    first: usize,
    span: usize,
    found: Vec<usize>,
    searched: usize,
}

impl Search {
    /// Most of what is not used is 0, and skipped.
    fn look_through(&mut self, words: &[AtomicUsize]) {
        let eights = words.chunks_exact(8);
        self.look_at(eights.remainder());
        for eight in eights {
            if eight
                .iter()
                .fold(0, |all, word| all | word.load(Ordering::Relaxed))
                != 0
            {
                self.look_at(eight);
            }
        }
    }

    #[inline]
    fn look_at(&mut self, words: &[AtomicUsize]) {
        for word in words {
            let word = word.load(Ordering::Relaxed);
            if word.wrapping_sub(self.first) <= self.span {
                self.found.push(word);
            }
        }
    }
}

/// The addresses in a range, sorted, that a variable has. `None`: there is too much to search.
pub(super) fn pointing_between(first: usize, last: usize) -> Option<Vec<usize>> {
    let mut search = Search {
        first,
        span: last - first,
        found: Vec::new(),
        searched: 0,
    };
    // SAFETY: the callback gets `search` back and is done before the call returns.
    let all = unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) } == 0;
    search.found.sort_unstable();
    all.then_some(search.found)
}

/// Where it is in a library.
fn place_of(header: &Elf64_Phdr) -> Range<usize> {
    let start = header.p_vaddr as usize;
    start..start + header.p_memsz as usize
}

/// Searches a library. Not 0: enough.
unsafe extern "C" fn visit(info: *mut dl_phdr_info, _: size_t, search: *mut c_void) -> c_int {
    // SAFETY: the loader describes a loaded object; `search` is `pointing_between`'s.
    let (info, headers, search) = unsafe {
        let info = &*info;
        let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
        (info, headers, &mut *search.cast::<Search>())
    };
    // What the loader has made read-only has no string of an interpreter's.
    let is_fixed = |header: &&Elf64_Phdr| header.p_type == PT_GNU_RELRO;
    let fixed = headers.iter().find(is_fixed).map_or(0..0, place_of);
    for header in headers {
        if header.p_type == PT_LOAD && header.p_flags & PF_W != 0 {
            let place = place_of(header);
            let start = match fixed.contains(&place.start) {
                true => fixed.end.min(place.end),
                false => place.start,
            };
            search.searched += place.end - start;
            if search.searched > MOST {
                return 1;
            }
            // SAFETY: part of what is loaded; others may write it, as they may at any time.
            let (_, words, _) = unsafe {
                let bytes = start + info.dlpi_addr as usize;
                std::slice::from_raw_parts(bytes as *const u8, place.end - start)
                    .align_to::<AtomicUsize>()
            };
            search.look_through(words);
        }
    }
    0
}
