# shellcheck shell=bash
# What the scripts tell a person: progress on stdout, trouble on stderr.

say() { printf '%s\n' "$*"; }

warn() {
  printf '%s\n' "$*" >&2
  must_be_read
}

to_read=''

# What was just said asks for something to be done: tmux does not cover it before it is read (session.sh).
# shellcheck disable=SC2034 # read by session.sh
must_be_read() { to_read=1; }

# Of `die`. dualboard-setup check has another one, since 1 is a warning there.
death_status=1

# Ends the script. Say what was tried, with what value, and what to do.
die() {
  warn "${0##*/}: $*"
  exit "${death_status}"
}

# Unusable arguments.
die_usage() {
  warn "${0##*/}: $*"
  warn "Try: ${0} -h"
  exit 2
}
