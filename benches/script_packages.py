"""What a script does with four packages at once, each in a process of its own (subpy._dummy_interpreters): right results, and
as many cores as there are. Prints JSON as Google Benchmark does.

    subpy_bench script script_packages.py REPETITIONS
"""

import json
import os
import sys
import threading
import time

from subpy import _dummy_interpreters as dummy

USES = {
    "numpy": """
import numpy
def work():
    a = numpy.arange(250_000.0)
    assert numpy.sort(a[::-1])[7] == 7 and numpy.sqrt(a * a).sum() == 31_249_875_000
""",
    "pandas": """
import pandas
def work():
    frame = pandas.DataFrame({"k": [i % 7 for i in range(5_000)], "v": range(5_000)})
    assert frame.groupby("k").v.sum().sum() == 12_497_500
""",
    "lxml": """
from lxml import etree
def work():
    root = etree.fromstring("<r>" + '<a n="1"/>' * 5_000 + "</r>")
    assert len(root.xpath("//a[@n=1]")) == 5_000
""",
    "pydantic": """
import pydantic
class Model(pydantic.BaseModel):
    n: int
    names: list[str]
def work():
    models = [Model.model_validate({"n": str(i), "names": ["x"]}) for i in range(500)]
    assert [model.n for model in models] == list(range(500))
""",
}
# Each takes as long as the others.
PREPARE = """
import time
work()
start = time.perf_counter()
work()
count = max(1, round(0.2 / (time.perf_counter() - start)))
"""
RUN = "for _ in range(count): work()"


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def at_once(ids):
    threads = [threading.Thread(target=dummy.run_string, args=(id, RUN)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# What they create imports from where this one does.
sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
ids, results = [], []
for use in USES.values():
    ids.append(dummy.create())
    dummy.run_string(ids[-1], use + PREPARE)
for _ in range(int(globals()["repetitions"])):
    one_by_one = timed(lambda: [dummy.run_string(id, RUN) for id in ids])
    for size, seconds in (1, one_by_one), (len(ids), timed(lambda: at_once(ids))):
        name = f"script_packages/dummy/{size}"
        results.append({"name": name, "real_time": seconds / len(ids) * 1e9, "time_unit": "ns"})
for id in ids:
    dummy.destroy(id)

json.dump({"benchmarks": results}, sys.stdout)
