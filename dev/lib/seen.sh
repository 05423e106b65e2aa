# shellcheck shell=bash
# What a trial looks for, and whether it was seen: a line for each.

seen=0 missed=()

heading() { printf '\n%s\n' "$*"; }

# expect SECONDS WHAT COMMAND...: waits until the command succeeds; says how long that took, or that it has
# not.
expect() {
  local limit="$1" what="$2" begun="${EPOCHREALTIME}"
  shift 2
  if wait_until "${limit}" "$@"; then
    seen=$((seen + 1))
    say "  seen    $(since "${begun}") s  ${what}"
  else
    miss "${what}"
  fi
}

# expect_of WHAT COMMAND...: the same, of a command that is run once and takes its time
expect_of() {
  local what="$1" begun="${EPOCHREALTIME}"
  shift
  if "$@"; then
    seen=$((seen + 1))
    say "  seen    $(since "${begun}") s  ${what}"
  else
    miss "${what}"
  fi
}

# What was not seen; goes on.
miss() {
  missed+=("$1")
  say "  MISSED           $1"
  if [[ "$(type -t show_all)" == function ]]; then
    show_all
  fi
}

# since MOMENT: so many seconds ago
since() { awk -v from="$1" -v to="${EPOCHREALTIME}" 'BEGIN {printf "%5.1f", to - from}'; }

# Ends the script: with status 0 if all was seen.
conclude() {
  if ((${#missed[@]})); then
    printf '\n%d seen, and not seen:\n' "${seen}"
    printf '  %s\n' "${missed[@]}"
    exit 1
  fi
  printf '\nAll %d were seen.\n' "${seen}"
}
