"""concurrent.futures' ProcessPoolExecutor, whose workers are processes of subpy's."""

import multiprocessing
import os
import select
import signal
import sys
from concurrent.futures.process import BrokenProcessPool, _RemoteTraceback

from subpy import _interpreters
from subpy._executors import PoolExecutor, Worker, lost


class Process:
    """The process of a worker, with what programs use of multiprocessing's."""

    def __init__(self, pid):
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def __del__(self, _close=os.close):
        if '_descriptor' in self.__dict__:
            _close(self._descriptor)

    def terminate(self):
        self._send(signal.SIGTERM)

    def kill(self):
        self._send(signal.SIGKILL)

    def _send(self, number):
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            pass  # it has ended

    def is_alive(self):
        return not self._ends_within(0)

    def join(self, timeout=None):
        self._ends_within(timeout)

    def _ends_within(self, seconds):
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1000))


class ProcessWorker(Worker):
    backend, begins_at_once = 'process', True  # as in the standard class
    Broken = BrokenProcessPool

    process, has_key = None, False

    @staticmethod
    def cause(*parts):
        return _RemoteTraceback(f'\n\n{parts[-1]}')

    def begin(self):
        super().begin()
        self.has_key = False
        self.process = Process(self.call(os.getpid, (), {}))

    def stop(self, how):
        getattr(self.process, how)()

    def prepare(self):
        """What a multiprocessing.Manager has made works there, too: it needs the key of this process."""
        if not self.has_key and 'multiprocessing.managers' in sys.modules:
            key = bytes(multiprocessing.current_process().authkey)
            _interpreters._exec(self.id, f'import multiprocessing\nmultiprocessing.current_process().authkey = {key!r}')
            self.has_key = True

    def could_not_load(self, error):
        """As in the standard class."""
        lost(f'a job or its result could not be unpickled: {error!r}', error)


class ProcessPoolExecutor(PoolExecutor):
    """Has jobs done by interpreters that have a process each.

    max_workers            how many there are at most; None: by the number of cores, and by what may be created
    mp_context             is taken, and makes no difference
    initializer            is called with initargs in each process, before its jobs
    max_tasks_per_child    how many jobs a process does at most
    """

    def __init__(self, max_workers=None, mp_context=None, initializer=None, initargs=(), *, max_tasks_per_child=None):
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError(f'max_tasks_per_child must be an integer, not {type(max_tasks_per_child).__name__}')
            if max_tasks_per_child <= 0:
                raise ValueError(f'max_tasks_per_child must be >= 1, not {max_tasks_per_child}')
        cores = getattr(os, 'process_cpu_count', os.cpu_count)() or 1
        self._open(ProcessWorker, max_workers, cores, initializer, initargs, max_jobs=max_tasks_per_child)

    @property
    def _processes(self):
        """By their ids, as programs look for them."""
        return {worker.process.pid: worker.process for worker in self._threads}

    def terminate_workers(self):
        """Sends SIGTERM to the processes: their jobs are a BrokenProcessPool. What has not begun is cancelled."""
        self._force_shutdown(operation='terminate')

    def kill_workers(self):
        """As terminate_workers(), with SIGKILL."""
        self._force_shutdown(operation='kill')

    def _force_shutdown(self, operation):
        if operation not in ('terminate', 'kill'):
            raise ValueError(f"operation is {operation!r}, and has to be 'terminate' or 'kill'")
        self.shutdown(wait=False, cancel_futures=True)
        self._pool.break_(f'{operation}_workers() has ended the processes', None, operation)
