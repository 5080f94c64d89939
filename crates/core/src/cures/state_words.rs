//! What an interpreter's state holds that CPython has no call for: read without knowing how large it is.

use std::mem::size_of;

use pyo3_ffi::PyInterpreterState;

/// The words of a state, and what comes after it: its size is not known.
pub(super) fn words(state: *mut PyInterpreterState) -> Vec<usize> {
    /// More than any version has.
    const MOST: usize = 64 * 1024;
    let mut words = vec![0; MOST];
    let bytes = copy(state as usize, &mut words);
    words.truncate(bytes / size_of::<usize>());
    words
}

/// Copies what is there, if anything is, and says how many bytes.
pub(super) fn copy(from: usize, to: &mut [usize]) -> usize {
    let length = size_of_val(to);
    let vector = |start: usize, length| libc::iovec {
        iov_base: start as *mut _,
        iov_len: length,
    };
    /// The system copies page by page, up to one that isn't there.
    const PAGE: usize = 4096;
    let end = from + length;
    let mut pages = vec![];
    let mut start = from;
    while start < end {
        let next = ((start / PAGE + 1) * PAGE).min(end);
        pages.push(vector(start, next - start));
        start = next;
    }
    // SAFETY: what is written to is ours, and what is read is checked by the system.
    let copied = unsafe {
        let to = vector(to.as_mut_ptr() as usize, length);
        libc::process_vm_readv(
            libc::getpid(),
            &to,
            1,
            pages.as_ptr(),
            pages.len() as u64,
            0,
        )
    };
    usize::try_from(copied).unwrap_or(0)
}
