# What is of interpreters alone that scripts create as processes.
import os
import signal
import sys
import threading
import time

from backend import IS_PROCESS
from checks import raises
from subpy import _dummy_interpreters as dummy, _interpreters, interpreters

import host


def process_of(id):
    return dummy.run_string_unrestricted(id, 'import os; n = os.getpid()')['n']


def test_each_is_a_process():
    ids = [dummy.create(), _interpreters.create(backend='process'), interpreters.create(backend='process').id]
    ids[2:] = [dummy.create(backend='process')]
    processes = {dummy.run_string_unrestricted(id, 'import os; n = os.getpid()')['n'] for id in ids}
    assert len(processes) == 3 and os.getpid() not in processes
    if IS_PROCESS:
        raises(dummy.InterpreterError, "can't be 'local'", dummy.create, backend='local')
        local = _interpreters.create()
        dummy.run_string(local, f'import os; assert os.getpid() != {os.getpid()}')
    else:
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


def test_memory_of_a_process_stays():
    """What it has given is there as long as somebody looks at it."""
    size, whole = 1 << 24, bytes(range(10)) * ((1 << 24) // 10)
    interp, queue = interpreters.create(backend='process'), interpreters.create_queue()
    result = dummy.run_string_unrestricted(interp.id, f'w = memoryview(bytes(range(10)) * ({size} // 10))\nq.put([w])', {'q': queue})
    results = [result['w'], queue.get()[0], interp.call(lambda: memoryview(w))]
    interp.close()
    other = [bytes(size) for _ in range(5)]
    del other
    assert all(bytes(memory) == whole for memory in results)


def test_a_queue_is_the_same():
    interp = interpreters.create(backend='process')
    queue = interpreters.create_queue()
    assert interp.call(lambda q: (q.put(1), q.id)[1], queue) == queue.id
    interp.prepare_main(queue=queue)
    result = dummy.run_string_unrestricted(interp.id, 'assert queue is same; made = [queue]', {'same': queue})
    assert result['queue'] is queue and result['made'][0] is queue and queue.get() == 1
    # One that it has made outlives it.
    made = interp.call(lambda: __import__('subpy.interpreters').interpreters.create_queue(2))
    made.put('here')
    interp.exec('del same, made')
    interp.close()
    assert made.get() == 'here' and made.maxsize == 2


def test_memory_in_a_queue_stays():
    interp, queue = interpreters.create(backend='process'), interpreters.create_queue()
    interp.prepare_main(queue=queue)
    for size in 10, 1 << 22:
        queue.put([memoryview(bytes(range(10)) * (size // 10))])
        interp.exec('m = queue.get()[0]\nother = [bytes(m.nbytes) for _ in range(10)]\ndel other')
        interp.exec('assert bytes(m) == bytes(range(10)) * (m.nbytes // 10)\nqueue.put(m)\ndel m')
        assert queue.get().tobytes() == bytes(range(10)) * (size // 10)
    interp.close()


def test_a_queue_keeps_what_a_process_has_not_taken():
    for killed in range(10):
        # However late it is killed, it has not got all of them.
        queue, seen = interpreters.create_queue(), interpreters.create_queue(killed * 50 + 100)
        for i in range(5000):
            queue.put(i)
        interp = interpreters.create(backend='process')
        interp.prepare_main(queue=queue, seen=seen)
        pid = process_of(interp.id)
        thread = threading.Thread(target=raises, args=(dummy.InterpreterLostError, '', interp.exec, 'while True: seen.put(queue.get())'))
        thread.start()
        while seen.qsize() <= killed * 50:
            pass
        os.kill(pid, signal.SIGKILL)
        thread.join()
        interp.close()
        got = []
        while True:
            item = seen.get_nowait()
            got.append(item)
            if seen.empty():
                break
        left = [queue.get() for _ in range(queue.qsize())]
        # What it had taken and not passed on is gone: one at the most.
        assert left == list(range(left[0], 5000)) and len(got) in (left[0], left[0] - 1), (killed, len(got), left[0])


def test_an_item_that_was_on_its_way_is_the_next_one_again():
    queue, seen = interpreters.create_queue(), interpreters.create_queue()
    interp = interpreters.create(backend='process')
    interp.prepare_main(queue=queue, seen=seen)
    pid = process_of(interp.id)
    thread = threading.Thread(target=raises, args=(dummy.InterpreterLostError, 'SIGKILL', interp.exec, 'while True: seen.put(queue.get())'))
    thread.start()
    while True:
        # It is given the item, and is stopped before it has it: unless it was just not asking for one.
        os.kill(pid, signal.SIGSTOP)
        while open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0] != 'T':
            pass
        queue.put('mine')
        end = time.monotonic() + 1
        while queue.qsize() and time.monotonic() < end:
            pass
        if queue.empty():
            break
        os.kill(pid, signal.SIGCONT)
        assert seen.get() == 'mine'
    queue.put('later')
    os.kill(pid, signal.SIGKILL)
    thread.join()
    assert [queue.get_nowait(), queue.get_nowait()] == ['mine', 'later'] and seen.empty()
    interp.close()


def test_a_wait_for_a_queue_ends_with_the_process():
    ready, queue = interpreters.create_queue(), interpreters.create_queue()
    interp = interpreters.create(backend='process')
    interp.prepare_main(ready=ready, queue=queue)
    pid = process_of(interp.id)
    thread = threading.Thread(target=raises, args=(dummy.InterpreterLostError, 'SIGKILL', interp.exec, 'ready.put(1); queue.get()'))
    thread.start()
    assert ready.get() == 1
    os.kill(pid, signal.SIGKILL)
    thread.join()
    queue.put('there')
    assert queue.get() == 'there'
    interp.close()


def test_what_it_may_do():
    raises(dummy.InterpreterError, 'share_environment', dummy.create, share_environment=True)
    raises(TypeError, 'nothing', dummy.create, nothing=1)
    os.environ['MINE'] = 'here'
    id = dummy.create(allow_interpreters=False)
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


def wait_until_gone(process):
    while True:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return


CREATES = 'from subpy import _interpreters as i; below = i.create(); import os'


def test_what_they_create_is_a_process():
    id = dummy.create()
    dummy.run_string(id, CREATES)
    below = dummy.run_string_unrestricted(id, '')['below']
    assert len({process_of(id), process_of(below), os.getpid()}) == 3
    assert dummy.list_all() == [0, host.current(), id, below]
    assert dummy.run_string_unrestricted(id, 'all = i.list_all()')['all'] == [0, host.current(), id, below]
    raises(dummy.RunFailedError, "can't be 'local'", dummy.run_string, id, 'i.create(backend="local")')
    raises(dummy.RunFailedError, 'share_environment', dummy.run_string, id, 'i.create(share_environment=True)')
    dummy.destroy(id)
    assert dummy.list_all() == [0, host.current()]


def test_it_takes_what_it_has_created_with_it():
    for how in 'os._exit(3)', 'os.kill(os.getpid(), 9)':
        id = dummy.create()
        dummy.run_string(id, CREATES)
        below = dummy.run_string_unrestricted(id, '')['below']
        dummy.run_string(below, CREATES)
        deepest = dummy.run_string_unrestricted(below, '')['below']
        processes = [process_of(one) for one in (id, below, deepest)]
        lost(id, how)
        while dummy.list_all() != [0, host.current(), id]:
            pass
        for process in processes:
            wait_until_gone(process)
        for gone in below, deepest:
            raises(dummy.InterpreterNotFoundError, str(gone), dummy.run_string, gone, '')
        lost(id, '')
        raises(dummy.InterpreterError, 'is lost', dummy.run_string, id, CREATES)
        dummy.destroy(id)


def test_one_below_is_lost():
    # What that raises is as it is here.
    id = dummy.create()
    dummy.run_string(id, CREATES)
    dummy.run_string(id, '''
for _ in range(2):
    try:
        i.run_string(below, 'import os; os.abort()')
    except i.InterpreterLostError as e:
        assert (e.exit_code, e.signal) == (0, 6) and 'SIGABRT' in str(e), e
        assert '"<string>", line 1' in str(e.__cause__), e.__cause__
    else:
        raise AssertionError
i.destroy(below)
''')
    error = raises(RuntimeError, 'InterpreterLostError', dummy.run_string, id, '''
below = i.create()
i.run_string(below, 'import os; os._exit(7)')''')
    assert type(error) is dummy.RunFailedError and 'exited with code 7' in str(error)
    dummy.destroy(id)


def test_one_that_runs_below_ends_with_it():
    r, w = os.pipe()
    id = dummy.create()
    dummy.run_string(id, CREATES)
    below = dummy.run_string_unrestricted(id, '')['below']
    errors = []

    def work():
        try:
            dummy.run_string(id, f'i.run_string(below, "import os; out = os.open(\\"/proc/{os.getpid()}/fd/{w}\\", os.O_WRONLY); '
                                 'os.write(out, b\\"x\\")\\nwhile True: pass")')
        except dummy.InterpreterError as e:
            errors.append(e)

    thread = threading.Thread(target=work)
    process = process_of(id)
    thread.start()
    assert os.read(r, 1) == b'x'
    os.kill(process, signal.SIGKILL)
    thread.join()
    assert type(errors[0]) is dummy.InterpreterLostError and errors[0].signal == 9
    while dummy.list_all() != [0, host.current(), id]:
        time.sleep(0)
    os.close(r), os.close(w)
    dummy.destroy(id)


def test_an_object_of_one_that_has_ended_stands_for_nothing():
    first, second = interpreters.create(backend='process'), interpreters.create(backend='process')
    id = first.id
    second.exec(f'from subpy import interpreters\nother = interpreters.Interpreter({id})')
    del first
    assert id in dummy.list_all()
    second.close()
    while id in dummy.list_all():
        pass


def test_a_thread_of_a_script_creates():
    id = dummy.create()
    dummy.run_string(id, '''
import threading
from subpy import _interpreters as i
def work():
    one = i.create()
    for _ in range(100):
        i.run_string(one, 'x = 1')
    made.append(one)
made = []
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(made) == 4
''')
    dummy.destroy(id)
