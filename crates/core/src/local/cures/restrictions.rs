//! Defect: where CPython refuses something to an interpreter, its message does not say what would allow it.
//!
//! Has it: 3.12 and later. `preexec_fn`: all versions.
//!
//! Cure: the message goes on with the name of the option. In `threading`, it is a constant of the code, and is replaced
//! there.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"threading"],
    c"
def replacers(call, put, at_end):
    DAEMON = 'subpy_interpreter_config::allow_daemon_threads allows them'
    OF_MAIN = 'no option allows it, since CPython lets a forked child of the main interpreter alone run code'
    ALLOWED_BY = {
        'fork not supported for isolated subinterpreters': (
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

    def complete(text):
        allowed_by = ALLOWED_BY.get(text) if isinstance(text, str) else None
        return f'{text}: {allowed_by}' if allowed_by else text

    def completed(function):
        def wrapper(*arguments, **options):
            try:
                return function(*arguments, **options)
            except RuntimeError as e:
                e.args = tuple(map(complete, e.args))
                raise

        wrapper.__name__ = function.__name__
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
)
.at_first_call(&[
    (c"_posixsubprocess", &[c"fork_exec"]),
    (
        c"_thread",
        &[c"start_new_thread", c"start_new", c"start_joinable_thread"],
    ),
    (c"posix", &[c"fork", c"forkpty", c"execv", c"execve"]),
]);
