"""Runs all the benchmarks, some rounds of them, and reports.

In each round every program runs once, one after another, and repeats what it measures in random
order, in pieces of milliseconds: so noise of the machine meets all ways alike. The figure of a round
is the lowest of its repetitions, that of the report the median of the rounds; a ratio is the median of
the rounds' ratios.

Writes performance.json, performance.csv, performance.md and, where matplotlib is, two plots.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys
import tempfile
from collections import defaultdict

import table

MODULE = pathlib.Path(__file__).with_name("cpython_module.py")
SCRIPT = pathlib.Path(__file__).with_name("scripts.py")
PACKAGES = SCRIPT.with_name("script_packages.py")
PIPE = pathlib.Path(__file__).with_name("multiprocessing_pipe.py")
WORKERS = pathlib.Path(__file__).with_name("multiprocessing_workers.py")
SCRIPTS = "short", "large", "busy"
ALIVE = 1000
LARGE = 100_000_000
CYCLES = 10_000
#: What processes have from their start, by what is added to the name of a work.
PRELOADED = {
    "": [],
    "_seven": ["asyncio", "json", "re", "logging", "decimal", "datetime", "sqlite3"],
    "_numpy": ["numpy"],
    "_pandas": ["pandas"],
}
#: Which benchmarks a subject has.
FILTERS = {
    "runs": "-^(allocate|(call|get|host|buffer|bytes|limit)_)",
    "data": "^(call|get|host|buffer|bytes)_",
    "limits": "^limit_",
}


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True, help="the program subpy_bench")
    parser.add_argument("--raw-processes", required=True, help="the program of this name")
    parser.add_argument("--pybind11", help="the program subpy_bench_pybind11")
    parser.add_argument("--python", required=True, help="the Python that they are built for")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--document", type=pathlib.Path, help="a page whose table is to be renewed")
    parser.add_argument("--only", choices=table.SUBJECTS, help="one subject; else all of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=25, help="of each measurement in a round")
    parser.add_argument("--alive", type=int, default=ALIVE, help="interpreters; 0: leave that out")
    parser.add_argument("--cycles", type=int, default=CYCLES, help="processes in turn; 0: leave that out")
    more = shlex.split(os.environ.get("BENCH_OPTIONS", ""))
    return parser.parse_args(sys.argv[1:] + more)


def google_benchmark(command, repetitions):
    """The result of a program that uses Google Benchmark."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = command + [
            f"--benchmark_repetitions={repetitions}",
            "--benchmark_enable_random_interleaving=true",
            "--benchmark_min_time=0.002",
            f"--benchmark_out={out.name}",
            "--benchmark_out_format=json",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.load(out)


def printed_json(command):
    return json.loads(subprocess.check_output(command, text=True))


def samples(result, rename=None):
    """(work, way): values, of one program's result. `rename` is another name for the way `raw`."""
    found = defaultdict(list)
    for row in result["benchmarks"]:
        if row.get("run_type") == "aggregate":
            continue
        # "parallel/raw/2/iterations:1/manual_time" is the work parallel/2, the way raw.
        work, way, *size = [part for part in row["name"].split("/") if ":" not in part]
        size = [part for part in size if part.isdigit()]
        way = rename if rename and way == "raw" else way
        found["/".join([work, *size]), way].append(row["real_time"])
        if "destroy" in row:
            found["destroy", way].append(row["destroy"])
    return found


def one_round(o, sources):
    """(work, way): the figure of this round, and what is said of the machine."""
    found = {}
    context = None
    for subject in [o.only] if o.only else table.SUBJECTS:
        if subject == "scripts":
            found.update(scripts(o))
            continue
        if subject == "processes":
            found.update(processes(o))
            continue
        chosen = f"--benchmark_filter={FILTERS[subject]}"
        main = google_benchmark([o.bench, chosen], o.repetitions)
        context = main["context"]
        found.update(samples(main))
        if subject == "limits":
            continue
        if o.pybind11:
            found.update(samples(google_benchmark([o.pybind11, chosen], o.repetitions)))
        found.update(runs_elsewhere(o, sources) if subject == "runs" else data_elsewhere(o))
    return {key: min(values) for key, values in found.items()}, context or machine(o)


def machine(o):
    """What a program says of the machine, of which nothing else is asked."""
    return google_benchmark([o.bench, "--benchmark_filter=^attach/subpy$"], 1)["context"]


def scripts(o):
    count = str(o.repetitions)
    found = samples(printed_json([o.bench, "script", str(SCRIPT), count]))
    few = str(min(o.repetitions, 5))
    elsewhere = {what: samples(printed_json([o.python, str(WORKERS), what, few])) for what in ("life", "calls")}
    for what, work, way, name in (
        ("life", "create", "spawn", "script_create_run"),
        ("calls", "run_again", "pool", "script_run"),
        ("calls", "call_again", "pool", "job_process"),
    ):
        found[name, way] = elsewhere[what][work, way]
    if all(has(o, package) for package in ("numpy", "pandas", "lxml", "pydantic")):
        found.update(samples(printed_json([o.bench, "script", str(PACKAGES), few])))
    try:
        module = samples(printed_json([o.python, str(SCRIPT), count]))
    except subprocess.CalledProcessError:
        print("CPython's own modules are left out: this Python has none")
        return found
    return {**module, **found}


def processes(o):
    """What there is to be from the start is fixed for a program: one for each."""
    found = {}
    subpy, raw = [o.bench, "processes", "subpy"], [o.raw_processes]
    local, python = [o.bench, "processes", "local"], [o.python, str(WORKERS)]

    def measure(ways, what, count, modules=(), suffix=""):
        for way in ways:
            result = samples(printed_json([*way, what, str(count), *modules]))
            found.update({(f"process_{work}{suffix}", name): values for (work, name), values in result.items()})

    for suffix, modules in PRELOADED.items():
        if all(has(o, module) for module in modules):
            # An interpreter in the host's process has a GIL of its own, which numpy refuses.
            ways = [subpy, raw, python] if modules in (["numpy"], ["pandas"]) else [subpy, raw, local, python]
            measure(ways, "life", min(o.repetitions, 10), modules, suffix)
    measure([subpy, raw, python], "memory", 3)
    measure([subpy, raw, local, python], "calls", o.repetitions)
    measure([subpy, raw, python], "ends", min(o.repetitions, 10))
    if has(o, "numpy"):
        measure([subpy, raw, python], "numpy", o.repetitions, ["numpy"])
    if o.alive:
        measure([subpy, raw], "alive", o.alive)
    if o.cycles:
        measure([subpy, raw], "cycles", o.cycles)
    return found


def has(o, module):
    """Whether the Python has a module; that is said once."""
    if module not in HAS:
        command = [o.python, "-c", f"import {module}"]
        HAS[module] = subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
        if not HAS[module]:
            print(f"{module} is left out: this Python has none")
    return HAS[module]


HAS = {}


def runs_elsewhere(o, sources):
    alone = [o.bench, "alone", "--benchmark_filter=^(attach|evaluate|run|compile|create|parallel).*/raw"]
    found = samples(google_benchmark(alone, o.repetitions), "raw_alone")
    for way, mode in ("raw", []), ("subpy", ["counted"]):
        command = [o.bench, *mode, "--benchmark_filter=^allocate"]
        found["allocate", way] = samples(google_benchmark(command, o.repetitions))["allocate", "subpy"]
    try:
        module = printed_json([o.python, str(MODULE), json.dumps(sources), str(o.repetitions)])
        found.update(samples(module))
    except subprocess.CalledProcessError:
        print("CPython's own module is left out: this Python has none")
    for way in ("raw", "subpy") if o.alive else ():
        count = str(o.alive)
        found.update(samples(printed_json([o.bench, "alive", way, count])))
        no_site = printed_json([o.bench, "alive", way, "50", "no-site"])
        row = no_site["benchmarks"][0]
        found["create_no_site", way] = [row["real_time"]]
    return found


def data_elsewhere(o):
    few = str(min(o.repetitions, 5))
    return samples(printed_json([o.python, str(PIPE), str(LARGE), few]))


def derive(figures):
    """Adds what follows from other figures of a round."""

    def less(work, way, whole, part):
        if (whole, way) in figures and part in figures:
            figures[work, way] = figures[whole, way] - figures[part]

    for way in "raw", "subpy", "subpy_cpp":
        # What a run spends besides the evaluation.
        less("attach_in_run", way, "run_again", ("evaluate", "raw"))
    if ("compile_large", "raw") in figures:
        figures["find_large", "raw"] = figures["compile_large", "raw"]
    less("find_large", "subpy", "run_large", ("run_large", "raw"))
    for way in "raw", "subpy", "subpy_cpp", "pybind11_kept":
        # A call without the loop that makes it.
        less("host_call", way, "host_calls", ("host_loop", "raw"))
    return figures


def main():
    o = options()
    sources = {
        name: subprocess.check_output([o.bench, "source", name], text=True) for name in SCRIPTS
    }
    rounds = []
    for i in range(o.rounds):
        print(f"round {i + 1} of {o.rounds}", flush=True)
        figures, context = one_round(o, sources)
        rounds.append(derive(figures))
    report = {
        "python": context["python"],
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}",
        "cpus": os.cpu_count(),
        "rounds": len(rounds),
        "repetitions": o.repetitions,
        "works": table.works(rounds),
        "goals": table.goals(rounds),
    }
    write(o, report)


def write(o, report):
    o.output.mkdir(parents=True, exist_ok=True)
    texts = {subject: table.markdown(report, subject) for subject in table.SUBJECTS}
    text = "\n".join(text for text in texts.values() if text)
    print(text)
    (o.output / "performance.json").write_text(json.dumps(report, indent=1) + "\n")
    (o.output / "performance.md").write_text(text)
    with open(o.output / "performance.csv", "w", newline="") as file:
        csv.writer(file).writerows(table.csv_rows(report))
    minor = ".".join(report["python"].split(".")[:2])
    if texts["runs"]:
        draw(o, report, minor)
    for subject, text in texts.items():
        if o.document and text:
            table.renew(o.document, minor, subject, text)
    print(f"Written to {o.output}")


def draw(o, report, minor):
    place = o.document.parent / f"performance-{minor}" if o.document else o.output / "performance"
    try:
        import plots
    except ImportError as error:
        print(f"No plots: {error}")
    else:
        plots.cost(report, f"{place}-cost.svg")
        plots.throughput(report, f"{place}-throughput.svg")


if __name__ == "__main__":
    main()
