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
source "${BASH_SOURCE[0]%/*}/credentials.sh"
source "${BASH_SOURCE[0]%/*}/broker.sh"
source "${BASH_SOURCE[0]%/*}/bridge.sh"
source "${BASH_SOURCE[0]%/*}/programs.sh"
source "${BASH_SOURCE[0]%/*}/session.sh"

declare project data_dir session listen

# open_data_dir: the first step; after it, paths and names are known.
open_data_dir() {
  settle_settings
  make_data_dir
  warn_of_full_disk
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

# start_board1 PORT PORT_OPTION
start_board1() {
  local port="$1" option="$2"
  if [[ -n "${listen}" ]]; then
    make_credentials broker1 programs bridge
  fi
  write_conf broker1 "${project}/mosquitto_broker1.conf" "${port}" "${listen}" '' ''
  ensure_broker broker1 "${port}" "${option}"
}

# start_board2 PORT PORT_OPTION PEER BRIDGE_CREDENTIALS
start_board2() {
  local port="$1" option="$2" peer="$3" bridge_credentials="$4"
  if [[ -n "${listen}" ]]; then
    make_credentials broker2 programs
  fi
  write_conf broker2 "${project}/mosquitto_bridge.conf" "${port}" "${listen}" "${peer}" "${bridge_credentials}"
  ensure_broker broker2 "${port}" "${option}"
  report_bridge "${peer}"
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

# An address that a broker listens on beyond loopback.
check_listen() {
  local listen="$1"
  case "${listen}" in
    '') ;;
    127.* | localhost | ::1) die_usage "--listen ${listen}: the broker listens on loopback in any case" ;;
    *)
      if [[ ! "${listen}" =~ ^[A-Za-z0-9._:%-]+$ ]]; then
        die_usage "--listen '${listen}': want one of this board's addresses, or 0.0.0.0 for all of them"
      fi
      ;;
  esac
}
