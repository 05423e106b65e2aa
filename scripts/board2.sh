#!/usr/bin/env bash
# Board 2: broker 2 with the bridge to board 1, card 2's monitor and the display in a tmux session.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib/board.sh"

declare start_options
readonly options="${start_options}
  --port port port DUALBOARD_PORT2 1884
  --listen value listen DUALBOARD_LISTEN
  --listen-port port listen_port DUALBOARD_LISTEN_PORT 8883
  --peer value peer DUALBOARD_PEER
  --token value token DUALBOARD_TOKEN"
declare port listen listen_port peer token

main() {
  parse_options "${options}" "$@"
  listen="$(check_listen "${listen}")"
  if [[ -z "${peer}" ]]; then
    die_usage '--peer ADDRESS is missing: where is board 1?'
  fi
  open_data_dir
  local open=''
  ! is_open || open=1
  peer="$(peer_address "${peer}" "$([[ -n "${open}" ]] && printf 1883 || printf 8883)")"
  require_port broker2 "${port}" --port
  if [[ -n "${listen}" ]]; then
    require_port broker2 "${listen_port}" --listen-port
  fi
  prepare card2_monitor card2_global_display
  if [[ -n "${open}" ]]; then
    start_open_board2 "${port}" --port "${peer}"
  else
    start_guarded_board2 "${listen}" "${listen_port}" "${port}" --port "${peer}" "${token}"
    if [[ -n "${listen}" ]]; then
      session_exists || warn_of_root
    fi
  fi
  show_programs card2_monitor card2_global_display
}

# A board 1 on this machine that asks nobody for a password has made no token, and no packet leaves the machine.
is_open() {
  [[ -z "${token}" && -z "${listen}" ]] && ! has_token || return 1
  case "${peer}" in
    127.* | localhost | localhost:* | ::1 | '[::1]' | '[::1]:'*) return 0 ;;
    *) return 1 ;;
  esac
}

usage() {
  cat <<'HELP'
Start board 2 on this machine: broker 2 with the bridge to board 1, card2_monitor and card2_global_display in a tmux
session.

Usage: scripts/board2.sh --peer ADDRESS[:PORT] [OPTION ...]

The session goes on when the SSH connection drops; the same command attaches again.

  --peer ADDRESS[:PORT]   board 1 (port 8883 if none is given)           DUALBOARD_PEER
  --token FILE      DATA/board/token, copied from board 1; needed once, kept in DATA/board. Only a board 1 on the same
                    machine that listens on loopback alone (port 1883) has none
                                                                         DUALBOARD_TOKEN
  --listen ADDRESS  let screens elsewhere reach this broker by this address or name of the board, over TLS; several with
                    commas (default: loopback only)                      DUALBOARD_LISTEN
  --listen-port PORT  the broker's port there (default: 8883)            DUALBOARD_LISTEN_PORT
  --port PORT       the broker's port on loopback (default: 1884)        DUALBOARD_PORT2
HELP
  start_options_help
  cat <<'HELP'

With a token the broker asks everyone for a name and a password, also on loopback.

Examples:
  scripts/board2.sh --peer 192.0.2.7 --token token
  scripts/board2.sh --peer 192.0.2.7                               from then on
  scripts/stop.sh                                                  ends it
HELP
}

main "$@"
