#!/usr/bin/env bash
# dualboard-setup on two installed boards: what it makes and whose that is, that it changes nothing when it is run again, and that
# credentials and certificates come and go while the brokers run. systemd is a stand-in; brokers and users are real. Needs root.
#
# Usage: tests/scripts/dualboard_setup.sh [-h]
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/installed.sh"
source "${here}/tests/scripts/lib/sandbox.sh"

declare sandbox host1 host2 address1 address2

main() {
  begin "$@"
  require_hosts
  make_sandbox
  trap clean_up EXIT
  make_installed_boards
  files1="${sandbox}/${host1}/etc/dualboard" files2="${sandbox}/${host2}/etc/dualboard"
  wrong_words_are_refused_and_make_nothing
  board1_is_made
  board2_is_made
  no_secret_is_ever_in_other_hands
  it_is_called_by_a_link
  again_it_changes_nothing
  what_somebody_has_written_stays
  what_was_cut_off_is_completed
  another_address_makes_another_certificate
  credentials_come_and_go
  an_operator_toggles_by_messages
  certificates_are_renewed_while_it_runs
  an_old_authority_is_worth_nothing_after_renewal
  a_stolen_token_is_worth_nothing_after_renewal
  a_password_that_is_removed_is_made_anew
  check_sees_what_is_wrong
  count
}

clean_up() {
  end_installed_boards
  rm -rf "${sandbox}"
}

one() { output="$(setup1 "$@" 2>&1)"; }
two() { output="$(setup2 "$@" 2>&1)"; }
refused() { ! "$@" >/dev/null 2>&1; }
# What the files are, to whom they belong, and what is in them.
state_of() { (cd "$1" && find . -printf '%p %m %U %G %i\n' | sort && find . -type f -exec cksum {} + | sort); }

wrong_words_are_refused_and_make_nothing() {
  check 'no command' fails_saying 'what is to be done?' setup1
  check 'an unknown command' fails_saying "unknown command 'board3'" setup1 board3
  check 'board 1 without its address' fails_saying '--address ADDRESS is missing' setup1 board1
  check 'loopback as its address' fails_saying 'that is loopback' setup1 board1 --address 127.0.0.1
  check 'all addresses' fails_saying 'a certificate is for an address' setup1 board1 --address 0.0.0.0
  check 'an address with a stray character' fails_saying "--address 'a;b'" setup1 board1 --address 'a;b'
  check 'one port twice' fails_saying 'take two different ones' setup1 board1 --address "${address1}" --port 1893
  check 'board 2 without its peer' fails_saying '--peer ADDRESS is missing' setup2 board2
  check 'board 2 without a token' fails_saying '--token FILE is missing' setup2 board2 --peer "${address1}"
  check 'a token that is not there' fails_saying 'there is no such file' setup2 board2 --peer "${address1}" --token "${sandbox}/none"
  printf 'remote_username x\n' >"${sandbox}/junk"
  check 'a token that is none' fails_saying 'not the file that board 1 has made' setup2 board2 --peer "${address1}" --token "${sandbox}/junk"
  check 'a credential before there is a board' fails_saying 'there is no board' setup1 add viewer lobby
  check 'somebody who is not root' fails_saying 'only root may' at1 setpriv --reuid dualboard --regid dualboard --clear-groups \
    bash "${PWD}/scripts/dualboard-setup" list
  check 'nothing was made on board 1' test ! -e "${files1}/broker.conf"
  check 'nothing was started' test ! -e "${sandbox}/${host1}/units/log"
}

board1_is_made() {
  check 'board 1 is made' one board1 --address "${address1}"
  check 'its check finds the broker' says 'answers on loopback, port 1893'
  check 'and TLS at its address' says "ok      TLS at ${address1}, port 8883"
  check 'it says what to do on board 2' says "dualboard-setup board2 --peer ${address1} --token token"
  check 'a taken port is said with its holder' fails_saying 'port 1894 is taken' with_port_taken 1894 setup2 board2 --peer "${address1}" --token "${files1}/token"
}

with_port_taken() {
  local port="$1" holder status=0
  shift
  replace=1 at2 mosquitto -p "${port}" >/dev/null 2>&1 &
  holder=$!
  soon at2 bash -c "exec 3<>/dev/tcp/127.0.0.1/${port}" 2>/dev/null
  "$@" || status=$?
  kill "${holder}" 2>/dev/null || true
  wait "${holder}" 2>/dev/null || true
  return "${status}"
}

board2_is_made() {
  check 'board 2 is made' two board2 --peer "${address1}" --token "${files1}/token" --address "${address2}"
  check 'the bridge is up' says 'ok      bridge: up in both directions'
  check 'board 1 sees it too' one check
  check 'and all is ok' says 'ok      bridge: up in both directions'
  check 'the owner of card 2 is told where its broker is' grep -qx 'DUALBOARD_BROKER=mqtt://127.0.0.1:1894' "${files2}/board.env"
  check 'and its user' grep -qx 'DUALBOARD_USERNAME=card2_monitor' "${files2}/card2_monitor.env"
  check 'a display on the board has another one' grep -qx 'DUALBOARD_USERNAME=display' "${files2}/card2_global_display.env"
  check 'a board stays what it is' fails_saying 'this machine is board 2 already' setup2 board1 --address "${address2}"
}

# By the names and modes of docs/architecture.md.
no_secret_is_ever_in_other_hands() {
  local folder secret
  for folder in "${files1}" "${files2}"; do
    check "only certificates, settings and public files of ${folder##*/dualhost} are for everybody" test -z "$(find "${folder}" -type f -perm /077 \
      ! -name '*.crt' ! -name '*.env' ! -name broker.conf ! -name setup.conf ! -name display)"
  done
  check 'the password of the display is for operators' test "$(at2 stat -c '%a %U %G' /etc/dualboard/credentials/display)" = '640 root dualboard'
  check 'that of the owner is for the owner' test "$(at1 stat -c '%a %U' /etc/dualboard/credentials/card1_monitor)" = '600 dualboard'
  check 'the key of the broker is for the broker' test "$(at1 stat -c '%a %U' /etc/dualboard/tls/broker.key)" = '600 dualboard-broker'
  check 'that of the authority is for root' test "$(at1 stat -c '%a %U' /etc/dualboard/authority/ca.key)" = '600 root'
  for secret in token authority/ca.key tls/broker.key network.passwd rights.acl credentials/board2_bridge_in credentials/card1_monitor; do
    check "an ordinary user cannot read ${secret}" refused at1 setpriv --reuid nobody --regid nogroup --clear-groups cat "/etc/dualboard/${secret}"
  done
  check 'an operator cannot read the password of the owner' refused at1 setpriv --reuid nobody --regid nogroup --groups "$(at1 getent group dualboard | cut -d: -f3)" \
    cat /etc/dualboard/credentials/card1_monitor
  check 'but on board 2 that of the display' at2 setpriv --reuid nobody --regid nogroup --groups "$(at2 getent group dualboard | cut -d: -f3)" \
    cat /etc/dualboard/credentials/display >/dev/null
  a_watcher_reads_no_secret
  no_secret_on_a_command_line
}

# Every system call that opens or renames a file of a secret, and every mode that it is given, as strace would show them, comes down to this:
# an ordinary user who tries again and again reads nothing, from the first moment on.
a_watcher_reads_no_secret() {
  local watcher
  # shellcheck disable=SC2016 # the inner shell puts the values in
  replace=1 at1 setpriv --reuid nobody --regid nogroup --clear-groups bash -c '
    shopt -s globstar nullglob dotglob
    while :; do
      for file in /etc/dualboard/** /etc/dualboard/credentials/{viewer-watched,viewer-watched.new} /etc/dualboard/network.passwd.new \
        /etc/dualboard/authority/.plain /etc/dualboard/authority/.making/{ca,broker}.key /etc/dualboard/tls/broker.key /etc/dualboard/token.new; do
        case "${file}" in *.crt | *.crt.new | *.env | *.conf | *.conf.new) continue ;; esac
        [[ ! -f "${file}" ]] || ! { text="$(<"${file}")"; } 2>/dev/null || printf "%s\n" "${file}"
      done
    done' >"${sandbox}/watched" 2>/dev/null &
  watcher=$!
  printf 'bait\n' >"${files1}/bait"
  check 'who watches reads what is open' soon grep -qs bait "${sandbox}/watched"
  rm "${files1}/bait"
  one add viewer watched
  one renew
  one revoke viewer-watched
  one renew --authority
  kill "${watcher}"
  wait "${watcher}" 2>/dev/null || true
  check 'who watches while secrets are made reads none' refused grep -v /bait "${sandbox}/watched"
  check 'board 2 takes the new token' two board2 --token "${files1}/token"
  check 'and the bridge is up again' says 'ok      bridge: up'
}

# Each command line of the tools, as a stand-in for each of them writes it down.
no_secret_on_a_command_line() {
  local tool
  mkdir "${sandbox}/spies"
  for tool in openssl mosquitto_passwd mosquitto_sub awk sed grep cat chmod chown mv; do
    # shellcheck disable=SC2016 # the stand-in puts the values in
    printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%q\nexec %q "$@"\n' "${sandbox}/said" "$(command -v "${tool}")" >"${sandbox}/spies/${tool}"
    chmod +x "${sandbox}/spies/${tool}"
  done
  PATH="${sandbox}/spies:${PATH}" one add operator spied
  PATH="${sandbox}/spies:${PATH}" one renew
  PATH="${sandbox}/spies:${PATH}" one board1
  cat "${files1}"/credentials/{operator-spied,health,card1_monitor,board2_bridge_in} >"${sandbox}/secrets"
  check 'the tools were called' grep -q passwd "${sandbox}/said"
  check 'no password is on a command line' refused grep -qFf "${sandbox}/secrets" "${sandbox}/said"
  one revoke operator-spied
}

it_is_called_by_a_link() {
  ln -s "${PWD}/scripts/dualboard-setup" "${sandbox}/link"
  check 'by a link it finds its parts' at1 "${sandbox}/link" list >/dev/null
}

again_it_changes_nothing() {
  local before1 before2 process
  before1="$(state_of "${files1}")" before2="$(state_of "${files2}")"
  process="$(<"${sandbox}/${host1}/units/dualboard-broker.pid")"
  check 'board 1 again' one board1 --address "${address1}"
  check 'says that nothing had to be changed' says 'nothing had to be changed'
  check 'and has changed nothing' test "$(state_of "${files1}")" = "${before1}"
  check 'nor has the broker started again' test "$(<"${sandbox}/${host1}/units/dualboard-broker.pid")" = "${process}"
  check 'board 2 again, with no option' two board2
  check 'has changed nothing either' test "$(state_of "${files2}")" = "${before2}"
}

what_somebody_has_written_stays() {
  printf 'DUALBOARD_NAMES=1=Front door\n' >>"${files1}/board.env"
  check 'board 1 again' one board1
  check 'a line of the operator stays' grep -qx 'DUALBOARD_NAMES=1=Front door' "${files1}/board.env"
  chmod 644 "${files1}/token"
  check 'a mode that somebody has widened' one board1
  check 'is set right' test "$(stat -c %a "${files1}/token")" = 600
}

# As a power cut leaves it: one half of what belongs together.
what_was_cut_off_is_completed() {
  sed -i '/^card1_monitor:/d' "${files1}/local.passwd"
  rm "${files1}/tls/broker.crt"
  mkdir "${files1}/authority/.making"
  printf 'half' >"${files1}/rights.acl.new"
  check 'board 1 after a cut' one board1
  check 'the owner is let in again' soon owner_is_let_in
  check 'and the network too' says "ok      TLS at ${address1}"
  check 'nothing is left of it' test -z "$(find "${files1}" -name '*.new' -o -name .making)"
}

owner_is_let_in() { as_user at1 "${files1}" card1_monitor mosquitto_sub -p 1893 -t x -E -W 5; }

# as_user WHERE FILES USER CLIENT ARGUMENT...
as_user() {
  local where="$1" files="$2" user="$3" client="$4" folder="${sandbox}/clients/$3"
  shift 4
  mkdir -p "${folder}"
  printf -- '-u %s\n-P %s\n' "${user}" "$(<"${files}/credentials/${user}")" >"${folder}/${client}"
  "${where}" env XDG_CONFIG_HOME="${folder}" "${client}" "$@"
}

another_address_makes_another_certificate() {
  at1 ip address add 192.0.2.9/24 dev link0
  check 'board 1 with another address more' one board1 --address "${address1},192.0.2.9"
  check 'has a certificate for it' says 'ok      TLS at 192.0.2.9'
  check 'and says that the broker has started again' says 'started again with its new settings'
  check 'board 2 finds it' soon bridge_is_up
  check 'board 2 is told to go there' two board2 --peer 192.0.2.9
  check 'and does' soon bridge_is_up
  check 'and to come back' two board2 --peer "${address1}"
  check 'and does that too' soon bridge_is_up
  check 'board 2 is hidden from others' two board2 --no-address
  check 'and has no listener for them' refused grep -q '^listener 8883' "${files2}/broker.conf"
  check 'that stays so' two board2
  check 'without one' refused grep -q '^listener 8883' "${files2}/broker.conf"
  check 'an address and none' fails_saying 'give one of the two' setup2 board2 --address "${address2}" --no-address
  check 'board 1 cannot do without' fails_saying '--address ADDRESS is missing' setup1 board1 --no-address
  check 'board 2 is to be reached again' two board2 --address "${address2}"
  check 'and is' says "ok      TLS at ${address2}, port 8883"
}

bridge_is_up() { two check && says 'ok      bridge: up'; }

credentials_come_and_go() {
  local process screen network=(-h "${address1}" -p 8883 --cafile "${files1}/tls/ca.crt")
  process="$(<"${sandbox}/${host1}/units/dualboard-broker.pid")"
  check 'a name with a stray character' fails_saying "add viewer 'a b'" setup1 add viewer 'a b'
  check 'a role that there is not' fails_saying 'want viewer or operator' setup1 add owner x
  check 'a viewer is added' one add viewer lobby
  check 'and told how to start the display' says "--broker mqtts://${address1}:8883 --username viewer-lobby --password-file viewer-lobby --ca-file ca.crt"
  check 'it is let in from board 2' soon as_user at2 "${files1}" viewer-lobby mosquitto_sub "${network[@]}" -t x -E -W 5
  check 'it is listed' one list
  check 'by its name' says viewer-lobby
  cp "${files1}/credentials/viewer-lobby" "${sandbox}/stolen"
  replace=1 as_user at2 "${files1}" viewer-lobby mosquitto_sub "${network[@]}" -t x >/dev/null 2>&1 &
  screen=$!
  check 'a viewer that is connected is revoked' one revoke viewer-lobby
  cp "${sandbox}/stolen" "${files1}/credentials/viewer-lobby"
  check 'it is not let in any more' soon refused as_user at2 "${files1}" viewer-lobby mosquitto_sub "${network[@]}" -t x -E -W 5
  kill "${screen}" 2>/dev/null || true
  wait "${screen}" 2>/dev/null || true
  rm "${files1}/credentials/viewer-lobby"
  check 'a port that somebody else has is not taken for another one' with_port_taken 8884 fails_saying 'port 8884 is taken' setup2 board2 --port 8884
  check 'nobody is revoked twice' fails_saying 'there is none' setup1 revoke viewer-lobby
  check 'no program of the board is revoked' fails_saying 'want viewer-NAME or operator-NAME' setup1 revoke card1_monitor
  check 'all that without a new start of the broker' test "$(<"${sandbox}/${host1}/units/dualboard-broker.pid")" = "${process}"
}

# By the letter of docs/operations.md, on board 2 as a machine elsewhere.
an_operator_toggles_by_messages() {
  local home="${sandbox}/operator" settings command listener
  settings="$(sed -n '/^(umask 077; mkdir -p ~\/\.config;/p' "${here}/docs/operations.md")"
  command="$(sed -n '/^mosquitto_pub -q 2 -t sensors\/card1\/set /p' "${here}/docs/operations.md")"
  check 'the guide has both commands' test -n "${settings}" -a -n "${command}"
  check 'an operator is added' one add operator desk
  mkdir "${home}"
  cp "${files1}/credentials/operator-desk" "${files1}/tls/ca.crt" "${home}"
  check 'her client is told once where and who' as_operator "${settings}"
  check 'in a file for her alone' test "$(stat -c %a "${home}/.config/mosquitto_pub")" = 600
  replace=1 as_user at1 "${files1}" card1_monitor mosquitto_sub -p 1893 -t sensors/card1/set -C 1 >"${sandbox}/heard" &
  listener=$!
  check 'what she sends is heard on board 1' soon heard_from_operator "${command}"
  kill "${listener}" 2>/dev/null || true
  wait "${listener}" 2>/dev/null || true
  check 'the operator is revoked' one revoke operator-desk
}

as_operator() { at2 env -u XDG_CONFIG_HOME HOME="${sandbox}/operator" bash -euc "cd ~; $1"; }
heard_from_operator() {
  as_operator "$1" || return 1
  grep -qF '{"sensor_2":"KO"}' "${sandbox}/heard"
}

certificates_are_renewed_while_it_runs() {
  local before process
  before="$(cksum <"${files1}/tls/broker.crt")"
  process="$(<"${sandbox}/${host1}/units/dualboard-broker.pid")"
  check 'board 1 renews its certificate' one renew
  check 'it is another one' test "$(cksum <"${files1}/tls/broker.crt")" != "${before}"
  check 'and what the broker shows' soon broker_shows_its_certificate
  check 'without a new start' test "$(<"${sandbox}/${host1}/units/dualboard-broker.pid")" = "${process}"
  check 'board 2 is still joined' soon bridge_is_up
}

# As its thief would: a broker 1 that shows what the old authority has signed. What the bridge makes of it, the log of broker 2 says.
an_old_authority_is_worth_nothing_after_renewal() {
  local before
  cp -a "${files1}/tls" "${sandbox}/old_tls"
  check 'board 1 makes a new authority' one renew --authority
  check 'board 2 takes the new token' two board2 --token "${files1}/token"
  check 'and its broker has started again' says 'started again with its new settings'
  check 'the bridge is up' soon bridge_is_up
  cp -a "${files1}/tls" "${sandbox}/new_tls"
  cp -a "${sandbox}/old_tls/." "${files1}/tls"
  before="$(refusals)"
  at1 systemctl restart dualboard-broker
  check 'a broker with the old key is refused by the bridge' soon refuses_again "${before}"
  cp -a "${sandbox}/new_tls/." "${files1}/tls"
  at1 systemctl restart dualboard-broker
  check 'and the right one is not' soon bridge_is_up
}

refusals() { grep -c 'certificate verify failed' "${sandbox}/${host2}/units/dualboard-broker.out" || true; }
refuses_again() {
  local now
  now="$(refusals)"
  ((now > $1))
}

a_stolen_token_is_worth_nothing_after_renewal() {
  local network=(-h "${address1}" -p 8883 --cafile "${files1}/tls/ca.crt")
  mkdir -p "${sandbox}/thief/credentials"
  cp "${files1}"/credentials/board2_bridge_* "${sandbox}/thief/credentials"
  check 'only board 1 renews the bridge' fails_saying 'run it there' setup2 renew --bridge
  check 'board 1 renews it' one renew --bridge
  check 'the thief is out' soon refused as_user at2 "${sandbox}/thief" board2_bridge_alive mosquitto_sub "${network[@]}" -t x -E -W 5
  check 'board 2 says that its password is refused' soon fails_saying "refuses the bridge's name or password" setup2 check
  check 'board 2 takes the new token' two board2 --token "${files1}/token"
  check 'and the bridge is up' soon bridge_is_up
}

a_password_that_is_removed_is_made_anew() {
  mkdir "${sandbox}/stolen_display"
  cp -a "${files2}/credentials" "${sandbox}/stolen_display"
  rm "${files2}/credentials/display"
  check 'board 2 without the password of its display' two board2
  check 'has another one' refused cmp -s "${files2}/credentials/display" "${sandbox}/stolen_display/credentials/display"
  check 'which is good' soon as_user at2 "${files2}" display mosquitto_sub -p 1894 -t x -E -W 5
  check 'and the old one is not' soon refused as_user at2 "${sandbox}/stolen_display" display mosquitto_sub -p 1894 -t x -E -W 5
}

broker_shows_its_certificate() {
  [[ "$(at1 openssl s_client -connect "${address1}:8883" </dev/null 2>/dev/null | openssl x509)" == "$(openssl x509 -in "${files1}/tls/broker.crt")" ]]
}

check_sees_what_is_wrong() {
  chmod 640 "${files2}/credentials/board2_bridge_in"
  check 'a secret for the group' fails_saying 'FAIL    /etc/dualboard/credentials/board2_bridge_in has mode' setup2 check
  check 'board 2 again' two board2
  check 'sets it right' test "$(stat -c %a "${files2}/credentials/board2_bridge_in")" = 600
  mv "${files2}/peer/ca.crt" "${sandbox}/peer_ca.crt"
  check 'a lost file of the token' fails_saying 'bring the token of board 1 once more: dualboard-setup board2 --token FILE' setup2 check
  mv "${sandbox}/peer_ca.crt" "${files2}/peer/ca.crt"
  check 'a screen elsewhere' two add viewer hall
  chmod 640 "${files2}/credentials/viewer-hall"
  check 'whose password is for the group' fails_saying 'run dualboard-setup add viewer hall again' setup2 check
  check 'what it says is done' two add viewer hall
  check 'and sets it right' test "$(stat -c %a "${files2}/credentials/viewer-hall")" = 600
  check 'it is taken back' two revoke viewer-hall
  printf 'secret\n' >"${files2}/credentials/copy"
  check 'a copy of a secret that is open' fails_saying 'FAIL    /etc/dualboard/credentials/copy can be read' setup2 check
  rm "${files2}/credentials/copy"
  # A client without a name has no client id there either, which would do.
  sed -i -e 's/^allow_anonymous false/allow_anonymous true/' -e '/^use_username_as_clientid/d' "${files2}/broker.conf"
  at2 systemctl restart dualboard-broker
  check 'a broker that asks nobody for a password' soon fails_saying 'FAIL    broker 2 lets anybody in without a password, on loopback' setup2 check
  check 'from the network too' says "FAIL    broker 2 lets anybody in without a password, on ${address2}, port 8883"
  check 'board 2 is set right' two board2
  check 'and refuses strangers again' says "ok      broker 2: refuses connections without a password, on ${address2}, port 8883"
  check 'a board with a wrong clock' fails_saying 'is not valid' with_clock '@2103-01-01 00:00:00' check
  at1 systemctl stop dualboard-card1
  check 'an owner that has ended' fails_saying 'FAIL    dualboard-card1 does not run' setup1 check
  at1 systemctl start dualboard-card1
  at1 systemctl stop dualboard-broker
  check 'a broker that has ended' fails_saying 'FAIL    broker 1 does not answer' setup1 check
  check 'board 2 says why the bridge is down' soon fails_saying 'connection refused' setup2 check
  at1 systemctl start dualboard-broker
  check 'all is well again' soon bridge_is_up
}

with_clock() {
  local time="$1"
  shift
  at2 faketime -f "${time}" scripts/dualboard-setup "$@"
}

main "$@"
