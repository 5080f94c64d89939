"""Interpreters by their ids, which are ints.

What goes wrong is a RuntimeError that says what to do: InterpreterError, and InterpreterNotFoundError for an id that does
not exist. An argument of a wrong type is a TypeError.
"""

import builtins
import sys

NotShareableError, is_shareable = _crossing['NotShareableError'], _crossing['is_shareable']
_dump, _dump_call, _load = _crossing['dump'], _crossing['dump_call'], _crossing['load']

__all__ = [
    'create', 'destroy', 'list_all', 'get_current', 'get_main', 'is_running', 'run_string', 'run_string_unrestricted',
    'is_shareable', 'InterpreterError', 'InterpreterNotFoundError', 'InterpreterLostError', 'NotShareableError',
    'RunFailedError', 'InnerTraceback',
]


class InterpreterError(RuntimeError):
    """An interpreter can't do what it is asked for."""


class InterpreterNotFoundError(InterpreterError):
    """There is no such interpreter."""


class InterpreterLostError(InterpreterError):
    """The process of an interpreter has ended: by a signal, or else with an exit code. All that is left is to destroy it."""

    def __init__(self, message, exit_code=0, signal=0):
        super().__init__(message)
        self.exit_code, self.signal = exit_code, signal


class RunFailedError(RuntimeError):
    """A program in another interpreter has raised an exception whose class is not a built-in one."""


class InnerTraceback(Exception):
    """The cause of an exception that comes from another interpreter. Its text is the traceback there."""

    def __str__(self):
        return f'\n\n{self.args[0]}' if self.args else ''


def create(
    *,
    backend='local',
    allow_fork=None,
    allow_exec=None,
    allow_threads=None,
    allow_daemon_threads=None,
    share_environment=None,
    allow_interpreters=None,
    interpreter_limit=None,
    memory_limit=None,
):
    """Creates an interpreter, which stays idle until something runs in it, and returns its id.

    It imports from where this one does. It is what this one is; the arguments can only make it less: what is None stays
    as it is here. It ends with this one, unless the host takes it over. With backend='process' it has a process of its own,
    an environment of its own, and creates no others.
    """
    if backend not in ('local', 'process'):
        raise ValueError(f"backend is {backend!r}, and has to be 'local' or 'process'")
    is_process = backend == 'process'
    if is_process:
        share_environment, allow_interpreters = bool(share_environment), bool(allow_interpreters)
    if interpreter_limit is not None and interpreter_limit < 1:
        raise ValueError(f'interpreter_limit is {interpreter_limit}: for none, pass allow_interpreters=False')
    path = [place for place in sys.path if isinstance(place, str)]
    return _create(
        path, allow_fork, allow_exec, allow_threads, allow_daemon_threads, share_environment, allow_interpreters,
        interpreter_limit, memory_limit, is_process,
    )


def _error(status, message, details):
    """The exception for an error of subpy's. details: those of an exception of the other interpreter's, or of how its
    process has ended, or None."""
    if status == 'interrupted':
        error = KeyboardInterrupt(message)
    elif status == 'lost':
        *how, traceback = details
        error = InterpreterLostError(message, *how)
        if traceback:
            error.__cause__ = InnerTraceback(traceback)
        return error
    elif details is not None:
        error = _same(*details)
    else:
        error = _CLASSES.get(status, InterpreterError)(message)
    if details is not None:
        error.__cause__ = InnerTraceback(details[4])
    return error


_CLASSES = {
    'invalid argument': ValueError,
    'not found': InterpreterNotFoundError,
    'not shareable': NotShareableError,
    'no memory': MemoryError,
}


def _same(module, name, message, args, traceback):
    """An exception as it was in the other interpreter, if its class is a built-in one."""
    kind = getattr(builtins, name, None) if module == 'builtins' else None
    if isinstance(kind, type) and issubclass(kind, BaseException):
        for arguments in (args, (message,)):
            try:
                error = kind(*arguments)
                if str(error) == message:
                    return error
            except Exception:
                pass
    name = name if module in ('builtins', '__main__') else f'{module}.{name}'
    return RunFailedError(f'{name}: {message}')
