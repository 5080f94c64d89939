#!/usr/bin/env bash
# Makes targets of the Makefile in a tree of Debian unstable, whose Pythons are newer than those of most
# machines. Needs root, for debootstrap and chroot; the tree is BUILD/debian.
#
#   tools/test_debian.sh [TARGET...]       test-all
#
# From debootstrap's own mirror, or that of DEBIAN_MIRROR.
# Exits with 77 where there can be no such tree.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
mkdir -p "$BUILD"
tree=$(realpath "$BUILD")/debian

packages=(ca-certificates cargo cmake doctest-dev g++ gcc libc-bin libc6-dev libcmocka-dev locales make ninja-build
  pkgconf python3 python3.{13,14,15}-{dev,venv} python3.{13,14,15}-dbg libpython3.{13,14}-testsuite)

no_tree() {
  echo "test-debian: $*" >&2
  exit 77
}

[ "$(id -u)" = 0 ] || no_tree "needs root, for debootstrap and chroot"
tools/setup.sh debootstrap || no_tree "needs debootstrap"

in_tree() {
  chroot "$tree" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive CARGO_NET_OFFLINE=true "$@"
}

if [ ! -e "$tree/.ready" ]; then
  echo "test-debian: making $tree"
  rm -rf "$tree"
  log=$(realpath "$BUILD")/debootstrap.log
  debootstrap --variant=minbase unstable "$tree" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$log" 2>&1 ||
    no_tree "$(tail "$log")"
  cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
  touch "$tree/.ready"
fi
# The file names what is installed: a tree that was made for fewer packages gets the others.
if [ "$(cat "$tree/.ready")" != "${packages[*]}" ]; then
  log=$(realpath "$BUILD")/packages.log
  in_tree apt-get install -qq --yes --no-install-recommends "${packages[@]}" >"$log" 2>&1 ||
    no_tree "$(tail "$log")"
  echo "${packages[*]}" >"$tree/.ready"
fi

# The sources, and those of the crates: nothing is downloaded inside.
rm -rf "$tree/subpy"
mkdir "$tree/subpy"
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$tree/subpy"
cargo vendor --quiet --locked "$tree/vendor" >/dev/null

mount -t proc proc "$tree/proc" || no_tree "needs to mount /proc"
trap 'umount "$tree/proc"' EXIT
in_tree make -C /subpy BUILD=/build SUBPY_VENDOR_DIR=/vendor JOBS="${JOBS:-$(nproc)}" "${@:-test-all}"
