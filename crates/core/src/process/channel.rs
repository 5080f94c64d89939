//! What a host and its worker share: two areas, one for each direction, and a word for each that counts what was put there.
//!
//! They take turns: one writes a message, the other one reads it and answers. A message that is larger than an area goes in
//! pieces. Who waits for the other one's word sleeps on it as a futex, and looks now and then whether the other one lives.
//!
//! The host's side believes nothing: it reads a length once, checks it, and copies so many bytes to memory of its own. What
//! the worker changes meanwhile is in the copy or not.

mod patience;

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::{NonNull, from_ref, null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use subpy_wire::{Malformed, Sink};

use self::patience::Patience;
pub(super) use self::patience::has_cores;
use super::message::Message;
use crate::local::interpreter::claim::Request;

/// An area, in bytes. What is touched of it is committed.
const AREA: usize = 256 << 10;
/// How long the host sleeps before it looks whether the worker lives: it is told when that ends, but a worker could have its
/// waiting thread wait for another word. A worker sleeps without an end, which is faster: it ends with its zygote, by a signal.
const LOOK: Duration = Duration::from_millis(10);
/// How long a worker's thread that waits for something to end sleeps.
const LONG_LOOK: Duration = Duration::from_secs(60);
/// More than a message can have: two values, and what is around them.
const LONGEST: usize = (2 << 30) + (16 << 20);

/// One direction.
#[repr(C, align(64))]
struct Direction {
    /// How many pieces were put there.
    pieces: AtomicU32,
    /// 1: the message goes on.
    goes_on: AtomicU32,
    /// How long the last one is.
    length: AtomicU64,
    /// 1: who waits for the next one sleeps.
    sleeps: AtomicU32,
    /// How many pieces were taken out.
    taken: AtomicU32,
}

#[repr(C)]
struct Shared {
    to_worker: Direction,
    to_host: Direction,
    /// How often something was to end.
    ends: AtomicU32,
    /// What was to end last: its number, which the host has given it, and why.
    to_end: AtomicU64,
}

/// The directions come first, with the first area in the same page: most messages are short.
const HEAD: usize = 256;
const _: () = assert!(size_of::<Shared>() <= HEAD);
/// What a worker that crashes says comes last.
const REPORT: usize = 64 << 10;
const REPORT_AT: usize = HEAD + 2 * AREA;
const SIZE: usize = REPORT_AT + REPORT;

/// Who somebody is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Host,
    Worker,
}

/// Why nothing was received.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The other one is gone.
    Gone,
    /// It does not keep to the rules.
    Malformed(Malformed),
}

impl From<Malformed> for Broken {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

fn wake(word: &AtomicU32) {
    // SAFETY: a word that is there; nothing is written.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}

/// Sleeps until it is woken, or for this time, if the word is this.
fn sleep_on(word: &AtomicU32, is: u32, time: Option<Duration>) {
    let time = time.map(|time| libc::timespec {
        tv_sec: time.as_secs() as _,
        tv_nsec: time.subsec_nanos().into(),
    });
    let time = time.as_ref().map_or(null(), from_ref);
    // SAFETY: a word that is there, and a time or none; nothing is written.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, is, time) };
}

/// The memory, as a process has it.
struct Memory {
    start: NonNull<u8>,
    /// The other side is gone: nothing more comes. The other side can't say so itself.
    closed: AtomicBool,
}

// SAFETY: nothing in it is of a thread.
unsafe impl Send for Memory {}
// SAFETY: a shared reference reaches atomics alone.
unsafe impl Sync for Memory {}

impl Memory {
    fn shared(&self) -> &Shared {
        // SAFETY: mapped as long as we are; only atomics, which start as zeros.
        unsafe { self.start.cast().as_ref() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: as it was mapped.
        unsafe { libc::munmap(self.start.as_ptr().cast(), SIZE) };
    }
}

/// What is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) number: u32,
    pub(super) why: Why,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The host interrupts it.
    Interrupt,
    /// What it is inside of is to end for that.
    Request(Request),
}

const REQUESTS: [Request; 4] = [
    Request::Interrupt,
    Request::Timeout,
    Request::Cpu,
    Request::Output,
];

impl End {
    fn to_word(self) -> u64 {
        let why = match self.why {
            Why::Interrupt => 0,
            Why::Request(why) => 1 + REQUESTS.iter().position(|one| *one == why).unwrap_or(0),
        };
        u64::from(self.number) << 8 | why as u64
    }

    fn of_word(word: u64) -> Self {
        let why = (word as u8).checked_sub(1).map(usize::from);
        let request = why.and_then(|why| REQUESTS.get(why));
        Self {
            number: (word >> 8) as u32,
            why: request.map_or(Why::Interrupt, |why| Why::Request(*why)),
        }
    }
}

/// What any thread may do with a channel, at any time.
#[derive(Clone)]
pub(super) struct Control(Arc<Memory>);

impl Control {
    /// Something that the host has asked for is to end.
    pub(super) fn end(&self, end: End) {
        let shared = self.0.shared();
        shared.to_end.store(end.to_word(), Ordering::Relaxed);
        shared.ends.fetch_add(1, Ordering::Release);
        wake(&shared.ends);
    }

    /// Waits until something was to end more often than so often, or for a minute. The answer is how often, and what.
    pub(super) fn wait_for_end(&self, seen: u32) -> (u32, End) {
        let shared = self.0.shared();
        if shared.ends.load(Ordering::Acquire) == seen {
            sleep_on(&shared.ends, seen, Some(LONG_LOOK));
        }
        let ends = shared.ends.load(Ordering::Acquire);
        (ends, End::of_word(shared.to_end.load(Ordering::Relaxed)))
    }

    /// What the worker has written before it crashed.
    pub(super) fn report(&self) -> String {
        let mut report = Vec::<u8>::with_capacity(REPORT);
        // SAFETY: inside of what is mapped, and to memory of our own; the bytes are copied before they are looked at.
        unsafe {
            let start = self.0.start.as_ptr().add(REPORT_AT);
            report.as_mut_ptr().copy_from_nonoverlapping(start, REPORT);
            report.set_len(REPORT);
        }
        let end = report.iter().position(|byte| *byte == 0);
        String::from_utf8_lossy(&report[..end.unwrap_or(REPORT)]).into_owned()
    }

    /// The worker is gone: who waits for it is told.
    pub(super) fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        wake(&self.0.shared().to_host.pieces);
    }
}

/// One side's end of it.
pub(super) struct Channel {
    memory: Arc<Memory>,
    side: Side,
    /// How many pieces have come.
    seen: u32,
    /// How many were sent.
    sent: u32,
    patience: Patience,
}

/// New memory for a channel, as a file that can't shrink. (A file that shrinks ends who touches what is gone.)
pub(super) fn create() -> io::Result<OwnedFd> {
    // SAFETY: a C string; a descriptor that is nobody else's.
    let file = unsafe {
        let file = libc::memfd_create(
            c"subpy channel".as_ptr(),
            libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING,
        );
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(file)
    };
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: of our own file.
    let failed = unsafe {
        libc::ftruncate(file.as_raw_fd(), SIZE as libc::off_t) != 0
            || libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) != 0
    };
    match failed {
        true => Err(io::Error::last_os_error()),
        false => Ok(file),
    }
}

impl Channel {
    /// An end of what [`create`] has made.
    pub(super) fn new(file: &OwnedFd, side: Side) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping.
        let memory = unsafe {
            let file = file.as_raw_fd();
            libc::mmap(null_mut(), SIZE, protection, libc::MAP_SHARED, file, 0)
        };
        match NonNull::new(memory.cast()) {
            Some(place) if memory != libc::MAP_FAILED => Ok(Self {
                memory: Arc::new(Memory {
                    start: place,
                    closed: AtomicBool::new(false),
                }),
                side,
                seen: 0,
                sent: 0,
                patience: Patience::new(),
            }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// What is written to this descriptor of a channel's file, the worker's own, is its [report](Control::report).
    pub(super) fn report_by(file: &OwnedFd, descriptor: RawFd) {
        // SAFETY: of our own file.
        unsafe {
            libc::lseek(file.as_raw_fd(), REPORT_AT as libc::off_t, libc::SEEK_SET);
            libc::dup2(file.as_raw_fd(), descriptor);
        }
    }

    /// What any thread may do with it.
    pub(super) fn control(&self) -> Control {
        Control(self.memory.clone())
    }

    /// The direction that we write to, or read from, and its area.
    fn direction(&self, writes: bool) -> (&Direction, *mut u8) {
        let is_to_worker = (self.side == Side::Host) == writes;
        let (direction, area) = match is_to_worker {
            true => (&self.memory.shared().to_worker, HEAD),
            false => (&self.memory.shared().to_host, HEAD + AREA),
        };
        (direction, self.memory.start.as_ptr().wrapping_add(area))
    }

    /// Begins a message.
    pub(super) fn send<'a>(&'a mut self, is_alive: &'a dyn Fn() -> bool) -> Sending<'a> {
        let (_, area) = self.direction(true);
        Sending {
            channel: self,
            is_alive,
            area,
            filled: 0,
            broken: None,
        }
    }

    /// Sends a message that fits into the area, while the other side does not look yet. Else false.
    pub(super) fn put_at_once(&mut self, message: &[u8]) -> bool {
        if message.len() > AREA {
            return false;
        }
        let mut sending = self.send(&|| true);
        sending.put(message);
        sending.finish().is_ok()
    }

    /// Whether the other side has taken what was sent last.
    pub(super) fn was_taken(&self) -> bool {
        let (direction, _) = self.direction(true);
        direction.taken.load(Ordering::Relaxed) == self.sent
    }

    /// Waits for a message.
    pub(super) fn receive(&mut self, is_alive: &dyn Fn() -> bool) -> Result<Message, Broken> {
        let mut message = Message::default();
        loop {
            self.wait(is_alive)?;
            let (direction, area) = self.direction(false);
            let length = direction.length.load(Ordering::Relaxed);
            let goes_on = direction.goes_on.load(Ordering::Relaxed) != 0;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > AREA || message.bytes().len() > LONGEST {
                return Err(Malformed("a piece of a message is past all limits").into());
            }
            // So there are no more of them than there is room for.
            if goes_on && length < AREA {
                return Err(Malformed("a piece that is not full goes on").into());
            }
            // SAFETY: inside of the area, which is mapped; another place in memory.
            message.append(length, |to| unsafe {
                to.copy_from_nonoverlapping(area, length)
            })?;
            direction.taken.store(self.seen, Ordering::Relaxed);
            if !goes_on {
                return Ok(message);
            }
            self.post(0, false);
        }
    }

    /// There is a piece.
    fn post(&mut self, length: usize, goes_on: bool) {
        self.sent = self.sent.wrapping_add(1);
        let (direction, _) = self.direction(true);
        direction.length.store(length as u64, Ordering::Relaxed);
        direction.goes_on.store(goes_on.into(), Ordering::Relaxed);
        direction.pieces.store(self.sent, Ordering::SeqCst);
        if direction.sleeps.load(Ordering::SeqCst) != 0 {
            wake(&direction.pieces);
        }
    }

    /// Waits for the next piece.
    fn wait(&mut self, is_alive: &dyn Fn() -> bool) -> Result<(), Broken> {
        let mut was_alive = true;
        let mut patience = Some(self.patience.begin());
        loop {
            let (direction, _) = self.direction(false);
            let pieces = direction.pieces.load(Ordering::SeqCst);
            if pieces != self.seen {
                self.seen = self.seen.wrapping_add(1);
                // They take turns. One that is gone would have pieces for ever if it could count ahead.
                if pieces != self.seen {
                    return Err(Malformed("pieces are counted wrongly").into());
                }
                if let Some(spinning) = patience {
                    self.patience.end(&spinning, true);
                }
                return Ok(());
            }
            // What it had put there before it went was read.
            if !was_alive {
                return Err(Broken::Gone);
            }
            if self.memory.closed.load(Ordering::Acquire) {
                was_alive = false;
                continue;
            }
            if let Some(spinning) = &mut patience {
                if spinning.goes_on() {
                    continue;
                }
                self.patience.end(spinning, false);
                patience = None;
            }
            let (direction, _) = self.direction(false);
            direction.sleeps.store(1, Ordering::SeqCst);
            let look = (self.side == Side::Host).then_some(LOOK);
            sleep_on(&direction.pieces, pieces, look);
            direction.sleeps.store(0, Ordering::Relaxed);
            // Who was woken by a message asks nothing.
            let has_come = direction.pieces.load(Ordering::SeqCst) != pieces;
            was_alive = has_come || is_alive();
        }
    }
}

/// A message that is being written.
pub(super) struct Sending<'a> {
    channel: &'a mut Channel,
    is_alive: &'a dyn Fn() -> bool,
    area: *mut u8,
    filled: usize,
    broken: Option<Broken>,
}

impl Sending<'_> {
    /// It is whole.
    pub(super) fn finish(self) -> Result<(), Broken> {
        match self.broken {
            Some(broken) => Err(broken),
            None => {
                self.channel.post(self.filled, false);
                Ok(())
            }
        }
    }

    /// There is room for it.
    #[inline]
    fn add(&mut self, piece: &[u8]) {
        debug_assert!(piece.len() <= AREA - self.filled);
        // SAFETY: inside of the area, which is mapped, and is ours to write until it is handed over.
        unsafe {
            let place = self.area.add(self.filled);
            place.copy_from_nonoverlapping(piece.as_ptr(), piece.len());
        }
        self.filled += piece.len();
    }

    #[cold]
    fn put_in_pieces(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && self.broken.is_none() {
            if self.filled == AREA
                && let Err(broken) = self.hand_over()
            {
                self.broken = Some(broken);
                return;
            }
            let (now, later) = piece.split_at(piece.len().min(AREA - self.filled));
            self.add(now);
            piece = later;
        }
    }

    /// Hands over what there is; the other one says when it has it.
    fn hand_over(&mut self) -> Result<(), Broken> {
        self.channel.post(self.filled, true);
        self.filled = 0;
        self.channel.wait(self.is_alive)
    }
}

impl Sink for Sending<'_> {
    #[inline]
    fn put(&mut self, piece: &[u8]) {
        match piece.len() <= AREA - self.filled {
            true => self.add(piece),
            false => self.put_in_pieces(piece),
        }
    }
}

#[cfg(test)]
mod tests;
