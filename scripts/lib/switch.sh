# shellcheck shell=bash
# Variables that switch something, with the words that the programs take.

# switched NAME: prints 1 if the variable of this name is on, and nothing if it is off, empty or not there.
switched() {
  local name="$1"
  local value="${!name-}" word
  # Not with ${value,,}: the bash of macOS does not know it.
  word="$(printf '%s' "${value}" | tr '[:upper:]' '[:lower:]')"
  case "${word}" in
    1 | true | yes | on | y | t) printf '1' ;;
    '' | 0 | false | no | off | n | f) ;;
    *) die_usage "${name}='${value}': a variable that switches something is 1, true, yes or on, or it is 0, false, no or off" ;;
  esac
}
