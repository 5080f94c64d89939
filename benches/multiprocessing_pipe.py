"""100 MB to another Python process and back, as multiprocessing does it: by pickle through a pipe.
Prints JSON as Google Benchmark does.

    multiprocessing_pipe.py BYTES REPETITIONS
"""

import json
import multiprocessing
import sys
import time


def echo(connection):
    while data := connection.recv():
        connection.send(data)


if __name__ == "__main__":
    data = b"x" * int(sys.argv[1])
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=echo, args=(theirs,))
    process.start()
    results = []
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter()
        ours.send(data)
        assert ours.recv() == data
        nanoseconds = (time.perf_counter() - start) * 1e9
        results.append({"name": "bytes_round/multiprocessing", "real_time": nanoseconds})
    ours.send(b"")
    process.join()
    json.dump({"benchmarks": results}, sys.stdout)
