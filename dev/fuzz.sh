#!/usr/bin/env bash
# For developers. Throws hostile input at the core, guided by coverage, and prints the figures.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
readonly options='
  --executions count executions - 200000
  ARGUMENT repeated targets'
declare executions
declare -a targets

usage() {
  cat <<'HELP'
For developers. Fuzz the core: 'decode' (any bytes on any topic) and 'events' (any sequence of what an attacker, a network,
a disk and an operator may do). The rules are checked after every step; the first break ends the run and leaves the input in fuzz/artifacts/.

Usage: dev/fuzz.sh [OPTION ...] [decode | events]

  --executions N    how many inputs for each target (default 200000)
  -h, --help        this text

Needs a Rust toolchain (the stable one does) and a C++ compiler. What is found worth keeping goes to fuzz/found/, the committed
corpus in fuzz/corpus/ is only read. Build and runs are at low priority.

Examples:
  dev/fuzz.sh
  dev/fuzz.sh --executions 100000000 decode
HELP
}

main() {
  local target
  parse_options "${options}" "$@"
  ((${#targets[@]})) || targets=(decode events)
  for target in "${targets[@]}"; do
    [[ "${target}" == decode || "${target}" == events ]] || die_usage "unknown argument '${target}'"
  done
  command -v cargo >/dev/null || die "no 'cargo' found; install Rust from https://rustup.rs, then run this again"
  command -v c++ >/dev/null || die "no C++ compiler 'c++' found; install one (apt install g++), then run this again"
  host="$(rustc -vV | sed -n 's/^host: //p')"
  cd "${project}/fuzz"
  for target in "${targets[@]}"; do
    build "${target}"
    run "${target}"
  done
}

# The flags of cargo-fuzz without a sanitizer: the core has no unsafe code, and so a stable toolchain will do. Each target has a folder
# of its own, since the flags differ: to watch comparisons helps to find keys and numbers in bytes that are decoded; drawn events
# have none to find, and run less than half as fast.
build() {
  local target="$1" flags='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg=fuzzing'
  [[ "${target}" != decode ]] || flags+=' -Cllvm-args=-sanitizer-coverage-trace-compares'
  RUSTFLAGS="${flags}" nice -n 10 \
    cargo build --locked --release --quiet --target-dir "target/${target}" --target "${host}" --bin "${target}"
}

run() {
  local target="$1" log
  log="found/${target}.log"
  mkdir -p "found/${target}" artifacts
  local fuzzer_options=(-runs="${executions}" -timeout=10 -print_final_stats=1 -artifact_prefix="artifacts/${target}-")
  case "${target}" in
    decode) fuzzer_options+=(-max_len=300 -len_control=0 -dict=json.dict) ;;
    # By edges reached, not by how often: sequences repeat themselves, and tens of thousands of files would tell little more.
    *) fuzzer_options+=(-max_len=800 -len_control=0 -use_counters=0) ;;
  esac
  if ! nice -n 10 "target/${target}/${host}/release/${target}" "${fuzzer_options[@]}" "found/${target}" "corpus/${target}" >"${log}" 2>&1; then
    tail -n 30 "${log}" >&2
    die "${target}: a rule was broken; the input is in fuzz/artifacts/, the log in fuzz/${log}"
  fi
  local done_ rate edges
  done_="$(sed -n 's/^stat::number_of_executed_units: //p' "${log}")"
  rate="$(sed -n 's/^stat::average_exec_per_sec: *//p' "${log}")"
  edges="$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "${log}" | tail -n 1)"
  say "${target}: ${done_} executions, ${rate} a second, ${edges} edges reached, no rule broken"
}

main "$@"
