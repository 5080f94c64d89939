//! Defect: `tracemalloc` traces the memory of the whole process. What one interpreter starts, another one's `stop()` ends,
//! and it goes on when the interpreter has ended. Before 3.12, allocating waits for the GIL that the thread holds, once it
//! is on: the next interpreter never starts, or never ends. From 3.12 on, `_tracemalloc` is refused to an interpreter with
//! a GIL of its own, and so `tracemalloc` can't even be imported there.
//!
//! And it keeps the names of files, those of an interpreter with a GIL of its own among them, which CPython 3.14
//! frees when that one ends, whoever has them (so do debug builds of 3.13, not cured). When it stops, it gives them back:
//! memory that is another object's by then. (3.15 was not seen to.)
//!
//! Has it: all versions; the names of files, 3.14.
//!
//! Cure: it is on while an interpreter wants it that has started it and lives. Before 3.12, and with a GIL of its own,
//! it can be imported and asked, and says why it can't be started. While it is on, it forgets what it has traced when
//! an interpreter ends whose names go with it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::stdlib_functions::Functions;
#[cfg(Py_3_12)]
use crate::local::attach::Attached;
use crate::local::python::method::method;
#[cfg(Py_3_12)]
use crate::local::python::object::{clear_exception, import};

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"_tracemalloc"],
    c"
def replacers(call, put, at_end):
    import sys
    TRACES_ALL = 'tracemalloc traces the memory of the whole process'

    def refuse(module, way_out):
        def start(nframe=1, /):
            raise RuntimeError(f'{TRACES_ALL}: {way_out}')

        nothing = lambda: None
        module.start, module.stop, module.clear_traces, module.reset_peak = start, nothing, nothing, nothing
        module.is_tracing = lambda: False
        module.get_traceback_limit = lambda: 1
        module.get_traced_memory = lambda: (0, 0)
        module.get_tracemalloc_memory = lambda: 0
        module._get_traces = list
        module._get_object_traceback = lambda obj, /: None

    def share(module):
        start_all, stop_all, is_on = module.start, module.stop, module.is_tracing
        wanted = False

        def start(nframe=1, /):
            nonlocal wanted
            was_on = is_on()
            start_all(nframe)
            wanted = wanted or call(1, was_on)

        def stop():
            nonlocal wanted
            if wanted:
                wanted = False
                if call(-1):
                    stop_all()

        put(module, start, stop)
        at_end(stop)

    def replace_tracemalloc(module):
        if sys.version_info < (3, 12):
            refuse(module, 'CPython 3.11 and before can not do that beside a second interpreter')
        elif not hasattr(module, 'start'):
            refuse(module, 'it needs an interpreter with subpy_interpreter_config::gil = SUBPY_GIL_SHARED')
        else:
            share(module)

    return {'_tracemalloc': replace_tracemalloc}
",
    call,
);

/// How many interpreters want it; 0, too, while the host itself has started it. Changed by who holds the GIL that they share.
static WANT_IT: AtomicUsize = AtomicUsize::new(0);

// `call(1, was_on)`: one more interpreter wants it; false: the host has it on. `call(-1)`: one does not any more; true:
// it was the last one.
method!(call, |py, _, Some(arguments)| {
    let count = WANT_IT.load(Ordering::Relaxed);
    if arguments.at(py, 0)?.number(py) < 0 {
        WANT_IT.store(count - 1, Ordering::Relaxed);
        return Object::bool(py, count == 1);
    }
    if arguments.at(py, 1)?.is_true(py) && count == 0 {
        return Object::bool(py, false);
    }
    WANT_IT.store(count + 1, Ordering::Relaxed);
    Object::bool(py, true)
});

/// Whether it is on. At any time, in any thread.
pub(crate) fn is_on() -> bool {
    unsafe extern "C" {
        fn PyTraceMalloc_Untrack(domain: std::ffi::c_uint, address: usize) -> std::ffi::c_int;
    }
    const OFF: i32 = -2;
    // SAFETY: any thread may forget a trace of its own domain; there is none.
    unsafe { PyTraceMalloc_Untrack(u32::MAX, 0) != OFF }
}

/// Whether an interpreter frees the names of files that it has.
#[cfg(Py_3_12)]
const NAMES_GO: bool = cfg!(all(Py_3_14, not(Py_3_15)));

/// Whether names have to be forgotten, by [`forget_names`], when an interpreter with a GIL of its own has no more code to
/// run, and still has them.
#[cfg(Py_3_12)]
pub(crate) fn has_names_that_go() -> bool {
    NAMES_GO && is_on()
}

/// The main interpreter is attached.
#[cfg(Py_3_12)]
pub(crate) fn forget_names(py: Attached<'_>) {
    let clear =
        import(py, c"_tracemalloc").and_then(|module| module.attribute(py, c"clear_traces"));
    drop(clear.and_then(|clear| clear.call(py, &[])));
    clear_exception(py);
}

/// Whether it is on, and so no other interpreter can be.
#[cfg(not(Py_3_12))]
pub(crate) fn rules_others_out() -> bool {
    is_on()
}

/// It rules nothing out from 3.12 on.
#[cfg(Py_3_12)]
pub(crate) fn rules_others_out() -> bool {
    false
}
