//! The process's environment, changed so that C code may read it meanwhile, in any thread and without a lock: no
//! block and no string that was ever part of it is moved or freed. Each string is kept once, as the C library
//! keeps them; blocks grow by doubling, so those that are left behind take no more than the last one.

use std::collections::HashSet;
use std::ffi::{CStr, CString, c_char};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

unsafe extern "C" {
    static environ: AtomicPtr<AtomicPtr<c_char>>;
}

/// What we have made of the environment.
struct Ours {
    /// The last block that we made, as an address, and for how many strings it has room, its NULL included.
    block: usize,
    room: usize,
    strings: Option<HashSet<&'static CStr>>,
}

/// Held to change the environment. Nobody waits for anything meanwhile.
static OURS: Mutex<Ours> = Mutex::new(Ours {
    block: 0,
    room: 0,
    strings: None,
});

/// A variable's value.
pub(super) fn get(name: &CStr) -> Option<CString> {
    // SAFETY: a C string; what is found is copied at once. The host promises not to change the environment in C
    // meanwhile, as for every `getenv`.
    unsafe {
        let value = libc::getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_owned())
    }
}

/// Changes a variable, or removes it. `name` is not empty and has no `=`.
pub(super) fn set(name: &CStr, value: Option<&CStr>) {
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the environment is a block of strings that ends in a NULL, or there is none. It is changed by us alone:
    // we hold the lock, and the host promises not to change it in C meanwhile.
    unsafe {
        let block = Block::now();
        let place = block.find(name);
        let Some(value) = value else {
            block.remove(name);
            return;
        };
        let text = ours.keep(name, value);
        match place {
            Some(place) => block.at(place).store(text, Ordering::Release),
            None => ours.with_room(block).append(text),
        }
    }
}

impl Ours {
    /// `name=value`, as a string that stays.
    fn keep(&mut self, name: &CStr, value: &CStr) -> *mut c_char {
        let strings = self.strings.get_or_insert_default();
        let text = [name.to_bytes(), b"=", value.to_bytes_with_nul()].concat();
        let text = CString::from_vec_with_nul(text).unwrap_or_default();
        let kept = match strings.get(text.as_c_str()) {
            Some(kept) => kept,
            None => {
                let kept: &'static CStr = Box::leak(text.into_boxed_c_str());
                strings.insert(kept);
                kept
            }
        };
        kept.as_ptr().cast_mut()
    }

    /// The block, if it has room for one more string; else a larger copy, which is the environment from now on.
    ///
    /// # Safety
    /// `block` is the environment.
    unsafe fn with_room(&mut self, block: Block) -> Block {
        // SAFETY: the caller's promise; the copy is larger.
        unsafe {
            let length = block.length();
            if self.block == block.0 as usize && length + 2 <= self.room {
                return block;
            }
            self.room = (2 * length).max(64);
            let strings = (0..self.room).map(|place| match place < length {
                true => AtomicPtr::new(block.at(place).load(Ordering::Relaxed)),
                false => AtomicPtr::new(null_mut()),
            });
            let copy: &'static mut [_] = Box::leak(strings.collect());
            self.block = copy.as_ptr() as usize;
            environ.store(copy.as_mut_ptr(), Ordering::Release);
            Block(copy.as_ptr())
        }
    }
}

/// The block of strings that is the environment; NULL: there are none.
#[derive(Clone, Copy)]
struct Block(*const AtomicPtr<c_char>);

impl Block {
    /// # Safety
    /// As for each of its functions: it is the environment as long as it is used, and changed by nobody else.
    unsafe fn now() -> Self {
        // SAFETY: a variable of the C library.
        Self(unsafe { environ.load(Ordering::Acquire) })
    }

    unsafe fn at(&self, place: usize) -> &AtomicPtr<c_char> {
        // SAFETY: the caller's promise: not past the NULL at its end, or in the room behind it.
        unsafe { &*self.0.add(place) }
    }

    unsafe fn length(&self) -> usize {
        if self.0.is_null() {
            return 0;
        }
        // SAFETY: it ends in a NULL.
        let is_string =
            |place: &usize| unsafe { !self.at(*place).load(Ordering::Relaxed).is_null() };
        (0..).take_while(is_string).count()
    }

    unsafe fn find(&self, name: &CStr) -> Option<usize> {
        let length = name.count_bytes();
        // SAFETY: strings, each with a NUL at its end.
        let is_it = |place: &usize| unsafe {
            let text = self.at(*place).load(Ordering::Relaxed);
            libc::strncmp(text, name.as_ptr(), length) == 0 && *text.add(length) == b'=' as c_char
        };
        // SAFETY: the caller's promise.
        (0..unsafe { self.length() }).find(is_it)
    }

    /// Moves what comes behind a variable, one by one, over it, as the C library does.
    unsafe fn remove(&self, name: &CStr) {
        // SAFETY: places up to the NULL.
        unsafe {
            while let Some(found) = self.find(name) {
                for place in found..self.length() {
                    let next = self.at(place + 1).load(Ordering::Relaxed);
                    self.at(place).store(next, Ordering::Release);
                }
            }
        }
    }

    /// # Safety
    /// There is room for it and for a NULL.
    unsafe fn append(&self, text: *mut c_char) {
        // SAFETY: the caller's promise. Who reads meanwhile finds a NULL behind the last string.
        unsafe {
            let length = self.length();
            self.at(length + 1).store(null_mut(), Ordering::Release);
            self.at(length).store(text, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::{Block, get, set};

    #[test]
    fn variables_are_changed_and_blocks_stay_as_they_were() {
        // SAFETY: no other test changes the environment.
        let (block, length) = unsafe { (Block::now(), |block: Block| block.length()) };
        let before = length(block);
        // SAFETY: as above.
        let now = || length(unsafe { Block::now() });
        let names: Vec<_> = (0..200)
            .map(|i| CString::new(format!("SUBPY_TEST_{i}")).unwrap())
            .collect();
        for name in &names {
            set(name, Some(c"first"));
            set(name, Some(c"second=="));
            assert_eq!(get(name).as_deref(), Some(c"second=="));
        }
        assert_eq!((length(block), now()), (before, before + 200));
        for name in &names {
            set(name, None);
            assert_eq!(get(name), None);
        }
        assert_eq!((now(), get(c"SUBPY_TEST_")), (before, None));
    }
}
