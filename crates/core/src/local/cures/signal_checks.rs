//! Defect: CPython looks for signals in the main thread of the main interpreter alone. Elsewhere a call of the system that
//! a signal has interrupted is made again, and goes on waiting; and a computation in C that looks for signals now and
//! then (a regular expression, arithmetic of large ints) finds none. So nothing ends it.
//!
//! Has it: every version.
//!
//! Cure: where CPython looks, by `PyErr_CheckSignals`, or for locks by `Py_MakePendingCalls` or what that calls (3.12 and
//! later), a function of ours is called first: see [`code_hooks`]. It raises for a thread that was
//! [told](crate::local::thread::wake) that its run is to end, and else goes on to CPython's. Code is changed only in a Python that subpy has started, before another thread can be
//! in it, and not if the host forbids it. A test tells whether it works with the Python that is loaded, which may be built
//! in ways that we have not seen.

use std::ffi::{c_int, c_long, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use super::code_hooks;
use crate::local::attach::{Attached, Current};
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::exception::{KEYBOARD_INTERRUPT, SYSTEM_EXIT};
use crate::local::python::object::clear_exception;
use crate::local::thread::calling_thread;
use crate::local::thread::entry::Entry;
use crate::local::thread::wait_signal;
use crate::local::thread::wake::Wake;
use crate::util::thread::{Thread, this_thread};

/// The type of CPython's functions. (The last one has an argument; the others ignore it, as C's functions can.)
type Function = unsafe extern "C" fn(*mut PyThreadState) -> c_int;

/// What is to be raised in the calling thread, which was told so: -1 if something is, with an exception set, 0 if all is
/// done. `None`: nothing is to be done.
pub(crate) type Check = fn(Attached<'_>, &Entry) -> Option<c_int>;

static CHECK: OnceLock<Check> = OnceLock::new();

/// CPython's functions, as they were; 0: it has not changed.
struct Original(AtomicUsize);

static CHECK_SIGNALS: Original = Original(AtomicUsize::new(0));
static MAKE_PENDING_CALLS: Original = Original(AtomicUsize::new(0));
static MAKE_PENDING_CALLS_OF: Original = Original(AtomicUsize::new(0));

static ENDS_WAITS: AtomicBool = AtomicBool::new(false);
static ENDS_COMPUTATIONS: AtomicBool = AtomicBool::new(false);

/// A wait in C ends when its run is to end.
pub(crate) fn ends_waits() -> bool {
    ENDS_WAITS.load(Ordering::Relaxed)
}

/// So does a computation in C that looks for signals.
pub(crate) fn ends_computations() -> bool {
    ENDS_COMPUTATIONS.load(Ordering::Relaxed)
}

/// CPython's checks come to `check` from now on, as far as its code can be changed.
///
/// # Safety
/// Subpy has just started Python: no other thread is in it.
pub(crate) unsafe fn install(check: Check) {
    CHECK.get_or_init(|| check);
    let hooks = [
        (
            c"PyErr_CheckSignals",
            check_signals as Function,
            &CHECK_SIGNALS,
        ),
        (
            c"Py_MakePendingCalls",
            make_pending_calls,
            &MAKE_PENDING_CALLS,
        ),
        (
            c"_PyEval_MakePendingCalls",
            make_pending_calls_of,
            &MAKE_PENDING_CALLS_OF,
        ),
    ];
    for (name, ours, Original(original)) in hooks {
        // SAFETY: functions of this type, of libraries that stay; no other thread is in them, by the caller's promise.
        // What can't be led stays as it was, and the test says so.
        unsafe {
            let function = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
            if !function.is_null() {
                let _ = code_hooks::lead(function, ours as *const c_void, original);
            }
        }
    }
}

unsafe extern "C" fn check_signals(state: *mut PyThreadState) -> c_int {
    CHECK_SIGNALS.after_ours(state)
}

unsafe extern "C" fn make_pending_calls(state: *mut PyThreadState) -> c_int {
    MAKE_PENDING_CALLS.after_ours(state)
}

unsafe extern "C" fn make_pending_calls_of(state: *mut PyThreadState) -> c_int {
    MAKE_PENDING_CALLS_OF.after_ours(state)
}

impl Original {
    /// Answers for the calling thread, which is attached, if it was told something; else CPython's function does.
    #[inline]
    fn after_ours(&self, state: *mut PyThreadState) -> c_int {
        // SAFETY: an entry lives until it is left. What is called else is CPython's function of this type, with its
        // argument.
        unsafe {
            let entry = calling_thread::entry().as_ref();
            let wake = entry
                .map(|entry| &entry.wake)
                .or_else(calling_thread::script_wake);
            if let Some(wake) = wake
                && wake.is_told_at_check()
                && let Some(answer) = check(entry, wake)
            {
                return answer;
            }
            let original: Function = std::mem::transmute(self.0.load(Ordering::Acquire));
            original(state)
        }
    }
}

#[cold]
fn check(entry: Option<&Entry>, wake: &Wake) -> Option<c_int> {
    let current = Current::get();
    let py = current.attached();
    let Some(entry) = entry else {
        // A thread that a script has started, which is to end. An exception that was left with it is not needed.
        wake.take();
        // SAFETY: attached.
        unsafe { ffi::PyThreadState_SetAsyncExc(this_thread() as c_long, null_mut()) };
        return SYSTEM_EXIT.raise::<c_int>(py, "").or(Some(-1));
    };
    if TESTED.load(Ordering::Relaxed) == this_thread() as usize {
        entry.wake.take();
        return KEYBOARD_INTERRUPT.raise::<c_int>(py, "").or(Some(-1));
    }
    CHECK.get()?(py, entry)
}

/// The thread that tests.
static TESTED: AtomicUsize = AtomicUsize::new(0);

/// Looks whether all of this works. To be called in a new thread state of the main interpreter, once subpy has started it.
pub(crate) fn test(py: Attached<'_>) {
    /// A pattern of as many characters as it takes: any of them each, and then the end (see CPython's `_sre`).
    static COMPUTATION: EmbeddedCode = EmbeddedCode::new(
        c"<subpy>",
        c"import _sre\n_sre.compile('', 0, [2] * 9000 + [1], 0, {}, (None,)).match('a' * 9000)\n",
    );
    static LOCK: EmbeddedCode = EmbeddedCode::new(
        c"<subpy>",
        c"import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire(True, 0.25)\n",
    );
    static SLEEP: EmbeddedCode = EmbeddedCode::new(c"<subpy>", c"import time\ntime.sleep(0.25)\n");

    if wait_signal::get().is_none() || CHECK_SIGNALS.0.load(Ordering::Relaxed) == 0 {
        return;
    }
    // SAFETY: an entry lives until it is left.
    let Some(entry) = (unsafe { calling_thread::entry().as_ref() }) else {
        return;
    };
    let ends = |code: &EmbeddedCode| {
        entry.wake.tell_at_check();
        let ended = code.run(py).is_none() && KEYBOARD_INTERRUPT.is_set(py);
        clear_exception(py);
        entry.wake.take();
        ended
    };
    TESTED.store(this_thread() as usize, Ordering::Relaxed);
    ENDS_COMPUTATIONS.store(ends(&COMPUTATION), Ordering::Relaxed);
    let _unblocked = wait_signal::Unblocked::new();
    if let Some(sender) = Sender::start() {
        ENDS_WAITS.store(ends(&LOCK) && ends(&SLEEP), Ordering::Relaxed);
        sender.stop();
    }
    TESTED.store(0, Ordering::Relaxed);
}

/// Sends the wait signal to the thread that tests, again and again.
struct Sender(Thread);

impl Sender {
    fn start() -> Option<Self> {
        let tested = this_thread();
        let send = move || {
            while TESTED.load(Ordering::Relaxed) == tested as usize {
                wait_signal::send(tested);
                std::thread::sleep(Duration::from_micros(50));
            }
        };
        Thread::start(c"subpy test", send).ok().map(Self)
    }

    fn stop(self) {
        TESTED.store(0, Ordering::Relaxed);
        self.0.join();
    }
}
