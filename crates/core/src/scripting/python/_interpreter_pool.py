"""concurrent.futures' InterpreterPoolExecutor, on each Python."""

import os
from concurrent.futures.thread import BrokenThreadPool, ThreadPoolExecutor

from subpy._executors import PoolExecutor, Worker
from subpy.interpreters import _failed

try:
    from concurrent.futures.interpreter import BrokenInterpreterPool
except ImportError:  # before Python 3.14
    class BrokenInterpreterPool(BrokenThreadPool):
        """An initializer has failed."""


class InterpreterWorker(Worker):
    # Of the kind of its creator. To begin takes long: others begin at the same time.
    backend, begins_at_once = None, False
    Broken, cause = BrokenInterpreterPool, staticmethod(_failed)


class InterpreterPoolExecutor(PoolExecutor, ThreadPoolExecutor):
    """Has jobs done by interpreters of this process, each in a thread of its own.

    max_workers           how many there are at most; None: by the number of cores, and by what may be created
    thread_name_prefix    what the names of the threads begin with
    initializer           is called with initargs in each interpreter, before its jobs

    As in Python 3.14 it is a ThreadPoolExecutor, for asyncio. It uses nothing of that.
    """

    BROKEN = BrokenInterpreterPool

    def __init__(self, max_workers=None, thread_name_prefix='', initializer=None, initargs=()):
        cores = getattr(os, 'process_cpu_count', os.cpu_count)() or 1
        self._open(InterpreterWorker, max_workers, min(32, cores + 4), initializer, initargs, thread_name_prefix)

    @property
    def _thread_name_prefix(self):
        return self._pool.name
