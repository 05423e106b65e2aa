#!/usr/bin/env bash
# What stands in the brokers' logs: each thing once and at once, and what is said again and again as a number.
# With real brokers as launch.sh starts them; the programs are stand-ins.
#
# Usage: tests/scripts/broker_logs.sh [-h]

# `launch` and `stop` take options in some of their calls only.
# shellcheck disable=SC2119
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"
source "${here}/scripts/lib/repeats.sh"

main() {
  begin "$@"
  enter_sandbox
  log="${data}/log/broker2.log"
  a_new_line_is_there_at_once
  lines_that_alternate_are_counted
  a_line_that_has_rested_is_new
  what_is_said_once_is_kept
  launch
  a_broker_outlives_the_readers_of_its_words
  tries_of_the_bridge_are_counted
  count
}

pid_of() { head -n 1 "${data}/$1.pid"; }
answers() { holds "$1" "\$SYS/broker/version" "$(mosquitto -h | awk 'NR == 1')"; }

# Opens file 3, of which everything goes through a filter with this period to the file `copied`.
open_filter() {
  rm -f words copied
  mkfifo words
  : >copied
  copy_without_repeats "$1" <words >copied &
  filter=$!
  exec 3>words
}
close_filter() {
  exec 3>&-
  wait "${filter}"
}
has_copied() { [[ "$(<copied)" == "$(printf '%s\n' "$@")" ]]; }

a_new_line_is_there_at_once() {
  open_filter 60
  printf '2026-01-01T00:00:00: one\n' >&3
  check 'a line is there before another one comes' soon has_copied '2026-01-01T00:00:00: one'
  printf 'two\n' >&3
  check 'the second as well' soon has_copied '2026-01-01T00:00:00: one' two
  close_filter
}

lines_that_alternate_are_counted() {
  local second
  open_filter 60
  for second in 1 2 3; do
    printf '2026-01-01T00:00:0%s: A\n17958570%s: B b 1%s00 ms\n' "${second}" "${second}" "${second}" >&3
  done
  printf '2026-01-01T00:00:04: A\nunended' >&3
  close_filter
  check 'each once, and at the end how often' has_copied '2026-01-01T00:00:01: A' '179585701: B b 1100 ms' unended \
    '2026-01-01T00:00:04: A (3 more like this)' '179585703: B b 1300 ms (2 more like this)'
}

a_line_that_has_rested_is_new() {
  open_filter 1
  printf 'A\nA\nA\n' >&3
  check 'the number comes when the period is over' soon has_copied A 'A (2 more like this)'
  printf 'A\n' >&3
  check 'a single repeat is the line itself' soon has_copied A 'A (2 more like this)' A
  close_filter
}

what_is_said_once_is_kept() {
  local number
  open_filter 60
  for ((number = 0; number < 100; number++)); do
    printf 'again\nonce %s\n' "${number}" >&3
  done
  close_filter
  check 'a hundred different lines among repeats' test "$(grep -c once copied)" = 100
}

# The brokers' keeper has a shell, whose children are the broker and the reader; the reader is one with a
# copier.
reader_of() { pgrep -P "$(pgrep -P "$(pid_of "$1.keeper")" -f keep.sh)" -f keep.sh; }

a_broker_outlives_the_readers_of_its_words() {
  local reader broker before
  broker="$(pid_of broker2)"
  reader="$(reader_of broker2)"
  before="$(wc -l <"${log}")"
  kill -KILL "$(pgrep -P "${reader}")"
  kill -HUP "${broker}"
  check 'a reader that is killed is followed by another one' soon has_new_line "${before}" 'Reloading config'
  # The first one, which would make another.
  kill -STOP "${reader}"
  kill -KILL "$(pgrep -P "${reader}")" "${reader}"
  kill -HUP "${broker}"
  check 'without any the broker goes on and answers' answers "${port2}"
  check 'it is the same one' test "$(pid_of broker2)" = "${broker}"
  check 'stop ends it' stop
  check 'and says so' says 'broker2: ended'
  launch
}
has_new_line() { tail -n "+$(($1 + 1))" "${log}" | grep -q "$2"; }

# A broker in the place of broker 1 that refuses the bridge, and whose own log counts the tries.
tries_of_the_bridge_are_counted() {
  local before
  kill -TERM "$(pid_of broker1)"
  printf 'listener %s 127.0.0.1\nallow_anonymous false\n' "${port1}" >refuser.conf
  soon nobody_listens "${port1}"
  mosquitto -c refuser.conf -v >refuser.log 2>&1 &
  before="$(wc -l <"${log}")"
  check 'the bridge tries again and again' soon tries 6
  check 'which is one line for each thing that it says' test -z "$(since "${before}" | sort | uniq -d)"
  check 'among them why it is refused' test -n "$(since "${before}" | grep -i 'not auth')"
  stop
  check 'and how often, when it ends' test -n "$(since "${before}" | grep 'more like this')"
}
nobody_listens() { ! somebody_listens "$1"; }
tries() { [[ "$(grep -c 'New connection' refuser.log 2>/dev/null)" -ge "$1" ]]; }
# since LINE: what the log has got after that line, without the time.
since() { tail -n "+$(($1 + 1))" "${log}" | sed 's/^[0-9T:-]*: //'; }

main "$@"
