#!/usr/bin/env bash
# Ends what launch.sh, board1.sh or board2.sh started, and nothing else.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib/board.sh"

declare common_options session data_dir

usage() {
  cat <<'HELP'
End what scripts/launch.sh, board1.sh or board2.sh started, and only that. The next start restores all states.

Usage: scripts/stop.sh [OPTION ...]

HELP
  common_options_help
  cat <<'HELP'
  -h, --help        this text
HELP
}

main() {
  parse_options "${common_options}" "$@"
  settle_settings
  local ended='' recorded
  recorded="$(recorded_session)"
  session="${recorded:-${session}}"
  # Programs first, so that the brokers take their last words. Each broker saves its store when asked to end.
  ! end_programs || ended=1
  ! end_broker broker2 || ended=1
  ! end_broker broker1 || ended=1
  ! end_session || ended=1
  if [[ -z "${ended}" ]]; then
    say "Nothing of session '${session}' with the data folder ${data_dir} was running."
  fi
}

main "$@"
