#!/usr/bin/env bash
# For developers. What a hub needs for many pairs of boards, and what a bridge with a prefix carries to it.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/needs.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/process.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
readonly options='
  --pairs value pairs - 1,10,100
  --seconds count seconds - 60
  --hub value hub_program - mosquitto
  --programs value programs
  --python value python
  --keep value keep
  --no-install switch no_install DUALBOARD_NO_INSTALL'
declare pairs seconds hub_program programs python keep no_install

# shellcheck source=scripts/lib/build.sh
source "${project}/scripts/lib/build.sh"
# shellcheck source=dev/lib/folder.sh
source "${project}/dev/lib/folder.sh"
# shellcheck source=dev/lib/seen.sh
source "${project}/dev/lib/seen.sh"
# shellcheck source=tests/scripts/lib/ports.sh
source "${project}/tests/scripts/lib/ports.sh"

readonly made="${project}/target/pairs"
# IPv4, TCP and its time stamps: what a segment has besides what it carries.
readonly segment_overhead=52
declare -A pids
declare hub_port view_port top_port pair3_port1 pair3_port2

usage() {
  cat <<'HELP'
For developers. Start a hub, and let real pairs of boards send to it over a Mosquitto bridge with a prefix: look at what arrives and what
does not. Record what one pair sends. Then let many simulated pairs send the same, at rest and at a toggle a minute, and print what
it costs the hub.

Usage: dev/pairs.sh [OPTION ...]

  --pairs N,N,...   how many simulated pairs, one after the other (default: 1,10,100)
  --seconds N       how long each is measured (default: 60)
  --hub PATH        the hub's Mosquitto (default: the one that is installed)
  --programs DIR    where card1_monitor, card2_monitor and card2_global_display are (default: they are built)
  --python PATH     a Python with paho-mqtt (default: that of scripts/test.sh, target/python)
  --keep DIR        keep stores, recordings and logs there, an empty or new folder (default: kept after a failure only)
  --no-install      only say what is missing, install nothing            DUALBOARD_NO_INSTALL=1
  -h, --help        this text

Each pair has a connection to the hub of its own. CPU time is the hub's alone, and includes a display that reads the states and heartbeats of all pairs.
Needs Linux. Everything runs on loopback, on free ports, in a folder of its own, and is ended at the end. Takes 5 minutes, and 3 more for
each number of pairs. Ends with status 0 if all that was looked for was seen.

Examples:
  dev/pairs.sh
  dev/pairs.sh --pairs 1,10,100,1000
  dev/pairs.sh --hub "$(dev/mosquitto_of.sh trixie)"
HELP
}

main() {
  parse_options "${options}" "$@"
  [[ "${pairs}" =~ ^[1-9][0-9]{0,4}(,[1-9][0-9]{0,4})*$ ]] || die_usage "--pairs '${pairs}': want numbers such as 1,10,100"
  provide_needs pairs_needs
  python="${python:-${project}/target/python/bin/python}"
  "${python}" -c 'import paho.mqtt.client' 2>/dev/null || die "${python} has no paho-mqtt; run scripts/test.sh once, or name another with --python"
  if [[ -z "${programs}" ]]; then
    build_programs card1_monitor card2_monitor card2_global_display
    programs="${programs_dir}"
  fi
  # What is tried has its own arguments, not those of a board that is installed here.
  export DUALBOARD_SETTINGS=''
  mkdir -p "${made}"
  folder="$(make_folder run)"
  finished=''
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  claim_port hub_port
  claim_port view_port
  claim_port top_port
  say "The hub is $("${hub_program}" -h 2>&1 | grep -m 1 -o 'mosquitto version [0-9.]*')."
  start_hub
  heading 'A bridge with a prefix: pair1 sends every topic, pair2 chosen ones'
  start_pair pair1 every_topic
  start_pair pair2 chosen_topics
  look_at_bridges
  look_at_tree
  heading 'What is sent'
  record_pairs
  stop_pair pair1
  stop_pair pair2
  heading 'What breaks'
  look_at_loops
  look_at_ids
  look_at_bridge_state
  look_at_restarts
  stop hub
  heading "Many pairs, each measured for ${seconds} s"
  measure_all
  finished=1
  conclude
}

pairs_needs() {
  missing_needs
  has_command ss || printf 'ss iproute2 iproute -\n'
  has_command python3 || printf 'python3 python3,python3-venv python3 python3\n'
}

# --- processes

# run NAME COMMAND...: in the background, with its words in a log.
run() {
  local name="$1"
  shift
  "$@" >>"${folder}/${name}.log" 2>&1 </dev/null &
  pids["${name}"]=$!
}

# stop NAME...: as an init system would. A broker that has only just begun may miss the first signal (seen).
stop() {
  local name pid
  for name in "$@"; do
    pid="${pids[${name}]}"
    while kill "${pid}" 2>/dev/null; do
      wait_until 3 is_gone "${pid}" || true
    done
    wait "${pid}" 2>/dev/null || true
    unset "pids[${name}]"
  done
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# join NAME: waits until it has ended by itself
join() {
  local name="$1" status=0
  wait "${pids[${name}]}" || status=$?
  unset "pids[${name}]"
  return "${status}"
}

kill_now() {
  kill -9 "${pids[$1]}"
  wait "${pids[$1]}" 2>/dev/null || true
  unset "pids[$1]"
}

clean_up() {
  stop "${!pids[@]}"
  if [[ -n "${finished}" && -z "${keep}" && ${#missed[@]} -eq 0 ]]; then
    rm -rf "${folder}"
  else
    say "Stores, recordings and logs are in ${folder}."
  fi
}

# --- the hub

# The settings of broker 1, and one more listener: there the topics of pair2 have no prefix. A pair has its own name as user name, and may
# write below that name only. Nobody has a password: it is all on loopback.
start_hub() {
  mkdir -p "${folder}/hub"
  # shellcheck disable=SC2016 # $SYS is a topic
  (umask 077 && printf '%s\n' 'topic readwrite #' 'topic read $SYS/#' 'pattern write %u/#' 'pattern read %u/sensors/+/set' 'pattern write $SYS/broker/connection/%c/state' \
    'user trusted' 'topic readwrite #' >"${folder}/hub.acl")
  {
    grep -v -e '^listener ' -e '^acl_file ' -e '^persistence_location ' -e '^log_type ' "${project}/mosquitto_broker1.conf"
    printf '%s\n' "persistence_location ${folder}/hub/" "acl_file ${folder}/hub.acl" "log_type error" "log_type warning" "log_type notice" \
      "listener ${hub_port} 127.0.0.1" "listener ${view_port} 127.0.0.1" 'mount_point pair2/'
  } >"${folder}/hub.conf"
  run hub "${hub_program}" -c "${folder}/hub.conf"
  wait_until 15 somebody_listens "${hub_port}" || die "the hub does not answer on port ${hub_port}; see ${folder}/hub.log"
}

at_hub() { mosquitto_sub -p "${hub_port}" -t "$1" -C 1 -W 3 2>/dev/null; }

# --- real pairs

# What is added to mosquitto_bridge.conf: one more connection.
bridge_to_hub() {
  cat <<CONF

connection $1_hub
address 127.0.0.1:${hub_port}
remote_clientid $1_hub
local_clientid $1_hub_local
remote_username $1
notifications true
bridge_protocol_version mqttv311
cleansession false
keepalive_interval 10
restart_timeout 1 2
CONF
}

every_topic() {
  bridge_to_hub "$1"
  printf 'topic # out 2 "" %s/\n' "$1"
}

# States, heartbeats, and what a display asks of $SYS; commands for card 2 the other way. No markers, no read-backs.
chosen_topics() {
  bridge_to_hub "$1"
  local topic
  for topic in all card1 card2; do
    printf 'topic %s out 2 sensors/ %s/sensors/\n' "${topic}" "$1"
  done
  for topic in card1/alive card2/alive board1/broker/uptime; do
    printf 'topic %s out 0 sensors/ %s/sensors/\n' "${topic}" "$1"
  done
  printf 'topic card2/set in 2 sensors/ %s/sensors/\n' "$1"
  # shellcheck disable=SC2016 # $SYS is a topic
  printf 'topic broker/connection/%s/state out 0 $SYS/ %s/sys/\n' board2_bridge_in "$1" board2_bridge_out "$1"
}

# start_pair NAME FUNCTION: both brokers and both monitors; FUNCTION prints the bridge to the hub
start_pair() {
  local pair="$1" ports="${1}_port"
  claim_port "${ports}1"
  claim_port "${ports}2"
  start_brokers "${pair}" "$2" none
  start_monitors "${pair}"
}

# port_of PAIR BOARD
port_of() {
  local name="$1_port$2"
  printf '%s' "${!name}"
}

# start_brokers PAIR BRIDGE-OF-BROKER-2 BRIDGE-OF-BROKER-1
start_brokers() {
  local pair="$1" board original port
  for board in 1 2; do
    original=mosquitto_broker1.conf
    ((board == 1)) || original=mosquitto_bridge.conf
    port="$(port_of "${pair}" "${board}")"
    mkdir -p "${folder}/${pair}/broker${board}" "${folder}/${pair}/state"
    {
      sed -e "s|^listener .*|listener ${port} 127.0.0.1|" -e "s|^acl_file .*|acl_file ${project}/mosquitto_access.acl|" \
        -e "s|^persistence_location .*|persistence_location ${folder}/${pair}/broker${board}/|" \
        -e "s|^address .*|address 127.0.0.1:$(port_of "${pair}" 1)|" "${project}/${original}"
      if ((board == 2)); then
        "$2" "${pair}"
      elif [[ "$3" != none ]]; then
        "$3" "${pair}"
      fi
    } >"${folder}/${pair}/broker${board}.conf"
    run "${pair}-broker${board}" mosquitto -c "${folder}/${pair}/broker${board}.conf"
    wait_until 15 somebody_listens "${port}" || die "broker ${board} of ${pair} does not answer; see ${folder}/${pair}-broker${board}.log"
  done
}

start_monitors() {
  local board
  for board in 1 2; do
    run "$1-card${board}" "${programs}/card${board}_monitor" --service --broker "$(url_of "$1" "${board}")" --state-dir "${folder}/$1/state"
  done
}

url_of() { printf 'mqtt://127.0.0.1:%s' "$(port_of "$1" "$2")"; }

stop_pair() { stop "$1"-card1 "$1"-card2 "$1"-broker2 "$1"-broker1; }

# toggle PAIR SENSOR: ends when the other board has it
toggle() {
  local board=1
  (($2 < 4)) || board=2
  "${programs}/card${board}_monitor" --toggle "$2" --timeout 20 --broker "$(url_of "$1" "${board}")" --state-dir "${folder}/$1/state" \
    >>"${folder}/toggle.log" 2>&1 </dev/null
}

# --- what a bridge with a prefix carries

look_at_bridges() {
  expect 15 'the hub has the six states of pair1, as broker 2 has them' same_at_hub pair1
  expect 15 'and of pair2' same_at_hub pair2
  expect 5 'a toggle on board 1 of pair1 is CONFIRMED' toggle pair1 1
  expect 5 'and is at the hub' same_at_hub pair1
  # shellcheck disable=SC2016 # $SYS is a topic
  expect 5 'the hub says that the bridge of pair1 is up: $SYS/broker/connection/pair1_hub/state' is_at_hub '$SYS/broker/connection/pair1_hub/state' 1
  # shellcheck disable=SC2016 # $SYS is a topic
  expect 10 'with every topic, the state of the bridge between the boards is not at the hub: # leaves $SYS out' hub_lacks 'pair1/+/broker/connection/#'
  expect 10 'chosen, with QoS 0, it is: pair2/sys/broker/connection/board2_bridge_in/state' is_at_hub pair2/sys/broker/connection/board2_bridge_in/state 1
  expect 10 'with every topic, a command on board 2 of pair1 is read at the hub' command_crosses pair1
  expect 10 'with chosen topics it is not' command_stays pair2
  expect 10 'a command at the hub does not reach pair1' command_from_hub_is_lost
  expect 10 'it reaches pair2, which takes card2/set from there' command_from_hub_is_done
  expect 10 'a pair cannot write below the name of another one' only_below_its_name
  if display_says true; then
    expect 1 'an unchanged card2_global_display on a listener with mount_point shows all six sensors LIVE' true
    kill_now pair2-broker2
    expect 20 'broker 2 of pair2 is killed: this display shows them HELD' display_says false
    run pair2-broker2 mosquitto -c "${folder}/pair2/broker2.conf"
    expect 30 'it is back: LIVE' display_says true
  else
    say "          this hub does not take the prefix off behind mount_point (Mosquitto 2.0.11, issue 2244): the display shows nothing"
  fi
  kill_now hub
  rm -f "${folder}/hub/mosquitto.db"
  expect 5 'the hub is killed: a toggle is CONFIRMED between the boards' toggle pair1 5
  start_hub
  expect 15 'the hub is back with an empty store: it has the states of pair1 again' same_at_hub pair1
  kill_now pair1-broker2
  rm -f "${folder}/pair1/broker2/mosquitto.db"
  run pair1-broker2 mosquitto -c "${folder}/pair1/broker2.conf"
  expect 20 'broker 2 of pair1 is killed and has lost its store: the hub has the states' same_at_hub pair1
}

same_at_hub() {
  local there here
  here="$(mosquitto_sub -p "$(port_of "$1" 2)" -t sensors/all -C 1 -W 3 2>/dev/null)" || return 1
  there="$(at_hub "$1/sensors/all")" || return 1
  [[ "${here}" == *'"sensor_6":'[tf]* && "${here}" == "${there}" ]]
}

is_at_hub() {
  local said
  said="$(at_hub "$1")" && [[ "${said}" == "$2" ]]
}

hub_lacks() { ! at_hub "$1" >/dev/null; }

# command_crosses PAIR: a command that changes nothing
command_crosses() {
  mosquitto_sub -p "${hub_port}" -t "$1/sensors/card2/set" -C 1 -W 4 >"${folder}/command" 2>/dev/null &
  local listener=$!
  sleep 1
  mosquitto_pub -p "$(port_of "$1" 2)" -q 2 -t sensors/card2/set -m '{"sensor_4":"OK"}'
  wait "${listener}" && [[ -s "${folder}/command" ]]
}

command_stays() { ! command_crosses "$1"; }

command_from_hub_is_lost() {
  local before after
  before="$(at_hub pair1/sensors/all)" || return 1
  mosquitto_pub -p "${hub_port}" -q 2 -t pair1/sensors/card2/set -m '{"toggle":[6]}'
  sleep 2
  after="$(at_hub pair1/sensors/all)" && [[ "${before}" == "${after}" ]]
}

command_from_hub_is_done() {
  mosquitto_pub -p "${hub_port}" -q 2 -t pair2/sensors/card2/set -m '{"sensor_6":"KO"}'
  sleep 2
  [[ "$(at_hub pair2/sensors/all)" == *'"sensor_6":false'* ]]
}

# As the user pair1: what is below pair2 does not arrive, what is below pair1 does.
only_below_its_name() {
  mosquitto_sub -p "${hub_port}" -t '+/trial' -C 1 -W 4 >"${folder}/trial" 2>/dev/null &
  local listener=$!
  sleep 1
  mosquitto_pub -p "${hub_port}" -u pair1 -q 2 -t pair2/trial -m forged
  mosquitto_pub -p "${hub_port}" -u pair1 -q 2 -t pair1/trial -m own
  wait "${listener}" && [[ "$(<"${folder}/trial")" == own ]]
}

# display_says true|false: whether both cards are live on a display behind mount_point
display_says() {
  local said
  said="$("${programs}/card2_global_display" --once --json --timeout 12 --broker "mqtt://127.0.0.1:${view_port}" 2>>"${folder}/display.log")" || true
  [[ "${said}" == *"\"live\":{\"card1\":$1,\"card2\":$1}"* ]]
}

# One more hub above the hub, with one more level of prefix.
look_at_tree() {
  mkdir -p "${folder}/top"
  printf '%s\n' "listener ${top_port} 127.0.0.1" 'allow_anonymous true' 'connection top' "address 127.0.0.1:${hub_port}" 'remote_clientid top' \
    'restart_timeout 1 2' 'topic +/sensors/all in 0 region1/ ""' >"${folder}/top.conf"
  run top "${hub_program}" -c "${folder}/top.conf"
  expect 10 'a hub above the hub has the states of pair1, retained, below region1/pair1/' at_top
  stop top
}

at_top() {
  local there here
  there="$(mosquitto_sub -p "${top_port}" -t region1/pair1/sensors/all --retained-only -C 1 -W 3 2>/dev/null)" || return 1
  here="$(at_hub pair1/sensors/all)" && [[ "${here}" == "${there}" ]]
}

# --- what one pair sends

record_pairs() {
  local pair what
  for pair in pair1 pair2; do
    run "record-${pair}" "${python}" "${project}/dev/pairs.py" record "${hub_port}" "${pair}" 60 "${folder}/${pair}-rest.json"
  done
  for pair in pair1 pair2; do
    join "record-${pair}" || die "cannot record; see ${folder}/record-${pair}.log"
  done
  run record-pair1 "${python}" "${project}/dev/pairs.py" record "${hub_port}" pair1 120 "${folder}/pair1-toggle.json"
  sleep 25
  toggle pair1 2 || miss 'a toggle while it is recorded is CONFIRMED'
  sleep 60
  toggle pair1 6 || miss 'a toggle while it is recorded is CONFIRMED'
  join record-pair1 || die "cannot record; see ${folder}/record-pair1.log"
  for what in pair1-rest pair2-rest pair1-toggle; do
    say "  ${what}:"
    "${python}" "${project}/dev/pairs.py" table "${folder}/${what}.json"
  done
}

# --- what breaks

both_ways() {
  bridge_to_hub "$1"
  printf 'topic # both 2 "" %s/\n' "$1"
}

# Of broker 1, which needs other ids.
both_ways_1() { both_ways "$1" | sed "s/$1_hub/$1_hub_of_broker1/"; }

# With the right to read as well.
trusted_both_ways() { both_ways "$1" | sed 's/^remote_username .*/remote_username trusted/'; }
trusted_both_ways_1() { both_ways_1 "$1" | sed 's/^remote_username .*/remote_username trusted/'; }

# Two boards without programs, so that only the bridges speak.
look_at_loops() {
  claim_port pair3_port1
  claim_port pair3_port2
  start_brokers pair3 every_topic none
  count_one 'one message, topic # out from broker 2'
  stop pair3-broker2 pair3-broker1
  start_brokers pair3 trusted_both_ways none
  count_one 'one message, topic # both from broker 2'
  stop pair3-broker2 pair3-broker1
  start_brokers pair3 both_ways both_ways_1
  count_one 'one message, topic # both from both brokers, which may only write at the hub'
  stop pair3-broker2 pair3-broker1
  start_brokers pair3 trusted_both_ways trusted_both_ways_1
  count_one 'one message, topic # both from both brokers, which may also read there'
  kill_now pair3-broker2
  kill_now pair3-broker1
}

# How often one message of card 1 arrives at the hub within 2 s. QoS 0, so that a loop leaves no queue.
count_one() {
  sleep 3
  timeout 4 mosquitto_sub -p "${hub_port}" -t pair3/sensors/card1/alive >"${folder}/arrived" 2>/dev/null &
  local listener=$!
  sleep 1
  mosquitto_pub -p "${pair3_port1}" -t sensors/card1/alive -m '{"alive":true,"life":1}'
  wait "${listener}" || true
  say "  $(wc -l <"${folder}/arrived") times at the hub within 3 s: $1"
}

# A broker with pair2's client id, while pair2 is connected.
look_at_ids() {
  local before after
  start_brokers pair2 chosen_topics none
  sleep 2
  before="$(takeovers)"
  start_brokers pair3 pair2_by_mistake none
  sleep 10
  after="$(takeovers)"
  say "  $((after - before)) times in 10 s the hub ended a connection: two pairs with one remote_clientid"
  stop pair3-broker2 pair3-broker1 pair2-broker2 pair2-broker1
}

# How often the hub has ended a connection for another one with its client id, in the words of 2.0 and 2.1.
takeovers() { grep -c -e 'already connected' -e 'session taken over' "${folder}/hub.log" || true; }

pair2_by_mistake() { chosen_topics pair2; }

# Does the hub have the state of the bridge between the boards, 1, after it has come up?
look_at_bridge_state() {
  local qos round wrong
  for qos in 1 0; do
    wrong=0
    for ((round = 1; round <= 5; round++)); do
      start_brokers pair3 "state_with_qos_${qos}" none
      sleep 4
      is_at_hub 'pair3/sys/#' 1 || wrong=$((wrong + 1))
      stop pair3-broker2 pair3-broker1
      rm -f "${folder}"/pair3/broker[12]/mosquitto.db
    done
    say "  ${wrong} of 5 starts left 0 at the hub for the bridge between the boards, which was up: its state out ${qos}"
  done
}

# shellcheck disable=SC2016 # $SYS is a topic
state_with_qos_1() { bridge_to_hub "$1" && printf 'topic broker/connection/board2_bridge_in/state out 1 $SYS/ %s/sys/\n' "$1"; }
# shellcheck disable=SC2016 # $SYS is a topic
state_with_qos_0() { state_with_qos_1 "$1" | sed 's/ out 1 / out 0 /'; }

# Is the hub's copy the newest one after broker 2 was restarted? Without programs nobody publishes again.
look_at_restarts() {
  local qos round older
  for qos in 2 0; do
    older=0
    start_brokers pair3 "all_with_qos_${qos}" none
    for ((round = 1; round <= 10; round++)); do
      stop pair3-broker2
      run pair3-broker2 mosquitto -c "${folder}/pair3/broker2.conf"
      wait_until 10 mosquitto_pub -p "${pair3_port2}" -q 2 -r -t sensors/all -m "${qos}-${round}" 2>/dev/null || die 'broker 2 of pair3 does not come back'
      sleep 3
      if ! is_at_hub pair3/sensors/all "${qos}-${round}"; then
        # Not only late?
        sleep 10
        is_at_hub pair3/sensors/all "${qos}-${round}" || older=$((older + 1))
      fi
    done
    stop pair3-broker2 pair3-broker1
    say "  ${older} of 10 restarts of broker 2 left an older state at the hub: topic all out ${qos}"
  done
}

all_with_qos_2() { bridge_to_hub "$1" && printf 'topic all out 2 sensors/ %s/sensors/\n' "$1"; }
all_with_qos_0() { all_with_qos_2 "$1" | sed 's/ out 2 / out 0 /'; }

# --- many pairs

measure_all() {
  say "  pairs  what          CPU s a pair-hour  CPU %  resident MB  messages/s in  to the display  kB/s on the wire  store kB  connections"
  local count
  for count in ${pairs//,/ }; do
    measure "${count}" 'at rest' pair1-rest all
    measure "${count}" 'toggle a min' pair1-toggle all
    measure "${count}" 'states only' pair1-toggle states
  done
}

# measure COUNT WORDS RECORDING WHAT
measure() {
  local count="$1" words="$2" cpu wire memory store connections sent received answers speak
  rm -rf "${folder}/hub"
  start_hub
  coproc "${python}" "${project}/dev/pairs.py" replay "${hub_port}" "${count}" "${folder}/$3.json" "$4" 2>>"${folder}/replay.log"
  # What coproc sets is gone when it ends.
  # shellcheck disable=SC2154 # coproc sets it
  pids[replay]="${COPROC_PID}" answers="${COPROC[0]}" speak="${COPROC[1]}"
  read -r -t 120 -u "${answers}" _ || die "the simulated pairs do not come up; see ${folder}/replay.log"
  sleep 2
  printf '\n' >&"${speak}"
  read -r -t 10 -u "${answers}" _
  cpu="$(cpu_of hub)" wire="$(bytes_on_the_wire)"
  sleep "${seconds}"
  printf '\n' >&"${speak}"
  cpu="$(awk -v from="${cpu}" -v to="$(cpu_of hub)" 'BEGIN {print to - from}')" wire=$(($(bytes_on_the_wire) - wire))
  read -r -t 10 -u "${answers}" sent received || die "the simulated pairs have ended; see ${folder}/replay.log"
  memory="$(awk '/^VmRSS/ {print $2}' "/proc/${pids[hub]}/status")"
  connections="$(connections_of_hub | wc -l)"
  kill -USR1 "${pids[hub]}"
  wait_until 10 test -s "${folder}/hub/mosquitto.db" || die 'the hub does not save its store'
  sleep 0.5
  store="$(stat -c %s "${folder}/hub/mosquitto.db")"
  awk -v n="${count}" -v words="${words}" -v cpu="${cpu}" -v s="${seconds}" -v memory="${memory}" -v sent="${sent}" \
    -v received="${received}" -v wire="${wire}" -v store="${store}" -v connections="${connections}" 'BEGIN {
      printf "  %5d  %-12s  %17.2f  %5.2f  %11.1f  %13.1f  %14.1f  %16.2f  %8.1f  %11d\n", n, words, cpu / s * 3600 / n, cpu / s * 100,
        memory / 1024, sent / s, received / s, wire / s / 1000, store / 1000, connections }'
  stop replay hub
}

# cpu_of NAME: seconds of CPU time of its first thread; Mosquitto has no other. The scheduler counts them in nanoseconds, /proc/PID/stat in
# hundredths.
cpu_of() {
  local pid="${pids[$1]}" fields
  if [[ -r "/proc/${pid}/schedstat" ]]; then
    awk '{printf "%.6f", $1 / 1e9}' "/proc/${pid}/schedstat"
  else
    read -r -a fields <<<"$(sed 's/.*) //' "/proc/${pid}/stat")"
    awk -v ticks=$((fields[11] + fields[12])) -v each="$(getconf CLK_TCK)" 'BEGIN {printf "%.6f", ticks / each}'
  fi
}

# A line for each connection of the hub: its end, not that of the client.
connections_of_hub() { ss -Htino state established "sport = :${hub_port}" | paste - -; }

# Both directions, with the headers of IP and TCP.
bytes_on_the_wire() {
  connections_of_hub | awk -v overhead="${segment_overhead}" '
    { for (i = 1; i <= NF; i++) { split($i, part, ":")
        if (part[1] == "bytes_sent" || part[1] == "bytes_received") sum += part[2]
        if (part[1] == "segs_out" || part[1] == "segs_in") sum += part[2] * overhead } }
    END { printf "%d", sum }'
}

main "$@"
