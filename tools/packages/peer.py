"""Plays one case by CPython's own module of interpreters. host.c does the same by subpy, and explains it.

peer.py own|shared SCRIPT STEP...
"""

import sys
import threading

try:
    import _interpreters  # 3.13

    create = _interpreters.create

    def run(interpreter, script):
        failure = _interpreters.run_string(interpreter, script)
        if failure is not None:
            raise RuntimeError(failure.formatted)

except ImportError:
    import _xxsubinterpreters as _interpreters

    def create(config):
        return _interpreters.create(isolated=config == "isolated")

    run = _interpreters.run_string

CONFIG = {"own": "isolated", "shared": "legacy"}[sys.argv[1]]
with open(sys.argv[2], encoding="utf-8") as file:
    SCRIPT = file.read()
alive = {}


def attempt(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        with open("outcomes", "a", encoding="utf-8") as out:
            detail = " ".join(f"{call.__name__}: {type(error).__name__}: {error}".split())
            out.write(f"call\terror\t{detail}\n")


for step in sys.argv[3:]:
    if step[0] == "+":
        alive[step[1]] = attempt(create, CONFIG)
    elif step[0] == "-":
        attempt(_interpreters.destroy, alive.pop(step[1]))
    elif len(step) == 1:
        attempt(run, alive[step], SCRIPT)
    else:
        threads = [
            threading.Thread(target=attempt, args=(run, alive[name], SCRIPT)) for name in step.split("|")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
