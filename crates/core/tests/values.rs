//! Values in and out: each kind both ways, and what is wrong with values.

mod common;

use common::{Fixture, refused, value, wrong_items, wrong_text};
use subpy_core::value::{MAX_DEPTH, RawValue, kind as kinds};
use subpy_core::{
    Arguments, CallOptions, Conversion, DateTime, OwnedValue, RunOptions, Status, Timedelta, Value,
    View,
};

fn lossless() -> CallOptions<'static> {
    CallOptions {
        conversion: Some(Conversion {
            lossless_text: true,
            ..Conversion::default()
        }),
        ..CallOptions::default()
    }
}

/// Sets a value, checks what Python says of it, and gets it again.
#[track_caller]
fn there_and_back(f: &Fixture, v: Value<'_>, repr: &str) {
    f.set("v", &v).unwrap();
    assert_eq!(f.eval("repr(v)").unwrap().get().view(), View::Str(repr));
    let back = f.get("v", Conversion::default()).unwrap();
    assert_eq!(back.get(), &v);
}

#[test]
fn each_kind_there_and_back() {
    let f = Fixture::new();
    there_and_back(&f, Value::NONE, "None");
    there_and_back(&f, Value::bool(true), "True");
    there_and_back(&f, Value::bool(false), "False");
    for int in [0, 1, -1, 42, i64::MAX, i64::MIN] {
        there_and_back(&f, Value::int(int), &int.to_string());
    }
    there_and_back(&f, Value::float(1.5), "1.5");
    there_and_back(&f, Value::float(-0.0), "-0.0");
    there_and_back(&f, Value::float(f64::INFINITY), "inf");
    there_and_back(&f, Value::str(""), "''");
    there_and_back(&f, Value::str("größe 名 😀"), "'größe 名 😀'");
    there_and_back(&f, Value::str("a\0b"), r"'a\x00b'");
    there_and_back(&f, Value::bytes(b""), "b''");
    there_and_back(&f, Value::bytes(b"\x00\xff"), r"b'\x00\xff'");
    there_and_back(&f, Value::tuple(&[]), "()");
    there_and_back(&f, Value::list(&[]), "[]");
    there_and_back(&f, Value::dict(&[]), "{}");
    let inner = [Value::int(1), Value::str("x"), Value::NONE];
    there_and_back(&f, Value::tuple(&inner), "(1, 'x', None)");
    there_and_back(&f, Value::list(&inner), "[1, 'x', None]");
    let key = [Value::int(1), Value::int(2)];
    let pairs = [
        [Value::str("z"), Value::list(&inner)],
        [Value::tuple(&key), Value::float(0.5)],
        [Value::int(7), Value::dict(&[])],
        [Value::str("a"), Value::bytes(b"b")],
    ];
    let repr = "{'z': [1, 'x', None], (1, 2): 0.5, 7: {}, 'a': b'b'}";
    there_and_back(&f, Value::dict(&pairs), repr);
}

#[test]
fn each_kind_of_the_library_there_and_back() {
    let f = Fixture::new();
    let at = DateTime {
        year: 2024,
        month: 2,
        day: 29,
        hour: 1,
        minute: 2,
        second: 3,
        microsecond: 4,
        fold: true,
        utc_offset: None,
    };
    let clock = DateTime {
        year: 0,
        month: 0,
        day: 0,
        fold: false,
        ..at
    };
    let day = DateTime {
        year: 2024,
        month: 2,
        day: 29,
        hour: 0,
        minute: 0,
        second: 0,
        microsecond: 0,
        ..clock
    };
    let delta = Timedelta {
        days: -1,
        seconds: 86_399,
        microseconds: 5,
    };
    let one = [Value::int(1)];
    there_and_back(&f, Value::complex(1.0, -2.0), "(1-2j)");
    there_and_back(&f, Value::set(&one), "{1}");
    there_and_back(&f, Value::frozenset(&one), "frozenset({1})");
    let repr = "datetime.datetime(2024, 2, 29, 1, 2, 3, 4, fold=1)";
    there_and_back(&f, Value::datetime(&at), repr);
    there_and_back(&f, Value::date(&day), "datetime.date(2024, 2, 29)");
    there_and_back(&f, Value::time(&clock), "datetime.time(1, 2, 3, 4)");
    let repr = "datetime.timedelta(days=-1, seconds=86399, microseconds=5)";
    there_and_back(&f, Value::timedelta(&delta), repr);
    there_and_back(&f, Value::decimal("-1.50"), "Decimal('-1.50')");
    let repr = "UUID('07070707-0707-0707-0707-070707070707')";
    there_and_back(&f, Value::uuid([7; 16]), repr);
}

#[test]
fn nan_survives() {
    let f = Fixture::new();
    f.set("v", &Value::float(f64::NAN)).unwrap();
    assert_eq!(f.eval("v != v").unwrap().get().view(), View::Bool(true));
    let View::Float(nan) = f.eval("v").unwrap().get().view() else {
        panic!("no float");
    };
    assert!(nan.is_nan());
}

#[test]
fn results_end_in_a_nul() {
    let f = Fixture::new();
    for code in [
        "'text'",
        "b'text'",
        "''",
        "b''",
        "['text'] * 3",
        "{'text': 'text'}",
    ] {
        let v = f.eval(code).unwrap();
        let mut texts = vec![*v.get()];
        if let View::Dict(pairs) = v.get().view() {
            texts = pairs.concat();
        } else if !v.get().items().is_empty() {
            texts = v.get().items().to_vec();
        }
        for text in texts {
            // SAFETY: a str or bytes.
            unsafe {
                let text = text.as_raw().r#as.text;
                assert_eq!(text.data.add(text.length).read(), 0, "{code}");
            }
        }
    }
}

#[test]
fn subclasses_are_what_they_are_made_of() {
    let f = Fixture::new();
    f.run(
        "import enum, collections\n\
         class Level(enum.IntEnum):\n    HIGH = 3\n\
         class Text(str): pass\n\
         Point = collections.namedtuple('Point', 'x y')\n",
    )
    .unwrap();
    let v = f
        .eval("[Level.HIGH, Text('t'), Point(1, 2), collections.OrderedDict(a=1), True]")
        .unwrap();
    let point = [Value::int(1), Value::int(2)];
    let pairs = [[Value::str("a"), Value::int(1)]];
    let expected = [
        Value::int(3),
        Value::str("t"),
        Value::tuple(&point),
        Value::dict(&pairs),
        Value::bool(true),
    ];
    assert_eq!(v.get(), &Value::list(&expected));
}

#[test]
fn a_result_outlives_its_interpreter_and_is_read_in_another_thread() {
    let f = Fixture::new();
    let v = f.eval("{'a': ['text', b'bytes', (1, 2.5, None)]}").unwrap();
    f.destroy().unwrap();
    std::thread::spawn(move || {
        let a = v.get().get("a").unwrap();
        assert_eq!(a.items()[0].view(), View::Str("text"));
        assert_eq!(a.items()[2].items()[1].view(), View::Float(2.5));
        assert!(v.get().get("b").is_none());
    })
    .join()
    .unwrap();
}

#[test]
fn what_is_not_shareable_says_where_it_is() {
    let f = Fixture::new();
    f.run("import sys\nclass Thing: pass\ncycle = []\ncycle.append({'again': cycle})\n")
        .unwrap();
    let cases = [
        ("Thing()", "result is of type Thing, which has no form"),
        (
            "{'a': [1, 2, 3, Thing()]}",
            r#"result["a"][3] is of type Thing"#,
        ),
        (
            "{'a': {1: (0, sys)}}",
            r#"result["a"][1][1] is of type module"#,
        ),
        ("{Thing: 1}", "result[a key of type type] is of type type"),
        (
            "{(1, 2): Thing()}",
            "result[a key of type tuple] is of type Thing",
        ),
        ("[2 ** 63]", "result[0] is an int past 64 bits"),
        ("-2 ** 63 - 1", "result is an int past 64 bits"),
        (r"['\ud800']", "result[0] is a str with lone surrogates"),
        (
            "cycle",
            r#"result[0]["again"] is a container that contains itself"#,
        ),
        ("{1j, Thing}", "] is of type type"),
        ("object", "result is of type type"),
    ];
    for (code, message) in cases {
        refused(f.eval(code), Status::NotShareable, message);
    }
    f.run("shared = []\nboth = [shared, shared]").unwrap();
    let empty = [Value::list(&[]), Value::list(&[])];
    let both = f.get("both", Conversion::default()).unwrap();
    assert_eq!(both.get(), &Value::list(&empty));
}

#[test]
fn lossless_text_when_asked_for() {
    let f = Fixture::new();
    for code in ["2 ** 64", "-2 ** 63 - 1", "7 ** 5000", "-3 ** 9999"] {
        let v = f.eval_with(code, &lossless()).unwrap();
        let View::BigInt(text) = v.get().view() else {
            panic!("{v:?}");
        };
        assert!(text.starts_with("0x") || text.starts_with("-0x"));
        f.set("back", v.get()).unwrap();
        let same = f.eval(format!("back == {code}")).unwrap();
        assert_eq!(same.get().view(), View::Bool(true));
    }
    let v = f.eval_with(r"['\ud800x', 'é']", &lossless()).unwrap();
    assert_eq!(v.get().items()[0].view(), View::Wtf8(b"\xed\xa0\x80x"));
    assert_eq!(v.get().items()[1].view(), View::Str("é"));
    f.set("back", v.get()).unwrap();
    let same = f.eval(r"back == ['\ud800x', 'é']").unwrap();
    assert_eq!(same.get().view(), View::Bool(true));
    f.set("big", &Value::big_int("18446744073709551615"))
        .unwrap();
    let same = f.eval("big == 2 ** 64 - 1").unwrap();
    assert_eq!(same.get().view(), View::Bool(true));
    refused(
        f.set("big", &Value::big_int("12x")),
        Status::InvalidArgument,
        "value is no int",
    );
}

#[test]
fn depth_has_a_limit_both_ways() {
    let f = Fixture::new();
    f.run("def nest(n):\n    v = 1\n    for _ in range(n): v = [v]\n    return v\n")
        .unwrap();
    let deepest = f.call("nest", &[Value::int(MAX_DEPTH as i64)]).unwrap();
    f.set("deepest", deepest.get()).unwrap();
    let too_deep = f.call("nest", &[Value::int(MAX_DEPTH as i64 + 1)]);
    refused(
        too_deep,
        Status::NotShareable,
        "is nested more than 256 deep",
    );
    let too_deep = [*deepest.get()];
    let outcome = f.set("v", &Value::list(&too_deep));
    refused(
        outcome,
        Status::NotShareable,
        "[0][0] is nested more than 256 deep",
    );
    // A tree of the host's that contains itself.
    let mut cycle = [RawValue::NONE];
    cycle[0] = wrong_items(kinds::LIST, cycle.as_ptr(), 1);
    refused(
        f.set("v", value(&cycle[0])),
        Status::NotShareable,
        "is nested more than",
    );
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    let f = Fixture::new();
    let unknown = {
        let mut v = RawValue::NONE;
        v.kind = 99;
        v
    };
    let letters = b"abc".as_ptr();
    let nothing = std::ptr::null();
    let cases = [
        (unknown, "value is of kind 99, which is none of subpy_kind"),
        (
            wrong_text(kinds::STR, nothing, 3),
            "value has NULL for its data",
        ),
        (
            wrong_text(kinds::BYTES, nothing, 3),
            "value has NULL for its data",
        ),
        (
            wrong_text(kinds::STR, letters, usize::MAX),
            "past all limits",
        ),
        (
            wrong_text(kinds::STR, b"a\xff".as_ptr(), 2),
            "value is a str that is not UTF-8",
        ),
        (
            wrong_text(kinds::STR, b"\xed\xa0\x80".as_ptr(), 3),
            "is not UTF-8",
        ),
        (wrong_text(kinds::WTF8, b"\xff".as_ptr(), 1), "is not UTF-8"),
        (
            wrong_items(kinds::LIST, nothing.cast(), 1),
            "value has NULL for its items",
        ),
        (
            wrong_items(kinds::TUPLE, nothing.cast(), 1),
            "value has NULL for its items",
        ),
        (
            wrong_items(kinds::DICT, nothing.cast(), 1),
            "value has NULL for its items",
        ),
        (
            wrong_items(kinds::LIST, &unknown, usize::MAX / 2),
            "past all limits",
        ),
        (
            wrong_items(kinds::BUFFER, nothing.cast(), 1),
            "value has NULL for its buffer",
        ),
    ];
    for (wrong, message) in cases {
        refused(f.set("v", value(&wrong)), Status::InvalidArgument, message);
        let pair = [[Value::str("a"), *value(&wrong)]];
        let list = [Value::NONE, Value::dict(&pair)];
        let deeper = message.replacen("value", r#"value[1]["a"]"#, 1);
        refused(
            f.set("v", &Value::list(&list)),
            Status::InvalidArgument,
            &deeper,
        );
    }
    assert_eq!(wrong_text(kinds::STR, nothing, 0).kind, kinds::STR);
    f.set("v", value(&wrong_text(kinds::STR, nothing, 0)))
        .unwrap();
    f.set("v", value(&wrong_items(kinds::DICT, nothing.cast(), 0)))
        .unwrap();
    let bad_key = [[Value::list(&[]), Value::int(1)]];
    let outcome = f.set("v", &Value::dict(&bad_key));
    refused(
        outcome,
        Status::InvalidArgument,
        "value[key 0] can't be a key: TypeError: ",
    );
    refused(
        f.set("v", value(&unknown)),
        Status::InvalidArgument,
        "kind 99",
    );
}

#[test]
fn names() {
    let f = Fixture::new();
    f.run("größe = 1\nx = 2").unwrap();
    let get = |name: &str| f.get(name, Conversion::default());
    assert_eq!(get("größe").unwrap().get().view(), View::Int(1));
    assert_eq!(get("x").unwrap().get().view(), View::Int(2));
    refused(get("y"), Status::NotFound, r#"there is no "y" in __main__"#);
    refused(
        get("len"),
        Status::NotFound,
        r#"there is no "len" in __main__"#,
    );
    for name in ["", "1x", "a b", "x.y", "x\0"] {
        refused(get(name), Status::InvalidArgument, "name");
        refused(f.set(name, &Value::NONE), Status::InvalidArgument, "name");
    }
    refused(get("sys:path"), Status::InvalidArgument, "without a module");
    refused(
        f.get(b"\xff", Conversion::default()),
        Status::InvalidArgument,
        "is not UTF-8",
    );
    // More names than are kept.
    for round in 0..3 {
        for i in 0..100 {
            f.set(format!("n{i}"), &Value::int(i * round)).unwrap();
        }
        for i in 0..100 {
            assert_eq!(
                get(&format!("n{i}")).unwrap().get().view(),
                View::Int(i * round)
            );
        }
    }
}

#[test]
fn eval_evaluates_expressions_only() {
    let f = Fixture::new();
    assert_eq!(f.eval(" \t6 * 7 ").unwrap().get().view(), View::Int(42));
    refused(f.eval("x = 1"), Status::Exception, "invalid syntax");
    refused(f.eval(""), Status::Exception, "");
    refused(f.eval("1/0"), Status::Exception, "division by zero");
    // The same text is a program and an expression.
    f.run("n = [0]\ndef f():\n    n[0] += 1\n    return n[0]\n")
        .unwrap();
    f.run("f()").unwrap();
    assert_eq!(f.eval("f()").unwrap().get().view(), View::Int(2));
    f.run("f()").unwrap();
    assert_eq!(f.eval("f()").unwrap().get().view(), View::Int(4));
    let options = CallOptions {
        conversion: None,
        ..CallOptions::default()
    };
    let v = f.eval_with("object()", &options).unwrap();
    assert_eq!(v.get().view(), View::None);
}

#[test]
fn tracebacks_show_the_expression() {
    let f = Fixture::new();
    let options = CallOptions {
        run: RunOptions {
            filename: Some("rule.py"),
            ..RunOptions::default()
        },
        ..CallOptions::default()
    };
    let error = f.eval_with("1 + [][0]", &options).unwrap_err();
    let traceback = &error.exception().unwrap().traceback;
    assert!(
        traceback.contains("File \"rule.py\", line 1"),
        "{traceback}"
    );
    assert!(traceback.contains("1 + [][0]"), "{traceback}");
}

#[test]
fn unrestricted() {
    let f = Fixture::new();
    let pairs = [
        [Value::str("x"), Value::int(20)],
        [Value::str("__name__"), Value::str("changed")],
    ];
    let ns = Value::dict(&pairs);
    let code = "import sys\ny = x + 1\ndef f(): pass\nbad = [f]\n_one = 1\nname = __name__\n";
    let out = f
        .run_unrestricted(
            code,
            Arguments::new(&[], Some(&ns)),
            &CallOptions::default(),
        )
        .unwrap();
    let expected = [
        [Value::str("x"), Value::int(20)],
        [Value::str("y"), Value::int(21)],
        [Value::str("_one"), Value::int(1)],
        [Value::str("name"), Value::str("__main__")],
    ];
    assert_eq!(out.get(), &Value::dict(&expected));
    let again = f
        .run_unrestricted("z = y", Arguments::new(&[], None), &CallOptions::default())
        .unwrap();
    assert_eq!(again.get().get("z").unwrap().view(), View::Int(21));
    let run = |ns: &Value<'_>| {
        f.run_unrestricted("", Arguments::new(&[], Some(ns)), &CallOptions::default())
    };
    refused(
        run(&Value::int(1)),
        Status::InvalidArgument,
        "ns has to be a dict",
    );
    let bad = [[Value::int(1), Value::int(1)]];
    refused(
        run(&Value::dict(&bad)),
        Status::InvalidArgument,
        "ns has a key that is not a str",
    );
    let failed = f.run_unrestricted("1/0", Arguments::new(&[], None), &CallOptions::default());
    refused(failed, Status::Exception, "division");
    let empty = Fixture::new();
    let out = empty
        .run_unrestricted("", Arguments::new(&[], None), &CallOptions::default())
        .unwrap();
    assert_eq!(out.get(), &Value::dict(&[]));
}

#[test]
fn values_of_one_interpreter_in_another() {
    let (a, b) = (Fixture::new(), Fixture::new());
    let v = a
        .eval("{'list': [1, 'zwei', 3.0, b'4', (5,), None, True]}")
        .unwrap();
    b.set("v", v.get()).unwrap();
    let same = b
        .eval("v == {'list': [1, 'zwei', 3.0, b'4', (5,), None, True]}")
        .unwrap();
    assert_eq!(same.get().view(), View::Bool(true));
}

#[test]
fn large_trees() {
    let f = Fixture::new();
    let v = f
        .eval("[[str(i), i, i / 2, {'k': str(i) * 10}] for i in range(20000)]")
        .unwrap();
    assert_eq!(v.get().items().len(), 20000);
    let last = v.get().items()[19999].items();
    assert_eq!(
        last[3].get("k").unwrap().view(),
        View::Str(&"19999".repeat(10))
    );
    f.set("v", v.get()).unwrap();
    let same = f.eval("v == [[str(i), i, i / 2, {'k': str(i) * 10}] for i in range(20000)]");
    assert_eq!(same.unwrap().get().view(), View::Bool(true));
}

#[test]
fn an_owned_value_goes_through_c_and_back() {
    let f = Fixture::new();
    let raw = f.eval("['x']").unwrap().into_raw();
    assert_ne!(raw.owned, 0);
    // SAFETY: just handed out.
    drop(unsafe { OwnedValue::from_raw(raw) });
}
