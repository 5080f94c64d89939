//! What its scripts write goes to functions of the host's, and what they read comes from one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use subpy_wire::Malformed;

use crate::data::config::{Input, Output};

/// The functions of one interpreter.
pub(super) struct Streams {
    /// Of stdout and stderr.
    pub(super) outputs: [Stream<Output>; 2],
    pub(super) stdin: Stream<Input>,
}

/// A function, which is taken out for each call.
pub(super) struct Stream<T> {
    function: Mutex<Function<T>>,
    /// It has returned.
    free: Condvar,
}

enum Function<T> {
    There(T),
    /// It is being called.
    Called,
    /// There is none, or none any more.
    None,
}

impl Streams {
    pub(super) fn new(
        stdout: Option<Output>,
        stderr: Option<Output>,
        stdin: Option<Input>,
    ) -> Self {
        Self {
            outputs: [Stream::new(stdout), Stream::new(stderr)],
            stdin: Stream::new(stdin),
        }
    }

    /// None of them is called from here on.
    pub(super) fn close(&self) {
        self.outputs.iter().for_each(Stream::close);
        self.stdin.close();
    }
}

impl<T> Stream<T> {
    fn new(function: Option<T>) -> Self {
        Self {
            function: Mutex::new(function.map_or(Function::None, Function::There)),
            free: Condvar::new(),
        }
    }

    fn function(&self) -> MutexGuard<'_, Function<T>> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it out for a call; `None`: there is none. A worker never has it called twice at once.
    pub(super) fn take(&self) -> subpy_wire::Result<Option<T>> {
        let mut function = self.function();
        match std::mem::replace(&mut *function, Function::Called) {
            Function::There(there) => Ok(Some(there)),
            Function::None => {
                *function = Function::None;
                Ok(None)
            }
            Function::Called => Err(Malformed("a stream is used while it is")),
        }
    }

    pub(super) fn put_back(&self, function: T) {
        *self.function() = Function::There(function);
        self.free.notify_all();
    }

    /// It is not called from here on.
    fn close(&self) {
        let mut function = self.function();
        while matches!(*function, Function::Called) {
            let free = self.free.wait(function);
            function = free.unwrap_or_else(PoisonError::into_inner);
        }
        let gone = std::mem::replace(&mut *function, Function::None);
        drop(function);
        drop(gone);
    }
}
