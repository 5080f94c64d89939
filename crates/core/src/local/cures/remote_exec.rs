//! Defect: `sys.remote_exec()` in its own process has a script run in the interpreter that was created last, whichever
//! calls it.
//!
//! Has it: 3.14 and later.
//!
//! Cure: it is refused there. In other processes it works.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[],
    c"
def replacers(call, put, at_end):
    from _operator import index
    from posix import F_OK, access

    def replace_sys(sys):
        execute = sys.remote_exec

        def remote_exec(pid, script):
            pid = index(pid)
            # A thread's number stands for its process.
            if access(f'/proc/self/task/{pid}', F_OK):
                raise RuntimeError('sys.remote_exec() in this process reaches other interpreters, so it is refused')
            return execute(pid, script)

        put(sys, remote_exec)

    return {'sys': replace_sys}
",
)
.at_first_call(&[(c"sys", &[c"remote_exec"])]);
