//! Defect: `_ctypes` has one table of pointer types for the process. It keeps each type of an interpreter that has ended, for
//! which that has asked for a pointer type: 16 KiB for those that `ctypes` itself asks for.
//!
//! Has it: 3.12 and before.
//!
//! Cure: an interpreter's own types leave the table before it ends.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"_ctypes"],
    c"
def replacers(call, put, at_end):
    def replace_ctypes(module):
        import gc
        table = module._pointer_type_cache

        def take_back():
            own = set(map(id, gc.get_objects()))
            for key in [key for key in table if id(key) in own]:
                del table[key]

        at_end(take_back)

    return {'_ctypes': replace_ctypes}
",
);
