//! Defect: `_asyncio` keeps up to 255 iterators of futures to be used again, each with a reference to its type. At the
//! interpreter's end it frees them without that. So the type stays, with its module and what that leads to: 130 KiB
//! after one `await` of a future.
//!
//! Has it: 3.12 and 3.13.
//!
//! Cure: those that are kept are freed with their references: before the end, and once more with the interpreter's own
//! dictionary, since a task that still waits for a future gives its iterator back at the end. The list and its length are
//! two words of the module's state. They are found by what happens to them when an iterator is given back.

#[cfg(all(Py_3_12, not(Py_3_14)))]
pub(crate) use cure::free;

#[cfg(not(all(Py_3_12, not(Py_3_14))))]
use crate::local::attach::Attached;

/// Nothing to do in this version.
#[cfg(not(all(Py_3_12, not(Py_3_14))))]
pub(crate) fn free(_: Attached<'_>) {}

#[cfg(all(Py_3_12, not(Py_3_14)))]
mod cure {
    use std::ffi::{CStr, c_void};

    use pyo3_ffi as ffi;

    use crate::local::attach::Attached;
    use crate::local::python::capsule::capsule;
    use crate::local::python::embedded_code::EmbeddedCode;
    use crate::local::python::interpreter_dict::keep;
    use crate::local::python::object::{Object, clear_exception, imported};

    /// An iterator. While it is kept it has the next one where it had its future.
    #[repr(C)]
    struct Iterator {
        head: ffi::PyObject,
        next: *mut Iterator,
    }

    /// How many are kept at most.
    const MOST: usize = 255;

    /// To be called while the interpreter is attached, before it is ended.
    pub(crate) fn free(py: Attached<'_>) {
        let _ = free_all(py);
        clear_exception(py);
    }

    fn free_all(py: Attached<'_>) -> Option<()> {
        let iterator = an_iterator(py, &imported(py, c"_asyncio")?)?;
        // SAFETY: attached; a live object, whose type is the module's, whose state lives as long as the module.
        unsafe {
            let kind = iterator.class(py)?;
            let name = (*kind.as_ptr().cast::<ffi::PyTypeObject>()).tp_name;
            if CStr::from_ptr(name) != c"_asyncio.FutureIter" {
                return None; // a script has put something else there
            }
            let module = Object::borrowed(py, ffi::PyType_GetModule(kind.as_ptr().cast()))?;
            let state = ffi::PyModule_GetState(module.as_ptr()).cast::<usize>();
            let count =
                (*ffi::PyModule_GetDef(module.as_ptr())).m_size as usize / size_of::<usize>();
            let word = |i| state.add(i);
            let before: Vec<usize> = (0..count).map(|i| word(i).read()).collect();
            let address = iterator.as_ptr() as usize;
            drop(iterator);
            let list = (0..count - 1).find(|&i| {
                let length = word(i + 1).read();
                word(i).read() == address
                    && before[i] != address
                    && length == before[i + 1] + 1
                    && length <= MOST
            })?;
            let kept = Kept {
                list: word(list),
                _module: module,
            };
            kept.free();
            keep(py, NAME, &capsule(py, NAME, kept)?)
        }
    }

    /// What is kept, in the module's state.
    struct Kept {
        list: *mut usize,
        /// The state lives as long.
        _module: Object,
    }

    impl Kept {
        /// Frees it all. To be called while the interpreter is attached.
        fn free(&self) {
            // SAFETY: the list and its length are where they were found; the iterators in it are nobody else's.
            unsafe {
                let mut next = self.list.read() as *mut Iterator;
                self.list.write(0);
                self.list.add(1).write(0);
                while !next.is_null() {
                    let iterator = next;
                    next = (*iterator).next;
                    let kind = ffi::Py_TYPE(iterator.cast());
                    ffi::PyObject_GC_Del(iterator.cast::<c_void>());
                    ffi::Py_DECREF(kind.cast());
                }
            }
        }
    }

    /// It goes with the interpreter's own dictionary: before its last garbage collection.
    impl Drop for Kept {
        fn drop(&mut self) {
            self.free();
        }
    }

    const NAME: &CStr = c"subpy.asyncio";

    /// A new iterator, of a future whose loop is none.
    fn an_iterator(py: Attached<'_>, asyncio: &Object) -> Option<Object> {
        static MAKE: EmbeddedCode = EmbeddedCode::new(
            c"<subpy>",
            c"
class Loop:
    get_debug = staticmethod(lambda: False)

def make(future):
    return future(loop=Loop()).__await__()
",
        );
        let make = EmbeddedCode::function(py, &MAKE.run(py)?, c"make")?;
        make.call(py, &[&asyncio.attribute(py, c"Future")?])
    }
}
