#!/usr/bin/env bash
# Compiles host.c of a folder in tools, and runs its run.py, which puts something to that program.
#
#   tools/with_host.sh FOLDER [OPTION...]       those of run.py
#
# BUILD is a build tree with subpy installed in its folder `prefix`. The Python is the one that it is built for.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=$(realpath "${BUILD:-build}")
folder=$1
shift
out=$BUILD/$folder
prefix=$BUILD/prefix
mkdir -p "$out"

python=$(sed -n 's/.*PYO3_PYTHON=\([^ "]*\).*/\1/p' "$BUILD/build.ninja" | head -n 1)
lib=$(dirname "$(find "$prefix" -name libsubpy.so)")
"${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -g -I"$prefix/include" "tools/$folder/host.c" \
  -o "$out/host" -L"$lib" -lsubpy -Wl,-rpath,"$lib" -pthread
PYTHONPATH=tools "$python" -B "tools/$folder/run.py" --host "$out/host" --output "$out" "$@"
