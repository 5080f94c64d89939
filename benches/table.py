"""The table: figures by work and way, ratios, and the goals."""

from statistics import median

WAYS = {
    "raw": "raw C API",
    "raw_alone": "raw, without subpy",
    "subpy": "subpy (C)",
    "subpy_cpp": "subpy (C++)",
    "pybind11_kept": "pybind11, kept",
    "pybind11_transient": "pybind11, transient",
    "cpython_module": "CPython's module",
    "multiprocessing": "multiprocessing",
    "queue.Queue": "queue.Queue",
    "local": "subpy, LOCAL",
    "dummy": "_dummy_interpreters",
    "forkserver": "multiprocessing, forkserver",
    "spawn": "multiprocessing, spawn",
    "pool": "ProcessPoolExecutor",
}

#: What a way is called in the table of a subject, if that is something else.
TITLES = {"processes": {"raw": "raw processes", "subpy": "subpy, PROCESS"}}

#: The subjects, each a table of its own: what is measured, by the names of the benchmarks.
RUNS = {
    "attach": "attach and detach",
    "attach_in_run": "a run less its evaluation",
    "run_again": "run `x=1` again",
    "run_turns": "run 16 short strings in turn",
    "run_first": "run a short string for the first time",
    "namespace_run": "run `x=1` again in a namespace (raw: subpy, in `__main__`)",
    "namespace_life": "a namespace: add and remove",
    "run_large": "run 100 KB again",
    "run_large_turns": "run two scripts of 100 KB in turn",
    "find_large": "find the code of 100 KB (raw: compile it)",
    "allocate": "a script that allocates, with `account_memory` (raw: without)",
    "create": "create",
    "destroy": "destroy",
    "parallel/1": "pure Python, 1 thread: time per run",
    "parallel/2": "pure Python, 2 threads",
    "parallel/4": "pure Python, 4 threads",
    "parallel_short/1": "`x=1`, 1 thread: time per run",
    "parallel_short/2": "`x=1`, 2 threads",
    "parallel_short/4": "`x=1`, 4 threads",
    "create_no_site": "create, `import_site` off",
    "create_many": "create, 1,000 alive",
    "destroy_many": "destroy, 1,000 alive",
    "idle_memory": "memory of an idle interpreter",
}

DATA = {
    "call_ints": "call f(int, int) → int",
    "call_handle": "the same by a handle (raw: the object is kept)",
    "call_inside": "the same by a handle, inside of one `subpy_enter()` (raw: with the GIL held)",
    "call_dict": "call with a dict of 10, 1,000 floats back",
    "get_floats": "get a list of 1,000 floats",
    "host_call": "host function of (int, str) → int, from Python",
    "buffer_in": "100 MB to Python, shared",
    "buffer_out": "100 MB from Python, shared",
    "bytes_round": "100 MB to Python and back, as bytes",
}

SCRIPTS = {
    "script_run": "a script: run `x = 1` again",
    "script_create": "a script: create",
    "script_create_run": "a script: create, and run `x = 1`",
    "script_destroy": "a script: destroy",
    "script_parallel/1": "a script: pure Python, 1 thread: time per run",
    "script_parallel/2": "a script: pure Python, 2 threads",
    "script_packages/1": "a script: numpy, pandas, lxml and pydantic in a process each, one after another: time per run",
    "script_packages/4": "a script: the four at once",
    "job_interpreter": "an InterpreterPoolExecutor: `submit(f, 1).result()`",
    "job_process": "a ProcessPoolExecutor: `submit(f, 1).result()`",
    "queue_threads": "a queue: an item, between two threads",
    "queue_interpreters": "a queue: an item, between two interpreters",
}

LIMITS = {
    "limit_not_reached": "run `x=1` again, with a time limit (raw: without)",
    "limit_small_stack": "the same in a thread with 64 KiB of stack (raw: with 8 MiB), without a limit",
    "limit_sleep": "from a limit's end to the return: in `time.sleep()`",
    "limit_event": "the same: in `threading.Event.wait()`",
    "limit_re": "the same: in a regular expression",
    "limit_python": "the same: in Python code",
}

PROCESSES = {
    "process_create": "create, ready to run",
    "process_create_seven": "create, with asyncio and six more",
    "process_create_numpy": "create, with numpy",
    "process_create_pandas": "create, with pandas",
    "process_memory": "private memory of one that has run nothing",
    "process_memory_used": "private memory of one that has run `x=1`",
    "process_run_asleep": "run `x=1` again, both asleep",
    "process_run_again": "run `x=1` again, one after another",
    "process_call_asleep": "call f(int, int) → int, both asleep",
    "process_call_again": "call f(int, int) → int, one after another",
    "process_host_call": "host function of (int, str) → int, 1,000 calls from a script: each",
    "process_text": "call f(str) → str with 100 KB",
    "process_numpy/1": "numpy, one: time per run",
    "process_numpy/2": "numpy, two at once",
    "process_destroy": "destroy",
    "process_kill": "from a kill of an endless loop to the return of its call",
    "process_crash": "a call that ends its process by `os._exit()`",
    "process_create_first": "create, the first 100 of 1,000",
    "process_create_many": "create, the last 100 of 1,000",
    "process_memory_many": "private memory of 1,000 together",
    "process_destroy_many": "destroy, the first 100 of 1,000",
    "process_cycle": "create, run, destroy, many times: each",
    "process_cycles_memory": "the same: what the host's memory has grown by",
    "process_cycles_zygote": "the same: what the zygote's memory has grown by",
    "process_cycles_files": "the same: what the host has more open",
}

SUBJECTS = {"runs": RUNS, "data": DATA, "scripts": SCRIPTS, "limits": LIMITS, "processes": PROCESSES}

#: Of works that are no times.
UNITS = {
    "idle_memory": "KiB",
    "process_memory": "KiB",
    "process_memory_used": "KiB",
    "process_memory_many": "KiB",
    "process_cycles_memory": "KiB",
    "process_cycles_zygote": "KiB",
    "process_cycles_files": "",
}
#: Works whose figures are differences: no ratio of them says anything.
DIFFERENCES = "process_cycles_memory", "process_cycles_zygote", "process_cycles_files"

#: What the issues ask for: a work, which figures to compare, and the limit.
GOALS = [
    ("attach", "subpy ÷ raw", "<=", 1.2),
    ("attach_in_run", "subpy ÷ raw", "<=", 1.2),
    ("run_again", "subpy ÷ raw", "<=", 1.5),
    ("run_again", "subpy C++ ÷ C", "<=", 1.05),
    ("run_again", "pybind11 ÷ subpy", ">=", 40),
    ("run_again", "module ÷ subpy", ">=", 50),
    ("namespace_run", "subpy ÷ raw", "<=", 1.05),
    ("namespace_life", "subpy, µs", "<=", 20),
    ("find_large", "subpy ÷ raw", "<=", 0.01),
    ("allocate", "subpy ÷ raw", "<=", 1.05),
    ("create", "subpy ÷ raw", "<=", 1.05),
    ("parallel/2", "raw ÷ subpy", ">=", 0.95),
    ("create_many", "subpy ÷ raw", "<=", 1.3),
    ("destroy_many", "subpy ÷ raw", "<=", 1.3),
    ("idle_memory", "subpy − raw", "<=", 64),
    ("call_ints", "subpy ÷ raw", "<=", 1.5),
    ("call_handle", "subpy ÷ raw", "<=", 1.15),
    ("call_handle", "subpy C++ ÷ C", "<=", 1.05),
    ("call_inside", "subpy ÷ raw", "<=", 1.1),
    ("call_inside", "subpy C++ ÷ C", "<=", 1.05),
    ("host_call", "subpy ÷ raw", "<=", 1.5),
    ("get_floats", "subpy ÷ raw", "<=", 1.3),
    ("buffer_in", "subpy, µs", "<=", 10),
    ("buffer_out", "subpy, µs", "<=", 10),
    ("script_run", "module ÷ subpy", ">=", 20),
    ("script_run", "pool ÷ dummy", ">=", 5),
    ("script_create", "subpy ÷ module", "<=", 1),
    ("script_create_run", "spawn ÷ dummy", ">=", 20),
    ("script_create_run", "module ÷ dummy", ">=", 5),
    ("script_parallel/2", "1 thread ÷ 2", ">=", 1.8),
    ("script_packages/4", "one by one ÷ at once", ">=", 1.8),
    ("job_interpreter", "subpy, µs", "<=", 40),
    ("queue_threads", "subpy ÷ queue.Queue", "<=", 0.5),
    ("queue_threads", "subpy ÷ module", "<=", 0.2),
    ("queue_interpreters", "subpy, µs", "<=", 1),
    *((work, "pybind11 ÷ subpy", ">=", 1) for work in DATA),
    *((work, "subpy, µs", "<=", 20_000) for work in LIMITS if work not in ("limit_not_reached", "limit_small_stack")),
    ("process_create", "subpy ÷ raw", "<=", 1.5),
    ("process_create", "subpy, µs", "<=", 600),
    ("process_memory", "subpy, KiB", "<=", 300),
    ("process_run_asleep", "subpy ÷ raw", "<=", 1.2),
    ("process_run_again", "subpy, µs", "<=", 1.5),
    ("process_host_call", "subpy, µs", "<=", 12),
    ("process_text", "subpy, µs", "<=", 40),
    ("process_numpy/2", "one ÷ two", ">=", 1.9),
    ("process_destroy", "subpy, µs", "<=", 1000),
    ("process_kill", "subpy, µs", "<=", 5000),
    ("process_create_many", "last ÷ first", "<=", 2),
    ("process_memory_many", "subpy, KiB", "<=", 400 << 10),
    ("process_cycles_memory", "subpy, KiB", "<=", 256),
    ("process_cycles_zygote", "subpy, KiB", "<=", 256),
    ("process_cycles_files", "subpy", "<=", 0),
]

RATIOS = (
    "subpy ÷ raw",
    "subpy ÷ raw without subpy",
    "subpy C++ ÷ C",
    "pybind11 ÷ subpy",
    "module ÷ subpy",
    "multiprocessing ÷ subpy",
)


def compare(figures, work, what):
    """One comparison within a round; None if a figure is missing."""

    def figure(way):
        return figures.get((work, way))

    many = [f for f in (figure("forkserver"), figure("spawn"), figure("pool")) if f]
    best = [f for f in (figure("pybind11_kept"), figure("pybind11_transient")) if f]
    above, below, combine = {
        "subpy ÷ raw": (figure("subpy"), figure("raw"), lambda a, b: a / b),
        "subpy ÷ raw without subpy": (figure("subpy"), figure("raw_alone"), lambda a, b: a / b),
        "raw ÷ subpy": (figure("raw"), figure("subpy"), lambda a, b: a / b),
        "subpy − raw": (figure("subpy"), figure("raw"), lambda a, b: a - b),
        "subpy, µs": (figure("subpy"), 1000, lambda a, b: a / b),
        "subpy C++ ÷ C": (figure("subpy_cpp"), figure("subpy"), lambda a, b: a / b),
        "pybind11 ÷ subpy": (min(best, default=None), figure("subpy"), lambda a, b: a / b),
        "subpy ÷ module": (figure("subpy"), figure("cpython_module"), lambda a, b: a / b),
        "subpy ÷ queue.Queue": (figure("subpy"), figure("queue.Queue"), lambda a, b: a / b),
        "subpy, KiB": (figure("subpy"), 1, lambda a, b: a / b),
        "subpy": (figure("subpy"), 1, lambda a, b: a / b),
        "multiprocessing ÷ subpy": (min(many, default=None), figure("subpy"), lambda a, b: a / b),
        "last ÷ first": (figure("subpy"), figures.get((work.replace("many", "first"), "subpy")), lambda a, b: a / b),
        "one ÷ two": (figures.get((work.replace("/2", "/1"), "subpy")), figure("subpy"), lambda a, b: a / b),
        "1 thread ÷ 2": (figures.get((work.replace("/2", "/1"), "subpy")), figure("subpy"), lambda a, b: a / b),
        "one by one ÷ at once": (figures.get((work.replace("/4", "/1"), "dummy")), figure("dummy"), lambda a, b: a / b),
        "pool ÷ dummy": (figure("pool"), figure("dummy"), lambda a, b: a / b),
        "spawn ÷ dummy": (figure("spawn"), figure("dummy"), lambda a, b: a / b),
        "module ÷ dummy": (figure("cpython_module"), figure("dummy"), lambda a, b: a / b),
        "module ÷ subpy": (figure("cpython_module"), figure("subpy"), lambda a, b: a / b),
    }[what]
    return None if above is None or below is None else combine(above, below)


def over_rounds(rounds, work, what):
    values = [compare(figures, work, what) for figures in rounds]
    return None if None in values else {"median": median(values), "rounds": values}


def works(rounds):
    found = []
    for work in [work for subject in SUBJECTS.values() for work in subject]:
        figures = {}
        for way in WAYS:
            values = [r[work, way] for r in rounds if (work, way) in r]
            if values:
                figures[way] = {"median": median(values), "rounds": values}
        if figures:
            known = () if work in DIFFERENCES else RATIOS
            ratios = {what: over_rounds(rounds, work, what) for what in known}
            ratios = {what: ratio for what, ratio in ratios.items() if ratio}
            found.append({"work": work, "unit": UNITS.get(work, "ns"), "figures": figures, "ratios": ratios})
    return found


def goals(rounds):
    found = []
    for work, what, sign, limit in GOALS:
        value = over_rounds(rounds, work, what)
        if value:
            reached = value["median"] <= limit if sign == "<=" else value["median"] >= limit
            goal = {"work": work, "compares": what, "sign": sign, "limit": limit}
            found.append({**goal, **value, "reached": reached})
    return found


def amount(value, unit):
    if unit in ("KiB", ""):
        return f"{value:,.0f} {unit}".rstrip()
    for name, size in ("ms", 1e6), ("µs", 1e3):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g} ns"


def ratio(value):
    if 0 < value < 0.001:
        return "< 0.001"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def goal_cell(goal):
    sign = "≤" if goal["sign"] == "<=" else "≥"
    said = "yes" if goal["reached"] else "**no**"
    difference = "−" in goal["compares"]
    value = f"{goal['median']:.0f} KiB" if difference else ratio(goal["median"])
    limit = f"{goal['limit']} KiB" if difference else goal["limit"]
    return f"{goal['compares']} {sign} {limit}: {said}, {value}"


def markdown(report, subject):
    """The table of a subject; "" if nothing of it was measured."""
    names = SUBJECTS[subject]
    rows = [row for row in report["works"] if row["work"] in names]
    if not rows:
        return ""
    ways = [w for w in WAYS if any(w in row["figures"] for row in rows)]
    shown = [r for r in RATIOS if any(r in row["ratios"] for row in rows)]
    titles = {**WAYS, **TITLES.get(subject, {})}
    head = ["", *(titles[w] for w in ways), *shown, "goals"]
    lines = [head, ["---"] + ["--:"] * (len(head) - 2) + ["---"]]
    for row in rows:
        figures, ratios = row["figures"], row["ratios"]
        cells = [names[row["work"]]]
        cells += [amount(figures[w]["median"], row["unit"]) if w in figures else "" for w in ways]
        cells += [ratio(ratios[r]["median"]) if r in ratios else "" for r in shown]
        cells.append("; ".join(goal_cell(g) for g in report["goals"] if g["work"] == row["work"]))
        lines.append(cells)
    said = f"Python {report['python']}; {report['machine']}; medians of {report['rounds']} rounds,"
    said += f" each the lowest of {report['repetitions']} repetitions."
    return said + "\n\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def csv_rows(report):
    yield "work", "way", "unit", "median", "lowest round", "highest round"
    for row in report["works"]:
        for kind in "figures", "ratios":
            unit = row["unit"] if kind == "figures" else "ratio"
            for name, value in row[kind].items():
                rounds = value["rounds"]
                yield row["work"], name, unit, value["median"], min(rounds), max(rounds)


def renew(document, minor, subject, text):
    """Puts a table in its place in a page."""
    begin, end = f"<!-- begin {minor} {subject} -->\n", f"<!-- end {minor} {subject} -->\n"
    before, _, rest = document.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{document} has no place for this table: {begin}{end}")
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}")
