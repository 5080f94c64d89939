//! Defect: a script lifts the check that keeps extension modules out of an interpreter with a GIL of its own, unless
//! they are made for that. Two interpreters then use one module's statics at once: they hang, or the process dies.
//!
//! Has it: 3.12 and later.
//!
//! Cure: `_imp._override_multi_interp_extensions_check`, which `importlib.util` calls, is refused.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[],
    c"
def replacers(call, put, at_end):
    def _override_multi_interp_extensions_check(override, /):
        raise RuntimeError(
            'this interpreter takes only extension modules that are made for a GIL of its own; '
            'one with SUBPY_GIL_SHARED takes others'
        )

    return {'_imp': lambda imp: put(imp, _override_multi_interp_extensions_check)}
",
)
.at_first_call(&[(c"_imp", &[c"_override_multi_interp_extensions_check"])]);
