//! Queues as objects of an interpreter, which has one object of a queue at a time.

use std::rc::Rc;
use std::sync::Arc;

use crate::data::queue::Queue;
use crate::data::value::RawQueue;
use crate::local::attach::Attached;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::instance;
use crate::local::objects::instance::{Class, Instance};
use crate::local::objects::owner::Owner;
use crate::local::python::object::Object;

/// What such an object holds.
pub(crate) struct Reference(pub(crate) Queue);

impl Class for Reference {
    /// With the last one its items go, of which some may be the host's, or another interpreter's.
    fn calls_host(&self) -> bool {
        self.0.is_last()
    }

    fn forget(&self, owner: &Owner) {
        owner.queues.borrow_mut().remove(&self.0.id());
    }
}

/// The queue of an object, if it is one.
///
/// # Safety
/// Attached to the interpreter of `owner`; `object` lives, as long as the answer is used.
pub(super) unsafe fn of<'a>(
    _: Attached<'_>,
    object: *mut pyo3_ffi::PyObject,
    owner: &Owner,
) -> Option<&'a Queue> {
    let kind = owner.queue_type.get()?;
    // SAFETY: the caller's promise; such an object is one of ours.
    unsafe {
        let is_one = std::ptr::eq(pyo3_ffi::Py_TYPE(object), kind.as_ptr().cast());
        is_one.then(|| &Instance::<Reference>::of(object).0)
    }
}

/// The object of a queue.
///
/// # Safety
/// Attached to the interpreter of `owner`; `queue` is NULL or a pointer that has a reference.
pub(crate) unsafe fn object(
    py: Attached<'_>,
    queue: *const RawQueue,
    owner: &Rc<Owner>,
) -> Converted<Object> {
    if queue.is_null() {
        return Err(ConversionError::invalid("has NULL for its queue"));
    }
    // SAFETY: the caller's promise.
    let queue = unsafe { Queue::clone_raw(queue) };
    object_of(py, queue, owner).ok_or_else(ConversionError::raised)
}

/// As above. `None`: an exception is set.
pub(crate) fn object_of(py: Attached<'_>, queue: Queue, owner: &Rc<Owner>) -> Option<Object> {
    let id = queue.id();
    let there = owner.queues.borrow().get(&id).copied();
    if let Some(there) = there {
        // SAFETY: attached; an object that goes takes itself out of there.
        return unsafe { Object::borrowed(py, there) };
    }
    let make = |py: Attached<'_>| (owner.make_queue_type.get()?)(py, owner);
    // SAFETY: attached; the type is one for references of queues.
    let made = unsafe {
        instance::hold(
            py,
            |l| &l.queue_type,
            make,
            Arc::new(Reference(queue)),
            owner,
        )
    }?;
    owner.queues.borrow_mut().insert(id, made.as_ptr());
    Some(made)
}
