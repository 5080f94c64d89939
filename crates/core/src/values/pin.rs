//! Memory of Python objects in the host's hands: pinned by the buffer protocol, so that it stays where
//! it is, and given back with the interpreter attached, by whatever thread.
//!
//! An interpreter of whose objects the host holds pins is not ended: that is `Busy`. So a pin's
//! interpreter lives, and a thread that gives pins back may enter it at any time.

use std::rc::Rc;

use pyo3_ffi as ffi;

use crate::runtime::{phase, registry};
use crate::values::convert::Conversion;
use crate::values::local::Local;
use crate::values::value::BufferInfo;

/// One buffer. Made and dropped while its interpreter is attached.
pub(crate) struct Pin {
    /// Boxed: its shape may point into itself.
    view: Box<ffi::Py_buffer>,
    local: Rc<Local>,
}

impl Pin {
    /// Pins the memory of `object`. `None`: an exception is set.
    ///
    /// # Safety
    /// Attached; `object` lives.
    pub(crate) unsafe fn new(
        object: *mut ffi::PyObject,
        conversion: Conversion,
        local: &Rc<Local>,
    ) -> Option<Self> {
        let layout = if conversion.strided {
            ffi::PyBUF_STRIDES
        } else {
            ffi::PyBUF_C_CONTIGUOUS
        };
        let mut view = Box::new(ffi::Py_buffer::new());
        // SAFETY: the caller's promise; the view stays where it is.
        if unsafe { ffi::PyObject_GetBuffer(object, &mut *view, layout | ffi::PyBUF_FORMAT) } != 0 {
            return None;
        }
        local.pins.set(local.pins.get() + 1);
        Some(Self {
            view,
            local: local.clone(),
        })
    }

    /// What the host sees. It points into the view.
    pub(crate) fn info(&self) -> BufferInfo {
        let view = &*self.view;
        let strides = if self.is_contiguous() {
            std::ptr::null()
        } else {
            view.strides
        };
        BufferInfo {
            data: view.buf,
            length: view.len as usize,
            writable: (view.readonly == 0).into(),
            item_size: view.itemsize as usize,
            format: if view.format.is_null() {
                c"B".as_ptr()
            } else {
                view.format
            },
            dimensions: view.ndim as usize,
            shape: view.shape,
            strides,
            ..BufferInfo::default()
        }
    }

    fn is_contiguous(&self) -> bool {
        // SAFETY: a view that is filled.
        unsafe { ffi::PyBuffer_IsContiguous(&*self.view, b'C' as _) != 0 }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // SAFETY: ours, and its interpreter is attached.
        unsafe { ffi::PyBuffer_Release(&mut *self.view) };
        self.local.pins.set(self.local.pins.get() - 1);
    }
}

/// The pins of one tree. Made and dropped while their interpreter is attached, but see
/// [`release`](Self::release).
pub(crate) struct Pins(pub(crate) Vec<Pin>);

impl Pins {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops them, in whatever thread. Waits for the interpreter's GIL.
    pub(crate) fn release(self: Box<Self>) {
        let Some(id) = self.0.first().map(|pin| pin.local.id) else {
            return;
        };
        match registry::find(id) {
            // SAFETY: the pins keep the interpreter.
            Ok(interpreter) if phase::ready().is_ok() => unsafe {
                interpreter.visit(|| drop(self));
            },
            // The host has finalized its Python in spite of them: there is nothing to give back to.
            _ => std::mem::forget(self),
        }
    }
}
