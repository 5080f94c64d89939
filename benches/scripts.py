"""What a script does with interpreters: with subpy's package where there is one, else with CPython's modules. Prints JSON
as Google Benchmark does.

    scripts.py REPETITIONS                     in a plain Python
    subpy_bench script scripts.py REPETITIONS  in an interpreter of subpy
"""

import json
import queue
import sys
import threading
import time

try:
    import subpy
    from subpy import _dummy_interpreters as dummy, _interpreters as low, interpreters

    WAY = "subpy"
    EXECUTORS = {"job_interpreter": subpy.InterpreterPoolExecutor, "job_process": subpy.ProcessPoolExecutor}
    create_queue = interpreters.create_queue
except ImportError:
    WAY, dummy = "cpython_module", None
    import _interpreters as low

    try:
        from concurrent import interpreters
    except ImportError:
        from test.support import interpreters  # 3.13
    create_queue = interpreters.create_queue
    try:
        from concurrent.futures import InterpreterPoolExecutor

        EXECUTORS = {"job_interpreter": InterpreterPoolExecutor}
    except ImportError:
        EXECUTORS = {}  # before 3.14

REPETITIONS = globals().get("repetitions") or int(sys.argv[1])
RUNS, ITEMS, PASSED = 500, 20_000, 200_000
BUSY = "total = 0\nfor i in range(1_500_000): total += i"
RESULTS = []


def report(work, seconds, way=WAY):
    RESULTS.append({"name": f"{work}/{way}", "real_time": seconds * 1e9, "time_unit": "ns"})


def timed(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def run_again(id, run=low.run_string):
    for _ in range(RUNS):
        run(id, "x = 1")


def life(module=low, way=WAY):
    start = time.perf_counter()
    id = module.create()
    report("script_create", time.perf_counter() - start, way)
    module.run_string(id, "x = 1")
    report("script_create_run", time.perf_counter() - start, way)
    report("script_destroy", timed(module.destroy, id), way)


def through(queue):
    """Each item is put by one thread and got by another one."""

    def put():
        for i in range(ITEMS):
            queue.put(i)

    def work():
        thread = threading.Thread(target=put)
        thread.start()
        for _ in range(ITEMS):
            queue.get()
        thread.join()

    return timed(work) / ITEMS


def between_interpreters(interp, passed):
    def work():
        thread = threading.Thread(target=interp.exec, args=("put()",))
        thread.start()
        for _ in range(passed):
            items.get()
        thread.join()

    return timed(work) / passed


def parallel(ids):
    threads = [threading.Thread(target=low.run_string, args=(id, BUSY)) for id in ids]

    def work():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return timed(work) / len(ids)


def job(x):
    return x


def jobs_again(executor):
    for _ in range(RUNS):
        executor.submit(job, 1).result()


ids = [low.create() for _ in range(2)]
executors = {work: executor(1) for work, executor in EXECUTORS.items()}
process = dummy and dummy.create()
interp = interpreters.create()
items = create_queue()
count = PASSED if WAY == "subpy" else 100  # CPython's waits in steps of 10 ms
interp.prepare_main(id=items.id, count=count)
interp.exec(
    f"""
from {interpreters.__name__} import Queue
def put(queue=Queue(id)):
    for i in range(count):
        queue.put(i)
"""
)
for _ in range(REPETITIONS):
    report("script_run", timed(run_again, ids[0]) / RUNS)
    life()
    for work, executor in executors.items():
        report(work, timed(jobs_again, executor) / RUNS)
    report("queue_threads", through(create_queue()))
    report("queue_threads", through(queue.Queue()), "queue.Queue")
    report("queue_interpreters", between_interpreters(interp, count))
    for n in 1, 2:
        report("script_parallel", parallel(ids[:n]), f"{WAY}/{n}")
    if dummy:
        life(dummy, "dummy")
        report("script_run", timed(run_again, process, dummy.run_string) / RUNS, "dummy")

for executor in executors.values():
    executor.shutdown()
json.dump({"benchmarks": RESULTS}, sys.stdout)
