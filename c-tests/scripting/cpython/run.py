"""CPython's own tests of interpreters, or of executors, against subpy: run.py HOST PAGE interpreters|executors

The Python that runs it is the one that subpy is built for. Counted are the tests that it passes by itself. Each one that
differs is in the tables of PAGE, with its reason.
"""

import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PLAY = HERE.parents[2] / 'tools/cpython_tests/play.py'
QUIET = 120  # seconds in which no test begins or ends: something hangs
HANGS = 'no end'
TRIES = 3  # CPython's own executors of processes hang now and then


class Suite:
    """Tests of some modules, those of classes whose names have one of some words, and how many of them have to pass."""

    def __init__(self, name, modules, share, words=('',), left_out=()):
        self.name, self.modules, self.share, self.words, self.left_out = name, modules, share, words, left_out

    def has(self, test):
        *_, of, name = test.split('.')
        return any(word in of for word in self.words) and name not in self.left_out


# Their jobs use what only threads share: a lock, a list of the test's. Python has no such tests for interpreters.
OF_THREADS = (
    'test_executor_map_current_future_cancel', 'test_map_submits_without_iteration', 'test_saturation', 'test_threads_terminate',
)


def interpreters():
    import_tests('test.test_interpreters', is_package=True)  # below 3.13 it is of another module
    high = ['test.test_interpreters.' + name for name in ('test_api', 'test_lifecycle', 'test_queues', 'test_stress')]
    # 3.13.0 reaches 95 %. Later versions have more tests that want to be refused what is to work here: see the page.
    yield Suite('test_interpreters', high, 0.95 if sys.version_info < (3, 13, 1) else 0.93)
    yield Suite('test__interpreters', ['test.test__interpreters'], 0.90)


def executors():
    tests = import_tests('test.test_concurrent_futures')
    modules = [tests.__name__]  # to 3.11
    if hasattr(tests, '__path__'):
        names = 'as_completed', 'deadlock', 'init', 'interpreter_pool', 'process_pool', 'shutdown', 'thread_pool', 'wait'
        places = [(f'{tests.__name__}.test_{name}', f'{tests.__path__[0]}/test_{name}.py') for name in names]
        modules = [module for module, place in places if os.path.exists(place)]
    # Where it has no tests of its own, inside_executors.py puts our InterpreterPoolExecutor in the ThreadPoolExecutor's place.
    of_interpreters = [('InterpreterPool', 'AsyncioTest')] if sys.version_info >= (3, 14) else [('ThreadPool',), OF_THREADS]
    yield Suite('InterpreterPoolExecutor', modules, 0.90, *of_interpreters)
    yield Suite('ProcessPoolExecutor', modules, 0.90, ('ProcessPool', 'FailingInitializerResources'))


def import_tests(name, is_package=False):
    try:
        tests = importlib.import_module(name)
        if hasattr(tests, '__path__') or not is_package:
            return tests
    except ImportError:
        pass
    print('this Python has no such tests')
    sys.exit(77)


def wait(process, results):
    """The process's exit code. None: it has hung, and is killed, with the processes that it has started."""
    size, since = 0, time.monotonic()
    while True:
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            now = results.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > QUIET:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return None


def run(module, command):
    """What became of each test, and how the command ended if that was not well."""
    with tempfile.TemporaryDirectory() as folder:
        results = pathlib.Path(folder, 'results')
        results.touch()
        environment = {name: value for name, value in os.environ.items() if not name.startswith('PYTHON')}
        environment.update(
            PLAY_FILE=str(PLAY), PLAY_MODULE=module, PLAY_LEFT_OUT='', PLAY_RESULTS=str(results), PLAY_HOST=sys.argv[1],
            PYTHONUTF8='1', TMPDIR=folder,
        )
        errors = pathlib.Path(folder, 'errors')
        with errors.open('w') as stderr:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                start_new_session=True,
            )
        code = wait(process, results)
        end = HANGS if code is None else ''
        if code:
            end = f'exit code {code}\n{errors.read_text(errors="replace")[-2000:]}'
        became = {}
        for what, name, detail in map(json.loads, results.read_text().splitlines()):
            if what == 'start':
                became[name] = 'start', ''
            elif what in ('fail', 'error', 'skip') or what == 'pass' and became[name][0] == 'start':
                became[name] = what, detail
        return became, end


def play(module, inside):
    """What became of each test in a plain Python, and over subpy."""
    # As a program without a file: multiprocessing's processes would run that.
    for _ in range(TRIES):
        plain, end = run(module, [sys.executable, '-c', f'exec(open({str(PLAY)!r}).read())'])
        if end != HANGS:
            break
    ours, end = run(module, [sys.argv[1], str(HERE / inside)])
    if end:
        print(f'{module}: {end}')
    return plain, ours, end


def main():
    page, what = pathlib.Path(sys.argv[2]).read_text(), sys.argv[3]
    suites = list({'interpreters': interpreters, 'executors': executors}[what]())
    inside = {'interpreters': 'inside.py', 'executors': 'inside_executors.py'}[what]
    modules = {module for suite in suites for module in suite.modules}
    played = {module: play(module, inside) for module in sorted(modules)}
    wrong = sum(end != '' for _, _, end in played.values())
    for suite in suites:
        count = passed = 0
        for module in suite.modules:
            plain, ours, _ = played[module]
            for test, (outcome, _) in plain.items():
                if outcome != 'pass' or not suite.has(test):
                    continue
                count += 1
                found, detail = ours.get(test, ('nothing', ''))
                if found == 'pass':
                    passed += 1
                    continue
                name = test.rpartition(module + '.')[2]
                has_reason = any(f'`{known}`' in page for known in (name, name.rpartition('.')[2]))
                print(f'{test}: {found}{"" if has_reason else ", without a reason in the page"}')
                if not has_reason or os.environ.get('VERBOSE'):
                    print(detail)
                wrong += not has_reason
        rate = passed / count if count else 0
        print(f'{suite.name}: {passed} of {count} pass, {rate:.1%}', flush=True)
        if rate < suite.share:
            print(f'that is less than {suite.share:.0%}')
            wrong += 1
    sys.exit(wrong != 0)


main()
