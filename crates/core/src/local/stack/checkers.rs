//! Tells those who check the memory of this process where its stacks are: AddressSanitizer, LeakSanitizer, valgrind.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::OnceLock;

use super::bounds::{Stack, here};

/// Another stack is gone to. First comes a place for what the sanitizer has of the one that is left; NULL: that is left
/// for good.
type StartSwitch = unsafe extern "C" fn(*mut *mut c_void, *const c_void, usize);
/// It is reached: with what the sanitizer has of it, and places for where the one is that was left.
type FinishSwitch = unsafe extern "C" fn(*mut c_void, *mut *const c_void, *mut usize);
/// There are pointers, or no more.
type Region = unsafe extern "C" fn(*const c_void, usize);

/// The functions of the sanitizer that is in the process, as `sanitizer/common_interface_defs.h` and
/// `sanitizer/lsan_interface.h` have them.
struct Sanitizer {
    switch: Option<(StartSwitch, FinishSwitch)>,
    regions: Option<(Region, Region)>,
}

impl Sanitizer {
    fn get() -> &'static Self {
        static FOUND: OnceLock<Sanitizer> = OnceLock::new();
        FOUND.get_or_init(|| {
            let find = |name: &CStr| {
                // SAFETY: a C string.
                let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
                (!symbol.is_null()).then_some(symbol)
            };
            let both = |a, b| find(a).zip(find(b));
            let switch = both(
                c"__sanitizer_start_switch_fiber",
                c"__sanitizer_finish_switch_fiber",
            );
            let regions = both(
                c"__lsan_register_root_region",
                c"__lsan_unregister_root_region",
            );
            // SAFETY: the symbols have these types.
            unsafe {
                Self {
                    switch: switch.map(|both| {
                        transmute::<(*mut c_void, *mut c_void), (StartSwitch, FinishSwitch)>(both)
                    }),
                    regions: regions.map(|both| {
                        transmute::<(*mut c_void, *mut c_void), (Region, Region)>(both)
                    }),
                }
            }
        })
    }
}

/// The calling thread goes to another stack and back: each function is to be called once, in their order.
pub(super) struct Switch {
    sanitizer: &'static Sanitizer,
    to: Stack,
    /// What is in use of the thread's own stack; of size 0 if the thread is on another one.
    left: (usize, usize),
    kept: Cell<*mut c_void>,
    from: Cell<(*const c_void, usize)>,
}

impl Switch {
    /// On the stack that is left.
    pub(super) fn begin(to: Stack, of_thread: Stack) -> Self {
        let here = here();
        let used = match of_thread.is_here() {
            true => of_thread.lowest + of_thread.size - here,
            false => 0,
        };
        let switch = Self {
            sanitizer: Sanitizer::get(),
            to,
            left: (here, used),
            kept: Cell::new(null_mut()),
            from: Cell::new((null_mut(), 0)),
        };
        switch.tell_regions(|(register, _)| register);
        if let Some((start, _)) = switch.sanitizer.switch {
            // SAFETY: as its header says.
            unsafe { start(switch.kept.as_ptr(), to.lowest as *const c_void, to.size) };
        }
        switch
    }

    /// On the other one.
    pub(super) fn arrived(&self) {
        if let Some((_, finish)) = self.sanitizer.switch {
            let (mut lowest, mut size) = self.from.get();
            // SAFETY: as its header says; it has nothing of a stack that nobody is on.
            unsafe { finish(null_mut(), &mut lowest, &mut size) };
            self.from.set((lowest, size));
        }
    }

    /// The last on the other one.
    pub(super) fn leave(&self) {
        if let Some((start, _)) = self.sanitizer.switch {
            let (lowest, size) = self.from.get();
            // SAFETY: as its header says.
            unsafe { start(null_mut(), lowest, size) };
        }
    }

    /// On the first one again.
    pub(super) fn end(self) {
        if let Some((_, finish)) = self.sanitizer.switch {
            // SAFETY: as its header says.
            unsafe { finish(self.kept.get(), null_mut(), null_mut()) };
        }
        self.tell_regions(|(_, unregister)| unregister);
    }

    fn tell_regions(&self, choose: impl Fn((Region, Region)) -> Region) {
        let Some(regions) = self.sanitizer.regions else {
            return;
        };
        for (lowest, size) in [(self.to.lowest, self.to.size), self.left] {
            if size > 0 {
                // SAFETY: as its header says: stacks that are there until the switch has ended.
                unsafe { choose(regions)(lowest as *const c_void, size) };
            }
        }
    }
}

/// A stack that valgrind knows.
pub(super) struct Registered(usize);

/// `VG_USERREQ__STACK_REGISTER` of `valgrind.h`: with the lowest address and the highest. The answer is a number.
const REGISTER: usize = 0x1501;
/// `VG_USERREQ__STACK_DEREGISTER`: with that number.
const DEREGISTER: usize = 0x1502;

impl Registered {
    pub(super) fn new(stack: Stack) -> Self {
        let highest = stack.lowest + stack.size - 1;
        Self(request([REGISTER, stack.lowest, highest, 0, 0, 0]))
    }

    pub(super) fn end(&self) {
        request([DEREGISTER, self.0, 0, 0, 0, 0]);
    }
}

/// Instructions that do nothing, and that valgrind takes for a request. 0: there is no valgrind.
#[cfg(target_arch = "x86_64")]
fn request(request: [usize; 6]) -> usize {
    let mut answer = 0_usize;
    // SAFETY: what it rotates is as it was at the end. Valgrind reads the request, and writes the answer.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

/// Instructions that do nothing, and that valgrind takes for a request. 0: there is no valgrind.
#[cfg(target_arch = "aarch64")]
fn request(request: [usize; 6]) -> usize {
    let mut answer = 0_usize;
    // SAFETY: what it rotates is as it was at the end. Valgrind reads the request, and writes the answer.
    unsafe {
        std::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") request.as_ptr(),
            inout("x3") answer,
            options(nostack),
        );
    }
    answer
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn request(_: [usize; 6]) -> usize {
    0
}
