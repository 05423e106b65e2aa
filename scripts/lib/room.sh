# shellcheck shell=bash
# Disks that take nothing more.

# Whether a folder's disk takes files: it may be full, or readable only after an error.
has_room() {
  local probe="$1/.room" status=0
  { head -c 16384 /dev/zero >"${probe}"; } 2>/dev/null || status=1
  rm -f "${probe}" 2>/dev/null || true
  return "${status}"
}

# What a person does about a disk that takes nothing.
no_room() { printf 'no room on the disk of %s (full, or readable only: df -h %q)' "$1" "$1"; }
