#!/usr/bin/env bash
# What the unit of the broker does when the broker has ended: a store that Mosquitto cannot read is set aside, any other stays.
#
# Usage: tests/scripts/broker_store.sh [-h]
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"

declare sandbox port1

main() {
  begin "$@"
  sandbox="$(mktemp -d)"
  trap 'rm -rf "${sandbox}"' EXIT
  claim_port port1
  export PATH="${PATH}:/usr/sbin" STATE_DIRECTORY="${sandbox}"
  store="${sandbox}/mosquitto.db"
  make_store
  cp "${store}" "${sandbox}/whole"
  check 'a store that is whole stays' after exit-code
  check 'as it was' cmp -s "${store}" "${sandbox}/whole"
  head -c "$(($(wc -c <"${sandbox}/whole") - 20))" "${sandbox}/whole" >"${sandbox}/short"
  head -c 3000 /dev/zero >"${sandbox}/zeros"
  local damage
  for damage in short zeros; do
    cp "${sandbox}/${damage}" "${store}"
    check "one that is damaged (${damage}) stays while nothing has failed" after success
    check 'it is there' test -e "${store}"
    check 'after a failure it is set aside' after exit-code
    check 'so that the broker starts with an empty one' test ! -e "${store}"
    check 'and it is kept' cmp -s "${sandbox}/${damage}" "$(find "${sandbox}" -name 'mosquitto.db.damaged-*')"
    rm "${sandbox}"/mosquitto.db.damaged-*
  done
  check 'without a store nothing is done' after exit-code
  check 'nothing is left of a trial' test ! -e "${sandbox}/trial"
  count
}

# after RESULT: what systemd runs then
after() { SERVICE_RESULT="$1" MOSQUITTO=mosquitto sh "${here}/scripts/lib/broker_store.sh" 2>/dev/null; }

make_store() {
  local broker
  printf '%s\n' "listener ${port1} 127.0.0.1" 'allow_anonymous true' 'user root' 'persistence true' "persistence_location ${sandbox}/" >"${sandbox}/conf"
  mosquitto -c "${sandbox}/conf" 2>/dev/null &
  broker=$!
  soon publish "${port1}" sensors/all one 2>/dev/null
  kill "${broker}"
  wait "${broker}" || true
}

main "$@"
