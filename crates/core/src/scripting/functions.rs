//! The functions of the package that are in Rust. Those without a text are for its Python code alone.

use pyo3_ffi as ffi;

use crate::data::config::Backend;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::data::value::{Value, kind};
use crate::interpreter::Interpreter;
use crate::local::attach::Attached;
use crate::local::convert::arguments::Arguments;
use crate::local::interpreter as local;
use crate::local::interpreter::family;
use crate::local::interpreter::family::CreateOptions;
use crate::local::interpreter::registry;
use crate::local::pickling;
use crate::local::python::arguments::function;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::exception::{TYPE_ERROR, VALUE_ERROR, is_set};
use crate::local::python::method::Method;
use crate::local::python::object::Object;
use crate::queue;
use crate::scripting::caller::Caller;
use crate::scripting::create_for_script;

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

/// What a call has given; else its exception is set.
fn given<T>(py: Attached<'_>, caller: &Caller, outcome: Result<T>) -> Option<T> {
    outcome.map_err(|error| caller.raise(py, &error)).ok()
}

function!(destroy(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    let id = id_of(py, id)?;
    let keeps_waiting = local::Interpreter::keeps_waiting();
    let destroyed = caller.without_gil(|| caller.target(id)?.destroy_as_python(&keeps_waiting));
    if destroyed.is_err() && !keeps_waiting() {
        local::Interpreter::raise_request(py, caller.id());
        return None;
    }
    given(py, caller, destroyed)?;
    Object::none(py)
});

function!(list_all(; 0, 0), Caller::of, |py, caller, []| {
    let list = Object::list(py)?;
    let is_known = |id: &Id| family::knows(caller.id(), *id);
    for id in Interpreter::ids().into_iter().filter(is_known) {
        list.append(py, &Object::int(py, id.get())?)?;
    }
    Some(list)
});

function!(get_current(; 0, 0), Caller::of, |py, caller, []| Object::int(py, caller.id().get()));

function!(get_main(; 0, 0), Caller::of, |py, _caller, []| Object::int(py, Id::MAIN.get()));

function!(is_running(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    let id = id_of(py, id)?;
    let find = || caller.known(id)?.is_running();
    Object::bool(py, given(py, caller, find())?)
});

/// Runs a program in the target.
fn run(_: Attached<'_>, caller: &Caller, id: Id, program: &[u8]) -> Result<()> {
    caller.without_gil(|| caller.target(id)?.run_anew(program))
}

function!(run_string(c"id", c"script"; 2, 2), Caller::of, |py, caller, [Some(id), Some(script)]| {
    let (id, script) = (id_of(py, id)?, text_of(py, script, "script")?);
    match run(py, caller, id, script) {
        Err(error) if error.status() != Status::Exit => {
            caller.raise(py, &error);
            None
        }
        _ => Object::none(py),
    }
});

function!(run_string_unrestricted(c"id", c"script", c"ns"; 2, 3), Caller::of, |py, caller, [Some(id), Some(script), ns]| {
    let (id, script) = (id_of(py, id)?, text_of(py, script, "script")?);
    let ns = match ns {
        None => None,
        Some(ns) => Some(pickling::read(py, ns, "ns", &caller.owner)?).filter(|ns| ns.get().as_raw().kind != kind::NONE),
    };
    let run = || {
        let names = Arguments::new(&[], ns.as_ref().map(OwnedValue::get));
        caller.target(id)?.run_unrestricted_anew(script, names)
    };
    let result = given(py, caller, caller.without_gil(run))?;
    caller.object(py, result.get())
});

function!(create(c"path", c"allow_fork", c"allow_exec", c"allow_threads", c"allow_daemon_threads", c"share_environment",
        c"allow_interpreters", c"interpreter_limit", c"memory_limit", c"is_process"; 10, 11), Caller::of, |py, caller, [Some(path), options @ .., Some(is_process)]| {
        let path: Vec<String> = path.items(py).filter_map(|place| place.to_text(py)).collect();
        let [fork, exec, threads, daemons, environment, interpreters, count, memory] = options;
        let options = CreateOptions {
            allow_fork: flag(py, fork?)?,
            allow_exec: flag(py, exec?)?,
            allow_threads: flag(py, threads?)?,
            allow_daemon_threads: flag(py, daemons?)?,
            share_environment: flag(py, environment?)?,
            allow_interpreters: flag(py, interpreters?)?,
            interpreter_limit: limit(py, count?)?.map(|n| n.try_into().unwrap_or(u32::MAX)),
            memory_limit: limit(py, memory?)?,
        };
        let backend = match is_process.truth(py)? {
            true => Backend::Process,
            false => Backend::Local,
        };
        let create = || create_for_script(&registry::find(caller.id())?, backend, &options, &path);
        Object::int(py, given(py, caller, caller.without_gil(create))?.id().get())
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
    match run(py, caller, id, code) {
        Ok(()) => Object::none(py),
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
    let function = String::from_utf8_lossy(function);
    let call = || {
        let arguments: Vec<Value<'_>> = owned.iter().map(|value| *value.get()).collect();
        // The target need not have the package.
        caller.target(id)?.call_pickling(&function, &arguments)
    };
    match caller.without_gil(call) {
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
    let id = id_of(py, id)?;
    let find = || {
        caller.known(id)?;
        Ok(match id {
            Id::MAIN => "main",
            _ if family::has_creator(id) => "script",
            _ => "host",
        })
    };
    Object::text(py, given(py, caller, find())?)
});

// `_room()`: how many interpreters may be created now.
function!(room(; 0, 0), Caller::of, |py, caller, []| Object::int(py, family::room(caller.id()).into()));

// `_count_objects(id)`: it ends with the last Interpreter object.
function!(count_objects(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    let id = id_of(py, id)?;
    given(py, caller, caller.target(id))?;
    family::count_objects(id);
    Object::none(py)
});

// `_retain(id)`: there is one object more. The answer is whether they count.
function!(retain(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    let id = id_of(py, id)?;
    Object::bool(py, caller.known(id).is_ok() && family::retain(id))
});

// `_release(id)`: there is one less. With the last one the interpreter ends, if it can without waiting.
function!(release(c"id"; 1, 1), Caller::of, |py, caller, [Some(id)]| {
    let id = id_of(py, id)?;
    if family::release(id) {
        let _ = caller.without_gil(|| caller.target(id)?.destroy());
    }
    Object::none(py)
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
