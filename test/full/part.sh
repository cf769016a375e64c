# Sourced by the parts of test/full before all else: a directory for the part, and how it speaks.
# shellcheck shell=sh
set -eu
part=${0##*/}
work=$(mktemp -d)
say() { echo "== $*"; }
fail() {
  echo "test/full/$part: $*" >&2
  exit 1
}
init=''
finish() {
  [ -z "$init" ] || halt
  # The worktree's own record is in this checkout.
  rm -rf "$work/old"
  git worktree prune
  umount "$work/cgroup" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap finish EXIT
. test/full/machine.sh
. test/full/site.sh
