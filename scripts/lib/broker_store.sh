#!/bin/sh
# After dualboard-broker has ended: a store that it cannot read is set aside. Otherwise it would not start again, however often, and a power
# cut that damages the store would leave a board without a broker. No sensor is lost by that: the programs and the other board have their own
# copies. (Mosquitto 2.1 ends too, but writes an empty store over it then.) systemd says how it has ended, and where the store is. <4> is a warning for the journal.
set -u
store="${STATE_DIRECTORY:?}/mosquitto.db"
[ "${SERVICE_RESULT:?}" != success ] && [ -s "${store}" ] || exit 0

# Does it read a copy, with nothing else that could go wrong?
trial="${STATE_DIRECTORY}/trial"
rm -rf "${trial}"
mkdir "${trial}" && cp "${store}" "${trial}/mosquitto.db" || exit 0
printf 'listener 0 %s/socket\nallow_anonymous false\nuser root\npersistence true\npersistence_location %s/\n' "${trial}" "${trial}" >"${trial}/trial.conf"
said="$(timeout --signal=KILL 3 "${MOSQUITTO:-/usr/sbin/mosquitto}" -c "${trial}/trial.conf" 2>&1)"
status=$?
rm -rf "${trial}"
case "${said}" in
  # It has read it.
  *'mosquitto version '*' starting'*) exit 0 ;;
  *"Couldn't open database"* | *'persistent database'*) ;;
  # A crash, unless it was this script that ended it.
  *) [ "${status}" -gt 128 ] && [ "${status}" -ne 137 ] || exit 0 ;;
esac
aside="${store}.damaged-$(date +%Y%m%dT%H%M%S)"
mv "${store}" "${aside}" && echo "<4>the store was damaged; set aside as ${aside}, and the broker starts with an empty one" >&2
