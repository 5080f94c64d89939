//! Defect: `sys.getallocatedblocks()` counts the blocks of all interpreters.
//!
//! Has it: all versions.
//!
//! Cure: it is 0, which stands for what can't be told.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[],
    c"
def replacers(call, put, at_end):
    def getallocatedblocks():
        return 0

    return {'sys': lambda sys: put(sys, getallocatedblocks)}
",
)
.at_first_call(&[(c"sys", &[c"getallocatedblocks"])]);
