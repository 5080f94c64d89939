# What host.c runs: the tests of a module of concurrent.futures, over subpy's executors.
import concurrent.futures
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import types

import subpy

HOST, FILE = os.environ['PLAY_HOST'], os.path.abspath(__file__)
vars(sys.modules['__main__']).pop('__file__', None)  # else multiprocessing's processes run it, without a host


class ProcessPoolExecutor(subpy.ProcessPoolExecutor):
    """With what the tests look at of CPython's own: a thread and a queue which end with the executor, and the context."""

    def __init__(self, max_workers=None, mp_context=None, *args, **named):
        super().__init__(max_workers, mp_context, *args, **named)
        self._mp_context = mp_context or multiprocessing.get_context('spawn')

    @property
    def _executor_manager_thread(self):
        return types.SimpleNamespace(join=self._pool.join)

    @property
    def _call_queue(self):
        return types.SimpleNamespace(join_thread=self._pool.join)


concurrent.futures.ProcessPoolExecutor = ProcessPoolExecutor
concurrent.futures.InterpreterPoolExecutor = subpy.InterpreterPoolExecutor
if sys.version_info < (3, 14):
    # There are no tests of an InterpreterPoolExecutor. Those of threads do as well.
    concurrent.futures.ThreadPoolExecutor = subpy.InterpreterPoolExecutor

# Tests have it end what hangs. The timer of the process is the host's, and run.py ends what hangs.
signal.alarm = lambda seconds: 0


def assert_python_ok(option, code):
    """As that of test.support, with a host of subpy's as the Python."""
    with tempfile.NamedTemporaryFile('w', suffix='.py') as file:
        file.write(f"""
import runpy
runpy.run_path({FILE!r}, run_name='executors')
exec({code!r})
__import__('threading')._shutdown()
""")
        file.flush()
        done = subprocess.run([HOST, file.name], capture_output=True)
    assert done.returncode == 0, done
    return done.returncode, done.stdout, done.stderr


from test.support import script_helper  # noqa: with the executors above
script_helper.assert_python_ok = assert_python_ok

if __name__ == '__main__':
    with open(os.environ['PLAY_FILE']) as file:
        exec(compile(file.read(), 'play.py', 'exec'))
    threading._shutdown()  # as a Python program ends
