# shellcheck shell=bash
# The three programs: how each is started in its pane, and how it is ended.

# program_command NAME: sets `command_line` to what a tmux pane runs for it.
# shellcheck disable=SC2034 # read by session.sh
program_command() {
  local name="$1" broker=broker2 own=() settings=() setting stop
  stop="$(stop_command)"
  # Panes have the environment that tmux was started in, which may be another one than this script's.
  for setting in $(compgen -e DUALBOARD_); do
    settings+=("${setting}=${!setting}")
  done
  # The display owns nothing, and keeps nothing.
  case "${name}" in
    card1_monitor) broker=broker1 own=(--state-dir "${DUALBOARD_STATE_DIR:-${data_dir}/state}") ;;
    card2_monitor) own=(--state-dir "${DUALBOARD_STATE_DIR:-${data_dir}/state}") ;;
    *) ;;
  esac
  command_line=("${project}/scripts/lib/pane.sh" "${name}" "${data_dir}/${name}.pid" "${stop}"
    ${settings[@]+env "${settings[@]}"} "${programs_dir}/${name}" --broker "mqtt://localhost:$(broker_port "${broker}")" ${own[@]+"${own[@]}"}
    ${program_access[@]+"${program_access[@]}"})
}

program_runs() {
  local pid # set by recorded_process
  recorded_process "${data_dir}/$1.pid"
}

all_programs_run() {
  local name
  for name in "$@"; do
    program_runs "${name}" || return 1
  done
}

# Asks every program to end and waits for it; fails if none was there.
end_programs() {
  local name ended=1
  for name in card1_monitor card2_monitor card2_global_display; do
    if end_process "${name}" "${data_dir}/${name}.pid" 10; then
      ended=0
    fi
  done
  return "${ended}"
}
