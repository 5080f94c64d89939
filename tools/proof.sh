#!/usr/bin/env bash
# The evidence beside the tests: fuzzing, soak, AddressSanitizer, valgrind. Needs a build tree.
#
#   tools/proof.sh fuzz|soak|faults|asan|valgrind     SECONDS_OF=60 for each program
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=$(realpath "${BUILD:-build}")
seconds=${SECONDS_OF:-60}
out=$BUILD/proof
mkdir -p "$out"

# compile PROGRAM SOURCE LIBRARY_FOLDER FLAG...
compile() {
  "${CXX:-c++}" -std=c++17 -Wall -Wextra -Wpedantic -Werror -O1 -g -Iinclude "$2" -o "$out/$1" \
    -L"$3" -lsubpy -Wl,-rpath,"$3" -pthread "${@:4}"
}

# limited PROGRAM ARGUMENT...: one that hangs is ended, and fails.
limited() { timeout --signal=ABRT $((5 * seconds + 300)) "$@"; }

fuzz() {
  # Before 3.12 a program that catches everything is not ended, and bytes spell that soon.
  if "$(python)" -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then
    compile run_bytes fuzz/run_bytes.cpp "$BUILD/lib" -DFUZZ_PLAIN
    limited "$out/run_bytes" -s "$seconds" -r "${SEED:-$RANDOM}" -l "$out/last_bytes" || {
      echo "the bytes are in $out/last_bytes" >&2
      return 1
    }
  fi
  compile sequences fuzz/sequences.cpp "$BUILD/lib"
  limited "$out/sequences" -s "$seconds" -r "${SEED:-$RANDOM}"
  compile waits fuzz/waits.cpp "$BUILD/lib"
  limited "$out/waits" -s "$seconds" -r "${SEED:-$RANDOM}"
  fuzz_wire
}

# libFuzzer, which keeps what reaches more of the decoder. What it finds new is for fuzz/wire/corpus.
fuzz_wire() {
  local host llvm=-Cllvm-args=-sanitizer-coverage
  host=$(rustc -vV | sed -n 's/^host: //p')
  RUSTFLAGS="-Cpasses=sancov-module $llvm-level=4 $llvm-inline-8bit-counters $llvm-pc-table $llvm-trace-compares \
    -Ccodegen-units=1" CARGO_TARGET_DIR=$out/wire CARGO_BUILD_BUILD_DIR=$out/wire \
    cargo build --quiet --release --locked --target "$host" --manifest-path fuzz/wire/Cargo.toml
  mkdir -p "$out/wire_corpus"
  limited "$out/wire/$host/release/fuzz_wire" -max_total_time="$seconds" -max_len=4096 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="$out/" -seed="${SEED:-$RANDOM}" "$out/wire_corpus" fuzz/wire/corpus
}

soak() {
  compile soak fuzz/soak.cpp "$BUILD/lib"
  limited "$out/soak" "$seconds"
}

# Each block of memory is refused once: several thousand processes. With TURN set, each 16th of them.
faults() {
  local step=${TURN:+16}
  "$BUILD/c-tests/faults/faults" malloc "${step:-1}" $((1 + ${TURN:-0} % ${step:-1}))
}

python() { sed -n 's/.*PYO3_PYTHON=\([^ "]*\).*/\1/p' "$BUILD/build.ninja" | head -n 1; }

# With clang, Rust is instrumented too; without it, its allocations are watched all the same.
asan() {
  local lib=$BUILD/lib CXX=${CXX:-c++} host said
  if command -v clang++ >/dev/null && CXX=clang++ can_asan; then
    CXX=clang++
    host=$(rustc -vV | sed -n 's/^host: //p')
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes" \
      PYO3_PYTHON=$(python) \
      CARGO_TARGET_DIR=$out/cargo CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=1 \
      cargo build --release --locked --package subpy-ffi --target "$host"
    lib=$out/cargo/$host/release
    ln -sf libsubpy.so "$lib/$(readlink "$BUILD/lib/libsubpy.so")"
  fi
  compile sequences_asan fuzz/sequences.cpp "$lib" -fsanitize=address -fno-omit-frame-pointer
  compile run_bytes_asan fuzz/run_bytes.cpp "$lib" -fsanitize=address -DFUZZ_PLAIN
  export LSAN_OPTIONS=suppressions=$PWD/tools/lsan.supp:print_suppressions=0 PYTHONMALLOC=malloc
  # There is no memory limit where Python's allocator is malloc.
  export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=256
  # What is lost on a stack of the library's is reported, with where that was.
  compile leaks_asan fuzz/leaks.cpp "$lib" -O0 -fsanitize=address -fno-omit-frame-pointer
  said=$("$out/leaks_asan" 2>&1 || true)
  if [[ $said != *"SUMMARY: AddressSanitizer: 30000 byte(s) leaked in 10 allocation(s)."* ]]; then
    echo "leaks_asan said: $said" >&2
    return 1
  fi
  limited "$out/sequences_asan" -s "$seconds"
  limited "$out/run_bytes_asan" -s "$seconds"
}

can_asan() { echo 'int main() {}' | "$CXX" -fsanitize=address -x c++ - -o "$out/can_asan" 2>/dev/null; }

valgrind() {
  compile sequences fuzz/sequences.cpp "$BUILD/lib"
  PYTHONMALLOC=malloc limited valgrind --quiet --error-exitcode=1 \
    --fair-sched=yes "$out/sequences" -t 2 -m 100 -s "$seconds"
}

"$1"
