#!/usr/bin/env bash
# Both boards on one machine: two brokers, the bridge between them, three programs in a tmux session.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib/board.sh"

declare start_options
readonly options="${start_options}
  --port1 port port1 DUALBOARD_PORT1 1883
  --port2 port port2 DUALBOARD_PORT2 1884"
declare port1 port2

usage() {
  cat <<'HELP'
Start both boards on this machine and show their programs.

Usage: scripts/launch.sh [OPTION ...]

Installs what is missing (mosquitto, tmux, cmake, a C compiler, OpenSSL's headers, pkg-config), builds the programs,
starts broker 1 and broker 2 with the bridge, and opens a tmux session with a pane for each program and the brokers' logs in a
second window. Run again, it starts what has ended and shows what runs.

  --port1 PORT      broker 1's port (default: 1883)                      DUALBOARD_PORT1
  --port2 PORT      broker 2's port (default: 1884)                      DUALBOARD_PORT2
HELP
  start_options_help
  cat <<'HELP'

Examples:
  scripts/launch.sh
  scripts/launch.sh --session second --port1 2883 --port2 2884     a second copy beside the first
  scripts/stop.sh                                                  ends the first
  scripts/stop.sh --session second                                 ends the second
HELP
}

main() {
  parse_options "${options}" "$@"
  if ((port1 == port2)); then
    die_usage "--port1 and --port2 are both ${port1}: each broker needs its own"
  fi
  local programs=(card1_monitor card2_monitor card2_global_display)
  open_data_dir
  # Before the build, which takes minutes.
  require_port broker1 "${port1}" --port1
  require_port broker2 "${port2}" --port2
  prepare "${programs[@]}"
  start_open_board1 "${port1}" --port1
  start_open_board2 "${port2}" --port2 "127.0.0.1:$(broker_port broker1)"
  show_programs "${programs[@]}"
}

main "$@"
