#!/usr/bin/env bash
# For developers. Runs the whole system in virtual time, with all that may go wrong, and prints the figures.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
cores_here="$(nproc)"
readonly options="
  --seeds count seeds - 20000
  --first number first - 0
  --cores count cores - ${cores_here}
  --failures count most - 10"
declare seeds first cores most

usage() {
  cat <<HELP
For developers. Simulate both boards with their programs, brokers, disks, the bridge and an operator: one run per seed, with
faults drawn by the seed. After every step the promise of docs/reliability.md is checked, after the last fault everything must agree.

Usage: dev/simulate.sh [OPTION ...]

  --seeds N         how many runs (default 20000)
  --first M         the first seed (default 0)
  --cores N         how many run at a time (default: all, here ${cores_here})
  --failures N      end after this many failures on a core (default 10)
  -h, --help        this text

Prints faults by kind, key presses, simulated time, how long it took until all agreed, and each failure with the line that replays it.
Ends with status 0 if nothing failed, 1 otherwise. Needs a Rust toolchain. Build and runs are at low priority.

Examples:
  dev/simulate.sh
  dev/simulate.sh --seeds 1000000
HELP
}

main() {
  parse_options "${options}" "$@"
  command -v cargo >/dev/null || die "no 'cargo' found; install Rust from https://rustup.rs, then run this again"
  cd "${project}"
  say 'building'
  nice -n 10 cargo test --locked --quiet --profile simulation -p dualboard-core --test simulation --no-run
  mkdir -p target
  log='target/simulate.log'
  say "running ${seeds} seeds from ${first} on ${cores} cores; how far it has come stands in ${log}"
  local status=0
  SIM_SEEDS="${seeds}" SIM_FIRST="${first}" SIM_THREADS="${cores}" SIM_FAILURES="${most}" \
    nice -n 10 cargo test --locked --quiet --profile simulation -p dualboard-core --test simulation -- many_seeds --nocapture \
    >"${log}" 2>&1 || status=1
  grep -q ' seeds from ' "${log}" || {
    tail -n 30 "${log}" >&2
    die 'the simulation did not finish; the end of its log is above'
  }
  figures
  say "${SECONDS} s on the clock"
  return "${status}"
}

# From the figures to the failures, each of them with the line that replays it; the replay of the first one is left out.
figures() {
  awk '
    / seeds from / { on = 1 }
    on && /^seed [0-9]+: / {
      number = $2
      sub(/:$/, "", number)
      print
      print "  SIM_SEED=" number " cargo test -p dualboard-core --test simulation -- one_seed --nocapture"
      next
    }
    on && /^ +[0-9]+ [a-z]/ { print; next }
    on && /seeds from|simulated time|what happened|nobody can put|agreement after|failures$/ { print }
    on && /failures$/ { last = 1; next }
    last && !/^seed / { exit }
  ' "${log}"
}

main "$@"
