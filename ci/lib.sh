# SPDX-License-Identifier: Apache-2.0
# What the scripts of ci/ share: where things are, and how to speak. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

# Python tools of the project itself (uv); imgbuild looks here before PATH.
export IMGBUILD_TOOLS=$root/.tools
# Debian's own interpreter: a shim of a version manager may stand before it in PATH.
python=/usr/bin/python3

# A second clone of the same sources finds the first one's objects.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros

say() { printf '%s\n' "$*" >&2; }
step() { printf '\n== %s\n' "$*" >&2; }
die() {
  local code=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$code"
}

# Runs a command as root; says how when that is not possible.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die 3 "'$*' needs root, and there is no sudo: run it as root once, then start again"
  fi
}

# The configured build of one preset, quiet unless it goes wrong. Arguments after the preset are targets.
# One at a time: two builds in one folder take each other's files away.
cmake_build() {
  local preset=$1
  shift
  local log
  log=$(mktemp)
  local targets=()
  [ $# = 0 ] || targets=(--target "$@")
  mkdir -p "$root/.tools"
  if ! {
    exec 9>"$root/.tools/build-$preset.lock"
    flock 9
    cmake --preset "$preset" && cmake --build --preset "$preset" "${targets[@]}" 9>&-
  } >"$log" 2>&1; then
    exec 9>&-
    tail -n 100 "$log" >&2
    rm -f "$log"
    return 1
  fi
  exec 9>&-
  rm -f "$log"
}

# True when a build or fetch could not be done because no source has some locked file any more, as opposed to a
# network that is down: imgbuild then names all such files and proposes to lock anew.
is_superseded() {
  local imgbuild=$1 manifest=$2
  local said
  said=$("$imgbuild" fetch "$manifest" --progress quiet 2>&1 >/dev/null) && return 1
  grep -q 'hint: .*imgbuild lock' <<<"$said"
}
