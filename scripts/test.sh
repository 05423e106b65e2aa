#!/usr/bin/env bash
# Every check of the project, on a machine that has nothing but a Rust toolchain.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib/needs.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
declare no_install
declare -A beside=()

# shellcheck source=scripts/lib/build.sh
source "${project}/scripts/lib/build.sh"
# shellcheck source=dev/lib/python.sh
source "${project}/dev/lib/python.sh"

usage() {
  cat <<'HELP'
Run every check, on Linux: format, lints, documentation, the core alone, unit tests, tests against real brokers and in real
terminals, the scripts, and a short campaign of real faults.

Usage: scripts/test.sh [OPTION ...]

  --no-install      only say what is missing, install nothing            DUALBOARD_NO_INSTALL=1
  -h, --help        this text

Installs what is missing: what scripts/launch.sh needs, and shellcheck, shfmt, python3 with venv, iproute2, faketime, dash, openssl, valgrind, util-linux. The Python client of the tests goes into
a folder below target/. As root, two hosts are made of network namespaces for the test of two boards; otherwise that test is skipped and
says so. Ends with status 0 only if every check passed.

Examples:
  scripts/test.sh
  scripts/test.sh --no-install
HELP
}

main() {
  parse_options '--no-install switch no_install DUALBOARD_NO_INSTALL' "$@"
  [[ "$(uname)" == Linux ]] || die "the tests need Linux: they make terminals and watch processes in ways that $(uname) does not have;" \
    'the programs themselves run here: scripts/launch.sh'
  cd "${project}"
  forget_settings
  started="${SECONDS}"
  failed=()
  provide_needs test_needs
  require_rust
  provide_python_client
  check 'format' cargo fmt --all --check
  check 'scripts: shellcheck' shellcheck --enable all --external-sources scripts/*.sh scripts/dualboard-setup scripts/lib/*.sh dev/*.sh dev/lib/*.sh tests/scripts/*.sh tests/scripts/lib/*.sh data/debian/* .ci/run
  check 'scripts: names' no_local_hides_a_constant
  check 'scripts: format' shfmt -i 2 -ci -d scripts dev tests/scripts data/debian .ci/run
  check 'width of comments' comments_are_narrow
  check 'lints' cargo clippy --locked --workspace --all-targets --quiet -- --deny warnings
  check 'documentation' env RUSTDOCFLAGS='--deny warnings --allow rustdoc::private_intra_doc_links' cargo doc --locked --workspace --no-deps --document-private-items --quiet
  check_dependencies
  check 'the core alone' cargo test --locked -p dualboard-core
  check 'no test left out' all_tests_are_listed
  # The others have just run.
  check 'the parts of the programs' cargo test --locked --no-fail-fast --lib --bins --examples --test package_files --test screens
  # These wait for brokers most of the time, so more of them than there are cores run side by side. In the first, all connections are of one
  # process, and Paho serves them with one pair of threads: there not so many.
  check 'the connection to a broker' env RUST_TEST_THREADS=4 cargo test --locked --no-fail-fast --test broker
  check 'the programs, with real brokers and terminals' env RUST_TEST_THREADS=10 cargo test --locked --no-fail-fast --test system
  check 'examples in the documentation' cargo test --locked --doc
  check 'release build' cargo build --locked --release
  check 'instruction counts' cargo bench --locked --bench instructions
  # These two wait nearly all the time, so they run beside the others.
  trap end_all EXIT
  begin 'rights' tests/scripts/rights.sh
  begin 'proxy' dev/chaos.sh --seed 5 --faults 40 --proxy
  local test
  for test in tests/scripts/*.sh; do
    [[ "${test}" == */rights.sh ]] || check "${test}" "${test}"
  done
  check 'tests/scripts/rights.sh' end_of 'rights'
  check 'real faults, the cable a proxy' end_of 'proxy'
  check 'the judge of the campaign' dev/chaos.sh --self-test
  check 'real faults' dev/chaos.sh --seed 1 --faults 60 --worlds 2
  conclude
}

# begin WORD COMMAND...: runs it beside what follows, until end_of WORD.
begin() {
  local word="$1"
  shift
  "$@" >"target/beside-${word}.log" 2>&1 &
  beside["${word}"]=$!
}

end_of() {
  local status=0
  wait "${beside[$1]}" || status=$?
  unset "beside[$1]"
  cat "target/beside-$1.log"
  return "${status}"
}

end_all() {
  local process
  for process in "${beside[@]}"; do
    kill "${process}" 2>/dev/null || true
  done
}

# The settings of whoever runs the tests are not theirs: a session or data folder named there may be in use.
forget_settings() {
  local name
  for name in $(compgen -e DUALBOARD_); do
    [[ "${name}" == DUALBOARD_NO_INSTALL ]] || unset "${name}"
  done
}

# What the checks need beyond what the programs need: name, and package for apt and dnf.
test_needs() {
  all_needs
  has_command shellcheck || printf 'shellcheck shellcheck ShellCheck shellcheck\n'
  has_command shfmt || printf 'shfmt shfmt shfmt shfmt\n'
  missing_python_needs
  has_command ip || printf 'ip iproute2 iproute -\n'
  has_command faketime || printf 'faketime faketime libfaketime -\n'
  has_command dash || printf 'dash dash dash -\n'
  has_command openssl || printf 'openssl openssl openssl -\n'
  has_command valgrind || printf 'valgrind valgrind valgrind -\n'
  has_command setsid && has_command flock || printf 'setsid-and-flock util-linux util-linux -\n'
}

# A file of tests that its main.rs does not name would be left out without a word, as would a test of the programs that is not called for
# above.
all_tests_are_listed() {
  local file name all=0
  for file in tests/*.rs tests/*/main.rs; do
    name="$(basename "${file%/main.rs}" .rs)"
    if ! grep -q -- "--test ${name}\>" scripts/test.sh; then
      warn "${file} is not run: call for it in scripts/test.sh"
      all=1
    fi
  done
  for file in tests/system/*.rs tests/broker/*.rs tests/screens/*.rs core/tests/core/*.rs core/tests/simulation/*.rs; do
    name="${file##*/}"
    if [[ "${name}" != main.rs ]] && ! grep -q "^mod ${name%.rs};" "${file%/*}/main.rs"; then
      warn "${file} is in no test: name it in ${file%/*}/main.rs"
      all=1
    fi
  done
  return "${all}"
}

# Bash ends a function that names a `readonly` of its script as `local`; shellcheck does not see it.
no_local_hides_a_constant() {
  local file name all=0
  for file in scripts/dualboard-setup scripts/*.sh scripts/lib/*.sh dev/*.sh dev/lib/*.sh tests/scripts/*.sh tests/scripts/lib/*.sh; do
    while read -r name; do
      if grep -nE "^ +local( -[a-zA-Z]+)?( [a-z_0-9]+(=[^ ]*)?)* ${name}\\b" "${file}"; then
        warn "${file}: ${name} is readonly there; give the local another name"
        all=1
      fi
    done < <(sed -nE 's/^readonly ([a-z_0-9]+)(=.*)?$/\1/p' "${file}")
  done
  return "${all}"
}

# rustfmt leaves comments as they are.
comments_are_narrow() {
  ! find core src tests benches examples fuzz/fuzz_targets -name '*.rs' -print0 |
    LC_ALL=C.UTF-8 xargs -0 grep -nE '^.{111,}$' | grep -E ':[0-9]+: *//'
}

# Licences, sources and doubles of what we build on. cargo-deny takes minutes to build, so it is used where it is.
check_dependencies() {
  if command -v cargo-deny >/dev/null; then
    check 'dependencies' cargo deny --offline check bans licenses sources
  else
    say '--- dependencies: skipped, cargo-deny is not installed (cargo install cargo-deny)'
  fi
}

# check NAME COMMAND...: runs it, and goes on whatever comes of it.
check() {
  local name="$1" begun="${SECONDS}"
  shift
  say "--- ${name}"
  if "$@"; then
    say "--- ${name}: passed, $((SECONDS - begun)) s"
  else
    failed+=("${name}")
    say "--- ${name}: FAILED, $((SECONDS - begun)) s"
  fi
}

conclude() {
  say "All checks took $((SECONDS - started)) s."
  if ((${#failed[@]})); then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
  fi
  say 'All checks passed.'
}

main "$@"
