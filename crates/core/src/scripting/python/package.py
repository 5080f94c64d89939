"""Many isolated Python interpreters in one process.

subpy.interpreters              as concurrent.interpreters of Python 3.14, on each Python
subpy._interpreters             the functions under it, with ids that are ints
subpy._dummy_interpreters       the same, for interpreters that have processes of their own
subpy.InterpreterPoolExecutor   as that of concurrent.futures of Python 3.14, on each Python
subpy.ProcessPoolExecutor       as that of concurrent.futures, with processes of subpy's
"""

__all__ = ['interpreters', 'InterpreterPoolExecutor', 'ProcessPoolExecutor']
_MODULES = 'interpreters', '_interpreters', '_dummy_interpreters'
_EXECUTORS = {'InterpreterPoolExecutor': '_interpreter_pool', 'ProcessPoolExecutor': '_process_pool'}


def __getattr__(name):
    import importlib
    if name in _MODULES:
        return importlib.import_module(f'subpy.{name}')
    if name in _EXECUTORS:
        return getattr(importlib.import_module(f'subpy.{_EXECUTORS[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
    return sorted({*globals(), *_MODULES, *_EXECUTORS})
