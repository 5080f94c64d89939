//! A call of a host function: how the host answers it.

use std::marker::PhantomData;
use std::rc::Rc;

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use crate::Id;
use crate::functions::host_function::Function;
use crate::python::holder::Held;
use crate::python::object::{Object, clear_exception};
use crate::python::thread_state::{self, Attached};
use crate::values::convert::{Trouble, to_python};
use crate::values::local::Local;
use crate::values::release::Lent;
use crate::values::value::{RawValue, Value, kind};

/// A call of a host function. What is answered last counts; no answer is None.
pub struct HostCall<'a> {
    function: &'a Held<Lent<Function>>,
    keywords: RawValue,
    /// What the calling thread was attached to when Python called.
    thread_state: *mut PyThreadState,
    thread: *const u8,
    answer: Answer,
    _borrowed: PhantomData<&'a ()>,
}

enum Answer {
    /// No allocation, no pointer.
    Plain(RawValue),
    Object(Object),
    Raise {
        kind: String,
        message: String,
    },
    Trouble(Trouble),
    Panicked,
}

impl<'a> HostCall<'a> {
    #[inline(always)]
    pub(crate) fn new(function: &'a Held<Lent<Function>>, keywords: RawValue) -> Self {
        Self {
            function,
            keywords,
            thread_state: thread_state::current(),
            thread: this_thread(),
            answer: Answer::Plain(RawValue::NONE),
            _borrowed: PhantomData,
        }
    }

    /// The interpreter that calls.
    pub fn interpreter(&self) -> Id {
        self.function.local().id
    }

    /// The keyword arguments: a dict.
    pub fn keywords(&self) -> &Value<'_> {
        // SAFETY: what it points to lives as long as the call.
        unsafe { Value::from_raw(&self.keywords) }
    }

    /// Answers with a value. One that can't cross is an exception in the script.
    #[inline]
    pub fn answer(&mut self, value: &Value<'_>) {
        let raw = value.as_raw();
        if matches!(raw.kind, kind::NONE | kind::BOOL | kind::INT | kind::FLOAT) {
            return self.set(Answer::Plain(*raw));
        }
        if !self.is_in_its_thread() {
            return to_python::lent_by(value, &mut Vec::new());
        }
        let written = self.attached(|local| to_python::write(value, local));
        self.set(match written {
            Ok(object) => Answer::Object(object),
            Err(trouble) => Answer::Trouble(trouble),
        });
    }

    /// Answers with an exception: `builtins.ValueError`, or `package.module.Oops`, which is imported.
    pub fn raise(&mut self, kind: &str, message: &str) {
        self.set(Answer::Raise {
            kind: kind.into(),
            message: message.into(),
        });
    }

    #[cold]
    pub(crate) fn panicked(&mut self) {
        self.set(Answer::Panicked);
    }

    #[inline(always)]
    fn set(&mut self, answer: Answer) {
        if !self.is_in_its_thread() {
            return;
        }
        let old = std::mem::replace(&mut self.answer, answer);
        if let Answer::Object(object) = old {
            self.attached(|_| drop(object));
        }
    }

    /// A call is its thread's alone; the host may get that wrong.
    fn is_in_its_thread(&self) -> bool {
        self.thread == this_thread()
    }

    /// Does `work` while the interpreter is attached.
    fn attached<T>(&self, work: impl FnOnce(&Rc<Local>) -> T) -> T {
        let local = self.function.local();
        if thread_state::current() == self.thread_state {
            return work(local);
        }
        // SAFETY: detached in this thread, by us or by a call of the host's further in.
        let _attached = unsafe { Attached::enter(local.id, self.thread_state, local.account) };
        work(local)
    }

    /// What Python gets. NULL: an exception is set.
    #[inline(always)]
    pub(crate) fn finish(self) -> *mut ffi::PyObject {
        let written = match self.answer {
            Answer::Plain(value) => {
                // SAFETY: plain.
                to_python::write(unsafe { Value::from_raw(&value) }, self.function.local())
            }
            Answer::Object(object) => return object.into_ptr(),
            Answer::Trouble(trouble) => Err(trouble),
            Answer::Raise { kind, message } => {
                raise(&kind, &message);
                return std::ptr::null_mut();
            }
            Answer::Panicked => {
                raise("RuntimeError", "the host function panicked");
                return std::ptr::null_mut();
            }
        };
        match written {
            Ok(object) => object.into_ptr(),
            Err(trouble) => {
                let name = self.function.definition().name();
                trouble.raise(&format!("{name}(): result"));
                std::ptr::null_mut()
            }
        }
    }
}

/// Something that no other thread has at this address.
#[inline(always)]
fn this_thread() -> *const u8 {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(std::ptr::from_ref)
}

/// Sets an exception of the type that is named.
#[cold]
fn raise(kind: &str, message: &str) {
    let found = exception_type(kind);
    clear_exception();
    let (found, message) = match found {
        Some(found) => (found, message.to_owned()),
        // SAFETY: attached; never freed.
        None => match unsafe { Object::borrowed(ffi::PyExc_RuntimeError) } {
            Some(runtime_error) => (
                runtime_error,
                format!("{message} (the host asked for {kind:?}, which is no exception type here)"),
            ),
            None => return,
        },
    };
    if let Some(message) = Object::text(&message) {
        // SAFETY: attached; a type and its argument.
        unsafe { ffi::PyErr_SetObject(found.as_ptr(), message.as_ptr()) };
    }
}

/// The exception type of this name: `ValueError`, `package.module.Oops`, `package.module.Outer.Oops`.
fn exception_type(name: &str) -> Option<Object> {
    let parts: Vec<&str> = name.split('.').collect();
    let found = if let [only] = parts[..] {
        attribute_of("builtins", &[only])
    } else {
        // The longest part that is a module.
        (1..parts.len()).rev().find_map(|n| {
            clear_exception();
            attribute_of(&parts[..n].join("."), &parts[n..])
        })
    };
    // SAFETY: attached, a live object; a type is asked about another one.
    found.filter(|found| unsafe {
        ffi::PyType_Check(found.as_ptr()) != 0
            && ffi::PyType_IsSubtype(found.as_ptr().cast(), ffi::PyExc_BaseException.cast()) != 0
    })
}

/// What is found in a module by one name after the other.
fn attribute_of(module: &str, names: &[&str]) -> Option<Object> {
    let module = Object::text(module)?;
    // SAFETY: attached; strs and live objects. Results are new.
    unsafe {
        let mut found = Object::owned(ffi::PyImport_Import(module.as_ptr()))?;
        for name in names {
            let name = Object::text(name)?;
            found = Object::owned(ffi::PyObject_GetAttr(found.as_ptr(), name.as_ptr()))?;
        }
        Some(found)
    }
}
