"""The plots. Needs matplotlib."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

import table  # noqa: E402

plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "subpy", "font.size": 10})

COLOURS = {
    "raw": "#8c8c8c",
    "raw_alone": "#bdbdbd",
    "subpy": "#1f77b4",
    "subpy_cpp": "#5fa8dd",
    "pybind11_kept": "#d98c2b",
    "pybind11_transient": "#eab676",
    "cpython_module": "#6a9f58",
}


def figures(report, work):
    for row in report["works"]:
        if row["work"] == work:
            return {way: value["median"] for way, value in row["figures"].items()}
    return {}


def save(figure, axes, path):
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def cost(report, path):
    """Bars: what a run costs in each way, on a log scale."""
    costs = figures(report, "run_again")
    ways = list(reversed(costs))
    figure, axes = plt.subplots(figsize=(7.5, 3.2))
    bars = axes.barh(
        [table.WAYS[way] for way in ways],
        [costs[way] for way in ways],
        color=[COLOURS[way] for way in ways],
    )
    axes.bar_label(bars, [table.amount(costs[way], "ns") for way in ways], padding=4)
    axes.set_xscale("log")
    axes.set_xlim(10, max(costs.values()) * 4)
    axes.set_xlabel("nanoseconds for a run of “x=1” that ran before (log scale)")
    axes.set_title(f"Cost per run, Python {report['python']}")
    save(figure, axes, path)


def throughput(report, path):
    """Lines: runs of pure Python per second by the number of interpreters, against the ideal."""
    counts = [1, 2, 4]
    by_count = {count: figures(report, f"parallel/{count}") for count in counts}
    one = 1e9 / by_count[1]["raw"]
    figure, axes = plt.subplots(figsize=(8, 3.6))
    ideal = [one * min(count, report["cpus"]) for count in counts]
    axes.plot(counts, ideal, "--", color="black", label=f"ideal, {report['cpus']} CPUs")
    for way in "raw", "subpy", "subpy_cpp", "pybind11_kept", "cpython_module":
        if all(way in by_count[count] for count in counts):
            rates = [1e9 / by_count[count][way] for count in counts]
            axes.plot(counts, rates, "o-", color=COLOURS[way], label=table.WAYS[way])
    axes.set_xticks(counts)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("interpreters, each in a thread of its own")
    axes.set_ylabel("runs per second")
    axes.set_title(f"Throughput of pure Python, Python {report['python']}")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, axes, path)
