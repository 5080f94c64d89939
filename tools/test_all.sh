#!/usr/bin/env bash
# Runs the tests for one Python of each version that is found, each in a build tree of its own, and sums up in
# a table: all of them for the newest, and those that depend on the Python for the others. Fails if any failed,
# or if none was found.
#
#   tools/test_all.sh [TARGET]       another target, for each
#
# With PYTHONS="python3.14-dbg ..." these and no others.
# With TURN=NUMBER only one Python has its turn, of those beside the newest.
set -uo pipefail
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
target=${1:-}
logs=$BUILD/test-all
mkdir -p "$logs"
tools/setup.sh build || exit

# Of each minor version the first one, newest first.
mapfile -t pythons < <(
  if [ -n "${PYTHONS:-}" ]; then
    for python in $PYTHONS; do
      "$python" -c "import platform, sys; print(platform.python_version() + sys.abiflags, sys.executable)"
    done
  else
    cmake -P tools/pythons.cmake | awk '{ split($1, v, "."); if (!seen[v[2]]++) print }'
  fi
)
newest=${pythons[0]-}
if [ -n "${TURN:-}" ] && [ ${#pythons[@]} -gt 1 ]; then
  pythons=("${pythons[1 + TURN % (${#pythons[@]} - 1)]}")
fi

# Of a log: "12 passed, 1 failed".
cargo_result() {
  awk '/^test result: / { passed += $4; failed += $6; ran = 1 }
    END { if (ran) printf "%d passed, %d failed", passed, failed; else printf "did not run" }' "$1"
}
ctest_result() {
  awk '/ tests passed, .* tests? failed out of / { failed = $4; passed = $NF - failed; ran = 1 }
    END { if (ran) printf "%d passed, %d failed", passed, failed; else printf "did not run" }' "$1"
}

row() { printf '%-9s  %-22s  %-22s  %7s  %s\n' "$@"; }

table=$(row Python "cargo test" ctest time "")$'\n'
status=0
for line in "${pythons[@]}"; do
  version=${line%% *}
  python=${line#* }
  make_target=${target:-test-python}
  [ -n "$target" ] || [ "$line" != "$newest" ] || make_target=test
  log=$logs/$version.$make_target.log
  echo "== Python $version: $python"
  verdict=ok
  SECONDS=0
  # -k: ctest runs also where a test of cargo's failed.
  make -k --no-print-directory "$make_target" BUILD="$logs/$version" PYTHON="$python" 2>&1 | tee "$log" ||
    { verdict=FAILED status=1; }
  table+=$(row "$version" "$(cargo_result "$log")" "$(ctest_result "$log")" "$((SECONDS / 60))m $((SECONDS % 60))s" "$verdict")$'\n'
done

printf '\n%s' "$table"
if [ ${#pythons[@]} -eq 0 ]; then
  echo "No Python found that subpy can be built for." >&2
  exit 1
fi
exit $status
