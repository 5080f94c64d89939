//! How many descriptors the process may have: a zygote has one for each worker, and these what the host may have.

/// The limit is as high as it may be. The answer is what it was.
pub(super) fn open_as_many_as_can_be() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: a place for the limit, and one that is read.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return None;
        }
        let most = libc::rlimit {
            rlim_cur: limit.rlim_max,
            ..limit
        };
        libc::setrlimit(libc::RLIMIT_NOFILE, &most);
    }
    Some(limit)
}

pub(super) fn put_back(limit: Option<libc::rlimit>) {
    if let Some(limit) = limit {
        // SAFETY: one that is read.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    }
}
