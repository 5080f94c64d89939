# What host.c runs: the tests of a module of concurrent.futures, over subpy's executors.
import os
import sys

HOST, FILE = os.environ['PLAY_HOST'], os.path.abspath(__file__)
if sys.version_info >= (3, 14):
    # Its tests are of interpreters, too, and name all executors where their jobs are done.
    sys.path.append(os.path.dirname(FILE))
    import executor_forms  # noqa: before concurrent.futures

import concurrent.futures
import multiprocessing
import signal
import subprocess
import tempfile
import threading
import time

import subpy

vars(sys.modules['__main__']).pop('__file__', None)  # else multiprocessing's processes run it, without a host


class Threads:
    """Those of a pool, as one: CPython's has one that manages it."""

    def __init__(self, pool):
        self.pool = pool

    def join(self, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        for worker in list(self.pool.workers):
            worker.join(None if end is None else max(0, end - time.monotonic()))

    def is_alive(self):
        return any(worker.is_alive() for worker in list(self.pool.workers))

    join_thread = join


class ProcessPoolExecutor(subpy.ProcessPoolExecutor):
    """With what the tests look at of CPython's own: a thread and a queue which end with the executor, and the context."""

    def __init__(self, max_workers=None, mp_context=None, *args, **named):
        super().__init__(max_workers, mp_context, *args, **named)
        self._mp_context = mp_context or multiprocessing.get_context('spawn')

    @property
    def _executor_manager_thread(self):
        return Threads(self._pool)

    _call_queue = _executor_manager_thread


concurrent.futures.ProcessPoolExecutor = ProcessPoolExecutor
concurrent.futures.InterpreterPoolExecutor = subpy.InterpreterPoolExecutor
if sys.version_info < (3, 14):
    # There are no tests of an InterpreterPoolExecutor. Those of threads do as well.
    concurrent.futures.ThreadPoolExecutor = subpy.InterpreterPoolExecutor

# Tests have it end what hangs. The timer of the process is the host's, and run.py ends what hangs.
signal.alarm = lambda seconds: 0


def assert_python_ok(*arguments):
    """As that of test.support, with a host of subpy's as the Python: '-c' and a program, or a file."""
    program = f'exec({arguments[1]!r})' if arguments[0] == '-c' else f"runpy.run_path({arguments[0]!r}, run_name='__main__')"
    with tempfile.NamedTemporaryFile('w', suffix='.py') as file:
        file.write(f"""
import runpy
runpy.run_path({FILE!r}, run_name='executors')
{program}
__import__('threading')._shutdown()
""")
        file.flush()
        done = subprocess.run([HOST, file.name], capture_output=True)
    assert done.returncode == 0, done
    return script_helper._PythonRunResult(done.returncode, done.stdout, done.stderr)


from test.support import script_helper  # noqa: with the executors above
script_helper.assert_python_ok = assert_python_ok

if __name__ == '__main__':
    with open(os.environ['PLAY_FILE']) as file:
        exec(compile(file.read(), 'play.py', 'exec'))
    threading._shutdown()  # as a Python program ends
