//! What an interpreter's state holds that CPython has no call for: read without knowing how large it is.

use std::mem::size_of;

use pyo3_ffi::PyInterpreterState;

/// The words of a state, and what comes after it: its size is not known. They are read as they are asked for, some at a
/// time, so that this takes no memory.
pub(super) fn words(state: *mut PyInterpreterState) -> impl Iterator<Item = usize> {
    /// More than any version has.
    const MOST: usize = 64 * 1024;
    const AT_A_TIME: usize = 512;
    let start = state as usize;
    let parts = (0..MOST / AT_A_TIME).map(move |part| {
        let mut words = [0; AT_A_TIME];
        let bytes = copy(start + part * size_of_val(&words), &mut words);
        (words, bytes / size_of::<usize>())
    });
    parts
        .take_while(|(_, count)| *count > 0)
        .flat_map(|(words, count)| words.into_iter().take(count))
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
