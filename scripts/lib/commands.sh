# shellcheck shell=bash
# Commands that a person is told to type: they reach the same session and the same data as the script that
# says them.

declare project session data_dir
declare -a given

# The script of this name, as it is called from where the person is.
script() {
  if [[ "${PWD}" == "${project}" ]]; then
    printf 'scripts/%s' "$1"
  else
    printf '%q' "${project}/scripts/$1"
  fi
}

session_option() { [[ "${session}" == dualboard ]] || printf ' --session %s' "${session}"; }
data_option() { [[ "${data_dir}" == "${project}/.run/${session}" ]] || printf ' --data-dir %q' "${data_dir}"; }

stop_command() {
  script stop.sh
  session_option
  data_option
}

# again_with OPTION VALUE: this command as it was given, with one option set to this value.
again_with() {
  local option="$1" value="$2" word
  script "${0##*/}"
  [[ "${option}" == --session ]] || session_option
  [[ "${option}" == --data-dir ]] || data_option
  for word in ${given[@]+"${given[@]}"}; do
    case "${word%%=*}" in
      "${option}" | --session | --data-dir) ;;
      "${word}") printf ' %s' "${word}" ;;
      *) printf ' %s %q' "${word%%=*}" "${word#*=}" ;;
    esac
  done
  printf ' %s %s' "${option}" "${value}"
}
