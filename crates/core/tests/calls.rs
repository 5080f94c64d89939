//! Calls of Python functions.

mod common;

use common::{Fixture, refused};
use subpy_core::{Arguments, CallOptions, Status, Value, View};

#[test]
fn a_name_in_main() {
    let f = Fixture::new();
    f.run("def add(a, b=10): return a + b\nclass Point:\n    def __init__(self, x): self.x = x\n")
        .unwrap();
    let sum = f.call("add", &[Value::int(1), Value::int(2)]).unwrap();
    assert_eq!(sum.get().view(), View::Int(3));
    assert_eq!(
        f.call("add", &[Value::int(1)]).unwrap().get().view(),
        View::Int(11)
    );
    let text = f.call("add", &[Value::str("a"), Value::str("b")]).unwrap();
    assert_eq!(text.get().view(), View::Str("ab"));
    refused(
        f.call("Point", &[Value::int(1)]),
        Status::NotShareable,
        "result is of type Point",
    );
    let nothing = CallOptions {
        conversion: None,
        ..CallOptions::default()
    };
    f.call_with("Point", &[Value::int(1)], &nothing).unwrap();
}

#[test]
fn a_function_that_is_defined_anew_is_found() {
    let f = Fixture::new();
    for i in 0..5 {
        f.run(&format!("def f(): return {i}")).unwrap();
        assert_eq!(f.call("f", &[]).unwrap().get().view(), View::Int(i));
    }
    f.run("del f").unwrap();
    refused(
        f.call("f", &[]),
        Status::NotFound,
        r#"there is no "f" in __main__"#,
    );
}

#[test]
fn a_path_is_imported() {
    let f = Fixture::new();
    let root = f.call("math:sqrt", &[Value::float(4.0)]).unwrap();
    assert_eq!(root.get().view(), View::Float(2.0));
    let joined = f
        .call("os.path:join", &[Value::str("a"), Value::str("b")])
        .unwrap();
    assert_eq!(joined.get().view(), View::Str("a/b"));
    let text = f.call("builtins:str.upper", &[Value::str("abc")]).unwrap();
    assert_eq!(text.get().view(), View::Str("ABC"));
    let length = f
        .call("builtins:len", &[Value::list(&[Value::NONE])])
        .unwrap();
    assert_eq!(length.get().view(), View::Int(1));
    f.run("class Counter:\n    n = 0\n    def up(self):\n        self.n += 1\n        return self.n\ncounter = Counter()\n").unwrap();
    for i in 1..4 {
        let n = f.call("__main__:counter.up", &[]).unwrap();
        assert_eq!(n.get().view(), View::Int(i));
    }
    // A module that is replaced is the one that is called.
    f.run("import sys, types\nm = types.ModuleType('made')\nm.f = lambda: 1\nsys.modules['made'] = m\n").unwrap();
    assert_eq!(f.call("made:f", &[]).unwrap().get().view(), View::Int(1));
    f.run("m = types.ModuleType('made')\nm.f = lambda: 2\nsys.modules['made'] = m\n")
        .unwrap();
    assert_eq!(f.call("made:f", &[]).unwrap().get().view(), View::Int(2));
}

#[test]
fn what_can_not_be_called() {
    let f = Fixture::new();
    f.run("x = 1\ndef f(a): raise KeyError(a)\n").unwrap();
    let call = |name: &str| f.call(name, &[]);
    refused(
        call("g"),
        Status::NotFound,
        r#"there is no "g" in __main__"#,
    );
    refused(
        call("x"),
        Status::InvalidArgument,
        r#"callable "x" is of type int, which can't be called"#,
    );
    refused(
        call("math:nothing"),
        Status::NotFound,
        r#"there is no "nothing" in math"#,
    );
    refused(
        call("os:path.nothing"),
        Status::NotFound,
        r#"there is no "nothing" in os.path"#,
    );
    refused(
        call("no_such_module:f"),
        Status::NotFound,
        "No module named 'no_such_module'",
    );
    refused(
        call("math.more:f"),
        Status::NotFound,
        "'math' is not a package",
    );
    refused(
        call("os.path.join:f"),
        Status::NotFound,
        "No module named 'os.path.join'",
    );
    refused(
        call("math.sqrt"),
        Status::InvalidArgument,
        "needs a colon after its module",
    );
    for name in [
        "", ":", "math:", ":f", "a..b:c", "a:b:c", "f()", "a b", "f\0",
    ] {
        refused(
            call(name),
            Status::InvalidArgument,
            "is neither a name nor package.module",
        );
    }
    refused(
        f.call(b"\xff", &[]),
        Status::InvalidArgument,
        "is not UTF-8",
    );
    refused(f.call("f", &[Value::str("k")]), Status::Exception, "'k'");
    refused(
        call("f"),
        Status::Exception,
        "missing 1 required positional argument",
    );
}

#[test]
fn a_module_that_fails_to_import_is_an_exception() {
    let folder = std::env::temp_dir().join(format!("subpy-calls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("broken.py"), "import no_such_thing\n").unwrap();
    std::fs::write(
        folder.join("working.py"),
        "loads = 1\ndef f(): return loads\n",
    )
    .unwrap();
    let f = Fixture::new();
    f.set("folder", &Value::str(folder.to_str().unwrap()))
        .unwrap();
    f.run("import sys\nsys.path.insert(0, folder)").unwrap();
    refused(
        f.call("broken:f", &[]),
        Status::Exception,
        "No module named 'no_such_thing'",
    );
    let error = f.call("broken:f", &[]).unwrap_err();
    assert_eq!(error.exception().unwrap().type_name, "ModuleNotFoundError");
    assert!(error.exception().unwrap().traceback.contains("broken.py"));
    assert_eq!(f.call("working:f", &[]).unwrap().get().view(), View::Int(1));
    assert_eq!(
        f.eval("'working' in sys.modules").unwrap().get().view(),
        View::Bool(true)
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn keywords() {
    let f = Fixture::new();
    f.run("def f(*args, **kwargs): return [args, kwargs]")
        .unwrap();
    let with = |arguments: &[Value<'_>], keywords: &Value<'_>| {
        f.call("f", Arguments::new(arguments, Some(keywords)))
    };
    let pairs = [
        [Value::str("x"), Value::int(1)],
        [Value::str("größe"), Value::str("y")],
    ];
    let v = with(&[Value::int(0)], &Value::dict(&pairs)).unwrap();
    let arguments = [Value::int(0)];
    let expected = [Value::tuple(&arguments), Value::dict(&pairs)];
    assert_eq!(v.get(), &Value::list(&expected));
    with(&[], &Value::dict(&[])).unwrap();
    refused(
        with(&[], &Value::int(1)),
        Status::InvalidArgument,
        "keywords has to be a dict",
    );
    let bad = [[Value::int(1), Value::int(1)]];
    refused(
        with(&[], &Value::dict(&bad)),
        Status::InvalidArgument,
        "keywords has a key that is not",
    );
    let bad = [[Value::str("k"), Value::big_int("?")]];
    refused(
        with(&[], &Value::dict(&bad)),
        Status::InvalidArgument,
        r#"keywords["k"] is no int"#,
    );
    let twice = [
        [Value::str("k"), Value::int(1)],
        [Value::str("k"), Value::int(2)],
    ];
    let v = with(&[], &Value::dict(&twice)).unwrap();
    assert_eq!(v.get().items()[1].get("k").unwrap().view(), View::Int(2));
}

#[test]
fn any_number_of_arguments() {
    let f = Fixture::new();
    f.run("def f(*args): return list(args)").unwrap();
    for n in [0, 1, 7, 8, 9, 100] {
        let arguments: Vec<_> = (0..n).map(Value::int).collect();
        let v = f.call("f", &arguments).unwrap();
        assert_eq!(v.get(), &Value::list(&arguments));
    }
    let bad = [Value::int(1), Value::big_int("?")];
    refused(
        f.call("f", &bad),
        Status::InvalidArgument,
        "args[1] is no int",
    );
}

#[test]
fn exceptions_are_reported_as_runs_do() {
    let f = Fixture::new();
    f.run("def f(n):\n    return 1 / n\ndef leave(): import sys; sys.exit(3)\n")
        .unwrap();
    let error = f.call("f", &[Value::int(0)]).unwrap_err();
    let exception = error.exception().unwrap();
    assert_eq!(
        (error.message(), &*exception.type_name),
        ("division by zero", "ZeroDivisionError")
    );
    assert!(
        exception.traceback.contains("return 1 / n"),
        "{}",
        exception.traceback
    );
    let error = f.call("leave", &[]).unwrap_err();
    assert_eq!(
        (error.status(), error.exception().unwrap().exit_code),
        (Status::Exit, 3)
    );
}

#[test]
fn coroutines_are_run_to_their_end() {
    let f = Fixture::new();
    f.run(
        "import asyncio\n\
         async def f(n):\n    await asyncio.sleep(0)\n    return n * 2\n\
         async def fails():\n    await asyncio.sleep(0)\n    raise KeyError('late')\n",
    )
    .unwrap();
    assert_eq!(
        f.call("f", &[Value::int(21)]).unwrap().get().view(),
        View::Int(42)
    );
    refused(f.call("fails", &[]), Status::Exception, "'late'");
    assert_eq!(
        f.call("f", &[Value::int(1)]).unwrap().get().view(),
        View::Int(2)
    );
}

#[test]
fn output_is_flushed() {
    use std::sync::{Arc, Mutex};
    use subpy_core::{Interpreter, InterpreterConfig};
    let _f = Fixture::new();
    let text = Arc::new(Mutex::new(Vec::new()));
    let into = text.clone();
    let interpreter = Interpreter::create(InterpreterConfig {
        stdout: Some(Box::new(move |piece: &[u8]| {
            into.lock().unwrap().extend_from_slice(piece)
        })),
        ..InterpreterConfig::default()
    })
    .unwrap();
    interpreter
        .call("builtins:print", &[Value::str("called")])
        .unwrap();
    interpreter.eval("print('evaluated', end='')").unwrap();
    assert_eq!(*text.lock().unwrap(), b"called\nevaluated");
    interpreter.destroy().unwrap();
}

#[test]
fn a_call_is_refused_where_a_run_is() {
    let f = Fixture::new();
    f.destroy().unwrap();
    refused(
        f.call("f", &[]),
        Status::NotFound,
        "there is no interpreter",
    );
    refused(
        f.set("f", &Value::NONE),
        Status::NotFound,
        "there is no interpreter",
    );
    let main = subpy_core::Interpreter::find(subpy_core::Id::MAIN).unwrap();
    refused(
        main.call("f", &[]),
        Status::NotPermitted,
        "main interpreter",
    );
}
