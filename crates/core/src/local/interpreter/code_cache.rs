//! Compiled code, kept by an interpreter for the strings that it has run.
//!
//! The key is the whole source, what it is and the file name, so a hit is exactly what a compile would give:
//! code objects don't change. Least recently used out first. Its sources also serve the tracebacks
//! of functions that earlier strings have defined, and scripts that ask for them.
//!
//! What is always in line here: without it a run takes 30 instructions more.

use std::collections::HashMap;
use std::ffi::CStr;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use crate::data::config::CacheLimits;
use crate::data::source::Source;
use crate::local::python::object::Object;

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    Program,
    Expression,
}

/// From this size on, a program is compared before its length is known.
const LARGE: usize = 1024;

struct Entry<T> {
    hash: u64,
    mode: Mode,
    /// With a NUL at its end, so that an empty one has an address, too: comparing with the dangling
    /// one of an empty `Box` costs 75 ns (a masked load that faults).
    source: Box<[u8]>,
    /// What the host called it; `None`: it left that to us.
    asked: Option<Box<str>>,
    /// What tracebacks call it.
    filename: Box<str>,
    code: T,
    used: u64,
}

/// For keys that are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a hash is a u64");
    }
}

/// A cache of code objects. `T` is an [`Object`], but for the tests.
pub(crate) struct CodeCache<T = Object> {
    limits: CacheLimits,
    hasher: RandomState,
    entries: Vec<Entry<T>>,
    /// Where the entries of each hash are in `entries`.
    index: HashMap<u64, Vec<usize>, BuildHasherDefault<Hashed>>,
    bytes: usize,
    clock: u64,
    /// The entry that was used last: asked first, for the host that runs one string again and again.
    last: usize,
}

impl<T> CodeCache<T> {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            hasher: RandomState::new(),
            entries: Vec::new(),
            index: HashMap::default(),
            bytes: 0,
            clock: 0,
            last: 0,
        }
    }

    /// It is empty, and has these limits from now on.
    pub(crate) fn set_limits(&mut self, limits: CacheLimits) {
        match self.entries.is_empty() {
            true => self.limits = limits,
            false => *self = Self::new(limits),
        }
    }

    /// The code of `source` under the name that the host gave it.
    #[inline(always)]
    pub(crate) fn get(&mut self, mode: Mode, asked: Option<&str>, source: &[u8]) -> Option<&T> {
        let last = self.entries.get(self.last);
        if !last.is_some_and(|entry| entry.is(mode, asked, source)) {
            self.look_up(mode, asked, source)?;
        }
        Some(&self.entries[self.last].code)
    }

    /// The code of a large program without a name, if it was used last. (Of a small one, finding its end and then comparing
    /// it takes less.)
    #[inline]
    pub(crate) fn last_large(&self, program: &impl Source) -> Option<&T> {
        let last = self.entries.get(self.last)?;
        if last.source.len() < LARGE {
            return None;
        }
        // SAFETY: it ends in a NUL, and has no other one: it would not have compiled.
        let text = unsafe { CStr::from_bytes_with_nul_unchecked(&last.source) };
        let is_it = last.mode == Mode::Program && last.asked.is_none() && program.is(text);
        is_it.then_some(&last.code)
    }

    /// Makes it the last one that was used.
    fn look_up(&mut self, mode: Mode, asked: Option<&str>, source: &[u8]) -> Option<()> {
        let hash = self.hash(mode, asked, source);
        let mut alike = self.index.get(&hash)?.iter();
        let position = *alike.find(|at| self.entries[**at].is(mode, asked, source))?;
        let entry = &mut self.entries[position];
        self.last = position;
        self.clock += 1;
        entry.used = self.clock;
        Some(())
    }

    /// Keeps `code`. What has to go for it comes back, for the caller to drop; `code` itself comes
    /// back if it is larger than the whole cache.
    pub(crate) fn insert(
        &mut self,
        mode: Mode,
        asked: Option<&str>,
        filename: &str,
        source: &[u8],
        code: T,
    ) -> Vec<T> {
        if self.limits.entries == 0 || source.len() > self.limits.bytes {
            return vec![code];
        }
        let mut out = Vec::new();
        if self.look_up(mode, asked, source).is_some() {
            out.push(self.remove(self.last));
        }
        while self.entries.len() >= self.limits.entries
            || self.bytes + source.len() > self.limits.bytes
        {
            let oldest = (0..self.entries.len()).min_by_key(|i| self.entries[*i].used);
            let Some(oldest) = oldest else { break };
            out.push(self.remove(oldest));
        }
        self.clock += 1;
        self.bytes += source.len();
        self.last = self.entries.len();
        let hash = self.hash(mode, asked, source);
        self.index.entry(hash).or_default().push(self.last);
        self.entries.push(Entry {
            hash,
            mode,
            source: [source, b"\0"].concat().into(),
            asked: asked.map(Into::into),
            filename: filename.into(),
            code,
            used: self.clock,
        });
        out
    }

    /// The source that tracebacks call `filename`, with a line's end at its end: of several, the one used last.
    pub(crate) fn source(&self, filename: &str) -> Option<String> {
        let named = self.entries.iter().filter(|e| *e.filename == *filename);
        let latest = named.max_by_key(|e| e.used)?;
        std::str::from_utf8(latest.source()).ok().map(whole_lines)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The size of their sources.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn remove(&mut self, position: usize) -> T {
        let entry = self.entries.swap_remove(position);
        let moved = self.entries.len();
        if let Some(alike) = self.index.get_mut(&entry.hash) {
            alike.retain(|at| *at != position);
            if alike.is_empty() {
                self.index.remove(&entry.hash);
            }
        }
        if let Some(entry) = self.entries.get(position) {
            let alike = self.index.entry(entry.hash).or_default();
            alike.retain(|at| *at != moved);
            alike.push(position);
        }
        self.bytes -= entry.source().len();
        entry.code
    }

    /// Of a large source only its length, its start and its end: hashing all of it takes ten times as long as
    /// comparing it, which has to be done anyway.
    fn hash(&self, mode: Mode, asked: Option<&str>, source: &[u8]) -> u64 {
        const PART: usize = 64;
        let length = source.len();
        if length <= 2 * PART {
            return self.hasher.hash_one((mode, asked, source));
        }
        let ends = (length, &source[..PART], &source[length - PART..]);
        self.hasher.hash_one((mode, asked, ends))
    }
}

/// A source as `linecache` has one: without a byte order mark, and with a line's end at its end.
pub(crate) fn whole_lines(source: &str) -> String {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let end = if source.ends_with(['\n', '\r']) {
        ""
    } else {
        "\n"
    };
    [source, end].concat()
}

impl<T> Entry<T> {
    #[inline]
    fn source(&self) -> &[u8] {
        &self.source[..self.source.len() - 1]
    }

    #[inline]
    fn is(&self, mode: Mode, asked: Option<&str>, source: &[u8]) -> bool {
        self.source() == source && self.mode == mode && self.asked.as_deref() == asked
    }
}

#[cfg(test)]
mod tests {
    use super::Mode::{Expression, Program};
    use super::*;

    fn cache(entries: usize, bytes: usize) -> CodeCache<u32> {
        CodeCache::new(CacheLimits { entries, bytes })
    }

    #[test]
    fn hits_need_the_same_source_and_name() {
        let mut cache = cache(8, 100);
        assert!(
            cache
                .insert(Program, None, "<string>", b"x=1", 1)
                .is_empty()
        );
        assert!(
            cache
                .insert(Program, Some("a.py"), "a.py", b"x=1", 2)
                .is_empty()
        );
        assert_eq!(cache.get(Program, None, b"x=1"), Some(&1));
        assert_eq!(cache.get(Program, Some("a.py"), b"x=1"), Some(&2));
        assert_eq!(cache.get(Program, Some("b.py"), b"x=1"), None);
        assert_eq!(cache.get(Program, None, b"x=2"), None);
        assert_eq!(cache.get(Expression, None, b"x=1"), None);
        assert_eq!(cache.source("a.py").as_deref(), Some("x=1\n"));
        assert_eq!(cache.source("b.py"), None);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = cache(2, 100);
        cache.insert(Program, None, "1", b"a", 1);
        cache.insert(Program, None, "2", b"b", 2);
        assert_eq!(cache.get(Program, None, b"a"), Some(&1));
        assert_eq!(cache.insert(Program, None, "3", b"c", 3), [2]);
        assert_eq!(cache.get(Program, None, b"b"), None);
        assert_eq!(cache.get(Program, None, b"a"), Some(&1));
        assert_eq!(cache.get(Program, None, b"c"), Some(&3));
    }

    #[test]
    fn bytes_are_bounded() {
        let mut cache = cache(10, 4);
        cache.insert(Program, None, "1", b"aa", 1);
        cache.insert(Program, None, "2", b"bb", 2);
        assert_eq!(cache.insert(Program, None, "3", b"ccc", 3), [1, 2]);
        assert_eq!(
            cache.insert(Program, None, "4", b"ddddd", 4),
            [4],
            "larger than all"
        );
        assert_eq!(cache.get(Program, None, b"ccc"), Some(&3));
    }

    #[test]
    fn large_ones_that_differ_in_the_middle_are_kept_side_by_side() {
        let sources: Vec<_> = (0..9).map(|i| format!("{:200}{i}{:200}", "", "")).collect();
        let mut cache = cache(8, 10_000);
        for (i, source) in (0..).zip(&sources) {
            cache.insert(Program, None, "", source.as_bytes(), i);
        }
        assert_eq!(cache.get(Program, None, sources[0].as_bytes()), None);
        for (i, source) in (0..).zip(&sources).skip(1) {
            assert_eq!(cache.get(Program, None, source.as_bytes()), Some(&i));
        }
        assert_eq!(cache.len(), 8);
    }

    #[test]
    fn the_last_large_one_is_found_without_its_length() {
        struct Text(String);
        impl Source for Text {
            fn is(&self, text: &CStr) -> bool {
                text.to_bytes() == self.text()
            }

            fn text(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }
        let large = Text(format!("{:LARGE$}", "x=1"));
        let other = format!("{:LARGE$}", "x=10");
        let (text, other) = (large.text(), other.as_bytes());
        let mut cache = cache(8, 100_000);
        let last = |cache: &CodeCache<u32>| cache.last_large(&large).copied();
        assert_eq!(last(&cache), None);
        cache.insert(Program, None, "", text, 1);
        assert_eq!(last(&cache), Some(1));
        for (mode, asked, source) in [
            (Program, None, other),
            (Program, None, &text[1..]),
            (Program, Some("a.py"), text),
            (Expression, None, text),
        ] {
            cache.insert(mode, asked, "", source, 2);
            assert_eq!(last(&cache), None);
        }
    }

    #[test]
    fn no_entries_is_off() {
        let mut cache = cache(0, 100);
        assert_eq!(cache.insert(Program, None, "1", b"a", 1), [1]);
        assert_eq!(cache.get(Program, None, b"a"), None);
    }
}
