//! Queues as objects of an interpreter, which has one object of a queue at a time.

use std::rc::Rc;
use std::sync::Arc;

use crate::data::queue::Queue;
use crate::data::value::RawQueue;
use crate::local::attach::Attached;
use crate::local::objects::holder;
use crate::local::objects::holder::{Held, Holdable};
use crate::local::objects::local::Local;
use crate::local::objects::trouble::{Outcome, Trouble};
use crate::local::python::object::Object;

/// What such an object holds.
pub(crate) struct Reference(pub(crate) Queue);

impl Holdable for Reference {
    /// With the last one its items go, of which some may be the host's, or another interpreter's.
    fn calls_host(&self) -> bool {
        self.0.is_last()
    }

    fn forget(&self, local: &Local) {
        local.queues.borrow_mut().remove(&self.0.id());
    }
}

/// The queue of an object, if it is one.
///
/// # Safety
/// Attached to the interpreter of `local`; `object` lives, as long as the answer is used.
pub(super) unsafe fn of<'a>(
    _: Attached<'_>,
    object: *mut pyo3_ffi::PyObject,
    local: &Local,
) -> Option<&'a Queue> {
    let kind = local.queue_type.get()?;
    // SAFETY: the caller's promise; such an object is one of ours.
    unsafe {
        let is_one = std::ptr::eq(pyo3_ffi::Py_TYPE(object), kind.as_ptr().cast());
        is_one.then(|| &Held::<Reference>::of(object).0)
    }
}

/// The object of a queue.
///
/// # Safety
/// Attached to the interpreter of `local`; `queue` is NULL or a pointer that has a reference.
pub(crate) unsafe fn object(
    py: Attached<'_>,
    queue: *const RawQueue,
    local: &Rc<Local>,
) -> Outcome<Object> {
    if queue.is_null() {
        return Err(Trouble::invalid("has NULL for its queue"));
    }
    // SAFETY: the caller's promise.
    let queue = unsafe { Queue::clone_raw(queue) };
    object_of(py, queue, local).ok_or_else(Trouble::raised)
}

/// As above. `None`: an exception is set.
pub(crate) fn object_of(py: Attached<'_>, queue: Queue, local: &Rc<Local>) -> Option<Object> {
    let id = queue.id();
    let there = local.queues.borrow().get(&id).copied();
    if let Some(there) = there {
        // SAFETY: attached; an object that goes takes itself out of there.
        return unsafe { Object::borrowed(py, there) };
    }
    let make = |py: Attached<'_>| (local.make_queue_type.get()?)(py, local);
    // SAFETY: attached; the type is one for references of queues.
    let made = unsafe {
        holder::hold(
            py,
            |l| &l.queue_type,
            make,
            Arc::new(Reference(queue)),
            local,
        )
    }?;
    local.queues.borrow_mut().insert(id, made.as_ptr());
    Some(made)
}
