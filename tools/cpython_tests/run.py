"""Runs CPython's own tests in a plain Python and in an interpreter of subpy, and names what differs.

    run.py --host PROGRAM --output FOLDER [--gil own|shared] [--document PAGE] [--only MODULE...]

The Python that runs it is the one in question: its package `test` is put to both. Each module runs in a process of its
own. A test differs if it passes in the plain Python and neither passes nor is skipped in the interpreter, in each of
two runs. FOLDER keeps what a module came to, and such a module is not run again.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pages
import table

HERE = pathlib.Path(__file__).resolve().parent
# A module that has ended so many processes is not tried any more.
ENDS = 8


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", type=pathlib.Path, required=True, help="host.c, compiled")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--document", type=pathlib.Path, help="a page whose table is to be renewed")
    parser.add_argument("--gil", choices=["own", "shared"], default="own")
    parser.add_argument("--only", nargs="+", metavar="MODULE", help="some modules, anew; else all")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at once")
    parser.add_argument("--limit", type=int, default=120, help="seconds for a module; longer is a hang")
    parser.add_argument("--memory", type=int, default=6, help="GiB of addresses for a process")
    return parser.parse_args()


def find_modules():
    from test.libregrtest import findtests

    return findtests.findtests()


class Place:
    """Where processes run, and what is kept of them."""

    def __init__(self, options):
        self.folder = options.output.resolve() / options.gil
        self.folder.mkdir(parents=True, exist_ok=True)
        self.limit = options.limit
        self.memory = options.memory << 30
        self.commands = {
            "plain": [sys.executable, "-P", "-c", (HERE / "play.py").read_text()],
            "inside": [options.host.resolve(), options.gil, str(options.limit), HERE / "play.py", "outcomes"],
        }

    def run(self, module, subject, left_out=()):
        """What a module comes to: its events, the end of its process, and what that wrote last."""
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
            place = pathlib.Path(folder).resolve()
            work = place / "work"
            work.mkdir()
            command = [word if word != "outcomes" else place / "outcomes" for word in self.commands[subject]]
            began = time.monotonic()
            with (place / "output").open("wb") as output:
                process = subprocess.Popen(
                    command,
                    cwd=work,
                    env=self.environment(module, place, left_out),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=self.bound,
                )
                try:
                    # The interpreter has a limit of its own, and threads have half a minute to end.
                    process.wait(self.limit + 45)
                    hung = False
                except subprocess.TimeoutExpired:
                    hung = True
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
            return {
                "module": module,
                "seconds": round(time.monotonic() - began, 1),
                "code": None if hung else process.returncode,
                "events": [json.loads(line) for line in read(place / "results").splitlines()],
                "calls": read(place / "outcomes").splitlines(),
                "output": read(place / "output")[-4000:],
            }

    def bound(self):
        resource.setrlimit(resource.RLIMIT_AS, (self.memory, self.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def environment(self, module, place, left_out):
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "LC_ALL": "C.UTF-8",
            "PLAY_LEFT_OUT": "\n".join(left_out),
            "PLAY_MODULE": module,
            "PLAY_RESULTS": str(place / "results"),
            "PYTHONUTF8": "1",
            "TMPDIR": str(place),
        }

    def kept(self, module):
        return self.folder / f"{module}.json"

    def compare(self, module):
        """A module in both, and what differs once more."""
        plain = self.run(module, "plain")
        inside = self.run(module, "inside")
        differs = table.differing(plain, inside)
        if differs:
            inside = self.run(module, "inside")
            again = table.differing(plain, inside)
            differs = {test: detail for test, detail in again.items() if test in differs}
        # The tests behind the one that ended the process have their turn without it.
        ended = []
        while len(ended) < ENDS and (last := table.unfinished(inside)):
            ended.append(last)
            inside = self.run(module, "inside", ended)
            differs |= table.differing(plain, inside, ended)
        found = {"module": module, "plain": plain, "inside": inside, "ended": ended, "differs": differs}
        self.kept(module).write_text(json.dumps(found, indent=1))
        return found


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def main():
    o = arguments()
    place = Place(o)
    modules = o.only or find_modules()
    results = []

    def compare(module):
        kept = place.kept(module)
        if kept.exists() and not o.only:
            return json.loads(kept.read_text())
        found = place.compare(module)
        print(table.line(found), flush=True)
        return found

    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        results = list(pool.map(compare, modules))
    text = f"Python {platform.python_version()}: {table.summary(results)}.\n\n{table.make(results)}"
    (place.folder / "table.md").write_text(text)
    if o.document:
        pages.renew(o.document, platform.python_version(), text)
    print(text)


if __name__ == "__main__":
    main()
