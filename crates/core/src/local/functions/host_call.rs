//! A call of a host function: how the host answers it.
//!
//! What is always in line here: without it a host function takes 15 instructions more.

use std::ffi::CStr;
use std::rc::Rc;

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use crate::data::id::Id;
use crate::data::value::{RawValue, Value, kind};
use crate::local::attach;
use crate::local::attach::{Attached, Current};
use crate::local::convert::to_python;
use crate::local::enter;
use crate::local::enter::Attachment;
use crate::local::objects::conversion_error::ConversionError;
use crate::local::objects::owner::Owner;
use crate::local::python::exception::{self, RUNTIME_ERROR, TYPE_ERROR};
use crate::local::python::object::{Object, clear_exception};
use crate::local::stack::{Room, with_room_if_any};
use crate::local::thread::entry::Entry;
use crate::util::thread::this_thread;

/// A call of a host function. What is answered last counts; no answer is None.
pub struct HostCall<'a> {
    caller: Caller<'a>,
    keywords: RawValue,
    /// The thread that Python called in: a call is its alone, but the host may get that wrong.
    thread: u64,
    /// The thread state that was let go for the call; NULL: none was.
    released: *mut PyThreadState,
    /// The answer, if it needs no object.
    plain: RawValue,
    /// The answer, if there is one here.
    other: Option<Box<Answer>>,
    /// `None`: `__main__`.
    namespace: Option<Rc<CStr>>,
}

/// Who calls.
enum Caller<'a> {
    /// A script in this process.
    Here(&'a Rc<Owner>),
    /// One in another process.
    Far(&'a mut dyn FarCall),
}

/// A call that a script of another process makes.
pub(crate) trait FarCall {
    /// Its interpreter.
    fn interpreter(&self) -> Id;
    /// Answers with a value.
    fn answer(&mut self, value: &Value<'_>);
    /// Answers with an exception.
    fn raise(&mut self, kind: &str, message: &str);
}

enum Answer {
    Object(Object),
    Error(ConversionError),
    Raise {
        kind: String,
        message: String,
    },
    /// The caller has it.
    Far,
}

impl<'a> HostCall<'a> {
    #[inline(always)]
    pub(crate) fn new(owner: &'a Rc<Owner>, keywords: RawValue) -> Self {
        Self::of(Caller::Here(owner), keywords)
    }

    /// It comes from there. `None`: from `__main__`.
    #[inline(always)]
    pub(crate) fn set_namespace(&mut self, namespace: Option<Rc<CStr>>) {
        self.namespace = namespace;
    }

    /// A call of another process.
    pub(crate) fn far(
        call: &'a mut dyn FarCall,
        keywords: RawValue,
        namespace: Option<Rc<CStr>>,
    ) -> Self {
        let mut call = Self::of(Caller::Far(call), keywords);
        call.namespace = namespace;
        call
    }

    #[inline(always)]
    fn of(caller: Caller<'a>, keywords: RawValue) -> Self {
        Self {
            caller,
            keywords,
            thread: this_thread(),
            released: std::ptr::null_mut(),
            plain: RawValue::NONE,
            other: None,
            namespace: None,
        }
    }

    /// The thread state was let go.
    pub(crate) fn set_released(&mut self, thread_state: *mut PyThreadState) {
        self.released = thread_state;
    }

    /// The interpreter that calls.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, HostCall, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let id = interpreter.id();
    /// let f = Box::new(move |call: &mut HostCall<'_>, _: &[Value<'_>]| assert_eq!(call.interpreter(), id));
    /// interpreter.define("host", "f", &FunctionOptions::default(), f)?;
    /// interpreter.run("import host; host.f()")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn interpreter(&self) -> Id {
        match &self.caller {
            Caller::Here(owner) => owner.id,
            Caller::Far(far) => far.interpreter(),
        }
    }

    /// The namespace that calls: that of the innermost function of the calling thread which is in one or in `__main__`;
    /// if there is none, that of the run. `None`: `__main__`.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, HostCall, Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let f = Box::new(|call: &mut HostCall<'_>, _: &[Value<'_>]| assert_eq!(call.namespace(), Some(c"plugin")));
    /// interpreter.define("host", "f", &FunctionOptions::default(), f)?;
    /// interpreter.add_namespace("plugin")?;
    /// let options = RunOptions { in_namespace: Some("plugin"), ..RunOptions::default() };
    /// interpreter.run_with(b"import host; host.f()", &options)?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn namespace(&self) -> Option<&CStr> {
        self.namespace.as_deref()
    }

    /// The keyword arguments: a dict.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, HostCall, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let f = Box::new(|call: &mut HostCall<'_>, _: &[Value<'_>]| {
    ///     assert_eq!(call.keywords().get("level"), Some(&Value::int(3)));
    /// });
    /// interpreter.define("host", "f", &FunctionOptions::default(), f)?;
    /// interpreter.run("import host; host.f(level=3)")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn keywords(&self) -> &Value<'_> {
        // SAFETY: what it points to lives as long as the call.
        unsafe { Value::from_raw(&self.keywords) }
    }

    /// Answers with a value. One that can't cross is an exception in the script.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, HostCall, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let f = Box::new(|call: &mut HostCall<'_>, given: &[Value<'_>]| call.answer(&given[0]));
    /// interpreter.define("host", "f", &FunctionOptions::default(), f)?;
    /// interpreter.run("import host; assert host.f('text') == 'text'")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline]
    pub fn answer(&mut self, value: &Value<'_>) {
        if !self.answer_plain(value) {
            self.answer_any(value);
        }
    }

    /// Answers with a value that points to nothing, as the first answer. Says whether it has. Not
    /// checked for its thread: whatever comes of it is such a value.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, HostCall, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let f = Box::new(|call: &mut HostCall<'_>, _: &[Value<'_>]| {
    ///     assert!(call.answer_plain(&Value::int(7)) && !call.answer_plain(&Value::str("text")));
    /// });
    /// interpreter.define("host", "f", &FunctionOptions::default(), f)?;
    /// interpreter.run("import host; assert host.f() == 7")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline(always)]
    pub fn answer_plain(&mut self, value: &Value<'_>) -> bool {
        let raw = value.as_raw();
        let is_plain = matches!(raw.kind, kind::NONE | kind::BOOL | kind::INT | kind::FLOAT);
        let can = is_plain && self.other.is_none();
        if can {
            self.plain.kind = raw.kind;
            // SAFETY: such a value has no more than this, and any bytes are an integer. (A copy of the whole
            // would wait until all of its parts, just written, have left the store buffer.)
            self.plain.r#as.integer = unsafe { raw.r#as.integer };
        }
        can
    }

    #[inline(never)]
    fn answer_any(&mut self, value: &Value<'_>) {
        if self.thread != this_thread() {
            return to_python::lent_by(value, &mut Vec::new());
        }
        let answer = match &mut self.caller {
            Caller::Far(far) => {
                far.answer(value);
                Answer::Far
            }
            Caller::Here(owner) => {
                let owner = *owner;
                match self.attached(owner, |py| to_python::write(py, value, owner)) {
                    Ok(object) => Answer::Object(object),
                    Err(error) => Answer::Error(error),
                }
            }
        };
        self.set(answer);
    }

    /// Answers with an exception: `builtins.ValueError`, or `package.module.Oops`, which is imported.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, HostCall, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let f = Box::new(|call: &mut HostCall<'_>, _: &[Value<'_>]| call.raise("builtins.KeyError", "no"));
    /// interpreter.define("host", "f", &FunctionOptions::default(), f)?;
    /// interpreter.run("import host\ntry: host.f()\nexcept KeyError: pass")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[cold]
    pub fn raise(&mut self, kind: &str, message: &str) {
        if self.thread != this_thread() {
            return;
        }
        let answer = match &mut self.caller {
            Caller::Far(far) => {
                far.raise(kind, message);
                Answer::Far
            }
            Caller::Here(_) => Answer::Raise {
                kind: kind.into(),
                message: message.into(),
            },
        };
        self.set(answer);
    }

    /// To be called in the thread of the call.
    fn set(&mut self, answer: Answer) {
        let old = self.other.replace(Box::new(answer));
        if old.is_some()
            && let Caller::Here(owner) = self.caller
        {
            self.attached(owner, |_| drop(old));
        }
    }

    /// The answer, if it points to nothing; `None`: another one was given.
    pub(crate) fn plain_answer(&self) -> Option<&Value<'_>> {
        // SAFETY: it points to nothing.
        let plain = unsafe { Value::from_raw(&self.plain) };
        self.other.is_none().then_some(plain)
    }

    /// Does `work` while the interpreter is attached.
    fn attached<T>(&self, owner: &Rc<Owner>, work: impl FnOnce(Attached<'_>) -> T) -> T {
        if attach::attached_interpreter() == owner.python {
            let current = Current::get();
            return work(current.attached());
        }
        // SAFETY: the thread state, if it was let go, is this thread's to attach again. Else the host
        // is in another interpreter, further in; ours is kept by the call.
        unsafe {
            if self.released.is_null() {
                let (id, python) = (owner.id, owner.python);
                return with_room_if_any(|room| {
                    enter::in_new_thread_state(room, id, owner.account, python, work)
                });
            }
            let entry = Entry::new(Some(owner.id), owner.account, self.released);
            let attachment = Attachment::enter(&entry, true, Room::left_here());
            work(attachment.attached())
        }
    }

    /// What Python gets, once, of the function with this name. NULL: an exception is set.
    #[inline(always)]
    pub(crate) fn finish(
        &mut self,
        py: Attached<'_>,
        name: &str,
        owner: &Rc<Owner>,
    ) -> *mut ffi::PyObject {
        if let Some(answer) = self.other.take() {
            return finish_other(py, *answer, name);
        }
        // SAFETY: it points to nothing.
        let value = unsafe { Value::from_raw(&self.plain) };
        match to_python::write(py, value, owner) {
            Ok(object) => object.into_ptr(),
            Err(error) => refuse(py, error, name),
        }
    }
}

#[inline(never)]
fn finish_other(py: Attached<'_>, answer: Answer, name: &str) -> *mut ffi::PyObject {
    match answer {
        Answer::Object(object) => object.into_ptr(),
        Answer::Error(error) => refuse(py, error, name),
        Answer::Raise { kind, message } => {
            raise(py, &kind, &message);
            std::ptr::null_mut()
        }
        // Of a call of another process, which does not end here.
        Answer::Far => Object::none(py).map_or(std::ptr::null_mut(), Object::into_ptr),
    }
}

#[cold]
fn refuse(py: Attached<'_>, error: ConversionError, name: &str) -> *mut ffi::PyObject {
    error.raise(py, &format!("{name}(): result"));
    std::ptr::null_mut()
}

/// Sets an exception of the type that is named.
#[cold]
fn raise(py: Attached<'_>, kind: &str, message: &str) {
    let found = exception_type(py, kind);
    clear_exception(py);
    let why = match found.map(|found| made_of(py, &found, message)) {
        Some(Some(exception)) => return exception::restore(py, exception),
        Some(None) if !TYPE_ERROR.is_set(py) => return,
        Some(None) => "which can't be made of a message alone",
        None => "which is no exception type here",
    };
    clear_exception(py);
    let message = format!("{message} (the host asked for {kind:?}, {why})");
    RUNTIME_ERROR.raise::<()>(py, &message);
}

/// An exception of this type. `None`: another one is set.
fn made_of(py: Attached<'_>, class: &Object, message: &str) -> Option<Object> {
    let made = class.call(py, &[&Object::text(py, message)?])?;
    // SAFETY: a live object.
    if unsafe { ffi::PyExceptionInstance_Check(made.as_ptr()) } == 0 {
        return TYPE_ERROR.raise(py, "what an exception type makes is no exception");
    }
    Some(made)
}

/// The exception type of this name: `ValueError`, `package.module.Oops`, `package.module.Outer.Oops`.
fn exception_type(py: Attached<'_>, name: &str) -> Option<Object> {
    let parts: Vec<&str> = name.split('.').collect();
    let found = if let [only] = parts[..] {
        attribute_of(py, "builtins", &[only])
    } else {
        // The longest part that is a module.
        (1..parts.len()).rev().find_map(|n| {
            clear_exception(py);
            attribute_of(py, &parts[..n].join("."), &parts[n..])
        })
    };
    // SAFETY: attached, a live object; a type is asked about another one.
    found.filter(|found| unsafe {
        ffi::PyType_Check(found.as_ptr()) != 0
            && ffi::PyType_IsSubtype(found.as_ptr().cast(), ffi::PyExc_BaseException.cast()) != 0
    })
}

/// What is found in a module by one name after the other.
fn attribute_of(py: Attached<'_>, module: &str, names: &[&str]) -> Option<Object> {
    let module = Object::text(py, module)?;
    // SAFETY: attached; strs and live objects. Results are new.
    unsafe {
        let mut found = Object::owned(py, ffi::PyImport_Import(module.as_ptr()))?;
        for name in names {
            let name = Object::text(py, name)?;
            found = Object::owned(py, ffi::PyObject_GetAttr(found.as_ptr(), name.as_ptr()))?;
        }
        Some(found)
    }
}
