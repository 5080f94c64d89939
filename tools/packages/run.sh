#!/usr/bin/env bash
# Puts a hundred packages with C code to subpy and to CPython's own module of interpreters: see run.py.
#
#   tools/packages/run.sh [OPTION...]       those of run.py
#
# BUILD is a build tree with subpy installed in its folder `prefix`. The Python is the one that it is built for.
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$(realpath "${BUILD:-build}")
out=$BUILD/packages
prefix=$BUILD/prefix
mkdir -p "$out"

python=$(sed -n 's/.*PYO3_PYTHON=\([^ "]*\).*/\1/p' "$BUILD/build.ninja" | head -n 1)
lib=$(dirname "$(find "$prefix" -name libsubpy.so)")
"${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -g -I"$prefix/include" tools/packages/host.c \
  -o "$out/host" -L"$lib" -lsubpy -Wl,-rpath,"$lib" -pthread
"$python" -B tools/packages/run.py --host "$out/host" --output "$out" "$@"
