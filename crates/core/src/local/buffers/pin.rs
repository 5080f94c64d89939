//! Memory of Python objects in the host's hands: pinned by the buffer protocol, so that it stays where
//! it is, and given back with the interpreter attached, by whatever thread.
//!
//! A pinned buffer that the host passes on to another interpreter is shared: the pin is kept as long as
//! there is a view of it there. (In its own interpreter, the object itself is what is passed on.)
//!
//! An interpreter of whose objects there are pins is not ended: that is `Busy`. So a pin's interpreter
//! lives, and a thread that gives pins back may enter it at any time.

use std::ffi::{CStr, c_void};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::rc::Rc;
use std::sync::Arc;

use pyo3_ffi as ffi;

use crate::data::conversion::Conversion;
use crate::data::id::Id;
use crate::data::pins::Pinned;
use crate::data::value::BufferInfo;
use crate::local::attach::Attached;
use crate::local::objects::owner::{Access, Owner};
use crate::local::python::object::Object;

/// One buffer. Made and dropped while its interpreter is attached; counted in any thread.
pub(crate) struct Pin {
    /// Filled where it stays: its shape may point into itself.
    view: ffi::Py_buffer,
    object: Object,
    owner: Rc<Owner>,
}

// SAFETY: see above; what it points to is Python's and stays.
unsafe impl Send for Pin {}
// SAFETY: as above; `object` is touched only while its interpreter is attached.
unsafe impl Sync for Pin {}

impl Pin {
    /// Pins the memory of `object`. `None`: an exception is set.
    ///
    /// # Safety
    /// Attached to the interpreter of `owner`; `object` lives.
    pub(crate) unsafe fn new(
        py: Attached<'_>,
        object: *mut ffi::PyObject,
        conversion: Conversion,
        owner: &Rc<Owner>,
    ) -> Option<Arc<Self>> {
        let layout = if conversion.strided {
            ffi::PyBUF_STRIDES
        } else {
            ffi::PyBUF_C_CONTIGUOUS
        };
        let pin = Arc::new(MaybeUninit::<Self>::uninit());
        let place = Arc::as_ptr(&pin).cast_mut().cast::<Self>();
        // SAFETY: the caller's promise; a place that nobody else has yet. All of its fields are written, or
        // none is dropped.
        unsafe {
            let object = Object::borrowed(py, object)?;
            (&raw mut (*place).view).write(ffi::Py_buffer::new());
            let flags = layout | ffi::PyBUF_FORMAT;
            if ffi::PyObject_GetBuffer(object.as_ptr(), &raw mut (*place).view, flags) != 0 {
                return None;
            }
            (&raw mut (*place).object).write(object);
            (&raw mut (*place).owner).write(owner.clone());
            owner.pins.set(owner.pins.get() + 1);
            Some(pin.assume_init())
        }
    }

    fn home(&self) -> Home {
        (self.owner.id, self.owner.access)
    }

    /// The pin that a description is of, kept, if it is one of a pin.
    ///
    /// # Safety
    /// `info` is true.
    pub(crate) unsafe fn of(info: &BufferInfo) -> Option<Arc<Self>> {
        let ours: unsafe extern "C" fn(*mut c_void) = unpin;
        if !std::ptr::fn_addr_eq(info.release?, ours) {
            return None;
        }
        // SAFETY: of a pin, which lives as long as its description is true.
        unsafe {
            let pin = info.user.cast_const().cast::<Self>();
            Arc::increment_strong_count(pin);
            Some(Arc::from_raw(pin))
        }
    }

    /// The object, if it is one of this interpreter, which is attached.
    pub(crate) fn object_in(&self, owner: &Owner) -> Option<&Object> {
        (self.owner.python == owner.python).then_some(&self.object)
    }

    /// Whether it may be the memory of one number: numpy describes that of some as bytes.
    pub(crate) fn may_be_scalar(&self) -> bool {
        self.view.ndim == 0 || self.view.len <= size_of::<[u64; 2]>() as isize
    }

    /// Whether its items are addresses of Python objects: no other interpreter may have them.
    pub(crate) fn has_objects(&self) -> bool {
        if self.view.format.is_null() {
            return false;
        }
        // SAFETY: a format ends in a NUL, and stays as long as the view.
        let format = unsafe { CStr::from_ptr(self.view.format) }.to_bytes();
        // The names of fields stand between colons.
        let outside = format.split(|byte| *byte == b':').step_by(2);
        outside.into_iter().any(|part| part.contains(&b'O'))
    }

    fn is_contiguous(&self) -> bool {
        // SAFETY: a view that is filled.
        unsafe { ffi::PyBuffer_IsContiguous(&self.view, b'C' as _) != 0 }
    }
}

impl Pinned for Pin {
    /// It points into the view.
    fn info(&self) -> BufferInfo {
        let view = &self.view;
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
            dimensions: view.ndim as u32,
            shape: view.shape,
            strides,
            release: Some(unpin),
            user: std::ptr::from_ref(self).cast_mut().cast(),
            ..BufferInfo::default()
        }
    }

    fn release(self: Arc<Self>, more: Vec<Arc<dyn Pinned>>) {
        drop_in(self.home(), (self, more));
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // SAFETY: ours, and its interpreter is attached.
        unsafe { ffi::PyBuffer_Release(&mut self.view) };
        self.owner.pins.set(self.owner.pins.get() - 1);
    }
}

/// Gives back a pin that [`Pin::of`] has kept.
pub(crate) unsafe extern "C" fn unpin(pin: *mut c_void) {
    // SAFETY: kept, and given back once.
    let pin = unsafe { Arc::from_raw(pin.cast_const().cast::<Pin>()) };
    let home = pin.home();
    if let Some(pin) = Arc::into_inner(pin) {
        drop_in(home, pin);
    }
}

/// Where the objects of pins are.
type Home = (Id, Access);

/// Drops pins of an interpreter in it, in whatever thread. Waits for its GIL.
fn drop_in<T>((id, access): Home, pins: T) {
    // If the host has finalized its Python in spite of them, there is nothing to give back to.
    let mut pins = ManuallyDrop::new(pins);
    // SAFETY: the pins keep the interpreter. They are dropped once.
    access(id, &mut || unsafe { ManuallyDrop::drop(&mut pins) });
}
