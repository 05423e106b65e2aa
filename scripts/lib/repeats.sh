# shellcheck shell=bash
# What a broker says again and again, as while the other board is away, stands in its log a few times only.

# Copies until nobody writes any more. One that is killed is followed by another one, and a signal to all
# processes, as at a shutdown, does not end it before the broker's last words.
log_without_repeats() {
  trap '' HUP INT TERM
  until (copy_without_repeats 60); do :; done
}

# copy_without_repeats PERIOD: copies a new line at once. One that came before, whatever came in between, is
# counted, and written with its count every PERIOD seconds; if it has not come again by then, it is new the
# next time. The time in front of a line, and a number of ms at its end, make no difference.
copy_without_repeats() {
  local period="$1" line part='' key status begun ended='' pending='' slot found next=0
  local -r slots=16 patience="$(($1 < 10 ? $1 : 10))" stamp='^[0-9][0-9T:-]*: '
  # The last different ones: what makes no difference left out, the last repeat, how many, and since when.
  local keys=() lines=() counts=() since=()
  while [[ -z "${ended}" ]]; do
    begun="${SECONDS}" status=0
    IFS= read -r ${pending:+-t"${patience}"} line || status=$?
    line="${part}${line}" part='' pending='' found=''
    if ((status > 128)); then
      # Not the end, perhaps the beginning of a line.
      part="${line}" line=''
    elif ((status != 0 && SECONDS == begun)) && [[ -z "${line}" ]]; then
      # The bash of macOS has the same status where the time is over.
      ended=1
    fi
    key="${line% [0-9]* ms}"
    [[ ! "${key}" =~ ${stamp} ]] || key="${key#"${BASH_REMATCH[0]}"}"
    for ((slot = 0; slot < ${#keys[@]}; slot++)); do
      # A clock that was set back makes it due as well.
      if [[ -n "${ended}" ]] || ((SECONDS - since[slot] >= period || SECONDS < since[slot])); then
        write_repeats "${lines[slot]}" "${counts[slot]}"
        ((counts[slot] > 0)) || keys[slot]=''
        counts[slot]=0 since[slot]="${SECONDS}"
      fi
      if [[ -n "${key}" && "${keys[slot]}" == "${key}" ]]; then
        found=1 lines[slot]="${line}"
        counts[slot]=$((counts[slot] + 1))
      fi
      ((counts[slot] == 0)) || pending=1
    done
    if [[ -n "${line}" && -z "${found}" ]]; then
      write_repeats "${lines[next]-}" "${counts[next]-0}"
      printf '%s\n' "${line}"
      keys[next]="${key}" lines[next]='' counts[next]=0 since[next]="${SECONDS}"
      next=$(((next + 1) % slots))
    fi
  done
}

# write_repeats LINE COUNT
write_repeats() {
  case "$2" in
    0) ;;
    1) printf '%s\n' "$1" ;;
    *) printf '%s (%s more like this)\n' "$1" "$2" ;;
  esac
}
