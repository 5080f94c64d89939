//! The variables of the process: what its executable and libraries have in memory of their own.

use std::ffi::{c_int, c_void};

use libc::{PF_W, PT_LOAD, dl_phdr_info, size_t};

/// More than this is not searched, in bytes.
const MOST: usize = 32 << 20;

struct Search {
    /// From here on, as many bytes.
    first: usize,
    span: usize,
    found: Vec<usize>,
    searched: usize,
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

/// Searches a library. Not 0: enough.
unsafe extern "C" fn visit(info: *mut dl_phdr_info, _: size_t, search: *mut c_void) -> c_int {
    // SAFETY: the loader describes a loaded object; `search` is `pointing_between`'s.
    let (info, headers, search) = unsafe {
        let info = &*info;
        let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
        (info, headers, &mut *search.cast::<Search>())
    };
    for header in headers {
        if header.p_type == PT_LOAD && header.p_flags & PF_W != 0 {
            let start = (info.dlpi_addr + header.p_vaddr) as usize;
            let end = start + header.p_memsz as usize;
            search.searched += end - start;
            if search.searched > MOST {
                return 1;
            }
            let start = start.next_multiple_of(size_of::<usize>());
            for place in (start..end - size_of::<usize>() + 1).step_by(size_of::<usize>()) {
                // SAFETY: part of what is loaded; others may write it, as they may at any time.
                let word = unsafe { (place as *const usize).read_volatile() };
                if word.wrapping_sub(search.first) <= search.span {
                    search.found.push(word);
                }
            }
        }
    }
    0
}
