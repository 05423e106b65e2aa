#!/usr/bin/env bash
# For developers. Both owners as systemd services on a machine that boots, and their screens over SSH.
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
  --suite value suite - bookworm
  --mirror value mirror - http://deb.debian.org/debian
  --keep switch keep'
declare suite mirror keep

# shellcheck source=scripts/lib/build.sh
source "${project}/scripts/lib/build.sh"
# shellcheck source=dev/lib/machine.sh
source "${project}/dev/lib/machine.sh"
# shellcheck source=dev/lib/ssh_screens.sh
source "${project}/dev/lib/ssh_screens.sh"
# shellcheck source=dev/lib/seen.sh
source "${project}/dev/lib/seen.sh"

readonly made="${project}/target/service"
readonly machine="${made}/machine"
# Where the project is in the new machine.
readonly checkout=/srv/dualboard
# What the units say.
readonly state_dir=/var/lib/dualboard
# The screens: a user and the card. Anna and boris are in the group dualboard.
readonly monitors='root1 anna1 boris1 root2 anna2 boris2'
# The screens that are to show everything, and the states that they are to show.
declare -A attached=()
states=(- UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN)
toggles=0

usage() {
  cat <<'HELP'
For developers. Install both owners as systemd services, as data/dualboard-card1.service and -card2.service say, on a
new Debian in a folder, which boots with a systemd and an SSH server of its own. Show each card on three screens over SSH at once, and the
display on one more. Press every key on every screen, drop connections, kill, stop and hang the owners, kill the machine.
Needs root, debootstrap, systemd-nspawn, tmux, ssh and the network. This machine itself need not run systemd.

Usage: dev/service.sh [OPTION ...]

  --suite NAME      which release of Debian (default: bookworm)
  --mirror URL      where it comes from (default: http://deb.debian.org/debian)
  --keep            leave the folder, target/service/, where it is
  -h, --help        this text

The three programs are built here, so the new machine must not be of an older release than this one. It has no network but its own
loopback, and takes no port of this one. Prints what was looked for, and after how many seconds it was seen. Ends with status 0 only if all of
it was.

Examples:
  dev/service.sh
  dev/service.sh --suite trixie
HELP
}

main() {
  parse_options "${options}" "$@"
  ((EUID == 0)) || die 'needs root: it makes a machine in a folder'
  require_commands
  [[ ! -e "${made}" ]] || die "${made} is there already; remove it, then run this again"
  build_programs card1_monitor card2_monitor card2_global_display
  mkdir -p "${made}"
  sockets="$(mktemp -d)"
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  new_machine
  boot
  say "It runs $(inside systemctl --version | head -n 1), $(inside mosquitto -h | head -n 1 || true)"
  heading 'Installed, and no broker yet'
  install_services
  heading 'The brokers'
  start_brokers
  heading 'Who may do what'
  look_at_rights
  heading 'Three screens of each card over SSH, and a display'
  attach_screens
  heading 'Every key on every screen'
  press_every_key
  heading 'Connections that drop'
  drop_connections
  heading 'Screens that are quit'
  quit_screens
  heading 'Owners that are killed'
  kill_owners
  heading 'Owners that hang'
  hang_owners
  heading 'An owner that is stopped, and goes on in a screen'
  stop_owner
  heading 'Settings'
  change_settings
  heading 'The journal'
  read_journal
  heading 'The machine is killed, and boots again'
  kill_machine
  say "${toggles} toggles, each CONFIRMED or LIVE on every screen."
  conclude
}

require_commands() {
  local command
  for command in debootstrap systemd-nspawn nsenter tmux ssh ssh-keygen; do
    has_command "${command}" || die "${command} is missing; install debootstrap, systemd-container, util-linux, tmux and openssh-client, then run this again"
  done
}

clean_up() {
  close_terminals
  kill_container
  rm -rf "${sockets}"
  if [[ -n "${keep}" ]]; then
    say "Kept: ${made}"
  else
    rm -rf --one-file-system "${made}"
  fi
}

new_machine() {
  local user folder
  say "Making a new machine: ${suite} from ${mirror}"
  make_machine "${suite}" "${mirror}" systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,mosquitto,procps
  folder="${machine}${checkout}"
  git clone --quiet "${project}" "${folder}"
  mkdir -p "${folder}/target/release"
  cp "${programs_dir}"/card{1_monitor,2_monitor,2_global_display} "${folder}/target/release/"
  install -m 755 "${programs_dir}/card2_global_display" "${machine}/usr/bin/"
  open_terminals
  let_in root /root
  for user in anna boris carl; do
    chroot "${machine}" useradd --create-home --shell /bin/bash "${user}"
    let_in "${user}" "/home/${user}"
  done
  # Brokers with the project's files, in the place of Debian's own.
  chroot "${machine}" systemctl --quiet mask mosquitto
  broker_unit 1 mosquitto_broker1.conf
  broker_unit 2 mosquitto_bridge.conf
}

# broker_unit NUMBER FILE
broker_unit() {
  cat >"${machine}/etc/systemd/system/broker$1.service" <<UNIT
[Service]
WorkingDirectory=${checkout}
ExecStart=/usr/sbin/mosquitto -c $2
Restart=always

[Install]
WantedBy=multi-user.target
UNIT
}

install_services() {
  local card
  for card in 1 2; do
    by_the_letter "${card}"
    expect 1 "card ${card}: the unit is active" is_active "${card}"
    expect_status "card ${card}" "${card}" 'connection refused'
    expect 5 "card ${card}: systemd finds nothing wrong in its unit" is_verified "${card}"
  done
  inside usermod -aG dualboard anna
  inside usermod -aG dualboard boris
}

# What the head of a card's unit says that root types.
by_the_letter() {
  local card="$1" line
  while read -r line; do
    if [[ "${line}" == useradd* ]] && inside id dualboard >/dev/null 2>&1; then
      # This machine is both boards, and it was there on the first.
      continue
    fi
    expect 1 "typed: ${line}" inside sh -c "cd ${checkout} && ${line} 2>/dev/null"
  done < <(sed -n 's/^#   //p' "${project}/data/dualboard-card${card}.service" | grep -v '^card')
}

start_brokers() {
  inside systemctl --quiet enable --now broker1 broker2
  states=(- OK OK OK OK OK OK)
  expect_status 'both brokers are started, card 1' 1 'bridge up'
  expect_status 'card 2' 2 'bridge up'
  inside systemctl stop broker1
  expect_status 'broker 1 is stopped, card 1' 1 'connection refused'
  expect_status 'card 2' 2 'bridge down'
  inside systemctl start broker1
  expect_status 'broker 1 is back, card 1' 1 'bridge up'
  expect_status 'card 2' 2 'bridge up'
}

look_at_rights() {
  expect 1 'the state folder is for its user, and for its group to go through' has_rights '' '710 dualboard dualboard'
  expect 1 'the state file is for its user alone' has_rights /card1.state '600 dualboard dualboard'
  expect 1 'the socket is for both' has_rights /card1.socket '660 dualboard dualboard'
  log_in carl carl
  type_line carl "card1_monitor --state-dir ${state_dir}; echo status \$?"
  expect 20 'who is not in the group gets no screen' shows carl 'Permission denied.* status 1 '
  type_line carl "clear; card1_monitor --set 1=ko --state-dir ${state_dir}; echo status \$?"
  expect 20 'and changes nothing with --set' shows carl 'Permission denied.* status 1 '
  log_out carl
  log_in anna1 anna
  type_line anna1 "cat ${state_dir}/card1.state; touch ${state_dir}/x; ls ${state_dir}"
  expect 20 'who is in the group may neither read states nor write there, nor see what there is' shows anna1 \
    'cat: .*Permission denied.*touch: .*Permission denied.*ls: .*Permission denied'
}

attach_screens() {
  local name
  for name in ${monitors}; do
    log_in "${name}" "${name%[12]}"
    attach "${name}"
  done
  log_in display carl
  type_line display card2_global_display
  attached[display]=1
  expect 20 'all of them, and a display, show all six' all_show
  inside systemd-run --quiet --unit=display /usr/bin/card2_global_display
  expect 20 'a display without a terminal, as a service: its lines are in the journal' says display 'Sensor 6 +OK +LIVE'
}

# attach NAME: in a terminal with a shell
attach() {
  local name="$1" card="${1: -1}"
  type_line "${name}" "clear; card${card}_monitor --state-dir ${state_dir}"
  expect 20 "${name}: a screen of card ${card}'s service" is_screen "${name}"
  attached[${name}]=1
}

press_every_key() {
  local name
  for name in ${monitors}; do
    if [[ "${name}" == *1 ]]; then
      keys_of_monitor "${name}" '1 2 3' 4
    else
      keys_of_monitor "${name}" '4 5 6' 1
    fi
  done
  press display 1
  expect 5 'display: 1 toggles nothing' shows display 'sensor 1 is toggled on board 1, not here'
  keys_of_any display
}

# keys_of_monitor NAME KEYS KEY_OF_THE_OTHER_CARD
keys_of_monitor() {
  local name="$1" keys="$2" foreign="$3" key before
  for key in ${keys}; do
    toggle "${name}" "${key}"
  done
  press "${name}" "${foreign}"
  expect 5 "${name}: ${foreign} toggles nothing" shows "${name}" "sensor ${foreign} is toggled on board "
  press "${name}" l
  expect 5 "${name}: l locks" shows "${name}" ' locked '
  press "${name}" "${key}"
  expect 5 "${name}: ${key} toggles nothing then" shows "${name}" "locked, sensor ${key} not toggled: l unlocks"
  press "${name}" l
  expect 5 "${name}: l unlocks" shows "${name}" ' unlocked '
  before="$(times_said "dualboard-card${name: -1}" 'published again')"
  press "${name}" p
  expect 5 "${name}: p publishes again" says_more "dualboard-card${name: -1}" 'published again' "${before}"
  press "${name}" o
  keys_of_any "${name}"
  expect 1 "${name}: o has run nothing" is_screen "${name}"
  toggle "${name}" "${key}"
}

keys_of_any() {
  local name="$1" key scrolled='Home newest event'
  press "${name}" a
  expect 5 "${name}: a acknowledges" shows_not "${name}" '•|\*Sensor| ! '
  press "${name}" s
  expect 5 "${name}: s finds no bell" shows "${name}" 'no bell to silence'
  press "${name}" t
  expect 5 "${name}: t is marked as a test" shows "${name}" 'TEST +No state is shown'
  press "${name}" x
  expect 5 "${name}: any key ends it" shows_not "${name}" 'TEST '
  for key in Down NPage End; do
    press "${name}" "${key}"
    expect 5 "${name}: ${key} scrolls back" shows "${name}" "${scrolled}"
    press "${name}" Home
    expect 5 "${name}: Home comes back" shows_not "${name}" "${scrolled}"
  done
  for key in Up PPage; do
    press "${name}" Down
    expect 5 "${name}: Down" shows "${name}" "${scrolled}"
    press "${name}" "${key}"
    expect 5 "${name}: ${key} scrolls forward" shows_not "${name}" "${scrolled}"
  done
  for key in '?' Escape q C-c; do
    press "${name}" '?'
    expect 5 "${name}: ? opens the help" shows "${name}" 'close this help'
    press "${name}" "${key}"
    expect 5 "${name}: ${key} closes it" shows_not "${name}" 'close this help'
  done
  press "${name}" C-z
  expect 5 "${name}: Ctrl-Z goes to the shell" shows "${name}" 'Stopped'
  type_line "${name}" fg
  expect 5 "${name}: fg goes on" shows "${name}" 'Sensor 6'
}

drop_connections() {
  local client again
  unset 'attached[boris1]'
  kill -KILL "$(client boris1)"
  expect 30 "boris's ssh client is killed: his screen in the machine ends" has_no_screen boris 1
  toggle root1 1
  log_in boris1 boris
  attach boris1
  expect 10 'he logs in again, and has missed nothing' all_show
  client="$(client anna1)"
  unset 'attached[anna1]'
  kill -STOP "${client}"
  for again in 1 2 3 4 5 6 7 8 9 10; do
    toggle root1 "$((again % 3 + 1))"
    toggle boris2 "$((again % 3 + 4))"
  done
  kill -CONT "${client}"
  attached[anna1]=1
  expect 10 "anna's ssh client was stopped meanwhile: it goes on, and her screen shows what is now" all_show
  toggle anna1 2
}

quit_screens() {
  local name key
  for name in ${monitors} display; do
    key=q
    [[ "${name}" != boris* ]] || key=C-c
    unset "attached[${name}]"
    press "${name}" "${key}"
    expect 10 "${name}: ${key} ends it" at_prompt "${name}"
  done
  expect_status 'card 1 runs on' 1 'bridge up'
  expect_status 'card 2 runs on' 2 'bridge up'
  for name in ${monitors}; do
    attach "${name}"
  done
  type_line display card2_global_display
  attached[display]=1
  toggle anna1 3
  toggle anna2 6
}

kill_owners() {
  local card key old
  for card in 1 2; do
    key=$((card * 3 - 1))
    old="$(owner "${card}")"
    inside kill -KILL "${old}"
    expect 5 "card ${card}'s owner is killed: its screens say so" all_of_card_show "${card}" "card${card}_monitor \(process ${old}, service\) ended at "
    press "root${card}" "${key}"
    expect 5 "${key} is refused meanwhile" shows "root${card}" "sensor ${key} not toggled: the owner has ended"
    come_back "${card}" "${old}"
    toggle "anna${card}" "${key}"
  done
}

# come_back CARD OLD: another owner, and all screens of it
come_back() {
  local card="$1" old="$2"
  expect 60 'systemd starts it again' has_other_owner "${card}" "${old}"
  expect 20 'all screens come back by themselves, and show the states that were there' all_show
  expect 1 'as screens of the new one' all_of_card_show "${card}" "screen of process $(owner "${card}"), service"
}

hang_owners() {
  local card olds=(-)
  for card in 1 2; do
    olds+=("$(owner "${card}")")
    inside kill -STOP "${olds[card]}"
  done
  for card in 1 2; do
    expect 14 "card ${card}'s owner is stopped: its screens say so" all_of_card_show "${card}" "card${card}_monitor \(process ${olds[card]}, service\) has not answered since"
  done
  for card in 1 2; do
    come_back "${card}" "${olds[card]}"
    expect 5 'the journal says why' says "dualboard-card${card}" 'Watchdog timeout'
    toggle "boris${card}" "$((card * 3))"
  done
}

stop_owner() {
  local old name
  old="$(owner 1)"
  inside kill -TERM "${old}"
  expect 30 "card 1's owner gets SIGTERM, not from systemd" has_other_owner 1 "${old}"
  expect 20 'it is started again, and has its screens' all_show
  old="$(owner 1)"
  inside systemctl stop dualboard-card1
  expect 1 'systemctl stop: it has ended well' has 1 'ActiveState Result' 'inactive success'
  expect 5 'its screens say so' all_of_card_show 1 "\(process ${old}, service\) ended at "
  expect 1 'root is told that o runs it there' shows root1 'o runs it here'
  expect 1 'anna is not, who may not write in the state folder' shows_not anna1 'o runs? it here'
  press anna1 o
  expect 5 "anna's o runs nothing: it still says so" shows anna1 "\(process ${old}, service\) ended at "
  press root1 o
  expect 10 'o by root: it runs there' shows root1 'BOARD 1 +card1_monitor +unlocked'
  for name in anna1 boris1; do
    expect 10 "${name}: a screen of it" shows "${name}" 'screen of process [0-9]+, pts/'
  done
  toggle boris1 1
  inside systemctl --no-block start dualboard-card1
  expect 10 'systemctl start: it says who has the card' says dualboard-card1 'already runs on this board'
  toggle root1 2
  unset 'attached[root1]'
  press root1 q
  expect_status 'q there: the service has the card by itself' 1 'bridge up'
  expect 20 'and the screens' all_of_card_show 1 "screen of process $(owner 1), service"
  attach root1
  toggle root1 3
  expect 1 'the state file is the service'\''s as before' has_rights /card1.state '600 dualboard dualboard'
}

change_settings() {
  inside mkdir -p /etc/dualboard
  set_env DUALBOARD_BROKER=nonsense
  inside systemctl restart dualboard-card1 2>/dev/null || true
  expect 10 'DUALBOARD_BROKER=nonsense in card1_monitor.env: it fails, and is not started again' has 1 'SubState ExecMainStatus' 'failed 2'
  expect 5 'and says why' says dualboard-card1 'nonsense'
  set_env DUALBOARD_LOG_LEVEL=debug
  inside systemctl restart dualboard-card1
  expect 20 'DUALBOARD_LOG_LEVEL=debug: it says each message' says dualboard-card1 'heard sensors/all' debug..debug
  expect 20 'and has its screens' all_show
}

set_env() { printf '%s\n' "$1" >"${machine}/etc/dualboard/card1_monitor.env"; }

read_journal() {
  local unit=dualboard-card1
  expect 1 'errors: that another one has the card' says "${unit}" 'already runs on this board' err..err
  expect 1 'warnings: that the broker is away' says "${unit}" 'broker 1: ' warning..warning
  expect 1 'information: what was toggled' says "${unit}" 'sensor 2 +(OK|KO) CONFIRMED' info..info
  expect 1 'and that the broker is there' says "${unit}" 'connected to broker 1' info..info
  expect 1 'no line has its level in its text' says_not "${unit}" '<[0-9]>'
}

kill_machine() {
  local name
  for name in "${!attached[@]}"; do
    log_out "${name}"
  done
  attached=()
  kill_container
  boot
  expect_status 'card 1' 1 'bridge up'
  expect_status 'card 2' 2 'bridge up'
  for name in root1 root2; do
    log_in "${name}" root
    attach "${name}"
  done
  expect 20 'all states are there' all_show
  toggle root1 1
  toggle root2 4
}

# all_of_card_show CARD PATTERN
all_of_card_show() {
  local name
  for name in "${!attached[@]}"; do
    [[ "${name}" != *"$1" ]] || shows "${name}" "$2" || return 1
  done
}

is_screen() { shows "$1" "screen of process $(owner "${1: -1}"), service"; }

has_no_screen() { ! inside pgrep -u "$1" -x "card$2_monitor" >/dev/null; }

owner() { unit_has "dualboard-card$1" MainPID; }

has_other_owner() {
  local now
  now="$(owner "$1")"
  [[ "${now}" != 0 && "${now}" != "$2" ]] && is_active "$1"
}

is_active() { has "$1" ActiveState active; }

# has CARD PROPERTIES VALUES
has() {
  local property values=()
  for property in $2; do
    values+=("$(unit_has "dualboard-card$1" "${property}")")
  done
  [[ "${values[*]}" == "$3" ]]
}

# expect_status WHAT CARD WORDS: that systemd's status line says this of the broker or the bridge, and counts
# the states
expect_status() {
  local what="$1" card="$2" words="$3" url counts
  url="mqtt://localhost:$((1882 + card))"
  counts="$(counts_of "${card}")"
  case "${words}" in
    bridge*) words="connected to ${url}; ${counts}; ${words}" ;;
    *) words="no connection to ${url}: ${words}; ${counts}" ;;
  esac
  expect 30 "${what}: ${words}" has "${card}" StatusText "${words}"
}

# As the status line has them: 2 OK, 1 KO
counts_of() {
  local state parts=() count
  for state in OK KO UNKNOWN; do
    count="$(printf '%s\n' "${states[@]:$1*3-2:3}" | grep -cx "${state}")" || continue
    parts+=("${count} ${state}")
  done
  printf '%s' "${parts[0]}${parts[1]:+, ${parts[1]}}"
}

is_verified() { [[ -z "$(inside systemd-analyze verify "/etc/systemd/system/dualboard-card$1.service" 2>&1)" ]]; }

# has_rights FILE 'MODE USER GROUP': of what is in the state folder
has_rights() { [[ "$(inside stat --format '%a %U %G' "${state_dir}$1")" == "$2" ]]; }

# says UNIT PATTERN [PRIORITIES]: in the journal
says() { (($(times_said "$@") > 0)); }
says_not() { ! says "$@"; }
says_more() { (($(times_said "$1" "$2") > $3)); }

times_said() { inside journalctl --quiet --output cat --unit "$1" --priority "${3:-debug}" | grep -Ec -- "$2" || true; }

# For whoever reads that something was not seen.
show_all() {
  local name
  for name in "${!attached[@]}"; do
    screen "${name}" | sed "s/^/    ${name} | /"
  done
}

main "$@"
