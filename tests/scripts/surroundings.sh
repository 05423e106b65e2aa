#!/usr/bin/env bash
# The scripts where things are not as their author has them: another tmux.conf, an unknown terminal, no HOME,
# nothing that can be written, no Rust; and what a person reads there. Real brokers and a real tmux; the
# programs and cargo are stand-ins.
#
# Usage: tests/scripts/surroundings.sh [-h]

# `launch` and `stop` take options in some of their calls only.
# shellcheck disable=SC2119
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"

declare output

main() {
  begin "$@"
  enter_sandbox
  local listen_port
  claim_port listen_port
  export DUALBOARD_LISTEN_PORT="${listen_port}"
  outlives_its_onlookers
  says_that_tmux_ends_with_its_onlookers
  bears_any_tmux_conf
  forgets_a_tmux_that_is_gone
  finds_its_session_on_another_server
  shows_itself_in_an_unknown_terminal
  says_that_a_terminal_cannot_show_it
  arranges_the_panes_at_each_size
  needs_no_home
  is_called_from_anywhere
  is_understood_by_another_shell
  starts_what_is_built_without_rust
  says_what_is_missing_where_nothing_is_built
  starts_what_is_built_where_nothing_can_be_written
  lets_the_next_step_be_read
  lets_a_refusal_be_read
  starts_a_broker_that_waits_for_the_clock
  leaves_no_credentials_in_sight
  count
}

clean_up() {
  "${outer[@]}" kill-server 2>/dev/null || true
  rm -f "${sandbox}/home/.tmux.conf"
  scripts/stop.sh >/dev/null 2>&1 || true
  scripts/stop.sh --session board1 >/dev/null 2>&1 || true
  scripts/stop.sh --session board2 >/dev/null 2>&1 || true
  tmux kill-server 2>/dev/null || true
  rm -rf "${sandbox}"
}

# A terminal for the scripts, which another tmux makes.
outer=(tmux -L outer -f /dev/null)
readonly outer
in_terminal() {
  "${outer[@]}" kill-server 2>/dev/null || true
  # A server that is just ending takes none.
  soon "${outer[@]}" new-session -d -x "$1" -y "$2" "$3" \; set-option -w remain-on-exit on 2>/dev/null
}
terminal_shows() { "${outer[@]}" capture-pane -p -J 2>/dev/null | tee "${sandbox}/terminal.txt" | grep -q -- "$1"; }
press_enter() { "${outer[@]}" send-keys Enter; }

tmux_conf() {
  tmux kill-server 2>/dev/null || true
  printf '%s\n' "$@" >"${sandbox}/home/.tmux.conf"
}

three_programs_run() {
  local name
  for name in card1_monitor card2_monitor card2_global_display; do
    kill -0 "$(head -n 1 "${data}/${name}.pid" 2>/dev/null)" 2>/dev/null || return 1
  done
}
nobody_is_left() {
  local name
  for name in broker1 broker2 broker1.keeper broker2.keeper; do
    [[ ! -e "${data}/${name}.pid" ]] || return 1
  done
}
# What bash and the tools say by themselves names no cure.
no_raw_error() { [[ ! "${output}" =~ 'line '[0-9]+':'|'os error'|'no server running'|'open terminal failed'|'command not found' ]]; }

outlives_its_onlookers() {
  local value
  for value in on keep-last keep-group; do
    # Older ones know on and off only, and say so when somebody attaches.
    tmux_conf "set -g destroy-unattached ${value}"
    check "launch with destroy-unattached ${value}" launch
    check 'in plain words' no_raw_error
    check 'the programs run' soon three_programs_run
    in_terminal 80 24 'env -u TMUX scripts/launch.sh'
    check 'somebody looks' soon terminal_shows 'brokers .*stop.sh: end'
    "${outer[@]}" kill-server
    sleep 0.5
    check 'the session outlives that' tmux has-session -t =dualboard
    stop
  done
}

says_that_tmux_ends_with_its_onlookers() {
  tmux_conf 'set -s exit-unattached on'
  check 'exit-unattached is named' fails_saying 'set -s exit-unattached off' scripts/launch.sh
  check 'in plain words' no_raw_error
  check 'no broker is left' nobody_is_left
}

bears_any_tmux_conf() {
  tmux_conf 'set -g base-index 1' 'set -g pane-base-index 1' 'set -g renumber-windows on' 'set -g remain-on-exit off' \
    'set -g default-command "exit 7"' 'set -g default-shell /usr/sbin/nologin' 'set -g mouse on' 'set -g status off' 'set -g prefix C-a' 'unbind C-b' \
    'set -g detach-on-destroy off' 'set -g automatic-rename on' 'set -g allow-rename on' 'set -g set-titles on' \
    'set -g aggressive-resize on' 'set -g default-terminal tmux-256color' 'set -s exit-empty off' 'set -g pane-border-status bottom' 'set -g mode-keys vi'
  check 'launch' launch
  check 'in plain words' no_raw_error
  check 'the programs run' soon three_programs_run
  in_terminal 200 50 'env -u TMUX scripts/launch.sh'
  check 'they are seen' soon terminal_shows ' card1_monitor .* card2_monitor '
  kill -KILL "$(head -n 1 "${data}/card2_monitor.pid")"
  tmux kill-pane -t dualboard:programs.1
  check 'what has ended' soon ended card2_monitor
  check 'a second launch starts again' launch
  check 'in plain words' no_raw_error
  check 'the programs run' soon three_programs_run
  check 'stop' stop
  check 'nothing is left' nobody_is_left
  tmux_conf ''
}
ended() { ! kill -0 "$(head -n 1 "${data}/$1.pid" 2>/dev/null)" 2>/dev/null; }

forgets_a_tmux_that_is_gone() {
  local socket
  for socket in "${sandbox}/gone/default" "${sandbox}/tmux/gone"; do
    check "launch with TMUX=${socket}" env TMUX="${socket},123,0" scripts/launch.sh --detach >/dev/null 2>&1
    check 'the session is where tmux finds it' tmux has-session -t =dualboard
    check 'stop finds it as well' env TMUX="${socket},123,0" scripts/stop.sh >/dev/null
    check 'and ends it' test "$(tmux list-sessions 2>/dev/null | wc -l)" = 0
  done
  in_terminal 80 24 "TMUX='${sandbox}/tmux/gone,123,0' scripts/launch.sh"
  check 'it is shown' soon terminal_shows 'brokers .*stop.sh: end'
  # As a terminal that was opened from a pane and is none itself.
  in_terminal 80 24 "TMUX='$(tmux display-message -p -t =dualboard: '#{socket_path},#{pid},0')' scripts/launch.sh"
  check 'as it is in a terminal that has the variable of somebody else' soon terminal_shows 'brokers .*stop.sh: end'
  check 'launch with a TMUX_TMPDIR that is not there' env TMUX_TMPDIR="${sandbox}/none" scripts/stop.sh >/dev/null
  stop
}

# What is started on one tmux server of this user is found from another one.
finds_its_session_on_another_server() {
  local before other=(env TMUX_TMPDIR="${sandbox}/other")
  mkdir "${sandbox}/other"
  tmux -L elsewhere -f /dev/null new-session -d -s work 'scripts/launch.sh; read -r _'
  check 'launch in a pane of another server' soon three_programs_run
  soon grep -q /elsewhere "${data}/session"
  before="$(cat "${data}"/*.pid)"
  check 'a launch from outside' launch
  check 'leaves all as it is' test "$(cat "${data}"/*.pid)" = "${before}"
  check 'and says where it is' says "To see it: tmux -S ${TMUX_TMPDIR}/tmux-${UID}/elsewhere attach -t dualboard"
  check 'a session of another name in its folder is refused' fails_saying "in use by the tmux session 'dualboard'" \
    scripts/launch.sh --session third --data-dir "${data}"
  in_terminal 80 24 'env -u TMUX scripts/launch.sh'
  check 'a terminal shows it' soon terminal_shows 'brokers .*stop.sh: end'
  in_terminal 120 24 'scripts/launch.sh'
  check 'a pane of a third server does not, and is told where it is' soon terminal_shows 'tmux -S .*/elsewhere attach -t dualboard'
  check 'stop from outside' stop
  check 'ends the session' test "$(tmux -L elsewhere list-sessions -F '#{session_name}')" = work
  check 'and all else' nobody_is_left
  tmux -L elsewhere kill-server
  check 'launch with another TMUX_TMPDIR' run "${other[@]}" scripts/launch.sh
  before="$(cat "${data}"/*.pid)"
  check 'and without it' launch
  check 'leaves all as it is as well' test "$(cat "${data}"/*.pid)" = "${before}"
  "${other[@]}" tmux kill-server
  check 'a launch when that server is gone' launch
  check 'is on the usual one' tmux has-session -t =dualboard
  check 'with its programs' soon three_programs_run
  stop
}

shows_itself_in_an_unknown_terminal() {
  in_terminal 80 24 'env -u TMUX TERM=xterm-ghostty scripts/launch.sh'
  check 'an unknown terminal shows it' soon terminal_shows 'brokers .*stop.sh: end'
  tmux detach-client -s =dualboard
  check 'it is said' soon terminal_shows "does not know the terminal 'xterm-ghostty'"
  check 'detached, it is told how to see it there' env TERM=xterm-ghostty bash -c 'scripts/launch.sh --detach | grep -q "TERM=xterm-256color tmux attach"'
}

says_that_a_terminal_cannot_show_it() {
  in_terminal 80 24 'env -u TMUX TERM=dumb scripts/launch.sh'
  check 'a terminal without a cursor is told so' soon terminal_shows "The terminal 'dumb' (TERM) cannot show it"
  check 'and how to see it' soon terminal_shows 'tmux attach -t dualboard'
  in_terminal 80 24 'env -u TMUX -u TERM scripts/launch.sh'
  check 'one without a name as well' soon terminal_shows '(TERM) cannot show it'
}

# For how long the panes may be as they were at the last size.
arranges_the_panes_at_each_size() {
  in_terminal 80 40 'env -u TMUX scripts/launch.sh'
  check 'one above the other in 80 columns' soon panes_side_by_side 1
  "${outer[@]}" resize-window -x 200 -y 60
  check 'side by side in 200, at the first resize' soon panes_side_by_side 2
  "${outer[@]}" resize-window -x 100 -y 60
  check 'one above the other in 100, at the first resize' soon panes_side_by_side 1
  "${outer[@]}" resize-window -x 161 -y 60
  check 'side by side where two of 80 fit' soon panes_side_by_side 2
  stop
}
panes_side_by_side() {
  test "$(tmux list-panes -t dualboard:programs -F '#{pane_left}' | sort -u | wc -l)" = "$1"
}

needs_no_home() {
  check 'launch without HOME' run env -u HOME scripts/launch.sh
  check 'in plain words' no_raw_error
  check 'the programs run' soon three_programs_run
  check 'stop without HOME' run env -u HOME scripts/stop.sh
  check 'in plain words' no_raw_error
}
run() { output="$("$@" </dev/null 2>&1)"; }

is_called_from_anywhere() {
  check 'launch from the folder of the scripts' run env -C scripts bash launch.sh
  check 'it says how to end it' says "To end it: ${sandbox}/project/scripts/stop.sh"
  check 'stop from there' run env -C scripts bash stop.sh
}

is_understood_by_another_shell() {
  local shell script
  for shell in dash 'bash --posix'; do
    # shellcheck disable=SC2086 # a command and its option
    check "launch by ${shell}" run ${shell} scripts/launch.sh --detach
    check 'in plain words' no_raw_error
    check 'the programs run' soon three_programs_run
    # shellcheck disable=SC2086
    check "stop by ${shell}" run ${shell} scripts/stop.sh
    check 'nothing is left' nobody_is_left
    for script in "${here}"/scripts/*.sh "${here}"/dev/*.sh "${here}"/tests/scripts/*.sh; do
      # shellcheck disable=SC2086
      check "${script} by ${shell}" run ${shell} "${script}" -h
    done
  done
}

# All that this machine has but Rust.
without_rust() {
  if [[ ! -d "${sandbox}/no_rust" ]]; then
    mkdir "${sandbox}/no_rust"
    cp -s /usr/sbin/* /usr/local/bin/* /usr/bin/* "${sandbox}/no_rust/" 2>/dev/null || true
    rm -f "${sandbox}"/no_rust/{cargo,rustc,rustup,cmake}
  fi
  run env PATH="${sandbox}/no_rust" CARGO_HOME="${sandbox}/none" DUALBOARD_SYSTEM_PATH='' "$@"
}

starts_what_is_built_without_rust() {
  mkdir -p src
  printf 'old\n' >src/lib.rs
  touch -d '2020-01-01' src/lib.rs Cargo.toml
  check 'launch without Rust, what is built is there' without_rust scripts/launch.sh
  check 'it says so' says 'Nothing is built, since Rust is missing'
  check 'the programs run' soon three_programs_run
  stop
  touch src/lib.rs
  check 'launch with newer sources' without_rust scripts/launch.sh
  check 'it says that too' says 'It is older than the sources'
  stop
  mv target/release/card2_monitor "${sandbox}/card2_monitor"
  printf '#!/bin/sh\necho "not for this machine" >&2\nexit 126\n' >target/release/card2_monitor
  chmod +x target/release/card2_monitor
  check 'one that does not run here' refused_saying 'does not run on this machine (not for this machine)' without_rust scripts/launch.sh
  mv "${sandbox}/card2_monitor" target/release/card2_monitor
}

says_what_is_missing_where_nothing_is_built() {
  mv target "${sandbox}/target"
  ln -sf "$(type -P cmake)" "${sandbox}/no_rust/cmake"
  check 'nothing is built and nothing can be' refused_saying 'the programs are not built: Rust is missing' without_rust scripts/launch.sh
  check 'and how it can' says 'To install it: curl'
  if makes_read_only; then
    check 'nothing is built, and nothing can be written' refused_saying 'the programs are not built: ' read_only scripts/launch.sh --data-dir "${sandbox}/away"
    check 'and how it can' says 'CARGO_TARGET_DIR'
  fi
  mv "${sandbox}/target" target
}
refused_saying() {
  local words="$1"
  shift
  ! "$@" && says "${words}"
}

makes_read_only() { ((EUID != 0)) || unshare --mount true 2>/dev/null; }

# With a project that cannot be written in.
read_only() {
  local status=0
  if ((EUID == 0)); then
    # shellcheck disable=SC2016 # the inner shell has its own arguments
    run unshare --mount bash -c 'mount --bind . . && mount -o remount,ro,bind . && cd "${PWD}" && exec "$@"' _ "$@"
  else
    chmod -R a-w .
    run "$@" || status=1
    chmod -R u+w .
    return "${status}"
  fi
}

starts_what_is_built_where_nothing_can_be_written() {
  if ! makes_read_only; then
    printf 'skipped: this root may not mount, so a folder that can only be read\n'
    return
  fi
  rm -rf .run
  check 'the data folder cannot be there' refused_saying "choose another: scripts/launch.sh --data-dir DIR" read_only scripts/launch.sh
  check 'in plain words' no_raw_error
  data="${sandbox}/away"
  check 'launch with another' read_only scripts/launch.sh --data-dir "${data}"
  check 'it says that nothing is built' says 'Nothing is built, since '
  check 'in plain words' no_raw_error
  check 'the programs run' soon three_programs_run
  stop --data-dir "${data}"
  check 'nothing is left' nobody_is_left
  data="${sandbox}/project/.run/dualboard"
}

lets_the_next_step_be_read() {
  local board1="env -u TMUX scripts/board1.sh --session board1 --listen board1.test"
  in_terminal 120 40 "${board1}"
  check 'board 1 waits before tmux covers what to copy' soon terminal_shows '^Enter shows the programs'
  check 'the next step stands there' terminal_shows "scripts/board2.sh --peer board1.test:${DUALBOARD_LISTEN_PORT} --token token"
  press_enter
  check 'Enter shows the programs' soon terminal_shows 'brokers .*stop.sh: end'
  tmux detach-client -s =board1
  check 'left, it stands there again' soon terminal_shows 'scp .*/board/token token'
  in_terminal 120 40 "${board1}"
  check 'whoever comes back to it does not wait' soon terminal_shows 'brokers .*stop.sh: end'
  "${outer[@]}" kill-server
  stop --session board1
  if [[ -e /proc/net/if_inet6 && -n "$(</proc/net/if_inet6)" ]]; then
    check 'an address of IPv6' run scripts/board1.sh --session board1 --listen 0:0::1 --detach
    check 'stands in brackets for scp' says '@[0:0::1]:'
    check 'and for board2.sh' says "--peer [0:0::1]:${DUALBOARD_LISTEN_PORT}"
    stop --session board1
  fi
}

lets_a_refusal_be_read() {
  run scripts/board1.sh --session board1 --listen board1.test --detach
  sed 's/^\(board2_bridge_[a-z]*\) .*/\1 wrongwrongwrongwrongwrongwrongwr/' "${sandbox}/project/.run/board1/board/token" >token
  in_terminal 160 40 "env -u TMUX scripts/board2.sh --session board2 --peer 127.0.0.1:${DUALBOARD_LISTEN_PORT} --token token"
  check "a refused password is told before tmux covers it" soon terminal_shows '^Enter shows the programs'
  check 'with its cause' terminal_shows "refuses the bridge's name or password"
  check 'and what to do, in this session' terminal_shows 'scripts/stop.sh --session board2, and scripts/board2.sh --session board2 --peer .* --token FILE'
  press_enter
  check 'Enter shows the programs' soon terminal_shows 'brokers .*stop.sh: end'
  "${outer[@]}" kill-server
}

# As Mosquitto 2.0.21 leaves it: board 1 can be reached, the bridge is down (here since it is refused), and
# the broker's last words are of a time that has not come yet.
starts_a_broker_that_waits_for_the_clock() {
  local data2="${sandbox}/project/.run/board2" before
  local board2=(scripts/board2.sh --session board2 --peer "127.0.0.1:${DUALBOARD_LISTEN_PORT}" --detach)
  before="$(head -n 1 "${data2}/broker2.pid")"
  check 'a bridge that is down for another reason' run "${board2[@]}"
  check 'is no reason to start the broker again' test "$(head -n 1 "${data2}/broker2.pid")" = "${before}"
  printf '%s: Connecting bridge board2_bridge_in (127.0.0.1:%s)\n' "$(date -d '+2 hours' +%Y-%m-%dT%H:%M:%S)" "${DUALBOARD_LISTEN_PORT}" >>"${data2}/log/broker2.log"
  check 'one that waits for the clock' run "${board2[@]}"
  check 'is told so' says "this machine's clock was set back"
  check 'is started again' test "$(head -n 1 "${data2}/broker2.pid")" != "${before}"
  before="$(head -n 1 "${data2}/broker2.pid")"
  check 'once' run "${board2[@]}"
  check 'and not again' test "$(head -n 1 "${data2}/broker2.pid")" = "${before}"
  stop --session board2
  stop --session board1
}

# The file that board 2 copies, at the place where it is told to copy it.
leaves_no_credentials_in_sight() {
  rm token
  check 'a token that has gone is said to be kept' fails_saying 'leave it out' \
    scripts/board2.sh --session board2 --peer 127.0.0.1 --token token
  if git -C "${here}" rev-parse --git-dir >/dev/null 2>&1; then
    check 'git does not offer them' git -C "${here}" check-ignore --quiet token
  fi
}

main "$@"
