#!/usr/bin/env bash
# What the two broker files promise, with real brokers as launch.sh starts them. The programs are stand-ins: only brokers
# and bridge count here.
#
# Usage: tests/scripts/broker_files.sh [-h]

# `launch` and `stop` take options in some of their calls only.
# shellcheck disable=SC2119
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"

declare own_port
readonly state_in="\$SYS/broker/connection/board2_bridge_in/state" state_out="\$SYS/broker/connection/board2_bridge_out/state"

main() {
  begin "$@"
  enter_sandbox
  claim_port own_port
  launch
  check 'the bridge is up' says 'bridge: up'
  programs_cannot_say_that_the_bridge_is_up
  rules_stay_after_a_reload
  large_messages_are_dropped_and_the_bridge_stays
  large_messages_do_not_fill_the_memory
  the_file_serves_by_hand
  without_access_rules
  a_long_queue_crosses_whole 2 1 sensors/all
  a_long_queue_crosses_whole 1 2 sensors/card1
  count
}

pid_of() { head -n 1 "${data}/$1.pid"; }
kill_broker() { kill -KILL "$(pid_of "$1")"; }
# An `a` so many times.
letters() { head -c "$1" /dev/zero | tr '\0' a; }
# By MQTT 3.1.1, where a broker that does not want a message cannot say so.
say() { mosquitto_pub -p "$1" -r "${@:2}" 2>/dev/null; }
nothing_at() { [[ -z "$(mosquitto_sub -p "$1" -t "$2" -C 1 -W 1 2>/dev/null)" ]]; }
# What is retained now, and every change for some seconds.
history_of() { mosquitto_sub -p "$1" -t "$2" -W 5 2>/dev/null | paste -sd' ' - || true; }
# A session that stays when its client leaves, with nothing waiting.
leave_a_session() {
  mosquitto_pub -p "$1" -q 2 -r -n -t "$2"
  mosquitto_sub -p "$1" -c -i absent -q 2 -t "$2" -E
}
# absent_gets PORT TOPIC MESSAGES: how many different messages that session had waiting or gets now, without what is only
# retained.
absent_gets() {
  mosquitto_sub -p "$1" -c -i absent -q 2 -t "$2" -R -C "$3" -W 20 -F '%.8p' 2>/dev/null | sort -u | wc -l || true
}
numbered() { seq -f "%08.0f $(letters "$2")" "$1"; }

programs_cannot_say_that_the_bridge_is_up() {
  local port state
  for port in "${port1}" "${port2}"; do
    for state in "${state_in}" "${state_out}"; do
      say "${port}" -q 2 -t "${state}" -m 9
      check "${state} at port ${port} is the bridge's word" holds "${port}" "${state}" 1
    done
  done
  say "${port1}" -q 2 -t "\$SYS/broker/uptime" -m 9
  say "${port1}" -q 2 -t other/topics -m stay
  check 'other topics are free' holds "${port1}" other/topics stay
  kill_broker broker2
  check 'a bridge that is killed is down at broker 1' soon holds "${port1}" "${state_out}" 0
  launch
  check 'and up when it is back' soon holds "${port1}" "${state_out}" 1
}

rules_stay_after_a_reload() {
  kill -HUP "$(pid_of broker1)" "$(pid_of broker2)"
  say "${port1}" -q 2 -t sensors/card1 -m reloaded
  check 'both brokers go on after SIGHUP' soon holds "${port2}" sensors/card1 reloaded
  say "${port1}" -q 2 -t "${state_out}" -m 9
  check 'with their rules' holds "${port1}" "${state_out}" 1
}

large_messages_are_dropped_and_the_bridge_stays() {
  say "${port1}" -q 2 -t sensors/large -m "$(letters 30000)" || true
  check '30 kB is not kept' nothing_at "${port1}" sensors/large
  say "${port1}" -q 2 -t sensors/large -m "$(letters 20480)" || true
  check '20 KiB is' holds "${port1}" sensors/large "$(letters 20480)"
  # As large as can be, and broker 1 gets it under a longer name.
  say "${port2}" -q 0 -t sensors/card1 -m "$(letters 20480)" || true
  say "${port2}" -q 0 -t sensors/card1 -m "$(letters 20464)" || true
  # Larger, on its way over the bridge.
  say "${port1}" -q 2 -t sensors/card1 -m "$(letters 30000)" || true
  say "${port2}" -q 2 -t sensors/all -m "$(letters 30000)" || true
  check 'the bridge is thrown out by none' test "$(history_of "${port1}" "${state_in}")" = 1
  say "${port1}" -q 2 -t sensors/card1 -m small
  check 'what is small crosses' soon holds "${port2}" sensors/card1 small
}

large_messages_do_not_fill_the_memory() {
  leave_a_session "${port1}" many
  numbered 1000 20000 | mosquitto_pub -p "${port1}" -q 2 -t many -l
  check 'at most 8 MB wait for a client that is away' test "$(absent_gets "${port1}" many 1000)" -le 421
}

# A broker that has access rules queues nothing for a session that it has restored, until the client is back (Mosquitto 2.0.11
# and 2.0.21). So there are none while a session counts what crosses.
without_access_rules() { sed -i '/^acl_file /d' mosquitto_broker1.conf mosquitto_bridge.conf; }

# As large as the programs' own. The whole of `max_queued_messages`.
a_long_queue_crosses_whole() {
  local from="$1" to="$2" topic="$3"
  local from_port="port${from}" to_port="port${to}" arrived
  leave_a_session "${!to_port}" "${topic}"
  kill "$(pid_of "broker${to}")"
  numbered 10000 490 | mosquitto_pub -p "${!from_port}" -q 2 -r -t "${topic}" -l
  launch
  arrived="$(absent_gets "${!to_port}" "${topic}" 10000)"
  check "10,000 from board ${from} arrive, ${arrived} did" test "${arrived}" = 10000
}

# In the project's folder, as the file itself says, but for the port.
the_file_serves_by_hand() {
  mkdir -p data/broker1
  sed "s/^listener 1883 /listener ${own_port} /" mosquitto_broker1.conf >by_hand.conf
  mosquitto -c by_hand.conf >by_hand.log 2>&1 &
  check 'started by hand it serves' soon say "${own_port}" -q 2 -t sensors/card1 -m one
  say "${own_port}" -q 2 -t "${state_in}" -m 9
  check 'with the same rules' nothing_at "${own_port}" "${state_in}"
}

main "$@"
