"""Prints what the build has to know of the Python that runs this, for FindPythons.cmake:

    version;executable;library;include directory;problem

`problem` is empty where subpy can be built for this Python, and else says what to do about it
(without a semicolon).
Runs on any Python, also on those that subpy doesn't support: they are to be told so.
"""

import os
import platform
import sys
import sysconfig

OLDEST, NEWEST = (3, 10), (3, 15)

var = sysconfig.get_config_var
version = ".".join(map(str, sys.version_info[:3]))
# The library's name without lib and .so: "python3.13", with a "t" or "d" for odd builds.
name = "python" + str(var("LDVERSION") or var("VERSION"))


def find_library():
    """The linkable shared library, the one without a version behind .so; "" if there is none."""
    lib_dir = var("LIBDIR") or ""
    multiarch = var("MULTIARCH") or ""
    prefix = getattr(sys, "base_prefix", sys.prefix)
    for directory in (lib_dir, os.path.join(lib_dir, multiarch), os.path.join(prefix, "lib")):
        path = os.path.join(directory, "lib" + name + ".so")
        if os.path.exists(path):
            return path
    return ""


def find_include():
    """The directory of Python.h; "" if there is none."""
    directory = sysconfig.get_paths()["include"]
    return directory if os.path.exists(os.path.join(directory, "Python.h")) else ""


def problem(library, include):
    if platform.python_implementation() != "CPython":
        return "is %s, but subpy needs CPython" % platform.python_implementation()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return "is Python %s, but subpy works with %d.%d to %d.%d" % ((version,) + OLDEST + NEWEST)
    if var("Py_GIL_DISABLED"):
        return "is a free-threaded build, but subpy needs one with a GIL"
    if not library:
        return (
            "has no shared library lib%s.so: install the distribution's development package"
            " (python3-dev or python3-devel), or build Python with --enable-shared"
            " (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)" % name
        )
    if not include:
        return (
            "has no headers (Python.h): install the distribution's development package"
            " (python3-dev or python3-devel)"
        )
    return ""


library, include = find_library(), find_include()
print(";".join((version, sys.executable, library, include, problem(library, include))))
