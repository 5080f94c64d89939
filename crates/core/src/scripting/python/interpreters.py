"""Interpreters as objects: what concurrent.interpreters of Python 3.14 has, on each Python.

A program that was written for that module runs with one changed import. What differs on purpose is in docs/scripting.md.
"""

import threading
import types
import weakref

from subpy import _interpreters
from subpy._interpreters import (
    InterpreterError, InterpreterNotFoundError, NotShareableError, _dump, _dump_call, _load, is_shareable,
)

Queue = type(_interpreters._create_queue(0, 0))
QueueError, QueueNotFoundError, QueueEmpty, QueueFull, ItemInterpreterDestroyed, UNBOUND, UNBOUND_ERROR, UNBOUND_REMOVE = (
    _interpreters._queues[name]
    for name in (
        'QueueError', 'QueueNotFoundError', 'QueueEmpty', 'QueueFull', 'ItemInterpreterDestroyed', 'UNBOUND',
        'UNBOUND_ERROR', 'UNBOUND_REMOVE',
    )
)

__all__ = [
    'create', 'list_all', 'get_current', 'get_main', 'is_shareable', 'Interpreter', 'InterpreterError',
    'InterpreterNotFoundError', 'ExecutionFailed', 'NotShareableError', 'create_queue', 'Queue', 'QueueEmpty', 'QueueFull',
]


class ExecutionFailed(InterpreterError):
    """What ran in another interpreter has raised an exception, which `excinfo` describes.

    excinfo.type.__name__, __qualname__, __module__    its class
    excinfo.msg                                        its text
    excinfo.formatted                                  both in one line
    excinfo.errdisplay                                 the traceback there
    """

    def __init__(self, excinfo):
        super().__init__(excinfo.formatted)
        self.excinfo = excinfo

    def __str__(self):
        return f'{super().__str__()}\n\nUncaught in the interpreter:\n\n{self.excinfo.errdisplay}'


def _failed(module, name, message, args, traceback):
    kind = types.SimpleNamespace(__name__=name.rpartition('.')[2], __qualname__=name, __module__=module)
    shown = name if module in ('builtins', '__main__') else f'{module}.{name}'
    return ExecutionFailed(types.SimpleNamespace(
        type=kind, msg=message, formatted=f'{shown}: {message}' if message else shown, errdisplay=traceback.rstrip('\n'),
    ))


def create(**options):
    """Creates an interpreter, which stays idle until something runs in it.

    The options are those of subpy._interpreters.create(). It ends when the last object goes that stands for it here and
    in the interpreters that know it, and with the interpreter that has created it at the latest.
    """
    id = _interpreters.create(**options)
    _interpreters._count_objects(id)
    return Interpreter(id)


def list_all():
    """All interpreters that this one knows: the main one, and those of its family."""
    all = []
    for id in _interpreters.list_all():
        try:
            all.append(Interpreter(id))
        except InterpreterNotFoundError:
            pass  # it has ended meanwhile
    return all


def get_current():
    """The interpreter that runs this."""
    return Interpreter(_interpreters.get_current())


def get_main():
    """The main interpreter."""
    return Interpreter(_interpreters.get_main())


_WHENCE = {
    'main': 'runtime init',
    'host': 'C-API',
    'script': '_interpreters module',
}

_known = weakref.WeakValueDictionary()
_lock = threading.RLock()


class Interpreter:
    """An interpreter. There is one object of it here at a time."""

    def __new__(cls, id, /):
        if not isinstance(id, int):
            raise TypeError(f'id must be an int, got {id!r}')
        id = int(id)
        with _lock:
            self = _known.get(id)
            if self is None:
                whence = _interpreters._whence(id)
                self = super().__new__(cls)
                self._id, self._whence = id, whence
                self._is_counted = _interpreters._retain(id)
                _known[id] = self
            return self

    def __repr__(self):
        return f'{type(self).__name__}({self._id})'

    def __hash__(self):
        return hash(self._id)

    def __reduce__(self):
        return type(self), (self._id,)

    def __del__(self, _release=_interpreters._release):
        if getattr(self, '_is_counted', False):
            self._is_counted = False
            try:
                _release(self._id)
            except InterpreterError:
                pass  # it is gone

    @property
    def id(self):
        return self._id

    @property
    def whence(self):
        """Who has created it: 'runtime init', 'C-API' (the host) or '_interpreters module' (a script)."""
        return _WHENCE[self._whence]

    def is_running(self):
        """Whether something runs in its __main__ now. Threads that a script has left there do not count."""
        return _interpreters.is_running(self._id)

    def close(self):
        """Finalizes it: its exit functions run, and its threads are awaited.

        InterpreterError if it runs, is the main or the current one, or has created this one.
        """
        _interpreters.destroy(self._id)

    def prepare_main(self, ns=None, /, **names):
        """Gives plain values and memoryviews their names in its __main__."""
        names = dict(() if ns is None else ns, **names)
        if not names:
            raise ValueError('there are no names to be bound: pass some')
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f'a name has to be a str, not {type(name).__name__}')
            if '\0' in name:
                raise ValueError(f'a name has a NUL: {name!r}')
        _, failed = _interpreters._call(self._id, 'prepare', (names,), 'ns')
        if failed is not None:
            raise _failed(*failed)

    def exec(self, code, /):
        """Runs a program in its __main__, in the calling thread: a str, a code object, or a function without arguments.

        There is no result. ExecutionFailed if the program raises an exception.
        """
        if isinstance(code, str):
            failed = _interpreters._exec(self._id, code)
        elif isinstance(code, (types.CodeType, types.FunctionType)):
            _, failed = _interpreters._call(self._id, 'execute', (_dump(code, 'code'),), 'code')
        else:
            raise TypeError(f'code has to be a str, a code object or a function, not {type(code).__name__}')
        if failed is not None:
            raise _failed(*failed)

    def _call(self, callable, args, kwargs):
        result, failed = _interpreters._call(self._id, 'call', _dump_call(callable, args, kwargs), 'args')
        if failed is not None:
            raise _failed(*failed)
        can_cross, result = result
        if not can_cross:
            raise NotShareableError(result)
        return _load(result)

    def call(self, callable, /, *args, **kwargs):
        """Calls a function in it, in the calling thread, and returns the result.

        Plain values are copied, memoryviews are shared, and all else is pickled. Functions of __main__, lambdas and
        functions inside of functions take with them what they use. ExecutionFailed if it raises an exception.
        """
        return self._call(callable, args, kwargs)

    def call_in_thread(self, callable, /, *args, **kwargs):
        """As call(), in a new thread, which is returned. The result is thrown away."""
        thread = threading.Thread(target=self._call, args=(callable, args, kwargs))
        thread.start()
        return thread


def create_queue(maxsize=0, *, unbounditems=UNBOUND):
    """Creates a queue, between this interpreter and those that it is given to.

    It holds `maxsize` items at most; 0 is any number. `unbounditems` says what becomes of items whose interpreter ends
    before somebody has got them: see Queue.put().
    """
    if not isinstance(maxsize, int):
        raise TypeError(f'maxsize has to be an int, not {type(maxsize).__name__}')
    return _interpreters._create_queue(maxsize, _interpreters._queues['code_of'](unbounditems))
