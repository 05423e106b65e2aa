# shellcheck shell=bash
# The settings that launch.sh, board1.sh, board2.sh and stop.sh share.

project="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly project

declare session data_dir

readonly common_options='
  --session value session DUALBOARD_SESSION dualboard
  --data-dir value data_dir DUALBOARD_DATA_DIR'
# shellcheck disable=SC2034 # read by the scripts that start something
readonly start_options="${common_options}
  --detach switch detach DUALBOARD_DETACH
  --no-install switch no_install DUALBOARD_NO_INSTALL"

common_options_help() {
  cat <<'HELP'
  --session NAME    name of the tmux session (default: dualboard)        DUALBOARD_SESSION
  --data-dir DIR    stores, logs, process ids, programs' state           DUALBOARD_DATA_DIR
                    (default: .run/NAME in the project, NAME the session's)
HELP
}

start_options_help() {
  common_options_help
  cat <<'HELP'
  --detach          start, do not attach                                 DUALBOARD_DETACH=1
  --no-install      only say what is missing, install nothing            DUALBOARD_NO_INSTALL=1
  -h, --help        this text

Each option can be set in the environment too, by the name at its right.
HELP
}

# Checks what was set and makes it complete.
settle_settings() {
  if [[ ! "${session}" =~ ^[A-Za-z0-9_][A-Za-z0-9_-]*$ ]]; then
    die_usage "--session '${session}': use letters, digits, - and _ only"
  fi
  data_dir="${data_dir:-${project}/.run/${session}}"
  if [[ "${data_dir}" != /* ]]; then
    data_dir="${PWD}/${data_dir}"
  fi
  data_dir="${data_dir%/}"
  TERM="$(terminal_for_tmux)"
  forget_foreign_tmux
  choose_server
}

# Makes the data folder, for its owner's eyes only: stores and passwords lie in it.
make_data_dir() {
  local error
  umask 077
  error="$(mkdir -p "${data_dir}" 2>&1)" ||
    die "cannot make the data folder ${data_dir} (${error}); choose another: $(again_with --data-dir DIR)"
  if [[ ! -O "${data_dir}" ]]; then
    die "the data folder ${data_dir} belongs to another user, whose stores you cannot read;" \
      "run this as that user, or choose another folder with --data-dir"
  fi
  if [[ ! -r "${data_dir}" || ! -x "${data_dir}" ]]; then
    die "the data folder ${data_dir} cannot be read: chmod u+rwx '${data_dir}', then run this again"
  fi
  mkdir -p "${data_dir}/log" "${data_dir}/state" 2>/dev/null || true
}

# Says that the data cannot be written. Everything that needs no new file is started all the same.
warn_of_full_disk() {
  if ! has_room "${data_dir}"; then
    warn "There is $(no_room "${data_dir}"): brokers and programs are started, but they save nothing until there is."
  fi
}
