# subpy._interpreters: the functions by their words.
import sys
import threading

from backend import IN_PROCESSES, IS_PROCESS, MEMORY_IS_SHARED, low_level as interpreters, only_if, read_from
from checks import raises
import subpy

import host


def test_the_package():
    name = interpreters.__name__.rpartition('.')[2]
    assert name == '_dummy_interpreters' if IN_PROCESSES else '_interpreters'
    assert getattr(subpy, name) is interpreters and sys.modules[f'subpy.{name}'] is interpreters
    assert {name, 'interpreters'} <= set(dir(subpy)) and name in subpy.__doc__
    import inspect
    assert str(inspect.signature(interpreters.run_string)) == '(id, script)'
    for name in interpreters.__all__:
        assert getattr(interpreters, name).__doc__, name
    raises(AttributeError, 'nothing', lambda: subpy.nothing)


def test_life():
    id = interpreters.create()
    assert type(id) is int
    assert interpreters.get_current() == host.current()
    assert interpreters.get_main() == 0
    assert interpreters.list_all() == [0, host.current(), id]
    assert not interpreters.is_running(id) and interpreters.is_running(host.current())
    interpreters.destroy(id)
    assert interpreters.list_all() == [0, host.current()]
    for function, args in [
        (interpreters.destroy, ()), (interpreters.is_running, ()), (interpreters.run_string, ('1',)),
        (interpreters.run_string_unrestricted, ('1',)),
    ]:
        for unknown in id, 2 ** 62:
            error = raises(RuntimeError, str(unknown), function, unknown, *args)
            assert type(error) is interpreters.InterpreterNotFoundError, type(error)


def test_run_string():
    id = interpreters.create()
    assert interpreters.run_string(id, 'x = 1') is None
    interpreters.run_string(id=id, script=f'''
import host, threading
x += 1
assert x == 2 and __name__ == '__main__' and host.current() == {id}
''')
    interpreters.run_string(id, f'''
from subpy import _interpreters
assert _interpreters.get_current() == {id}
assert {{{id}, {host.current()}}} <= set(_interpreters.list_all())
''')
    # In the calling thread, or in another process.
    same = '!=' if IN_PROCESSES else '=='
    interpreters.run_string(id, f'assert threading.get_native_id() {same} {threading.get_native_id()}')
    interpreters.destroy(id)


def test_wrong_arguments():
    id = interpreters.create()
    for wrong in 'x', 1.5, None, b'1':
        raises(TypeError, 'id is an int', interpreters.run_string, wrong, '')
        raises(TypeError, 'id is an int', interpreters.destroy, wrong)
        raises(TypeError, 'id is an int', interpreters.is_running, wrong)
    raises(ValueError, 'not negative', interpreters.run_string, -1, '')
    raises(OverflowError, '', interpreters.run_string, 2 ** 64, '')
    raises(TypeError, 'script has to be a str', interpreters.run_string, id, b'x')
    raises(ValueError, 'NUL', interpreters.run_string, id, 'x\0')
    raises(UnicodeEncodeError, 'surrogates', interpreters.run_string, id, '\ud800')
    raises(TypeError, "needs 'script'", interpreters.run_string, id)
    raises(TypeError, 'at most 2', interpreters.run_string, id, '', 3)
    raises(TypeError, "no parameter 'code'", interpreters.run_string, id, code='')
    raises(TypeError, "'id' twice", interpreters.run_string, id, '', id=1)
    raises(SyntaxError, 'invalid syntax', interpreters.run_string, id, 'a b')
    raises(ValueError, "'local' or 'process'", interpreters.create, backend='thread')
    raises(ValueError, 'ns has to be a dict', interpreters.run_string_unrestricted, id, '', 7)
    interpreters.run_string(id, '')
    interpreters.destroy(id)


def test_who_may_not_be_run():
    raises(RuntimeError, 'the main one', interpreters.run_string, 0, '')
    raises(RuntimeError, 'the main one', interpreters.destroy, 0)
    raises(RuntimeError, 'the current one', interpreters.run_string, host.current(), '')
    raises(RuntimeError, 'the current one', interpreters.destroy, host.current())
    id = interpreters.create()
    # Its creator, from inside.
    interpreters.run_string(id, f'''
from subpy import _interpreters
for function in lambda id: _interpreters.run_string(id, ''), _interpreters.destroy:
    try:
        function({host.current()})
    except RuntimeError as e:
        assert 'has created this one' in str(e), e
    else:
        raise AssertionError
''')
    interpreters.destroy(id)


def run_long(id):
    """Runs until stop(id)."""
    import os
    r, w = os.pipe()
    thread = threading.Thread(target=interpreters.run_string, args=(id, read_from(r)))
    thread.start()
    while not interpreters.is_running(id):
        pass

    def stop():
        os.write(w, b'x')
        thread.join()
        os.close(r), os.close(w)
    return stop


def test_one_that_runs():
    id = interpreters.create()
    stop = run_long(id)
    raises(RuntimeError, 'is running', interpreters.run_string, id, '')
    raises(RuntimeError, 'is running', interpreters.run_string_unrestricted, id, '')
    raises(RuntimeError, 'is running', interpreters.destroy, id)
    assert host.destroy(id) == host.run(id, '') == 'SUBPY_ERR_BUSY'
    stop()
    assert host.run(id, 'x = 1') == 'SUBPY_OK'
    interpreters.run_string(id, 'assert x == 1')
    interpreters.destroy(id)


def test_exceptions():
    id = interpreters.create()
    error = raises(ValueError, 'wrong', interpreters.run_string, id, 'def f():\n  raise ValueError("wrong")\nf()')
    assert type(error) is ValueError and error.args == ('wrong',)
    assert 'Traceback (most' in str(error.__cause__) and 'in f' in str(error.__cause__)
    error = raises(KeyError, "'key'", interpreters.run_string, id, '{}["key"]')
    assert error.args == ('key',)
    error = raises(FileNotFoundError, 'nowhere', interpreters.run_string, id, 'open("/nowhere")')
    assert error.errno == 2
    error = raises(UnicodeDecodeError, 'invalid', interpreters.run_string, id, 'b"\\xff".decode()')
    assert error.object == b'\xff'
    error = raises(SyntaxError, 'invalid', interpreters.run_string, id, 'x = (1 2)')
    assert error.lineno == 1
    raises(StopIteration, '7', interpreters.run_string, id, 'raise StopIteration(7)')
    raises(KeyboardInterrupt, 'by itself', interpreters.run_string, id, 'raise KeyboardInterrupt("by itself")')
    raises(GeneratorExit, '', interpreters.run_string, id, 'raise GeneratorExit')
    raises(ValueError, '<object', interpreters.run_string, id, 'raise ValueError(object())')
    raises(ValueError, "bytearray(b'x')", interpreters.run_string, id, 'raise ValueError(bytearray(b"x"))')
    raises(RuntimeError, 'RecursionError', interpreters.run_string, id, '''
class RecursionError(RuntimeError): pass
raise RecursionError("mine")''')
    own = 'class Own(ValueError):\n  pass\nraise Own("text")'
    error = raises(RuntimeError, 'Own: text', interpreters.run_string, id, own)
    assert 'class Own' not in str(error) and 'Own: text' in str(error.__cause__)
    raises(RuntimeError, 'json.decoder.JSONDecodeError: Exp', interpreters.run_string, id, 'import json; json.loads("")')
    raises(MemoryError, '', interpreters.run_string, id, 'raise MemoryError')
    raises(RuntimeError, '<exception str() failed>', interpreters.run_string, id, '''
class Bad(Exception):
  def __str__(self): raise 1
  args = property(lambda self: 1/0)
raise Bad''')
    interpreters.destroy(id)


def test_system_exit_is_contained():
    id = interpreters.create()
    for code in 'sys.exit()', 'sys.exit(3)', 'sys.exit("text")', 'raise SystemExit':
        assert interpreters.run_string(id, f'import sys; {code}') is None
    assert interpreters.run_string_unrestricted(id, 'y = 2; sys.exit()', {'x': 1}) == {'x': 1, 'y': 2}
    interpreters.destroy(id)


def test_run_string_unrestricted():
    id = interpreters.create()
    ns = {'a': 1, 'b': ['x', {'y': (2.5, None, True, b'z')}], 'c': 2 ** 100, 'd': '\ud800', '__name__': 'mine'}
    result = interpreters.run_string_unrestricted(id, 'e = [a, b]; f = object(); import sys; assert __name__ == "__main__"', ns)
    assert result == {**{k: ns[k] for k in 'abcd'}, 'e': [1, ns['b']]}, result
    assert interpreters.run_string_unrestricted(id, 'a += 1')['a'] == 2
    assert interpreters.run_string_unrestricted(id, '', None)['a'] == 2
    error = raises(TypeError, 'ns["x"][1]', interpreters.run_string_unrestricted, id, '', {'x': [1, object()]})
    assert type(error) is interpreters.NotShareableError
    raises(ZeroDivisionError, '', interpreters.run_string_unrestricted, id, '1/0', {})
    interpreters.destroy(id)


@only_if(MEMORY_IS_SHARED)
def test_memory_is_shared():
    id = interpreters.create()
    memory = bytearray(b'abcdef')
    view = memoryview(memory)[::2]
    result = interpreters.run_string_unrestricted(id, 'v[0] = 90; w = v[1:]', {'v': view})
    assert memory == b'Zbcdef' and result['w'].tolist() == [99, 101]
    memory[2] = 89
    assert result['w'][0] == 89
    interpreters.run_string(id, 'del v, w')
    del result
    interpreters.destroy(id)


def test_they_import_from_the_same_places():
    sys.path.insert(0, '/a/place')
    try:
        id = interpreters.create()
    finally:
        del sys.path[0]
    assert interpreters.run_string_unrestricted(id, 'import sys; path = sys.path')['path'] == ['/a/place', *sys.path]
    interpreters.destroy(id)


def test_it_is_less_or_the_same():
    raises(RuntimeError, 'allow_fork', interpreters.create, allow_fork=True)
    raises(RuntimeError, 'interpreter_limit', interpreters.create, interpreter_limit=17)
    raises(ValueError, 'allow_interpreters=False', interpreters.create, interpreter_limit=0)
    raises(OverflowError, '', interpreters.create, memory_limit=-1)
    raises(TypeError, '', interpreters.create, memory_limit='x')
    id = interpreters.create(allow_interpreters=False)
    raises(ModuleNotFoundError, 'subpy', interpreters.run_string, id, 'import subpy')
    interpreters.destroy(id)
    if sys.version_info >= (3, 12):
        id = interpreters.create(allow_threads=False)
        raises(RuntimeError, 'allow_threads', interpreters.run_string, id, '''
import threading
threading.Thread(target=print).start()''')
        # What a tight one creates is as tight.
        raises(RuntimeError, 'allow_threads', interpreters.run_string, id, '''
from subpy import _interpreters
_interpreters.create(allow_threads=True)''')
        interpreters.destroy(id)


def test_the_limit():
    all = [interpreters.create() for _ in range(15)]
    one = interpreters.create(interpreter_limit=2)
    raises(RuntimeError, 'interpreter_limit', interpreters.create)
    raises(RuntimeError, 'interpreter_limit', interpreters.run_string, one, 'from subpy import _interpreters as i; i.create()')
    interpreters.destroy(all.pop())
    interpreters.run_string(one, 'i.create()')
    raises(RuntimeError, 'interpreter_limit', interpreters.create)
    interpreters.destroy(all.pop())
    # Of a tighter one, its own.
    interpreters.destroy(all.pop())
    interpreters.run_string(one, 'i.create()')
    raises(RuntimeError, f'of interpreter {one} have created 2', interpreters.run_string, one, 'i.create()')
    assert len(interpreters.list_all()) == 1 + 1 + 13 + 2
    # What it has created ends with it.
    interpreters.destroy(one)
    assert len(interpreters.list_all()) == 1 + 1 + 12
    for id in all:
        interpreters.destroy(id)
    assert interpreters.list_all() == [0, host.current()]


def test_families_know_themselves():
    first, second = interpreters.create(), interpreters.create(allow_interpreters=True, interpreter_limit=3)
    # A brother of the same kind may be used, but nobody may use one that may do more.
    interpreters.run_string(second, f'from subpy import _interpreters as i\nassert {first} in i.list_all()')
    raises(RuntimeError, 'may do more', interpreters.run_string, second, f'i.run_string({first}, "")')
    interpreters.run_string(first, f'from subpy import _interpreters as i\ni.run_string({second}, "x = 5")')
    assert interpreters.run_string_unrestricted(second, '')['x'] == 5
    interpreters.run_string(first, f'i.destroy({second})')
    interpreters.destroy(first)


def test_the_host_takes_over():
    one = interpreters.create()
    below = interpreters.run_string_unrestricted(one, 'from subpy import _interpreters as i; id = i.create()')['id']
    host.take_over(one)
    assert interpreters.list_all() == [0, host.current()]
    raises(RuntimeError, str(one), interpreters.run_string, one, '')
    assert host.run(below, 'x = 1') == 'SUBPY_OK'
    assert host.destroy(one) == 'SUBPY_OK'
    assert host.run(below, '') == 'SUBPY_ERR_NOT_FOUND'
    host.take_over(host.current())  # it is the host's already


def test_many_threads_create_and_destroy():
    errors = []

    def work():
        try:
            while True:
                try:
                    id = interpreters.create()
                    break
                except interpreters.InterpreterError as e:
                    assert 'interpreter_limit' in str(e), e
            interpreters.run_string(id, 'x = 1')
            interpreters.destroy(id)
        except BaseException as e:
            errors.append(e)

    # In a process each is a thread of its host's, too, and none waits for a GIL: there the machine has enough to do with less.
    threads = [threading.Thread(target=work) for _ in range(30 if IS_PROCESS else 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert interpreters.list_all() == [0, host.current()]


def test_it_ends_with_its_creator():
    for _ in range(3):
        interpreters.run_string(interpreters.create(), 'from subpy import _interpreters as i; i.run_string(i.create(), "x = 1")')


@only_if(MEMORY_IS_SHARED)
def test_memory_that_both_have():
    """It does not keep this one from ending, which the host does afterwards."""
    id = interpreters.create()
    ns = {'mine': memoryview(bytearray(1000))}
    here = interpreters.run_string_unrestricted(id, 'theirs = memoryview(bytearray(2000))', ns)
    raises(RuntimeError, '2 buffers', interpreters.destroy, id)
    assert here['theirs'].nbytes == 2000
    globals()['kept'] = here


@only_if(MEMORY_IS_SHARED)
def test_memory_that_both_have_in_one_that_ends():
    before = interpreters.list_all()
    creator = interpreters.create()
    interpreters.run_string(creator, '''
from subpy import _interpreters
id = _interpreters.create()
here = _interpreters.run_string_unrestricted(id, 'theirs = memoryview(bytearray(7))', {'mine': memoryview(bytearray(8))})
''')
    assert len(interpreters.list_all()) == len(before) + 2
    interpreters.destroy(creator)
    assert interpreters.list_all() == before


def test_cpythons_own_modules_are_refused():
    for name in '_interpreters', '_xxsubinterpreters':
        try:
            __import__(name)
        except ModuleNotFoundError as e:
            assert 'allow_interpreters' in str(e) or 'No module named' in str(e), e
        else:
            raise AssertionError(name)
