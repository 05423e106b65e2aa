#!/usr/bin/env bash
# For developers. Two boards that boot, from the package, set up as docs/operations.md says.
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
  --package value package -
  --keep switch keep'
declare suite mirror package keep

# shellcheck source=dev/lib/machine.sh
source "${project}/dev/lib/machine.sh"
# shellcheck source=dev/lib/ssh_screens.sh
source "${project}/dev/lib/ssh_screens.sh"
# shellcheck source=dev/lib/seen.sh
source "${project}/dev/lib/seen.sh"

readonly made="${project}/target/two_boards"
readonly address1=192.0.2.1 address2=192.0.2.2
# In the middle of the cable, so that each end loses its link as when the plug is pulled there.
readonly switch="dualboard-cable-$$"
# What `on` takes for a board, by its number.
leaders=('' '' '') containers=('' '' '')
# The states that all screens are to show.
states=(- OK OK OK OK OK OK)
# The screens that are open: their names end with the board's number.
declare -A attached=()
toggles=0

usage() {
  cat <<'HELP'
For developers. Make two machines from a new Debian, each in a disk image of its own, with a systemd and an SSH server, joined by a
cable. Install the package on both, set them up as docs/operations.md says, word for word, log in, toggle, drop connections, cut the
cable, pull the power, upgrade, put a blank board in the place of board 1, remove and purge.
Needs root, debootstrap, systemd-nspawn, loop devices, network namespaces, tmux, ssh and the network.

Usage: dev/two_boards.sh [OPTION ...]

  --suite NAME      which release of Debian (default: bookworm)
  --mirror URL      where it comes from (default: http://deb.debian.org/debian)
  --package FILE    the package (default: dev/package.sh makes it)
  --keep            leave the folder, target/two_boards/, where it is
  -h, --help        this text

When the power is pulled, all processes of a board are killed, and its disk goes on with what had been written to it by then: what was only in
memory is lost. Prints what was looked for, and after how many seconds it was seen. Ends with status 0 only if all of it was.

Examples:
  dev/two_boards.sh
  dev/two_boards.sh --suite trixie --package target/debian/dualboard_0.2.0-1_amd64.deb
HELP
}

main() {
  parse_options "${options}" "$@"
  ((EUID == 0)) || die 'needs root: it makes machines and networks'
  require_commands
  [[ ! -e "${made}" ]] || die "${made} is there already; remove it, then run this again"
  if [[ -z "${package}" ]]; then
    "${project}/dev/package.sh"
    package="$(find "${project}/target/debian" -name "dualboard_*_$(dpkg --print-architecture).deb" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)"
  fi
  [[ -f "${package}" ]] || die "--package ${package}: there is no such file; dev/package.sh makes it"
  mkdir -p "${made}"
  sockets="$(mktemp -d)"
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  make_cable
  make_boards
  heading 'Installed'
  install_package 1
  install_package 2
  heading 'Set up'
  set_up
  heading 'Set up again'
  set_up_again
  heading 'Operators'
  let_operators_in
  heading 'Every key, on both boards'
  press_keys
  heading 'A wall display over SSH'
  open_kiosk
  heading 'Panes on the board'
  open_panes
  heading 'An operator who leaves'
  end_operator
  heading 'A screen elsewhere'
  look_from_elsewhere
  heading 'A connection that drops'
  drop_connection
  heading 'The cable is cut'
  cut_cable
  heading 'The power of board 1 is pulled'
  pull_power_of 1
  heading 'The power of board 2 is pulled'
  pull_power_of 2
  heading 'The power of both is pulled, and nobody logs in'
  pull_power_of_both
  heading 'Board 1 boots without its address'
  boot_without_address
  heading 'The store of a broker is damaged'
  damage_store
  heading 'A broker hangs'
  hang_broker
  heading 'Certificates renewed while it runs'
  renew
  heading 'The token was stolen'
  end_token
  heading 'Upgraded while it runs'
  upgrade
  heading 'A blank board in the place of board 1'
  swap_board
  heading 'Removed, installed again, purged'
  remove_and_purge
  say "${toggles} toggles, each CONFIRMED or LIVE on every screen."
  conclude
}

require_commands() {
  local command
  for command in debootstrap systemd-nspawn nsenter ip tmux ssh ssh-keygen mkfs.ext4; do
    has_command "${command}" ||
      die "${command} is missing; install debootstrap, systemd-container, util-linux, iproute2, tmux, openssh-client and e2fsprogs, then run this again"
  done
}

clean_up() {
  local board
  close_terminals
  if mountpoint --quiet "${made}/blank"; then
    umount "${made}/blank"
  fi
  for board in 1 2; do
    on "${board}" kill_container
    unmount_board "${board}"
    ip netns delete "$(namespace "${board}")" 2>/dev/null || true
  done
  ip netns delete "${switch}" 2>/dev/null || true
  rm -rf "${sockets}"
  if [[ -n "${keep}" ]]; then
    say "Kept: ${made}"
  else
    rm -rf --one-file-system "${made}"
  fi
}

# on BOARD COMMAND...: with that board as the machine of dev/lib/machine.sh
on() {
  local board="$1" machine="${made}/board$1" network leader="${leaders[$1]}" container="${containers[$1]}" status=0
  network="$(namespace "${board}")"
  shift
  "$@" || status=$?
  # shellcheck disable=SC2004 # An array with numbers.
  leaders[${board}]="${leader}" containers[${board}]="${container}"
  return "${status}"
}

namespace() { printf 'dualboard-%s-%s' "$1" "$$"; }

make_cable() {
  local board name
  ip netns add "${switch}"
  ip -n "${switch}" link add cable type bridge
  ip -n "${switch}" link set cable up
  for board in 1 2; do
    name="$(namespace "${board}")"
    ip netns add "${name}"
    ip -n "${name}" link add eth0 type veth peer name "port${board}" netns "${switch}"
    ip -n "${name}" address add "192.0.2.${board}/24" dev eth0
    ip -n "${name}" link set lo up
    ip -n "${name}" link set eth0 up
    ip -n "${switch}" link set "port${board}" master cable
    ip -n "${switch}" link set "port${board}" up
  done
}

cable() { ip -n "${switch}" link set port1 "$1"; }

# A Debian with all that the package will ask for in apt's own cache, since the boards have no way to the mirror. The disks of both
# are copies of it.
make_boards() {
  local board user machine="${made}/blank"
  say "Making two boards: ${suite} from ${mirror}"
  mkdir "${machine}"
  truncate --size 4G "${made}/blank.img"
  mkfs.ext4 -q "${made}/blank.img"
  mount -o loop "${made}/blank.img" "${machine}"
  make_machine "${suite}" "${mirror}" systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,procps,iproute2,ca-certificates,tmux
  open_terminals
  let_in root /root
  for user in anna carl; do
    chroot "${machine}" useradd --create-home --shell /bin/bash "${user}"
    let_in "${user}" "/home/${user}"
  done
  cp "${package}" "${machine}/srv/dualboard.deb"
  bring_packages
  umount "${machine}"
  rmdir "${machine}"
  for board in 1 2; do
    blank_board "${board}"
  done
}

# As a package mirror on the boards' own network would.
bring_packages() {
  cp /etc/resolv.conf "${machine}/etc/"
  if compgen -G '/etc/apt/apt.conf.d/*' >/dev/null; then
    cp -n /etc/apt/apt.conf.d/* "${machine}/etc/apt/apt.conf.d/"
  fi
  cp -rL --remove-destination /etc/ssl/certs "${machine}/etc/ssl/"
  chroot "${machine}" apt-get --quiet update >"${made}/apt.log" 2>&1 ||
    die "apt-get update failed: $(tail -n 3 "${made}/apt.log")"
  # Kept: debootstrap's Debian throws archives away in containers, and so may the machine's own settings.
  printf 'APT::Keep-Downloaded-Packages "true";\nBinary::apt::APT::Keep-Downloaded-Packages "true";\nDPkg::Post-Invoke "";\n' \
    >"${machine}/etc/apt/apt.conf.d/99keep"
  chroot "${machine}" apt-get --quiet install --yes --download-only /srv/dualboard.deb >>"${made}/apt.log" 2>&1 ||
    die "the package cannot be installed on ${suite}: $(tail -n 5 "${made}/apt.log")"
}

# blank_board BOARD: a new disk, and it boots
blank_board() {
  local board="$1"
  cp --sparse=always "${made}/blank.img" "${made}/board${board}.img"
  mount_board "${board}"
  printf 'board%s\n' "${board}" >"${made}/board${board}/etc/hostname"
  printf '127.0.0.1 localhost board%s\n' "${board}" >"${made}/board${board}/etc/hosts"
  on "${board}" boot
}

mount_board() {
  mkdir -p "${made}/board$1"
  mount -o loop "${made}/board$1.img" "${made}/board$1"
}

unmount_board() {
  if mountpoint --quiet "${made}/board$1"; then
    umount "${made}/board$1"
  fi
}

# typed BOARD SECONDS COMMAND: what root types there ends well, within this time
typed() {
  local board="$1" limit="$2" command="$3"
  expect_of "board ${board}: ${command}" on "${board}" run_typed "${limit}" "${command}"
}

run_typed() { inside timeout "$1" sh -c "cd /srv && $2" >>"${made}/typed.log" 2>&1 </dev/null; }

install_package() {
  local board="$1"
  typed "${board}" 300 'apt-get install --yes ./dualboard.deb'
  expect 10 'Debian'\''s own broker runs, as after an installation of mosquitto' on "${board}" unit_is mosquitto active
  expect 1 'with its files as they came' on "${board}" inside dpkg --verify mosquitto
  expect 1 'nothing of dualboard runs, or will after a boot' on "${board}" nothing_runs
  expect 1 'completions are installed' on "${board}" inside test -e /usr/share/bash-completion/completions/card1_monitor
}

unit_is() { [[ "$(unit_has "$1" ActiveState)" == "$2" ]]; }

nothing_runs() {
  local unit
  for unit in dualboard-broker dualboard-card1 dualboard-card2; do
    unit_is "${unit}" inactive || return 1
    [[ "$(unit_has "${unit}" UnitFileState)" == disabled ]] || return 1
  done
}

set_up() {
  local begun="${EPOCHREALTIME}"
  typed 1 60 "dualboard-setup board1 --address ${address1}"
  copy_token
  typed 2 60 "dualboard-setup board2 --peer ${address1} --token token"
  expect_all_live 'both boards are set up'
  say "         both commands, and all six LIVE: $(since "${begun}") s"
  expect 1 'board 1: nothing but the board'\''s address and loopback is listened on' on 1 listens "127.0.0.1:1893 ${address1}:8883"
  expect 1 'board 2: nothing but loopback is' on 2 listens '127.0.0.1:1894'
  for board in 1 2; do
    expect 1 "board ${board}: no other user reads a secret" on "${board}" has_no_open_secret
    expect 1 "board ${board}: Debian's own broker runs on" on "${board}" unit_is mosquitto active
  done
}

# The one file that goes from board to board; by scp there, and here without a network between root and root.
copy_token() {
  install --mode 600 "${made}/board1/etc/dualboard/token" "${made}/board2/srv/token"
  expect 1 'token: copied from board 1 to board 2' test -s "${made}/board2/srv/token"
}

# listens ADDRESSES: of our broker, by TCP
listens() {
  local pid
  pid="$(unit_has dualboard-broker MainPID)"
  [[ "$(inside ss -Hltnp | grep -F "pid=${pid}," | awk '{print $4}' | sort | paste -sd ' ' -)" == "$1" ]]
}

# What is readable by a user who is in no group of ours.
has_no_open_secret() {
  ! inside find /etc/dualboard /var/lib/dualboard-broker -type f -perm /o=r \
    ! -name "*.crt" ! -name "*.env" ! -name broker.conf ! -name setup.conf | grep -q .
}

set_up_again() {
  local board before after
  for board in 1 2; do
    before="$(on "${board}" look_at_files)"
    if ((board == 1)); then
      typed 1 60 "dualboard-setup board1 --address ${address1}"
    else
      typed 2 60 "dualboard-setup board2 --peer ${address1} --token token"
    fi
    after="$(on "${board}" look_at_files)"
    expect_of "board ${board}: no file is another one, and nothing was started again" test "${before}" = "${after}"
  done
  typed 2 10 'rm token'
  # A warning is of this machine: of its clock, or of this release's Mosquitto.
  typed 1 90 'dualboard-setup check || test $? -eq 1'
  typed 2 90 'dualboard-setup check || test $? -eq 1'
}

look_at_files() {
  inside sh -c 'find /etc/dualboard -type f -printf "%p %m %u %g %T@\n" | sort'
  unit_has dualboard-broker MainPID
}

let_operators_in() {
  local board
  for board in 1 2; do
    typed "${board}" 10 'usermod -aG dualboard anna'
    on "${board}" open_ssh "anna${board}" anna "card${board}_monitor"
    attached[anna${board}]=1
    expect 20 "ssh -t anna@board${board} card${board}_monitor: a screen of the service" \
      shows "anna${board}" 'screen of process [0-9]+, service'
    on "${board}" open_ssh "carl${board}" carl "card${board}_monitor; echo status \$?; sleep 60"
    expect 20 'carl, who is not in the group, gets none' shows "carl${board}" 'Permission denied.* status 1 '
    log_out "carl${board}"
  done
  on 2 open_ssh display2 anna card2_global_display
  attached[display2]=1
  expect 20 'ssh -t anna@board2 card2_global_display: all show all six' all_show
  on 1 log_in shell1 anna
  type_line shell1 'cat /var/lib/dualboard/card1.state /etc/dualboard/credentials/card1_monitor; ls /var/lib/dualboard'
  expect 10 'anna reads no state file, no password of the owner, and no list of them' shows shell1 \
    'cat: [^ ]*state: Permission denied.*cat: [^ ]*card1_monitor: Permission denied.*ls: .*Permission denied'
  log_out shell1
}

press_keys() {
  local key
  for key in 1 2 3; do
    toggle anna1 "${key}"
  done
  for key in 4 5 6; do
    toggle anna2 "${key}"
  done
  toggle anna1 2
}

# By the letter of docs/operations.md.
open_kiosk() {
  typed 2 10 'useradd --create-home --groups dualboard wall'
  cp "${made}/key.pub" "${made}/board2/srv/wall.pub"
  typed 2 10 'install -d -m 700 -o wall -g wall /home/wall/.ssh'
  typed 2 10 'install -m 600 -o wall -g wall wall.pub /home/wall/.ssh/authorized_keys'
  cat >"${made}/board2/etc/ssh/sshd_config.d/wall.conf" <<'SSHD'
Match User wall
  ForceCommand card2_global_display
  DisableForwarding yes
SSHD
  typed 2 10 'systemctl reload ssh'
  on 2 open_ssh wall2 wall
  attached[wall2]=1
  expect 20 'ssh wall@board2: the display, and no shell' all_show
  on 2 open_ssh other2 wall 'cat /etc/passwd; card2_monitor'
  expect 20 'ssh wall@board2 COMMAND: the display as well' shows other2 'Sensor 6 .*Sensor 3|Sensor 3 .*Sensor 6'
  expect 1 'and not what was asked for' shows_not other2 'root:'
  log_out other2
  toggle anna2 4
  press wall2 q
  unset 'attached[wall2]'
  expect 10 'q there ends the connection' has_ended wall2
}

open_panes() {
  on 2 log_in panes2 anna
  type_line panes2 'tmux new-session card2_monitor \; split-window card2_global_display'
  expect 20 'tmux with both: each pane has six sensors' shows panes2 'Sensor 6 .*Sensor 6 '
  toggle anna2 4
  log_out panes2
}

# For as long as he is an operator, Carl has a screen.
end_operator() {
  typed 1 10 'usermod -aG dualboard carl'
  on 1 open_ssh carl1 carl card1_monitor
  expect 20 'carl is an operator too, and has a screen' shows carl1 'screen of process [0-9]+, service'
  typed 1 20 'gpasswd -d carl dualboard; loginctl terminate-user carl'
  expect 20 'he has left: his screen ends' has_ended carl1
  on 1 open_ssh carl1 carl "card1_monitor; echo status \$?; sleep 60"
  expect 20 'and he gets none any more' shows carl1 'Permission denied.* status 1 '
  log_out carl1
}

# Carl's machine is board 1, which can be any other: he is in no group there.
look_from_elsewhere() {
  local command home="${made}/board1/home/carl"
  typed 2 60 "dualboard-setup board2 --address ${address2}"
  expect 1 'board 2: its address is listened on as well' on 2 listens "127.0.0.1:1894 ${address2}:8883"
  expect 60 'all CONFIRMED and LIVE on every screen' all_show
  typed 2 20 'dualboard-setup add viewer lobby'
  command="$(sed -n 's/^  \(card2_global_display .*\)/\1/p' "${made}/typed.log" | tail -n 1)"
  # What its `scp` line would bring.
  cp "${made}/board2/etc/dualboard/credentials/viewer-lobby" "${made}/board2/etc/dualboard/tls/ca.crt" "${home}/"
  chroot "${made}/board1" sh -c 'chown carl: /home/carl/viewer-lobby /home/carl/ca.crt; chmod 600 /home/carl/viewer-lobby'
  # A shell, since he goes on there.
  on 1 log_in lobby1 carl
  # None of the settings of the board that this machine happens to be.
  type_line lobby1 "clear; DUALBOARD_SETTINGS= ${command}"
  attached[lobby1]=1
  expect 20 "as a user of another machine: ${command}" all_show
  toggle anna2 4
  unset 'attached[lobby1]'
  typed 2 20 'dualboard-setup revoke viewer-lobby'
  expect 20 'it is thrown out, and told why' shows lobby1 'wrong user name or password'
  log_out lobby1
}

has_ended() { [[ "$(terminals display-message -p -t "=$1:" '#{pane_dead}')" == 1 ]]; }

drop_connection() {
  local owner
  owner="$(on 1 unit_has dualboard-card1 MainPID)"
  unset 'attached[anna1]'
  kill -KILL "$(client anna1)"
  expect 30 'anna'\''s ssh client is killed: her screen on board 1 ends' has_no_screen
  expect 1 'the owner runs on' test "${owner}" = "$(on 1 unit_has dualboard-card1 MainPID)"
  toggle anna2 5
  on 1 open_ssh anna1 anna card1_monitor
  attached[anna1]=1
  expect 20 'she logs in again, and has missed nothing' all_show
}

has_no_screen() { ! on 1 inside pgrep -u anna -x card1_monitor >/dev/null; }

cut_cable() {
  cable down
  expect 30 'board 1: board 2'\''s sensors are HELD' shows anna1 'Sensor 4 +[^ ]+ +(OK|KO) +HELD'
  expect 30 'board 2: board 1'\''s sensors are HELD' shows anna2 'Sensor 1 +[^ ]+ +(OK|KO) +HELD'
  expect 30 'the display: they are HELD too' shows display2 'Sensor 1 +[^ ]+ +(OK|KO) +HELD'
  flip 1
  press anna1 1
  expect 10 "board 1: 1 is pressed, and SAVED" shows anna1 "Sensor 1 +[^ ]+ +${states[1]} +SAVED"
  flip 6
  press anna2 6
  expect 10 "board 2: 6 is pressed, and SAVED" shows anna2 "Sensor 6 +[^ ]+ +${states[6]} +SAVED"
  cable up
  expect 60 'the cable is back: all CONFIRMED and LIVE on every screen' all_show
  toggles=$((toggles + 2))
}

# At once after a toggle. What was on its way to the disk and not on it is lost with the power.
pull_power_of() {
  local board="$1" other=$((3 - $1)) sensor=$(($1 * 3 - 1)) name begun
  flip "${sensor}"
  on "${board}" inside sh -c 'echo not on the disk >/srv/unsynced'
  press "anna${board}" "${sensor}"
  expect 10 "board ${board}: ${sensor} is pressed, and SAVED or CONFIRMED" shows "anna${board}" \
    "Sensor ${sensor} +[^ ]+ +${states[sensor]} +(SAVED|CONFIRMED)"
  toggles=$((toggles + 1))
  for name in "${!attached[@]}"; do
    [[ "${name}" != *"${board}" ]] || unset "attached[${name}]"
  done
  pull_power "${board}"
  expect 30 "board ${other}: what came from board ${board} is HELD" shows "anna${other}" 'Sensor [1-6] +[^ ]+ +(OK|KO) +HELD'
  begun="${EPOCHREALTIME}"
  on "${board}" boot
  expect_all_live "board ${board} has booted, and nobody has logged in there"
  say "         from its first process on: $(since "${begun}") s"
  expect 1 'what was written there without a sync is lost: the power was really pulled' \
    on "${board}" inside sh -c '! grep -q . /srv/unsynced'
  on "${board}" open_ssh "anna${board}" anna "card${board}_monitor"
  attached[anna${board}]=1
  if ((board == 2)); then
    on 2 open_ssh display2 anna card2_global_display
    attached[display2]=1
  fi
  expect 20 'all screens show all six' all_show
  toggle "anna${board}" "${sensor}"
}

pull_power_of_both() {
  local begun
  flip 3
  press anna1 3
  expect 10 '3 is pressed, and SAVED or CONFIRMED' shows anna1 "Sensor 3 +[^ ]+ +${states[3]} +(SAVED|CONFIRMED)"
  flip 4
  press anna2 4
  expect 10 '4 is pressed, and SAVED or CONFIRMED' shows anna2 "Sensor 4 +[^ ]+ +${states[4]} +(SAVED|CONFIRMED)"
  toggles=$((toggles + 2))
  attached=()
  pull_power 1
  pull_power 2
  begun="${EPOCHREALTIME}"
  on 1 boot
  on 2 boot
  expect_all_live 'both have booted, one after the other'
  say "         from the first process of board 1 on: $(since "${begun}") s"
  log_in_again
}

# As when its cable is out and no address comes without it.
boot_without_address() {
  boot_board1_without_address
  expect 20 'its broker does not start' on 1 says_of_broker 'Cannot assign requested address'
  expect 10 'the owner runs' on 1 unit_is dualboard-card1 active
  press_until_address SENDING
  # As the guide has it in /etc/sysctl.d. A container does not set what belongs to its network.
  ip netns exec "$(namespace 1)" sysctl --quiet net.ipv4.ip_nonlocal_bind=1
  boot_board1_without_address
  expect 20 'with net.ipv4.ip_nonlocal_bind=1 its broker starts' on 1 unit_is dualboard-broker active
  press_until_address SAVED
}

boot_board1_without_address() {
  unset 'attached[anna1]'
  pull_power 1
  ip -n "$(namespace 1)" link set eth0 down
  ip -n "$(namespace 1)" address del "${address1}/24" dev eth0
  on 1 boot
}

# press_until_address STAGE: how far a toggle gets before it comes
press_until_address() {
  on 1 open_ssh anna1 anna card1_monitor
  expect 20 'its states are there' shows anna1 "Sensor 1 +[^ ]+ +${states[1]} .*Sensor 2 +[^ ]+ +${states[2]} .*Sensor 3 +[^ ]+ +${states[3]} "
  flip 1
  press anna1 1
  expect 10 "1 is pressed, and $1" shows anna1 "Sensor 1 +[^ ]+ +${states[1]} +$1"
  toggles=$((toggles + 1))
  ip -n "$(namespace 1)" link set eth0 up
  ip -n "$(namespace 1)" address add "${address1}/24" dev eth0
  attached[anna1]=1
  expect 30 'the address is there: all CONFIRMED and LIVE on every screen' all_show
}

end_token() {
  typed 1 30 'dualboard-setup renew --bridge'
  expect 30 'dualboard-setup check on board 2 says that its password is refused' on 2 check_says "FAIL .*refuses the bridge's name or password"
  expect 20 'board 1'\''s sensors are HELD there' shows anna2 'Sensor 1 +[^ ]+ +(OK|KO) +HELD'
  bring_token
  expect 30 'board 2 has the new token: all CONFIRMED and LIVE on every screen' all_show
}

bring_token() {
  copy_token
  typed 2 60 'dualboard-setup board2 --token token && rm token'
}

says_of_broker() {
  local said
  said="$(inside journalctl --quiet --boot --unit dualboard-broker)"
  grep -qF "$1" <<<"${said}"
}

# As a power cut may leave it. A broker that ends at it would end again, each time.
damage_store() {
  on 1 inside systemctl stop dualboard-broker
  on 1 inside sh -c 'head -c 200 /dev/urandom >/var/lib/dualboard-broker/mosquitto.db'
  # It ends, is set right, and is started again by systemd. Mosquitto 2.1 sets it right itself: as it ends, it writes an empty store over it.
  on 1 inside systemctl start dualboard-broker 2>/dev/null || true
  expect 20 'it is set aside, or an empty one is written over it' on 1 says_of_store
  expect 20 'it runs' on 1 inside systemctl is-active --quiet dualboard-broker
  expect_all_live 'with an empty store'
}

says_of_store() {
  says_of_broker 'the store was damaged; set aside' || { says_of_broker 'mosquitto version 2.1' && says_of_broker "Couldn't open database"; }
}

# It takes connections, and answers nobody.
hang_broker() {
  on 2 inside systemctl kill --kill-who=main --signal=STOP dualboard-broker
  expect 60 'a broker hangs: the display says so' shows display2 'Sensor 1 +[^ ]+ +(OK|KO) +HELD'
  expect 180 'it is ended and started again by itself: all CONFIRMED and LIVE on every screen' all_show
}

renew() {
  local board
  for board in 1 2; do
    typed "${board}" 20 'dualboard-setup renew'
  done
  # The bridge and the screens elsewhere look at the new certificate when they connect.
  cable down
  expect 30 'the cable is out: the bridge is down' shows anna1 'Sensor 4 +[^ ]+ +(OK|KO) +HELD'
  cable up
  expect 60 'and in again: all CONFIRMED and LIVE on every screen' all_show
  typed 1 20 'dualboard-setup renew --authority'
  bring_token
  expect 60 'a new authority of board 1, and board 2 has its token: all CONFIRMED and LIVE on every screen' all_show
}

log_in_again() {
  local board
  for board in 1 2; do
    on "${board}" open_ssh "anna${board}" anna "card${board}_monitor"
    attached[anna${board}]=1
  done
  on 2 open_ssh display2 anna card2_global_display
  attached[display2]=1
  expect 30 'all screens show all six' all_show
}

# pull_power BOARD: all processes end, and the disk goes on with what it has at this moment. What the board's system had in memory and not
# written is in the old image's file system alone, which is thrown away.
pull_power() {
  local image="${made}/board$1.img"
  on "$1" kill_container
  cp --sparse=always "${image}" "${image}.new"
  umount "${made}/board$1"
  mv "${image}.new" "${image}"
  mount_board "$1"
}

# expect_all_live WHEN: asked of the display on board 2, which needs nobody to be logged in
expect_all_live() {
  expect 90 "$1: all six states are there, and LIVE" all_live
}

all_live() {
  local told sensor wanted
  told="$(on 2 inside card2_global_display --once --json 2>/dev/null)" || true
  [[ "${told}" == *'"card1":true'* && "${told}" == *'"card2":true'* ]] || return 1
  for sensor in 1 2 3 4 5 6; do
    wanted=true
    [[ "${states[sensor]}" == OK ]] || wanted=false
    [[ "${told}" == *"\"sensor_${sensor}\":${wanted}"* ]] || return 1
  done
}

# The package once more, with a higher version in its name. The programs are of one version, so the screens stay; what they do when they are
# not is in tests/system/attached.rs.
upgrade() {
  local board before newer="${made}/newer"
  dpkg-deb --raw-extract "${package}" "${newer}"
  sed -i 's/^Version: .*/&+1/' "${newer}/DEBIAN/control"
  dpkg-deb --root-owner-group --build "${newer}" "${made}/newer.deb" >/dev/null
  rm -rf "${newer}"
  for board in 1 2; do
    cp "${made}/newer.deb" "${made}/board${board}/srv/newer.deb"
    before="$(on "${board}" pids "${board}")"
    typed "${board}" 120 'apt-get install --yes ./newer.deb'
    expect 30 'broker and owner run again, as new processes' on "${board}" run_anew "${board}" "${before}"
    typed "${board}" 60 "dualboard-setup board${board}"
    expect 60 'all screens come back by themselves and show all six' all_show
    toggle "anna${board}" "$((board * 3))"
  done
}

pids() { printf '%s %s' "$(unit_has dualboard-broker MainPID)" "$(unit_has "dualboard-card$1" MainPID)"; }

run_anew() {
  local now
  now="$(pids "$1")"
  unit_is dualboard-broker active && unit_is "dualboard-card$1" active &&
    [[ "${now% *}" != "${2% *}" && "${now#* }" != "${2#* }" ]]
}

swap_board() {
  unset 'attached[anna1]'
  log_out anna1
  pull_power 1
  unmount_board 1
  rm "${made}/board1.img"
  blank_board 1
  typed 1 300 'apt-get install --yes ./dualboard.deb'
  typed 1 60 "dualboard-setup board1 --address ${address1}"
  expect 30 'dualboard-setup check on board 2 says that it is another authority'\''s' on 2 check_says 'FAIL .*signed by another authority'
  expect 1 'and board 1'\''s sensors stay HELD' shows anna2 'Sensor 1 +[^ ]+ +(OK|KO) +HELD'
  bring_token
  expect_all_live 'board 2 has the new token'
  typed 1 10 'usermod -aG dualboard anna'
  on 1 open_ssh anna1 anna card1_monitor
  attached[anna1]=1
  expect 30 'all screens show all six: board 1 has its states from board 2' all_show
  toggle anna1 1
}

# check_says PATTERN: whether the check, whatever its status, has such a line
check_says() {
  local said
  said="$(inside dualboard-setup check 2>&1)" || true
  grep -qE "$1" <<<"${said}"
}

remove_and_purge() {
  log_out anna1
  unset 'attached[anna1]'
  typed 1 120 'apt-get remove --yes dualboard'
  expect 1 'no process of it is left' on 1 inside sh -c '! pgrep -u dualboard,dualboard-broker'
  expect 1 'its states and settings are' on 1 inside test -s /var/lib/dualboard/card1.state -a -s /etc/dualboard/broker.conf
  expect 1 'Debian'\''s own broker runs on' on 1 unit_is mosquitto active
  typed 1 120 'apt-get install --yes ./dualboard.deb'
  typed 1 60 "dualboard-setup board1 --address ${address1}"
  expect_all_live 'installed and set up again'
  typed 1 20 '(umask 077; tar -C /etc -cpf dualboard.tar dualboard)'
  typed 1 120 'apt-get purge --yes dualboard'
  expect 1 'purged: nothing is left' on 1 inside sh -c '! ls -d /etc/dualboard* /var/lib/dualboard* /usr/lib/dualboard* /etc/systemd/system/*/dualboard* 2>/dev/null'
  expect 1 'Debian'\''s own broker runs on' on 1 unit_is mosquitto active
  expect 30 'board 2 shows what it had from board 1 as HELD' shows anna2 "Sensor 1 +[^ ]+ +${states[1]} +HELD"
  typed 1 120 'apt-get install --yes ./dualboard.deb'
  typed 1 20 'tar -C /etc -xpf dualboard.tar'
  typed 1 60 'dualboard-setup board1'
  expect_all_live 'installed again, with a copy of the old /etc/dualboard, and board 2 was told nothing'
}

# For whoever reads that something was not seen.
show_all() {
  local name
  for name in $(terminals list-sessions -F '#{session_name}'); do
    screen "${name}" | sed "s/^/    ${name} | /"
  done
  tail -n 5 "${made}/typed.log" 2>/dev/null | sed 's/^/    typed | /'
}

main "$@"
