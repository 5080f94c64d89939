//! A function that every interpreter gets. Alone in its process: the definition is for all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use subpy_core::{
    FunctionOptions, Handler, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status, Value,
};

/// Counts when it is dropped.
struct Counter(Arc<AtomicUsize>);

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counted(drops: &Arc<AtomicUsize>) -> Handler {
    let counter = Counter(drops.clone());
    Box::new(move |call, _| {
        let _ = &counter;
        call.answer(&Value::int(1));
    })
}

#[test]
fn everywhere() {
    let drops: [Arc<AtomicUsize>; 3] = [Arc::default(), Arc::default(), Arc::default()];
    let count = |i: usize| drops[i].load(Ordering::SeqCst);
    let options = FunctionOptions::default();
    let define = |module: &str, i: usize| {
        Interpreter::define_everywhere(module, "f", &options, counted(&drops[i]))
    };
    let create = || Interpreter::create(InterpreterConfig::default()).unwrap();
    let refused = define("everywhere", 2).unwrap_err();
    assert_eq!((refused.status(), count(2)), (Status::NotInitialized, 1));
    let runtime = Runtime::initialize(&RuntimeConfig::default()).unwrap();
    let before = create();
    define("everywhere", 0).unwrap();
    let (a, b) = (create(), create());
    for interpreter in [&a, &b] {
        interpreter
            .run("import everywhere\nassert everywhere.f() == 1")
            .unwrap();
    }
    assert!(before.run("import everywhere").is_err());
    define("everywhere", 1).unwrap();
    assert_eq!(count(0), 0);
    a.destroy().unwrap();
    assert_eq!(count(0), 0);
    b.destroy().unwrap();
    assert_eq!(count(0), 1);
    let refused = define("not a name", 2).unwrap_err();
    assert_eq!((refused.status(), count(2)), (Status::InvalidArgument, 2));
    create()
        .run("import everywhere\nassert everywhere.f() == 1")
        .unwrap();
    assert_eq!(count(1), 0);
    runtime.finalize().unwrap();
    assert_eq!((count(0), count(1)), (1, 1));
}
