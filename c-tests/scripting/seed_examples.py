# The examples of the module that subpy._interpreters is: create, run in this thread and in others, look, destroy.
import sys
import threading

from backend import MEMORY_IS_SHARED, low_level as _interpreters, only_if

HAS_OWN_GIL = sys.version_info >= (3, 12)


def test_create_run_destroy():
    interp = _interpreters.create()
    _interpreters.run_string(interp, 'x = "spam"\nprint(x)')
    _interpreters.run_string(interp, 'assert x == "spam"')
    _interpreters.destroy(interp)


def test_in_a_thread():
    interp = _interpreters.create()
    r = _interpreters.run_string_unrestricted(interp, 'import threading', {'seen': []})
    assert r['seen'] == []
    thread = threading.Thread(target=_interpreters.run_string, args=(interp, 'seen.append(threading.get_native_id())'))
    thread.start()
    thread.join()
    seen = _interpreters.run_string_unrestricted(interp, '')['seen']
    assert len(seen) == 1 and seen[0] != threading.get_native_id()
    _interpreters.destroy(interp)


def test_in_several_threads():
    interps = [_interpreters.create() for _ in range(4)]
    code = 'total = 0\nfor i in range(n): total += i'
    threads = []
    for n, interp in enumerate(interps):
        _interpreters.run_string(interp, f'n = {n * 1000}')
        threads.append(threading.Thread(target=_interpreters.run_string, args=(interp, code)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, interp in enumerate(interps):
        assert _interpreters.run_string_unrestricted(interp, '')['total'] == sum(range(n * 1000))
        _interpreters.destroy(interp)


def test_all_of_them():
    interp = _interpreters.create()
    assert _interpreters.get_main() in _interpreters.list_all()
    assert _interpreters.get_current() in _interpreters.list_all()
    assert interp in _interpreters.list_all() and not _interpreters.is_running(interp)
    _interpreters.run_string(interp, f'''
from subpy import _interpreters
assert _interpreters.get_current() == {interp} and _interpreters.is_running({interp})
assert _interpreters.is_running({_interpreters.get_current()})
''')
    _interpreters.destroy(interp)
    assert interp not in _interpreters.list_all()


def test_an_exception():
    interp = _interpreters.create()
    try:
        _interpreters.run_string(interp, 'raise KeyError("spam")')
    except KeyError as e:
        assert e.args == ('spam',) and 'KeyError' in str(e.__cause__)
    else:
        raise AssertionError
    _interpreters.destroy(interp)


@only_if(MEMORY_IS_SHARED)
def test_at_the_same_time():
    """Each waits for the other one in a loop that lets go of no GIL by itself: with a GIL each, both go on."""
    if not HAS_OWN_GIL:
        return
    flags = bytearray(2)
    interps = [_interpreters.create() for _ in range(2)]
    code = '''
for turn in range(1, 100):
    flags[me] = turn
    while flags[1 - me] < turn:
        pass
'''
    threads = []
    for me, interp in enumerate(interps):
        _interpreters.run_string_unrestricted(interp, '', {'flags': memoryview(flags), 'me': me})
        threads.append(threading.Thread(target=_interpreters.run_string, args=(interp, code)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(flags) == [99, 99]
    for interp in interps:
        _interpreters.destroy(interp)
