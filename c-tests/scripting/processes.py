# What is of interpreters alone that scripts create as processes.
import os
import signal
import sys
import threading

from checks import raises
from subpy import _dummy_interpreters as dummy, _interpreters, interpreters

import host


def test_each_is_a_process():
    ids = [dummy.create(), _interpreters.create(backend='process'), interpreters.create(backend='process').id]
    ids[2:] = [dummy.create(backend='process')]
    processes = {dummy.run_string_unrestricted(id, 'import os; n = os.getpid()')['n'] for id in ids}
    assert len(processes) == 3 and os.getpid() not in processes
    local = dummy.create(backend='local')
    dummy.run_string(local, f'import os; assert os.getpid() == {os.getpid()}')
    # Each module knows those of the others.
    for module in dummy, _interpreters:
        assert module.list_all() == [0, host.current(), *sorted([*ids, local])]
        for id in ids:
            module.run_string(id, 'x = 1')
    assert dummy.get_current() == host.current() and dummy.get_main() == 0
    for id in [*ids, local]:
        _interpreters.destroy(id)


def lost(id, code):
    error = raises(dummy.InterpreterError, 'is lost', dummy.run_string, id, code)
    assert type(error) is dummy.InterpreterLostError
    return error


def test_it_is_lost():
    for code, exit_code, number, where in [
        ('import os; os._exit(7)', 7, 0, None),
        ('import os; os.kill(os.getpid(), 9)', 0, signal.SIGKILL, None),
        ('import os\ndef f(): os.abort()\nf()', 0, signal.SIGABRT, 'line 2 in f'),
        ('import ctypes; ctypes.string_at(0)', 0, signal.SIGSEGV, 'string_at'),
    ]:
        id = dummy.create()
        error = lost(id, code)
        assert (error.exit_code, error.signal) == (exit_code, number), (code, error.exit_code, error.signal)
        assert where is None if error.__cause__ is None else where in str(error.__cause__), error.__cause__
        again = lost(id, 'x = 1')
        assert str(again) == str(error) and id in dummy.list_all() and not dummy.is_running(id)
        dummy.destroy(id)
        raises(dummy.InterpreterNotFoundError, str(id), dummy.run_string, id, '')
    # As an object.
    interp = interpreters.create(backend='process')
    raises(dummy.InterpreterLostError, 'code 3', interp.call, lambda: __import__('os')._exit(3))
    raises(dummy.InterpreterLostError, 'code 3', interp.exec, 'x = 1')
    interp.close()


def test_memory_is_copied():
    id = dummy.create()
    memory = bytearray(b'abcdef')
    result = dummy.run_string_unrestricted(id, 'v[0] = 90; w = v[1:]', {'v': memoryview(memory)[::2]})
    assert memory == b'abcdef' and result['v'].tolist() == [90, 99, 101] and result['w'].tolist() == [99, 101]
    dummy.destroy(id)  # which no buffer holds up
    assert result['w'].tolist() == [99, 101]


def test_what_does_not_go_there():
    interp = interpreters.create(backend='process')
    queue = interpreters.create_queue()
    raises(interpreters.NotShareableError, 'queue', interp.call, print, queue)
    raises(interpreters.NotShareableError, 'queue', interp.prepare_main, queue=queue)
    raises(interpreters.NotShareableError, 'queue', dummy.run_string_unrestricted, interp.id, '', {'queue': queue})
    interp.exec('x = 1')


def test_what_it_may_do():
    raises(dummy.InterpreterError, 'allow_interpreters', dummy.create, allow_interpreters=True)
    raises(dummy.InterpreterError, 'share_environment', dummy.create, share_environment=True)
    raises(TypeError, 'nothing', dummy.create, nothing=1)
    os.environ['MINE'] = 'here'
    id = dummy.create()
    raises(ModuleNotFoundError, 'subpy', dummy.run_string, id, 'import subpy')
    dummy.run_string(id, 'import os; os.environ["MINE"] = "there"; os.chdir("/")')
    assert os.environ.pop('MINE') == 'here'
    if sys.version_info >= (3, 12):
        raises(RuntimeError, 'allow_fork', dummy.run_string, id, 'os.fork()')
        raises(RuntimeError, 'allow_exec', dummy.run_string, id, 'os.execv("/bin/true", ["true"])')
    dummy.run_string(id, 'import subprocess; assert subprocess.run(["true"]).returncode == 0')
    dummy.destroy(id)


def test_the_limit_counts_both_kinds():
    all = [module.create() for _ in range(8) for module in (dummy, _interpreters)]
    raises(dummy.InterpreterError, 'interpreter_limit', dummy.create)
    raises(dummy.InterpreterError, 'interpreter_limit', _interpreters.create)
    for id in all:
        dummy.destroy(id)
    assert dummy.list_all() == [0, host.current()]


def test_several_at_once():
    ids = [dummy.create() for _ in range(4)]
    code = 'while True:\n  try: import json; json.dumps(list(range(1000))); n = n + 1\n  except NameError: n = 0\n  if n == 100: break'
    threads = [threading.Thread(target=dummy.run_string, args=(id, code)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for id in ids:
        assert dummy.run_string_unrestricted(id, '')['n'] == 100
        dummy.destroy(id)
