//! A run whose code is kept, and a call, allocate nothing of ours.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use subpy_core::{
    FunctionOptions, Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Value,
};

struct Counting;

thread_local! {
    /// Those of the calling thread: others of the library's have their own work.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations of one more round of `runs`, after two that fill the caches.
fn allocations(mut runs: impl FnMut()) -> usize {
    runs();
    runs();
    let before = ALLOCATIONS.get();
    runs();
    ALLOCATIONS.get() - before
}

#[test]
fn runs_and_calls_without_an_allocation() {
    let runtime = Runtime::initialize(&RuntimeConfig::default()).unwrap();
    let a = Interpreter::create(InterpreterConfig::default()).unwrap();
    let b = Interpreter::create(InterpreterConfig::default()).unwrap();
    let named = RunOptions {
        filename: Some("plugin.py"),
        ..RunOptions::default()
    };
    let round = || {
        for interpreter in [&a, &b] {
            for _ in 0..10 {
                interpreter.run("x = 1").unwrap();
                interpreter.run("y = 2").unwrap();
                interpreter.run_with(b"z = 3", &named).unwrap();
                Interpreter::at(interpreter.id(), |found| found.run("x = 1")).unwrap();
            }
        }
    };
    assert_eq!(allocations(round), 0);
    assert!(allocations(|| a.run("1/0").unwrap_err().message().to_owned().clear()) > 0);
    let stats = a.stats().unwrap();
    assert_eq!((stats.code_cache_misses, stats.code_cache_entries), (4, 4));
    assert_eq!(stats.code_cache_hits, 3 * 40 - 3 + 2);
    calls_both_ways(&a);
    b.destroy().unwrap();
    a.destroy().unwrap();
    runtime.finalize().unwrap();
}

fn calls_both_ways(interpreter: &Interpreter) {
    let echo = Box::new(
        |call: &mut subpy_core::HostCall<'_>, arguments: &[Value<'_>]| {
            call.answer(&arguments[0]);
        },
    );
    let options = FunctionOptions::default();
    interpreter.define("host", "echo", &options, echo).unwrap();
    interpreter
        .run("import host\ndef add(a, b): return a + b\ndef call(): return host.echo(7, 'text')\n")
        .unwrap();
    let round = || {
        for i in 0..10 {
            let arguments = [Value::int(i), Value::int(2)];
            interpreter.call("add", &arguments).unwrap();
            interpreter.call("call", &[]).unwrap();
            interpreter.set("x", &Value::str("text")).unwrap();
            interpreter.eval("1 + 1").unwrap();
        }
    };
    assert_eq!(allocations(round), 0);
}
