# shellcheck shell=bash
# Both boards on loopback, from the same parts as an installed one: two brokers with passwords, rights and TLS, the bridge
# between them, and the real programs. Not root, no namespaces. One user more, `judge`, may do everything.

declare here sandbox mosquitto network_port1 owner1 owner2
source "${here}/scripts/lib/say.sh"
source "${here}/scripts/lib/options.sh"
source "${here}/scripts/lib/room.sh"
source "${here}/scripts/lib/board_files.sh"
source "${here}/scripts/lib/authority.sh"
source "${here}/scripts/lib/users.sh"
source "${here}/scripts/lib/token.sh"
source "${here}/scripts/lib/board_kinds.sh"

# The parts find the broker files and the rights here.
project="${here}"
readonly project

make_guarded_boards() {
  forget_own_settings
  # Not the settings of a board that this machine is.
  export DUALBOARD_SETTINGS=''
  sandbox="$(mktemp -d)"
  export PATH="${PATH}:/usr/sbin"
  claim_port local_port1
  claim_port local_port2
  claim_port network_port1
  claim_port network_port2
  make_folders_of_board 1
  make_folders_of_board 2
  head -c 2000000 /dev/zero >"${sandbox}/large"
  start_broker_of 1
  start_broker_of 2
}

local_port() {
  local name="local_port$1"
  printf '%s' "${!name}"
}
network_port() {
  local name="network_port$1"
  printf '%s' "${!name}"
}
board_folder() { printf '%s/%s/board' "${sandbox}" "$1"; }
program() { printf '%s/release/%s' "${CARGO_TARGET_DIR:-${here}/target}" "$1"; }

# In a shell of its own, since it is about one board.
make_folders_of_board() {
  local board="$1"
  mkdir -p "${sandbox}/${board}/store" "${sandbox}/${board}/state"
  (
    settle_board_dir "$(board_folder "${board}")"
    local network loopback
    network="$(network_port "${board}")" loopback="$(local_port "${board}")"
    # A name, so that the broker listens on loopback too.
    if [[ "${board}" == 1 ]]; then
      make_board1 "${sandbox}/1/store" board1.test "${network}" "${loopback}"
    else
      make_board2 "${sandbox}/2/store" board2.test "${network}" "${loopback}" "127.0.0.1:${network_port1}" "${sandbox}/1/board/token"
    fi
    ensure_user local judge 600 root:root
    ensure_user network viewer-wall 600 root:root
    ensure_user network operator-desk 600 root:root
    put_rights "${project}/mosquitto_rights${board}.acl"
  )
  # So that the log says who comes.
  printf 'log_type notice\n' >>"$(board_folder "${board}")/broker.conf"
  # shellcheck disable=SC2016 # $SYS is a topic
  printf '\nuser judge\ntopic readwrite #\ntopic readwrite $SYS/#\n' >>"$(board_folder "${board}")/rights.acl"
}

start_broker_of() {
  "${mosquitto}" -c "$(board_folder "$1")/broker.conf" >"${sandbox}/$1/broker.log" 2>&1 &
  printf -v "broker$1" '%s' "$!"
}

# client BOARD USER COMMAND...: one of Mosquitto's clients, as this user, by the listener that is meant for it.
client() {
  case "$2" in
    viewer-* | operator-* | board2_*) from_network "$@" ;;
    *) on_loopback "$@" ;;
  esac
}

from_network() {
  local board="$1" user="$2" command="$3"
  shift 3
  XDG_CONFIG_HOME="$(client_options "${board}" "${user}" "${command}")" \
    exec_or_run "${command}" -h 127.0.0.1 -p "$(network_port "${board}")" --cafile "$(board_folder "${board}")/tls/ca.crt" "$@"
}

on_loopback() {
  local board="$1" user="$2" command="$3"
  shift 3
  XDG_CONFIG_HOME="$(client_options "${board}" "${user}" "${command}")" \
    exec_or_run "${command}" -h 127.0.0.1 -p "$(local_port "${board}")" "$@"
}

# With `replace`, in the place of this shell, so that whoever ends the shell ends it.
exec_or_run() {
  if [[ -n "${replace:-}" ]]; then
    exec "$@"
  fi
  "$@"
}

# Prints the folder with its name and password.
client_options() {
  local folder="${sandbox}/$1/clients/$2"
  if [[ ! -e "${folder}/$3" ]]; then
    mkdir -p "${folder}"
    printf -- '-u %s\n-P %s\n' "$2" "$(<"$(board_folder "$1")/credentials/$2")" >"${folder}/$3"
  fi
  printf '%s' "${folder}"
}

start_programs() {
  start_owner 1
  start_owner 2
}

start_owner() {
  "$(program "card$1_monitor")" --service --broker "mqtt://127.0.0.1:$(local_port "$1")" --state-dir "${sandbox}/$1/state" \
    --username "card$1_monitor" --password-file "$(board_folder "$1")/credentials/card$1_monitor" >/dev/null 2>"${sandbox}/$1/owner.log" &
  printf -v "owner$1" '%s' "$!"
}

programs_run() { kill -0 "${owner1}" && kill -0 "${owner2}"; }

restart_owners() {
  kill -KILL "${owner1}" "${owner2}"
  wait "${owner1}" "${owner2}" 2>/dev/null || true
  start_programs
}

toggle() {
  local board=$((($1 + 2) / 3))
  "$(program "card${board}_monitor")" --toggle "$1" --timeout 20 --broker "mqtt://127.0.0.1:$(local_port "${board}")" \
    --state-dir "${sandbox}/${board}/state" --username "card${board}_monitor" \
    --password-file "$(board_folder "${board}")/credentials/card${board}_monitor" >/dev/null 2>>"${sandbox}/toggle.log"
}

# What viewers of both boards and the display of board 2 say.
pictures() {
  picture 1 viewer-wall mqtts "$(network_port 1)"
  picture 2 viewer-wall mqtts "$(network_port 2)"
  picture 2 display mqtt "$(local_port 2)"
}

picture() {
  local board="$1" user="$2" scheme="$3" port="$4" authority=()
  if [[ "${scheme}" == mqtts ]]; then
    authority=(--ca-file "$(board_folder "${board}")/tls/ca.crt")
  fi
  "$(program card2_global_display)" --once --json --timeout 10 --broker "${scheme}://127.0.0.1:${port}" --username "${user}" \
    --password-file "$(board_folder "${board}")/credentials/${user}" ${authority[@]+"${authority[@]}"} 2>>"${sandbox}/display.log" || true
}

all_live() { (($(pictures | grep -c '"card1":true,"card2":true') == 3)); }
all_live_and_ok() {
  local all
  all="$(pictures)"
  [[ "${all}" != *false* && "${all}" != *null* ]] && (($(grep -c '"card1":true,"card2":true' <<<"${all}") == 3))
}
sensor_is() { (($(pictures | grep -c "\"sensor_$1\":$2") == 3)); }

# How often each broker has seen the bridge and the owners come.
arrivals() {
  grep -cE 'New client connected .* as (board2_bridge_|card[12]_monitor-)' "${sandbox}/1/broker.log" "${sandbox}/2/broker.log" || true
}

client_id_of_owner() { grep -oE "as card$1_monitor-[0-9a-f]{8}" "${sandbox}/$1/broker.log" | tail -n 1 | cut -c4-; }

memory_of_broker() {
  local name="broker$1"
  awk '$1 == "VmRSS:" {print $2}' "/proc/${!name}/status"
}

end_guarded_boards() {
  local process
  for process in "${owner1:-}" "${owner2:-}" "${broker1:-}" "${broker2:-}" "${listener:-}"; do
    [[ -z "${process}" ]] || kill "${process}" 2>/dev/null || true
  done
  wait 2>/dev/null || true
}
