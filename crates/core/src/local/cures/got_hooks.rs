//! Leads calls of the C library that a shared library makes to other functions: in the table (GOT) through which it
//! calls them. Nothing else of it is changed, and no other library's calls.

use std::ffi::{CStr, c_int, c_void};
use std::slice::from_raw_parts;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use libc::{Elf64_Phdr, Elf64_Sym, dl_phdr_info};

/// By what name a library knows a function, and the address of ours.
pub(crate) type Replaced = (&'static CStr, *mut c_void);

/// An entry of the dynamic section: a tag, and a number or an address.
#[repr(C)]
struct Dynamic {
    tag: i64,
    value: usize,
}

/// An entry of a table of relocations.
#[repr(C)]
struct Relocation {
    offset: usize,
    info: u64,
    addend: i64,
}

const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_JMPREL: i64 = 23;

/// The kinds of relocations that stand for the address of a function: GLOB_DAT and JUMP_SLOT.
#[cfg(target_arch = "x86_64")]
const OF_FUNCTIONS: [u64; 2] = [6, 7];
#[cfg(not(target_arch = "x86_64"))]
const OF_FUNCTIONS: [u64; 2] = [1025, 1026];

/// Calls may be led: subpy has started Python.
static ALLOWED: AtomicBool = AtomicBool::new(false);

/// Calls may be led from now on. To be called by who has started Python, and by nobody who has joined the host's.
pub(crate) fn allow() {
    ALLOWED.store(true, Ordering::Relaxed);
}

/// Does `work` with an extension module that is loaded from this file: its library, as `dlsym` knows it, and an address
/// inside of it. Nothing happens if there is no such library.
pub(crate) fn with_module(file: &CStr, name: &CStr, work: impl FnOnce(*mut c_void, *const c_void)) {
    let function = [b"PyInit_", name.to_bytes_with_nul()].concat();
    // SAFETY: nothing is loaded: a handle of a library that Python keeps loaded; C strings.
    unsafe {
        let library = libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD);
        if library.is_null() {
            return;
        }
        let function = libc::dlsym(library, function.as_ptr().cast());
        if !function.is_null() {
            work(library, function);
        }
        libc::dlclose(library);
    }
}

struct Wanted<'a> {
    /// An address inside of the library.
    inside: usize,
    replaced: &'a [Replaced],
    led: bool,
}

/// Leads these calls of the library that has this address, where that is allowed. Says whether there were any.
pub(crate) fn lead(inside: *const c_void, replaced: &[Replaced]) -> bool {
    if !ALLOWED.load(Ordering::Relaxed) {
        return false;
    }
    let mut wanted = Wanted {
        inside: inside as usize,
        replaced,
        led: false,
    };
    // SAFETY: called back before it returns, with the address of what `lead_in` expects.
    unsafe { libc::dl_iterate_phdr(Some(lead_in), (&raw mut wanted).cast()) };
    wanted.led
}

/// Leads the calls of the library, if it is the one that is wanted. 1: it was.
unsafe extern "C" fn lead_in(
    library: *mut dl_phdr_info,
    _size: libc::size_t,
    wanted: *mut c_void,
) -> c_int {
    // SAFETY: called by `dl_iterate_phdr` with a library that is loaded, and with what `lead` hands over.
    unsafe {
        let (library, wanted) = (&*library, &mut *wanted.cast::<Wanted>());
        let base = library.dlpi_addr as usize;
        let headers = from_raw_parts(library.dlpi_phdr, library.dlpi_phnum.into());
        let covers = |header: &Elf64_Phdr, address: usize| {
            let start = base + header.p_vaddr as usize;
            (start..start + header.p_memsz as usize).contains(&address)
        };
        let of_kind = |kind| headers.iter().filter(move |header| header.p_type == kind);
        if !of_kind(libc::PT_LOAD).any(|header| covers(header, wanted.inside)) {
            return 0;
        }
        let is_read_only = |slot| of_kind(libc::PT_GNU_RELRO).any(|header| covers(header, slot));
        if let Some(dynamic) = of_kind(libc::PT_DYNAMIC).next() {
            let start = (base + dynamic.p_vaddr as usize) as *const Dynamic;
            let entry = |tag| {
                let mut at = start;
                while (*at).tag != 0 {
                    if (*at).tag == tag {
                        return (*at).value;
                    }
                    at = at.add(1);
                }
                0
            };
            // The loader has made addresses of them, on most systems.
            let table = |tag| match entry(tag) {
                0 => 0,
                address if address < base => address + base,
                address => address,
            };
            let (symbols, strings) = (table(DT_SYMTAB) as *const Elf64_Sym, table(DT_STRTAB));
            for (at, size) in [(DT_JMPREL, DT_PLTRELSZ), (DT_RELA, DT_RELASZ)] {
                let (at, count) = (table(at), entry(size) / size_of::<Relocation>());
                if at == 0 || symbols.is_null() || strings == 0 {
                    continue;
                }
                for relocation in from_raw_parts(at as *const Relocation, count) {
                    if !OF_FUNCTIONS.contains(&(relocation.info & 0xffff_ffff)) {
                        continue;
                    }
                    let symbol = &*symbols.add((relocation.info >> 32) as usize);
                    let name = CStr::from_ptr((strings + symbol.st_name as usize) as *const _);
                    let ours = wanted.replaced.iter().find(|(its, _)| *its == name);
                    if let Some((_, ours)) = ours {
                        let slot = base + relocation.offset;
                        write(slot, *ours, is_read_only(slot));
                        wanted.led = true;
                    }
                }
            }
        }
    }
    1
}

/// # Safety
/// `slot` is an entry of a table of addresses, of a library that stays. `read_only`: it is write-protected.
unsafe fn write(slot: usize, address: *mut c_void, read_only: bool) {
    // SAFETY: the caller's promise. Whoever calls meanwhile finds the one address or the other.
    unsafe {
        let page_size = libc::sysconf(libc::_SC_PAGESIZE) as usize;
        let page = (slot & !(page_size - 1)) as *mut c_void;
        let writable = libc::PROT_READ | libc::PROT_WRITE;
        if read_only && libc::mprotect(page, page_size, writable) != 0 {
            return;
        }
        (*(slot as *const AtomicPtr<c_void>)).store(address, Ordering::Release);
        if read_only {
            libc::mprotect(page, page_size, libc::PROT_READ);
        }
    }
}
