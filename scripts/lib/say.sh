# shellcheck shell=bash
# What the scripts tell a person: progress on stdout, trouble on stderr.

say() { printf '%s\n' "$*"; }

warn() { printf '%s\n' "$*" >&2; }

# Ends the script. Say what was tried, with what value, and what to do.
die() {
  warn "${0##*/}: $*"
  exit 1
}

# Unusable arguments.
die_usage() {
  warn "${0##*/}: $*"
  warn "Try: ${0} -h"
  exit 2
}
