#!/usr/bin/env bash
# board1.sh and board2.sh on two hosts, as network namespaces joined by a veth pair, with
# passwords, rights and TLS. Needs root.
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
  credentials_come_and_go_while_the_broker_runs
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
setup1() { output="$(on1 scripts/dualboard-setup --data-dir "${data1}" "$@" 2>&1)"; }
setup2() { output="$(on2 scripts/dualboard-setup --data-dir "${data2}" "$@" 2>&1)"; }
stop_boards() {
  scripts/stop.sh --session board2 --data-dir "${data2}"
  scripts/stop.sh --session board1 --data-dir "${data1}"
}
# as HOST DATA USER COMMAND...: one of Mosquitto's clients with this user's name, password and, where it goes to the network, authority.
as() {
  local host="$1" data="$2" user="$3" client="$4" folder
  shift 4
  folder="$(mktemp -d "${sandbox}/client.XXXX")"
  printf -- '-u %s\n-P %s\n' "${user}" "$(<"${data}/board/credentials/${user}")" >"${folder}/${client}"
  XDG_CONFIG_HOME="${folder}" ip netns exec "${host}" "${client}" "$@"
}
card1() { as "${host1}" "${data1}" card1_monitor "$@"; }
card2() { as "${host2}" "${data2}" card2_monitor "$@"; }
held_at_1() { [[ "$(card1 mosquitto_sub -t "$1" -C 1 -W 1 2>/dev/null)" == "$2" ]]; }
held_at_2() { [[ "$(card2 mosquitto_sub -p 1884 -t "$1" -C 1 -W 1 2>/dev/null)" == "$2" ]]; }
refused() { ! "$@" >/dev/null 2>&1; }
far() { printf '%s\n' -h "${address1}" -p 8883 --cafile "${data1}/board/tls/ca.crt"; }

board1_asks_for_passwords() {
  local -a network
  check 'board 1 starts' board1
  check 'it says what to do on board 2' says "scripts/board2.sh --peer ${address1}:8883 --token token"
  mapfile -t network < <(far)
  check 'a stranger is refused from afar' refused on2 mosquitto_pub "${network[@]}" -t sensors/card1 -m lie
  check 'plain text is refused from afar' refused on2 mosquitto_pub -h "${address1}" -p 8883 -t sensors/card1 -m lie
  check 'the port of loopback is not there from afar' refused on2 mosquitto_pub -h "${address1}" -t sensors/card1 -m lie
  check 'a stranger is refused on loopback' refused on1 mosquitto_pub -t sensors/card1 -m lie
  check 'the password of the owner is worth nothing from afar' refused as "${host2}" "${data1}" card1_monitor mosquitto_pub \
    "${network[@]}" -t sensors/card1 -m lie
  check 'its programs are let in' card1 mosquitto_pub -q 2 -r -t sensors/card1 -m one
  check 'nobody else reads the passwords' test -z "$(find "${data1}/board" -type f ! -name '*.crt' ! -name '*.conf' -perm /077)"
  check 'the program is told the password file' soon pane_shows board1 "--password-file ${data1}/board/credentials/card1_monitor"
}

pane_shows() {
  local text
  text="$(tmux capture-pane -J -p -S - -t "$1:programs.0")"
  [[ "${text}" == *"$2"* ]]
}

board2_without_a_password_is_told() {
  check 'board 2 without a token says that one is needed' fails_saying '--token FILE is missing' \
    on2 scripts/board2.sh --session board2 --data-dir "${data2}" --peer "${address1}" --detach
  printf 'not a token\n' >"${sandbox}/wrong"
  check 'another file is no token' fails_saying 'this is not the file that board 1 has made' \
    on2 scripts/board2.sh --session board2 --data-dir "${data2}" --peer "${address1}" --detach --token "${sandbox}/wrong"
  sed 's/^\(board2_bridge_[a-z]*\) .*/\1 wrongwrongwrongwrongwrongwrongwr/' "${data1}/board/token" >"${sandbox}/wrong"
  check 'board 2 starts with a wrong password' board2 --token "${sandbox}/wrong"
  check 'and is told that board 1 refuses it' says "refuses the bridge's name or password"
  stop_board2
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=foreign 2>/dev/null |
    cat <(grep '^board2' "${data1}/board/token") - >"${sandbox}/foreign"
  check 'board 2 starts with a foreign authority' board2 --token "${sandbox}/foreign"
  check 'and is told that board 1 is signed by another one' says 'is signed by another authority'
  stop_board2
}

stop_board2() { scripts/stop.sh --session board2 --data-dir "${data2}" >/dev/null; }

boards_join() {
  check 'board 2 starts with the right token' board2 --token "${data1}/board/token"
  check 'the bridge is up' says 'bridge: up'
  check 'card 1 crosses' soon held_at_2 sensors/card1 one
  card2 mosquitto_pub -p 1884 -q 2 -r -t sensors/all -m all
  check 'all crosses' soon held_at_1 sensors/all all
  check 'broker 2 cannot be reached from afar' refused on1 mosquitto_pub -h "${address2}" -p 1884 -t x -m x
  check 'a stranger is refused on loopback there too' refused on2 mosquitto_pub -p 1884 -t sensors/card2 -m lie
}

no_password_on_a_command_line() {
  cat "${data1}"/board/credentials/card1_monitor "${data1}"/board/credentials/board2* "${data2}"/board/credentials/{card2_monitor,display,health} \
    >"${sandbox}/secrets"
  check 'no password in a log' refused grep -rqFf "${sandbox}/secrets" "${data1}/log" "${data2}/log"
  check 'no password on a command line' refused grep -aqFf "${sandbox}/secrets" /proc/[0-9]*/cmdline
  check 'none readable by others' test -z "$(grep -rlFf "${sandbox}/secrets" "${data1}" "${data2}" | xargs -I{} find {} -perm /077)"
}

credentials_come_and_go_while_the_broker_runs() {
  local -a network
  mapfile -t network < <(far)
  check 'a viewer is added' setup1 add viewer lobby
  check 'and told how to start the display' says "card2_global_display --broker mqtts://${address1}:8883 --username viewer-lobby"
  check 'it is let in at once' soon as "${host2}" "${data1}" viewer-lobby mosquitto_sub "${network[@]}" -t sensors/all -E -W 5
  cp "${data1}/board/credentials/viewer-lobby" "${sandbox}/kept"
  check 'a viewer is revoked' setup1 revoke viewer-lobby
  cp "${sandbox}/kept" "${data1}/board/credentials/viewer-lobby"
  check 'it is out at once' soon refused as "${host2}" "${data1}" viewer-lobby mosquitto_sub "${network[@]}" -t sensors/all -E -W 5
  rm "${data1}/board/credentials/viewer-lobby"
  check 'board 2 is not reached from elsewhere' fails_saying 'not reached from elsewhere' \
    on2 scripts/dualboard-setup --data-dir "${data2}" add viewer lobby
  setup1 check || true
  check 'the board asks its program too, with its own password' says "--check --broker mqtt://127.0.0.1:1883 --username card1_monitor --password-file ${data1}/board/credentials/card1_monitor"
  setup2 check || true
  check 'and board 2 both of its programs' says '--username display'
}

second_start_keeps_passwords() {
  local before
  before="$(cat "${data1}"/board/credentials/card1_monitor "${data1}"/board/token)"
  stop_boards >/dev/null
  check 'board 1 starts again' board1
  check 'with the passwords that it had' test "$(cat "${data1}"/board/credentials/card1_monitor "${data1}"/board/token)" = "${before}"
  check 'board 2 needs no file now' board2
  check 'and the bridge is up' says 'bridge: up'
  check 'the state is still there' soon held_at_1 sensors/all all
}

refuses_bad_arguments() {
  check 'board 2 needs its peer' fails_saying '--peer ADDRESS is missing' scripts/board2.sh
  check 'a peer with a stray character' fails_saying "--peer 'a b'" scripts/board2.sh --peer 'a b'
  check 'loopback needs no --listen' fails_saying '--listen 127.0.0.1' scripts/board1.sh --listen 127.0.0.1
  check 'a certificate is for no address in particular' fails_saying '--listen 0.0.0.0' scripts/board1.sh --listen 0.0.0.0
}

main "$@"
