# subpy.InterpreterPoolExecutor and subpy.ProcessPoolExecutor: as those of concurrent.futures.
import os
import sys
import threading

from backend import IS_PROCESS
from checks import raises
import subpy
from subpy import _interpreters, interpreters

import host

assert 'concurrent' not in sys.modules and 'subpy._executors' not in sys.modules
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from subpy import InterpreterPoolExecutor, ProcessPoolExecutor

import jobs

CLASSES = InterpreterPoolExecutor, ProcessPoolExecutor
FACTOR = 3


def times(x):
    return x * FACTOR


def wait_until(holds):
    while not holds():
        pass


def none_is_left():
    return _interpreters.list_all() == [0, host.current()]


class Gate:
    """What jobs wait at, wherever they are."""

    def __init__(self):
        self.r, self.w = os.pipe()
        self.pid = os.getpid()

    def open(self, n=1):
        os.write(self.w, b'x' * n)

    def job(self):
        path = f'/proc/{self.pid}/fd/{self.r}'
        def wait(value=None):
            import os
            with open(path, 'rb', 0) as file:
                file.read(1)
            return value
        return wait

    def close(self):
        os.close(self.r), os.close(self.w)


def test_jobs():
    for cls in CLASSES:
        assert issubclass(cls, futures.Executor)
        with cls(2) as executor:
            assert executor.submit(pow, 2, 8).result() == 256
            assert executor.submit(times, 2).result() == 6 and executor.submit(lambda: FACTOR).result() == 3
            assert executor.submit(dict, a=1, self=2, fn=3).result() == {'a': 1, 'self': 2, 'fn': 3}
            assert executor.submit(jobs.Point, 1, y=2).result() == jobs.Point(1, 2)
            future = executor.submit(lambda: __import__('os').getpid())
            assert (future.result() == os.getpid()) == (cls is InterpreterPoolExecutor and not IS_PROCESS)
            raises(TypeError, '', executor.submit)
            raises(TypeError, '', executor.submit, fn=pow)
        assert none_is_left()


def test_each_worker_has_one_interpreter():
    for cls in CLASSES:
        with cls(3) as executor:
            count = lambda: len(_interpreters.list_all()) - 2
            def add():
                global seen
                seen = globals().get('seen', 0) + 1
                return seen
            assert [executor.submit(add).result() for _ in range(3)] == [1, 2, 3] and count() == 1
            gate = Gate()
            waiting = [executor.submit(gate.job(), i) for i in range(10)]
            wait_until(lambda: count() == 3 and sum(f.running() for f in waiting) == 3)
            assert not waiting[-1].running() and waiting[-1].cancel()
            gate.open(9)
            assert [f.result() for f in waiting[:-1]] == list(range(9)) and count() == 3
            gate.close()


def test_map():
    for cls in CLASSES:
        with cls(2) as executor:
            for more in {}, {'chunksize': 3}, {'buffersize': 2}, {'chunksize': 4, 'buffersize': 1}:
                assert list(executor.map(pow, range(10), range(10), **more)) == [n ** n for n in range(10)], more
            assert list(executor.map(times, [1, 2, 3], chunksize=2)) == [3, 6, 9]
            assert list(executor.map(pow)) == []
            results = executor.map(divmod, [1, 1, 1], [1, 0, 1])
            assert next(results) == (1, 0)
            raises(ZeroDivisionError, '', next, results)
            raises(ValueError, 'chunksize', executor.map, pow, [1], chunksize=0)
            raises(ValueError, 'buffersize', executor.map, pow, [1], buffersize=0)
            raises(TypeError, 'buffersize', executor.map, pow, [1], buffersize='1')
            numbers = iter(range(10))
            results = executor.map(abs, numbers, buffersize=2)
            assert next(numbers) == 2 and next(results) == 0 and next(numbers) == 4
            gate = Gate()
            results = executor.map(gate.job(), range(10), timeout=0.01)
            raises(futures.TimeoutError, '', next, results)
            gate.open(2)
        gate.close()


def test_exceptions():
    for cls in CLASSES:
        with cls(1) as executor:
            error = executor.submit(jobs.fail, 'wrong').exception()
            assert type(error) is jobs.Failed and error.args == ('wrong',) and error.code == 7
            assert 'raise Failed' in str(error.__cause__) and '<subpy>' not in str(error.__cause__)
            if cls is InterpreterPoolExecutor:
                assert type(error.__cause__) is interpreters.ExecutionFailed
                assert error.__cause__.excinfo.msg == 'wrong'
            for code, kind in [('1/0', ZeroDivisionError), ('raise SystemExit(3)', SystemExit)]:
                assert type(executor.submit(exec, code).exception()) is kind
            # What is not to be had here, and what pickle does not take.
            error = executor.submit(exec, 'class Own(Exception): pass\nraise Own("mine")').exception()
            assert type(error) is interpreters.ExecutionFailed and 'Own: mine' in str(error)
            error = executor.submit(jobs.fail_with_lock).exception()
            assert type(error) is interpreters.ExecutionFailed and 'Failed' in str(error) and 'in fail_with_lock' in str(error)
            # What does not cross.
            lock = threading.Lock()
            import pickle
            for submitted, part in [
                ((print, {'a': [1, lock]}), 'args[0]["a"][1] is of type _thread.lock'),
                ((lambda: lock,), "'lock', which callable uses, is of type _thread.lock"),
                ((jobs.give_lock,), 'result[1] is of type _thread.lock'),
            ]:
                error = executor.submit(*submitted).exception()
                assert isinstance(error, interpreters.NotShareableError) and isinstance(error, pickle.PicklingError)
                assert part in str(error) and type(error).__name__ == 'NotShareableError', error
            assert executor.submit(abs, -1).result() == 1


def test_initializers():
    for cls in CLASSES:
        with cls(2, initializer=exec, initargs=('FACTOR = 5',)) as executor:
            assert executor.submit(times, 2).result() == 10
        import logging
        logged = []
        class Handler(logging.Handler):
            def emit(self, record):
                logged.append(self.format(record))
        handler = Handler()
        logging.getLogger('concurrent.futures').addHandler(handler)
        with cls(1, initializer=jobs.fail, initargs=('not ready',)) as executor:
            error = executor.submit(abs, 1).exception()
            assert isinstance(error, futures.BrokenExecutor) and type(error.__cause__) is jobs.Failed
            assert isinstance(error, BrokenProcessPool if cls is ProcessPoolExecutor else futures.thread.BrokenThreadPool)
            raises(futures.BrokenExecutor, 'initializer', executor.submit, abs, 1)
        logging.getLogger('concurrent.futures').removeHandler(handler)
        assert len(logged) == 1 and 'Failed: not ready' in logged[0]
        raises(TypeError, 'callable', cls, initializer=7)


def test_shutdown():
    for cls in CLASSES:
        gate = Gate()
        executor = cls(1)
        running, waiting = executor.submit(gate.job(), 1), executor.submit(abs, -2)
        wait_until(running.running)
        executor.shutdown(wait=False)
        raises(RuntimeError, 'cannot schedule new futures after shutdown', executor.submit, abs, 1)
        gate.open()
        assert running.result() == 1 and waiting.result() == 2
        executor.shutdown()
        assert none_is_left()
        executor = cls(1)
        running, waiting = executor.submit(gate.job(), 1), executor.submit(abs, -2)
        wait_until(running.running)
        executor.shutdown(wait=False, cancel_futures=True)
        assert waiting.cancelled()
        gate.open()
        executor.shutdown()
        assert running.result() == 1
        # Nobody has it any more: what it has is done.
        executor = cls(1)
        running, waiting = executor.submit(gate.job(), 1), executor.submit(abs, -2)
        threads = executor._threads
        del executor
        gate.open()
        assert running.result() == 1 and waiting.result() == 2
        for thread in threads:
            thread.join()
        assert none_is_left()
        gate.close()


def test_a_process_is_lost():
    gate = Gate()
    for end, how in [
        (lambda: os._exit(7), 'code 7'), (lambda: os.kill(os.getpid(), 9), 'SIGKILL'), (lambda: os.abort(), 'SIGABRT'),
    ]:
        with ProcessPoolExecutor(2) as executor:
            beside = executor.submit(gate.job())
            wait_until(beside.running)
            lost, waiting = executor.submit(end), executor.submit(abs, 1)
            for future in lost, beside, waiting:
                error = future.exception()
                assert type(error) is BrokenProcessPool and how in str(error), error
                assert type(error.__cause__) is _interpreters.InterpreterLostError
            raises(BrokenProcessPool, how, executor.submit, abs, 1)
        assert none_is_left()
    gate.close()


def test_workers_can_be_ended():
    gate = Gate()
    for end in ProcessPoolExecutor.terminate_workers, ProcessPoolExecutor.kill_workers:
        executor = ProcessPoolExecutor(1)
        running, waiting = executor.submit(gate.job()), executor.submit(abs, 1)
        wait_until(running.running)
        process, = executor._processes.values()
        assert process.is_alive()
        end(executor)
        error = running.exception()
        assert type(error) is BrokenProcessPool and f'{end.__name__}()' in str(error) and waiting.cancelled(), error
        assert type(error.__cause__) is _interpreters.InterpreterLostError
        process.join()
        assert not process.is_alive()
        raises(RuntimeError, '', executor.submit, abs, 1)
        executor.shutdown()
        end(executor)
    gate.close()


def test_a_process_that_takes_the_place_of_another_is_ended_too():
    executor = ProcessPoolExecutor(1, max_tasks_per_child=1)
    create, created = _interpreters.create, []

    def create_and_end(**options):
        created.append(options)
        if len(created) == 2:
            executor.kill_workers()
        return create(**options)

    _interpreters.create = create_and_end
    try:
        with executor:
            jobs_of_both = [executor.submit(abs, -n) for n in (1, 2)]
            assert jobs_of_both[0].result() == 1
            error = jobs_of_both[1].exception()
            assert type(error) is BrokenProcessPool and 'kill_workers()' in str(error), error
    finally:
        _interpreters.create = create
    assert len(created) == 2 and none_is_left()


def test_so_many_jobs_for_a_process():
    with ProcessPoolExecutor(1, max_tasks_per_child=2) as executor:
        pids = [executor.submit(os.getpid).result() for _ in range(5)]
        assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    with ProcessPoolExecutor(3, max_tasks_per_child=1) as executor:
        assert list(executor.map(abs, range(-6, 0))) == [6, 5, 4, 3, 2, 1]
    raises(ValueError, 'max_tasks_per_child', ProcessPoolExecutor, max_tasks_per_child=0)
    raises(TypeError, 'max_tasks_per_child', ProcessPoolExecutor, max_tasks_per_child='1')


def test_how_many():
    for cls in CLASSES:
        raises(ValueError, 'max_workers must be greater than 0', cls, 0)
        # The limit of this interpreter leaves room for none, and then for one.
        others = [interpreters.create() for _ in range(16)]
        with cls() as executor:
            assert executor._max_workers == 1
            raises(interpreters.InterpreterError, 'interpreter_limit', lambda: executor.submit(abs, 1).result())
            others.pop().close()
            assert executor.submit(abs, -1).result() == 1
        with cls(3) as executor:
            # There is no room for more of them: one does all.
            assert list(executor.map(abs, range(-20, 0))) == list(range(20, 0, -1))
        assert len(_interpreters.list_all()) == 2 + 15
        for other in others:
            other.close()


def test_asyncio():
    import asyncio
    async def work(executor):
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(executor, abs, n) for n in range(-5, 0)))
    for cls in CLASSES:
        with cls(2) as executor:
            assert asyncio.run(work(executor)) == [5, 4, 3, 2, 1]
    async def by_default():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(InterpreterPoolExecutor(2))
        return await loop.run_in_executor(None, lambda: __import__('subpy').interpreters.get_current().id)
    assert asyncio.run(by_default()) != host.current()
    assert none_is_left()


def test_a_manager_works_in_processes():
    import multiprocessing
    with multiprocessing.get_context('spawn').Manager() as manager, ProcessPoolExecutor(1) as executor:
        items = manager.list()
        executor.submit(items.append, 1).result()
        assert list(items) == [1]


def test_without_threads():
    if sys.version_info < (3, 12):
        return print('  skipped')  # threads can't be forbidden there
    interp = interpreters.create(allow_threads=False)
    interp.exec('import subpy; executor = subpy.InterpreterPoolExecutor(1)')
    failed = raises(interpreters.ExecutionFailed, 'threads', interp.exec, 'executor.submit(abs, 1)')
    interp.close()


def test_an_interpreter_ends_with_its_executors():
    """What is to be done is done before."""
    for code, end in [
        ('', b'done, cannot schedule new futures after interpreter shutdown'),
        ('executor.shutdown(wait=False)', b'done, cannot schedule new futures after interpreter shutdown'),
        ('del executor', b'done'),
    ]:
        for cls in CLASSES:
            gate, told = Gate(), Gate()
            interp = interpreters.create()
            interp.prepare_main(cls=cls.__name__, r=f'/proc/{os.getpid()}/fd/{gate.r}', w=f'/proc/{os.getpid()}/fd/{told.w}')
            interp.exec(f'''
import atexit, subpy
executor = getattr(subpy, cls)(1)
def wait(r, w):
    with open(r, 'rb', 0) as file:
        file.read(1)
    with open(w, 'wb', 0) as file:
        file.write(b'done')
executor.submit(wait, r, w)
{code}
def late():
    try:
        executor.submit(abs, 1)
    except NameError:
        pass
    except RuntimeError as e:
        with open(w, 'wb', 0) as file:
            file.write(b', ' + str(e).encode())
atexit.register(late)
''')
            closing = threading.Thread(target=interp.close)
            closing.start()
            gate.open()
            closing.join()
            assert os.read(told.r, 100) == end
            gate.close(), told.close()
    assert none_is_left()
