//! The functions of the package that are in Rust. Those without a text are for its Python code alone.

use pyo3_ffi as ffi;

use crate::data::config::Backend;
use crate::data::error::{Error, Status};
use crate::data::id::Id;
use crate::data::operation::{CreateOptions, Operation};
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::attach::Attached;
use crate::local::interpreter as local;
use crate::local::pickling;
use crate::local::python::arguments::function;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::exception::{TYPE_ERROR, VALUE_ERROR, is_set};
use crate::local::python::method::Method;
use crate::local::python::object::Object;
use crate::queue;
use crate::scripting::caller::Caller;

static LOW_LEVEL: [Method; 16] = [
    Method::fast(c"destroy", destroy).with_doc(c"destroy($module, id)\n--\n\nFinalizes an interpreter, which must not run. Its exit functions run, and its threads \
          are awaited."),
    Method::fast(c"list_all", list_all).with_doc(
        c"list_all($module, /)\n--\n\nThe ids of all interpreters that this one knows, in ascending order: the main one, \
          and those of its family.",
    ),
    Method::fast(c"get_current", get_current)
        .with_doc(c"get_current($module, /)\n--\n\nThe id of the interpreter that runs this."),
    Method::fast(c"get_main", get_main)
        .with_doc(c"get_main($module, /)\n--\n\nThe id of the main interpreter, which is 0."),
    Method::fast(c"is_running", is_running)
        .with_doc(c"is_running($module, id)\n--\n\nWhether something runs in an interpreter now."),
    Method::fast(c"run_string", run_string).with_doc(
        c"run_string($module, id, script)\n--\n\nRuns a program in the __main__ of an interpreter, in the calling thread. \
          Its names stay there. SystemExit ends the program alone. Another exception is raised here: with its own \
          class if that is a built-in one, else as RunFailedError. Its cause is the traceback there.",
    ),
    Method::fast(c"run_string_unrestricted", run_string_unrestricted).with_doc(
        c"run_string_unrestricted($module, id, script, ns=None)\n--\n\nAs run_string(), but adds the names of ns to \
          __main__ before, save those that start with two underscores. It returns a dict of the names that are there \
          afterwards. Values are copied, and what can't be is left out.",
    ),
    Method::fast(c"_create", create),
    Method::fast(c"_exec", exec),
    Method::fast(c"_call", call),
    Method::fast(c"_whence", whence),
    Method::fast(c"_room", room),
    Method::fast(c"_count_objects", count_objects),
    Method::fast(c"_retain", retain),
    Method::fast(c"_release", release),
    Method::fast(c"_create_queue", create_queue),
];

/// Puts a module's functions into its namespace, before its own code runs. `None`: an exception is set.
pub(super) fn add(
    py: Attached<'_>,
    module: &str,
    caller: &Object,
    namespace: &Object,
    name: &Object,
) -> Option<()> {
    let methods: &'static [Method] = match module {
        "subpy._interpreters" => &LOW_LEVEL,
        _ => &[],
    };
    for method in methods {
        namespace.set_item(py, method.name(), &method.bind_in(py, Some(caller), name)?)?;
    }
    if !methods.is_empty() {
        let owner = &Caller::of(py, caller).owner;
        namespace.set_item(py, c"_crossing", &pickling::functions(py, owner)?)?;
        namespace.set_item(py, c"_queues", &queue::names(py)?)?;
    }
    Some(())
}

/// Takes what a module's own code has defined for these functions.
pub(super) fn added(
    py: Attached<'_>,
    module: &str,
    caller: &Object,
    namespace: &Object,
) -> Option<()> {
    if module == "subpy._interpreters" {
        let error = EmbeddedCode::function(py, namespace, c"_error")?;
        Caller::of(py, caller).set_error(error);
    }
    Some(())
}

/// An id. `None`: an exception is set.
fn id_of(py: Attached<'_>, object: &Object) -> Option<Id> {
    // SAFETY: attached; a live object; a new reference.
    let id = unsafe {
        if ffi::PyIndex_Check(object.as_ptr()) == 0 {
            let kind = object.type_name(py);
            return TYPE_ERROR.raise(py, &format!("an interpreter's id is an int, not {kind}"));
        }
        let number = Object::owned(py, ffi::PyNumber_Index(object.as_ptr()))?;
        ffi::PyLong_AsLongLong(number.as_ptr())
    };
    if id < 0 {
        if !is_set(py) {
            return VALUE_ERROR.raise(py, &format!("an interpreter's id is not negative: {id}"));
        }
        return None;
    }
    Some(Id::new(id))
}

/// The UTF-8 of a str, which lives as long as that. `None`: an exception is set.
fn text_of<'a>(py: Attached<'_>, object: &'a Object, what: &str) -> Option<&'a [u8]> {
    // SAFETY: attached; a live object, which keeps its UTF-8.
    unsafe {
        if ffi::PyUnicode_Check(object.as_ptr()) == 0 {
            let kind = object.type_name(py);
            return TYPE_ERROR.raise(py, &format!("{what} has to be a str, not {kind}"));
        }
        let mut length = 0;
        let data = ffi::PyUnicode_AsUTF8AndSize(object.as_ptr(), &mut length);
        (!data.is_null()).then(|| std::slice::from_raw_parts(data.cast(), length as usize))
    }
}

function!(destroy(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    let id = id_of(py, id)?;
    let keeps_waiting = local::Interpreter::keeps_waiting();
    let destroyed = caller.perform(py, &Operation::Destroy(id));
    if let Err(error) = destroyed {
        match keeps_waiting() {
            true => caller.raise(py, &error),
            false => local::Interpreter::raise_request(py, caller.owner.id),
        }
        return None;
    }
    Object::none(py)
});

function!(list_all(; 0, 0), Caller::of, |py, caller, []| caller.object_of(py, &Operation::ListAll));

function!(get_current(; 0, 0), Caller::of, |py, caller, []| Object::int(py, caller.id.get()));

function!(get_main(; 0, 0), Caller::of, |py, _caller, []| Object::int(py, Id::MAIN.get()));

function!(is_running(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    caller.object_of(py, &Operation::IsRunning(id_of(py, id)?))
});

function!(run_string(c"id", c"script"; 2, 2), Caller::of, |py, caller, [Some(id), Some(script)]| {
    let (id, script) = (id_of(py, id)?, text_of(py, script, "script")?);
    match caller.perform(py, &Operation::Run(id, script)) {
        Err(error) if error.status() != Status::Exit => {
            caller.raise(py, &error);
            None
        }
        _ => Object::none(py),
    }
});

function!(run_string_unrestricted(c"id", c"script", c"ns"; 2, 3), Caller::of, |py, caller, [Some(id), Some(script), ns]| {
    let (id, script) = (id_of(py, id)?, text_of(py, script, "script")?);
    let names = match ns {
        None => OwnedValue::NONE,
        Some(ns) => pickling::read(py, ns, "ns", &caller.owner)?,
    };
    caller.object_of(py, &Operation::RunUnrestricted(id, script, names.get()))
});

function!(create(c"path", c"backend", c"allow_fork", c"allow_exec", c"allow_threads", c"allow_daemon_threads", c"share_environment",
        c"allow_interpreters", c"interpreter_limit", c"memory_limit"; 10, 10), Caller::of, |py, caller, [Some(path), Some(backend), options @ ..]| {
        let path: Vec<String> = path.items(py).filter_map(|place| place.to_text(py)).collect();
        let [fork, exec, threads, daemons, environment, interpreters, count, memory] = options;
        let options = CreateOptions {
            backend: match backend.to_text(py).as_deref() {
                Some("process") => Some(Backend::Process),
                Some(_) => Some(Backend::Local),
                None => None,
            },
            allow_fork: flag(py, fork?)?,
            allow_exec: flag(py, exec?)?,
            allow_threads: flag(py, threads?)?,
            allow_daemon_threads: flag(py, daemons?)?,
            share_environment: flag(py, environment?)?,
            allow_interpreters: flag(py, interpreters?)?,
            interpreter_limit: limit(py, count?)?.map(|n| n.try_into().unwrap_or(u32::MAX)),
            memory_limit: limit(py, memory?)?,
        };
        caller.object_of(py, &Operation::Create(options, path))
    }
);

/// What may be None. `None`: an exception is set.
fn flag(py: Attached<'_>, object: &Object) -> Option<Option<bool>> {
    match object.is_none(py) {
        true => Some(None),
        false => object.truth(py).map(Some),
    }
}

/// As [`flag`].
fn limit(py: Attached<'_>, object: &Object) -> Option<Option<u64>> {
    if object.is_none(py) {
        return Some(None);
    }
    // SAFETY: attached; a live object; a new reference.
    let limit = unsafe {
        let number = Object::owned(py, ffi::PyNumber_Index(object.as_ptr()))?;
        ffi::PyLong_AsUnsignedLongLong(number.as_ptr())
    };
    (limit != u64::MAX || !is_set(py)).then_some(Some(limit))
}

// `_exec(id, code)`: as run_string(), but what the program has raised is the answer.
function!(exec(c"id", c"code"; 2, 2), Caller::of, |py, caller, [Some(id), Some(code)]| {
    let (id, code) = (id_of(py, id)?, text_of(py, code, "code")?);
    match caller.perform(py, &Operation::Run(id, code)) {
        Ok(_) => Object::none(py),
        Err(error) => raised(py, caller, &error),
    }
});

// `_call(id, function, arguments, root)`: calls a function of `pickling.py`. The answer is what that returns, and what it
// has raised: a tuple of both.
function!(call(c"id", c"function", c"arguments", c"root"; 4, 4), Caller::of, |py, caller, [Some(id), Some(function), Some(arguments), Some(root)]| {
    let (id, function) = (id_of(py, id)?, text_of(py, function, "function")?);
    let root = String::from_utf8_lossy(text_of(py, root, "root")?);
    let read = |i| pickling::read(py, &arguments.at(py, i)?, &root, &caller.owner);
    let owned: Vec<OwnedValue> = (0..arguments.count(py)).map(read).collect::<Option<_>>()?;
    let arguments: Vec<Value<'_>> = owned.iter().map(|value| *value.get()).collect();
    let function = String::from_utf8_lossy(function);
    match caller.perform(py, &Operation::Call(id, &function, &arguments)) {
        Ok(result) => Object::tuple(py, &[&caller.object(py, result.get())?, &Object::none(py)?]),
        Err(error) => Object::tuple(py, &[&Object::none(py)?, &raised(py, caller, &error)?]),
    }
});

/// What the target has raised, as data. `None`: it is another error, whose exception is set.
fn raised(py: Attached<'_>, caller: &Caller, error: &Error) -> Option<Object> {
    match (error.status(), error.exception()) {
        (Status::Exception | Status::Exit, Some(exception)) => caller.details(py, error, exception),
        _ => {
            caller.raise(py, error);
            None
        }
    }
}

// `_whence(id)`: who has created it: 'main', 'host' or 'script'.
function!(whence(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    caller.object_of(py, &Operation::Whence(id_of(py, id)?))
});

// `_room()`: how many interpreters may be created now.
function!(room(; 0, 0), Caller::of, |py, caller, []| caller.object_of(py, &Operation::Room));

// `_count_objects(id)`: it ends with the last Interpreter object.
function!(count_objects(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    caller.object_of(py, &Operation::CountObjects(id_of(py, id)?))
});

// `_retain(id)`: there is one object more. The answer is whether they count.
function!(retain(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    caller.object_of(py, &Operation::Retain(id_of(py, id)?))
});

// `_release(id)`: there is one less. With the last one the interpreter ends, if it can without waiting.
function!(release(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    caller.object_of(py, &Operation::Release(id_of(py, id)?))
});

// `_create_queue(maxsize, rule)`
function!(create_queue(c"maxsize", c"rule"; 2, 2), Caller::of, |py, caller, [Some(maxsize), Some(rule)]| {
    // SAFETY: attached; a live object.
    let maxsize = unsafe { ffi::PyLong_AsSsize_t(maxsize.as_ptr()) };
    if maxsize == -1 && is_set(py) {
        return None;
    }
    queue::create(py, maxsize, queue::rule_of(rule.number(py)), &caller.owner)
});
