#!/usr/bin/env bash
# Ends what launch.sh, board1.sh or board2.sh started, and nothing else.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lib/board.sh"

declare session data_dir taken

main() {
  default_settings
  parse_args "$@"
  settle_settings
  if [[ -s "${data_dir}/session" ]]; then
    session="$(<"${data_dir}/session")"
  fi
  local found=''
  if end_programs; then
    found=1
  fi
  # Programs first, so that the brokers take their last words; each broker saves its store when it is asked to end.
  if end_broker broker2; then
    found=1
  fi
  if end_broker broker1; then
    found=1
  fi
  if end_session; then
    found=1
  fi
  if [[ -z "${found}" ]]; then
    say "Nothing of session '${session}' with the data folder ${data_dir} was running."
  fi
}

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

parse_args() {
  while (($#)); do
    take_common_option "$@"
    if ((taken == 0)); then
      case "$1" in
        -h | --help)
          usage
          exit 0
          ;;
        *) die_usage "unknown argument '$1'" ;;
      esac
    fi
    shift "${taken}"
  done
}

main "$@"
