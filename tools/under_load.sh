#!/usr/bin/env bash
# Runs a command on a slow machine, made of this one: two busy loops for each core run beside it, at the
# same priority.
#
#   tools/under_load.sh COMMAND [ARGUMENT...]
set -uo pipefail
[ $# -gt 0 ] || { echo "usage: tools/under_load.sh COMMAND [ARGUMENT...]" >&2; exit 2; }

# Ends by itself where this script was killed.
busy() {
  local n
  while [ -d "/proc/$$" ]; do
    for ((n = 0; n < 100000; n++)); do :; done
  done
}

loops=()
trap 'kill "${loops[@]}" 2>/dev/null' EXIT
for ((i = 0; i < 2 * $(nproc); i++)); do
  busy &
  loops+=($!)
done
"$@"
