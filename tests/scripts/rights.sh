#!/usr/bin/env bash
# Who may read and write what at both brokers, as scripts/board1.sh, scripts/board2.sh and dualboard-setup set them up: every
# user with every topic, against a table of its own; then what somebody can do who has stolen a credential that works from the
# network, while the real programs run. Needs the release build for the second part.
#
# Usage: tests/scripts/rights.sh [-h] [MOSQUITTO]
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"
source "${here}/tests/scripts/lib/rights_tables.sh"
source "${here}/tests/scripts/lib/guarded_boards.sh"

declare sandbox mosquitto

main() {
  begin "$@"
  mosquitto="${1:-mosquitto}"
  make_guarded_boards
  trap clean_up EXIT
  the_documents_say_the_same 1
  the_documents_say_the_same 2
  # Without broker 2, whose bridge has the same users as the test, and would throw it out.
  start_broker_of 1
  nobody_comes_in_without_its_own_password 1
  every_user_may_do_what_the_table_says 1
  start_broker_of 2
  nobody_comes_in_without_its_own_password 2
  every_user_may_do_what_the_table_says 2
  if [[ -x "$(program card1_monitor)" ]]; then
    start_programs
    what_a_thief_tries_is_refused_or_harmless
  else
    printf 'skipped: no release build in %s, so no attacks on real programs\n' "$(program '')"
  fi
  count
}

clean_up() {
  end_guarded_boards
  rm -rf "${sandbox}"
}

refused() { ! "$@" >/dev/null 2>&1; }

nobody_comes_in_without_its_own_password() {
  local board="$1"
  check "broker ${board} answers on loopback" soon client "${board}" health mosquitto_sub -t x -E -W 5
  check "a stranger is refused on loopback at broker ${board}" refused mosquitto_sub -p "$(local_port "${board}")" -t x -E -W 5
  check "a stranger is refused from the network at broker ${board}" refused anonymous_from_network "${board}"
  check "plain text is refused from the network at broker ${board}" refused mosquitto_sub -p "$(network_port "${board}")" -t x -E -W 2
  check "a viewer is let in from the network at broker ${board}" client "${board}" viewer-wall mosquitto_sub -t x -E -W 5
  check "the password of the owner is worth nothing from the network at broker ${board}" \
    refused from_network "${board}" "card${board}_monitor" mosquitto_sub -t x -E -W 5
  check "the password of the scripts is worth nothing from the network at broker ${board}" \
    refused from_network "${board}" health mosquitto_sub -t x -E -W 5
  check "that of a viewer is worth nothing on loopback at broker ${board}" \
    refused on_loopback "${board}" viewer-wall mosquitto_sub -t x -E -W 5
}

anonymous_from_network() {
  mosquitto_sub -h 127.0.0.1 -p "$(network_port "$1")" --cafile "$(board_folder "$1")/tls/ca.crt" -t x -E -W 5
}

# every_user_may_do_what_the_table_says BOARD
every_user_may_do_what_the_table_says() {
  local board="$1" users user column=1
  read -r -a users < <("rights_at_${board}" | head -n 1)
  for user in "${users[@]:1}"; do
    column=$((column + 1))
    writes_what_the_table_says "${board}" "${user}" "${column}"
    reads_what_the_table_says "${board}" "${user}" "${column}"
  done
}

# What docs/operations.md says of each user.
the_documents_say_the_same() {
  local board="$1" users user column=1
  read -r -a users < <("rights_at_${board}" | head -n 1)
  for user in "${users[@]:1}"; do
    column=$((column + 1))
    check "docs/operations.md has the rights of ${user} at broker ${board}" \
      same "$(documented "${board}" "${user}")" "$(granted "${board}" "${user}" "${column}")"
  done
}

same() { [[ -n "$1" && "$1" == "$2" ]]; }

# granted BOARD USER COLUMN: a topic and r or w, a line each.
granted() {
  rows "$@" | awk '$1 !~ "^sensors/marker/" { for (place = 1; place <= length($2); place++) print $1, substr($2, place, 1) }' |
    grep -v -e '-$' | sort -u
}

# documented BOARD USER: the same, as docs/operations.md has it.
documented() {
  awk -F ' *[|] *' -v board="$1" -v user="$2" '
    BEGIN { shown = user; sub(/-(wall|desk)$/, "-NAME", shown) }
    /^[|]/ && $2 ~ "^at broker" { here = $2 == "at broker " board }
    here && $2 == "`" shown "`" { say($4, "w"); say($5, "r") }
    function say(list, right, count, topics, place, topic) {
      count = split(list, topics, ", ")
      for (place = 1; place <= count; place++) {
        topic = topics[place]
        gsub(/`/, "", topic)
        if (topic == "–") continue
        if (topic ~ /^its own state below/) print "$SYS/broker/connection/" user "/state", right
        else if (topic == "both states of the bridge") {
          print "$SYS/broker/connection/board2_bridge_in/state", right
          print "$SYS/broker/connection/board2_bridge_out/state", right
        } else print (topic ~ /^[$]SYS/ ? "" : "sensors/") topic, right
      }
    }' "${here}/docs/operations.md" | sort
}

# rows BOARD USER COLUMN: a topic and what the user may do there, a line each.
rows() {
  "rights_at_$1" | tail -n +2 | awk -v column="$3" -v user="$2" '{ gsub(/USER/, user, $1); print $1, $column }'
}

# listen BOARD USER FILE TOPIC...: all that it hears goes to FILE; comes back once it listens.
listen() {
  local board="$1" user="$2" file="$3" topics=() topic
  shift 3
  for topic in "$@"; do
    topics+=(-t "${topic}")
  done
  replace=1 client "${board}" "${user}" mosquitto_sub -q 1 "${topics[@]}" -F '%t %p' >"${file}" 2>/dev/null &
  listener=$!
  soon hears_the_judge "${board}" "sensors/marker/${user}/begin" "${file}"
}

hears_the_judge() {
  client "$1" judge mosquitto_pub -q 1 -t "$2" -m heard || return 1
  grep -qF "$2 heard" "$3"
}

stop_listening() {
  # One that is asked to end while it connects goes on.
  kill -KILL "${listener}" 2>/dev/null || true
  wait "${listener}" 2>/dev/null || true
}

writes_what_the_table_says() {
  local board="$1" user="$2" column="$3" topic may heard="${sandbox}/heard" seen
  listen "${board}" judge "${heard}" '#' "\$SYS/#"
  while read -r topic may; do
    client "${board}" "${user}" mosquitto_pub -V 5 -q 1 -t "${topic}" -m "${user} writes" >/dev/null 2>&1 || true
  done < <(rows "${board}" "${user}" "${column}")
  soon hears_the_judge "${board}" "sensors/marker/judge/end" "${heard}"
  stop_listening
  while read -r topic may; do
    seen=''
    ! grep -qxF "${topic} ${user} writes" "${heard}" || seen=1
    case "${may}" in
      *w*) check "${user} writes ${topic} at broker ${board}" test -n "${seen}" ;;
      *) check "${user} does not write ${topic} at broker ${board}" test -z "${seen}" ;;
    esac
  done < <(rows "${board}" "${user}" "${column}")
}

reads_what_the_table_says() {
  local board="$1" user="$2" column="$3" topic may heard="${sandbox}/heard" seen topics=()
  while read -r topic may; do
    topics+=("${topic}")
  done < <(rows "${board}" "${user}" "${column}")
  # One by one, and all at once.
  listen "${board}" "${user}" "${heard}" "${topics[@]}" '#' "\$SYS/#" 'sensors/+' 'sensors/marker/#'
  for topic in "${topics[@]}"; do
    client "${board}" judge mosquitto_pub -q 1 -t "${topic}" -m "for ${user}"
  done
  soon hears_the_judge "${board}" "sensors/marker/${user}/end" "${heard}"
  stop_listening
  while read -r topic may; do
    seen=''
    # What the broker itself says below $SYS counts too.
    ! grep -qF "${topic} " "${heard}" || seen=1
    case "${may}" in
      *r*) check "${user} reads ${topic} at broker ${board}" test -n "${seen}" ;;
      *) check "${user} does not read ${topic} at broker ${board}" test -z "${seen}" ;;
    esac
  done < <(rows "${board}" "${user}" "${column}")
}

# The credentials that work from the network, but for the bridge's: those are board 2's own voice at board 1.
what_a_thief_tries_is_refused_or_harmless() {
  local board user
  check 'all is live before' soon all_live_and_ok
  # Without the names of the files, which have numbers as well.
  check 'both logs say who has come' test "$(arrivals | grep -c ':[1-9]')" = 2
  for board in 1 2; do
    for user in viewer-wall operator-desk; do
      attack "${board}" "${user}"
      check "all is live and as it was after the attacks of ${user} at broker ${board}" soon all_live_and_ok
      check "no program has ended by ${user} at broker ${board}" programs_run
    done
  done
  for user in board2_bridge_in board2_bridge_out board2_bridge_alive; do
    client 1 "${user}" mosquitto_sub -t x -E -W 5 >/dev/null 2>&1 || true
    check "${user} throws the bridge out, and it comes back by itself" soon all_live_and_ok
    check "${user} presses no key at broker 1" nothing_changes command_of 1 "${user}"
    check "${user} acknowledges nothing at broker 1" denied 1 "${user}" sensors/card1/acknowledge
    check "${user} ends no owner of card 1" denied 1 "${user}" sensors/card1/alive
    check "${user} is no owner of card 1" denied 1 "${user}" sensors/card1
  done
  check 'the bridge is back by itself, and all is live' soon all_live_and_ok
  an_operator_may_press_keys
  toggles_still_work
}

readonly highest='9007199254740991'

# attack BOARD USER: the table of attacks.
attack() {
  local board="$1" user="$2" number before topic
  before="$(arrivals)"
  for topic in sensors/card1 sensors/card2 sensors/all sensors/witness sensors/board2/card1 sensors/board1/card2; do
    steal "${board}" "${user}" "${topic}" -r \
      -m "{\"sensor_1\":false,\"sensor_4\":false,\"versions\":{\"sensor_1\":[${highest},4294967295],\"sensor_4\":[${highest},4294967295]}}"
    check "${user} leaves nothing on ${topic} at broker ${board}" nothing_forged "${board}" "${topic}"
  done
  for number in 1 2 3 4; do
    for topic in sensors/card1/alive sensors/card2/alive; do
      steal "${board}" "${user}" "${topic}" -q 0 -m "{\"alive\":true,\"life\":7,\"uptime_ms\":99$((number * 2))000000,\"era\":1}"
    done
  done
  for topic in board2_bridge_in board2_bridge_out board2_bridge_alive "$(client_id_of_owner "${board}")"; do
    client "${board}" "${user}" mosquitto_sub -i "${topic}" -t x -E -W 5 >/dev/null 2>&1 || true
  done
  check "${user} throws nobody out of broker ${board}" test "$(arrivals)" = "${before}"
  # 100 messages of 2 MB for somebody who is away.
  for topic in sensors/all sensors/card1 "sensors/marker/${user}/away"; do
    for number in 1 2 3; do
      steal "${board}" "${user}" "${topic}" -q 1 -f "${sandbox}/large"
    done
  done
  check "large messages of ${user} do not fill broker ${board}" test "$(memory_of_broker "${board}")" -lt 60000
}

steal() {
  local board="$1" user="$2" topic="$3"
  shift 3
  client "${board}" "${user}" mosquitto_pub -V 5 -q 2 -t "${topic}" "$@" >/dev/null 2>&1 || true
}

nothing_forged() {
  local held
  held="$(client "$1" judge mosquitto_sub -t "$2" -C 1 -W 1 2>/dev/null)" || true
  [[ "${held}" != *"${highest}"* ]]
}

# denied BOARD USER TOPIC: nobody at this broker hears it.
denied() {
  local heard="${sandbox}/heard"
  listen "$1" judge "${heard}" "$3" sensors/marker/judge/+
  steal "$1" "$2" "$3" -m forged
  soon hears_the_judge "$1" sensors/marker/judge/end "${heard}"
  stop_listening
  ! grep -qxF "$3 forged" "${heard}"
}

nothing_changes() {
  "$@" >/dev/null 2>&1 || true
  all_live_and_ok
}

# command_of BOARD USER
command_of() { steal "$1" "$2" "sensors/card$1/set" -m "{\"sensor_$(($1 * 3))\":\"KO\"}"; }

# It is what this credential is for.
an_operator_may_press_keys() {
  local board
  for board in 1 2; do
    command_of "${board}" viewer-wall
    check "a viewer presses no key at broker ${board}" all_live_and_ok
    command_of "${board}" operator-desk
    check "an operator does at broker ${board}" soon sensor_is "$((board * 3))" false
    steal "${board}" operator-desk "sensors/card${board}/set" -m "{\"sensor_$((board * 3))\":\"OK\"}"
    check "and takes it back at broker ${board}" soon all_live_and_ok
  done
}

toggles_still_work() {
  check 'sensor 1 is toggled and CONFIRMED' toggle 1
  check 'sensor 4 is toggled and CONFIRMED' toggle 4
  check 'every screen has it' soon sensor_is 1 false
  restart_owners
  check 'after a restart sensor 1 is as it was' soon sensor_is 1 false
  check 'after a restart sensor 4 is as it was' soon sensor_is 4 false
  check 'and live' soon all_live
}

main "$@"
