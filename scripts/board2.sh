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
  --peer value peer DUALBOARD_PEER
  --bridge-credentials value bridge_credentials DUALBOARD_BRIDGE_CREDENTIALS"
declare port listen peer bridge_credentials

main() {
  parse_options "${options}" "$@"
  check_listen "${listen}"
  if [[ -z "${peer}" ]]; then
    die_usage '--peer ADDRESS is missing: where is board 1?'
  fi
  peer="$(peer_address "${peer}" 1883)"
  open_data_dir
  require_port broker2 "${port}" --port
  prepare card2_monitor card2_global_display
  if [[ -n "${bridge_credentials}" ]]; then
    keep_bridge_credentials "${bridge_credentials}"
  fi
  bridge_credentials="$(kept_bridge_credentials)"
  start_board2 "${port}" --port "${peer}" "${bridge_credentials}"
  if [[ -n "${listen}" ]]; then
    session_exists || warn_of_root
  fi
  show_programs card2_monitor card2_global_display
}

usage() {
  cat <<'HELP'
Start board 2 on this machine: broker 2 with the bridge to board 1, card2_monitor and card2_global_display in a tmux
session.

Usage: scripts/board2.sh --peer ADDRESS[:PORT] [OPTION ...]

The session goes on when the SSH connection drops; the same command attaches again.

  --peer ADDRESS[:PORT]   board 1 (port 1883 if none is given)           DUALBOARD_PEER
  --bridge-credentials FILE
                    DATA/credentials/bridge, copied from board 1; needed once, kept in DATA/credentials/peer
                                                                         DUALBOARD_BRIDGE_CREDENTIALS
  --listen ADDRESS  listen on this address of the board too; the broker then asks everyone for a name and a password,
                    made on the first run and kept in DATA/credentials (0.0.0.0: all addresses; default: loopback only)
                                                                         DUALBOARD_LISTEN
  --port PORT       the broker's port (default: 1884)                    DUALBOARD_PORT2
HELP
  start_options_help
  cat <<'HELP'

Examples:
  scripts/board2.sh --peer 192.0.2.7 --bridge-credentials bridge-credentials
  scripts/board2.sh --peer 192.0.2.7                               from then on
  scripts/stop.sh                                                  ends it
HELP
}

main "$@"
