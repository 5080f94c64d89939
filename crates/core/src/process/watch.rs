//! One thread of the host's that sees what its workers do by themselves: that one has ended, or wants a channel.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::epoll::Epoll;
use crate::util::thread::Thread;

/// What is done when there is something to see. False: nothing more is to be seen.
pub(super) type Seen = Box<dyn FnMut() -> bool + Send>;

/// The thread, until this is dropped.
pub(super) struct Watcher {
    all: Arc<All>,
    thread: Option<Thread>,
    /// Closed when the thread is to end.
    stop: Option<OwnedFd>,
}

struct All {
    epoll: Epoll,
    /// Held for a moment, and not while something is done. By numbers: a descriptor may be given out anew.
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    all: HashMap<u64, (RawFd, Seen)>,
    last: u64,
    /// That of what is being called, unless it is forgotten meanwhile.
    called: u64,
}

/// The number of what stops the thread.
const STOP: u64 = 0;

impl Watcher {
    pub(super) fn start() -> io::Result<Self> {
        let (reads, writes) = pipe()?;
        let all = Arc::new(All {
            epoll: Epoll::new()?,
            watched: Mutex::default(),
        });
        all.epoll.add(reads.as_raw_fd(), STOP)?;
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
    /// open until `seen` is dropped. The answer is the number by which it is forgotten.
    pub(super) fn watch(&self, descriptor: RawFd, seen: Seen) -> io::Result<u64> {
        let mut watched = self.all.watched();
        watched.last += 1;
        let number = watched.last;
        watched.all.insert(number, (descriptor, seen));
        drop(watched);
        self.all.epoll.add(descriptor, number)?;
        Ok(number)
    }

    /// There is nothing more to see there: `seen` is dropped, at once unless it is being called.
    pub(super) fn forget(&self, number: u64) {
        let mut watched = self.all.watched();
        let found = watched.all.remove(&number);
        if found.is_none() && watched.called == number {
            watched.called = STOP;
        }
        drop(watched);
        if let Some((descriptor, seen)) = found {
            self.all.epoll.remove(descriptor);
            drop(seen);
        }
    }
}

impl All {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch_all(&self) {
        loop {
            let number = self.epoll.wait();
            if number == STOP {
                return;
            }
            let mut watched = self.watched();
            let Some((descriptor, mut seen)) = watched.all.remove(&number) else {
                continue;
            };
            watched.called = number;
            drop(watched);
            let goes_on = seen();
            let mut watched = self.watched();
            let is_known = std::mem::take(&mut watched.called) == number;
            if goes_on && is_known {
                watched.all.insert(number, (descriptor, seen));
            } else {
                drop(watched);
                self.epoll.remove(descriptor);
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

/// An end to read from, and one to write to.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, which are ours.
    unsafe {
        match libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) {
            0 => Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
