//! Defect: Python knows a thread by the number of the OS thread that carries it. The runs of an interpreter are one
//! thread to its scripts: its main one, with one thread state. But another thread of the host's may carry each run, and
//! `threading.current_thread()` is a `_DummyThread` there. What a script has remembered by `get_ident()` is not found
//! again. (From 3.13 on, the main thread of each interpreter is the process's, and a `_DummyThread` writes "Exception
//! ignored" when it goes.) And the number of a thread of the host's that has ended is soon another one's.
//!
//! Has it: all versions.
//!
//! Cure: the thread state of the runs gets a number of its own: its address. That is no OS thread's number, which is
//! the address of something else. `_thread.get_ident()` is the number of the thread state that is attached. So all
//! agree on it that go by the one or the other: `threading`, `logging`, `asyncio`, import locks, `sys._current_frames()`,
//! `PyThreadState_SetAsyncExc`. Nothing is to be done in a run.
//!
//! What takes the number of an OS thread, and would end the process with another one, gets that of the OS thread:
//! `signal.pthread_kill()`, `time.pthread_getcpuclockid()`. They work on the calling thread, and are refused for the
//! main one elsewhere: no thread, or any, may carry that. The native id is the OS thread's, since it is for the system.
//! C code that asks for the number itself gets the OS thread's: an RLock that is held from one run to the next, and a
//! database of `sqlite3`, are those of the host's thread.
//!
//! A debug build of CPython asserts that the number is the OS thread's in a child that is forked, and at Python's end
//! that it is the number of the thread that has started Python. It gets these there, and only there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use super::stdlib_functions::Functions;
use crate::local::attach::Attached;
use crate::local::python::embedded_code::{EmbeddedCode, OF_IMPORT};
use crate::local::python::exception::set_os_error;
use crate::local::python::method::{Method, method};
use crate::local::python::object::{Object, import};
use crate::local::python::thread_states;
use crate::util::thread::this_thread;

/// How far the place is looked for, in words: within the smallest thread state.
const THREAD_STATE: usize = 264 / 8;

/// Which word of a thread state is its thread's number. `None`: an unknown Python.
static PLACE: OnceLock<Option<usize>> = OnceLock::new();

/// Finds the place. To be called with a new thread state of the main interpreter attached.
pub(crate) fn locate(_: Attached<'_>) {
    // SAFETY: attached; a thread state is larger than what is read of it. Its number is that of the calling thread, in
    // which it was made.
    PLACE.get_or_init(|| unsafe {
        let here = ffi::PyThreadState_Get().cast::<u64>();
        let thread = this_thread();
        let mut places = (0..THREAD_STATE).filter(|i| here.add(*i).read() == thread);
        let place = places.next()?;
        places.next().is_none().then_some(place)
    });
}

fn place() -> Option<usize> {
    PLACE.get().copied().flatten()
}

/// The number of the thread that has a thread state. `None`: an unknown Python.
///
/// # Safety
/// It lives.
pub(crate) unsafe fn number_of(state: *mut PyThreadState) -> Option<u64> {
    // SAFETY: the caller's promise; the field is where it was found.
    Some(unsafe { state.cast::<u64>().add(place()?).read() })
}

/// The attached thread state, that of an interpreter's runs, gets a number of its own, and the interpreter its
/// functions in `_thread`. `None`: an exception is set.
pub(super) fn install(py: Attached<'_>) -> Option<()> {
    static GET_IDENT: Method = Method::new(c"get_ident", get_ident, ffi::METH_NOARGS)
        .with_doc(c"get_ident($module, /)\n--\n\nThe number of the thread.");
    static MAIN: Method = Method::new(c"_get_main_thread_ident", bound, ffi::METH_NOARGS)
        .with_doc(c"_get_main_thread_ident($module, /)\n--\n\n");
    let Some(place) = place() else {
        return Some(()); // an unknown Python keeps what it has
    };
    let module = import(py, c"_thread")?;
    let main = thread_states::attached(py);
    // SAFETY: attached; the field is where it was found.
    unsafe {
        let field = main.cast::<u64>().add(place);
        if thread_states::interpreter_of(main) == thread_states::main_interpreter() {
            STARTED_BY.store(field.read(), Ordering::Relaxed);
        }
        field.write(main as u64);
    }
    let number = Object::unsigned(py, main as u64)?;
    let name = Object::text(py, "_thread")?;
    module.set(
        py,
        c"get_ident",
        &GET_IDENT.bind_in(py, Some(&module), &name)?,
    )?;
    if cfg!(Py_3_13) {
        module.set(
            py,
            c"_get_main_thread_ident",
            &MAIN.bind_in(py, Some(&number), &name)?,
        )?;
    }
    if IS_ASSERTED {
        follow_forks(py, &number)?;
    }
    Some(())
}

const IS_ASSERTED: bool = cfg!(py_sys_config = "Py_DEBUG");

/// The number that the main interpreter's thread state had: of the thread that has started Python.
static STARTED_BY: AtomicU64 = AtomicU64::new(0);

/// To be called before Python ends, while the main interpreter's thread state of the runs is attached.
pub(crate) fn give_back(py: Attached<'_>) {
    let number = STARTED_BY.load(Ordering::Relaxed);
    if IS_ASSERTED && number != 0 {
        set_attached(py, number);
    }
}

/// The attached thread state gets a number.
fn set_attached(py: Attached<'_>, number: u64) {
    if let Some(place) = place() {
        // SAFETY: attached; the field is where it was found.
        unsafe {
            let attached = thread_states::attached(py).cast::<u64>();
            attached.add(place).write(number);
        }
    }
}

/// The thread state has the OS thread's number while Python forks. These are the first functions that an interpreter
/// registers, so nobody else's see that.
fn follow_forks(py: Attached<'_>, number: &Object) -> Option<()> {
    static REGISTER: EmbeddedCode = EmbeddedCode::new(
        OF_IMPORT,
        c"
def register(before, after):
    from posix import register_at_fork
    register_at_fork(before=before, after_in_child=after, after_in_parent=after)
",
    );
    static BEFORE: Method = Method::new(c"before_fork", before_fork, ffi::METH_NOARGS);
    static AFTER: Method = Method::new(c"after_fork", after_fork, ffi::METH_NOARGS);
    let hooks = [
        BEFORE.bind(py, Some(number))?,
        AFTER.bind(py, Some(number))?,
    ];
    EmbeddedCode::function(py, &REGISTER.run(py)?, c"register")?.call(py, &hooks.each_ref())?;
    Some(())
}

// Bound to the number of the thread state of the runs; so is the next one.
method!(before_fork, |py, Some(number), _| {
    at_fork(py, number, this_thread())
});

method!(after_fork, |py, Some(number), _| {
    at_fork(py, number, thread_states::attached(py) as u64)
});

/// The attached thread state gets a number, if it is that of the runs.
fn at_fork(py: Attached<'_>, of_runs: &Object, number: u64) -> Option<Object> {
    if number_in(py, of_runs) == thread_states::attached(py) as u64 {
        set_attached(py, number);
    }
    Object::none(py)
}

/// The value of an int, as far as there is room for it.
fn number_in(_: Attached<'_>, int: &Object) -> u64 {
    // SAFETY: attached; a live object.
    unsafe { ffi::PyLong_AsUnsignedLongLongMask(int.as_ptr()) }
}

// `get_ident()`: the number of the attached thread state.
method!(get_ident, |py, _, _| {
    // SAFETY: it lives. The place was found, else nobody has this function.
    let number = unsafe { number_of(thread_states::attached(py)) };
    Object::unsigned(py, number.unwrap_or_default())
});

// What the function is bound to.
method!(bound, |_py, Some(to), _| Some(to.clone()));

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"threading"],
    c"
def replacers(call, put, at_end):
    def of_signal(module):
        kill = module.pthread_kill

        def pthread_kill(thread_id, signalnum, /):
            return kill(call(thread_id), signalnum)

        put(module, pthread_kill)

    def of_time(module):
        clock_of = module.pthread_getcpuclockid

        def pthread_getcpuclockid(thread_id):
            return clock_of(call(thread_id))

        put(module, pthread_getcpuclockid)

    def renew_handle(module):
        main = module._main_thread
        name = '_os_thread_handle' if hasattr(main, '_os_thread_handle') else '_handle'
        if getattr(main, name).is_done() or getattr(main, name).ident != main._ident:
            setattr(main, name, module._make_thread_handle(main._ident))

    def of_threading(module):
        import _thread

        def native_id(self):
            return _thread.get_native_id() if _thread.get_ident() == self._ident else self._native_id

        module._MainThread.native_id = property(native_id)
        # What a site imports comes before us.
        if module.get_ident is not _thread.get_ident:
            main, number = module._main_thread, _thread.get_ident()
            del module._active[main._ident]
            module.get_ident, main._ident, module._active[number] = _thread.get_ident, number, main
            if hasattr(module, '_get_main_thread_ident'):
                module._get_main_thread_ident = _thread._get_main_thread_ident
                renew_handle(module)

        # In a child, CPython takes the thread for one that has ended: from 3.13 on.
        if hasattr(module, '_make_thread_handle'):
            from posix import register_at_fork
            register_at_fork(after_in_child=lambda: renew_handle(module))

    return {'_signal': of_signal, 'time': of_time, 'threading': of_threading}
",
    call,
)
.at_first_call(&[
    (c"_signal", &[c"pthread_kill"]),
    (c"time", &[c"pthread_getcpuclockid"]),
]);

// `call(number)`: that of the OS thread.
method!(call, |py, _, Some(arguments)| {
    let asked = arguments.at(py, 0)?;
    if asked.is_int(py) {
        let number = number_in(py, &asked);
        // SAFETY: thread states of the attached interpreter.
        let is_it = |state: *mut PyThreadState| unsafe { number_of(state) } == Some(number);
        if is_it(thread_states::attached(py)) {
            return Object::unsigned(py, this_thread());
        }
        let own = |state: &*mut PyThreadState| *state as u64 == number && is_it(*state);
        if thread_states::all_of_attached(py).iter().any(own) {
            return set_os_error(py, libc::ESRCH);
        }
    }
    Some(asked)
});

#[cfg(test)]
mod tests {
    #[test]
    fn the_place_is_found() {
        std::mem::forget(crate::Runtime::initialize(&Default::default()).unwrap());
        assert!(super::place().is_some());
    }
}
