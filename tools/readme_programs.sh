#!/usr/bin/env bash
# Compiles and runs the first C and the first C++ program of README.md, as printed there.
#
#   tools/readme_programs.sh DIRECTORY PREFIX
#
# DIRECTORY is where they go; PREFIX is where subpy is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1
prefix=$2
mkdir -p "$directory"

# extract LANGUAGE FILE: writes the first block that is fenced with ```LANGUAGE.
extract() {
  awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } inside && /^```/ { exit } inside' README.md >"$2"
  grep -q 'main(' "$2" || { echo "README.md has no program in a block that starts with \`\`\`$1" >&2; exit 1; }
}
extract c "$directory/readme.c"
extract cpp "$directory/readme.cpp"

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name subpy.pc)")
read -ra cflags < <(pkg-config --cflags subpy)
read -ra libs < <(pkg-config --libs subpy)
libs+=("-Wl,-rpath,$(pkg-config --variable=libdir subpy)" -pthread)
warnings=(-Wall -Wextra -Wpedantic -Werror)

set -x
"${CC:-cc}" -std=c99 "${warnings[@]}" "${cflags[@]}" "$directory/readme.c" "${libs[@]}" -o "$directory/c"
"${CXX:-c++}" -std=c++17 "${warnings[@]}" "${cflags[@]}" "$directory/readme.cpp" "${libs[@]}" -o "$directory/cpp"
"$directory/c"
"$directory/cpp"
