# What runs in each interpreter: one use of one package. A line about it goes to the file `outcomes`.
#
# The environment has PACKAGE, its name. PYTHONPATH has the package, and uses.py.
import os
import sys


def innermost(traceback):
    """The file of the code that raised."""
    while traceback.tb_next:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_filename


def use(package):
    """How it went: its outcome, and what else there is to say."""
    import uses

    try:
        getattr(uses, package.replace("-", "_"))()
    except BaseException as error:
        wrong = isinstance(error, AssertionError) and innermost(error.__traceback__) == uses.__file__
        return "wrong" if wrong else "error", f"{type(error).__name__}: {error}"
    c_code = uses.C_CODE.get(package)
    if c_code is not None and c_code not in sys.modules:
        return "without C", f"{c_code} is not loaded"
    return "right", ""


outcome, detail = use(os.environ["PACKAGE"])
with open("outcomes", "a", encoding="utf-8") as out:
    out.write(f"use\t{outcome}\t{' '.join(detail.split())}\n")
