"""subpy._interpreters, in whose place it can be used: each interpreter that it creates has a process of its own.

So it works on each Python in parallel, with any package, and what a program does there does not reach this process.
"""

from subpy import _interpreters
from subpy._interpreters import *

__all__ = _interpreters.__all__


def create(*, backend='process', **options):
    return _interpreters.create(backend=backend, **options)


create.__doc__ = _interpreters.create.__doc__
