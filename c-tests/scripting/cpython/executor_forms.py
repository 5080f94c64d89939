"""subpy's executors in the place of CPython's, with CPython's modules for interpreters: what its tests of executors import.

It is imported in each interpreter that an executor creates, too: the classes of the tests name the executors.
"""

import sys

from subpy import _interpreters as ours

HERE = __file__.rpartition('/')[0]
_create = ours.create

import forms  # noqa: before concurrent.futures, which asks whether there is a module _interpreters


def create_prepared(**options):
    id = _create(**options)
    ours.run_string(id, f'exec({f"import sys; sys.path.append({HERE!r}); import executor_forms"!r}, {{}})')
    return id


ours.create = create_prepared

import concurrent.futures  # noqa
import subpy  # noqa

concurrent.futures.ProcessPoolExecutor = subpy.ProcessPoolExecutor
concurrent.futures.InterpreterPoolExecutor = subpy.InterpreterPoolExecutor
