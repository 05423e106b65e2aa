# shellcheck shell=bash
# One parser for the command lines of all scripts. A script has a table with a line for each option:
#
#   NAME KIND VARIABLE [ENVIRONMENT [DEFAULT]]
#
# NAME is the option, or ARGUMENT for words that are no option. VARIABLE is what it sets (none of the local
# ones below). ENVIRONMENT can set it as well; `-` if nothing does. KIND is `value` (any word), `port`,
# `number` (0 or more), `count` (1 or more), `repeated` (each value is added to an array) or `switch` (no
# value; it becomes 1, and is empty if off).

# parse_options TABLE ARGUMENT...: an argument wins over the environment, and the environment over the
# default. -h and --help call the script's `usage`. The array `given` keeps the options for again_with.
parse_options() {
  local table="$1" name kind variable environment default word value row
  shift
  for word in "$@"; do
    if [[ "${word}" == -h || "${word}" == --help ]]; then
      usage
      exit 0
    fi
  done
  while read -r name kind variable environment default; do
    if [[ "${kind}" == repeated ]]; then
      eval "${variable}=()"
    elif [[ -n "${name}" ]]; then
      printf -v "${variable}" '%s' "${default}"
    fi
    if [[ "${environment:--}" != - && -n "${!environment-}" ]]; then
      set_option "${environment}" "${kind}" "${variable}" "${!environment}"
    fi
  done <<<"${table}"
  given=()
  while (($#)); do
    word="$1"
    shift
    case "${word}" in
      --*=*) name="${word%%=*}" value="${word#*=}" ;;
      -*) name="${word}" value='' ;;
      *) name=ARGUMENT value="${word}" ;;
    esac
    row="$(awk -v name="${name}" '$1 == name' <<<"${table}")"
    [[ -n "${row}" ]] || die_usage "unknown argument '${word}'"
    read -r _ kind variable _ <<<"${row}"
    if [[ "${name}" == "${word}" && "${kind}" == switch ]]; then
      value=1
    elif [[ "${name}" == "${word}" && "${1--}" != -* ]]; then
      value="$1"
      shift
    fi
    set_option "${name}" "${kind}" "${variable}" "${value}"
    if [[ "${kind}" != switch ]]; then
      given+=("${name}=${value}")
    elif [[ -n "${!variable}" ]]; then
      given+=("${name}")
    fi
  done
}

# set_option NAME KIND VARIABLE VALUE: NAME is how the person who has set it knows it.
set_option() {
  local name="$1" kind="$2" variable="$3" value="$4"
  [[ -n "${value}" ]] || die_usage "${name} needs a value"
  case "${kind}" in
    switch) value="$(switch_state "${name}" "${value}")" ;;
    port) value="$(number_within 1 65535 "${name}" "${value}")" ;;
    number) value="$(number_within 0 999999999 "${name}" "${value}")" ;;
    count) value="$(number_within 1 999999999 "${name}" "${value}")" ;;
    *) ;;
  esac
  if [[ "${kind}" == repeated ]]; then
    eval "${variable}+=(\"\${value}\")"
  else
    printf -v "${variable}" '%s' "${value}"
  fi
}

# number_within LEAST MOST NAME VALUE: prints the value without leading zeros.
number_within() {
  if [[ ! "$4" =~ ^[0-9]{1,9}$ ]] || ((10#$4 < $1 || 10#$4 > $2)); then
    die_usage "$3 '$4': want a number from $1 to $2"
  fi
  printf '%d' "$((10#$4))"
}

# switch_state NAME VALUE: prints 1 for on and nothing for off, by the words that the programs take.
switch_state() {
  # Not with ${2,,}: the bash of macOS does not know it.
  case "$(printf '%s' "$2" | tr '[:upper:]' '[:lower:]')" in
    1 | true | yes | on | y | t) printf '1' ;;
    0 | false | no | off | n | f) ;;
    *) die_usage "$1 '$2': want 1, true, yes or on, or 0, false, no or off" ;;
  esac
}
