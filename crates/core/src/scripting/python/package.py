"""Many isolated Python interpreters in one process.

subpy.interpreters          as concurrent.interpreters of Python 3.14, on each Python
subpy._interpreters         the functions under it, with ids that are ints
subpy._dummy_interpreters   the same, for interpreters that have processes of their own
"""

__all__ = ['interpreters']
_MODULES = 'interpreters', '_interpreters', '_dummy_interpreters'


def __getattr__(name):
    if name in _MODULES:
        import importlib
        return importlib.import_module(f'subpy.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
    return sorted({*globals(), *_MODULES})
