//! One thread of the host's that sees what its workers do by themselves: that one has ended, or wants a channel.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::util::thread::Thread;

/// What is done when there is something to see. False: nothing more is to be seen.
type Seen = Box<dyn FnMut() -> bool + Send>;

/// The thread, until this is dropped.
pub(super) struct Watcher {
    all: Arc<All>,
    thread: Option<Thread>,
    /// Closed when the thread is to end.
    stop: Option<OwnedFd>,
}

struct All {
    epoll: OwnedFd,
    /// Held for a moment, and not while something is done. By numbers: a descriptor may be given out anew.
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    all: HashMap<u64, (RawFd, Seen)>,
    last: u64,
}

/// The number of what stops the thread.
const STOP: u64 = 0;

impl Watcher {
    pub(super) fn start() -> io::Result<Self> {
        // SAFETY: new descriptors, which are ours; room for two.
        let (epoll, reads, writes) = unsafe {
            let epoll = owned(libc::epoll_create1(libc::EPOLL_CLOEXEC))?;
            let mut ends = [0; 2];
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
                return Err(io::Error::last_os_error());
            }
            (
                epoll,
                OwnedFd::from_raw_fd(ends[0]),
                OwnedFd::from_raw_fd(ends[1]),
            )
        };
        let all = Arc::new(All {
            epoll,
            watched: Mutex::default(),
        });
        all.add(reads.as_raw_fd(), STOP)?;
        let watching = all.clone();
        let thread = Thread::start(c"subpy workers", move || {
            let _until_then = reads;
            watching.watch_all();
        })?;
        Ok(Self {
            all,
            thread: Some(thread),
            stop: Some(writes),
        })
    }

    /// `seen` is called, in the thread, each time that there is something to read, or an end, at this descriptor, which is
    /// open until `seen` is dropped.
    pub(super) fn watch(&self, descriptor: RawFd, seen: Seen) -> io::Result<()> {
        let mut watched = self.all.watched();
        watched.last += 1;
        let number = watched.last;
        watched.all.insert(number, (descriptor, seen));
        drop(watched);
        self.all.add(descriptor, number)
    }
}

impl All {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, descriptor: RawFd, number: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: number,
        };
        let epoll = self.epoll.as_raw_fd();
        // SAFETY: descriptors, and a struct that is read.
        match unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, descriptor, &mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn watch_all(&self) {
        loop {
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            let epoll = self.epoll.as_raw_fd();
            // SAFETY: room for one event.
            let count = unsafe { libc::epoll_wait(epoll, &mut event, 1, -1) };
            if count != 1 {
                continue; // interrupted: by a debugger
            }
            let number = event.u64;
            if number == STOP {
                return;
            }
            let Some((descriptor, mut seen)) = self.watched().all.remove(&number) else {
                continue;
            };
            if seen() {
                self.watched().all.insert(number, (descriptor, seen));
            } else {
                // SAFETY: open until `seen` is dropped, below.
                unsafe {
                    libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, descriptor, std::ptr::null_mut());
                }
                drop(seen);
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}

/// # Safety
/// A new descriptor, or -1.
unsafe fn owned(descriptor: RawFd) -> io::Result<OwnedFd> {
    match descriptor {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the caller's promise.
        descriptor => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
    }
}
