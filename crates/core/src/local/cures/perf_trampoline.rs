//! Defect: `sys.activate_stack_trampoline()` keeps what it makes in C statics, for all interpreters and without a lock.
//! Two that use it at once end the process.
//!
//! Has it: 3.12 and later.
//!
//! Cure: it is refused, as where there is no `perf`.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[],
    c"
def replacers(call, put, at_end):
    def activate_stack_trampoline(backend, /):
        raise ValueError('perf trampolines are the process\\'s: scripts of subpy do not have them')

    return {'sys': lambda sys: put(sys, activate_stack_trampoline)}
",
)
.at_first_call(&[(c"sys", &[c"activate_stack_trampoline"])]);
