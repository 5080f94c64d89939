//! Queues, as scripts see them: a type for each interpreter that has met one.

mod host;

use std::ffi::{CStr, c_void};
use std::rc::Rc;
use std::time::{Duration, Instant};

use pyo3_ffi as ffi;

use crate::data::conversion::Conversion;
use crate::data::id::Id;
use crate::data::queue::{IfGone, Item, Queue, Refused, Rules, WaitLimit};
use crate::data::tree::OwnedValue;
use crate::local::attach::{Attached, Current};
use crate::local::convert::queue::{Reference, object_of};
use crate::local::convert::{from_python, to_python};
use crate::local::enter;
use crate::local::interpreter::{Interpreter, family};
use crate::local::objects::instance;
use crate::local::objects::instance::Instance;
use crate::local::objects::owner::Owner;
use crate::local::pickling;
use crate::local::python::arguments::function;
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::exception;
use crate::local::python::exception::{MEMORY_ERROR, TYPE_ERROR, VALUE_ERROR};
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::{Method, NO_GETTER, Table, answer, attribute, getter};
use crate::local::python::object::{Object, clear_exception};

type Pointer = *mut ffi::PyObject;

/// The classes of exceptions, and what stands for items that are gone.
pub(crate) static NAMES: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    EmbeddedCode::text(concat!(include_str!("queue/exceptions.py"), "\0")),
);

const KEPT: &CStr = c"subpy.queues";

/// What `names.py` defines, in the attached interpreter: a dict. `None`: an exception is set.
pub(crate) fn names(py: Attached<'_>) -> Option<Object> {
    if let Some(there) = kept(py, KEPT) {
        return Some(there);
    }
    let made = Object::dict(py)?;
    made.set_item(py, c"__name__", &Object::text(py, "subpy.interpreters")?)?;
    NAMES.run_in(py, &made)?;
    keep(py, KEPT, &made)?;
    Some(made)
}

static METHODS: Table<[Method; 10]> = Table([
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

static GETTERS: Table<[ffi::PyGetSetDef; 5]> = Table([
    getter(
        c"id",
        id,
        Some(c"Its number, which no other queue of the process has."),
    ),
    getter(
        c"maxsize",
        maxsize,
        Some(c"How many items it holds at most; 0: any number."),
    ),
    getter(c"closed", closed, Some(c"Whether it is closed.")),
    getter(
        c"unbounditems",
        unbounditems,
        Some(c"What becomes of items whose interpreter ends."),
    ),
    NO_GETTER,
]);

const OWNER: &CStr = c"subpy.queue_type.owner";

/// The type, for the attached interpreter, whose own this is. `None`: an exception is set.
pub(crate) fn make_type(py: Attached<'_>, owner: &Rc<Owner>) -> Option<Object> {
    keep(py, OWNER, &capsule(py, OWNER, owner.clone())?)?;
    let slots = [
        instance::slot(ffi::Py_tp_new, new as *mut c_void),
        instance::slot(ffi::Py_tp_methods, METHODS.of_type()),
        instance::slot(ffi::Py_tp_getset, GETTERS.of_type()),
        instance::slot(ffi::Py_tp_repr, repr as *mut c_void),
        instance::slot(ffi::Py_tp_hash, hash as *mut c_void),
        instance::slot(ffi::Py_tp_iter, ffi::PyObject_SelfIter as *mut c_void),
        instance::slot(ffi::Py_tp_iternext, next as *mut c_void),
        instance::slot(
            ffi::Py_tp_doc,
            c"A queue between interpreters, and the host. Iterating over it takes items out until it is closed.".as_ptr()
                as *mut c_void,
        ),
    ];
    // SAFETY: attached; the slots are right for the type.
    unsafe { instance::new_type::<Reference>(py, c"subpy.interpreters.Queue", &slots) }
}

/// A new queue for a script of the attached interpreter. `None`: an exception is set.
pub(crate) fn create(
    py: Attached<'_>,
    maxsize: isize,
    if_gone: IfGone,
    owner: &Rc<Owner>,
) -> Option<Object> {
    let rules = Rules {
        maxsize,
        takes_pickles: true,
        if_gone,
        maker: Some(family::first(owner.id)),
    };
    match enter::without_gil(owner.id, || Queue::make(rules)) {
        Some(queue) => object_of(py, queue, owner),
        None => MEMORY_ERROR.raise(
            py,
            "this interpreter has as many queues as a process may have",
        ),
    }
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
    owner: &'a Rc<Owner>,
}

impl This<'_> {
    /// # Safety
    /// `object` is of the type.
    unsafe fn of<'a>(_: Attached<'_>, object: &'a Object) -> This<'a> {
        // SAFETY: the caller's promise.
        let instance = unsafe { Instance::<Reference>::of(object.as_ptr()) };
        This {
            queue: &instance.0,
            owner: instance.owner(),
        }
    }
}

/// How long a script wants to wait.
enum Wait {
    No,
    Until(Instant),
    ForEver,
}

/// `None`: an exception is set.
fn wait(py: Attached<'_>, block: Option<&Object>, timeout: Option<&Object>) -> Option<Wait> {
    if let Some(block) = block
        && !block.truth(py)?
    {
        return Some(Wait::No);
    }
    let Some(timeout) = timeout.filter(|timeout| !timeout.is_none(py)) else {
        return Some(Wait::ForEver);
    };
    // SAFETY: attached; a live object.
    let seconds = unsafe { ffi::PyFloat_AsDouble(timeout.as_ptr()) };
    if seconds == -1.0 && exception::is_set(py) {
        return None;
    }
    if seconds < 0.0 || seconds.is_nan() {
        return VALUE_ERROR.raise(py, "timeout value must be non-negative");
    }
    let time = Duration::try_from_secs_f64(seconds).ok();
    let until = time.and_then(|time| Instant::now().checked_add(time));
    Some(until.map_or(Wait::ForEver, Wait::Until))
}

/// Asks the queue something: where it is another process's, without the GIL.
fn without_gil<T>(this: &This<'_>, ask: impl FnOnce(&Queue) -> T) -> T {
    match this.queue.is_far() {
        true => enter::without_gil(this.owner.id, || ask(this.queue)),
        false => ask(this.queue),
    }
}

/// Does `work` without the GIL. It gets how long to wait, which ends with the run that waits.
fn waiting<T>(owner: &Owner, wait: &Wait, work: impl FnOnce(&WaitLimit<'_>) -> T) -> T {
    let until = match wait {
        Wait::Until(until) => Some(*until),
        Wait::No => Some(Instant::now()),
        Wait::ForEver => None,
    };
    let limit = WaitLimit {
        until,
        keeps_waiting: &Interpreter::keeps_waiting(),
    };
    enter::without_gil(owner.id, || work(&limit))
}

/// Sets the exception.
#[cold]
fn raise(py: Attached<'_>, why: Refused, if_over: &CStr, message: &str, owner: &Owner) {
    if why == Refused::Stopped {
        return Interpreter::raise_request(py, owner.id);
    }
    let (name, message) = match why {
        Refused::NoMemory => {
            MEMORY_ERROR.raise::<()>(
                py,
                "the item takes more memory than this process may have in queues",
            );
            return;
        }
        Refused::TimeOver => (if_over, message),
        _ => (c"QueueNotFoundError", "the queue is closed"),
    };
    set(py, name, message);
}

/// Sets an exception of a class of `names.py`.
#[cold]
fn set(py: Attached<'_>, class: &CStr, message: &str) {
    if let Some(class) = names(py).and_then(|names| EmbeddedCode::function(py, &names, class)) {
        exception::set(py, &class, message);
    }
}

/// The item that an object is. `None`: an exception is set.
fn item_of(py: Attached<'_>, object: &Object, this: &This<'_>, if_gone: IfGone) -> Option<Item> {
    let item = |value, is_pickled| Item {
        value,
        is_pickled,
        from: Some(this.owner.id),
        if_gone,
        is_gone: false,
        charge: None,
    };
    let item = match from_python::read(py, object, Conversion::SAME, this.owner) {
        Ok(value) => item(value, false),
        Err(error) if error.is_not_shareable() && this.queue.rules().takes_pickles => {
            item(pickled(py, object, this.owner)?, true)
        }
        Err(error) => {
            pickling::refuse(py, error, "obj", this.owner);
            return None;
        }
    };
    if this.queue.is_in(&item.value) {
        return VALUE_ERROR.raise(py, "obj has this queue in it, which can't hold itself");
    }
    Some(item)
}

/// `None`: an exception is set.
#[cold]
fn pickled(py: Attached<'_>, object: &Object, owner: &Rc<Owner>) -> Option<OwnedValue> {
    let dumped =
        pickling::function(py, owner, c"dump")?.call(py, &[object, &Object::text(py, "obj")?])?;
    pickling::read(py, &dumped, "obj", owner)
}

/// The object of an item. `None`: an exception is set.
fn object_of_item(py: Attached<'_>, item: &Item, owner: &Rc<Owner>) -> Option<Object> {
    if item.is_gone {
        return gone(py, item.if_gone);
    }
    let written = to_python::write(py, item.value.get(), owner);
    let object = written.map_err(|error| error.raise(py, "item")).ok()?;
    match item.is_pickled {
        true => pickling::function(py, owner, c"load")?.call(py, &[&object]),
        false => Some(object),
    }
}

/// What stands for an item that is gone.
#[cold]
fn gone(py: Attached<'_>, rule: IfGone) -> Option<Object> {
    let gone = EmbeddedCode::function(py, &names(py)?, c"gone")?;
    gone.call(py, &[&Object::int(py, code_of(rule))?])
}

function!(put(c"obj", c"block", c"timeout", c"unbounditems"; 1, 3), This::of, |py, this, [Some(object), block, timeout, unbound]| {
    let wait = wait(py, block, timeout)?;
    put_item(py, &this, object, &wait, unbound)
});

function!(put_nowait(c"obj", c"unbounditems"; 1, 1), This::of, |py, this, [Some(object), unbound]| {
    put_item(py, &this, object, &Wait::No, unbound)
});

fn put_item(
    py: Attached<'_>,
    this: &This<'_>,
    object: &Object,
    wait: &Wait,
    unbound: Option<&Object>,
) -> Option<Object> {
    let rules = this.queue.rules();
    let if_gone = match unbound.filter(|unbound| !unbound.is_none(py)) {
        None => rules.if_gone,
        Some(unbound) => {
            let code = EmbeddedCode::function(py, &names(py)?, c"code_of")?.call(py, &[unbound])?;
            rule_of(code.number(py))
        }
    };
    let item = item_of(py, object, this, if_gone)?;
    let put_waiting = |item| waiting(this.owner, wait, |limit| this.queue.put_item(item, limit));
    let put = match this.queue.is_far() {
        true => put_waiting(item),
        false => match (this.queue.try_put(item), wait) {
            (Err((Refused::TimeOver, item)), Wait::Until(_) | Wait::ForEver) => put_waiting(item),
            (put, _) => put,
        },
    };
    match put {
        Ok(()) => Object::none(py),
        Err((why, item)) => {
            drop(item);
            let message = format!("the queue is full: it holds {} items", rules.maxsize);
            raise(py, why, c"QueueFull", &message, this.owner);
            None
        }
    }
}

function!(get(c"block", c"timeout"; 0, 2), This::of, |py, this, [block, timeout]| {
    let wait = wait(py, block, timeout)?;
    get_item(py, &this, &wait).map_err(|why| raise(py, why, c"QueueEmpty", "the queue is empty", this.owner)).ok()?
});

function!(get_nowait(; 0, 0), This::of, |py, this, []| {
    get_item(py, &this, &Wait::No).map_err(|why| raise(py, why, c"QueueEmpty", "the queue is empty", this.owner)).ok()?
});

fn get_item(py: Attached<'_>, this: &This<'_>, wait: &Wait) -> Result<Option<Object>, Refused> {
    let get_waiting = || waiting(this.owner, wait, |limit| this.queue.get_item(limit));
    let item = match this.queue.is_far() {
        true => get_waiting()?,
        false => match (this.queue.try_get(), wait) {
            (Err(Refused::TimeOver), Wait::Until(_) | Wait::ForEver) => get_waiting()?,
            (got, _) => got?,
        },
    };
    Ok(object_of_item(py, &item, this.owner))
}

unsafe extern "C" fn next(this: Pointer) -> Pointer {
    answer(|py| {
        // SAFETY: called by Python, attached, with an object of the type, which lives meanwhile.
        let this = unsafe { This::of(py, Object::lent(py, &this)?) };
        match get_item(py, &this, &Wait::ForEver) {
            Ok(object) => object,
            Err(Refused::Closed) => None,
            Err(why) => {
                raise(py, why, c"QueueEmpty", "", this.owner);
                None
            }
        }
    })
}

function!(close(; 0, 0), This::of, |py, this, []| {
    without_gil(&this, Queue::close);
    Object::none(py)
});

function!(qsize(; 0, 0), This::of, |py, this, []| Object::int(py, without_gil(&this, Queue::length) as i64));

function!(empty(; 0, 0), This::of, |py, this, []| Object::bool(py, without_gil(&this, Queue::length) == 0));

function!(full(; 0, 0), This::of, |py, this, []| {
    Object::bool(py, without_gil(&this, Queue::is_full))
});

function!(reduce(; 0, 0), This::of, |py, this, []| {
    let kind = this.owner.queue_type.get()?;
    let id = Object::int(py, this.queue.id() as i64)?;
    Object::tuple(py, &[kind, &Object::tuple(py, &[&id])?])
});

/// `Queue(id)`: the queue that has this id.
unsafe extern "C" fn new(_: *mut ffi::PyTypeObject, arguments: Pointer, named: Pointer) -> Pointer {
    answer(|py| {
        // SAFETY: called by Python, attached, with a tuple and a dict or NULL.
        let (arguments, has_named) = unsafe {
            let has_named = !named.is_null() && ffi::PyDict_Size(named) > 0;
            (Object::lent(py, &arguments)?, has_named)
        };
        if arguments.count(py) != 1 || has_named {
            let message = "Queue() takes the id of a queue: use create_queue() for a new one";
            return TYPE_ERROR.raise(py, message);
        }
        let owner = kept(py, OWNER)?;
        find(py, &arguments.at(py, 0)?, value_of(py, &owner, OWNER))
    })
}

attribute!(id, This::of, |py, this| {
    Object::int(py, this.queue.id() as i64)
});

attribute!(maxsize, This::of, |py, this| {
    Object::int(py, this.queue.rules().maxsize as i64)
});

attribute!(closed, This::of, |py, this| {
    Object::bool(py, without_gil(&this, Queue::is_closed))
});

attribute!(unbounditems, This::of, |py, this| {
    let rule = code_of(this.queue.rules().if_gone);
    EmbeddedCode::function(py, &names(py)?, c"rule_of")?.call(py, &[&Object::int(py, rule)?])
});

unsafe extern "C" fn hash(this: Pointer) -> ffi::Py_hash_t {
    let current = Current::get();
    let py = current.attached();
    // SAFETY: called by Python, attached, with an object of the type. So for the next one.
    let this = unsafe { Object::lent(py, &this).map(|this| This::of(py, this)) };
    this.map_or(-1, |this| this.queue.id() as ffi::Py_hash_t)
}

unsafe extern "C" fn repr(this: Pointer) -> Pointer {
    answer(|py| {
        // SAFETY: see above.
        let this = unsafe { This::of(py, Object::lent(py, &this)?) };
        Object::text(py, &format!("Queue({})", this.queue.id()))
    })
}

/// The queue of an id, which the attached interpreter has, or one of its family has made. `None`: an exception is set.
fn find(py: Attached<'_>, id: &Object, owner: &Rc<Owner>) -> Option<Object> {
    if !id.is_int(py) {
        let kind = id.type_name(py);
        return TYPE_ERROR.raise(py, &format!("a queue's id is an int, not {kind}"));
    }
    let id = id.number(py);
    clear_exception(py); // of one that is too large
    let family: Option<Id> = Some(family::first(owner.id));
    let is_known = |queue: &Queue| {
        queue.is_far()
            || queue.rules().maker == family
            || owner.queues.borrow().contains_key(&queue.id())
    };
    let found = u64::try_from(id)
        .ok()
        .and_then(|id| enter::without_gil(owner.id, || Queue::find(id)))
        .filter(is_known);
    if found.is_none() {
        let message = format!("there is no queue {id} that this interpreter knows");
        set(py, c"QueueNotFoundError", &message);
    }
    object_of(py, found?, owner)
}
