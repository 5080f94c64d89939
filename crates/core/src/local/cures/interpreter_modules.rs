//! Defect: CPython's own modules for interpreters reach all of a process: a script runs code in another one, reads its
//! queues, or ends it while it runs. What they create has none of our cures.
//!
//! Has it: all versions.
//!
//! Cure: they can't be imported. That is a ModuleNotFoundError, as where Python has none of them.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[
        c"_interpreters",
        c"_interpchannels",
        c"_interpqueues",
        c"_xxsubinterpreters",
        c"_xxinterpchannels",
    ],
    c"
def replacers(call, put, at_end):
    def refuse(module):
        name = module.__name__
        raise ModuleNotFoundError(
            f'{name} reaches every interpreter of the process, so scripts of subpy do not have it. They may have '
            'subpy._interpreters and subpy.interpreters: it needs subpy_interpreter_config::allow_interpreters',
            name=name,
        )

    return dict.fromkeys(
        ['_interpreters', '_interpchannels', '_interpqueues', '_xxsubinterpreters', '_xxinterpchannels'], refuse
    )
",
);
