"""The table of packages, and the cases that are its columns."""

import datetime
import platform

# The steps of each case, as host.c takes them. No others do what the last ones do: processes.
CASES = {
    "own": ["own", "+A", "A", "-A"],
    "own twice": ["own", "+A", "A", "-A", "+B", "B", "-B"],
    "own at once": ["own", "+A", "+B", "A|B", "-A", "-B"],
    "shared": ["shared", "+A", "A", "-A"],
    "second": ["shared", "+A", "A", "+B", "B", "-A", "-B"],
    "after": ["shared", "+A", "A", "-A", "+B", "B", "-B"],
    "goes on": ["shared", "+A", "A", "+B", "B", "-A", "B", "-B"],
    "A-B-A": ["shared", "+A", "A", "+B", "B", "A", "-A", "-B"],
    "worker": ["process", "+A", "+B", "A|B", "-A", "-B"],
    "imported": ["process", "+A", "+B", "A|B", "-A", "-B"],
    "used": ["process", "+A", "+B", "A|B", "-A", "-B"],
}


def subjects(case):
    return ["subpy"] if CASES[case][0] == "process" else ["subpy", "cpython"]


# From best to worst, with their letters.
LETTERS = {"right": "R", "error": "E", "without C": "P", "wrong": "W", "hang": "H", "crash": "C"}
OUTCOMES = list(LETTERS)
WORST = OUTCOMES[-1]


def worst_of(plays):
    """Of each cell and subject the play with the worst outcome."""
    worst = {}
    for play in plays:
        key = play["package"], play["case"], play["subject"]
        if key not in worst or rank(play) > rank(worst[key]):
            worst[key] = play
    return worst


def pair_of(worst, package, case):
    """What both did; twice what subpy did where nobody else does it."""
    return worst[package, case, "subpy"], worst[package, case, subjects(case)[-1]]


def rank(play):
    return OUTCOMES.index(play["outcome"])


def row(*cells):
    return "| " + " | ".join(cells) + " |\n"


def head(*cells):
    return row(*cells) + row(*["---"] * len(cells))


def summary(worst, packages):
    text = head("case", *(f"{outcome} ({letter})" for outcome, letter in LETTERS.items()), "better", "worse")
    for case in CASES:
        pairs = [pair_of(worst, p, case) for p in packages]
        counts = []
        for outcome in OUTCOMES:
            ours, theirs = (sum(play["outcome"] == outcome for play in side) for side in zip(*pairs))
            counts.append(f"{ours}" if ours == theirs else f"{ours} ({theirs})")
        better = sum(rank(ours) < rank(theirs) for ours, theirs in pairs)
        worse = sum(rank(ours) > rank(theirs) for ours, theirs in pairs)
        text += row(case, *counts, str(better), str(worse))
    return text


def rows(worst, versions, packages):
    text = head("package", "version", *CASES)
    for package in packages:
        cells = []
        for case in CASES:
            ours, theirs = (LETTERS[play["outcome"]] for play in pair_of(worst, package, case))
            cells.append(ours if ours == theirs else f"{ours} ({theirs})")
        text += row(package, versions[package], *cells)
    return text


def worse(worst, packages):
    text = ""
    for package in packages:
        for case in CASES:
            ours, theirs = pair_of(worst, package, case)
            if rank(ours) > rank(theirs):
                text += f"\n- {package}, {case}: {ours['outcome']} (CPython: {theirs['outcome']}): {ours['detail']}"
    return text or " none."


def make(plays, versions, left_out):
    """`versions` has the packages that were used, `left_out` why others were not."""
    worst = worst_of(plays)
    packages = list(versions)
    today = datetime.date.today()
    text = f"Python {platform.python_version()}, {platform.machine()}, {today:%B %Y}; {len(packages)} packages.\n\n"
    text += summary(worst, packages) + "\n"
    if left_out:
        problems = "; ".join(f"{package} ({problem})" for package, problem in left_out.items())
        text += f"Left out: {problems}.\n\n"
    text += "Cells where subpy does worse:"
    text += worse(worst, packages) + "\n\n"
    return text + rows(worst, versions, packages)
