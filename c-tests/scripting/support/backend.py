"""Which interpreters the tests create: those of this process; with SUBPY_TESTS_CREATED=process processes; and with
SUBPY_TESTS_BACKEND=process this one is a process itself, as is what it creates."""

import functools
import os

from subpy import _dummy_interpreters, _interpreters, interpreters

IS_PROCESS = os.environ.get('SUBPY_TESTS_BACKEND') == 'process'
IN_PROCESSES = IS_PROCESS or os.environ.get('SUBPY_TESTS_CREATED') == 'process'

# The functions with ids, and how one is created as an object.
low_level = _dummy_interpreters if IN_PROCESSES else _interpreters
create = functools.partial(interpreters.create, backend='process') if IN_PROCESSES else interpreters.create

# The kernel gives each process memory of its own.
MEMORY_IS_SHARED = not IN_PROCESSES


def only_if(holds):
    """For tests of what is not there for each backend."""
    def decorate(test):
        return test if holds else lambda: print('  skipped')
    return decorate


def read_from(descriptor):
    """A program that waits until a byte can be read from a descriptor of this process, whichever runs it."""
    return f"import os; os.read(os.open('/proc/{os.getpid()}/fd/{descriptor}', os.O_RDONLY), 1)"
