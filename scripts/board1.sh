#!/usr/bin/env bash
# Board 1: broker 1 and card 1's monitor in a tmux session.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib/board.sh"

declare start_options
readonly options="${start_options}
  --port port port DUALBOARD_PORT1 1883
  --listen value listen DUALBOARD_LISTEN
  --listen-port port listen_port DUALBOARD_LISTEN_PORT 8883"
declare port listen listen_port

main() {
  parse_options "${options}" "$@"
  listen="$(check_listen "${listen}")"
  open_data_dir
  require_port broker1 "${port}" --port
  if [[ -n "${listen}" ]]; then
    require_port broker1 "${listen_port}" --listen-port
  fi
  prepare card1_monitor
  if [[ -n "${listen}" ]]; then
    start_guarded_board1 "${listen}" "${listen_port}" "${port}" --port
    session_exists || warn_of_root
    say_next_step
  else
    start_open_board1 "${port}" --port
    say "Broker 1 listens on loopback only. For board 2 to reach it: $(stop_command), then $(again_with --listen ADDRESS)"
  fi
  show_programs card1_monitor
}

say_next_step() {
  local address
  address="$(url_host "${listen%% *}")"
  say 'Next, on board 2, in the project there (the token holds the passwords of the bridge):'
  say "  scp $(id -un)@${address}:$(printf '%q' "${board_dir}/token") token"
  say "  scripts/board2.sh --peer ${address}:${listen_port} --token token && rm token"
  # Whoever only comes back to a session has read it.
  session_exists || must_be_read
}

usage() {
  cat <<'HELP'
Start board 1 on this machine: broker 1, and card1_monitor in a tmux session.

Usage: scripts/board1.sh [OPTION ...]

The session goes on when the SSH connection drops; the same command attaches again.

  --listen ADDRESS  let board 2 reach the broker by this address or name of the board, over TLS; several with commas. The
                    broker then asks everyone for a name and a password, also on loopback. Keys, certificates and
                    passwords are made on the first run and kept in DATA/board (default: loopback only)
                                                                         DUALBOARD_LISTEN
  --listen-port PORT  the broker's port there (default: 8883)            DUALBOARD_LISTEN_PORT
  --port PORT       the broker's port on loopback (default: 1883)        DUALBOARD_PORT1
HELP
  start_options_help
  cat <<'HELP'

Examples:
  scripts/board1.sh --listen 192.0.2.7
  scripts/board1.sh --listen 192.0.2.7 --detach
  scripts/dualboard-setup --data-dir .run/dualboard add viewer lobby   a screen elsewhere
  scripts/stop.sh                                                  ends it
HELP
}

main "$@"
