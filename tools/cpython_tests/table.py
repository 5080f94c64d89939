"""What CPython's tests came to, as lines and tables. run.py plays them."""

import collections
import re

WORST = ["skip", "pass", "fail", "error"]

# A module, what a fixture of a module or a class is for, and a module of a package.
WHOLE = re.compile(r"module|\w+ \((?P<fixture>.*)\)|unittest\.loader\.ModuleSkipped\.(?P<skipped>.*)")

# What the name of a test, or what it says, stands for. The first one that matches counts.
REASONS = [
    ("a child's signal ends the host, which has no handler", r"test_communicate_eintr.*ended the process"),
    ("it ends the host", r"ended the process"),
    ("fork is refused, and the test waits for the child for ever", r"test_forkinthread"),
    ("signals of the process are the host's: the test waits for SIGCHLD for ever", r"test_read_all_from_pipe_reader"),
    ("no end", r"no end after"),
    ("fork is refused", r"fork not supported|preexec_fn not supported"),
    ("the process has one timer, which is the host's", r"the process has one timer"),
    ("the process has one time zone", r"the time zone is that of the process"),
    ("a GIL of its own refuses a C module", r"does not support loading in subinterpreters"),
    ("a GIL of its own refuses tracemalloc", r"tracemalloc traces the memory of the whole process"),
    ("the thread is the host's", r"this thread is the host's"),
    ("C code reads the process's environment", r"test_load_default_certs_env"),
    ("sys.getallocatedblocks() is 0: it counts all interpreters", r"test_getallocatedblocks"),
    ("a thread has another number in C", r"test_excepthook_thread_None"),
    ("an interrupt waits for threading's own code", r"KeyboardInterrupt|test_reacquire|that still runs?: end"),
    ("other", r""),
]


def outcomes(played):
    """Of each test the worst that it came to. What is skipped as a whole is there by the name of the whole."""
    worst = {}
    for what, name, detail in played["events"]:
        if what in WORST and WORST.index(what) >= WORST.index(worst.get(name, ("skip",))[0]):
            worst[name] = what, detail
    return worst


def end_of(played):
    """How a process ended, if it did not end well: the reason."""
    words = [line for line in played["output"].splitlines() if line.strip()] or [""]
    fatal = next((line for line in words if "Fatal Python error" in line), words[-1])
    if played["code"] is None:
        return "no end after the limit"
    if played["code"] != 0:
        return f"ended the process: {played['code']}: {fatal}"
    bad = [call for call in played["calls"] if not re.match(r"\w+ SUBPY_OK", call)]
    return bad[0] if bad else ""


def unfinished(played):
    """The test in which a process ended, or that ended the run, if there is one."""
    if any(what == "end" for what, _, _ in played["events"]):
        return ""
    return next((name for what, name, _ in reversed(played["events"]) if what == "start"), "")


def differing(plain, inside, left_out=()):
    """Each test that passes plainly, and inside neither passes nor is skipped; and why."""
    before, after = outcomes(plain), outcomes(inside)
    wholes = {name: outcome for name, outcome in after.items() if WHOLE.fullmatch(name)}
    differs = {}
    end = end_of(inside)
    if end and not end_of(plain):
        calls = inside["calls"]
        at = unfinished(inside) or (calls[-1].split()[0] if calls else "start")
        differs[f"process in {at}"] = end
    whole = any(what == "end" for what, _, _ in inside["events"]) or "module" in wholes
    for name, (outcome, _) in before.items():
        if outcome != "pass" or name in left_out or not (whole or name in after):
            continue
        what, detail = after.get(name) or whole_of(name, wholes) or ("missing", "not run")
        if what not in ("pass", "skip"):
            differs[name] = f"{what}: {detail}"
    return differs


def whole_of(name, wholes):
    """What the module or the class of a test came to, if the test was not run for that."""
    for whole, outcome in wholes.items():
        part = WHOLE.fullmatch(whole)
        if whole == "module" or name.startswith(f"{part['fixture'] or part['skipped']}."):
            return outcome
    return None


def reason(test, detail):
    text = f"{test}: {detail}"
    return next(word for word, pattern in REASONS if re.search(pattern, text, re.DOTALL))


def counts(played):
    return collections.Counter(what for what, _ in outcomes(played).values())


def reasons(found):
    return collections.Counter(reason(*each) for each in found["differs"].items())


def line(found):
    plain, inside = counts(found["plain"]), counts(found["inside"])
    each = " ".join(f"{what} {plain[what]}/{inside[what]}" for what in WORST)
    why = ", ".join(f"{word} {n}" for word, n in reasons(found).items())
    times = f"{found['plain']['seconds']:g}/{found['inside']['seconds']:g} s"
    return f"{found['module']}: {'differs' if why else 'same'}: {each}, {times}" + (f": {why}" if why else "")


def skips(found):
    """How many tests pass plainly and are skipped inside."""
    return counts(found["plain"])["pass"] - counts(found["inside"])["pass"] - len(found["differs"])


def make(results):
    rows = ["| Module | Tests that pass plainly | Differ | Why |", "|---|---|---|---|"]
    for found in results:
        if found["differs"]:
            why = "; ".join(f"{word} ({n})" for word, n in reasons(found).items())
            before = counts(found["plain"])["pass"]
            rows.append(f"| `{found['module']}` | {before} | {len(found['differs'])} | {why} |")
    return "\n".join(rows) + "\n"


def summary(results):
    differs = [found for found in results if found["differs"]]
    ended = [f["module"] for f in results if any(name.startswith("process ") for name in f["differs"])]
    tests = sum(counts(found["plain"])["pass"] for found in results)
    text = f"{len(results)} modules: {len(results) - len(differs)} as in plain Python, {len(differs)} differ"
    text += f"; {tests} tests pass plainly, {sum(len(found['differs']) for found in differs)} differ"
    text += f", {sum(max(0, skips(found)) for found in results)} are skipped inside"
    return text + f"; {len(ended)} modules end the host, or their run: {' '.join(ended) or 'none'}"
