#!/usr/bin/env bash
# Runs one broker, and starts it again when it crashes or is killed. One that was asked to end, by
# scripts/stop.sh or by SIGTERM, stays ended. SIGTERM ends this watch and leaves the broker alone.
#
# Usage: keep.sh BROKER DATA_DIR
set -uo pipefail

source "${BASH_SOURCE[0]%/*}/say.sh"
source "${BASH_SOURCE[0]%/*}/room.sh"
source "${BASH_SOURCE[0]%/*}/process.sh"
source "${BASH_SOURCE[0]%/*}/repeats.sh"
source "${BASH_SOURCE[0]%/*}/broker.sh"

main() {
  local broker="$1" status begun pause=1 log_start
  data_dir="$2"
  # Until the script that started this has seen the broker answer, a broker that ends is that script's to
  # judge.
  settled='' ending=''
  trap 'settled=1' USR1
  trap 'ending=1' TERM
  # Without its settings there is nothing left to start.
  while [[ -e "${data_dir}/${broker}.conf" ]]; do
    log_start="$(log_size "${broker}")"
    begun="${SECONDS}"
    status=0
    run_broker "${broker}" || status=$?
    [[ -n "${settled}" && -z "${ending}" ]] || exit "${status}"
    # It was asked to.
    ((status != 0)) || exit 0
    note "${broker} ended with status ${status}"
    if ((SECONDS - begun >= 60)); then
      pause=1
    elif store_was_refused "${broker}" "${log_start}"; then
      # In a shell of its own: where that fails, what can be done is to try again.
      (set_store_aside "${broker}") || true
    fi
    # In the background, so that SIGTERM need not wait for it.
    sleep "${pause}" &
    wait "$!"
    [[ -z "${ending}" ]] || exit 0
    pause=$((pause < 30 ? pause * 2 : 30))
    note "${broker} is started again"
  done
}

# With the status that it ended with.
run_broker() {
  local child
  # Its end is seen when its last words are in the log. If nobody reads them, it goes on all the same.
  {
    trap '' PIPE
    exec_recorded "${data_dir}/$1.pid" mosquitto -c "${data_dir}/$1.conf" 2>&1 | log_without_repeats
    exit "${PIPESTATUS[0]}"
  } &
  child=$!
  while :; do
    wait "${child}"
    # Whoever ended this looks for the broker next, and finds it once it is written down.
    if [[ -n "${ending}" ]]; then
      wait_until 3 written_down_or_gone "$1" "${child}" || true
      exit 0
    fi
    # A signal to this shell ends the wait as well.
    kill -0 "${child}" 2>/dev/null || break
  done
  wait "${child}"
}

# shellcheck disable=SC2317 # called by wait_until
written_down_or_gone() {
  process_runs "${data_dir}/$1.pid" || ! kill -0 "$2" 2>/dev/null
}

# To the broker's log, in its form.
note() { printf '%s: %s\n' "$(date +%Y-%m-%dT%H:%M:%S)" "$*"; }

main "$@"
exit
