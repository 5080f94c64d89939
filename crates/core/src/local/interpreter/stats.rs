//! What an interpreter has done: counted by the one thread that runs in it, read by any.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What an interpreter has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs that found their code compiled.
    pub code_cache_hits: u64,
    /// Runs that had to compile it, and could.
    pub code_cache_misses: u64,
    /// Strings whose code is kept now.
    pub code_cache_entries: u64,
    /// The size of their sources in bytes.
    pub code_cache_bytes: u64,
    /// How long the last run took that was measured.
    pub last_wall: Duration,
    /// How much CPU time its thread took for it.
    pub last_cpu: Duration,
}

#[derive(Default)]
pub(crate) struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
    wall: AtomicU64,
    cpu: AtomicU64,
}

impl Counters {
    #[inline]
    pub(crate) fn hit(&self) {
        add_one(&self.hits);
    }

    /// `entries` and `bytes`: what is kept now.
    pub(crate) fn miss(&self, entries: usize, bytes: usize) {
        add_one(&self.misses);
        self.entries.store(entries as u64, Ordering::Relaxed);
        self.bytes.store(bytes as u64, Ordering::Relaxed);
    }

    /// Does `run`, and measures it.
    pub(crate) fn measure<T>(&self, run: impl FnOnce() -> T) -> T {
        let cpu_time = || time_of(libc::CLOCK_THREAD_CPUTIME_ID);
        let (wall, cpu) = (Instant::now(), cpu_time());
        let result = run();
        self.wall
            .store(wall.elapsed().as_nanos() as u64, Ordering::Relaxed);
        self.cpu
            .store((cpu_time() - cpu).as_nanos() as u64, Ordering::Relaxed);
        result
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            code_cache_hits: self.hits.load(Ordering::Relaxed),
            code_cache_misses: self.misses.load(Ordering::Relaxed),
            code_cache_entries: self.entries.load(Ordering::Relaxed),
            code_cache_bytes: self.bytes.load(Ordering::Relaxed),
            last_wall: Duration::from_nanos(self.wall.load(Ordering::Relaxed)),
            last_cpu: Duration::from_nanos(self.cpu.load(Ordering::Relaxed)),
        }
    }
}

/// The time of a clock of the system.
pub(crate) fn time_of(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a place for the result.
    unsafe { libc::clock_gettime(clock, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// There is one writer at a time, the holder of the claim: a plain addition will do.
#[inline]
fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
