//! Runs a coroutine to its end, as `asyncio.run()` does, in an event loop that is made for it.
//!
//! `asyncio.run()` makes its loop the thread's current one, and leaves none behind. But runs of a script share one
//! thread state, so the current loop is the script's. Here it stays what it is: the coroutine finds its own loop as the
//! running one.

use crate::local::attach::Attached;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::object::Object;

static RUN: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    if cfg!(Py_3_11) {
        c"
def run(coroutine):
    import asyncio
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)
"
    } else {
        // There is no Runner yet: as `asyncio.run` is there, but for the current loop.
        c"
def run(coroutine):
    from asyncio import new_event_loop, runners
    loop = new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        try:
            runners._cancel_all_tasks(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()
"
    },
);

/// The result of the coroutine. `None`: an exception is set.
#[cold]
pub(super) fn run(py: Attached<'_>, coroutine: &Object) -> Option<Object> {
    EmbeddedCode::function(py, &RUN.run(py)?, c"run")?.call(py, &[coroutine])
}
