#!/usr/bin/env bash
# Sees to it that the machine has what a target of the Makefile needs.
#
#   tools/setup.sh [build] [tests] [benches] [clang-format] [clang] [debootstrap] [doxygen] [pkg-config]
#                  [valgrind]
#
# CMake, ninja and clang-format come from PyPI into $TOOLS. All else comes from the distribution. As root on
# Debian, this names the packages and installs them. Otherwise it prints the command that does, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
TOOLS=${TOOLS:-$PWD/build/tools}
mkdir -p "$TOOLS/bin"
export PATH="$TOOLS/bin:$PATH"

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# SUBPY_SETUP_ROOT=no: as if the user were not root.
can_install() { [ "${SUBPY_SETUP_ROOT:-yes}" = yes ] && [ "$(id -u)" = 0 ] && have apt-get; }

# --- PyPI ----------------------------------------------------------------------------------------

# from_pypi PACKAGE...: their programs into $TOOLS/bin, at the versions of tools/requirements.txt.
from_pypi() {
  local package pip programs program requirement place
  if python3 -m pip --version >/dev/null 2>&1; then
    pip=(python3 -m pip)
  elif python3 -m venv "$TOOLS/venv" >/dev/null 2>&1; then
    pip=("$TOOLS/venv/bin/pip")
  else
    return 1
  fi
  for package; do
    requirement=$(grep "^$package==" tools/requirements.txt)
    say "$requirement from PyPI into $TOOLS"
    # A folder each: pip replaces the target's bin folder whole, with what an earlier package put there.
    place=$TOOLS/pypi/$package
    PIP_ROOT_USER_ACTION=ignore "${pip[@]}" install --quiet --disable-pip-version-check --upgrade \
      --target "$place" "$requirement" || return 1
    # The wheels hold plain programs, behind scripts that would need PYTHONPATH.
    programs=("$place/${package//-/_}/data/bin"/*)
    [ -x "${programs[0]}" ] || programs=("$place/bin/$package")
    for program in "${programs[@]}"; do
      ln -sf "$program" "$TOOLS/bin/"
    done
  done
}

# --- the distribution ----------------------------------------------------------------------------

missing=() # packages

from_distribution() {
  [ ${#missing[@]} -gt 0 ] || return 0
  if can_install; then
    say "installing from the distribution: ${missing[*]}"
    install_packages "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
  elif have apt-get; then
    die "please run: sudo apt-get install ${missing[*]}"
  else
    die "please install these (by Debian's names): ${missing[*]}"
  fi
}

install_packages() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$@")
  # The lists of packages may be absent or old.
  "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; }
}

# need COMMAND PACKAGE...: the packages, unless the command is there.
need() { have "$1" || missing+=("${@:2}"); }

# need_header HEADER LANGUAGE PACKAGE: the package, unless the header is there.
need_header() {
  echo "#include <$1>" | cc -x "$2" -E \
    -include stddef.h -include stdarg.h -include setjmp.h -include stdint.h - >/dev/null 2>&1 ||
    missing+=("$3")
}

# --- what the targets need -----------------------------------------------------------------------

# CMake 3.18 or later, and ninja.
need_cmake() {
  local wanted=() version
  version=$(cmake --version 2>/dev/null | sed -n 's/^cmake version //p') || true
  if [ "$(printf '%s\n' 3.18 "${version:-0}" | sort -V | head -n 1)" != 3.18 ] || ! have ctest; then
    wanted+=(cmake)
  fi
  have ninja || wanted+=(ninja)
  [ ${#wanted[@]} -eq 0 ] || from_pypi "${wanted[@]}" || missing+=(cmake ninja-build)
}

# A Python to build for. Which one is for CMake to select, and one that was given is for it to judge.
need_python() {
  [ -z "${PYTHON:-}" ] || return 0
  local python
  for python in python3 python3.1{5..0} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
    case $("$python" -s -E cmake/probe_python.py 2>/dev/null || true) in
      *";") return ;; # no problem
    esac
  done
  missing+=(python3-dev)
}

need_build() {
  have cargo || have "$HOME/.cargo/bin/cargo" || die "please install Rust 1.85 or later: there is no cargo"
  need cc gcc libc6-dev
  need c++ g++
  need_cmake
  need_python
}

need_tests() {
  need_header cmocka.h c libcmocka-dev
  need_header doctest/doctest.h c++ doctest-dev
  # The tests of locales make theirs.
  need localedef libc-bin
  [ -e /usr/share/i18n/locales/fr_FR ] || missing+=(locales)
  # Without pkg-config its own test is left out, so it is no reason to stop.
  if can_install; then need pkg-config pkg-config; fi
}

for what; do
  case $what in
    build) need_build ;;
    tests) need_tests ;;
    benches) need_header benchmark/benchmark.h c++ libbenchmark-dev ;;
    clang-format)
      # Of the pinned version only.
      [ -x "$TOOLS/bin/clang-format" ] || from_pypi clang-format || die "clang-format needs pip or venv for python3"
      ;;
    clang | debootstrap | doxygen | pkg-config | valgrind) need "$what" "$what" ;;
    *) die "what is '$what'?" ;;
  esac
done
from_distribution
