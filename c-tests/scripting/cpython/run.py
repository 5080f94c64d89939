"""CPython's own tests of interpreters, against subpy: run.py HOST PAGE

The Python that runs it is the one that subpy is built for. Counted are the tests that it passes by itself. Each one that
differs is in the table of PAGE, with its reason.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PLAY = HERE.parents[2] / 'tools/cpython_tests/play.py'
HIGH = ['test.test_interpreters.' + name for name in ('test_api', 'test_lifecycle', 'test_queues', 'test_stress')]
# 3.13.0 reaches 95 %. Later versions have more tests that want to be refused what is to work here: see the page.
SUITES = [(HIGH, 0.95 if sys.version_info < (3, 13, 1) else 0.93), (['test.test__interpreters'], 0.90)]
SECONDS = 280


def run(module, command):
    """What became of each test."""
    with tempfile.TemporaryDirectory() as folder:
        results = pathlib.Path(folder, 'results')
        results.touch()
        environment = {name: value for name, value in os.environ.items() if not name.startswith('PYTHON')}
        environment.update(
            PLAY_FILE=str(PLAY), PLAY_MODULE=module, PLAY_LEFT_OUT='', PLAY_RESULTS=str(results), PYTHONUTF8='1', TMPDIR=folder,
        )
        try:
            done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
            end = f'exit code {done.returncode}\n{done.stderr[-2000:]}' if done.returncode else ''
        except subprocess.TimeoutExpired:
            end = 'no end'
        became = {}
        for what, name, detail in map(json.loads, results.read_text().splitlines()):
            if what == 'start':
                became[name] = 'start', ''
            elif what in ('fail', 'error', 'skip') or what == 'pass' and became[name][0] == 'start':
                became[name] = what, detail
        return became, end


def main():
    host, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
    try:
        import test.test_interpreters as tests
    except ImportError:
        tests = None
    if not hasattr(tests, '__path__'):  # below 3.13 it is of another module
        print('this Python has no such tests')
        sys.exit(77)
    wrong = 0
    for modules, share in SUITES:
        count = passed = 0
        for module in modules:
            plain, _ = run(module, [sys.executable, '-P', str(PLAY)])
            inside, end = run(module, [host, str(HERE / 'inside.py')])
            if end:
                print(f'{module}: {end}')
                wrong += 1
            for test, (outcome, _) in plain.items():
                if outcome != 'pass':
                    continue
                count += 1
                found, detail = inside.get(test, ('nothing', ''))
                if found == 'pass':
                    passed += 1
                    continue
                name = test.rpartition(module + '.')[2]
                has_reason = f'`{name}`' in page
                print(f'{test}: {found}{"" if has_reason else ", without a reason in the page"}')
                if not has_reason or os.environ.get('VERBOSE'):
                    print(detail)
                wrong += not has_reason
        rate = passed / count if count else 0
        print(f'{", ".join(modules)}: {passed} of {count} pass, {rate:.1%}', flush=True)
        if rate < share:
            print(f'that is less than {share:.0%}')
            wrong += 1
    sys.exit(wrong != 0)


main()
