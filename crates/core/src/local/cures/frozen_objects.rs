//! Defect: what a script has frozen (`gc.freeze()`) is never collected, not even when its interpreter ends: that leaves 1.1
//! MiB. So does what it has the collector save (`gc.DEBUG_SAVEALL`).
//!
//! Has it: all versions.
//!
//! Cure: both are undone before the end.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"gc"],
    c"
def replacers(call, put, at_end):
    def undo(gc):
        debug, set_debug, garbage, unfreeze = gc.get_debug, gc.set_debug, gc.garbage, gc.unfreeze

        def release():
            unfreeze()
            if debug() & gc.DEBUG_SAVEALL:
                set_debug(debug() & ~gc.DEBUG_SAVEALL)
                garbage.clear()

        at_end(release)

    return {'gc': undo}
",
);
