#!/usr/bin/env bash
# Runs one program in a tmux pane. When the program ends, the pane stays, says how it ended, and Enter starts it again.
#
# Usage: pane.sh NAME PID_FILE STOP_COMMAND PROGRAM [ARGUMENT ...]
set -uo pipefail

# Job control: a program stopped by Ctrl-Z comes back here, where there is no shell to type `fg` in.
set -m
trap : INT QUIT

source "${BASH_SOURCE[0]%/*}/process.sh"

name="$1"
pid_file="$2"
stop_command="$3"
shift 3

mark_pane() {
  if [[ -n "${TMUX_PANE:-}" ]]; then
    tmux set-option -p -t "${TMUX_PANE}" @dualboard_ended "$1" 2>/dev/null || true
  fi
}

run_program() {
  local status
  run_recorded "${pid_file}" "$@"
  status=$?
  while [[ -n "$(jobs -s)" ]]; do
    fg >/dev/null
    status=$?
  done
  return "${status}"
}

# A program that was killed leaves the terminal raw, where Enter is no Enter, and its last screen standing, which is not true any more.
clean_terminal() {
  stty sane 2>/dev/null || true
  # Out of the alternate screen; cursor shown; no mouse, no bracketed paste; no colour.
  printf '\033[?1049l\033[?25h\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l\033[0m'
}

while :; do
  mark_pane ''
  status=0
  run_program "$@" || status=$?
  forget_process "${pid_file}"
  mark_pane "${status}"
  if ((status > 128)); then
    clean_terminal
  fi
  printf '\n%s ended with status %s at %s.\nEnter starts it again; %s ends everything.\n' \
    "${name}" "${status}" "$(date +%H:%M:%S)" "${stop_command}"
  # Nobody can press Enter on a terminal that is gone.
  read -r _ || exit "${status}"
done
