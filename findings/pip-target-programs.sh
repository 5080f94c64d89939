#!/usr/bin/env bash
# pip 25.3: `pip install --upgrade --target DIR B`, after the same for A, leaves A's package in DIR and removes
# A's programs: the folder DIR/bin is replaced as a whole. Without --upgrade it is the other way round: pip warns
# that DIR/bin exists, exits with 0, and B's programs are not installed.
#
# One would guess that a target folder holds what was installed into it, one package after the other.
#
# Seen with pip 25.3 on Python 3.11 and 3.13, with wheel 0.45.1 (program: wheel) and pyflakes 3.4.0 (program:
# pyflakes). What helps is a target folder for each package, or one call for all packages.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install pip==25.3

# expect WHAT FILE...: the programs that are there
expect() {
  local found
  found=$(cd "$1/bin" && echo *)
  echo "$2: package folders: $(cd "$1" && echo */__init__.py); programs: $found"
  [ "$found" = "$3" ] || { echo "no longer so: expected the programs: $3" >&2; exit 1; }
}

pip install --upgrade --target "$work/upgrade" wheel==0.45.1
expect "$work/upgrade" "wheel" "wheel"
pip install --upgrade --target "$work/upgrade" pyflakes==3.4.0
[ -e "$work/upgrade/wheel/__init__.py" ]
expect "$work/upgrade" "then pyflakes, with --upgrade" "pyflakes"

pip install --target "$work/plain" wheel==0.45.1
pip install --target "$work/plain" pyflakes==3.4.0 2>"$work/warnings"
grep -q 'already exists' "$work/warnings"
[ -e "$work/plain/pyflakes/__init__.py" ]
expect "$work/plain" "then pyflakes, without --upgrade" "wheel"
