"""CPython's own module of interpreters at the same work. Prints JSON as Google Benchmark does.

    cpython_module.py SOURCES REPETITIONS      SOURCES: {"short": ..., "large": ..., "busy": ...}
"""

import json
import sys
import threading
import time

try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    import _xxsubinterpreters as interpreters

SOURCES = json.loads(sys.argv[1])
REPETITIONS = int(sys.argv[2])
RESULTS = []


def report(work, seconds, size=""):
    name = f"{work}/cpython_module{size}"
    RESULTS.append({"name": name, "real_time": seconds * 1e9, "time_unit": "ns"})


def timed(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def repeated(work, interpreter, sources):
    run = interpreters.run_string

    def loop():
        for source in sources:
            run(interpreter, source)

    report(work, timed(loop) / len(sources))


def parallel(count, ids, runs):
    def work(interpreter):
        for _ in range(runs):
            interpreters.run_string(interpreter, SOURCES["busy"])

    threads = [threading.Thread(target=work, args=(i,)) for i in ids[:count]]

    def start_and_join():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    report("parallel", timed(start_and_join) / (count * runs), f"/{count}")


def life():
    start = time.perf_counter()
    interpreter = interpreters.create()
    report("create", time.perf_counter() - start)
    report("destroy", timed(interpreters.destroy, interpreter))


threading.Thread(target=int).start()  # as in the other programs: see become_multithreaded()
ids = [interpreters.create() for _ in range(4)]
number = 1_000_000_000
for _ in range(REPETITIONS):
    repeated("run_again", ids[0], [SOURCES["short"]] * 200)
    fresh = [f"x={number + i}" for i in range(200)]
    number += len(fresh)
    repeated("run_first", ids[0], fresh)
    repeated("run_large", ids[0], [SOURCES["large"]])
    life()
    for count in 1, 2, 4:
        parallel(count, ids, 2)

json.dump({"benchmarks": RESULTS}, sys.stdout)
