//! Memory that the host and Python share, without a copy.

mod common;

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Fixture, refused};
use subpy_core::value::BufferInfo;
use subpy_core::{
    Arguments, CallOptions, Conversion, FunctionOptions, Interpreter, Status, Value, View,
};

/// Memory of the host's, which counts how often it is given back.
struct Memory {
    data: Vec<f64>,
    released: AtomicUsize,
}

unsafe extern "C" fn released(user: *mut c_void) {
    // SAFETY: `info` hands over the memory.
    let memory = unsafe { &*user.cast::<Memory>() };
    memory.released.fetch_add(1, Ordering::SeqCst);
}

impl Memory {
    fn new(length: usize) -> Self {
        Self {
            data: (0..length).map(|i| i as f64).collect(),
            released: AtomicUsize::new(0),
        }
    }

    fn info(&self) -> BufferInfo {
        BufferInfo {
            data: self.data.as_ptr().cast_mut().cast(),
            length: size_of_val(&*self.data),
            format: c"d".as_ptr(),
            release: Some(released),
            user: std::ptr::from_ref(self).cast_mut().cast(),
            ..BufferInfo::default()
        }
    }

    fn count(&self) -> usize {
        self.released.load(Ordering::SeqCst)
    }
}

fn buffer(info: &BufferInfo) -> Value<'_> {
    // SAFETY: the tests tell the truth.
    unsafe { Value::buffer(info) }
}

fn info_of(value: &Value<'_>) -> BufferInfo {
    assert!(matches!(value.view(), View::Buffer(_)), "{value:?}");
    // SAFETY: a buffer.
    unsafe { *value.as_raw().r#as.buffer }
}

#[test]
fn host_memory_is_a_memoryview() {
    let f = Fixture::new();
    let memory = Memory::new(1000);
    f.set("m", &buffer(&memory.info())).unwrap();
    f.run(
        "import array\n\
         assert type(m) is memoryview and m.readonly and m.format == 'd' and m.itemsize == 8\n\
         assert m.shape == (1000,) and m.nbytes == 8000 and m.contiguous\n\
         assert m[3] == 3.0 and sum(m) == 499500.0\n\
         assert array.array('d', m)[999] == 999.0 and bytes(m[1:2]) == m.cast('B')[8:16]\n\
         try:\n    m[0] = 1.0\nexcept TypeError: pass\nelse: assert False\n",
    )
    .unwrap();
    assert_eq!(memory.count(), 0);
    f.run("part = m[10:20]\ndel m").unwrap();
    assert_eq!(memory.count(), 0, "there is a view still");
    f.run("assert part[0] == 10.0\ndel part").unwrap();
    assert_eq!(memory.count(), 1);
    f.destroy().unwrap();
    assert_eq!(memory.count(), 1);
}

#[test]
fn shape_format_and_writing() {
    let f = Fixture::new();
    let mut memory = Memory::new(6);
    let shape = [2, 3];
    let info = BufferInfo {
        writable: 1,
        dimensions: 2,
        shape: shape.as_ptr(),
        data: memory.data.as_mut_ptr().cast(),
        ..memory.info()
    };
    f.set("m", &buffer(&info)).unwrap();
    f.run("assert m.shape == (2, 3) and m.strides == (24, 8)\nm[1, 2] = 50.0\ndel m")
        .unwrap();
    assert_eq!(memory.data[5], 50.0);
    let shape = [4, 0];
    let info = BufferInfo {
        length: 0,
        dimensions: 2,
        shape: shape.as_ptr(),
        ..memory.info()
    };
    f.set("m", &buffer(&info)).unwrap();
    f.run("assert m.shape == (4, 0) and m.tolist() == [[], [], [], []]")
        .unwrap();
    f.set("m", &buffer(&BufferInfo::default())).unwrap();
    f.run("assert m.nbytes == 0 and bytes(m) == b'' and m.format == 'B'")
        .unwrap();
    let info = BufferInfo {
        format: c"=dd".as_ptr(),
        item_size: 16,
        ..memory.info()
    };
    f.set("m", &buffer(&info)).unwrap();
    f.run(
        "import struct\nassert m.format == '=dd' and m.shape == (3,)\n\
           assert struct.unpack('=dd', m.tobytes()[:16]) == (0.0, 1.0)\ndel m\n",
    )
    .unwrap();
    assert_eq!(memory.count(), 3);
}

#[test]
fn given_back_when_the_interpreter_ends() {
    let f = Fixture::new();
    let memory = Memory::new(10);
    f.set("m", &buffer(&memory.info())).unwrap();
    f.run("import sys\nsys.kept = [m[2:], m]").unwrap();
    f.destroy().unwrap();
    assert_eq!(memory.count(), 1);
}

#[test]
fn given_back_though_python_leaks_it() {
    let f = Fixture::new();
    let memory = Memory::new(10);
    f.set("m", &buffer(&memory.info())).unwrap();
    f.run(
        "try:\n    import ctypes\nexcept ImportError: ctypes = None\n\
           if ctypes: ctypes.pythonapi.Py_IncRef(ctypes.py_object(m))\n",
    )
    .unwrap();
    f.destroy().unwrap();
    assert_eq!(memory.count(), 1);
}

/// Each call gives back once what it takes, whatever becomes of it.
#[test]
fn given_back_when_the_call_fails() {
    let f = Fixture::new();
    let memory = Memory::new(10);
    let info = memory.info();
    let b = buffer(&info);
    let count = |failed: Result<_, subpy_core::Error>, status, part: &str, expected| {
        refused(failed, status, part);
        assert_eq!(
            memory.released.swap(0, Ordering::SeqCst),
            expected,
            "{part}"
        );
    };
    f.run("def f(*args, **kwargs): pass\ndef fails(*args): 1/0\nx = 1")
        .unwrap();
    let wrong = Value::big_int("?");
    let pair = [
        [Value::str("k"), b],
        [Value::str("l"), wrong],
        [Value::str("m"), b],
    ];
    let (nested, dict) = ([b, wrong, b], Value::dict(&pair));
    let list = [Value::list(&nested), dict, b, Value::tuple(&nested)];
    count(f.set("1x", &b), Status::InvalidArgument, "name", 1);
    count(
        f.set("v", &Value::list(&list)),
        Status::InvalidArgument,
        "value[0][1] is no int",
        7,
    );
    count(
        f.set("v", &dict),
        Status::InvalidArgument,
        "value[\"l\"]",
        2,
    );
    let call = |name: &str, arguments: &[Value<'_>]| f.call(name, arguments).map(drop);
    count(call("nothing", &list), Status::NotFound, "nothing", 7);
    count(
        call("x", &list),
        Status::InvalidArgument,
        "can't be called",
        7,
    );
    count(call("f", &list), Status::InvalidArgument, "args[0][1]", 7);
    count(
        call("f", &list[1..]),
        Status::InvalidArgument,
        "args[0][\"l\"]",
        5,
    );
    count(call("fails", &[b, b]), Status::Exception, "division", 2);
    let keywords =
        |keywords: &Value<'_>| f.call("f", Arguments::new(&[b], Some(keywords))).map(drop);
    count(
        keywords(&dict),
        Status::InvalidArgument,
        "keywords[\"l\"]",
        3,
    );
    count(
        keywords(&Value::list(&nested)),
        Status::InvalidArgument,
        "has to be a dict",
        3,
    );
    let bad_key = [[Value::int(1), b], [Value::str("k"), b]];
    count(
        keywords(&Value::dict(&bad_key)),
        Status::InvalidArgument,
        "key that is not a str",
        3,
    );
    let unrestricted = |ns: &Value<'_>, code: &str| {
        f.run_unrestricted(
            code,
            Arguments::new(&[], Some(ns)),
            &CallOptions {
                conversion: None,
                ..CallOptions::default()
            },
        )
        .map(drop)
    };
    count(
        unrestricted(&dict, ""),
        Status::InvalidArgument,
        "ns[\"l\"]",
        2,
    );
    f.run("assert 'k' not in globals()").unwrap();
    let hidden = [[Value::str("__k"), b]];
    unrestricted(&Value::dict(&hidden), "").unwrap();
    assert_eq!(
        memory.released.swap(0, Ordering::SeqCst),
        1,
        "it was not added"
    );
    let wrong_buffer = BufferInfo {
        item_size: 3,
        ..info
    };
    count(
        f.set("v", &buffer(&wrong_buffer)),
        Status::InvalidArgument,
        "value is a buffer",
        1,
    );
    f.destroy().unwrap();
    count(call("f", &list), Status::NotFound, "no interpreter", 7);
    let main = Interpreter::find(subpy_core::Id::MAIN).unwrap();
    count(main.set("v", &b), Status::NotPermitted, "main", 1);
}

#[test]
fn the_same_memory_in_several_interpreters() {
    let (a, b) = (Fixture::new(), Fixture::new());
    let memory = Memory::new(100);
    let info = BufferInfo {
        writable: 1,
        ..memory.info()
    };
    a.set("m", &buffer(&info)).unwrap();
    b.set("m", &buffer(&info)).unwrap();
    a.run("m[7] = 70.0").unwrap();
    b.run("assert m[7] == 70.0").unwrap();
    a.run("del m").unwrap();
    assert_eq!(memory.count(), 1);
    b.run("assert m[7] == 70.0").unwrap();
    b.destroy().unwrap();
    assert_eq!(memory.count(), 2);
}

#[test]
fn python_memory_is_pinned() {
    let f = Fixture::new();
    f.run("import array\nb = bytearray(b'abc')\na = array.array('i', [1, 2, 3])\n")
        .unwrap();
    let v = f.get("b", Conversion::default()).unwrap();
    assert_eq!(v.get().view(), View::Buffer(b"abc"));
    refused(f.run("b.append(1)"), Status::Exception, "re-sized");
    f.run("b[0] = ord('x')").unwrap();
    assert_eq!(v.get().view(), View::Buffer(b"xbc"), "no copy");
    drop(v);
    f.run("b.append(1)").unwrap();
    let v = f.get("a", Conversion::default()).unwrap();
    let info = info_of(v.get());
    assert_eq!(
        (info.item_size, info.length, info.dimensions, info.writable),
        (4, 12, 1, 1)
    );
    // SAFETY: what a pin describes is there.
    unsafe {
        assert_eq!(std::ffi::CStr::from_ptr(info.format), c"i");
        assert_eq!(*info.shape, 3);
    }
    assert!(info.strides.is_null());
    let v = f
        .eval("{'deep': [bytearray(b'1'), (memoryview(b'23').cast('B', (1, 2)),)]}")
        .unwrap();
    let deep = v.get().get("deep").unwrap().items();
    assert_eq!(deep[0].view(), View::Buffer(b"1"));
    let info = info_of(&deep[1].items()[0]);
    assert_eq!((info.dimensions, info.writable), (2, 0));
    let v = f.eval("memoryview(b'')").unwrap();
    assert_eq!(v.get().view(), View::Buffer(b""));
}

#[test]
fn bytes_are_pinned_when_asked_for() {
    let f = Fixture::new();
    let conversion = Conversion {
        pin_bytes: true,
        ..Conversion::default()
    };
    f.run("b = b'x' * 100").unwrap();
    let v = f.get("b", conversion).unwrap();
    assert_eq!(v.get().view(), View::Buffer(&[b'x'; 100]));
    assert_eq!(info_of(v.get()).writable, 0);
    let v = f.get("b", Conversion::default()).unwrap();
    assert_eq!(v.get().view(), View::Bytes(&[b'x'; 100]));
}

#[test]
fn strides_only_when_asked_for() {
    let f = Fixture::new();
    f.run("back = memoryview(b'abcdef')[::-2]").unwrap();
    let outcome = f.get("back", Conversion::default());
    refused(
        outcome,
        Status::NotShareable,
        "is of type memoryview, whose items are not in C's order without gaps: ask for SUBPY_STRIDED",
    );
    let v = f
        .get(
            "back",
            Conversion {
                strided: true,
                ..Conversion::default()
            },
        )
        .unwrap();
    // SAFETY: a buffer, three items of which are there.
    unsafe {
        let info = *v.get().as_raw().r#as.buffer;
        assert_eq!((*info.shape, *info.strides), (3, -2));
        let first = info.data.cast::<u8>();
        assert_eq!([*first, *first.sub(2), *first.sub(4)], *b"fdb");
    }
}

#[test]
fn a_pin_keeps_the_interpreter() {
    let f = Fixture::new();
    let (one, two) = (
        f.eval("bytearray(1)").unwrap(),
        f.eval("[bytearray(2)] * 2").unwrap(),
    );
    refused(
        f.destroy(),
        Status::Busy,
        "has 3 buffers that the host holds",
    );
    drop(two);
    refused(
        f.destroy(),
        Status::Busy,
        "has 1 buffer that the host holds",
    );
    // In a thread that Python has never seen.
    std::thread::spawn(move || drop(one)).join().unwrap();
    f.destroy().unwrap();
}

#[test]
fn a_pin_is_released_while_the_interpreter_runs() {
    let f = Fixture::new();
    f.run("import time\nb = bytearray(10)\nstop = []\n")
        .unwrap();
    let v = f.get("b", Conversion::default()).unwrap();
    let inside = std::sync::Barrier::new(2);
    // SAFETY: the handler is gone before the barrier: the thread is joined below.
    let entered: &'static std::sync::Barrier = unsafe { &*std::ptr::from_ref(&inside) };
    let options = FunctionOptions {
        release_gil: true,
        ..FunctionOptions::default()
    };
    f.define(
        "host",
        "enter",
        &options,
        Box::new(move |_, _| {
            entered.wait();
        }),
    )
    .unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            f.run("import host\nhost.enter()\nwhile True:\n    try: b.append(1)\n    except BufferError: continue\n    break\n")
        });
        inside.wait();
        drop(v);
        run.join().unwrap().unwrap();
    });
    f.destroy().unwrap();
}

#[test]
fn a_pin_is_released_from_inside() {
    use std::sync::Mutex;
    for release_gil in [false, true] {
        let f = Fixture::new();
        f.run("b = bytearray(10)").unwrap();
        let v = Mutex::new(Some(f.get("b", Conversion::default()).unwrap()));
        let options = FunctionOptions {
            release_gil,
            ..FunctionOptions::default()
        };
        f.define(
            "host",
            "clear",
            &options,
            Box::new(move |_, _| drop(v.lock().unwrap().take())),
        )
        .unwrap();
        f.run("import host\nhost.clear()\nb.append(1)").unwrap();
    }
}

#[test]
fn releasing_does_not_disturb_runs() {
    let f = Fixture::new();
    f.run("b = bytearray(10)").unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::channel();
        scope.spawn(move || receiver.into_iter().for_each(drop));
        for _ in 0..5000 {
            // While the other thread gives back, nothing is refused.
            f.run("x = 1").unwrap();
            sender
                .send(f.get("b", Conversion::default()).unwrap())
                .unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    f.destroy().unwrap();
}

#[test]
fn buffers_as_arguments_of_host_functions() {
    for release_gil in [false, true] {
        let f = Fixture::new();
        let options = FunctionOptions {
            release_gil,
            ..FunctionOptions::default()
        };
        f.define(
            "host",
            "sum",
            &options,
            Box::new(|call, arguments| {
                let View::Buffer(bytes) = arguments[0].view() else {
                    return call.raise("TypeError", "no buffer");
                };
                call.answer(&Value::int(bytes.iter().map(|b| i64::from(*b)).sum()));
            }),
        )
        .unwrap();
        f.run(
            "import host\nb = bytearray([1, 2, 3])\nassert host.sum(b) == 6\nb.append(4)\n\
               assert host.sum(memoryview(b)) == 10\n",
        )
        .unwrap();
        refused(f.run("host.sum(b'bytes')"), Status::Exception, "no buffer");
        f.destroy().unwrap();
    }
}

#[test]
fn a_host_function_answers_with_a_buffer() {
    static MEMORY: std::sync::OnceLock<Memory> = std::sync::OnceLock::new();
    let memory = MEMORY.get_or_init(|| Memory::new(10));
    for release_gil in [false, true] {
        memory.released.store(0, Ordering::SeqCst);
        let f = Fixture::new();
        let options = FunctionOptions {
            release_gil,
            ..FunctionOptions::default()
        };
        f.define(
            "host",
            "frame",
            &options,
            Box::new(move |call, _| {
                let info = memory.info();
                call.answer(&buffer(&info));
                call.answer(&buffer(&info));
                assert_eq!(memory.count(), 1, "the first is not used any more");
            }),
        )
        .unwrap();
        f.run("import host\nassert host.frame()[9] == 9.0").unwrap();
        assert_eq!(memory.count(), 2);
    }
}

#[test]
fn python_code_that_changes_what_is_read() {
    if !subpy_core::runtime::python_version().starts_with("3.1") || cfg!(not(Py_3_12)) {
        return; // `__buffer__` is new in 3.12
    }
    let f = Fixture::new();
    f.run(
        "class Evil:\n    def __init__(self, change): self.change = change\n\
         \x20   def __buffer__(self, flags):\n        self.change()\n        return memoryview(b'x')\n\
         grows = []\ngrows += [Evil(lambda: grows.extend(['more'] * 100)), 'text']\n\
         shrinks = ['a' * 100] * 50\nshrinks.insert(0, Evil(lambda: shrinks.clear()))\n\
         texts = ['a']\ntexts += [Evil(lambda: texts.__setitem__(0, 'b' * 1000))]\n\
         mapping = {}\nmapping['e'] = Evil(lambda: mapping.update({i: i for i in range(100)}))\n\
         raises = [Evil(lambda: 1/0)]\n",
    )
    .unwrap();
    for name in ["grows", "texts", "mapping"] {
        refused(
            f.get(name, Conversion::default()),
            Status::NotShareable,
            "changed while it was read",
        );
    }
    let shrunk = f.get("shrinks", Conversion::default()).unwrap();
    assert_eq!(shrunk.get().items().len(), 0);
    refused(
        f.get("raises", Conversion::default()),
        Status::Exception,
        "division",
    );
    drop(shrunk);
    f.destroy().unwrap();
}

#[test]
#[cfg(debug_assertions)]
fn memory_that_is_freed_too_early_is_noticed() {
    let f = Fixture::new();
    // So large that nobody else comes to fill all of it.
    const SIZE: usize = 1 << 28;
    // SAFETY: memory of our own.
    unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let data = libc::mmap(std::ptr::null_mut(), SIZE, protection, flags, -1, 0);
        let info = BufferInfo {
            data,
            length: SIZE,
            ..BufferInfo::default()
        };
        f.set("m", &buffer(&info)).unwrap();
        f.run("owner = m.obj\nassert memoryview(owner).nbytes == 1 << 28")
            .unwrap();
        libc::munmap(data, SIZE);
        refused(
            f.run("memoryview(owner)"),
            Status::Exception,
            "was it freed before its release",
        );
        refused(
            f.set("m", &buffer(&info)),
            Status::InvalidArgument,
            "was it freed before its release",
        );
    }
}
