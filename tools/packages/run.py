"""Puts packages with C code to subpy and to CPython's own module of interpreters, case by case.

    run.py --host PROGRAM --output FOLDER [--document PAGE] [--only PACKAGE...]

The Python that runs it is the one in question. Each cell of the table is played five times, each time in a process of
its own. FOLDER gets the packages, and a line for each play: what has been played is not played again.
"""

import argparse
import ast
import concurrent.futures
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import pages
import table

HERE = pathlib.Path(__file__).resolve().parent
# The folder of a script is not searched for modules.
PYTHON = [sys.executable, "-P"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", type=pathlib.Path, required=True, help="host.c, compiled")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--document", type=pathlib.Path, help="a page whose table is to be renewed")
    parser.add_argument("--only", nargs="+", metavar="PACKAGE", help="some packages; else all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at once")
    parser.add_argument("--limit", type=float, default=30, help="seconds; longer is a hang")
    return parser.parse_args()


def read_packages():
    """Of each package what pip has to install: its own version first."""
    lines = (HERE / "packages.txt").read_text().splitlines()
    return {line.partition("==")[0]: line.split() for line in lines if line[0] != "#"}


def read_imports():
    """Of each use the modules that it imports: what a zygote would be told to import."""
    uses = ast.parse((HERE / "uses.py").read_text())
    return {node.name: imports_in(node) for node in uses.body if isinstance(node, ast.FunctionDef)}


def imports_in(function):
    names = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Import):
            names.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            names[node.module] = None
    return list(names)


class Results:
    """The file with a line for each play."""

    def __init__(self, path, versions):
        self.path = path
        self.versions = versions
        self.lock = threading.Lock()
        lines = path.read_text().splitlines() if path.exists() else []
        plays = map(json.loads, lines)
        self.plays = [play for play in plays if play["version"] == versions[play["package"]]]
        self.played = {self.key(play) for play in self.plays}
        self.at_worst = {self.key(play)[:3] for play in self.plays if play["outcome"] == table.WORST}

    @staticmethod
    def key(play):
        return play["package"], play["case"], play["subject"], play["round"]

    def need(self, key):
        """Not what has been played, nor what can't get worse."""
        return key not in self.played and key[:3] not in self.at_worst

    def add(self, key, outcome, detail):
        package, case, subject, n = key
        play = {
            "package": package,
            "version": self.versions[package],
            "case": case,
            "subject": subject,
            "round": n,
            "outcome": outcome,
            "detail": detail,
        }
        with self.lock:
            self.plays.append(play)
            self.played.add(key)
            if outcome == table.WORST:
                self.at_worst.add(key[:3])
            with self.path.open("a") as file:
                file.write(json.dumps(play) + "\n")


class Place:
    """Where packages are installed, and processes run."""

    def __init__(self, output, limit):
        self.output = output.resolve()
        self.limit = limit
        # Some packages keep caches there.
        self.home = self.output / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        # Python writes what it compiles beside it.
        self.uses = self.output / "uses"
        self.uses.mkdir(exist_ok=True)
        shutil.copy(HERE / "uses.py", self.uses)
        shutil.copy(HERE / "used.py", self.uses)
        self.imports = read_imports()

    def folder(self, package):
        return self.output / "installed" / package

    def install(self, package, requirements):
        """What is wrong, where there is no wheel, or where the use is not right in a plain Python."""
        folder = self.folder(package)
        installed = folder / "requirements"
        if installed.exists() and installed.read_text().split() == requirements:
            return None
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pip += ["--only-binary", ":all:", "--no-deps", "--root-user-action", "ignore", "--target", folder]
        done = subprocess.run([*pip, *requirements], capture_output=True, text=True)
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        outcome, detail = self.play(package, None, [*PYTHON, HERE / "use.py"], 1)
        if outcome != "right":
            return f"{outcome} in a plain Python: {detail}"
        installed.write_text("\n".join(requirements))
        return None

    def play(self, package, case, command, uses):
        """What becomes of a process that uses a package so many times: the worst, and why."""
        with tempfile.TemporaryDirectory(dir=self.output, ignore_cleanup_errors=True) as place:
            stderr = pathlib.Path(place, "stderr")
            with stderr.open("wb") as file:
                process = subprocess.Popen(
                    command,
                    cwd=place,
                    env=self.environment(package, case, place),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=file,
                    start_new_session=True,
                )
                try:
                    process.wait(self.limit)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    return "hang", f"no end after {self.limit:g} s"
            outcomes = pathlib.Path(place, "outcomes")
            text = outcomes.read_text(errors="replace") if outcomes.exists() else ""
            lines = [line.split("\t") for line in text.splitlines()]
            if process.returncode != 0 or len(lines) < uses:
                return "crash", f"{end_of(process)}: {last_words(stderr.read_text(errors='replace'))}"
        worst = max((outcome for _, outcome, _ in lines), key=table.OUTCOMES.index)
        details = dict.fromkeys(detail for _, outcome, detail in lines if outcome == worst)
        return worst, "; ".join(details)

    def environment(self, package, case, place):
        preload = {"imported": self.imports[package.replace("-", "_")], "used": ["used"]}.get(case, [])
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PACKAGE": package,
            "PRELOAD": " ".join(preload),
            # For the main interpreter, too: 3.13 begins the import of some modules there.
            "PYTHONPATH": f"{self.folder(package)}:{self.uses}",
            "TMPDIR": place,
        }


def end_of(process):
    code = process.returncode
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def last_words(text):
    """Of what a process wrote before it died: how Python puts it, else the end."""
    lines = text.splitlines() or [""]
    return next((line for line in lines if "Fatal Python error" in line), lines[-1])


def main():
    o = arguments()
    packages = read_packages()
    versions = {package: requirements[0].partition("==")[2] for package, requirements in packages.items()}
    place = Place(o.output, o.limit)
    results = Results(place.output / "results.jsonl", versions)
    hosts = {"subpy": [o.host.resolve()], "cpython": [*PYTHON, HERE / "peer.py"]}
    wanted = o.only or list(packages)

    def play(key):
        package, case, subject, _ = key
        if results.need(key):
            gil, *steps = table.CASES[case]
            uses = sum(len(step.split("|")) for step in steps if step[0].isalpha())
            command = [*hosts[subject], gil, HERE / "use.py", *steps]
            results.add(key, *place.play(package, case, command, uses))

    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        problems = pool.map(place.install, wanted, [packages[package] for package in wanted])
        left_out = {package: problem for package, problem in zip(wanted, problems) if problem}
        for package, problem in left_out.items():
            print(f"{package} is left out: {problem}", flush=True)
        used = [package for package in wanted if package not in left_out]
        for n in range(o.rounds):
            cells = [(p, c, subject, n) for p in used for c in table.CASES for subject in table.subjects(c)]
            list(pool.map(play, cells))
            print(f"round {n + 1} of {o.rounds} is done", flush=True)

    text = table.make(results.plays, {p: versions[p] for p in used}, left_out)
    (place.output / "table.md").write_text(text)
    if o.document:
        pages.renew(o.document, platform.python_version(), text)
    print(f"Written to {place.output}")


if __name__ == "__main__":
    main()
