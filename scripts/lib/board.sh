# shellcheck shell=bash
# What launch.sh, board1.sh and board2.sh have in common: a board is a broker and its programs.

source "${BASH_SOURCE[0]%/*}/say.sh"
source "${BASH_SOURCE[0]%/*}/options.sh"
source "${BASH_SOURCE[0]%/*}/settings.sh"
source "${BASH_SOURCE[0]%/*}/commands.sh"
source "${BASH_SOURCE[0]%/*}/needs.sh"
source "${BASH_SOURCE[0]%/*}/build.sh"
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
source "${BASH_SOURCE[0]%/*}/broker.sh"
source "${BASH_SOURCE[0]%/*}/bridge.sh"
source "${BASH_SOURCE[0]%/*}/programs.sh"
source "${BASH_SOURCE[0]%/*}/session.sh"

declare project data_dir session board_dir

# open_data_dir: the first step; after it, paths and names are known.
open_data_dir() {
  settle_settings
  make_data_dir
  warn_of_full_disk
  settle_board_dir "${data_dir}/board"
}

# prepare PROGRAM...: what must be there before anything starts.
prepare() {
  provide_needs programs_needs "$@"
  require_own_session
  if ! session_exists || ! all_programs_run "$@"; then
    build_programs "$@"
  fi
  if ! session_exists; then
    trap leave_nothing_behind EXIT
  fi
}

# A first start that fails leaves nothing of its own.
leave_nothing_behind() {
  local broker
  end_programs || true
  for broker in ${started_brokers[@]+"${started_brokers[@]}"}; do
    end_broker "${broker}" || true
  done
  end_session || true
}

# Which broker the programs of this script are at, and by which name: set by what starts it.
guarded=''

# start_open_board1 PORT PORT_OPTION: a broker on loopback that asks nobody for a password.
start_open_board1() {
  local port="$1" option="$2" text
  text="$(render_conf broker1 "${project}/mosquitto_broker1.conf" "${port}" '')"
  write_conf broker1 "${text}"
  ensure_broker broker1 "${port}" "${option}"
}

# start_open_board2 PORT PORT_OPTION PEER
start_open_board2() {
  local port="$1" option="$2" peer="$3" text
  text="$(render_conf broker2 "${project}/mosquitto_bridge.conf" "${port}" "${peer}")"
  write_conf broker2 "${text}"
  ensure_broker broker2 "${port}" "${option}"
  report_bridge "${peer}"
}

# start_guarded_board1 ADDRESSES LISTEN_PORT PORT PORT_OPTION: with passwords and rights, and TLS beyond loopback.
start_guarded_board1() {
  local addresses="$1" port="$2" local_port="$3" option="$4"
  make_board1 "${data_dir}/broker1" "${addresses}" "${port}" "${local_port}"
  start_guarded_broker 1 "${option}"
}

# start_guarded_board2 ADDRESSES LISTEN_PORT PORT PORT_OPTION PEER TOKEN
start_guarded_board2() {
  local addresses="$1" port="$2" local_port="$3" option="$4" peer="$5" token="$6"
  make_board2 "${data_dir}/broker2" "${addresses}" "${port}" "${local_port}" "${peer}" "${token}"
  start_guarded_broker 2 "${option}"
  report_bridge "${peer}"
}

# start_guarded_broker BOARD PORT_OPTION
start_guarded_broker() {
  local board="$1" option="$2"
  guarded=1
  write_conf "broker${board}" "$(<"${board_dir}/broker.conf")"
  if has_changed 'broker.d/*' 'peer/*' && process_runs "${data_dir}/broker${board}.pid"; then
    warn "broker${board} runs already, with another bridge; to use the new one: $(stop_command), then this again"
  fi
  ensure_broker "broker${board}" "${local_port}" "${option}"
  reload_broker
}

# show_programs PROGRAM...
show_programs() {
  if ! session_exists; then
    # Left from a session that was killed: they are on their way out, or hold what the new ones need.
    end_programs || true
  fi
  ensure_session "$@"
  record_session
  trap - EXIT
  # So that whoever comes next, stop.sh above all, finds them; one that ends at once says so in its pane.
  wait_until 3 all_programs_run "$@" || warn "not every program runs; the panes say why"
  attach_session
}

# check_listen ADDRESS[,ADDRESS...]: prints them with spaces between them.
check_listen() {
  local one
  for one in ${1//,/ }; do
    check_address --listen "${one}"
  done
  printf '%s' "${1//,/ }"
}

warn_of_root() {
  if ((EUID == 0)); then
    warn 'This broker can be reached from the network and runs as root; better start it as an ordinary user.'
  fi
}
