//! Interpreters in processes of their own.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use subpy_core::process::host::{Remote, Workers};
use subpy_core::{CallOptions, RunOptions, Status, Value, View};

fn workers() -> Workers {
    Workers::start(Path::new(env!("CARGO_BIN_EXE_subpy-worker")), "").unwrap()
}

#[test]
fn a_life() {
    let workers = workers();
    let (a, b) = (
        workers.create(None, None).unwrap(),
        workers.create(None, None).unwrap(),
    );
    let run = |code: &str| a.run(code.as_bytes(), &RunOptions::default());
    run("x = 1").unwrap();
    run("assert x == 1").unwrap();
    let error = b.run(b"x", &RunOptions::default()).unwrap_err();
    assert_eq!(
        (error.status(), error.message()),
        (Status::Exception, "name 'x' is not defined")
    );
    let named = RunOptions {
        filename: Some("plugin.py"),
        ..RunOptions::default()
    };
    let error = a
        .run(b"\n\nraise ValueError(1, 'two')", &named)
        .unwrap_err();
    let exception = error.exception().unwrap();
    assert_eq!(exception.type_name, "ValueError");
    assert!(
        exception.traceback.contains("\"plugin.py\", line 3"),
        "{}",
        exception.traceback
    );
    let error = run("import sys; sys.exit(3)").unwrap_err();
    assert_eq!(
        (error.status(), error.exception().unwrap().exit_code),
        (Status::Exit, 3)
    );
    let long = format!(
        "text = {:?}\nassert len(text) == 1_000_000",
        "t".repeat(1_000_000)
    );
    run(&long).unwrap();
    a.destroy();
    b.destroy();
}

#[test]
fn a_process_that_ends_is_lost() {
    let workers = workers();
    for (code, why) in [
        ("import os; os._exit(3)", "it has exited with code 3"),
        ("import os; os.abort()", "signal 6 has ended it"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "signal 9 has ended it",
        ),
        (
            "import ctypes; ctypes.string_at(0)",
            "signal 11 has ended it",
        ),
    ] {
        let remote = workers.create(None, None).unwrap();
        let error = remote
            .run(code.as_bytes(), &RunOptions::default())
            .unwrap_err();
        assert_eq!(error.status(), Status::Lost);
        assert!(error.message().contains(why), "{}", error.message());
        let again = remote.run(b"x = 1", &RunOptions::default()).unwrap_err();
        assert_eq!(
            (again.status(), again.message()),
            (Status::Lost, error.message())
        );
        remote.destroy();
    }
    workers
        .create(None, None)
        .unwrap()
        .run(b"x = 1", &RunOptions::default())
        .unwrap();
}

#[test]
fn a_program_that_is_no_worker_is_named() {
    for (program, why) in [
        ("/nothing", "No such file"),
        ("/etc/passwd", "Permission denied"),
        ("/bin/true", "it has ended"),
    ] {
        let error = Workers::start(Path::new(program), "").err().unwrap();
        assert!(
            error.message().contains(program) && error.message().contains(why),
            "{}",
            error.message()
        );
    }
    let program = Path::new(env!("CARGO_BIN_EXE_subpy-worker"));
    let error = Workers::start(program, "no_such_module").err().unwrap();
    assert!(
        error.message().contains("No module named 'no_such_module'"),
        "{}",
        error.message()
    );
}

#[test]
fn many_live_and_end_at_once() {
    let workers = workers();
    let all: Vec<_> = (0..400)
        .map(|_| workers.create(None, None).unwrap())
        .collect();
    for remote in &all {
        remote.run(b"x = 1", &RunOptions::default()).unwrap();
    }
    all.into_iter().for_each(Remote::destroy);
    let remote = workers.create(None, None).unwrap();
    remote
        .run(b"assert 'x' not in globals()", &RunOptions::default())
        .unwrap();
}

#[test]
fn values_in_and_out() {
    let workers = workers();
    let remote = workers.create(None, None).unwrap();
    let options = CallOptions::default();
    let numbers = [Value::int(1), Value::str("two"), Value::float(0.5)];
    let list = Value::list(&numbers);
    remote.set(b"x", &list, &RunOptions::default()).unwrap();
    assert_eq!(remote.get(b"x", &options).unwrap().get(), &list);
    assert_eq!(
        remote.eval(b"x * 2", &options).unwrap().get().items().len(),
        6
    );
    let length = remote
        .call(b"builtins:len", &[list], None, &options)
        .unwrap();
    assert_eq!(length.get(), &Value::int(3));
    let names = [[Value::str("key"), Value::bool(true)]];
    let named = Value::dict(&names);
    remote
        .run(b"def f(*a, key): return a, key", &RunOptions::default())
        .unwrap();
    let result = remote
        .call(b"f", &[Value::int(7)], Some(&named), &options)
        .unwrap();
    assert_eq!(
        format!("{result:?}"),
        "Tuple([Tuple([Int(7)]), Bool(true)])"
    );
    let text = "t".repeat(100_000);
    let back = remote
        .call(b"builtins:str", &[Value::str(&text)], None, &options)
        .unwrap();
    assert_eq!(back.get(), &Value::str(&text));
    let array = remote
        .eval(b"memoryview(bytearray(range(200)))", &options)
        .unwrap();
    let bytes: Vec<u8> = (0..200).collect();
    assert_eq!(array.get().view(), View::Buffer(&bytes));
    let error = remote.eval(b"object()", &options).unwrap_err();
    assert_eq!(error.status(), Status::NotShareable);
    let error = remote.get(b"no_such_name", &options).unwrap_err();
    assert_eq!(error.status(), Status::NotFound);
    let limit = RunOptions {
        timeout: Some(Duration::from_millis(50)),
        ..RunOptions::default()
    };
    let error = remote
        .run(b"import time; time.sleep(60)", &limit)
        .unwrap_err();
    assert_eq!(error.status(), Status::Timeout);
}

#[test]
fn output_comes_in_order_and_none_is_lost() {
    let workers = workers();
    let text = Arc::new(Mutex::new(String::new()));
    let sink = |prefix: &'static str| {
        let text = text.clone();
        let add = move |piece: &[u8]| {
            let mut text = text.lock().unwrap();
            text.push_str(prefix);
            text.push_str(std::str::from_utf8(piece).unwrap());
        };
        Some(Box::new(add) as Box<dyn FnMut(&[u8]) + Send>)
    };
    let remote = workers.create(sink(""), sink("E:")).unwrap();
    let code =
        b"import sys\nfor i in range(3): print(i)\nprint('wrong', file=sys.stderr)\nprint('end')";
    remote.run(code, &RunOptions::default()).unwrap();
    assert_eq!(text.lock().unwrap().as_str(), "0\n1\n2\nE:wrong\nend\n");
    text.lock().unwrap().clear();
    let code = b"print('last words', flush=True); import os; os._exit(1)";
    let error = remote.run(code, &RunOptions::default()).unwrap_err();
    assert_eq!(error.status(), Status::Lost);
    assert_eq!(text.lock().unwrap().as_str(), "last words\n");
    let remote = workers.create(sink(""), None).unwrap();
    text.lock().unwrap().clear();
    let code = b"import threading\ndef work():\n  for i in range(100): print(i)\n\
        threads = [threading.Thread(target=work) for _ in range(4)]\n\
        [t.start() for t in threads]; [t.join() for t in threads]";
    remote.run(code, &RunOptions::default()).unwrap();
    assert_eq!(text.lock().unwrap().lines().count(), 400);
}

#[test]
fn an_interrupt_ends_a_run() {
    let workers = workers();
    let remote = workers.create(None, None).unwrap();
    for code in ["while True: pass", "import time; time.sleep(60)"] {
        std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                remote
                    .run(code.as_bytes(), &RunOptions::default())
                    .unwrap_err()
            });
            while !run.is_finished() {
                remote.interrupt();
                std::thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(run.join().unwrap().status(), Status::Interrupted);
        });
    }
    remote.interrupt();
    remote.run(b"x = 1", &RunOptions::default()).unwrap();
    let running = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            loop {
                // The other thread may be in it at that moment.
                match remote.run(b"while True: pass", &RunOptions::default()) {
                    Err(error) if error.status() == Status::Busy => {}
                    ended => return ended,
                }
            }
        });
        let busy = loop {
            match remote.run(b"x = 1", &RunOptions::default()) {
                Ok(()) => {}
                Err(error) => break error,
            }
        };
        while !run.is_finished() {
            remote.interrupt();
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(
            run.join().unwrap().unwrap_err().status(),
            Status::Interrupted
        );
        busy
    });
    assert_eq!(running.status(), Status::Busy);
}
