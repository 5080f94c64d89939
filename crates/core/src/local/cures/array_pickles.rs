//! Defect: `array` keeps the function that makes an array from its pickle in a C static. It is the one of the first
//! interpreter that has pickled an array; in all others `pickle` refuses it ("it's not the same object").
//!
//! Has it: 3.11 and before.
//!
//! Cure: `copyreg` knows how an array is pickled: by its items, as in the first protocols, which each Python reads.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"array"],
    c"
def replacers(call, put, at_end):
    def replace_array(module):
        import copyreg

        def reduce_array(array):
            return module.array, (array.typecode, array.tolist())

        copyreg.pickle(module.array, reduce_array)

    return {'array': replace_array}
",
);
