# subpy.interpreters: as concurrent.interpreters.
import array
import pickle
import sys
import threading
import weakref

from backend import IN_PROCESSES, MEMORY_IS_SHARED, create, only_if, read_from
from checks import raises
from subpy import interpreters
from subpy import _interpreters

import host

FACTOR = 3


def test_objects():
    interp = create()
    assert interpreters.get_main().id == 0 and interpreters.get_current().id == host.current()
    assert interpreters.list_all() == [interpreters.get_main(), interpreters.get_current(), interp]
    assert interpreters.Interpreter(interp.id) is interp and pickle.loads(pickle.dumps(interp)) is interp
    assert [i.whence for i in interpreters.list_all()] == ['runtime init', 'C-API', '_interpreters module']
    assert repr(interp) == f'Interpreter({interp.id})' and hash(interp) == hash(interp.id)
    assert not interp.is_running() and interpreters.get_current().is_running()
    raises(AttributeError, '', setattr, interp, 'id', 1)
    for wrong in 'x', None, 1.0:
        raises(TypeError, 'id must be an int', interpreters.Interpreter, wrong)
    raises(interpreters.InterpreterNotFoundError, '', interpreters.Interpreter, 2 ** 40)
    for name in interpreters.__all__:
        getattr(interpreters, name)
    interp.close()
    raises(interpreters.InterpreterNotFoundError, '', interp.close)
    raises(interpreters.InterpreterNotFoundError, '', interp.exec, '')
    raises(interpreters.InterpreterNotFoundError, '', interp.is_running)
    raises(interpreters.InterpreterError, 'current', interpreters.get_current().close)
    raises(interpreters.InterpreterError, 'main', interpreters.get_main().close)


def test_it_ends_with_its_last_object():
    interp = create()
    id = interp.id
    del interp
    assert id not in _interpreters.list_all()
    first, second = create(), create()
    id = first.id
    second.exec(f'from subpy import interpreters\nother = interpreters.Interpreter({id})')
    del first
    assert id in _interpreters.list_all()
    second.exec('del other')
    assert id not in _interpreters.list_all()
    # One that runs stays.
    import os
    r, w = os.pipe()
    interp = create()
    id = interp.id
    thread = threading.Thread(target=_interpreters.run_string, args=(id, read_from(r)))
    thread.start()
    while not interp.is_running():
        pass
    del interp
    assert id in _interpreters.list_all()
    os.write(w, b'x')
    thread.join()
    os.close(r), os.close(w)
    assert not interpreters.Interpreter(id).is_running()
    assert id not in _interpreters.list_all()


def test_exec():
    interp = create()
    interp.exec('x = 1')
    interp.exec('assert x == 1')
    interp.exec(compile('x += 1', '<code>', 'exec'))
    def more():
        global x
        x += 1
    interp.exec(more)
    interp.exec('assert x == 3 and __name__ == "__main__"')
    for wrong in 10, b'x', None:
        raises(TypeError, 'code has to be', interp.exec, wrong)
    failed = raises(interpreters.ExecutionFailed, 'ValueError: wrong', interp.exec, 'def f():\n  raise ValueError("wrong")\nf()')
    assert isinstance(failed, RuntimeError)
    info = failed.excinfo
    assert (info.type.__name__, info.type.__qualname__, info.type.__module__) == ('ValueError', 'ValueError', 'builtins')
    assert (info.msg, info.formatted) == ('wrong', 'ValueError: wrong')
    assert info.errdisplay.startswith('Traceback (most') and 'in f' in info.errdisplay
    assert info.errdisplay in str(failed)
    failed = raises(interpreters.ExecutionFailed, 'SystemExit: 3', interp.exec, 'raise SystemExit(3)')
    assert failed.excinfo.type.__name__ == 'SystemExit'
    failed = raises(interpreters.ExecutionFailed, 'Outer.Own', interp.exec, 'class Outer:\n  class Own(Exception): pass\nraise Outer.Own')
    assert failed.excinfo.type.__qualname__ == 'Outer.Own' and failed.excinfo.formatted == 'Outer.Own'
    raises(interpreters.ExecutionFailed, 'SyntaxError', interp.exec, 'a b')
    raises(interpreters.ExecutionFailed, 'KeyboardInterrupt', interp.exec, 'raise KeyboardInterrupt')


def test_prepare_main():
    interp = create()
    interp.prepare_main({'a': 1, 'b': (2, 'x')}, c=[{'y': None}])
    interp.exec('assert a == 1 and b == (2, "x") and c == [{"y": None}]')
    raises(ValueError, 'no names', interp.prepare_main)
    interp.prepare_main(a=2)
    interp.exec('assert a == 2')
    raises(interpreters.NotShareableError, 'ns["z"][1]', interp.prepare_main, {'z': [1, object()]})
    raises(TypeError, 'a name has to be a str', interp.prepare_main, {1: 2})


def plus(a, b=1, *, c=0):
    return a + b + c


def calls_others(n):
    return [recursive(i) * FACTOR for i in range(n)]


def recursive(n):
    return 1 if n < 2 else n * recursive(n - 1)


def uses_module(text):
    return pickle.loads(pickle.dumps(text)), array.array('i', [1]).tolist()


def test_call():
    interp = create()
    assert interp.call(plus, 1) == 2 and interp.call(plus, 1, 2, c=3) == 6
    assert interp.call(calls_others, 5) == [3, 3, 6, 18, 72]
    assert interp.call(uses_module, 'x') == ('x', [1])
    assert interp.call(lambda: FACTOR) == 3
    global FACTOR_2
    FACTOR_2 = 1
    use = lambda: FACTOR_2
    assert interp.call(use) == 1
    FACTOR_2 = 2
    assert interp.call(use) == 2
    # The other one's own value is what counts there.
    interp.exec('FACTOR_2 = 7')
    assert interp.call(use) == 7
    count = 10
    def closure(step=2, *, more={'a': 1}):
        nonlocal count
        count += step
        return count, more
    assert interp.call(closure) == (12, {'a': 1}) and count == 10
    assert interp.call(sorted, [3, 1, 2], reverse=True) == [3, 2, 1]
    assert interp.call('{} and {}'.format, 1, 2) == '1 and 2'
    assert interp.call(dict, a=1) == {'a': 1}
    assert interp.call(lambda: interpreters.get_current().id) == interp.id
    assert interp.call(lambda: __name__) == '__main__'
    assert interp.call(lambda f: f(2), lambda x: x * 2) == 4
    assert interp.call(lambda: lambda x: x + 1)(1) == 2
    import functools, datetime, decimal, collections
    assert interp.call(functools.partial(plus, 5), 6) == 11
    today = datetime.date(2026, 11, 28)
    for value in [
        today, decimal.Decimal('1.5'), {1, 2}, frozenset({3}), 1j, bytearray(b'x'), array.array('d', [1, 2]), range(3),
        collections.OrderedDict(a=today), collections.Counter('aab'), 2 ** 100, '\ud800', True, None, ..., int, [[], {}],
        slice(1, 2),
    ]:
        result = interp.call(lambda x: x, value)
        assert result == value and type(result) is type(value), value
    loop = []
    loop.append(loop)
    result = interp.call(lambda x: x, loop)
    assert result[0] is result
    # What looks at its caller finds __main__.
    interp.call(lambda: exec('y = 1', globals()))
    interp.call(exec, 'z = y + 1')
    assert interp.call(eval, '(y, z)') == (1, 2) and 'z' in interp.call(dir)
    raises(interpreters.NotShareableError, 'result is the namespace of __main__', interp.call, globals)
    raises(ValueError, 'NUL', interp.prepare_main, {'a\0': 1})


def test_call_fails():
    interp = create()
    def f():
        return 1 / 0
    failed = raises(interpreters.ExecutionFailed, 'ZeroDivisionError: division by zero', interp.call, f)
    assert '<subpy>' not in str(failed) and 'in f' in failed.excinfo.errdisplay
    raises(interpreters.ExecutionFailed, 'TypeError', interp.call, plus)
    raises(interpreters.ExecutionFailed, 'not callable', interp.call, 7)
    raises(TypeError, '', interp.call)
    lock = threading.Lock()
    error = raises(interpreters.NotShareableError, 'args[1]["a"][2] is of type _thread.lock', interp.call, print, 1, {'a': [1, 2, lock]})
    raises(interpreters.NotShareableError, 'kwargs["x"] is of type _thread.lock', interp.call, print, x=lock)
    raises(interpreters.NotShareableError, "'lock', which callable uses, is of type _thread.lock", interp.call, lambda: lock)
    raises(interpreters.NotShareableError, 'result[1] is of type', interp.call, lambda: (1, sys._getframe()))
    class Own:
        pass
    own = Own()
    own.part = [lock]
    raises(interpreters.NotShareableError, 'is of type', interp.call, print, own)
    raises(interpreters.ExecutionFailed, 'Local', interp.call, print, Local())
    interp.exec('class Local: pass')
    assert interp.call(lambda x: type(x).__name__, Local()) == 'Local'


class Local:
    pass


@only_if(MEMORY_IS_SHARED)
def test_memory():
    interp = create()
    memory = array.array('i', range(12))
    whole = memoryview(memory)
    matrix = whole.cast('B').cast('i', shape=(3, 4))
    fill = lambda view, value: view.__setitem__(0, value)
    interp.call(fill, whole[3:9:2], 100)
    assert memory[3] == 100
    interp.call(fill, whole[::-1], 200)
    assert memory[11] == 200
    assert interp.call(lambda m: (m.shape, m.format, m[1, 2]), matrix) == ((3, 4), 'i', 6)
    assert interp.call(lambda m: m.readonly, memoryview(b'abc'))
    assert interp.call(lambda d: d['views'][1].tolist(), {'views': [None, whole[:2]], 'x': {1}}) == [0, 1]
    result = interp.call(lambda m: m[1:], whole[4:7])
    memory[5] = -1
    assert result.tolist() == [-1, 6]
    del result
    doubles = memoryview(array.array('d', [1.5, 2.5]))
    interp.prepare_main(v=doubles[::-1])
    interp.exec('assert v.tolist() == [2.5, 1.5]; w = bytes(v); del v')


def test_call_in_thread():
    interp = create()
    def note():
        global native
        native = threading.get_native_id()
    interp.call_in_thread(note).join()
    interp.exec(f'assert native != {threading.get_native_id()}')
    if not IN_PROCESSES:
        interp.exec('assert native != threading.get_native_id()')
    caught = []
    hook, threading.excepthook = threading.excepthook, lambda args: caught.append(args.exc_value)
    try:
        interp.call_in_thread(plus).join()
    finally:
        threading.excepthook = hook
    assert type(caught[0]) is interpreters.ExecutionFailed


def test_a_thread_of_its_own_does_not_count_as_running():
    interp = create()
    interp.exec('import threading\nevent = threading.Event()\nthread = threading.Thread(target=event.wait)\nthread.start()')
    assert not interp.is_running()
    interp.exec('import threading; threading._register_atexit(event.set)')
    interp.close()


def test_nothing_is_left():
    import gc
    interp = create()
    ref = weakref.ref(interp)
    del interp
    gc.collect()
    assert ref() is None
    assert _interpreters.list_all() == [0, host.current()]
