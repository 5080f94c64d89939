//! Defect: where CPython refuses something to an interpreter, its message does not say what would allow it. And it lets a
//! main interpreter fork by `forkpty()` and for a `preexec_fn`, whatever that is restricted to: that of a worker's process.
//!
//! Has it: 3.12 and later. `preexec_fn`: all versions.
//!
//! Cure: the message goes on with the name of the option. In `threading`, it is a constant of the code, and is replaced
//! there. A restricted main interpreter is refused these as it is refused `fork()`.

#[cfg(Py_3_12)]
use super::feature_flags;
use super::stdlib_functions::Functions;
use crate::local::python::method::method;

// Whether the interpreter may fork; None: it is none of a worker's process.
method!(may_fork, |py, None, _| {
    #[cfg(Py_3_12)]
    if let Some(may) = feature_flags::may_fork(py) {
        return Object::bool(py, may);
    }
    Object::none(py)
});

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"threading"],
    c"
def replacers(call, put, at_end):
    DAEMON = 'subpy_interpreter_config::allow_daemon_threads allows them'
    FORK = 'fork not supported for isolated subinterpreters'
    OF_MAIN = (
        'no option allows it, since CPython lets a forked child of the main interpreter alone run code: '
        'that of SUBPY_BACKEND_PROCESS is one'
    )
    ALLOWED_BY = {
        FORK: (
            'subpy_interpreter_config::allow_fork allows it, but CPython ends the child at once; '
            'multiprocessing works with the start methods \\'spawn\\' and \\'forkserver\\''
        ),
        'fork not supported for subinterpreters': OF_MAIN,
        'preexec_fn not supported within subinterpreters': OF_MAIN,
        'exec not supported for isolated subinterpreters': 'subpy_interpreter_config::allow_exec allows it',
        'thread is not supported for isolated subinterpreters': 'subpy_interpreter_config::allow_threads allows it',
        'daemon threads are disabled in this (sub)interpreter': DAEMON,
        'daemon threads are disabled in this interpreter': DAEMON,
    }

    if call() is not None:
        ALLOWED_BY[FORK] = 'subpy_interpreter_config::allow_fork allows it'

    def complete(text):
        allowed_by = ALLOWED_BY.get(text) if isinstance(text, str) else None
        return f'{text}: {allowed_by}' if allowed_by else text

    def forks(name, arguments):
        return name == 'forkpty' or name == 'fork_exec' and any(map(callable, arguments))

    def completed(function):
        def wrapper(*arguments, **options):
            try:
                if call() is False and forks(name, arguments):
                    raise RuntimeError(FORK)
                return function(*arguments, **options)
            except RuntimeError as e:
                e.args = tuple(map(complete, e.args))
                raise

        name = wrapper.__name__ = function.__name__
        return wrapper

    def wrap(*names):
        return lambda module: put(module, *(completed(getattr(module, n)) for n in names if hasattr(module, n)))

    def replace_threading(threading):
        thread = threading.Thread
        for function in thread.__init__, thread.daemon.fset:
            code = function.__code__
            function.__code__ = code.replace(co_consts=tuple(map(complete, code.co_consts)))

    return {
        '_posixsubprocess': wrap('fork_exec'),
        '_thread': wrap('start_new_thread', 'start_new', 'start_joinable_thread'),
        'posix': wrap('fork', 'forkpty', 'execv', 'execve'),
        'threading': replace_threading,
    }
",
    may_fork,
)
.at_first_call(&[
    (c"_posixsubprocess", &[c"fork_exec"]),
    (
        c"_thread",
        &[c"start_new_thread", c"start_new", c"start_joinable_thread"],
    ),
    (c"posix", &[c"fork", c"forkpty", c"execv", c"execve"]),
]);
