# shellcheck shell=bash
# What the tests of the scripts share: a copy of the project with stand-ins for cargo and the programs, and checks.

declare here
source "${here}/tests/scripts/lib/ports.sh"

declare port1 port2 sandbox

# begin [-h]: starts to count; with -h prints what the script says of itself in its first lines.
begin() {
  if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then
    sed -n '2,/^# Usage:/s/^# \{0,1\}//p' "$0"
    exit 0
  fi
  passed=0 failed=0
}

# A sandbox with ports of its own. `data` is where launch.sh keeps things there.
# shellcheck disable=SC2034 # read by the tests
enter_sandbox() {
  claim_port port1
  claim_port port2
  make_sandbox
  export DUALBOARD_PORT1="${port1}" DUALBOARD_PORT2="${port2}"
  data="${sandbox}/project/.run/dualboard"
  trap clean_up EXIT
}

# A test that has more to end has a `clean_up` of its own.
clean_up() {
  local job
  scripts/stop.sh >/dev/null 2>&1 || true
  for job in $(jobs -p); do
    kill "${job}" 2>/dev/null || true
    wait "${job}" 2>/dev/null || true
  done
  tmux kill-server 2>/dev/null || true
  rm -rf "${sandbox}"
}

# The settings of whoever runs the tests are not theirs: a session or data folder named there may be in use.
forget_own_settings() {
  local name
  for name in $(compgen -e DUALBOARD_); do
    unset "${name}"
  done
  unset TMUX XDG_CONFIG_HOME
}

# A copy of the scripts with a cargo that installs stand-ins, and a tmux server and a home of its own.
make_sandbox() {
  forget_own_settings
  sandbox="$(mktemp -d)"
  mkdir "${sandbox}/bin" "${sandbox}/tmux" "${sandbox}/project" "${sandbox}/home"
  cp -R "${here}/scripts" "${here}"/mosquitto_*.{conf,acl} "${sandbox}/project/"
  printf 'rust-version = "1.70"\n' >"${sandbox}/project/Cargo.toml"
  cat >"${sandbox}/bin/cargo" <<'STAND_IN'
#!/usr/bin/env bash
mkdir -p target/release
for name in card1_monitor card2_monitor card2_global_display; do
  cat >"target/release/${name}" <<'PROGRAM'
#!/usr/bin/env bash
[[ "${1-}" != --version ]] || exit 0
trap 'exit 143' TERM HUP
printf 'arguments: %s\n' "$*"
printf 'log level: %s\n' "${DUALBOARD_LOG_LEVEL-}"
printf 'names: %s\n' "${DUALBOARD_NAMES-}"
while :; do read -r -t 1 _ || (($? > 128)) || exit 1; done
PROGRAM
  chmod +x "target/release/${name}"
done
STAND_IN
  printf '#!/bin/sh\necho "rustc %s (stand-in)"\n' "\${RUST_FOUND:-1.90.0}" >"${sandbox}/bin/rustc"
  chmod +x "${sandbox}/bin/cargo" "${sandbox}/bin/rustc"
  export PATH="${sandbox}/bin:${PATH}:/usr/sbin" TMUX_TMPDIR="${sandbox}/tmux" HOME="${sandbox}/home"
  unset CARGO_TARGET_DIR CARGO_HOME
  export DUALBOARD_NO_INSTALL=1
  cd "${sandbox}/project" || exit
}

count() {
  printf '%s passed, %s failed\n' "${passed}" "${failed}"
  ((failed == 0))
}

# check WHAT COMMAND...
check() {
  local what="$1"
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "${what}"
  fi
}

launch() { output="$(scripts/launch.sh "$@" </dev/null 2>&1)"; }
stop() { output="$(scripts/stop.sh "$@" 2>&1)"; }
says() { [[ "${output}" == *"$1"* ]]; }
fails_saying() {
  local words="$1" status=0
  shift
  output="$("$@" </dev/null 2>&1)" || status=$?
  ((status != 0)) && says "${words}"
}
soon() {
  local deadline=$((SECONDS + 30))
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}
publish() { mosquitto_pub -p "$1" -q 2 -r -t "$2" -m "$3"; }
holds() { [[ "$(mosquitto_sub -p "$1" -t "$2" -C 1 -W 1 2>/dev/null)" == "$3" ]]; }
