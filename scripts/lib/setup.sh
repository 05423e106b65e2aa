# shellcheck shell=bash
# dualboard-setup: its commands. What they make is in board_files.sh, authority.sh, users.sh and token.sh.

source "${BASH_SOURCE[0]%/*}/say.sh"
source "${BASH_SOURCE[0]%/*}/options.sh"
source "${BASH_SOURCE[0]%/*}/needs.sh"
source "${BASH_SOURCE[0]%/*}/room.sh"
source "${BASH_SOURCE[0]%/*}/process.sh"
source "${BASH_SOURCE[0]%/*}/port.sh"
source "${BASH_SOURCE[0]%/*}/conf.sh"
source "${BASH_SOURCE[0]%/*}/board_files.sh"
source "${BASH_SOURCE[0]%/*}/authority.sh"
source "${BASH_SOURCE[0]%/*}/users.sh"
source "${BASH_SOURCE[0]%/*}/token.sh"
source "${BASH_SOURCE[0]%/*}/board_kinds.sh"
source "${BASH_SOURCE[0]%/*}/services.sh"
source "${BASH_SOURCE[0]%/*}/check.sh"

project="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly project

readonly installed_dir=/etc/dualboard

declare data_dir address no_address port local_port peer token authority bridge json worst
declare -a words bridge_users

usage() {
  cat <<'HELP'
Make this machine board 1 or board 2, and give and take the credentials of screens elsewhere.

Usage: dualboard-setup board1 --address ADDRESS [--port PORT] [--local-port PORT]
       dualboard-setup board2 --peer ADDRESS[:PORT] --token FILE [--address ADDRESS | --no-address] [--port PORT]
                              [--local-port PORT]
       dualboard-setup add viewer|operator NAME
       dualboard-setup revoke viewer-NAME|operator-NAME
       dualboard-setup list
       dualboard-setup renew [--authority | --bridge]
       dualboard-setup check [--json]

  board1            broker 1 and the owner of card 1
  board2            broker 2 with the bridge to board 1, and the owner of card 2
  add               a credential for a screen elsewhere: a viewer sees all sensors; an operator also toggles those of this
                    board by messages, and acknowledges alarms. One credential serves one screen at a time
  revoke            whoever uses this credential is disconnected at once, and not let in again
  list              who has a credential
  renew             a new key and certificate for this board's broker; with --authority also a new authority, whose
                    certificate then has to go to board 2 and to all screens elsewhere; on board 1 with --bridge, instead, new
                    passwords for the bridge, and so a new token for board 2: whoever uses the old ones is disconnected at once
  check             a line for each thing that can be wrong: ok, warn, FAIL or skipped, and then what --check of the board's
                    programs says. Status 0: nothing is wrong; 1: some warn; 2: some FAIL. With --json it is one object

  --address ADDRESS   what others reach this board by: an address or a name; several with commas between them. With a name
                      the broker listens on all addresses of this machine
  --no-address        on board 2: it is not reached by others any more
  --port PORT         the broker's port there, TLS only (default: 8883)
  --local-port PORT   the broker's port on loopback (default: 1893 on board 1, 1894 on board 2)
  --peer ADDRESS[:PORT]  board 1 (port 8883 if none is given)
  --token FILE        what board 1 has made for board 2; needed once
  --data-dir DIR      for add, revoke, list, renew and check: the board that scripts/board1.sh or board2.sh has started with this data
                      folder, instead of the installed one
  -h, --help          this text

board1 and board2 end with status 1 if something of the board does not work yet. Run again with the same options, or with none, they
change nothing: an option that was given once need not be given again. Without --data-dir, everything is in /etc/dualboard, and root is needed.

Examples:
  dualboard-setup board1 --address 192.0.2.1
  dualboard-setup board2 --peer 192.0.2.1 --token token
  dualboard-setup add viewer lobby
HELP
}

main() {
  parse_options '
    --address value address
    --no-address switch no_address
    --port port port
    --local-port port local_port
    --peer value peer
    --token value token
    --authority switch authority
    --bridge switch bridge
    --json switch json
    --data-dir value data_dir
    ARGUMENT repeated words' "$@"
  ((${#words[@]})) || die_usage 'what is to be done? board1, board2, add, revoke, list, renew or check'
  local command="${words[0]}"
  # shellcheck disable=SC2034 # read by die
  [[ "${command}" != check ]] || death_status=2
  settle_place
  set -- "${words[@]:1}"
  [[ -z "${json}" || "${command}" == check ]] || die_usage "${command}: --json is for check"
  case "${command}" in
    board1 | board2)
      (($# == 0)) || die_usage "${command}: unknown argument '$1'"
      [[ -z "${data_dir}" ]] || die_usage "${command} with --data-dir: in a checkout scripts/${command}.sh makes the board"
      "set_up_${command}"
      ;;
    add)
      (($# == 2)) || die_usage 'add: want a role and a name, as in: add viewer lobby'
      add_user "$@"
      ;;
    revoke)
      (($# == 1)) || die_usage 'revoke: want one name, as the command list shows it, such as viewer-lobby'
      revoke_user "$1"
      ;;
    list | renew | check)
      (($# == 0)) || die_usage "${command}: unknown argument '$1'"
      "${command}_board"
      ;;
    *) die_usage "unknown command '${command}'" ;;
  esac
}

# Which files, and whose.
settle_place() {
  umask 022
  if [[ -n "${data_dir}" ]]; then
    [[ "${data_dir}" == /* ]] || data_dir="${PWD}/${data_dir}"
    settle_board_dir "${data_dir%/}/board"
    [[ -O "${board_dir}" || ! -e "${board_dir}" ]] || die "${board_dir} belongs to another user; run this as that user"
  else
    ((EUID == 0)) || die "only root may change or read ${installed_dir}: sudo ${given_command}"
    settle_board_dir "${installed_dir}" dualboard-broker dualboard dualboard
  fi
}

given_command="dualboard-setup $*"

require_installation() {
  local user unit missing=''
  for user in "${broker_user}" "${owner_user}"; do
    id -u "${user}" >/dev/null 2>&1 || die "there is no user ${user}: install the package dualboard, which makes it, then run this again"
  done
  getent group "${owner_group}" >/dev/null || die "there is no group ${owner_group}: install the package dualboard, then run this again"
  for unit in dualboard-broker "$1"; do
    systemctl cat "${unit}.service" >/dev/null 2>&1 || missing+=" ${unit}.service"
  done
  [[ -z "${missing}" ]] || die "systemd knows no${missing}: install the package dualboard, then run this again"
  require_tools
}

require_tools() {
  local tool
  for tool in openssl mosquitto mosquitto_passwd mosquitto_sub; do
    has_command "${tool}" || die "there is no ${tool}: apt install openssl mosquitto mosquitto-clients"
  done
}

# A board does not become the other one by a slip of the hand.
require_board() {
  local now
  now="$(told board)"
  [[ -z "${now}" || "${now}" == "$1" ]] ||
    die "this machine is board ${now} already. To make it board $1: systemctl disable --now dualboard-broker dualboard-card${now}," \
      "move ${installed_dir} away, then run this again"
}

set_up_board1() {
  require_installation dualboard-card1
  require_board 1
  settle_addresses
  [[ -n "${addresses}" ]] || die_usage 'board1: --address ADDRESS is missing: by what do others reach this board?'
  [[ -z "${peer}" && -z "${token}" ]] || die_usage 'board1: --peer and --token are of board 2'
  settle_ports 1893
  take_port_or_die
  make_board1 /var/lib/dualboard-broker "${addresses}" "${port}" "${local_port}"
  start_services dualboard-card1
  say_result 1
  say_next_on_board2
  end_by_check 1
}

set_up_board2() {
  require_installation dualboard-card2
  require_board 2
  settle_addresses
  settle_ports 1894
  peer="${peer:-$(told peer)}"
  [[ -n "${peer}" ]] || die_usage 'board2: --peer ADDRESS is missing: where is board 1?'
  peer="$(peer_address "${peer}" 8883)"
  take_port_or_die
  make_board2 /var/lib/dualboard-broker "${addresses}" "${port}" "${local_port}" "${peer}" "${token}"
  start_services dualboard-card2
  say_result 2
  if [[ -n "${token}" ]]; then
    say "${board_dir} has what was in ${token}: it is not needed any more (rm $(printf '%q' "${token}"))"
  fi
  end_by_check 2
}

# Sets `addresses`, with spaces between them: as they are given now, or were last.
settle_addresses() {
  addresses="$(told addresses)"
  if [[ -n "${no_address}" ]]; then
    [[ -z "${address}" ]] || die_usage '--address and --no-address: give one of the two'
    addresses=''
  elif [[ -n "${address}" ]]; then
    addresses="${address//,/ }"
    local one
    for one in ${addresses}; do
      check_address --address "${one}"
    done
    # One space between two.
    # shellcheck disable=SC2086
    addresses="$(printf '%s ' ${addresses})"
    addresses="${addresses% }"
  fi
}

# settle_ports DEFAULT_LOCAL_PORT
settle_ports() {
  local told_port told_local_port
  told_port="$(told port)" told_local_port="$(told local_port)"
  port="${port:-${told_port:-8883}}"
  local_port="${local_port:-${told_local_port:-$1}}"
  [[ "${port}" != "${local_port}" ]] || die_usage "--port ${port}: that is the port on loopback too; take two different ones"
}

# In a checkout scripts/board2.sh takes it.
say_next_on_board2() {
  local at="${addresses%% *}" host command=dualboard-setup\ board2
  host="$(url_host "${at}")"
  say ''
  if [[ -n "${data_dir}" ]]; then
    command=scripts/board2.sh
    say "Next, on board 2, in the project there (the token holds the passwords of the bridge; mode 0600):"
  else
    say "Next, on board 2, as root, where the package is installed as well (the token holds the passwords of the bridge; mode 0600):"
  fi
  say "  scp $(id -un)@${host}:${board_dir}/token token"
  say "  ${command} --peer ${host}$( ((port == 8883)) || printf ':%s' "${port}") --token token && rm token"
}

say_result() {
  local name shown=''
  for name in ${changed_files[@]+"${changed_files[@]}"}; do
    shown+=" ${name}"
  done
  if [[ -z "${shown}" ]]; then
    say "Board $1: nothing had to be changed in ${board_dir}."
  else
    say "Board $1: made or changed in ${board_dir}:${shown}"
  fi
  check_lines || true
}

# A board that does not work yet is no success for what has called this. What only a later step mends is a warning.
end_by_check() {
  ((worst < 2)) || die "board $1 is made, but something does not work yet: see FAIL above, then dualboard-setup check"
}

require_told_board() {
  board="$(told board)"
  [[ -n "${board}" ]] ||
    die "there is no board in ${board_dir} yet: dualboard-setup board1 or board2 makes one (in a checkout scripts/board1.sh or board2.sh)"
  port="$(told port)" local_port="$(told local_port)" addresses="$(told addresses)" peer="$(told peer)"
}

add_user() {
  local role="$1" name="$2" user
  require_told_board
  require_tools
  [[ "${role}" == viewer || "${role}" == operator ]] || die_usage "add ${role}: want viewer or operator"
  [[ "${name}" =~ ^[a-z0-9][a-z0-9_-]{0,31}$ ]] ||
    die_usage "add ${role} '${name}': want 1 to 32 of a-z, 0-9, - and _ for the name"
  [[ -n "${addresses}" ]] ||
    die "board ${board} is not reached from elsewhere, so nobody there needs a credential. To change that: dualboard-setup board${board} --address ADDRESS"
  user="${role}-${name}"
  if is_user network "${user}"; then
    say "${user} is there already."
  fi
  ensure_user network "${user}" 600 root:root
  put_rights "${project}/mosquitto_rights${board}.acl"
  reload_broker
  say_how_to_use "${user}"
}

say_how_to_use() {
  local user="$1" host
  host="$(url_host "${addresses%% *}")"
  say "${user}: on the machine of the screen, which has card2_global_display (the package) as well, in a folder of the user who looks:"
  say "  scp root@${host}:${board_dir}/credentials/${user} root@${host}:${board_dir}/tls/ca.crt ."
  say "  chmod 600 ${user}"
  say "  card2_global_display --broker mqtts://${host}:${port} --username ${user} --password-file ${user} --ca-file ca.crt"
  say 'To take it back: '"$(again revoke "${user}")"
}

# again WORD...: this script, for the same board.
again() {
  printf 'dualboard-setup'
  [[ -z "${data_dir}" ]] || printf ' --data-dir %q' "${data_dir}"
  printf ' %s' "$@"
}

revoke_user() {
  local user="$1"
  require_told_board
  [[ "${user}" == viewer-* || "${user}" == operator-* ]] ||
    die_usage "revoke '${user}': want viewer-NAME or operator-NAME, as $(again list) shows them"
  if ! is_user network "${user}"; then
    # An earlier run may have been cut off before the broker was told.
    changed_files+=(network.passwd)
    reload_broker
    die "revoke ${user}: there is none; $(again list) shows who is"
  fi
  dismiss_user network "${user}"
  put_rights "${project}/mosquitto_rights${board}.acl"
  reload_broker
  say "${user}: revoked"
}

list_board() {
  local user
  require_told_board
  say "board ${board}, on loopback:"
  for user in $(users_of local); do
    say "  ${user}"
  done
  say "board ${board}, from the network:"
  for user in $(users_of network); do
    say "  ${user}"
  done
}

renew_board() {
  require_told_board
  require_tools
  if [[ -n "${bridge}" ]]; then
    renew_bridge
    return 0
  fi
  [[ -n "${addresses}" ]] || die "board ${board} is not reached from elsewhere, so it has no certificate to renew"
  # shellcheck disable=SC2086 # one word an address
  if [[ -n "${authority}" ]]; then
    make_all_anew "board ${board}" ${addresses}
  else
    make_broker_certificate ${addresses}
  fi
  if [[ "${board}" == 1 ]]; then
    put_token
  fi
  reload_broker
  say "Board ${board} has a new key and certificate."
  if [[ -n "${authority}" ]]; then
    say "Its authority is new: $(told_peers) has to get ${board_dir}/tls/ca.crt before it connects again."
    [[ "${board}" == 2 ]] || say "Board 2 gets it with the new token: dualboard-setup board2 --token token"
  fi
}

renew_bridge() {
  local user
  [[ "${board}" == 1 ]] || die 'renew --bridge: board 1 makes the passwords of the bridge; run it there'
  [[ -z "${authority}" ]] || die_usage 'renew: want --authority or --bridge, not both at once'
  for user in "${bridge_users[@]}"; do
    # The old one goes first: what a power cut leaves then is completed by the next run.
    dismiss_user network "${user}"
    ensure_user network "${user}" 600 root:root
  done
  put_token
  reload_broker
  say "The bridge has new passwords, and stays down until board 2 has the new token: ${board_dir}/token"
  say_next_on_board2
}

told_peers() {
  if [[ "${board}" == 1 ]]; then
    printf 'every screen elsewhere'
  else
    printf 'every screen that looks at board 2 from elsewhere'
  fi
}
