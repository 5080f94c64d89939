//! Queues, as scripts see them: a type for each interpreter that has met one.

mod host;

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pyo3_ffi as ffi;

use crate::Id;
use crate::crossing;
use crate::interpreter::{Interpreter, family};
use crate::python::capsule::{capsule, value_of};
use crate::python::holder::{self, Held};
use crate::python::interpreter_dict::{keep, kept};
use crate::python::method::{Method, Methods};
use crate::python::object::{Object, clear_exception, type_name_of};
use crate::python::own_code::OwnCode;
use crate::python::{arguments, here, thread_state};
use crate::values::convert::queue::{Reference, object_of};
use crate::values::convert::{Conversion, Outcome, Trouble, from_python, to_python};
use crate::values::local::Local;
use crate::values::queue::{IfGone, Item, Patience, Queue, Refused, Rules};
use crate::values::tree::OwnedValue;

type Pointer = *mut ffi::PyObject;

/// The classes of exceptions, and what stands for items that are gone.
static NAMES: OwnCode = OwnCode::new(
    c"<subpy>",
    OwnCode::text(concat!(include_str!("queue/names.py"), "\0")),
);

const KEPT: &CStr = c"subpy.queues";

/// What `names.py` defines, in the attached interpreter: a dict. `None`: an exception is set.
pub(crate) fn names() -> Option<Object> {
    // SAFETY: attached; what is kept lives.
    if let Some(there) = unsafe { Object::borrowed(kept(KEPT)) } {
        return Some(there);
    }
    // SAFETY: attached; a new dict.
    let made = unsafe { Object::owned(ffi::PyDict_New()) }?;
    made.set_item(c"__name__", &Object::text("subpy.interpreters")?)?;
    NAMES.run_in(&made)?;
    keep(KEPT, &made)?;
    Some(made)
}

static METHODS: Methods<10> = Methods::new([
    Method::fast(c"put", put).with_doc(
        c"put($self, obj, block=True, timeout=None, *, unbounditems=None)\n--\n\nAdds an item. Where there is no room it \
          waits, for `timeout` seconds if that is not None, and raises QueueFull then; with block=False at once.\n\n\
          Plain data is copied, and the memory of a memoryview is shared; a queue that a script has made takes what can \
          be pickled, too. `unbounditems` says what becomes of the item if this interpreter ends before somebody has got it: \
          UNBOUND stands in its place, UNBOUND_ERROR raises ItemInterpreterDestroyed there, UNBOUND_REMOVE removes it; \
          None is what the queue was made with.",
    ),
    Method::fast(c"put_nowait", put_nowait)
        .with_doc(c"put_nowait($self, obj, *, unbounditems=None)\n--\n\nAs put(), with block=False."),
    Method::fast(c"get", get).with_doc(
        c"get($self, block=True, timeout=None)\n--\n\nTakes the next item out. Where there is none it waits, for \
          `timeout` seconds if that is not None, and raises QueueEmpty then; with block=False at once.",
    ),
    Method::fast(c"get_nowait", get_nowait).with_doc(c"get_nowait($self)\n--\n\nAs get(), with block=False."),
    Method::fast(c"close", close).with_doc(
        c"close($self)\n--\n\nNothing can be put any more. Who gets what is left, and then one more, gets a \
          QueueNotFoundError; an iteration ends.",
    ),
    Method::fast(c"qsize", qsize).with_doc(c"qsize($self)\n--\n\nHow many items there are."),
    Method::fast(c"empty", empty).with_doc(c"empty($self)\n--\n\nWhether there is no item."),
    Method::fast(c"full", full).with_doc(c"full($self)\n--\n\nWhether there is no room."),
    Method::fast(c"__reduce__", reduce),
    Method::END,
]);

/// A table that Python only reads.
struct Table<T>(T);
// SAFETY: never written to; what it points to is static.
unsafe impl<T> Sync for Table<T> {}

const fn getter(name: &'static CStr, get: ffi::getter, doc: &'static CStr) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set: None,
        doc: doc.as_ptr(),
        closure: null_mut(),
    }
}

static GETTERS: Table<[ffi::PyGetSetDef; 5]> = Table([
    getter(
        c"id",
        id,
        c"Its number, which no other queue of the process has.",
    ),
    getter(
        c"maxsize",
        maxsize,
        c"How many items it holds at most; 0: any number.",
    ),
    getter(c"closed", closed, c"Whether it is closed."),
    getter(
        c"unbounditems",
        unbounditems,
        c"What becomes of items whose interpreter ends.",
    ),
    ffi::PyGetSetDef {
        name: std::ptr::null(),
        get: None,
        set: None,
        doc: std::ptr::null(),
        closure: null_mut(),
    },
]);

const LOCAL: &CStr = c"subpy.queue_type.local";

/// The type, for the attached interpreter, whose own this is. `None`: an exception is set.
pub(crate) fn make_type(local: &Rc<Local>) -> Option<Object> {
    keep(LOCAL, &capsule(LOCAL, local.clone())?)?;
    let slots = [
        holder::slot(ffi::Py_tp_new, new as *mut c_void),
        holder::slot(ffi::Py_tp_methods, METHODS.table()),
        holder::slot(ffi::Py_tp_getset, GETTERS.0.as_ptr() as *mut c_void),
        holder::slot(ffi::Py_tp_repr, repr as *mut c_void),
        holder::slot(ffi::Py_tp_hash, hash as *mut c_void),
        holder::slot(ffi::Py_tp_iter, ffi::PyObject_SelfIter as *mut c_void),
        holder::slot(ffi::Py_tp_iternext, next as *mut c_void),
        holder::slot(
            ffi::Py_tp_doc,
            c"A queue between interpreters, and the host. Iterating over it takes items out until it is closed.".as_ptr()
                as *mut c_void,
        ),
    ];
    // SAFETY: attached; the slots are right for the type.
    unsafe { holder::new_type::<Reference>(c"subpy.interpreters.Queue", &slots) }
}

/// A new queue for a script of the attached interpreter. `None`: an exception is set.
pub(crate) fn create(maxsize: isize, if_gone: IfGone, local: &Rc<Local>) -> Option<Object> {
    let queue = Queue::with(Rules {
        maxsize,
        takes_pickles: true,
        if_gone,
        maker: Some(family::first(local.id)),
    });
    object_of(queue, local)
}

/// The queues that scripts of the attached interpreter's family have made.
pub(crate) fn of_family(local: &Local) -> Vec<Queue> {
    let family = Some(family::first(local.id));
    let mut all = Queue::all();
    all.retain(|queue| queue.rules().maker == family);
    all
}

/// What a rule is called in `names.py`.
fn code_of(rule: IfGone) -> i64 {
    rule as i64
}

/// As above.
pub(crate) fn rule_of(code: i64) -> IfGone {
    match code {
        1 => IfGone::Replace,
        2 => IfGone::Fail,
        3 => IfGone::Remove,
        _ => IfGone::Keep,
    }
}

// What Python calls. ----------------------------------------------------------------------------

struct This<'a> {
    queue: &'a Queue,
    local: &'a Rc<Local>,
}

impl This<'_> {
    /// # Safety
    /// Attached; `object` is of the type, and lives.
    unsafe fn of<'a>(object: Pointer) -> This<'a> {
        // SAFETY: the caller's promise.
        let held = unsafe { Held::<Reference>::of(object) };
        This {
            queue: &held.0,
            local: held.local(),
        }
    }
}

/// How long to wait. `None`: an exception is set; `Some(None)`: not at all.
unsafe fn wait(block: Pointer, timeout: Pointer) -> Option<Option<Option<Instant>>> {
    // SAFETY: the caller's promise: attached; live objects, or NULL.
    unsafe {
        if !block.is_null() {
            match ffi::PyObject_IsTrue(block) {
                -1 => return None,
                0 => return Some(None),
                _ => {}
            }
        }
        if timeout.is_null() || timeout == ffi::Py_None() {
            return Some(Some(None));
        }
        let seconds = ffi::PyFloat_AsDouble(timeout);
        if seconds == -1.0 && !ffi::PyErr_Occurred().is_null() {
            return None;
        }
        if seconds < 0.0 || seconds.is_nan() {
            let message = c"timeout value must be non-negative";
            ffi::PyErr_SetString(ffi::PyExc_ValueError, message.as_ptr());
            return None;
        }
        let time = Duration::try_from_secs_f64(seconds).ok();
        Some(Some(time.and_then(|time| Instant::now().checked_add(time))))
    }
}

/// Does `work` without the GIL. It gets how long to wait, which ends with the run that waits.
fn waiting<T>(local: &Local, until: Option<Instant>, work: impl FnOnce(&Patience<'_>) -> T) -> T {
    let is_run = here::id() == local.id;
    let goes_on = || !is_run || Interpreter::is_to_go_on(local.id);
    thread_state::without_gil(local.id, || {
        work(&Patience {
            until,
            goes_on: &goes_on,
        })
    })
}

/// Sets the exception.
#[cold]
fn raise(why: Refused, if_over: &CStr, message: &str, local: &Local) {
    if why == Refused::Stopped {
        return Interpreter::raise_what_is_asked(local.id);
    }
    let (name, message) = match why {
        Refused::TimeOver => (if_over, message),
        _ => (c"QueueNotFoundError", "the queue is closed"),
    };
    let class = names().and_then(|names| OwnCode::function(&names, name));
    if let (Some(class), Some(message)) = (class, Object::text(message)) {
        // SAFETY: attached; a class and its argument.
        unsafe { ffi::PyErr_SetObject(class.as_ptr(), message.as_ptr()) };
    }
}

/// The item that an object is. `None`: an exception is set.
unsafe fn item_of(object: Pointer, this: &This<'_>, if_gone: IfGone) -> Option<Item> {
    let item = |value, is_pickled| Item {
        value,
        is_pickled,
        from: Some(this.local.id),
        if_gone,
        is_gone: false,
    };
    // SAFETY: the caller's promise: attached; a live object.
    let item = match unsafe { from_python::read(object, Conversion::SAME, this.local) } {
        Ok(value) => item(value, false),
        Err(trouble) if trouble.is_not_shareable() && this.queue.rules().takes_pickles => {
            // SAFETY: as above.
            item(unsafe { pickled(object, this.local) }?, true)
        }
        Err(trouble) => return not_shareable(trouble, this.local),
    };
    if this.queue.is_in(&item.value) {
        let message = c"obj has this queue in it, which can't hold itself";
        // SAFETY: attached; a C string.
        unsafe { ffi::PyErr_SetString(ffi::PyExc_ValueError, message.as_ptr()) };
        return None;
    }
    Some(item)
}

#[cold]
fn not_shareable<T>(trouble: Trouble, local: &Rc<Local>) -> Option<T> {
    if !trouble.is_not_shareable() {
        trouble.raise("obj");
        return None;
    }
    trouble.raise("obj");
    let raised = crate::python::exception::one_line();
    let message = raised.strip_prefix("TypeError: ").unwrap_or(&raised);
    let class = crossing::function(local, c"NotShareableError")?;
    let message = Object::text(message)?;
    // SAFETY: attached; a class and its argument.
    unsafe { ffi::PyErr_SetObject(class.as_ptr(), message.as_ptr()) };
    None
}

/// `None`: an exception is set.
#[cold]
unsafe fn pickled(object: Pointer, local: &Rc<Local>) -> Option<OwnedValue> {
    // SAFETY: the caller's promise: attached; a live object.
    let object = unsafe { Object::borrowed(object) }?;
    let dumped = crossing::function(local, c"dump")?.call(&[&object, &Object::text("obj")?])?;
    // SAFETY: as above.
    let read = unsafe { from_python::read(dumped.as_ptr(), Conversion::SAME, local) };
    read.map_err(|trouble| trouble.raise("obj")).ok()
}

/// The object of an item. `None`: an exception is set.
fn object_of_item(item: &Item, local: &Rc<Local>) -> Option<Object> {
    if item.is_gone {
        return gone(item.if_gone);
    }
    let written: Outcome<Object> = to_python::write(item.value.get(), local);
    let object = written.map_err(|trouble| trouble.raise("item")).ok()?;
    match item.is_pickled {
        true => crossing::function(local, c"load")?.call(&[&object]),
        false => Some(object),
    }
}

/// What stands for an item that is gone.
#[cold]
fn gone(rule: IfGone) -> Option<Object> {
    let gone = OwnCode::function(&names()?, c"gone")?;
    gone.call(&[&int(code_of(rule))?])
}

fn int(n: i64) -> Option<Object> {
    // SAFETY: attached; a new reference.
    unsafe { Object::owned(ffi::PyLong_FromLongLong(n)) }
}

fn bool(is: bool) -> Option<Object> {
    // SAFETY: attached; a new reference.
    unsafe { Object::owned(ffi::PyBool_FromLong(is.into())) }
}

fn none() -> Option<Object> {
    // SAFETY: attached; it lives as long as Python.
    unsafe { Object::borrowed(ffi::Py_None()) }
}

/// Defines a method. `None`: an exception is set.
macro_rules! method {
    ($method:ident($($parameter:literal),*; $required:literal), |$this:ident, $taken:pat_param| $work:expr) => {
        unsafe extern "C" fn $method(
            this: Pointer,
            arguments: *const Pointer,
            count: ffi::Py_ssize_t,
            names: Pointer,
        ) -> Pointer {
            let work = || {
                // SAFETY: called by Python, attached, with an object of the type, which lives meanwhile.
                let ($this, $taken) = unsafe {
                    let name = stringify!($method);
                    let taken =
                        arguments::take(name, [$($parameter),*], $required, arguments, count, names)?;
                    (This::of(this), taken)
                };
                $work
            };
            work().map_or(null_mut(), Object::into_ptr)
        }
    };
}

method!(put(c"obj", c"block", c"timeout", c"unbounditems"; 1), |this, [object, block, timeout, unbound]| {
    // SAFETY: attached; live objects, or NULL.
    let wait = unsafe { wait(block, timeout) }?;
    put_item(&this, object, wait, unbound)
});

method!(put_nowait(c"obj", c"unbounditems"; 1), |this, [object, unbound]| {
    put_item(&this, object, None, unbound)
});

fn put_item(
    this: &This<'_>,
    object: Pointer,
    wait: Option<Option<Instant>>,
    unbound: Pointer,
) -> Option<Object> {
    let rules = this.queue.rules();
    // SAFETY: attached; live objects, or NULL.
    let item = unsafe {
        let if_gone = match unbound.is_null() || unbound == ffi::Py_None() {
            true => rules.if_gone,
            false => {
                let code = OwnCode::function(&names()?, c"code_of")?
                    .call(&[&Object::borrowed(unbound)?])?;
                rule_of(ffi::PyLong_AsLongLong(code.as_ptr()))
            }
        };
        item_of(object, this, if_gone)?
    };
    let put = match (this.queue.try_put(item), wait) {
        (Err((Refused::TimeOver, item)), Some(until)) => waiting(this.local, until, |patience| {
            this.queue.put_item(item, patience)
        }),
        (put, _) => put,
    };
    match put {
        Ok(()) => none(),
        Err((why, item)) => {
            drop(item);
            let message = format!("the queue is full: it holds {} items", rules.maxsize);
            raise(why, c"QueueFull", &message, this.local);
            None
        }
    }
}

method!(get(c"block", c"timeout"; 0), |this, [block, timeout]| {
    // SAFETY: attached; live objects, or NULL.
    let wait = unsafe { wait(block, timeout) }?;
    get_item(&this, wait).map_err(|why| raise(why, c"QueueEmpty", "the queue is empty", this.local)).ok()?
});

method!(get_nowait(; 0), |this, []| {
    get_item(&this, None).map_err(|why| raise(why, c"QueueEmpty", "the queue is empty", this.local)).ok()?
});

fn get_item(this: &This<'_>, wait: Option<Option<Instant>>) -> Result<Option<Object>, Refused> {
    let item = match (this.queue.try_get(), wait) {
        (Err(Refused::TimeOver), Some(until)) => {
            waiting(this.local, until, |patience| this.queue.get_item(patience))?
        }
        (got, _) => got?,
    };
    Ok(object_of_item(&item, this.local))
}

unsafe extern "C" fn next(this: Pointer) -> Pointer {
    // SAFETY: called by Python, attached, with an object of the type, which lives meanwhile.
    let this = unsafe { This::of(this) };
    match get_item(&this, Some(None)) {
        Ok(object) => object.map_or(null_mut(), Object::into_ptr),
        Err(Refused::Closed) => null_mut(),
        Err(why) => {
            raise(why, c"QueueEmpty", "", this.local);
            null_mut()
        }
    }
}

method!(close(; 0), |this, []| {
    this.queue.close();
    none()
});

method!(qsize(; 0), |this, []| int(this.queue.length() as i64));

method!(empty(; 0), |this, []| bool(this.queue.length() == 0));

method!(full(; 0), |this, []| {
    bool(this.queue.is_full())
});

method!(reduce(; 0), |this, []| {
    let kind = this.local.queue_type.get()?;
    // SAFETY: attached; a new tuple, which takes the references.
    unsafe {
        let (reduced, arguments) = (Object::owned(ffi::PyTuple_New(2))?, Object::owned(ffi::PyTuple_New(1))?);
        ffi::PyTuple_SetItem(arguments.as_ptr(), 0, int(this.queue.id() as i64)?.into_ptr());
        ffi::PyTuple_SetItem(reduced.as_ptr(), 0, kind.clone().into_ptr());
        ffi::PyTuple_SetItem(reduced.as_ptr(), 1, arguments.into_ptr());
        Some(reduced)
    }
});

/// `Queue(id)`: the queue that has this id.
unsafe extern "C" fn new(_: *mut ffi::PyTypeObject, arguments: Pointer, named: Pointer) -> Pointer {
    // SAFETY: called by Python, attached, with a tuple and a dict or NULL; the capsule is `make_type`'s.
    let found = unsafe {
        if ffi::PyTuple_GET_SIZE(arguments) != 1 || !named.is_null() && ffi::PyDict_Size(named) > 0
        {
            let message = c"Queue() takes the id of a queue: use create_queue() for a new one";
            ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr());
            return null_mut();
        }
        let local: &Rc<Local> = value_of(kept(LOCAL), LOCAL);
        find(ffi::PyTuple_GET_ITEM(arguments, 0), local)
    };
    found.map_or(null_mut(), Object::into_ptr)
}

unsafe extern "C" fn id(this: Pointer, _: *mut c_void) -> Pointer {
    // SAFETY: called by Python, attached, with an object of the type. So for those below.
    let id = unsafe { This::of(this) }.queue.id();
    int(id as i64).map_or(null_mut(), Object::into_ptr)
}

unsafe extern "C" fn maxsize(this: Pointer, _: *mut c_void) -> Pointer {
    // SAFETY: as above.
    let maxsize = unsafe { This::of(this) }.queue.rules().maxsize;
    int(maxsize as i64).map_or(null_mut(), Object::into_ptr)
}

unsafe extern "C" fn closed(this: Pointer, _: *mut c_void) -> Pointer {
    // SAFETY: as above.
    let is_closed = unsafe { This::of(this) }.queue.is_closed();
    bool(is_closed).map_or(null_mut(), Object::into_ptr)
}

unsafe extern "C" fn unbounditems(this: Pointer, _: *mut c_void) -> Pointer {
    // SAFETY: as above.
    let rule = unsafe { This::of(this) }.queue.rules().if_gone;
    let find = || OwnCode::function(&names()?, c"rule_of")?.call(&[&int(code_of(rule))?]);
    find().map_or(null_mut(), Object::into_ptr)
}

unsafe extern "C" fn hash(this: Pointer) -> ffi::Py_hash_t {
    // SAFETY: as above.
    unsafe { This::of(this) }.queue.id() as ffi::Py_hash_t
}

unsafe extern "C" fn repr(this: Pointer) -> Pointer {
    // SAFETY: as above.
    let id = unsafe { This::of(this) }.queue.id();
    Object::text(&format!("Queue({id})")).map_or(null_mut(), Object::into_ptr)
}

/// The queue of an id, which the attached interpreter has, or one of its family has made. `None`: an exception is set.
fn find(id: Pointer, local: &Rc<Local>) -> Option<Object> {
    // SAFETY: attached; a live object; types of Python's own.
    let id = unsafe {
        if ffi::PyLong_Check(id) == 0 {
            let message = format!("a queue's id is an int, not {}", type_name_of(id));
            let message = Object::text(&message)?;
            ffi::PyErr_SetObject(ffi::PyExc_TypeError, message.as_ptr());
            return None;
        }
        let number = ffi::PyLong_AsLongLong(id);
        if number < 0 {
            clear_exception();
        }
        number
    };
    let family: Option<Id> = Some(family::first(local.id));
    let is_known = |queue: &Queue| {
        queue.rules().maker == family || local.queues.borrow().contains_key(&queue.id())
    };
    let found = u64::try_from(id)
        .ok()
        .and_then(Queue::find)
        .filter(is_known);
    match found {
        Some(queue) => object_of(queue, local),
        None => {
            let class = OwnCode::function(&names()?, c"QueueNotFoundError")?;
            let message = Object::text(&format!(
                "there is no queue {id} that this interpreter knows"
            ))?;
            // SAFETY: attached; a class and its argument.
            unsafe { ffi::PyErr_SetObject(class.as_ptr(), message.as_ptr()) };
            None
        }
    }
}
