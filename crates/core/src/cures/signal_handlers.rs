//! Defect: `signal.getsignal()` hands out the main interpreter's own handlers, live objects across GILs;
//! `asyncio.run()` asks for one each time. And `signal.siginterrupt()`, `alarm()` and `setitimer()` change what the
//! process does at a signal, where `signal.signal()` is refused: an alarm without a handler ends the process.
//!
//! Has it: all versions; the objects cross GILs from 3.12 on.
//!
//! Cure: `getsignal` answers what the process does: its default, nothing, or what is not this interpreter's, which is
//! None, as Python has it for a handler that was not installed from Python. The others are refused, as `signal` is.

use std::ffi::c_int;
use std::ptr::null_mut;

use pyo3_ffi as ffi;

use super::library::Functions;

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"_signal"],
    c"
def replacers(call, put):
    from _operator import index

    def replace(module):
        def number(signalnum):
            signalnum = index(signalnum)
            if not 1 <= signalnum < module.NSIG:
                raise ValueError('signal number out of range')
            return signalnum

        def getsignal(signalnum, /):
            return (module.SIG_DFL, module.SIG_IGN, None)[call(number(signalnum))]

        def siginterrupt(signalnum, flag, /):
            number(signalnum)
            refuse('siginterrupt')

        def alarm(seconds, /):
            refuse('alarm')

        def setitimer(which, seconds, interval=0.0, /):
            refuse('setitimer')

        def refuse(name):
            raise ValueError(f'{name} only works in the main interpreter, as signal does: the process has the handlers')

        put(module, getsignal, siginterrupt, alarm, setitimer)

    return {'_signal': replace}
",
    call,
);

/// `call(number)`: 0: the process does what is the default at this signal; 1: it ignores it; 2: it does something else.
unsafe extern "C" fn call(
    _: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by Python, attached, with a number that is one of a signal; only asks.
    unsafe {
        let number = ffi::PyLong_AsLong(ffi::PyTuple_GetItem(arguments, 0)) as c_int;
        let mut action: libc::sigaction = std::mem::zeroed();
        let known = libc::sigaction(number, null_mut(), &mut action) == 0;
        ffi::PyLong_FromLong(match action.sa_sigaction {
            libc::SIG_DFL if known => 0,
            libc::SIG_IGN if known => 1,
            _ => 2,
        })
    }
}
