"""What the executors have in common: threads, each of which has jobs done in an interpreter of its own.

A pool belongs to an executor, and its workers don't know that. So an executor may go while there are jobs: they are done
all the same.
"""

import itertools
import logging
import os
import queue
import threading
import time
import weakref
from collections import deque
from concurrent.futures import Executor, Future
from pickle import PicklingError

from subpy import _interpreters
from subpy._interpreters import InterpreterError, InterpreterLostError, _dump_call, _load
from subpy.interpreters import _failed


class NotShareableError(_interpreters.NotShareableError, PicklingError):
    """A part of a job can't be given to another interpreter. The message says which one it is, and where it is."""


class Pool:
    """Jobs, and the workers that do them. A job is a Future, a function, and its arguments."""

    def __init__(self, kind, max_workers, name, initializer, initargs, max_jobs):
        self.kind, self.name = kind, name
        self.initializer, self.initargs, self.max_jobs = initializer, initargs, max_jobs
        self.jobs = queue.SimpleQueue()  # at its end None, when it is closed
        self.lock = threading.Lock()
        # With the lock:
        self.max_workers = max_workers
        self.workers = set()
        self.numbers = itertools.count()
        self.serving = 0  # how many workers will take a job
        self.free = 0  # how many workers have no job, less the jobs that have no worker
        self.is_closed = False
        self.why_broken = None  # else a message, and the exception that is its cause
        _pools.add(self)

    # For the executor. ---------------------------------------------------------------------------

    def add(self, job):
        with self.lock:
            if self.why_broken:
                raise self.broken()
            if _is_exiting:
                raise RuntimeError('cannot schedule new futures after interpreter shutdown')
            if self.is_closed:
                raise RuntimeError('cannot schedule new futures after shutdown')
            self.free -= 1
            self.jobs.put(job)
            try:
                if self.free < 0 and self.serving < self.max_workers:
                    self._add_worker()
            except BaseException:
                if self.serving == 0:
                    self._take_all()  # nobody else has put one there
                raise

    def _add_worker(self):
        """The first one has its interpreter before the job is accepted. So jobs are done even if this interpreter ends at
        once, when it creates no more."""
        worker = self.kind(self, f'{self.name}_{next(self.numbers)}')
        try:
            if self.serving == 0 or worker.begins_at_once:
                worker.begin()
            worker.start()
        except BaseException as e:
            worker.end()
            if not isinstance(e, RuntimeError) or self.serving == 0 and isinstance(e, InterpreterError):
                raise
            if self.serving == 0:
                raise RuntimeError(f'{e}: an executor needs threads, which wait for its interpreters') from e
            self.max_workers = self.serving  # they do all
        else:
            self.workers.add(worker)
            self.serving += 1
            self.free += 1

    def close(self, cancel=False):
        with self.lock:
            self.is_closed = True
            cancelled = self._take_all() if cancel else ()
            self.jobs.put(None)
        for future, *_ in cancelled:
            future.cancel()

    def close_by_collector(self):
        """Nobody adds jobs any more. The garbage collector calls it at any time, so it takes no lock."""
        self.is_closed = True
        self.jobs.put(None)

    def join(self):
        for worker in list(self.workers):
            if worker is not threading.current_thread():
                worker.join()

    # For the workers. ----------------------------------------------------------------------------

    def take(self):
        """The next job. None: there are no more, and the worker ends."""
        job = self.jobs.get()
        if job is None:
            with self.lock:
                job, *others = self._take_all() or [None]
                for other in others:
                    self.jobs.put(other)
                self.jobs.put(None)  # for the other workers
                self.serving -= job is None
        return job

    def is_free(self):
        with self.lock:
            self.free += 1

    def fail(self, worker, job, error):
        """A worker could not begin, and ends. Other workers do its job, if there are others."""
        with self.lock:
            self.workers.discard(worker)
            self.serving -= 1
            self.jobs.put(job)
            self.free -= 1
            if self.serving > 0:
                self.max_workers = self.serving
                if self.is_closed:
                    self.jobs.put(None)
                return
            jobs = self._take_all()
        for future, *_ in jobs:
            _fail(future, error)

    def break_(self, message, error, how='kill'):
        """It does no more jobs. A worker sees that before it begins one, or is stopped."""
        with self.lock:
            workers = [] if self.why_broken else list(self.workers)
            self.why_broken = self.why_broken or (message, error)
            self.is_closed = True
            jobs = self._take_all()
            self.jobs.put(None)
        for worker in workers:
            worker.stop(how)
        for future, *_ in jobs:
            _fail(future, self.broken())

    def broken(self, error=None):
        message, cause = self.why_broken
        broken = self.kind.Broken(message)
        broken.__cause__ = cause or error
        return broken

    def _take_all(self):
        jobs = []
        try:
            while True:
                job = self.jobs.get_nowait()
                if job is not None:
                    jobs.append(job)
        except queue.Empty:
            self.free += len(jobs)
            return jobs


def _fail(future, error):
    if future.set_running_or_notify_cancel():
        future.set_exception(error)


class Worker(threading.Thread):
    """A thread, and the interpreter that it has jobs done in. Each kind has these besides:

    backend           of its interpreter
    begins_at_once    whether its interpreter is there when the job is accepted for which it is added
    Broken            the class of the exceptions of a broken pool
    cause(*parts)     the cause of an exception that a job has raised, which is described by these parts
    """

    def __init__(self, pool, name):
        super().__init__(name=name)
        self.pool, self.id = pool, None

    def run(self):
        pool, done = self.pool, 0
        while job := pool.take():
            if done == 0:
                try:
                    if self.id is None:
                        self.begin()
                except BaseException as e:
                    self.end()
                    pool.fail(self, job, e.with_traceback(None))
                    return
                self.initialize()
            self.do(*job)
            del job
            done += 1
            if done == pool.max_jobs:
                self.end()
                done = 0
        self.end()

    def begin(self):
        self.id = _interpreters.create(backend=self.backend)

    def initialize(self):
        if self.pool.initializer is None:
            return
        try:
            self.call(self.pool.initializer, self.pool.initargs, {})
        except BaseException as e:
            logging.getLogger('concurrent.futures').critical('Exception in initializer:', exc_info=True)
            error = e.__cause__ if isinstance(e, _Lost) else e.with_traceback(None)
            self.pool.break_('an initializer of the pool has failed: it does no more jobs', error)

    def end(self):
        if self.id is not None:
            try:
                _interpreters.destroy(self.id)
            except InterpreterError:
                pass  # somebody looks at its memory: it ends with this interpreter
            self.id = None

    def do(self, future, function, args, kwargs):
        if not future.set_running_or_notify_cancel():
            self.pool.is_free()
            return
        result, error = None, None
        try:
            if self.pool.why_broken:
                raise self.pool.broken()
            result = self.call(function, args, kwargs)
        except _Lost as e:
            self.pool.break_(f'the pool is broken: {e}', e.__cause__)
            error = self.pool.broken(e.__cause__)
        except BaseException as e:
            error = e.with_traceback(None)
        # Who sees that this job is done can have the worker do the next one.
        self.pool.is_free()
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def call(self, function, args, kwargs):
        try:
            dumped = _dump_call(function, args, kwargs)
        except _interpreters.NotShareableError as e:
            raise NotShareableError(*e.args) from None
        try:
            self.prepare()
            answer, failed = _interpreters._call(self.id, 'attempt', dumped, 'args')
        except InterpreterLostError as e:
            lost(str(e), e)
        if failed is not None:
            raise _failed(*failed)
        became, what, *parts = answer
        if became:
            try:
                return _load(what)
            except BaseException as e:
                self.could_not_load(e)
                raise
        if became is None:
            raise self.raised(what, *parts)
        raise NotShareableError(what)

    def raised(self, dumped, parts, is_before):
        """The exception of a job. If there is no such one here, another one describes it."""
        try:
            error = _load(dumped)
            error.__cause__ = self.cause(*parts)
        except Exception:
            error = _failed(*parts)
        if is_before:
            self.could_not_load(error)
        return error

    # What a kind may have besides.

    def prepare(self):
        """Before each job."""

    def stop(self, how):
        """The pool is broken: what it is at need not come to an end. how: kill or terminate."""

    def could_not_load(self, error):
        """A job or a result can't be unpickled. That is the exception of the job, or the end of the pool: lost()."""


class _Lost(Exception):
    """A worker can do no more jobs, and so breaks its pool. The cause is the exception that says why."""


def lost(message, error):
    raise _Lost(message) from error


# At the end of this interpreter. -----------------------------------------------------------------

_pools = weakref.WeakSet()
_is_exiting = False


def _exit():
    """This interpreter waits for the threads. They end when the jobs are done."""
    global _is_exiting
    _is_exiting = True
    pools = list(_pools)
    for pool in pools:
        pool.close()
    for pool in pools:
        pool.join()


threading._register_atexit(_exit)
os.register_at_fork(after_in_child=_pools.clear)  # the child has no such threads


# The executors. ----------------------------------------------------------------------------------

class PoolExecutor(Executor):
    _numbers = itertools.count()

    def _open(self, kind, max_workers, default, initializer, initargs, name='', max_jobs=None):
        if max_workers is None:
            max_workers = max(1, min(default, _interpreters._room()))
        if max_workers <= 0:
            raise ValueError(f'max_workers must be greater than 0, not {max_workers}')
        if initializer is not None and not callable(initializer):
            raise TypeError(f'initializer must be a callable, not {type(initializer).__name__}')
        name = name or f'{type(self).__name__}-{next(self._numbers)}'
        self._pool = Pool(kind, max_workers, name, initializer, initargs, max_jobs)

    # Programs look for these, which the standard classes have.

    @property
    def _max_workers(self):
        return self._pool.max_workers

    @property
    def _threads(self):
        return set(self._pool.workers)

    @property
    def _broken(self):
        return self._pool.why_broken is not None

    def submit(self, fn, /, *args, **kwargs):
        """Has fn(*args, **kwargs) called in an interpreter of the pool. The answer is a Future of it."""
        future = Future()
        self._pool.add((future, fn, args, kwargs))
        return future

    def map(self, fn, *iterables, timeout=None, chunksize=1, buffersize=None):
        """As map(): an iterator of the results, in order, of calls that are at work at the same time.

        timeout       how many seconds from now on the results may take: else TimeoutError
        chunksize     how many calls go to a worker together
        buffersize    how many chunks are at work, or have results that nobody has got yet, at most; None: all
        """
        if chunksize < 1:
            raise ValueError(f'chunksize must be >= 1, not {chunksize}')
        if buffersize is not None and not isinstance(buffersize, int):
            raise TypeError(f'buffersize must be an integer or None, not {type(buffersize).__name__}')
        if buffersize is not None and buffersize < 1:
            raise ValueError(f'buffersize must be None or > 0, not {buffersize}')
        end = None if timeout is None else time.monotonic() + timeout
        calls = zip(*iterables)
        if chunksize > 1:
            calls, fn = _chunks(fn, calls, chunksize), _each
        futures = deque(self.submit(fn, *call) for call in itertools.islice(calls, buffersize))
        executor = weakref.ref(self)  # so that the iterator does not keep it

        def submit_one():
            call = next(calls, None) if buffersize is not None and executor() is not None else None
            if call is not None:
                futures.append(executor().submit(fn, *call))

        results = _results(futures, end, submit_one)
        return results if chunksize == 1 else _items(results)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Takes no more jobs. Those that it has are done, save, with cancel_futures, what has not begun.

        wait    until they are done, and the interpreters have ended
        """
        self._pool.close(cancel_futures)
        if wait:
            self._pool.join()

    def __del__(self):
        pool = self.__dict__.get('_pool')
        if pool is not None:
            pool.close_by_collector()


_each = _interpreters._crossing['each']


def _chunks(function, calls, size):
    while chunk := list(itertools.islice(calls, size)):
        yield function, chunk


# Who iterates over results has the only reference to what comes.

def _results(futures, end, submit_one):
    def first():
        result = futures[0].result(None if end is None else end - time.monotonic())
        futures.popleft()
        return result

    try:
        while futures:
            submit_one()
            yield first()
    finally:
        for future in futures:
            future.cancel()


def _items(chunks):
    for chunk in chunks:
        chunk.reverse()
        while chunk:
            yield chunk.pop()
