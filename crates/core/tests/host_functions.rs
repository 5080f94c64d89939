//! Functions of the host's, called from Python.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use common::{Fixture, refused};
use subpy_core::{
    Conversion, FunctionOptions, Handler, HostCall, Interpreter, InterpreterConfig, Status, Value,
    View, runtime,
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

fn define(
    f: &Interpreter,
    name: &str,
    handler: impl Fn(&mut HostCall<'_>, &[Value<'_>]) + Send + Sync + 'static,
) {
    define_with(f, name, &FunctionOptions::default(), handler);
}

fn define_with(
    f: &Interpreter,
    name: &str,
    options: &FunctionOptions<'_>,
    handler: impl Fn(&mut HostCall<'_>, &[Value<'_>]) + Send + Sync + 'static,
) {
    f.define("host", name, options, Box::new(handler)).unwrap();
}

/// Both ways of calling: with the GIL, and without.
fn both(test: impl Fn(&Fixture, &FunctionOptions<'_>)) {
    for release_gil in [false, true] {
        let options = FunctionOptions {
            release_gil,
            ..FunctionOptions::default()
        };
        test(&Fixture::new(), &options);
    }
}

#[test]
fn arguments_and_answers_of_each_kind() {
    both(|f, options| {
        define_with(f, "echo", options, |call, arguments| {
            assert!(call.keywords().view() == View::Dict(&[]));
            match arguments {
                [] => {}
                [one] => call.answer(one),
                several => call.answer(&Value::list(several)),
            }
        });
        f.run("from host import echo").unwrap();
        for code in [
            "None",
            "True",
            "42",
            "-1.5",
            "'größe'",
            "''",
            "b'x'",
            "(1, 'a')",
            "[1, [2, [3]]]",
            "{'a': {'b': [None]}, 2: (3.0,)}",
            "'a\\0b'",
            "[]",
            "{}",
        ] {
            let same = f.eval(format!(
                "echo({code}) == {code} and type(echo({code})) is type({code})"
            ));
            assert_eq!(same.unwrap().get().view(), View::Bool(true), "{code}");
        }
        let v = f.eval("echo(1, 'x', [2], {'k': 3})").unwrap();
        let (inner, pairs) = ([Value::int(2)], [[Value::str("k"), Value::int(3)]]);
        let expected = [
            Value::int(1),
            Value::str("x"),
            Value::list(&inner),
            Value::dict(&pairs),
        ];
        assert_eq!(v.get(), &Value::list(&expected));
        f.run("assert echo() is None").unwrap();
        f.run("assert echo(*range(50)) == list(range(50))").unwrap();
    });
}

#[test]
fn keywords() {
    both(|f, options| {
        define_with(f, "kw", options, |call, arguments| {
            let keywords = *call.keywords();
            let both = [Value::tuple(arguments), keywords];
            // SAFETY: what the keywords point to lives as long as the call.
            let both: [Value<'_>; 2] = unsafe { std::mem::transmute(both) };
            call.answer(&Value::list(&both));
        });
        f.run("import host\nassert host.kw(1, a=2, b=[3]) == [(1,), {'a': 2, 'b': [3]}]")
            .unwrap();
        f.run("assert host.kw(**{str(i): i for i in range(20)}) == [(), {str(i): i for i in range(20)}]")
            .unwrap();
        let failed = f.run("host.kw(1, x=[object])");
        refused(
            failed,
            Status::Exception,
            "kw(): kwargs[\"x\"][0] is of type type",
        );
    });
}

#[test]
fn arguments_that_can_not_cross() {
    let f = Fixture::new();
    define(&f, "log", |_, _| panic!("never called"));
    f.run("import host").unwrap();
    let cases = [
        ("host.log(1, object())", "log(): args[1] is of type object"),
        (
            "host.log({'a': [2 ** 64]})",
            "log(): args[0][\"a\"][0] is an int past 64 bits",
        ),
        (
            r"host.log('\ud800')",
            "log(): args[0] is a str with lone surrogates",
        ),
        (
            "host.log(x=2 ** 64)",
            "log(): kwargs[\"x\"] is an int past 64 bits",
        ),
    ];
    for (code, message) in cases {
        let error = f.run(code).unwrap_err();
        assert_eq!(error.exception().unwrap().type_name, "TypeError");
        refused(f.run(code), Status::Exception, message);
    }
}

#[test]
fn exceptions_of_the_hosts() {
    both(|f, options| {
        define_with(f, "fail", options, |call, arguments| {
            let [View::Str(kind), View::Str(text)] = [arguments[0].view(), arguments[1].view()]
            else {
                panic!("two strs are passed");
            };
            call.answer(&Value::list(&[]));
            call.raise(kind, text);
        });
        f.run("import host, json\nclass Oops(Exception):\n    class Inner(Exception): pass\n")
            .unwrap();
        for kind in [
            "ValueError",
            "builtins.KeyError",
            "json.JSONDecodeError.__base__",
            "__main__.Oops",
            "__main__.Oops.Inner",
            "concurrent.futures.CancelledError",
        ] {
            f.set("kind", &Value::str(kind)).unwrap();
            f.run("try:\n    host.fail(kind, 'why')\nexcept Exception as e: caught = e\nelse: assert False\n\
                   assert caught.args == ('why',), caught\n")
                .unwrap();
        }
        let error = f.run("host.fail('__main__.Oops', 'why')").unwrap_err();
        assert_eq!(error.exception().unwrap().type_name, "Oops");
        for kind in [
            "Nope",
            "no.such.Thing",
            "json.loads",
            "builtins.int",
            "",
            ".",
            "a..b",
        ] {
            f.set("kind", &Value::str(kind)).unwrap();
            let error = f.run("host.fail(kind, 'why')").unwrap_err();
            assert_eq!(error.exception().unwrap().type_name, "RuntimeError");
            assert!(
                error.message().starts_with("why (the host asked for"),
                "{}",
                error.message()
            );
        }
        refused(f.run("host.fail('SystemExit', 'bye')"), Status::Exit, "bye");
    });
}

#[test]
fn an_answer_that_can_not_cross() {
    both(|f, options| {
        define_with(f, "answer", options, |call, _| {
            call.answer(&Value::big_int("?"))
        });
        let error = f.run("import host\nhost.answer()").unwrap_err();
        assert_eq!(error.exception().unwrap().type_name, "ValueError");
        assert!(
            error.message().starts_with("answer(): result is no int"),
            "{}",
            error.message()
        );
    });
}

#[test]
fn the_last_answer_counts() {
    both(|f, options| {
        define_with(f, "answer", options, |call, _| {
            call.raise("ValueError", "not this");
            call.answer(&Value::str("nor this"));
            call.answer(&Value::str("nor that"));
            call.answer(&Value::int(3));
        });
        f.run("import host\nassert host.answer() == 3").unwrap();
    });
}

#[test]
fn help_shows_the_signature() {
    let f = Fixture::new();
    let options = FunctionOptions {
        doc: Some("Writes a message.\n\nTo the host's log."),
        signature: Some("(text, /, level=2, *, end='\\n')"),
        ..FunctionOptions::default()
    };
    define_with(&f, "log", &options, |_, _| {});
    define(&f, "plain", |_, _| {});
    f.run(
        "import host, inspect, pydoc\n\
         assert host.log.__doc__ == \"Writes a message.\\n\\nTo the host's log.\"\n\
         assert str(inspect.signature(host.log)) == \"(text, /, level=2, *, end='\\\\n')\"\n\
         assert str(inspect.signature(host.plain)) == '(*args, **kwargs)'\n\
         assert host.log.__name__ == 'log' and host.log.__module__ == 'host'\n\
         help = pydoc.plain(pydoc.render_doc(host.log))\n\
         module_help = pydoc.plain(pydoc.render_doc(host))\n",
    )
    .unwrap();
    let help = f.get("help", Conversion::default()).unwrap();
    let module_help = f.get("module_help", Conversion::default()).unwrap();
    let (View::Str(help), View::Str(module_help)) = (help.get().view(), module_help.get().view())
    else {
        panic!("no text");
    };
    for text in [help, module_help] {
        assert!(
            text.contains("log(text, /, level=2, *, end='\\n')"),
            "{text}"
        );
        assert!(text.contains("To the host's log."), "{text}");
        assert!(!text.contains(" instance"), "{text}");
    }
}

#[test]
fn modules_are_made_or_found() {
    let f = Fixture::new();
    let options = FunctionOptions::default();
    let one = || -> Handler { Box::new(|call, _| call.answer(&Value::int(1))) };
    f.define("app.host.deep", "f", &options, one()).unwrap();
    f.define("json", "from_host", &options, one()).unwrap();
    f.define("os.path", "from_host", &options, one()).unwrap();
    f.define("__main__", "here", &options, one()).unwrap();
    f.run(
        "import app.host.deep\nassert app.host.deep.f() == 1\n\
         from app.host import deep\nassert deep.f() == 1\n\
         import json, os\nassert json.from_host() == 1 and json.loads('[1]') == [1]\n\
         assert os.path.from_host() == 1 and here() == 1\n",
    )
    .unwrap();
    let refuse = |module: &str, name: &str, message: &str| {
        let drops = Arc::default();
        let outcome = f.define(module, name, &options, counted(&drops));
        refused(outcome, Status::InvalidArgument, message);
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    };
    refuse("", "f", "can't be a module's name");
    refuse("a..b", "f", "can't be a module's name");
    refuse("host", "a.b", "can't be a function's name");
    refuse("host", "", "can't be a function's name");
    let wrong = FunctionOptions {
        signature: Some("a, b"),
        ..options
    };
    refused(
        f.define("host", "f", &wrong, one()),
        Status::InvalidArgument,
        "has to be in parentheses",
    );
    let wrong = FunctionOptions {
        doc: Some("a\0b"),
        ..options
    };
    refused(
        f.define("host", "f", &wrong, one()),
        Status::InvalidArgument,
        "NUL",
    );
}

#[test]
fn a_module_that_fails_to_import_is_an_exception() {
    let f = Fixture::new();
    let folder = std::env::temp_dir().join(format!("subpy-functions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("half.py"), "1/0\n").unwrap();
    f.set("folder", &Value::str(folder.to_str().unwrap()))
        .unwrap();
    f.run("import sys\nsys.path.insert(0, folder)").unwrap();
    let drops = Arc::default();
    let outcome = f.define("half", "f", &FunctionOptions::default(), counted(&drops));
    refused(outcome, Status::Exception, "division");
    assert_eq!(drops.load(Ordering::SeqCst), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn dropped_once_when_the_interpreter_is_destroyed() {
    let f = Fixture::new();
    let drops = Arc::default();
    f.define("host", "f", &FunctionOptions::default(), counted(&drops))
        .unwrap();
    f.run("import host\nassert host.f() == 1").unwrap();
    assert_eq!(drops.load(Ordering::SeqCst), 0);
    f.destroy().unwrap();
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn dropped_once_when_defined_anew() {
    let f = Fixture::new();
    let drops: Vec<Arc<AtomicUsize>> = (0..3).map(|_| Arc::default()).collect();
    let count = |i: usize| drops[i].load(Ordering::SeqCst);
    let options = FunctionOptions::default();
    f.define("host", "f", &options, counted(&drops[0])).unwrap();
    f.define("host", "f", &options, counted(&drops[1])).unwrap();
    assert_eq!((count(0), count(1)), (1, 0));
    f.run("import host\nkept = host.f").unwrap();
    f.define("host", "f", &options, counted(&drops[2])).unwrap();
    assert_eq!(count(1), 0, "Python still has it");
    f.run("assert kept() == 1 and host.f() == 1\ndel kept")
        .unwrap();
    assert_eq!((count(1), count(2)), (1, 0));
    f.destroy().unwrap();
    assert_eq!((count(0), count(1), count(2)), (1, 1, 1));
}

#[test]
fn dropped_once_though_python_leaks_it() {
    let f = Fixture::new();
    let drops = Arc::default();
    f.define("host", "f", &FunctionOptions::default(), counted(&drops))
        .unwrap();
    let leak = f.run(
        "import host\n\
         try:\n    import ctypes\nexcept ImportError: ctypes = None\n\
         if ctypes: ctypes.pythonapi.Py_IncRef(ctypes.py_object(host.f))\n",
    );
    leak.unwrap();
    f.destroy().unwrap();
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn dropped_when_the_definition_fails() {
    let f = Fixture::new();
    let id = f.id();
    f.destroy().unwrap();
    let drops = Arc::default();
    let outcome = f.define("host", "f", &FunctionOptions::default(), counted(&drops));
    refused(outcome, Status::NotFound, &format!("no interpreter {id}"));
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn a_drop_that_calls_subpy() {
    let (f, other) = (Fixture::new(), Fixture::new());
    struct Calls(Interpreter, Interpreter, Arc<Mutex<Vec<Status>>>);
    impl Drop for Calls {
        fn drop(&mut self) {
            self.1
                .run("dropped = globals().get('dropped', 0) + 1")
                .unwrap();
            let mut seen = self.2.lock().unwrap();
            seen.extend(self.0.run("1").err().map(|e| e.status()));
            seen.extend(self.0.destroy().err().map(|e| e.status()));
        }
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let calls = Calls(
        f.interpreter.clone(),
        other.interpreter.clone(),
        seen.clone(),
    );
    define(&f, "f", move |_, _| {
        let _ = &calls;
    });
    f.destroy().unwrap();
    assert_eq!(other.eval("dropped").unwrap().get().view(), View::Int(1));
    assert_eq!(*seen.lock().unwrap(), [Status::Busy, Status::Busy]);
}

#[test]
fn from_inside_all_are_usable_and_the_same_is_not_destroyed() {
    let other = Fixture::new();
    let b = other.interpreter.clone();
    both(move |f, options| {
        let (a, b) = (f.interpreter.clone(), b.clone());
        let id = f.id();
        define_with(f, "inside", options, move |call, _| {
            assert_eq!(call.interpreter(), id);
            assert_eq!(runtime::current().unwrap(), id);
            b.run("x = 1").unwrap();
            assert_eq!(b.eval("x + 1").unwrap().get().view(), View::Int(2));
            assert_eq!(runtime::current().unwrap(), id);
            a.run("x = 1").unwrap();
            assert_eq!(a.eval("x + 1").unwrap().get().view(), View::Int(2));
            refused(a.destroy(), Status::Busy, "the call came from inside it");
            let options = FunctionOptions::default();
            a.define("host", "x", &options, Box::new(|_, _| {}))
                .unwrap();
            let made = Interpreter::create(InterpreterConfig::default()).unwrap();
            made.run("y = 1").unwrap();
            made.destroy().unwrap();
            assert_eq!(runtime::current().unwrap(), id);
            call.answer(&Value::str("done"));
        });
        f.run("import host\nassert host.inside() == 'done'")
            .unwrap();
    });
}

#[test]
fn calls_through_several_interpreters() {
    both(|f, options| {
        let (b, c) = (Fixture::new(), Fixture::new());
        let into_c = c.interpreter.clone();
        define_with(&b, "next", options, move |call, arguments| {
            call.answer(into_c.call("f", arguments).unwrap().get());
        });
        let into_b = b.interpreter.clone();
        define_with(f, "next", options, move |call, arguments| {
            call.answer(into_b.call("host:next", arguments).unwrap().get());
        });
        c.run("def f(x): return x + ['c']").unwrap();
        let x = [Value::str("a")];
        let v = f.call("host:next", &[Value::list(&x)]).unwrap();
        let expected = [Value::str("a"), Value::str("c")];
        assert_eq!(v.get(), &Value::list(&expected));
    });
}

#[test]
fn python_threads_call_too() {
    both(|f, options| {
        let id = f.id();
        define_with(f, "f", options, move |call, arguments| {
            assert_eq!(runtime::current().unwrap(), id);
            let text = [arguments[0], Value::str("answered")];
            call.answer(&Value::tuple(&text));
        });
        f.run(
            "import host, threading\n\
             results = []\n\
             def work(n):\n    for i in range(200): results.append(host.f([n, str(i)]))\n\
             threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n\
             for t in threads: t.start()\n\
             work(4)\n\
             for t in threads: t.join()\n\
             assert len(results) == 1000 and all(r[1] == 'answered' for r in results)\n",
        )
        .unwrap();
    });
}

#[test]
fn the_gil_is_released_where_asked_for() {
    let f = Fixture::new();
    let barrier = Arc::new(Barrier::new(2));
    let options = FunctionOptions {
        release_gil: true,
        ..FunctionOptions::default()
    };
    define_with(&f, "meet", &options, move |call, _| {
        barrier.wait();
        call.answer(&Value::list(&[Value::int(1)]));
    });
    f.run(
        "import host, threading\n\
         t = threading.Thread(target=host.meet)\nt.start()\n\
         assert host.meet() == [1]\nt.join()\n",
    )
    .unwrap();
}

#[test]
fn one_that_does_not_return_keeps_only_its_own_interpreter() {
    let (f, other) = (Fixture::new(), Fixture::new());
    let (inside, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (entered, left) = (inside.clone(), leave.clone());
    // A shared GIL would keep the others, too.
    let options = FunctionOptions {
        release_gil: cfg!(not(Py_3_12)),
        ..FunctionOptions::default()
    };
    define_with(&f, "stay", &options, move |_, _| {
        entered.wait();
        left.wait();
    });
    std::thread::scope(|scope| {
        scope.spawn(|| f.run("import host\nhost.stay()").unwrap());
        inside.wait();
        refused(f.run("1"), Status::Busy, "is running");
        refused(f.destroy(), Status::Busy, "is running");
        other.run("x = 1").unwrap();
        let made = Interpreter::create(InterpreterConfig::default()).unwrap();
        made.destroy().unwrap();
        leave.wait();
    });
    f.run("x = 1").unwrap();
}

#[test]
fn a_panic_is_an_exception() {
    both(|f, options| {
        define_with(f, "f", options, |_, _| panic!("for the test"));
        let error = f.run("import host\nhost.f()").unwrap_err();
        assert_eq!(error.exception().unwrap().type_name, "RuntimeError");
        refused(
            f.run("host.f()"),
            Status::Exception,
            "the host function panicked",
        );
    });
}
