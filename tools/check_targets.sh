#!/usr/bin/env bash
# Sees to it that the crates compile for other C libraries and other processors. Nothing is linked, nothing runs.
#
#   tools/check_targets.sh [TARGET...]
#
# rustup gets the standard library of each. Code in C that crates bring along is not compiled: a compiler for each
# target would be needed.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/compiler" <<'END'
#!/bin/sh
# Makes each file that it is told to make, empty.
previous=
for argument; do
  if [ "$previous" = -o ]; then : > "$argument"; fi
  previous=$argument
done
END
chmod +x "$work/compiler"

# What pyo3-ffi would else ask a Python of that target.
cat > "$work/python" <<'END'
implementation=CPython
version=3.13
shared=true
abi3=false
lib_name=python3.13
pointer_width=64
build_flags=
suppress_build_script_link_lines=true
END

[ $# -gt 0 ] || set -- aarch64-unknown-linux-gnu x86_64-unknown-linux-musl
for target; do
  echo "check_targets: $target" >&2
  rustup --quiet target add "$target"
  name=${target//-/_}
  env "CC_$name=$work/compiler" "AR_$name=$work/compiler" PYO3_CONFIG_FILE="$work/python" RUSTFLAGS="-D warnings" \
    cargo check --quiet --target "$target" -p subpy-core -p subpy-worker
done
