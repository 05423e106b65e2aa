#!/usr/bin/env bash
# launch.sh and stop.sh with real brokers and a real tmux. The programs and cargo are stand-ins, so that this takes seconds:
# what the real programs do is tested elsewhere.
#
# Usage: tests/scripts/launch_and_stop.sh [-h]

# `launch` and `stop` take options in some of their calls only.
# shellcheck disable=SC2119
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"

declare second_port1 second_port2 other_port

main() {
  begin "$@"
  enter_sandbox
  local name
  for name in second_port1 second_port2 other_port; do
    claim_port "${name}"
  done
  starts_everything
  second_launch_attaches
  fits_and_keeps_the_zoom
  says_how_to_see_it_where_nobody_looks
  restores_what_brokers_held
  revives_what_was_killed
  keeps_the_brokers
  reopens_what_was_closed
  carries_a_long_queue
  survives_a_killed_tmux_server
  passes_settings_on
  sets_a_damaged_store_aside
  names_who_holds_a_port
  leaves_other_sessions_alone
  ignores_stale_process_ids
  two_copies_side_by_side
  refuses_old_rust
  refuses_bad_arguments
  count
}

clean_up() {
  scripts/stop.sh >/dev/null 2>&1 || true
  scripts/stop.sh --session second >/dev/null 2>&1 || true
  tmux kill-server 2>/dev/null || true
  rm -rf "${sandbox}"
}

pid_of() { head -n 1 "${data}/$1.pid" 2>/dev/null; }
runs() { kill -0 "$(pid_of "$1")" 2>/dev/null; }
gone() { ! kill -0 "$1" 2>/dev/null; }
panes() { tmux list-panes -s -t dualboard -F '#{pane_title}' | paste -sd' ' -; }
smallest_pane() { tmux list-panes -t dualboard:programs -F '#{pane_width} #{pane_height}' | awk '$1 < 80 || $2 < 24' | wc -l; }
# lacks PANE WORDS: nothing like it stands on the pane's visible screen.
lacks() { [[ "$(tmux capture-pane -p -J -t "dualboard:programs.$1")" != *"$2"* ]]; }
shows() { [[ "$(tmux capture-pane -p -J -S - -t "dualboard:programs.$1")" == *"$2"* ]]; }
starts_everything() {
  check 'launch succeeds' launch
  check 'it says how to attach' says 'tmux attach -t dualboard'
  check 'the bridge is up' says 'bridge: up'
  check 'a pane a program and a broker' test "$(panes)" = 'card1_monitor card2_monitor card2_global_display broker1 broker2'
  check 'each program has 80x24' test "$(smallest_pane)" = 0
  check 'card 1 is told its broker' soon shows 0 "mqtt://localhost:${port1}"
  check 'card 2 is told its broker' soon shows 1 "mqtt://localhost:${port2}"
  check 'nobody else reads the data' test "$(find "${data}" -perm /077 | wc -l)" = 0
  publish "${port1}" sensors/card1 one
  check 'the bridge carries card 1' soon holds "${port2}" sensors/card1 one
  publish "${port2}" sensors/all all
  check 'the bridge carries all' soon holds "${port1}" sensors/all all
}

second_launch_attaches() {
  local before
  before="$(pid_of broker1) $(pid_of card1_monitor)"
  check 'a second launch succeeds' launch
  check 'it starts nothing' test "$(pid_of broker1) $(pid_of card1_monitor)" = "${before}"
  check 'other settings are said to wait' launch --port1 "${other_port}"
  check 'and it says so' says 'with other settings'
}

# Seen in a terminal of 80x24, which another tmux server makes.
fits_and_keeps_the_zoom() {
  local outer=(tmux -L outer)
  tmux resize-pane -Z -t "dualboard:programs.1"
  "${outer[@]}" new-session -d -x 80 -y 24 "env -u TMUX scripts/launch.sh"
  check 'the last line is whole' soon outer_shows 'brokers .*stop.sh: end'
  check 'a pane that is zoomed stays so' test "$(tmux display-message -p -t dualboard:programs '#{window_zoomed_flag}')" = 1
  "${outer[@]}" kill-server
  tmux resize-pane -Z -t "dualboard:programs.1"
}

# The session is in the same server, and nobody looks at it.
says_how_to_see_it_where_nobody_looks() {
  tmux new-session -d -s unseen -x 80 -y 24 'scripts/launch.sh; read -r'
  check 'without anybody to show it to, it says how to see it' soon unseen_shows 'To see it: tmux attach -t dualboard'
  tmux kill-session -t unseen
}

unseen_shows() { tmux capture-pane -p -t unseen 2>/dev/null | tee "${sandbox}/unseen.txt" | grep -q "$1"; }

outer_shows() { tmux -L outer capture-pane -p 2>/dev/null | tail -n 1 | tee "${sandbox}/outer.txt" | grep -q "$1"; }

restores_what_brokers_held() {
  check 'stop succeeds' stop
  check 'brokers are gone' test ! -e "${data}/broker1.pid"
  check 'the session is gone' test "$(tmux list-sessions 2>/dev/null | wc -l)" = 0
  check 'a second stop finds nothing' stop
  check 'and says so' says 'Nothing'
  launch
  check 'broker 1 kept its state' soon holds "${port1}" sensors/all all
  check 'broker 2 kept its state' soon holds "${port2}" sensors/card1 one
}

revives_what_was_killed() {
  local name
  for name in broker1 broker2 card1_monitor card2_global_display; do
    kill -KILL "$(pid_of "${name}")"
  done
  check 'a pane says how its program ended' soon shows 0 'ended with status 137'
  check 'and shows nothing else as if it were so' lacks 0 'LIVE'
  tmux send-keys -t "dualboard:programs.0" Enter
  check 'Enter starts it again' soon runs card1_monitor
  kill -KILL "$(pid_of card1_monitor)"
  check 'launch after kill -9' launch
  for name in broker1 broker2 card1_monitor card2_monitor card2_global_display; do
    check "${name} runs again" soon runs "${name}"
  done
}

keeps_the_brokers() {
  local before name
  before="$(pid_of broker1)"
  kill -KILL "${before}"
  check 'a broker that was killed runs again' soon runs_anew broker1 "${before}"
  check 'its log says what happened' soon grep -q 'broker1 ended with status 137' "${data}/log/broker1.log"
  before="$(pid_of broker1)"
  kill -KILL "${before}"
  check 'once more' soon runs_anew broker1 "${before}"
  check 'it has what it was told' soon holds "${port1}" sensors/all all
  before="$(pid_of broker2)"
  kill -TERM "${before}"
  check 'one that was asked to end' soon gone "${before}"
  sleep 2.5
  check 'stays ended' gone "$(pid_of broker2)"
  check 'until the next launch' launch
  check 'which starts it' soon runs broker2
  before="$(pid_of broker1) $(pid_of broker2) $(pid_of broker1.keeper) $(pid_of broker2.keeper)"
  kill -KILL "$(pid_of broker1)" "$(pid_of broker2.keeper)"
  check 'stop, while one waits to be started and nobody watches the other' stop
  sleep 2.5
  for name in ${before} "$(pid_of broker1)" "$(pid_of broker2)"; do
    check 'leaves nothing' gone "${name}"
  done
  launch
  printf 'not a store' >"${data}/broker2/mosquitto.db"
  kill -KILL "$(pid_of broker2)"
  check 'one whose store is damaged when it is started again' soon holds "${port2}" "\$SYS/broker/version" "$(mosquitto -h | awk 'NR == 1')"
  check 'has set it aside' test -n "$(compgen -G "${data}/broker2/mosquitto.db.damaged-*")"
}

runs_anew() {
  local pid
  pid="$(pid_of "$1")"
  [[ "${pid:-$2}" != "$2" ]] && kill -0 "${pid}" 2>/dev/null
}

reopens_what_was_closed() {
  tmux kill-pane -t "dualboard:programs.1"
  check 'launch after a pane was closed' launch
  check 'says that it opens it again' says 'card2_monitor: its pane was closed'
  check 'its program runs again' soon runs card2_monitor
  tmux kill-window -t "dualboard:programs"
  check 'launch after all panes were closed' launch
  local name
  for name in card1_monitor card2_monitor card2_global_display; do
    check "${name} runs again" soon runs "${name}"
  done
}

# With Mosquitto's default of 20 messages in flight, version 2.0.11 keeps the 40th and forgets the rest.
carries_a_long_queue() {
  kill -KILL "$(pid_of broker1)"
  seq 100 | mosquitto_pub -p "${port2}" -q 2 -r -t sensors/all -l
  launch
  check 'the last of 100 messages from the time without broker 1 stays' soon holds "${port1}" sensors/all 100
  kill -KILL "$(pid_of broker2)"
  seq 100 | mosquitto_pub -p "${port1}" -q 2 -r -t sensors/card1 -l
  launch
  check 'the last of 100 messages from the time without broker 2 stays' soon holds "${port2}" sensors/card1 100
}

# The tmux server is older than the setting.
passes_settings_on() {
  # First, so that its server never ends for want of a session.
  tmux new-session -d -s keeps_the_server
  stop
  DUALBOARD_LOG_LEVEL='debug and more' DUALBOARD_NAMES='1=Front door,4=Pump "A" & B' \
    DUALBOARD_STATE_DIR="${sandbox}/elsewhere" launch
  check "a program's setting reaches it" soon shows 0 'log level: debug and more'
  check 'names as they were written' soon shows 1 'names: 1=Front door,4=Pump "A" & B'
  check 'the state folder as well' soon shows 1 "--state-dir ${sandbox}/elsewhere"
  check 'the display has none' soon shows 2 'log level: debug and more'
  stop
  launch
  tmux kill-session -t keeps_the_server
}

survives_a_killed_tmux_server() {
  local server program
  server="$(tmux display-message -p '#{pid}')"
  program="$(pid_of card1_monitor)"
  kill -KILL "${server}"
  check 'launch after the tmux server was killed' launch
  check 'the old program is gone' soon gone "${program}"
  check 'a new one runs' soon runs card1_monitor
}

sets_a_damaged_store_aside() {
  stop
  printf 'not a store' >"${data}/broker1/mosquitto.db"
  check 'launch with a damaged store' launch
  check 'it says so' says 'its store was damaged'
  check 'the damaged store is kept' test "$(cat "${data}"/broker1/mosquitto.db.damaged-*)" = 'not a store'
}

names_who_holds_a_port() {
  stop
  mosquitto -p "${port1}" 2>/dev/null &
  local other=$!
  soon holds "${port1}" "\$SYS/broker/version" "$(mosquitto -h | awk 'NR == 1')" || true
  check 'a port in use is named with its holder' fails_saying "mosquitto (process ${other})" scripts/launch.sh
  check 'and the way out' says 'another port: scripts/launch.sh --port1 '
  check 'which keeps what else was asked for' fails_saying \
    "another port: scripts/launch.sh --session other --data-dir ${sandbox}/else --port2 ${other_port} --detach --port1 $((port1 + 10))" \
    scripts/launch.sh --session other --port1 "${port1}" --data-dir "${sandbox}/else" --port2 "${other_port}" --detach
  check 'stop leaves it alone' stop
  check 'it still runs' kill -0 "${other}"
  kill "${other}"
  wait "${other}" || true
}

leaves_other_sessions_alone() {
  tmux new-session -d -s dualboard
  check "somebody's session of that name is not taken" fails_saying 'take another name: scripts/launch.sh --session NAME' scripts/launch.sh
  stop
  check 'nor ended' tmux has-session -t =dualboard
  tmux kill-session -t =dualboard
}

ignores_stale_process_ids() {
  # As after a reboot: the number is somebody else's now.
  sleep 1000 &
  local innocent=$!
  printf '%s\n%s\n' "${innocent}" 'another-boot 12345' | tee "${data}/broker1.pid" >"${data}/card1_monitor.pid"
  check 'stop with stale process ids' stop
  check 'the innocent runs' kill -0 "${innocent}"
  kill "${innocent}"
}

two_copies_side_by_side() {
  check 'a first copy' launch
  check 'a second copy' launch --session second --port1 "${second_port1}" --port2 "${second_port2}"
  check 'a third in the folder of the first is refused' fails_saying 'is in use by the tmux session' \
    scripts/launch.sh --session third --data-dir "${data}"
  check 'and the first still runs' runs card1_monitor
  publish "${second_port1}" sensors/card1 second
  check 'the second has a bridge of its own' soon holds "${second_port2}" sensors/card1 second
  check 'stopping the second' stop --session second
  check 'leaves the first' runs broker1
  stop
}

refuses_old_rust() {
  rm -rf target
  check 'Rust too old is named' fails_saying 'is too old; version 1.70 or later is needed' env RUST_FOUND=1.60.0 scripts/launch.sh
}

refuses_bad_arguments() {
  check 'unknown option' fails_saying "unknown argument '--nonsense'" scripts/launch.sh --nonsense
  check 'port out of range' fails_saying "--port1 '70000'" scripts/launch.sh --port1 70000
  check 'a variable that is neither on nor off' fails_saying "DUALBOARD_DETACH 'perhaps': want 1" env DUALBOARD_DETACH=perhaps scripts/launch.sh
  check 'a port in the environment' fails_saying "DUALBOARD_PORT2 'x'" env DUALBOARD_PORT2=x scripts/launch.sh
  check 'an option without its value' fails_saying '--session needs a value' scripts/stop.sh --session
  check 'another option in its place' fails_saying '--session needs a value' scripts/launch.sh --session --detach
  check 'one with an empty value' fails_saying '--session needs a value' scripts/stop.sh --session=
  check 'a value after =' fails_saying "both ${port2}: each broker" scripts/launch.sh "--port1=${port2}"
  check 'a word that is no option' fails_saying "unknown argument 'word'" scripts/stop.sh word
  check 'bad usage is status 2' test "$(usage_status scripts/stop.sh word)" = 2
  check 'help is given whatever else is there' test "$(usage_status env DUALBOARD_PORT1=x scripts/launch.sh --nonsense --help)" = 0
}

usage_status() {
  local status=0
  "$@" >/dev/null 2>&1 || status=$?
  printf '%s' "${status}"
}

main "$@"
