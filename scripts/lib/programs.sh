# shellcheck shell=bash
# The three programs: how each is started in its pane, and how it is ended.

declare project data_dir board_dir programs_dir guarded

# with_program NAME COMMAND...: runs a command, in which what a pane runs for this program replaces PROGRAM.
with_program() {
  local name="$1" broker=broker2 words=() command=() setting word user
  shift
  words=("${project}/scripts/lib/pane.sh" "${name}" "${data_dir}/${name}.pid" "$(stop_command)" env "DUALBOARD_SETTINGS=${DUALBOARD_SETTINGS-}")
  # Panes have the environment that tmux was started in, which may be another one than this script's.
  for setting in $(compgen -e DUALBOARD_); do
    words+=("${setting}=${!setting}")
  done
  [[ "${name}" != card1_monitor ]] || broker=broker1
  words+=("${programs_dir}/${name}" --broker "mqtt://localhost:$(broker_port "${broker}")")
  # The display owns nothing, and keeps nothing.
  if [[ "${name}" == *_monitor ]]; then
    words+=(--state-dir "${DUALBOARD_STATE_DIR:-${data_dir}/state}")
  fi
  if [[ -n "${guarded}" ]]; then
    user="${name}"
    [[ "${name}" != card2_global_display ]] || user=display
    words+=(--username "${user}" --password-file "${board_dir}/credentials/${user}")
  fi
  for word in "$@"; do
    if [[ "${word}" == PROGRAM ]]; then
      command+=("${words[@]}")
    else
      command+=("${word}")
    fi
  done
  "${command[@]}"
}

program_runs() { process_runs "${data_dir}/$1.pid"; }

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
