//! Defect: a str that is interned is never freed. A host may ask for any number of names, such as `row_4711`: each
//! stays, even if it is not there.
//!
//! Has it: 3.12.
//!
//! Cure: a host's names are not interned there. They are found by their text.

use crate::local::attach::Attached;
use crate::local::python::object::Object;

/// A name that a host asks for. Where it is interned it is found fast in dicts: it is the very key. `None`: an
/// exception is set.
pub(crate) fn name(py: Attached<'_>, text: &str) -> Option<Object> {
    if cfg!(all(Py_3_12, not(Py_3_13))) {
        Object::text(py, text)
    } else {
        Object::interned(py, text)
    }
}
