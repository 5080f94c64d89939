"""Runs one module of CPython's tests, in a plain Python or in an interpreter, and says what became of each test.

The environment has the module's name (PLAY_MODULE) and a file (PLAY_RESULTS), which gets a line of JSON for each thing
that happens. The variables are the only way into an interpreter: it has no arguments.
"""

import importlib
import json
import os
import random
import sys
import traceback
import unittest

MODULE = os.environ.pop("PLAY_MODULE")
LEFT_OUT = os.environ.pop("PLAY_LEFT_OUT").splitlines()
# Tests close descriptors, replace open() and change the folder, so each line is written by what is known now.
PATH = os.environ.pop("PLAY_RESULTS")


def tell(what, name, detail="", *, _open=os.open, _write=os.write, _close=os.close, _dumps=json.dumps):
    descriptor = _open(PATH, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    _write(descriptor, _dumps([what, name, detail]).encode() + b"\n")
    _close(descriptor)


def name_of(test):
    # A test may have an attribute `id` of its own.
    return type(test).id(test)


def text_of(error):
    return "".join(traceback.format_exception(*error))[-6000:]


class Result(unittest.TestResult):
    """Of each test its beginning, and what it comes to: a test may come to several things, by its subtests."""

    def startTest(self, test):
        super().startTest(test)
        tell("start", name_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        tell("stop", name_of(test))

    def addSuccess(self, test):
        super().addSuccess(test)
        tell("pass", name_of(test))

    def addError(self, test, err):
        super().addError(test, err)
        tell("error", name_of(test), text_of(err))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        tell("fail", name_of(test), text_of(err))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            tell("fail" if failed else "error", name_of(test), f"{subtest}\n{text_of(err)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        tell("skip", name_of(getattr(test, "test_case", test)), str(reason))

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        tell("pass", name_of(test))

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        tell("fail", name_of(test), "unexpected success")


def leave_out(suite):
    """Without the tests that the environment names."""
    for index, test in enumerate(suite):
        if isinstance(test, unittest.TestSuite):
            leave_out(test)
        elif name_of(test) in LEFT_OUT:
            suite._tests[index] = unittest.TestSuite()


def main():
    from test import support

    # As `python -m test` has it, when it is told nothing.
    support.verbose = 0
    support.use_resources = ()
    support.record_original_stdout(sys.stdout)
    random.seed(1)
    name = MODULE if MODULE.startswith("test.") else "test." + MODULE
    try:
        module = importlib.import_module(name)
        loader = unittest.TestLoader()
        suite = loader.loadTestsFromModule(module)
        if loader.errors:
            raise RuntimeError("\n".join(loader.errors))
    except unittest.SkipTest as reason:
        tell("skip", "module", str(reason))
        return
    except BaseException:
        tell("error", "module", text_of(sys.exc_info()))
        return
    leave_out(suite)
    result = Result()
    result.buffer = True
    suite.run(result)
    tell("end", "module")


main()
