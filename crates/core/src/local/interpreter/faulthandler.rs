//! Defect: `faulthandler` is the process's: it takes the handlers of signals, and shows the threads of all interpreters.
//! From 3.12 on, an interpreter with a GIL of its own can't import it, nor what needs it, such as pytest.
//!
//! Has it: all versions.
//!
//! Cure: a `faulthandler` of the interpreter's own. It shows the threads of this interpreter. `enable` is remembered, and
//! takes no signal, so a crash shows nothing: what happens then is the host's to say. A registered signal has a handler as
//! any other of a script. `dump_traceback_later` is done by a thread of ours, which waits for the GIL, and none of Python's
//! that could keep the interpreter from its end.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_long};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::data::id::Id;
use crate::local::attach;
use crate::local::attach::Attached;
use crate::local::cures::stdlib_functions::Functions;
use crate::local::interpreter::registry;
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::method;
use crate::local::python::object::{Object, clear_exception};
use crate::util::thread::Thread;
use crate::util::timer;
use crate::util::timer::TimerId;

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"faulthandler"],
    c"
def replacers(call, put, at_end):
    import sys
    from _operator import index
    from _thread import get_ident
    current_frames, frame_here = sys._current_frames, sys._getframe
    KEEP, ARM, CANCEL = range(3)
    MOST = 100

    def shown(name):
        if not isinstance(name, str):
            return '???'
        return name[:500].encode('ascii', 'backslashreplace').decode() + ('...' if len(name) > 500 else '')

    def stack(frame):
        count = 0
        while frame is not None:
            if count == MOST:
                yield '  ...\\n'
                return
            code = frame.f_code
            line = '???' if frame.f_lineno is None else frame.f_lineno
            yield f'  File \"{shown(code.co_filename)}\", line {line} in {shown(code.co_name)}\\n'
            frame = frame.f_back
            count += 1
        if not count:
            yield '  <no Python frame>\\n'

    def traceback(frame, all_threads):
        if not all_threads:
            return 'Stack (most recent call first):\\n' + ''.join(stack(frame))
        here, frames = get_ident(), current_frames()
        frames.pop(here, None)
        threads = [('Thread', *each) for each in frames.items()]
        if frame is not None:
            threads.append(('Current thread', here, frame))
        return '\\n'.join(
            f'{what} 0x{number:016x} (most recent call first):\\n' + ''.join(stack(frame))
            for what, number, frame in threads
        )

    def writer(file):
        if file is None:
            if not hasattr(sys, 'stderr'):
                raise RuntimeError('unable to get sys.stderr')
            file = sys.stderr
            if file is None:
                raise RuntimeError('sys.stderr is None')
        descriptor = file
        if not isinstance(file, int):
            try:
                descriptor = file.fileno()
            except (AttributeError, OSError):
                def write(text):
                    file.write(text)
                    file.flush()

                return write
            if not isinstance(descriptor, int) or descriptor < 0:
                raise RuntimeError('file.fileno() is not a valid file descriptor')
            try:
                file.flush()
            except Exception:
                pass
        elif file < 0:
            raise ValueError('file is not a valid file descripter')

        def write(text, file=file):
            from posix import write
            left = text.encode()
            try:
                while left:
                    left = left[write(descriptor, left):]
            except OSError:
                pass

        return write

    def replace_faulthandler(module):
        enabled = False
        later = None
        registered = {}

        def enable(file=None, all_threads=True, c_stack=True):
            nonlocal enabled
            writer(file)
            enabled = True

        def disable():
            nonlocal enabled
            was, enabled = enabled, False
            return was

        def is_enabled():
            return enabled

        def dump_traceback(file=None, all_threads=True):
            writer(file)(traceback(frame_here(1), all_threads))

        def dump_c_stack(file=None):
            text = 'Current thread\\'s C stack trace (most recent call first):\\n  <cannot get C stack on this system>\\n'
            writer(file)(text)

        def dump_traceback_later(timeout, repeat=False, file=None, exit=False):
            nonlocal later
            microseconds = round(timeout * 1_000_000)
            if microseconds <= 0:
                raise ValueError('timeout must be greater than 0')
            if microseconds >= 1 << 62:
                raise OverflowError('timeout value is too large')
            seconds, rest = divmod(microseconds, 1_000_000)
            minutes, seconds = divmod(seconds, 60)
            title = f'Timeout ({minutes // 60}:{minutes % 60:02}:{seconds:02}{f\".{rest:06}\" if rest else \"\"})!\\n'
            write = writer(file)
            call(CANCEL)
            number = call(ARM, microseconds, bool(repeat))
            if not number:
                raise RuntimeError('unable to start watchdog thread')
            later = number, title, write, exit

        def cancel_dump_traceback_later():
            nonlocal later
            later = None
            call(CANCEL)

        def due(number):
            if later is not None and later[0] == number:
                _, title, write, exit = later
                write(title + traceback(None, True))
                if exit:
                    from posix import _exit
                    _exit(1)

        def register(signum, file=None, all_threads=True, chain=False):
            import _signal
            signum = index(signum)
            if signum in (_signal.SIGSEGV, _signal.SIGFPE, _signal.SIGABRT, _signal.SIGBUS, _signal.SIGILL):
                raise RuntimeError(f'signal {signum} cannot be registered, use enable() instead')
            write = writer(file)

            def handler(number, frame):
                write(traceback(frame, all_threads))
                if chain and callable(before):
                    before(number, frame)

            before = _signal.signal(signum, handler)
            registered.setdefault(signum, before)
            before = registered[signum]

        def unregister(signum):
            import _signal
            signum = index(signum)
            if signum not in registered:
                return False
            _signal.signal(signum, registered.pop(signum))
            return True

        here = 'file=sys.stderr, all_threads=True'
        documented = {
            enable: (here, 'Is remembered. What is shown at a crash is the host\\'s to say.'),
            disable: ('/', 'Whether it was enabled. It is not any more.'),
            is_enabled: ('/', 'Whether it is enabled.'),
            dump_traceback: (here, 'Writes the stack of this thread, or those of all.'),
            dump_traceback_later: (
                'timeout, repeat=False, file=sys.stderr, exit=False', 'Writes all stacks after so many seconds.'
            ),
            cancel_dump_traceback_later: ('/', 'Takes dump_traceback_later() back.'),
            register: (f'signum, {here}, chain=False', 'Has stacks written when the script sends itself the signal.'),
            unregister: ('signum, /', 'Whether register() had the signal. It has not any more.'),
        }
        if sys.version_info >= (3, 14):
            documented[dump_c_stack] = 'file=sys.stderr', 'Writes that the stack in C is not known.'
        for function, (parameters, text) in documented.items():
            function.__doc__ = f'{function.__name__}($module, {parameters})\\n--\\n\\n{text}'
        put.built_in(module, *documented)
        call(KEEP, due)

    return {'faulthandler': replace_faulthandler}
",
    call,
);

/// What an interpreter keeps: the function that is to be called when the time has come.
const DUE: &CStr = c"subpy.faulthandler";

/// When it is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// How long an interpreter's end waits for what is being shown. It may be written to a pipe that nobody reads.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// What is to be done later, for each interpreter: its number, which is never given out again, and when.
struct Later {
    last_number: c_long,
    waiting: BTreeMap<Id, (c_long, TimerId)>,
    /// The interpreters whose threads are being shown, each as often as they are.
    showing: Vec<Id>,
}

/// Held to look or to change, and while the timer is told.
static LATER: Mutex<Later> = Mutex::new(Later {
    last_number: 0,
    waiting: BTreeMap::new(),
    showing: Vec::new(),
});

/// Told when one less is being shown.
static SHOWN: Condvar = Condvar::new();

/// Until this is dropped, the threads of an interpreter are being shown.
struct Showing(Id);

impl Drop for Showing {
    fn drop(&mut self) {
        let mut later = later();
        if let Some(at) = later.showing.iter().position(|id| *id == self.0) {
            later.showing.swap_remove(at);
        }
        SHOWN.notify_all();
    }
}

/// Waits until nothing is being shown of an interpreter whose end has been claimed: that would be one of its threads. To
/// be called without a GIL.
pub(super) fn wait_for_dumps(interpreter: Id) {
    let is_showing = |later: &mut Later| later.showing.contains(&interpreter);
    let _ = SHOWN.wait_timeout_while(later(), END_TIMEOUT, is_showing);
}

fn later() -> MutexGuard<'static, Later> {
    LATER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An interpreter has ended, or wants nothing any more.
pub(super) fn forget(interpreter: Id) {
    if let Some((_, ticket)) = later().waiting.remove(&interpreter) {
        timer::cancel(ticket);
    }
}

impl Later {
    /// The number that it gets. `None`: it could not be arranged.
    fn add(&mut self, interpreter: Id, period: Duration, repeat: bool) -> Option<c_long> {
        self.last_number += 1;
        let number = self.last_number;
        self.arm(interpreter, number, period, repeat)
            .then_some(number)
    }

    /// Whether it could be arranged.
    fn arm(&mut self, interpreter: Id, number: c_long, period: Duration, repeat: bool) -> bool {
        let time = Instant::now().checked_add(period);
        let job = move || come(interpreter, number, period, repeat);
        let ticket = time.and_then(|time| timer::at(time, job).ok());
        let arranged = ticket.map(|ticket| self.waiting.insert(interpreter, (number, ticket)));
        arranged.is_some()
    }
}

/// The time has come. Called in the timer's thread, which must not wait.
fn come(interpreter: Id, number: c_long, period: Duration, repeat: bool) {
    let mut later = later();
    if later.waiting.get(&interpreter).map(|(waits, _)| *waits) != Some(number) {
        return;
    }
    later.waiting.remove(&interpreter);
    if repeat {
        later.arm(interpreter, number, period, repeat);
    }
    let show = move || {
        let _showing = Showing(interpreter);
        let Ok(found) = registry::find(interpreter) else {
            return;
        };
        let shown = found.0.access_from_anywhere(|py| {
            drop(call_due(py, number));
            clear_exception(py);
        });
        // Who tries to end it may be refused.
        let mut later = self::later();
        if !shown && !later.waiting.contains_key(&interpreter) {
            later.arm(interpreter, number, AGAIN, false);
        }
    };
    later.showing.push(interpreter);
    drop(later);
    // A system without a thread for it shows nothing.
    if Thread::start(c"subpy dump", show).is_err() {
        drop(Showing(interpreter));
    }
}

/// Calls what the attached interpreter has kept.
fn call_due(py: Attached<'_>, number: c_long) -> Option<Object> {
    kept(py, DUE)?.call(py, &[&Object::int(py, number)?])
}

// `call(0, due)`: `due` is to be called. `call(1, microseconds, repeat)`: after this time; the answer is the number that
// it is called with, or 0: no thread can be had for that. `call(2)`: not any more.
method!(call, |py, _, Some(arguments)| {
    let python = attach::attached_interpreter();
    let id = registry::find_by(|interpreter| interpreter.is(python)).map(|found| found.id());
    let number = match (arguments.at(py, 0)?.number(py), id) {
        (0, _) => {
            keep(py, DUE, &arguments.at(py, 1)?)?;
            0
        }
        (1, Some(id)) => {
            let period = Duration::from_micros(arguments.at(py, 1)?.number(py) as u64);
            let repeat = arguments.at(py, 2)?.is_true(py);
            later().add(id, period, repeat).unwrap_or(0)
        }
        (2, Some(id)) => {
            forget(id);
            0
        }
        _ => 0,
    };
    Object::int(py, number)
});
