#!/usr/bin/env bash
# For developers. An older commit and the present one, on two boards: do all states agree in the end?
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/needs.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/process.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
# The older commit is the last one of release 0.1 where none is named.
readonly options='
  --keep value keep
  --no-install switch no_install DUALBOARD_NO_INSTALL
  ARGUMENT value older - cc73ced'
declare keep no_install older

# shellcheck source=scripts/lib/build.sh
source "${project}/scripts/lib/build.sh"
# shellcheck source=dev/lib/folder.sh
source "${project}/dev/lib/folder.sh"
# shellcheck source=tests/scripts/lib/ports.sh
source "${project}/tests/scripts/lib/ports.sh"

readonly made="${project}/target/upgrade"
# What has been toggled, in the order of the sensors.
declare -a states
declare -A pids versions

usage() {
  cat <<'HELP'
For developers. Put an older commit on one board and the present one on the other, and see whether all states agree.

Usage: dev/upgrade.sh [OPTION ...] [COMMIT]

  COMMIT            the older one: a commit or a tag (default: cc73ced, the last one of release 0.1)
  --keep DIR        keep stores, state files and logs there, an empty or new folder (default: kept after a failure only)
  --no-install      only say what is missing, install nothing            DUALBOARD_NO_INSTALL=1
  -h, --help        this text

Both commits are built, the older one in a git worktree below target/upgrade, which is removed afterwards; its programs stay there. A board is
a broker with that commit's own configuration, and that commit's programs.
From 0.2 on, each order is tried, the older one on board 1 and on board 2: sensors are toggled on both boards, each until the other board has
it, everything is restarted, and the boards change places, with the same stores and state files. In between, one board alone is upgraded and
taken back while the other one runs.
Release 0.1 had another wire format, which nobody used; only its state files are read by later ones. So of 0.1 both boards are upgraded
at one time: with the stores of the brokers, and with blank ones.

Ends with status 0 if after each step the three screens and both brokers had the states that were toggled.

Examples:
  dev/upgrade.sh
  dev/upgrade.sh v0.2.0
HELP
}

main() {
  parse_options "${options}" "$@"
  finished='' port1=0 port2=0 steps=0
  provide_needs all_needs
  sha="$(commit_of "${older}")"
  older_name="$(git -C "${project}" rev-parse --short "${sha}")"
  build_programs card1_monitor card2_monitor card2_global_display
  build_older
  keep_present
  folder="$(make_folder run)"
  claim_port port1
  claim_port port2
  # What is tried has its own arguments, not those of a board that is installed here.
  export DUALBOARD_SETTINGS=''
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  say "${older_name}: version ${versions[older]}; present: version ${versions[present]}"
  if [[ "${versions[older]}" == 0.1.* ]]; then
    both_at_once 'with the stores' keep_stores
    both_at_once 'with blank brokers' blank_stores
  else
    mixed older present
    mixed present older
  fi
  say "${steps} steps: after each of them all states agreed."
  finished=1
}

commit_of() {
  git -C "${project}" rev-parse --verify --quiet "$1^{commit}" ||
    die "no commit '$1' in this repository; in a shallow clone: git fetch --unshallow"
}

# --- the two commits

# Programs and broker files of a commit are kept by its name: a second run does not build again.
build_older() {
  local folder="${made}/${sha}"
  if [[ ! -x "${folder}/card1_monitor" ]]; then
    say "Building ${older_name} (the first time takes minutes) ..."
    remove_source
    git -C "${project}" worktree add --quiet --detach "${made}/source" "${sha}"
    (cd "${made}/source" && CARGO_TARGET_DIR="${made}/build" cargo build --release --locked) || die "${older_name} does not build; see above"
    copy_commit "${made}/source" "${made}/build/release" "${folder}"
    remove_source
  fi
  versions[older]="$(version_of "${folder}")"
}

keep_present() {
  copy_commit "${project}" "${programs_dir}" "${made}/present"
  versions[present]="$(version_of "${made}/present")"
}

remove_source() {
  if [[ -e "${made}/source" ]]; then
    git -C "${project}" worktree remove --force "${made}/source" || die "cannot remove ${made}/source; see above"
  fi
}

# copy_commit SOURCE PROGRAMS FOLDER: what a board needs of a commit.
copy_commit() {
  local new="$3.new"
  rm -rf "${new}"
  mkdir -p "${new}"
  cp "$2"/{card1_monitor,card2_monitor,card2_global_display} "$1"/mosquitto_{broker1,bridge}.conf "${new}/"
  # An older commit has none.
  if [[ -e "$1/mosquitto_access.acl" ]]; then
    cp "$1/mosquitto_access.acl" "${new}/"
  fi
  rm -rf "$3"
  mv "${new}" "$3"
}

version_of() {
  local said
  said="$("$1/card1_monitor" --version)"
  printf '%s' "${said##* }"
}

# folder_of older|present
folder_of() {
  if [[ "$1" == older ]]; then
    printf '%s' "${made}/${sha}"
  else
    printf '%s' "${made}/present"
  fi
}

# --- the two boards

# New boards: nobody knows anything.
blank_boards() {
  rm -rf "${folder}"/{broker1,broker2,state1,state2}
  mkdir "${folder}"/{broker1,broker2,state1,state2}
  states=(true true true true true true)
}

url() { printf 'mqtt://127.0.0.1:%s' "$(($1 == 1 ? port1 : port2))"; }

# start_board N older|present: its broker, then its programs.
start_board() {
  local board="$1" of="$2" original=mosquitto_bridge.conf port="${port2}"
  if [[ "${board}" == 1 ]]; then
    original=mosquitto_broker1.conf port="${port1}"
  fi
  sed -e "s|^listener .*|listener ${port} 127.0.0.1|" \
    -e "s|^acl_file |acl_file $(folder_of "${of}")/|" \
    -e "s|^persistence_location .*|persistence_location ${folder}/broker${board}/|" \
    -e "s|^address .*|address 127.0.0.1:${port1}|" "$(folder_of "${of}")/${original}" >"${folder}/broker${board}.conf"
  run "broker${board}" mosquitto -c "${folder}/broker${board}.conf"
  wait_until 15 somebody_listens "${port}" || die "broker ${board} does not answer on port ${port}; see ${folder}/broker${board}.log"
  run "card${board}" "$(folder_of "${of}")/card${board}_monitor" --broker "$(url "${board}")" --state-dir "${folder}/state${board}"
}

# run NAME COMMAND...: in the background, with its words in a log.
run() {
  local name="$1"
  shift
  "$@" >>"${folder}/${name}.log" 2>&1 </dev/null &
  pids["${name}"]=$!
}

# stop NAME...: as an init system would.
stop() {
  local name
  for name in "$@"; do
    kill "${pids[${name}]}"
    wait "${pids[${name}]}" 2>/dev/null || true
    unset "pids[${name}]"
  done
}

stop_board() { stop "card$1" "broker$1"; }

blank_stores() { rm -f "${folder}"/broker[12]/mosquitto.db; }
keep_stores() { :; }

# toggle SENSOR older|present: by that commit's own program on the sensor's board; ends when the other board has it.
toggle() {
  local sensor="$1" of="$2" board=1
  ((sensor < 4)) || board=2
  "$(folder_of "${of}")/card${board}_monitor" --toggle "${sensor}" --timeout 30 --broker "$(url "${board}")" --state-dir "${folder}/state${board}" \
    >>"${folder}/toggle.log" 2>&1 </dev/null ||
    die "sensor ${sensor} was not confirmed by the other board; its last words: $(tail -n 3 "${folder}/toggle.log")"
  if [[ "${states[sensor - 1]}" == true ]]; then
    states[sensor - 1]=false
  else
    states[sensor - 1]=true
  fi
}

# --- what is looked at

# The plain keys of sensors FROM to TO, as they stand at the beginning of each report.
plain_keys() {
  local from="$1" to="$2" sensor text=''
  for ((sensor = from; sensor <= to; sensor++)); do
    text+="${text:+,}\"sensor_${sensor}\":${states[sensor - 1]}"
  done
  printf '{%s' "${text}"
}

holds() {
  local port="$1" topic="$2" from="$3" to="$4" held keys
  held="$(mosquitto_sub -p "${port}" -t "${topic}" -C 1 -W 2 2>/dev/null)" || return 1
  keys="$(plain_keys "${from}" "${to}")"
  [[ "${held}" == "${keys}",* || "${held}" == "${keys}}" ]]
}

# What the display of a commit says at broker 2: these states, all of them live.
displays() {
  local said keys live
  said="$("$(folder_of "$1")/card2_global_display" --once --json --timeout 12 --broker "$(url 2)" 2>/dev/null)" || true
  keys="$(plain_keys 1 6)"
  live="${said#*\"live\":}"
  [[ "${said}" == *"${keys#\{}"[,\}]* && "${live%%\}*}" == *true* && "${live%%\}*}" != *false* ]]
}

all_agree() {
  local port of
  for port in "${port1}" "${port2}"; do
    holds "${port}" sensors/all 1 6 || return 1
    holds "${port}" sensors/card1 1 3 || return 1
    holds "${port}" sensors/card2 4 6 || return 1
  done
  for of in present ${with_older:+older}; do
    displays "${of}" || return 1
  done
}

# agree WORDS: all views have the states within half a minute, and still a moment later.
agree() {
  wait_until 30 all_agree || die "$1: no agreement on ${states[*]}; stores, state files and logs are in ${folder}"
  steps=$((steps + 1))
  say "  $1: all agree on ${states[*]//true/OK}" | sed 's/false/KO/g'
}

# --- what is done

# both_at_once WORDS STORES: the older one on both boards, then the present one on both.
both_at_once() {
  say "--- ${older_name} on both boards, then the present one on both, $1"
  blank_boards
  with_older=1
  start_board 1 older
  start_board 2 older
  older_agrees_alone 'the older one, blank'
  toggle 2 older
  toggle 4 older
  toggle 3 older
  toggle 3 older
  toggle 6 older
  older_agrees_alone 'the older one, toggled'
  stop_board 1
  stop_board 2
  "$2"
  with_older=''
  start_board 2 present
  start_board 1 present
  agree 'the present one, started'
  toggle 2 present
  toggle 1 present
  toggle 5 present
  agree 'the present one, toggled'
  restart present present
  agree 'the present one, restarted'
  stop_board 1
  stop_board 2
}

# Only the older one's own views: the present display does not read its versions.
older_agrees_alone() {
  wait_until 30 older_agrees || die "$1: no agreement on ${states[*]}; stores, state files and logs are in ${folder}"
  steps=$((steps + 1))
  say "  $1: all agree"
}

older_agrees() { displays older && holds "${port1}" sensors/all 1 6 && holds "${port1}" sensors/card1 1 3 && holds "${port2}" sensors/card1 1 3; }

# mixed ON-BOARD-1 ON-BOARD-2
mixed() {
  local one="$1" two="$2"
  say "--- board 1: ${one}, board 2: ${two}"
  blank_boards
  with_older=1
  start_board 1 "${one}"
  start_board 2 "${two}"
  agree 'blank'
  toggle 1 "${one}"
  toggle 5 "${two}"
  toggle 2 "${one}"
  agree 'toggled'
  restart "${one}" "${two}"
  agree 'restarted'
  toggle 4 "${two}"
  toggle 1 "${one}"
  agree 'toggled again'
  restart "${two}" "${one}"
  agree 'changed places, with the same stores and state files'
  toggle 3 "${two}"
  toggle 6 "${one}"
  agree 'toggled'
  one_board_alone 1 "${one}"
  one_board_alone 2 "${two}"
  agree 'back where they were'
  toggle 1 "${one}"
  toggle 4 "${two}"
  agree 'toggled'
  stop_board 1
  blank_stores_of 1
  start_board 1 "${one}"
  agree 'board 1 started with a blank broker'
  stop_board 1
  stop_board 2
}

# one_board_alone BOARD NEXT: another commit on one board while the other board runs; a toggle is made there in between.
one_board_alone() {
  local board="$1" next="$2" sensor=$((1 + 3 * ($1 - 1)))
  stop_board "${board}"
  start_board "${board}" "${next}"
  agree "board ${board}: ${next}, while the other one runs"
  toggle "${sensor}" "${next}"
  agree "board ${board}: toggled"
}

restart() {
  stop_board 2
  stop_board 1
  start_board 1 "$1"
  start_board 2 "$2"
}

blank_stores_of() { rm -f "${folder}/broker$1/mosquitto.db"; }

clean_up() {
  local name
  for name in "${!pids[@]}"; do
    kill "${pids[${name}]}" 2>/dev/null || true
    wait "${pids[${name}]}" 2>/dev/null || true
  done
  if [[ -n "${finished}" && -z "${keep}" ]]; then
    rm -rf "${folder}"
  fi
}

main "$@"
