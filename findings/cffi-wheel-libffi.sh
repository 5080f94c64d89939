#!/usr/bin/env bash
# cffi 2.1.1, the wheel for Linux from PyPI: its libffi is built in, and is not its own all the same. The module exports
# libffi's functions, and calls them by their names, so a library that was loaded before with functions of these names
# serves it: with LD_PRELOAD, or with RTLD_GLOBAL. cffi sees it only if what it gives to libffi does not come back, and
# then speaks of the version of libffi at runtime.
#
# One would guess that a wheel which carries a static libffi, and needs no libffi of the system, calls that one.
#
# Seen with cffi 2.1.1 on CPython 3.11.7 and 3.13.0, x86-64: a library of one function, which does nothing but say so, is
# called by ffi.callback(), and cffi raises SystemError ("bad user_data"). The `_ctypes` of CPython needs libffi.so.8.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
python=$work/venv/bin/python
"$python" -m pip --disable-pip-version-check --quiet install --only-binary :all: cffi==2.1.1

backend=$("$python" -c 'import _cffi_backend; print(_cffi_backend.__file__)')
echo "needs: $(readelf -d "$backend" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | tr '\n' ' ')"
if readelf -d "$backend" | grep -q 'NEEDED.*libffi'; then
  echo "no longer so: it needs a libffi" >&2
  exit 1
fi

cat >"$work/other.c" <<'C'
#include <stdio.h>
int ffi_prep_closure_loc(void *closure, void *cif, void *function, void *user_data, void *code) {
  (void)closure, (void)cif, (void)function, (void)user_data, (void)code;
  fputs("called: the other library's\n", stderr);
  return 0;
}
C
cc -shared -fPIC -o "$work/other.so" "$work/other.c"
cat >"$work/callback.py" <<'PY'
import cffi

ffi = cffi.FFI()
try:
    twice = ffi.callback("int(int)", lambda n: 2 * n)
    print("right:", twice(21) == 42)
except SystemError as error:
    print("SystemError:", str(error).split("(it seems")[0].strip())
PY

# expect WHAT OUTPUT
expect() { [ "$1" = "$2" ] || { echo "no longer so: expected: $2" >&2; exit 1; }; }
alone=$("$python" "$work/callback.py" 2>&1)
echo "alone: $alone"
expect "$alone" "right: True"
beside=$(LD_PRELOAD=$work/other.so "$python" "$work/callback.py" 2>&1)
echo "beside another library: ${beside//$'\n'/; }"
expect "$beside" "called: the other library's
SystemError: ffi_prep_closure(): bad user_data"
