#!/usr/bin/env bash
# For developers. Real faults on real brokers: a campaign against the real programs, and a verdict.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/needs.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
readonly options='
  --seed number seed
  --faults number faults - 100
  --worlds count worlds - 1
  --keep value keep
  --summary value summary
  --check value check
  --self-test switch self_test
  --mosquitto value mosquitto
  --proxy switch proxy
  --no-install switch no_install DUALBOARD_NO_INSTALL'
declare seed faults worlds keep summary check self_test mosquitto proxy no_install

# shellcheck source=scripts/lib/build.sh
source "${project}/scripts/lib/build.sh"
# shellcheck source=dev/lib/folder.sh
source "${project}/dev/lib/folder.sh"

readonly made="${project}/target/chaos"
readonly driver="${target_dir}/release/examples/chaos"

usage() {
  cat <<'HELP'
For developers. Let real faults loose on both boards, and decide whether a state was lost.

Usage: dev/chaos.sh [OPTION ...]

  --seed N          which campaign (default: drawn, and printed)
  --faults N        how many faults (default: 100; about one a second)
  --worlds N        so many pairs of boards side by side, with seeds N, N+1, ...; they share the faults (default: 1)
  --keep DIR        keep the logs there, an empty or new folder (default: kept below target/chaos only after a failure)
  --summary FILE    write the figures there as JSON
  --check LOG       no campaign: judge a log that was kept
  --self-test       no campaign: does the checker find what it must find?
  --mosquitto PATH  this broker in the place of the installed one; dev/mosquitto_of.sh gets one of another release of
                    Debian and prints its path
  --proxy           as if not root: both boards on this host, the cable a TCP proxy
  --no-install      only say what is missing, install nothing            DUALBOARD_NO_INSTALL=1
  -h, --help        this text

Two Mosquittos with the project's own configuration, the three programs in terminals, an operator who presses keys. As root, who may lack
the right in a container, each board is a network namespace and the cable between them loses packets as it is told; otherwise it
is a TCP proxy. Programs and brokers are killed, stopped and restarted, boards lose power and storage, the link is refused,
swallowed, frozen, slow, lossy, flapping or goes one way, clocks jump (where libfaketime is installed: package faketime). Then everything
is mended, and all views must agree. A broker whose bridge does not connect again after its clock was set back (Mosquitto 2.0.12 to 2.0.21,
report 3238) keeps the true time; the programs do not.
A checker that reads the log and nothing else decides.

Ends with status 0 if nothing was lost, rolled back, invented, or shown as confirmed or live when it was not.

Examples:
  dev/chaos.sh --seed 1 --faults 100             some minutes
  dev/chaos.sh --faults 2000 --worlds 2 --keep /tmp/chaos
  dev/chaos.sh --faults 500 --mosquitto "$(dev/mosquitto_of.sh trixie)"
HELP
}

main() {
  parse_options "${options}" "$@"
  seed="${seed:-$((RANDOM * 32768 + RANDOM))}"
  if [[ -n "${mosquitto}" ]]; then
    [[ -f "${mosquitto}" && -x "${mosquitto}" ]] || die_usage "--mosquitto '${mosquitto}': no program"
    mosquitto="$(realpath "${mosquitto}")"
  fi
  provide
  if [[ -n "${self_test}" ]]; then
    judge chaos.test_checker
    return
  fi
  if [[ -n "${check}" ]]; then
    judge chaos.checker ${summary:+--summary "${summary}"} "${check}"
    return
  fi
  require_rust
  build_programs card1_monitor card2_monitor card2_global_display
  (cd "${project}" && cargo build --release --locked --target-dir "${target_dir}" --example chaos)
  cc -O1 -shared -fPIC -o "${made}/durable.$$.so" "${project}/tests/chaos/durable.c" -ldl
  mv "${made}/durable.$$.so" "${made}/durable.so"
  folder="$(make_folder "seed${seed}")"
  campaigns=()
  trap end_campaigns EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  run_campaigns
}

# What a campaign needs beyond the programs' own needs: name, and package for apt, dnf and brew.
chaos_needs() {
  all_needs
  has_command python3 || printf 'python3 python3 python3 python3\n'
  has_command setpriv || printf 'setpriv util-linux util-linux -\n'
  if ((EUID == 0)); then
    has_command ip || printf 'ip iproute2 iproute -\n'
  fi
}

provide() {
  [[ "$(uname)" == Linux ]] || die 'needs Linux: it stops processes, cuts a cable and fakes clocks in ways that others do not have'
  provide_needs chaos_needs
  mkdir -p "${made}"
}

judge() {
  local module="$1"
  shift
  PYTHONPATH="${project}/tests" PYTHONDONTWRITEBYTECODE=1 python3 -m "${module}" "$@"
}

# Where Debian, Fedora and others keep it; nothing if it is not there.
find_faketime() {
  local library
  for library in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib*/faketime/libfaketimeMT.so.1; do
    if [[ -e "${library}" ]]; then
      printf '%s' "${library}"
      return
    fi
  done
}

run_campaigns() {
  local world each library broker version campaign failed=0 logs=()
  broker="${mosquitto:-$(command -v mosquitto)}"
  version="$({ "${broker}" -h || true; } | sed -n 's/^mosquitto version \([0-9.]*\).*/\1/p')"
  [[ -n "${version}" ]] || die "${broker} does not say that it is a Mosquitto"
  library="$(find_faketime)"
  [[ -n "${library}" ]] || say 'no libfaketime here (package faketime): clocks are left alone'
  # Asked once, so that all worlds of a campaign have the same cable.
  if [[ -z "${proxy}" ]] && ! unshare --net ip tuntap add dev link0 mode tun 2>/dev/null; then
    proxy=1
    say 'No namespaces (not root, or no right to make them, as in most containers): the cable is a TCP proxy, both boards are on this host.'
  fi
  each=$(((faults + worlds - 1) / worlds))
  for ((world = 0; world < worlds; world++)); do
    mkdir "${folder}/world${world}"
    logs+=("${folder}/world${world}/log.jsonl")
    say "seed $((seed + world)): ${each} faults, in ${folder}/world${world}"
    env -i PATH="${programs_dir}:${PATH}" HOME="${folder}/world${world}" TMPDIR="${TMPDIR:-/tmp}" LANG=C.UTF-8 \
      FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 \
      "${driver}" --keep "${folder}/world${world}" --seed "$((seed + world))" --faults "${each}" ${proxy:+--proxy} \
      --mosquitto "${broker}" --version "${version}" --durable "${made}/durable.so" ${library:+--faketime "${library}"} \
      >"${folder}/world${world}/progress.txt" 2>&1 &
    campaigns+=("$!")
  done
  for campaign in "${campaigns[@]}"; do
    wait "${campaign}" || failed=1
  done
  campaigns=()
  judge chaos.checker ${summary:+--summary "${summary}"} "${logs[@]}" || failed=1
  conclude "${failed}"
}

conclude() {
  if (($1)); then
    tail -n 100 "${folder}"/world*/progress.txt
    say "FAILED. Again: dev/chaos.sh --seed ${seed} --faults ${faults} --worlds ${worlds}${proxy:+ --proxy}${mosquitto:+ --mosquitto ${mosquitto}}   (logs: ${folder})"
    exit 1
  fi
  say "Nothing lost, nothing rolled back, nothing shown that was not so."
  [[ -n "${keep}" ]] || rm -rf "${folder}"
}

# Each campaign ends what it has started; what it runs dies with it even if it is killed.
end_campaigns() {
  local campaign
  for campaign in ${campaigns[@]+"${campaigns[@]}"}; do
    kill "${campaign}" 2>/dev/null || true
    wait "${campaign}" 2>/dev/null || true
  done
}

main "$@"
