//! Leads all calls of a function to another one: its first instructions become a jump. They are kept in a copy, from
//! which the function goes on, so that ours can call it as it was.
//!
//! A changed copy of the function's page is moved over it by one call of the system. So nothing has changed where the
//! system lets no memory become executable: SELinux, `PR_SET_MDWE`, systemd's `MemoryDenyWriteExecute`.

#[cfg(any(target_arch = "aarch64", test))]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::ffi::c_void;
use std::io;
use std::ptr::null_mut;
use std::slice::from_raw_parts;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(target_arch = "aarch64")]
use self::aarch64 as machine;
#[cfg(target_arch = "x86_64")]
use self::x86_64 as machine;

/// Calls of `function` come to `ours` from now on. `original` is what can be called as `function` was; it is set before
/// the first call comes. Fails where code can't be changed, or where it is not understood: nothing has changed then.
///
/// # Safety
/// Both are functions of the same type, and stay loaded. No other thread is in `function`.
pub(crate) unsafe fn lead(
    function: *const c_void,
    ours: *const c_void,
    original: &AtomicUsize,
) -> io::Result<()> {
    // SAFETY: the code of a function that stays; what is made is new memory; the page is the function's.
    unsafe {
        let code = code_of(function)?;
        let landing = machine::landing(code);
        let start = function as usize + landing;
        let pages = Pages::near(start)?;
        let at = pages.0 as usize;
        let moved = machine::moved(&code[landing..], start, at).ok_or_else(not_understood)?;
        let to_ours = at + moved.len();
        let jump = machine::jump(start, to_ours).ok_or_else(not_understood)?;
        pages.write(&[moved, machine::far_jump(ours as usize)].concat())?;
        original.store(at, Ordering::Release);
        overwrite(start, &jump)?;
        std::mem::forget(pages);
        Ok(())
    }
}

fn not_understood() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "the function's code is not understood",
    )
}

/// What the symbol of a function spans.
///
/// # Safety
/// The code of a function that stays.
unsafe fn code_of(function: *const c_void) -> io::Result<&'static [u8]> {
    /// `RTLD_DL_SYMENT`: `dladdr1` hands out the symbol.
    const SYMBOL: i32 = 1;
    unsafe extern "C" {
        fn dladdr1(
            address: *const c_void,
            info: *mut libc::Dl_info,
            extra: *mut *mut c_void,
            flags: i32,
        ) -> i32;
    }
    // SAFETY: places for the results; the symbol is the loader's.
    unsafe {
        let mut info = std::mem::zeroed();
        let mut symbol = null_mut();
        if dladdr1(function, &mut info, &mut symbol, SYMBOL) == 0
            || symbol.is_null()
            || info.dli_saddr.cast_const() != function
        {
            return Err(not_understood());
        }
        let size = (*symbol.cast::<libc::Elf64_Sym>()).st_size as usize;
        Ok(from_raw_parts(function.cast(), size))
    }
}

fn page_size() -> usize {
    // SAFETY: only asks.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// New memory. Given back when this is dropped.
struct Pages(*mut c_void, usize);

impl Pages {
    fn map(at: *mut c_void, size: usize, flags: i32) -> io::Result<Self> {
        let writable = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | flags;
        // SAFETY: new memory, in nobody's place.
        match unsafe { libc::mmap(at, size, writable, flags, -1, 0) } {
            libc::MAP_FAILED => Err(io::Error::last_os_error()),
            memory => Ok(Self(memory, size)),
        }
    }

    /// A page that a jump from there reaches.
    fn near(address: usize) -> io::Result<Self> {
        const STEP: usize = 1 << 20;
        let (here, size) = (address & !(STEP - 1), page_size());
        for distance in (STEP..machine::REACH).step_by(STEP) {
            for place in [here.checked_sub(distance), here.checked_add(distance)] {
                let Some(place) = place else { continue };
                let at = std::ptr::with_exposed_provenance_mut(place);
                match Self::map(at, size, libc::MAP_FIXED_NOREPLACE) {
                    // Before Linux 4.17 it may be somewhere else.
                    Ok(page) if page.0 == at => return Ok(page),
                    Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => return Err(error),
                    _ => {}
                }
            }
        }
        Err(io::ErrorKind::AddrNotAvailable.into())
    }

    /// Its bytes are these, and can be executed.
    fn write(&self, code: &[u8]) -> io::Result<()> {
        assert!(code.len() <= self.1);
        // SAFETY: ours, and large enough.
        unsafe {
            self.0
                .cast::<u8>()
                .copy_from_nonoverlapping(code.as_ptr(), code.len());
            if libc::mprotect(self.0, self.1, libc::PROT_READ | libc::PROT_EXEC) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        clear_cache(self.0 as usize, self.1);
        Ok(())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { libc::munmap(self.0, self.1) };
    }
}

/// # Safety
/// Code that stays, and that no other thread is in.
unsafe fn overwrite(address: usize, bytes: &[u8]) -> io::Result<()> {
    let size = page_size();
    let start = address & !(size - 1);
    let length = (address + bytes.len() - start).next_multiple_of(size);
    let pages = Pages::map(null_mut(), length, 0)?;
    // SAFETY: pages of code can be read; the others take their place.
    unsafe {
        let mut changed = from_raw_parts(start as *const u8, length).to_vec();
        changed[address - start..][..bytes.len()].copy_from_slice(bytes);
        pages.write(&changed)?;
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        if libc::mremap(pages.0, length, length, flags, start as *mut c_void) == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
    }
    std::mem::forget(pages);
    clear_cache(start, length);
    Ok(())
}

/// Code that was written is what is executed.
fn clear_cache(start: usize, length: usize) {
    #[cfg(target_arch = "aarch64")]
    {
        unsafe extern "C" {
            fn __clear_cache(start: *mut c_void, end: *mut c_void);
        }
        // SAFETY: memory that is mapped.
        unsafe { __clear_cache(start as *mut c_void, (start + length) as *mut c_void) };
    }
    #[cfg(not(target_arch = "aarch64"))]
    let _ = (start, length);
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::ffi::{c_char, c_long};

    type Function = unsafe extern "C" fn(*const c_char) -> c_long;

    static ORIGINAL: AtomicUsize = AtomicUsize::new(0);

    unsafe extern "C" fn doubled(text: *const c_char) -> c_long {
        // SAFETY: a function of this type, as `lead` has it.
        unsafe {
            let original: Function = std::mem::transmute(ORIGINAL.load(Ordering::Acquire));
            original(text) * 2
        }
    }

    #[test]
    fn calls_are_led_and_the_original_can_be_called() {
        // SAFETY: a function of the C library, of this type, that no other thread of this process calls.
        unsafe {
            let function = libc::dlsym(libc::RTLD_DEFAULT, c"a64l".as_ptr());
            let a64l: Function = std::mem::transmute(function);
            assert_eq!(a64l(c"z".as_ptr()), 63);
            lead(function, doubled as *const c_void, &ORIGINAL).unwrap();
            assert_eq!(a64l(c"z".as_ptr()), 126);
        }
    }
}
