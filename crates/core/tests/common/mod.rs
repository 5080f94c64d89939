//! What the tests share.
#![allow(dead_code)]

use subpy_core::value::{RawItems, RawText, RawValue};
use subpy_core::{Error, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status, Value};

/// An interpreter of the test's own, and the runtime as long as the test needs it.
pub struct Fixture {
    pub interpreter: Interpreter,
    _runtime: Runtime,
}

impl Fixture {
    pub fn new() -> Self {
        keep();
        let runtime = Runtime::initialize(&RuntimeConfig::default()).unwrap();
        Self {
            interpreter: Interpreter::create(InterpreterConfig::default()).unwrap(),
            _runtime: runtime,
        }
    }
}

/// Keeps Python as long as the process: tests that end one after the other must not finalize it.
fn keep() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| std::mem::forget(Runtime::initialize(&RuntimeConfig::default()).unwrap()));
}

impl std::ops::Deref for Fixture {
    type Target = Interpreter;

    fn deref(&self) -> &Interpreter {
        &self.interpreter
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let outcome = self.interpreter.destroy();
        if !std::thread::panicking() {
            match outcome {
                Err(e) if e.status() != Status::NotFound => panic!("{e}"),
                _ => {}
            }
        }
    }
}

/// Checks an error's status, and that its message has this part.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<T, Error>, status: Status, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.status(), status, "{error}");
    assert!(
        error.message().contains(part),
        "{part:?} is not in {:?}",
        error.message()
    );
}

/// As C may make one.
pub fn wrong_text(kind: u32, data: *const u8, length: usize) -> RawValue {
    let data = data.cast();
    let mut value = RawValue::NONE;
    value.kind = kind;
    value.r#as.text = RawText { data, length };
    value
}

/// As C may make one.
pub fn wrong_items(kind: u32, data: *const RawValue, length: usize) -> RawValue {
    let mut value = RawValue::NONE;
    value.kind = kind;
    value.r#as.items = RawItems { data, length };
    value
}

/// A value of C's: the tests only lie about what is refused.
pub fn value(raw: &RawValue) -> &Value<'_> {
    // SAFETY: see above.
    unsafe { Value::from_raw(raw) }
}
