#!/usr/bin/env bash
# Compiles and runs the C and C++ programs of README.md, as printed there.
#
#   tools/readme_programs.sh DIRECTORY PREFIX
#
# DIRECTORY is where they go; PREFIX is where subpy is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1
prefix=$2
mkdir -p "$directory"

rm -f "$directory"/readme-*

# extract LANGUAGE: writes the blocks that are fenced with ```LANGUAGE, each a program.
extract() {
  awk -v fence="\`\`\`$1" -v file="$directory/readme-%d.$1" '
    $0 == fence { inside = 1; n++; next }
    /^```/ { inside = 0 }
    inside { print >sprintf(file, n) }' README.md
  grep -q 'main(' "$directory/readme-1.$1" ||
    { echo "README.md has no program in a block that starts with \`\`\`$1" >&2; exit 1; }
}
extract c
extract cpp

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name subpy.pc)")
read -ra cflags < <(pkg-config --cflags subpy)
read -ra libs < <(pkg-config --libs subpy)
libs+=("-Wl,-rpath,$(pkg-config --variable=libdir subpy)" -pthread)
warnings=(-Wall -Wextra -Wpedantic -Werror)

set -x
for program in "$directory"/readme-*.c; do
  "${CC:-cc}" -std=c99 "${warnings[@]}" "${cflags[@]}" "$program" "${libs[@]}" -o "$program.program"
  "$program.program"
done
for program in "$directory"/readme-*.cpp; do
  "${CXX:-c++}" -std=c++17 "${warnings[@]}" "${cflags[@]}" "$program" "${libs[@]}" -o "$program.program"
  "$program.program"
done
