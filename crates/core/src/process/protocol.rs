//! What a host and its worker say to each other: the first byte of a message.

use std::ffi::CStr;

/// What a process is started with that is to fork those of interpreters.
pub(super) const ROLE: &CStr = c"--subpy-zygote";

/// A variable of its environment, and its value; it removes that. Each function is looked up when it starts: where that is
/// done when it is called first, each worker would do it again.
pub(super) const BINDS: (&str, &str) = ("LD_BIND_NOW", "subpy");

/// What a host asks for. Its number follows, a `u64`: by that it can ask it to end.
pub(super) mod asks {
    /// To end: how.
    pub(crate) const END: u8 = 0;
    /// To be as its config says.
    pub(crate) const PREPARE: u8 = 1;
    /// To run a program: its options, and the program.
    pub(crate) const RUN: u8 = 2;
    /// The value of an expression: its options, and the expression.
    pub(crate) const EVAL: u8 = 3;
    /// The value of a name: its options, and the name.
    pub(crate) const GET: u8 = 4;
    /// To give a name a value: its options, the name, and the value.
    pub(crate) const SET: u8 = 5;
    /// To call something: its options, its name, a list with the arguments, and a dict with those that have names, or None.
    pub(crate) const CALL: u8 = 6;
    /// To run a program with names for it, and to answer with those that are there then: its options, the program, and the
    /// names, a dict.
    pub(crate) const RUN_UNRESTRICTED: u8 = 7;
    /// To put a function of the host's into a module: its number, and what it is like.
    pub(crate) const DEFINE: u8 = 8;
    /// To ask the threads of scripts to end: for how long.
    pub(crate) const STOP_THREADS: u8 = 9;
    /// What these threads are called.
    pub(crate) const THREAD_NAMES: u8 = 10;
    /// To call a function of the pickling ones: its name, and a list with the arguments.
    pub(crate) const CALL_PICKLING: u8 = 11;
    /// To add a namespace: its name.
    pub(crate) const ADD_NAMESPACE: u8 = 12;
    /// To remove one: its name.
    pub(crate) const REMOVE_NAMESPACE: u8 = 13;
    /// To run a file or a module as a program: its options, the file, unless it is a module, and what it was called.
    pub(crate) const RUN_FILE: u8 = 14;
    /// To import a module: its name.
    pub(crate) const IMPORT: u8 = 15;
    /// To add a module: its name, its source, and its file, if it has one.
    pub(crate) const ADD_MODULE: u8 = 16;
    /// To do something with an object that it has: its options, the object, what, a list with the arguments, and a dict with
    /// those that have names, or None.
    pub(crate) const OBJECT: u8 = 17;
    /// To compile a program, and keep the code: its options, and the program.
    pub(crate) const COMPILE: u8 = 18;
    /// To let go of objects: which.
    pub(crate) const RELEASE: u8 = 19;
    /// There is none from here on.
    pub(crate) const COUNT: u8 = 20;
}

/// What a worker answers. What it has done so far follows.
pub(super) mod answers {
    /// It was done.
    pub(crate) const DONE: u8 = 0;
    /// It has failed: a failure.
    pub(crate) const FAILED: u8 = 1;
    /// It was done: a value.
    pub(crate) const VALUE: u8 = 2;
    /// It was done: the value that the host has.
    pub(crate) const RESULT: u8 = 3;
    /// An iterator has no more items.
    pub(crate) const END: u8 = 4;
}

/// What a worker wants while it does something, or what a thread of its script does.
pub(super) mod wants {
    /// To hand on what was written: whether it is for stderr, and that.
    pub(crate) const OUTPUT: u8 = 16;
    /// To call a function of the host's: its number, from which namespace, a list with the arguments, and a dict.
    pub(crate) const CALL: u8 = 17;
    /// To let go of a function: its number.
    pub(crate) const DROP: u8 = 18;
    /// What a script does with interpreters: see `operations`.
    pub(crate) const OPERATE: u8 = 19;
    /// What it does with a queue: see `items`.
    pub(crate) const QUEUE: u8 = 20;
    /// To have what a script reads: how many bytes, at most.
    pub(crate) const INPUT: u8 = 22;
    /// To have the value that is answered: it has queues in it, which the worker lets go of before it answers.
    pub(crate) const RESULT: u8 = 21;
}

/// What the host says when it has done what was wanted.
pub(super) mod replies {
    /// It was done; a function has returned None.
    pub(crate) const DONE: u8 = 32;
    /// A function has returned a value.
    pub(crate) const VALUE: u8 = 33;
    /// It has raised an exception: its type, and its message.
    pub(crate) const RAISED: u8 = 34;
    /// It was not done: a failure.
    pub(crate) const FAILED: u8 = 35;
    /// A queue was full, or empty, for so long.
    pub(crate) const TIME_OVER: u8 = 36;
    /// It is closed.
    pub(crate) const CLOSED: u8 = 37;
    /// The run that waits is to end.
    pub(crate) const STOPPED: u8 = 38;
    /// There is no room for that.
    pub(crate) const NO_MEMORY: u8 = 39;
    /// What a script reads.
    pub(crate) const INPUT: u8 = 40;
}
