#!/usr/bin/env bash
# board1.sh and board2.sh on two hosts, as network namespaces joined by a veth pair, with passwords. Needs root.
#
# Usage: tests/scripts/two_boards.sh [-h]
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
  make_sandbox
  data1="${sandbox}/data1" data2="${sandbox}/data2"
  trap clean_up EXIT
  make_hosts
  board1_asks_for_passwords
  board2_without_a_password_is_told
  boards_join
  no_password_on_a_command_line
  second_start_keeps_passwords
  refuses_bad_arguments
  count
}

clean_up() {
  stop_boards >/dev/null 2>&1 || true
  tmux kill-server 2>/dev/null || true
  delete_hosts
  rm -rf "${sandbox}"
}

on1() { ip netns exec "${host1}" "$@"; }
on2() { ip netns exec "${host2}" "$@"; }
board1() {
  output="$(on1 scripts/board1.sh --session board1 --data-dir "${data1}" --listen "${address1}" --detach "$@" 2>&1)"
}
board2() {
  output="$(on2 scripts/board2.sh --session board2 --data-dir "${data2}" --peer "${address1}" --detach "$@" 2>&1)"
}
stop_boards() {
  scripts/stop.sh --session board2 --data-dir "${data2}"
  scripts/stop.sh --session board1 --data-dir "${data1}"
}
# With the name and password that board 1 made, read from a file.
as_program1() { XDG_CONFIG_HOME="${data1}/credentials/broker1" on1 "$@"; }
held_at_1() { [[ "$(as_program1 mosquitto_sub -t "$1" -C 1 -W 1 2>/dev/null)" == "$2" ]]; }
held_at_2() { [[ "$(on2 mosquitto_sub -p 1884 -t "$1" -C 1 -W 1 2>/dev/null)" == "$2" ]]; }
refused() { ! "$@" >/dev/null 2>&1; }

board1_asks_for_passwords() {
  check 'board 1 starts' board1
  check 'it says what to do on board 2' says "scripts/board2.sh --peer ${address1}:1883"
  check 'a stranger is refused from afar' refused on2 mosquitto_pub -h "${address1}" -t sensors/card1 -m lie
  check 'a stranger is refused on loopback' refused on1 mosquitto_pub -t sensors/card1 -m lie
  check 'its programs are let in' as_program1 mosquitto_pub -q 2 -r -t sensors/card1 -m one
  check 'nobody else reads the passwords' test -z "$(find "${data1}/credentials" -perm /077)"
  check 'the program is told the password file' soon pane_shows board1 "--password-file ${data1}/credentials/programs"
}

pane_shows() {
  local text
  text="$(tmux capture-pane -J -p -S - -t "$1:programs.0")"
  [[ "${text}" == *"$2"* ]]
}

board2_without_a_password_is_told() {
  check 'board 2 starts without credentials' board2
  check 'and is told that board 1 refuses it' says "refuses the bridge's name or password"
  stop_board2
  printf 'remote_username bridge\nremote_password wrong\n' >"${sandbox}/wrong"
  check 'board 2 starts with a wrong password' board2 --bridge-credentials "${sandbox}/wrong"
  check 'and is told that board 1 refuses it' says "refuses the bridge's name or password"
  stop_board2
}

stop_board2() { scripts/stop.sh --session board2 --data-dir "${data2}" >/dev/null; }

boards_join() {
  check 'board 2 starts with the right password' board2 --bridge-credentials "${data1}/credentials/bridge"
  check 'the bridge is up' says 'bridge: up'
  check 'card 1 crosses' soon held_at_2 sensors/card1 one
  on2 mosquitto_pub -p 1884 -q 2 -r -t sensors/all -m all
  check 'all crosses' soon held_at_1 sensors/all all
  check 'broker 2 cannot be reached from afar' refused on1 mosquitto_pub -h "${address2}" -p 1884 -t x -m x
}

no_password_on_a_command_line() {
  local bridge programs
  bridge="$(awk '$1 == "remote_password" {print $2}' "${data1}/credentials/bridge")"
  programs="$(<"${data1}/credentials/programs")"
  check 'no password in a log' refused grep -rqF -e "${bridge}" -e "${programs}" "${data1}/log" "${data2}/log"
  check 'no password on a command line' refused grep -aqF -e "${bridge}" -e "${programs}" /proc/[0-9]*/cmdline
  check 'none readable by others' test -z "$(grep -rlF -e "${bridge}" -e "${programs}" "${data1}" "${data2}" |
    xargs -I{} find {} -perm /077)"
}

second_start_keeps_passwords() {
  local before
  before="$(<"${data1}/credentials/programs")"
  stop_boards >/dev/null
  check 'board 1 starts again' board1
  check 'with the password that it had' test "$(<"${data1}/credentials/programs")" = "${before}"
  check 'board 2 needs no file now' board2
  check 'and the bridge is up' says 'bridge: up'
  check 'the state is still there' soon held_at_1 sensors/all all
}

refuses_bad_arguments() {
  check 'board 2 needs its peer' fails_saying '--peer ADDRESS is missing' scripts/board2.sh
  check 'a peer with a stray character' fails_saying "--peer 'a b'" scripts/board2.sh --peer 'a b'
  check 'loopback needs no --listen' fails_saying '--listen 127.0.0.1' scripts/board1.sh --listen 127.0.0.1
}

main "$@"
