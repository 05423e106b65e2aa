# shellcheck shell=bash
# Options that all scripts share, from the command line or from the environment.
#
# Sets: project session data_dir detach no_install

project="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly project

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
HELP
}

# shellcheck disable=SC2034 # read by session.sh and needs.sh
default_settings() {
  session="${DUALBOARD_SESSION:-dualboard}"
  data_dir="${DUALBOARD_DATA_DIR:-}"
  detach="$(switched DUALBOARD_DETACH)"
  no_install="$(switched DUALBOARD_NO_INSTALL)"
}

# Takes one option that all scripts know from the front of "$@". Sets `taken` to the number of words it used, 0 if none.
take_common_option() {
  taken=2
  case "$1" in
    --session) session="$(option_value "$@")" ;;
    --data-dir) data_dir="$(option_value "$@")" ;;
    *) taken=0 ;;
  esac
}

# The same for the options of the scripts that start something.
# shellcheck disable=SC2034 # read by session.sh and needs.sh
take_start_option() {
  take_common_option "$@"
  if ((taken == 0)); then
    taken=1
    case "$1" in
      --detach) detach=1 ;;
      --no-install) no_install=1 ;;
      *) taken=0 ;;
    esac
  fi
}

# The word after an option.
option_value() {
  if (($# < 2)) || [[ -z "$2" ]]; then
    die_usage "$1 needs a value"
  fi
  printf '%s' "$2"
}

# Checks what was set and makes it complete.
settle_settings() {
  if [[ ! "${session}" =~ ^[A-Za-z0-9_-]+$ ]]; then
    die_usage "--session '${session}': use letters, digits, - and _ only"
  fi
  data_dir="${data_dir:-${project}/.run/${session}}"
  if [[ "${data_dir}" != /* ]]; then
    data_dir="${PWD}/${data_dir}"
  fi
  data_dir="${data_dir%/}"
  name_terminal
  forget_foreign_tmux
}

check_port() {
  local option="$1" value="$2"
  if [[ ! "${value}" =~ ^[0-9]{1,5}$ ]] || ((10#${value} < 1 || 10#${value} > 65535)); then
    die_usage "${option} '${value}': a port is a number from 1 to 65535"
  fi
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
