#!/usr/bin/env bash
# Board 1: broker 1 and card 1's monitor in a tmux session.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib/board.sh"

declare start_options
readonly options="${start_options}
  --port port port DUALBOARD_PORT1 1883
  --listen value listen DUALBOARD_LISTEN"
declare port listen

main() {
  parse_options "${options}" "$@"
  check_listen "${listen}"
  open_data_dir
  require_port broker1 "${port}" --port
  prepare card1_monitor
  start_board1 "${port}" --port
  if [[ -n "${listen}" ]]; then
    session_exists || warn_of_root
    say_next_step
  else
    say "Broker 1 listens on loopback only. For board 2 to reach it: $(stop_command), then $(again_with --listen ADDRESS)"
  fi
  show_programs card1_monitor
}

say_next_step() {
  local address="${listen}"
  case "${listen}" in
    0.0.0.0 | ::) address='THIS-BOARDS-ADDRESS' ;;
    # Before a colon that is not its own, an address of IPv6 stands in brackets.
    *:*) address="[${listen}]" ;;
    *) ;;
  esac
  say 'Next, on board 2, in the project there (the file holds the password of the bridge):'
  say "  scp $(id -un)@${address}:$(printf '%q' "${data_dir}/credentials/bridge") bridge-credentials"
  say "  scripts/board2.sh --peer ${address}:${port} --bridge-credentials bridge-credentials && rm bridge-credentials"
  # Whoever only comes back to a session has read it.
  session_exists || must_be_read
}

usage() {
  cat <<'HELP'
Start board 1 on this machine: broker 1, and card1_monitor in a tmux session.

Usage: scripts/board1.sh [OPTION ...]

The session goes on when the SSH connection drops; the same command attaches again.

  --listen ADDRESS  listen on this address of the board too, so that board 2 can reach the broker; it then asks everyone
                    for a name and a password, made on the first run and kept in DATA/credentials (0.0.0.0: all
                    addresses; default: loopback only)                   DUALBOARD_LISTEN
  --port PORT       the broker's port (default: 1883)                    DUALBOARD_PORT1
HELP
  start_options_help
  cat <<'HELP'

Examples:
  scripts/board1.sh --listen 192.0.2.7
  scripts/board1.sh --listen 192.0.2.7 --detach
  scripts/stop.sh                                                  ends it
HELP
}

main "$@"
