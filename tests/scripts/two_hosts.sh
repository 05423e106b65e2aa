#!/usr/bin/env bash
# The real programs on two hosts: network namespaces joined by a veth pair, board1.sh and board2.sh over TLS, keys
# pressed on both boards, the cable pulled. Needs root, and the release build.
#
# Usage: tests/scripts/two_hosts.sh [-h]
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/hosts.sh"
source "${here}/tests/scripts/lib/sandbox.sh"

main() {
  begin "$@"
  require_hosts
  forget_own_settings
  sandbox="$(mktemp -d)"
  trap clean_up EXIT
  mkdir "${sandbox}/tmux1" "${sandbox}/tmux2" "${sandbox}/home"
  # No tmux.conf of this machine, but its Rust.
  export CARGO_HOME="${CARGO_HOME:-${HOME}/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-${HOME}/.rustup}" HOME="${sandbox}/home"
  make_hosts
  boards_start
  boards_check_themselves
  every_key_reaches_every_screen
  pulled_cable_is_said_and_healed
  wrong_password_is_said
  a_viewer_sees_all_from_the_other_board
  everything_comes_back
  count
}

clean_up() {
  stop1 >/dev/null 2>&1 || true
  stop2 >/dev/null 2>&1 || true
  on1 tmux kill-server 2>/dev/null || true
  on2 tmux kill-server 2>/dev/null || true
  delete_hosts
  rm -rf "${sandbox}"
}

# Each host has a tmux server of its own, as two machines have.
on1() { ip netns exec "${host1}" env -u TMUX TMUX_TMPDIR="${sandbox}/tmux1" LANG=C.UTF-8 "$@"; }
on2() { ip netns exec "${host2}" env -u TMUX TMUX_TMPDIR="${sandbox}/tmux2" LANG=C.UTF-8 "$@"; }
stop1() { on1 "${here}/scripts/stop.sh" --session board1 --data-dir "${sandbox}/data1"; }
stop2() { on2 "${here}/scripts/stop.sh" --session board2 --data-dir "${sandbox}/data2"; }
start1() {
  output="$(on1 "${here}/scripts/board1.sh" --no-install --session board1 --data-dir "${sandbox}/data1" \
    --listen "${address1}" --detach </dev/null 2>&1)"
}
start2() {
  output="$(on2 "${here}/scripts/board2.sh" --no-install --session board2 --data-dir "${sandbox}/data2" \
    --peer "${address1}" --listen "${address2}" --detach "$@" </dev/null 2>&1)"
}

# The screens, by program.
screen() {
  case "$1" in
    card1) on1 tmux capture-pane -p -t board1:programs.0 ;;
    card2) on2 tmux capture-pane -p -t board2:programs.0 ;;
    *) on2 tmux capture-pane -p -t board2:programs.1 ;;
  esac
}

press() {
  case "$1" in
    [123]) on1 tmux send-keys -t board1:programs.0 "$1" ;;
    *) on2 tmux send-keys -t board2:programs.0 "$1" ;;
  esac
}

# on_screen PROGRAM PATTERN
on_screen() {
  local text
  text="$(screen "$1")"
  [[ "${text}" =~ $2 ]]
}

# comes PROGRAM PATTERN: within what a broken and mended link may take; says what it sees instead if it does not come.
comes() {
  local deadline=$((SECONDS + 40))
  until on_screen "$1" "$2"; do
    if ((SECONDS >= deadline)); then
      printf '%s does not show %s but\n%s\n' "$1" "$2" "$(screen "$1")"
      return 1
    fi
    sleep 0.1
  done
}

# as_owner CARD COMMAND...: with the name and the password of the card's monitor, under a client id of its own.
as_owner() {
  local card="$1" folder="${sandbox}/owner$1"
  shift
  mkdir -p "${folder}"
  printf -- '-u card%s_monitor\n-P %s\n' "${card}" "$(<"${sandbox}/data${card}/board/credentials/card${card}_monitor")" >"${folder}/mosquitto_sub"
  XDG_CONFIG_HOME="${folder}" "$@"
}

retained_at_1() {
  as_owner 1 on1 mosquitto_sub -t "$1" -C 1 -W 5
}
retained_at_2() {
  as_owner 2 on2 mosquitto_sub -p 1884 -t "$1" -C 1 -W 5
}
holds_ko() {
  local message
  message="$("$1" "$2")"
  [[ "${message}" == *"\"sensor_$3\":false"* ]]
}

boards_start() {
  check 'board 1 starts' start1
  check 'board 2 starts' start2 --token "${sandbox}/data1/board/token"
  check 'card 1 is live on the display' comes display 'Sensor 1 +. OK +LIVE'
  check 'card 2 is live on board 1' comes card1 'Sensor 4 +. OK +LIVE'
}

# What is only worth a warning, and the disk, depend on the machine of the tests.
boards_check_themselves() {
  local said words
  said="$(on1 "${here}/scripts/dualboard-setup" --data-dir "${sandbox}/data1" check || true)"
  check 'board 1 sees its broker' grep -q '^ok      broker 1: mosquitto' <<<"${said}"
  check 'its program may log in' grep -q '^ok      login card1_monitor:' <<<"${said}"
  check 'and write what it has to' grep -q '^ok      write sensors/card1:' <<<"${said}"
  check 'and hears board 2' grep -q '^ok      heartbeats .*card2_monitor' <<<"${said}"
  said="$(on2 "${here}/scripts/dualboard-setup" --data-dir "${sandbox}/data2" check --json || true)"
  words="$(python3 -c '
import json, sys
report = json.loads(sys.argv[1])
print(report["board"], *[program["program"] for program in report["programs"]])' "${said}")"
  check 'board 2 says it as one object' test "${words}" = '2 card2_monitor card2_global_display'
}

every_key_reaches_every_screen() {
  local sensor screen
  for sensor in 1 2 3 4 5 6; do
    press "${sensor}"
    for screen in card1 card2 display; do
      check "sensor ${sensor} is KO on ${screen}" comes "${screen}" "Sensor ${sensor} +. KO"
    done
    check "sensor ${sensor} is KO at broker 1" soon holds_ko retained_at_1 sensors/all "${sensor}"
    check "sensor ${sensor} is KO at broker 2" soon holds_ko retained_at_2 sensors/all "${sensor}"
  done
  check 'card 1 is told that board 2 has it' comes card1 'Sensor 3 +. KO +CONFIRMED'
  check 'card 2 is told that board 1 has it' comes card2 'Sensor 6 +. KO +CONFIRMED'
}

pulled_cable_is_said_and_healed() {
  ip -n "${host1}" link set link0 down
  check 'board 1 holds card 2, and says why' comes card1 'Sensor 4 +. KO +HELD +since'
  check 'the display holds card 1, and names the bridge' comes display 'board 1 held since [0-9:]+: (bridge down|nothing comes over the bridge)'
  press 1
  check 'a toggle behind the cut is saved, no more' comes card1 'Sensor 1 +. OK +SAVED'
  press 5
  check 'one on the other side as well' comes card2 'Sensor 5 +. OK +SAVED'
  ip -n "${host1}" link set link0 up
  check 'the first is confirmed when the link is back' comes card1 'Sensor 1 +. OK +CONFIRMED'
  check 'the second as well' comes card2 'Sensor 5 +. OK +CONFIRMED'
  check 'the display shows the first' comes display 'Sensor 1 +. OK +LIVE'
  check 'board 1 shows the second' comes card1 'Sensor 5 +. OK +LIVE'
}

wrong_password_is_said() {
  printf 'not the password\n' >"${sandbox}/wrong"
  chmod 600 "${sandbox}/wrong"
  on1 tmux new-window -d -t board1 -n intruder "${CARGO_TARGET_DIR:-${here}/target}/release/card2_global_display" \
    --broker mqtt://localhost --username card1_monitor --password-file "${sandbox}/wrong"
  check 'a wrong password is said in plain words' soon intruder_is_told
  on1 tmux kill-window -t board1:intruder
}

intruder_is_told() {
  local text
  text="$(on1 tmux capture-pane -p -t board1:intruder)"
  [[ "${text}" == *'wrong user name or password'* ]]
}

# The display elsewhere, with a viewer's credential and the authority of its board.
a_viewer_sees_all_from_the_other_board() {
  local board
  for board in 1 2; do
    on1 "${here}/scripts/dualboard-setup" --data-dir "${sandbox}/data${board}" add viewer wall >/dev/null
    on_other "${board}" tmux new-window -d -t "board$((3 - board))" -n viewer "${CARGO_TARGET_DIR:-${here}/target}/release/card2_global_display" \
      --broker "mqtts://192.0.2.${board}:8883" --username viewer-wall --password-file "${sandbox}/data${board}/board/credentials/viewer-wall" \
      --ca-file "${sandbox}/data${board}/board/tls/ca.crt"
    check "card 1 is live to a viewer at board ${board}" soon viewer_shows "${board}" 'Sensor 1 +. OK +LIVE'
    check "card 2 is live to a viewer at board ${board}" soon viewer_shows "${board}" 'Sensor 6 +. KO +LIVE'
    on1 "${here}/scripts/dualboard-setup" --data-dir "${sandbox}/data${board}" revoke viewer-wall >/dev/null
    check "one that is revoked at board ${board} is out at once" soon viewer_shows "${board}" 'wrong user name or password'
    on_other "${board}" tmux kill-window -t "board$((3 - board)):viewer"
  done
}

on_other() {
  local board="$1"
  shift
  "on$((3 - board))" "$@"
}

viewer_shows() {
  local text
  text="$(on_other "$1" tmux capture-pane -p -t "board$((3 - $1)):viewer")"
  [[ "${text}" =~ $2 ]]
}

everything_comes_back() {
  stop1 >/dev/null
  stop2 >/dev/null
  check 'board 2 starts alone' start2
  check 'what it knew of board 1 is held' comes display 'Sensor 1 +. OK +HELD +since'
  check 'board 1 starts' start1
  check 'all is live again' comes display 'Sensor 1 +. OK +LIVE'
  check 'board 1 as it was' comes card1 'Sensor 2 +. KO +CONFIRMED'
  check 'board 2 as it was' comes card1 'Sensor 6 +. KO +LIVE'
}

main "$@"
