#!/usr/bin/env bash
# For developers. How fast the programs are and what they cost, beside their peers: docs/performance.md.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/needs.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
readonly options='
  --quick switch quick
  --only value only
  --to value to
  --no-install switch no_install DUALBOARD_NO_INSTALL'
declare quick only to no_install

# shellcheck source=scripts/lib/build.sh
source "${project}/scripts/lib/build.sh"
# shellcheck source=dev/lib/python.sh
source "${project}/dev/lib/python.sh"

readonly made="${project}/target/performance"

usage() {
  cat <<'HELP'
For developers. Measure how fast the programs are and what they cost, beside their peers in the same run, print it, and write
docs/performance.md and its plots anew.

Usage: dev/bench.sh [OPTION ...]

  --quick           about two minutes instead of about 20: it shows that all is measured, its figures say little
  --only PART,...   only these parts: keys, start, recovery, load, growth, rest. The page then has no others
  --to DIR          write the page and the plots there (default: docs; with --only: target/performance)
  --no-install      only say what is missing, install nothing            DUALBOARD_NO_INSTALL=1
  -h, --help        this text

The peers are a bare relay, the plain Python programs, and Mosquitto's own clients; mqttui, where it is installed. The programs are the
release build, the brokers have the project's own files. Needs Linux. Everything runs on loopback, on free ports, in a folder below
target/, so that what is written to a disk is written to a real one, and is ended at the end. A full run wants a quiet machine.
Ends with status 1 if a part could not be measured, whatever the figures are.

Examples:
  dev/bench.sh
  dev/bench.sh --quick
  dev/bench.sh --only keys,rest
HELP
}

main() {
  parse_options "${options}" "$@"
  [[ "$(uname)" == Linux ]] || die 'needs Linux: it makes terminals and watches processes in ways that others do not have'
  [[ "${only}" =~ ^((keys|start|recovery|load|growth|rest)(,|$))*$ ]] || die_usage "--only '${only}': want names such as keys,rest; -h lists them"
  provide_needs bench_needs
  require_rust
  provide_python_client
  # What is measured has its own arguments, not those of a board that is installed here.
  export DUALBOARD_SETTINGS=''
  if [[ -z "${to}" ]]; then
    to="${project}/docs"
    [[ -z "${only}" ]] || to="${made}"
  fi
  mkdir -p "${made}" "${to}"
  to="$(cd "${to}" && pwd)"
  say 'Building (the first time takes minutes) ...'
  (cd "${project}" && cargo bench --locked --bench performance --no-run)
  TMPDIR="$(mktemp -d "${made}/run.XXXXXX")"
  export TMPDIR
  trap 'rm -rf "${TMPDIR}"' EXIT
  (cd "${project}" && cargo bench --quiet --locked --bench performance -- ${quick:+--quick} ${only:+--only "${only}"} --to "${to}")
}

bench_needs() {
  all_needs
  missing_python_needs
  has_command setsid || printf 'setsid util-linux util-linux -\n'
}

main "$@"
