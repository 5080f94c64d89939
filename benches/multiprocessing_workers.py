"""Workers as Python's multiprocessing makes them, at the work of processes.hpp. Prints JSON as Google Benchmark does.

    multiprocessing_workers.py life|memory|calls|ends|numpy COUNT [MODULE...]

With "forkserver" the server has the modules from its start; with "spawn" each process imports them. A pipe carries what
is asked for. "pool" is a ProcessPoolExecutor.
"""

import concurrent.futures
import json
import multiprocessing
import os
import statistics
import sys
import threading
import time

FEW, MANY = 5, 1000
NUMPY = """
import numpy
a = numpy.linspace(0, 1, 10_000)
for _ in range(1000):
    b = numpy.sin(a) * a
"""
RESULTS = []


def report(work, seconds, way="forkserver", size=""):
    RESULTS.append({"name": f"{work}/{way}{size}", "real_time": seconds * 1e9})


def timed(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def asleep(call, *arguments):
    found = []
    for _ in range(20):
        time.sleep(0.0003)
        found.append(timed(call, *arguments))
    return statistics.median(found)


def again(times, call, *arguments):
    for _ in range(times):
        call(*arguments)
    start = time.perf_counter()
    for _ in range(times):
        call(*arguments)
    return (time.perf_counter() - start) / times


def add(a, b):
    return a + b


def echo(text):
    return text


CODE = {}


def run(source):
    if source not in CODE:
        CODE[source] = compile(source, "<string>", "exec")
    exec(CODE[source], globals())


def call_host(times):
    for i in range(times):
        CONNECTION.send(("answer", i, "text"))
        CONNECTION.recv()


FUNCTIONS = {"add": add, "echo": echo, "run": run, "call_host": call_host, "exit": os._exit}


def work(connection, modules):
    global CONNECTION
    CONNECTION = connection
    for module in modules:
        __import__(module)
    connection.send(("done", None))
    while True:
        name, *arguments = connection.recv()
        if name == "end":
            return
        connection.send(("done", FUNCTIONS[name](*arguments)))


class Worker:
    def __init__(self, context, modules=()):
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, modules))
        self.process.start()
        theirs.close()
        self.wait()

    def wait(self):
        """Answers what is asked until there is a result."""
        while True:
            said, *arguments = self.connection.recv()
            if said == "done":
                return arguments[0]
            number, text = arguments
            self.connection.send(number + len(text))

    def ask(self, *what):
        self.connection.send(what)
        return self.wait()

    def run(self, source):
        self.ask("run", source)

    def is_lost(self):
        try:
            self.wait()
        except EOFError:
            return
        raise AssertionError("it has answered")

    def destroy(self):
        self.connection.send(("end",))
        self.process.join()
        self.process.close()
        self.connection.close()


def life(count, modules):
    for way, context in ("forkserver", FORKSERVER), ("spawn", SPAWN):
        for _ in range(count if way == "forkserver" else min(count, 3)):
            workers = []
            creating = [timed(lambda: workers.append(Worker(context, modules))) for _ in range(FEW)]
            for worker in workers:
                worker.run("x=1")
            destroying = [timed(worker.destroy) for worker in workers]
            report("create", statistics.median(creating), way)
            report("destroy", statistics.median(destroying), way)


def private_memory(process):
    with open(f"/proc/{process}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


def memory(count, modules):
    def figure(work):
        time.sleep(0.005)
        kib = private_memory(worker.process.pid)
        RESULTS.append({"name": f"{work}/forkserver", "real_time": kib})

    for _ in range(count):
        worker = Worker(FORKSERVER, modules)
        figure("memory")
        worker.run("x=1")
        figure("memory_used")
        worker.destroy()


def calls(count, modules):
    worker = Worker(FORKSERVER)
    text = "x" * 100_000
    with concurrent.futures.ProcessPoolExecutor(1, FORKSERVER) as pool:

        def in_pool(*what):
            return pool.submit(*what).result()

        for _ in range(count):
            report("run_asleep", asleep(worker.run, "x=1"))
            report("call_asleep", asleep(worker.ask, "add", 1, 2))
            report("run_again", again(MANY, worker.run, "x=1"))
            report("call_again", again(MANY, worker.ask, "add", 1, 2))
            report("host_call", timed(worker.ask, "call_host", MANY) / MANY)
            report("text", again(20, worker.ask, "echo", text))
            report("run_asleep", asleep(in_pool, run, "x=1"), "pool")
            report("call_asleep", asleep(in_pool, add, 1, 2), "pool")
            report("run_again", again(100, in_pool, run, "x=1"), "pool")
            report("call_again", again(100, in_pool, add, 1, 2), "pool")
            report("text", again(20, in_pool, echo, text), "pool")
    worker.destroy()


def ends(count, modules):
    def kill():
        worker.process.kill()
        worker.is_lost()

    def crash():
        worker.connection.send(("exit", 3))
        worker.is_lost()

    for _ in range(count):
        worker = Worker(FORKSERVER)
        worker.connection.send(("run", "while True: pass"))
        time.sleep(0.02)
        report("kill", timed(kill))
        worker = Worker(FORKSERVER)
        report("crash", timed(crash))


def numpy(count, modules):
    workers = [Worker(FORKSERVER, modules) for _ in range(2)]

    def both():
        other = threading.Thread(target=workers[1].run, args=(NUMPY,))
        other.start()
        workers[0].run(NUMPY)
        other.join()

    both()
    for _ in range(count):
        report("numpy", timed(workers[0].run, NUMPY), size="/1")
        report("numpy", timed(both) / 2, size="/2")
    for worker in workers:
        worker.destroy()


if __name__ == "__main__":
    FORKSERVER, SPAWN = map(multiprocessing.get_context, ("forkserver", "spawn"))
    what, count, *modules = sys.argv[1:]
    FORKSERVER.set_forkserver_preload(["__main__", *modules])
    Worker(FORKSERVER).destroy()  # starts the server
    measuring = {"life": life, "memory": memory, "calls": calls, "ends": ends, "numpy": numpy}
    measuring[what](int(count), modules)
    json.dump({"benchmarks": RESULTS}, sys.stdout)
