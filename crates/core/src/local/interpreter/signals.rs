//! Signals, as scripts see them. What happens at a signal is the process's, so it is the host's to say. A script's
//! handlers are kept and never installed: servers and frameworks set some where they take themselves for the main
//! program, and go on.
//!
//! A script's own handler is called for a signal that the script sends itself: by `_thread.interrupt_main()`, and by
//! `signal.raise_signal()`, `signal.pthread_kill()`, `signal.pidfd_send_signal()` and `os.kill()` with the process's own
//! number. Such a signal does not reach the process, so it does not end the host. One that the script handles by nothing
//! of its own does. And the handler of SIGINT is called when the host interrupts the run. The number is written to the
//! script's wakeup descriptor then, so that an event loop that waits wakes up. (To 3.11 CPython calls nothing in another
//! thread: there an interrupt is a KeyboardInterrupt, unless there is such a descriptor.)

pub(super) mod state;

use std::ffi::{CStr, c_int, c_long};
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::Arc;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::cures::stdlib_functions::Functions;
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::signals::state::{HANDLE, Signals, handle};
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::exception::{RUNTIME_ERROR, VALUE_ERROR, set_os_error};
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::{Method, method};
use crate::local::python::object::{clear_exception, import};

const SHARED: &CStr = c"subpy.shared";

/// The attached interpreter, that this is of, gets `_thread.interrupt_main()`, and what [`FUNCTIONS`] need.
/// `None`: an exception is set.
pub(super) fn install(py: Attached<'_>, shared: &Arc<Shared>) -> Option<()> {
    static INTERRUPT_MAIN: Method =
        Method::new(c"interrupt_main", interrupt_main, ffi::METH_VARARGS).with_doc(
            c"interrupt_main($module, signum=signal.SIGINT, /)\n--\n\n\
            Does in the thread that runs the program what its handler of this signal does.",
        );

    let module = import(py, c"_thread")?;
    let capsule = capsule(py, SHARED, shared.clone())?;
    keep(py, SHARED, &capsule)?;
    module.set(
        py,
        c"interrupt_main",
        &INTERRUPT_MAIN.bind(py, Some(&capsule))?,
    )
}

// `interrupt_main(signum=SIGINT)`: as if the signal had come. CPython's own one interrupts the main interpreter,
// whatever interpreter it is called in; ours the run of its own.
method!(interrupt_main, |py, Some(capsule), Some(arguments)| {
    let mut signal = libc::SIGINT;
    let format = c"|i:interrupt_main".as_ptr();
    // SAFETY: attached; a tuple; the place is for an int, as the format has it.
    if unsafe { ffi::PyArg_ParseTuple(arguments.as_ptr(), format, &raw mut signal) } == 0 {
        return None;
    }
    if !(1..=libc::SIGRTMAX()).contains(&signal) {
        return VALUE_ERROR.raise(py, "signal number out of range");
    }
    if !send(py, value_of::<Arc<Shared>>(py, capsule, SHARED), signal) {
        return None;
    }
    clear_exception(py);
    Object::none(py)
});

/// A script of the interpreter that this is of, which is attached, sends itself a signal. False: an exception is set.
fn send(py: Attached<'_>, shared: &Arc<Shared>, signal: c_int) -> bool {
    if shared.is_run(py) {
        shared.signals.wake_up(signal);
        return handle(py, signal);
    }
    if cfg!(not(Py_3_12)) && signal != libc::SIGINT {
        let message = "below Python 3.12 another thread can only be interrupted by SIGINT";
        return RUNTIME_ERROR.raise(py, message).unwrap_or(false);
    }
    shared.signal_by_script(py, signal);
    shared.signals.wake_up(signal);
    true
}

/// The functions of `signal` that are for handlers.
pub(super) static FUNCTIONS: Functions = Functions::new(
    &[],
    c"
def replacers(call, put, at_end):
    from _operator import index
    from posix import getpid
    IS_RUN, OF_PROCESS, AT_INTERRUPT, WAKEUP, HANDLE, SEND, HANDLE_WAITING = range(7)
    RAISES, HANDLES, IGNORES = range(3)
    SIGINT = 2
    handlers, ours = {SIGINT: None}, globals()

    def sent_to_itself(signalnum):
        # SIG_DFL is what the process does.
        if signalnum not in handlers or handlers[signalnum] == 0:
            return False
        call(SEND, signalnum)
        return True

    def replace_posix(posix):
        kill_process = posix.kill

        def kill(pid, signal, /):
            if index(pid) != getpid() or not sent_to_itself(index(signal)):
                kill_process(pid, signal)

        put(posix, kill)

    def replace(module):
        SIG_DFL, SIG_IGN = module.SIG_DFL, module.SIG_IGN
        raise_in_process, to_thread = module.raise_signal, module.pthread_kill
        to_process = getattr(module, 'pidfd_send_signal', None)
        wakeup = -1
        handlers[SIGINT] = module.default_int_handler

        def number(signalnum):
            signalnum = index(signalnum)
            if not 1 <= signalnum < module.NSIG:
                raise ValueError('signal number out of range')
            return signalnum

        def only_main(name):
            if not call(IS_RUN):
                raise ValueError(f'{name} only works in main thread of the main interpreter')

        def getsignal(signalnum, /):
            signalnum = number(signalnum)
            if signalnum in handlers:
                return handlers[signalnum]
            return (SIG_DFL, SIG_IGN, None)[call(OF_PROCESS, signalnum)]

        def signal(signalnum, handler, /):
            only_main('signal')
            signalnum = number(signalnum)
            if not callable(handler) and handler != SIG_DFL and handler != SIG_IGN:
                raise TypeError('signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object')
            if signalnum in (module.SIGKILL, module.SIGSTOP):
                raise OSError(22, 'Invalid argument')
            # What has come before is for the handler of before, as in CPython.
            call(HANDLE_WAITING)
            before = getsignal(signalnum)
            handlers[signalnum] = handler
            if signalnum == SIGINT:
                raises = handler is module.default_int_handler
                call(AT_INTERRUPT, RAISES if raises else HANDLES if callable(handler) else IGNORES)
            return before

        def set_wakeup_fd(fd, /, *, warn_on_full_buffer=True):
            nonlocal wakeup
            only_main('set_wakeup_fd')
            fd = index(fd)
            if fd != -1:
                from posix import fstat, get_blocking
                fstat(fd)
                if get_blocking(fd):
                    raise ValueError(f'the fd {fd} must be in non-blocking mode')
            call(WAKEUP, fd)
            before, wakeup = wakeup, fd
            return before

        def siginterrupt(signalnum, flag, /):
            number(signalnum)

        def refuse(name):
            raise ValueError(
                f'{name}: the process has one timer, and what happens at its signal is the host\\'s to say; '
                'threading.Timer or asyncio can take its place'
            )

        def alarm(seconds, /):
            refuse('alarm')

        def setitimer(which, seconds, interval=0.0, /):
            refuse('setitimer')

        def handle(signalnum, frame):
            handler = handlers.get(signalnum)
            while frame is not None and frame.f_globals is ours:
                frame = frame.f_back
            if callable(handler):
                handler(signalnum, frame)

        def raise_signal(signalnum, /):
            if not sent_to_itself(index(signalnum)):
                raise_in_process(signalnum)

        def pthread_kill(thread_id, signalnum, /):
            if not sent_to_itself(index(signalnum)):
                to_thread(thread_id, signalnum)

        def is_own(pidfd):
            # It may be a folder of /proc.
            from io import open
            from posix import readlink
            place = f'/proc/self/fd/{index(pidfd)}'
            try:
                if readlink(place) == f'/proc/{getpid()}':
                    return True
                with open(place.replace('/fd/', '/fdinfo/')) as lines:
                    return f'Pid:\\t{getpid()}\\n' in lines
            except OSError:
                return False

        def pidfd_send_signal(pidfd, signalnum, siginfo=None, flags=0, /):
            if siginfo is not None or flags or not is_own(pidfd) or not sent_to_itself(index(signalnum)):
                to_process(pidfd, signalnum, siginfo, flags)

        call(HANDLE, handle)
        put(module, getsignal, signal, set_wakeup_fd, siginterrupt, alarm, setitimer)
        put(module, raise_signal, pthread_kill, pidfd_send_signal)

    return {'_signal': replace, 'posix': replace_posix}
",
    call,
)
.at_first_call(&[
    (
        c"_signal",
        &[
            c"getsignal",
            c"signal",
            c"set_wakeup_fd",
            c"siginterrupt",
            c"alarm",
            c"setitimer",
            c"raise_signal",
            c"pthread_kill",
            c"pidfd_send_signal",
        ],
    ),
    (c"posix", &[c"kill"]),
]);

// `call(0)`: whether the calling thread is the one that runs. `call(1, number)`: 0: the process does what is the
// default at this signal; 1: it ignores it; 2: it does something else. `call(2, how)`: what the script has for SIGINT.
// `call(3, descriptor)`: the wakeup descriptor, or -1. `call(4, function)`: calls the handler of a signal. `call(5,
// number)`: the script sends itself this signal. `call(6)`: handlers are called for what waits to be handled.
method!(call, |py, _, Some(arguments)| {
    let capsule = kept(py, SHARED)?;
    let shared = value_of::<Arc<Shared>>(py, &capsule, SHARED);
    let number = |index| Some(arguments.at(py, index)?.number(py) as c_int);
    let answer = match number(0)? {
        0 => c_long::from(shared.is_run(py)),
        1 => of_process(number(1)?),
        2 => {
            shared.signals.set_at_interrupt(number(1)? as u8);
            0
        }
        3 => set_wakeup(py, &shared.signals, number(1)?)?,
        5 => send(py, shared, number(1)?).then_some(0)?,
        6 => shared.handle_waiting(py).then_some(0)?,
        _ => {
            keep(py, HANDLE, &arguments.at(py, 1)?)?;
            0
        }
    };
    Object::int(py, answer)
});

fn of_process(signal: c_int) -> c_long {
    // SAFETY: only asks.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let known = libc::sigaction(signal, null_mut(), &mut action) == 0;
        match action.sa_sigaction {
            libc::SIG_DFL if known => 0,
            libc::SIG_IGN if known => 1,
            _ => 2,
        }
    }
}

/// `None`: an exception is set.
fn set_wakeup(py: Attached<'_>, signals: &Signals, descriptor: c_int) -> Option<c_long> {
    let copy = match descriptor {
        -1 => None,
        // SAFETY: a number; the copy is ours.
        _ => unsafe {
            let copy = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3);
            if copy < 0 {
                return set_os_error(py, *libc::__errno_location());
            }
            Some(OwnedFd::from_raw_fd(copy))
        },
    };
    signals.set_wakeup(copy);
    Some(0)
}
