//! Defect: `asyncio.get_event_loop()` keeps the `get_event_loop_policy()` of the interpreter that imported `_asyncio`
//! first in a C static. All interpreters get the event loop of that one, whatever they have set.
//!
//! Has it: 3.11 and before.
//!
//! Cure: each interpreter has a function of its own. (`asyncio.Future()`, made where no loop runs and without one,
//! still asks the other interpreter.)

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"_asyncio"],
    c"
def replacers(call, put, at_end):
    def of_module(module):
        running = module._get_running_loop

        def get_event_loop():
            loop = running()
            if loop is not None:
                return loop
            from asyncio.events import get_event_loop_policy
            return get_event_loop_policy().get_event_loop()

        def _get_event_loop(stacklevel=3):
            return get_event_loop()

        put(module, get_event_loop, _get_event_loop)

    return {'_asyncio': of_module}
",
);
