//! Descriptors that are waited for, each by a number.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;

/// Some descriptors.
pub(super) struct Epoll(OwnedFd);

impl Epoll {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: a new descriptor, which is ours.
        unsafe {
            match libc::epoll_create1(libc::EPOLL_CLOEXEC) {
                -1 => Err(io::Error::last_os_error()),
                descriptor => Ok(Self(OwnedFd::from_raw_fd(descriptor))),
            }
        }
    }

    /// One more, until it is removed, or closed everywhere.
    pub(super) fn add(&self, descriptor: RawFd, number: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: number,
        };
        let epoll = self.0.as_raw_fd();
        // SAFETY: descriptors, and a struct that is read.
        match unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, descriptor, &mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    pub(super) fn remove(&self, descriptor: RawFd) {
        // SAFETY: descriptors.
        unsafe {
            let remove = libc::EPOLL_CTL_DEL;
            libc::epoll_ctl(self.0.as_raw_fd(), remove, descriptor, null_mut());
        }
    }

    /// Waits until one of them can be read, or has come to its end. The answer is its number.
    pub(super) fn wait(&self) -> u64 {
        loop {
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            // SAFETY: room for one event.
            if unsafe { libc::epoll_wait(self.0.as_raw_fd(), &mut event, 1, -1) } == 1 {
                return event.u64;
            }
        }
    }
}
