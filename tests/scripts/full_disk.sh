#!/usr/bin/env bash
# launch.sh and stop.sh on a disk that is full: what can be started is, and what is missing is said in plain words.
# The programs and cargo are stand-ins. Needs root, for a small disk of its own.
#
# Usage: tests/scripts/full_disk.sh [-h]

# `launch` and `stop` take options in some of their calls only.
# shellcheck disable=SC2119
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"

main() {
  begin "$@"
  if ((EUID != 0)) || ! unshare --mount true 2>/dev/null; then
    printf 'skipped: this user cannot mount a small disk\n'
    exit 0
  fi
  # The mount is gone with the last process of this test.
  if [[ -z "${FULL_DISK_OWN_MOUNTS:-}" ]]; then
    FULL_DISK_OWN_MOUNTS=1 exec unshare --mount "${BASH_SOURCE[0]}"
  fi
  enter_sandbox
  data="${sandbox}/small/data"
  export DUALBOARD_DATA_DIR="${data}"
  mkdir "${sandbox}/small"
  mount -t tmpfs -o size=1m small "${sandbox}/small"
  starts_what_it_can_after_it_has_run_before
  says_what_is_missing_on_the_first_run
  starts_what_it_can_where_the_disk_is_readable_only
  keeps_the_credentials_that_it_has
  count
}

clean_up() {
  empty
  scripts/stop.sh >/dev/null 2>&1 || true
  tmux kill-server 2>/dev/null || true
  umount --lazy "${sandbox}/small" || true
  rm -rf "${sandbox}"
}

fill() { head -c 4000000 /dev/zero >"${sandbox}/small/fill" 2>/dev/null || true; }
empty() { rm -f "${sandbox}/small/fill"; }

# What bash and the tools say by themselves names no cure.
no_raw_error() { [[ ! "${output}" =~ 'line '[0-9]+':'|'write error'|^(mkdir|touch|mv|awk|cp): ]]; }
all_panes() { tmux list-panes -s -t dualboard -F '#{pane_title} #{pane_dead}' | grep -c "_.* 0"; }
broker_runs() { holds "$1" "\$SYS/broker/version" "$(mosquitto -h | awk 'NR == 1')"; }

starts_what_it_can_after_it_has_run_before() {
  check 'launch with room' launch
  stop
  fill
  check 'launch on a full disk' launch
  check 'in plain words' no_raw_error
  check 'which say what is wrong' says "no room on the disk of ${data}"
  check 'broker 1 runs' soon broker_runs "${port1}"
  check 'broker 2 runs' soon broker_runs "${port2}"
  check 'three programs run' test "$(all_panes)" = 3
  check 'a second launch finds them' launch
  check 'stop ends them' stop
  check 'broker 1 too' says 'broker1: ended'
  check 'broker 2 too' says 'broker2: ended'
  empty
}

says_what_is_missing_on_the_first_run() {
  rm -rf "${data}"
  mkdir -p "${data}"
  fill
  check 'a first launch on a full disk fails in one line' fails_saying "no room on the disk of ${data}" scripts/launch.sh
  check 'without a raw error' no_raw_error
  empty
  check 'and succeeds when there is room' launch
  stop
}

# As after an error of the disk, or of its card reader.
starts_what_it_can_where_the_disk_is_readable_only() {
  local name
  launch
  tmux kill-server
  # Those that would start the brokers again go as well.
  for name in broker1.keeper broker2.keeper broker1 broker2; do
    kill -KILL "$(head -n 1 "${data}/${name}.pid")"
  done
  sync
  soon mount -o remount,ro "${sandbox}/small" 2>/dev/null
  check 'launch on a disk that is readable only' launch
  check 'in plain words' no_raw_error
  check 'broker 1 runs' soon broker_runs "${port1}"
  check 'broker 2 runs' soon broker_runs "${port2}"
  check 'stop ends them' stop
  check 'both of them' says 'broker1: ended'
  mount -o remount,rw "${sandbox}/small"
}

keeps_the_credentials_that_it_has() {
  local before
  make_token one
  make_token two
  check 'board 2 starts with a token' board2 --token "${sandbox}/one"
  stop
  before="$(contents)"
  fill
  check 'another token is refused' fails_saying "no room on the disk of ${data}" \
    scripts/board2.sh --peer 127.0.0.1:1 --detach --token "${sandbox}/two"
  check 'without a raw error' no_raw_error
  check 'all that was there stays' test "$(contents)" = "${before}"
  check 'and board 2 starts with it' board2
  check 'nor is anything renewed' fails_saying "no room on the disk of ${data}" \
    scripts/dualboard-setup --data-dir "${data}" renew --authority
  check 'all that was there stays then too' test "$(contents)" = "${before}"
  stop
  empty
}

board2() { output="$(scripts/board2.sh --peer 127.0.0.1:1 --listen board2.test --listen-port "${port1}" --detach "$@" </dev/null 2>&1)"; }

# What the board's files say.
contents() { find "${data}/board" -type f -exec cksum {} + | sort; }

# make_token NAME: as board 1 makes it.
make_token() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj "/CN=$1" -out "${sandbox}/$1.crt" 2>/dev/null
  {
    printf 'board2_bridge_%s %s\n' in "$(letters a)" out "$(letters b)" alive "$(letters c)"
    cat "${sandbox}/$1.crt"
  } >"${sandbox}/$1"
}

letters() { printf "$1%.0s" {1..32}; }

main "$@"
