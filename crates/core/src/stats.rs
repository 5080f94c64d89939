//! What an interpreter has done: counted by the one thread that runs in it, read by any.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::code_cache::CodeCache;

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
}

#[derive(Default)]
pub(crate) struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    #[inline]
    pub(crate) fn hit(&self) {
        add_one(&self.hits);
    }

    pub(crate) fn miss(&self, code: &CodeCache) {
        add_one(&self.misses);
        self.entries.store(code.len() as u64, Ordering::Relaxed);
        self.bytes.store(code.bytes() as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            code_cache_hits: self.hits.load(Ordering::Relaxed),
            code_cache_misses: self.misses.load(Ordering::Relaxed),
            code_cache_entries: self.entries.load(Ordering::Relaxed),
            code_cache_bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// There is one writer at a time, the holder of the claim: a plain addition will do.
#[inline]
fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
