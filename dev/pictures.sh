#!/usr/bin/env bash
# For developers. Makes the pictures of the documentation from the running programs.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project pictures="${project}/docs/pictures"
readonly card1=stage:programs.0 card2=stage:programs.1 display=stage:programs.2
readonly options='
  --moving switch moving_only
  --port1 port port1 DUALBOARD_PORT1 11883
  --port2 port port2 DUALBOARD_PORT2 11884'
declare moving_only port1 port2

usage() {
  cat <<'HELP'
For developers. Make the pictures in docs/pictures from the running programs: start both boards apart from everything else, press keys, break
things, and draw what the terminal shows.

Usage: dev/pictures.sh [OPTION ...]

  --moving          only the moving picture
  --port1 PORT      broker 1's port (default: 11883)                     DUALBOARD_PORT1
  --port2 PORT      broker 2's port (default: 11884); the cable of the moving picture has the next one
                                                                         DUALBOARD_PORT2
  -h, --help        this text

Needs what scripts/launch.sh needs, and python3.
HELP
}

main() {
  parse_options "${options}" "$@"
  open_stage
  trap close_stage EXIT
  if [[ -z "${moving_only}" ]]; then
    still_pictures
  fi
  moving_picture
}

still_pictures() {
  start_launched
  picture_of_launch
  picture_of_each_program
  picture_of_the_wall
  picture_of_help
  picture_of_test
  picture_of_locked
  picture_of_small_windows
  picture_of_held
  picture_of_lost_broker
  stop_launched
}

# A tmux server and data folders of their own.
open_stage() {
  stage="$(mktemp -d)"
  export TMUX_TMPDIR="${stage}" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 DUALBOARD_PORT1="${port1}" DUALBOARD_PORT2="${port2}"
  unset TMUX NO_COLOR
  mkdir -p "${pictures}"
}

close_stage() {
  { stop_launched && stop_boards; } >/dev/null || true
  tmux kill-server 2>/dev/null || true
  rm -rf "${stage}"
}

# Twice, as on any day but the first: there is something to restore.
start_launched() {
  launch
  shows "${card1}" 'CONFIRMED'
  stop_launched
  launch
  tmux set-option -t stage status off
}

launch() {
  DUALBOARD_NAMES='1=Front door,2=Cooling pump,3=Back door,4=Boiler,5=Gas alarm,6=Server room' \
    "${project}/scripts/launch.sh" --session stage --data-dir "${stage}/data" --detach
}

stop_launched() { "${project}/scripts/stop.sh" --session stage --data-dir "${stage}/data"; }

press() { tmux send-keys -t "$1" "$2"; }

# shows PANE TEXT: waits until the text stands in the pane.
shows() {
  local deadline=$((SECONDS + 30))
  until [[ "$(tmux capture-pane -p -t "$1")" =~ $2 ]]; do
    ((SECONDS < deadline)) || die "the pane $1 does not show '$2'"
    sleep 0.1
  done
}

# screen PANE: what it shows, with its colours.
screen() { tmux capture-pane -e -N -p -t "$1"; }

# draw WINDOW NAME TITLE [COLUMNS ROWS]
draw() {
  screen "stage:$1" |
    python3 "${project}/dev/screen_to_svg.py" "${4:-80}" "${5:-24}" "$3" >"${pictures}/$2.svg"
  say "docs/pictures/$2.svg"
}

# resize WINDOW COLUMNS ROWS
resize() { tmux resize-window -t "stage:$1" -x "$2" -y "$3"; }

# The whole window, with its borders: what a tmux in a tmux shows.
picture_of_launch() {
  shows "${card1}" 'Sensor 1 +. OK +CONFIRMED'
  press "${card1}" 2
  shows "${display}" 'Sensor 2 +. KO +LIVE'
  press "${card2}" 6
  shows "${card1}" 'Sensor 6 +. KO +LIVE'
  shows "${card2}" 'Sensor 6 +. KO +CONFIRMED'
  tmux -L frame new-session -d -s frame -x 161 -y 53 'env -u TMUX tmux -u attach -t stage'
  tmux -L frame set-option -t frame status off
  shows_frame 'ALL BOARDS'
  tmux -L frame capture-pane -e -N -p -t frame |
    python3 "${project}/dev/screen_to_svg.py" 161 53 'scripts/launch.sh' >"${pictures}/launch.svg"
  tmux -L frame kill-server
  say 'docs/pictures/launch.svg'
}

shows_frame() {
  local deadline=$((SECONDS + 30))
  until [[ "$(tmux -L frame capture-pane -p -t frame)" == *"$1"* ]]; do
    ((SECONDS < deadline)) || die "the frame does not show '$1'"
    sleep 0.1
  done
}

# Each program in a window of its own, of the size that terminals have had since the VT100.
picture_of_each_program() {
  local program
  for program in card2_global_display card2_monitor card1_monitor; do
    tmux break-pane -d -s 'stage:programs.{bottom-right}' -n "${program}" 2>/dev/null ||
      tmux rename-window -t stage:programs "${program}"
    resize "${program}" 80 24
  done
  for program in card1_monitor card2_monitor card2_global_display; do
    # All of it: a tmux that makes a window lower keeps the lower end of the old picture until the new one comes.
    shows "stage:${program}" 'BOARD.*UNKNOWN.*q quit'
    draw "${program}" "${program}" "${program}"
  done
}

# What hangs on the wall: the display in a large window.
picture_of_the_wall() {
  resize card2_global_display 120 36
  shows stage:card2_global_display '█▄▀ █▀█'
  draw card2_global_display wall 'card2_global_display, 120x36' 120 36
  resize card2_global_display 80 24
}

picture_of_help() {
  press stage:card1_monitor '?'
  shows stage:card1_monitor 'close help'
  draw card1_monitor help 'card1_monitor, after ?'
  press stage:card1_monitor '?'
}

picture_of_test() {
  press stage:card1_monitor t
  shows stage:card1_monitor 'any key ends it'
  draw card1_monitor test 'card1_monitor, after t'
  press stage:card1_monitor t
  shows stage:card1_monitor 'q quit'
}

picture_of_locked() {
  press stage:card2_monitor l
  press stage:card2_monitor 5
  shows stage:card2_monitor 'not toggled'
  draw card2_monitor locked 'card2_monitor, locked, after 5'
  press stage:card2_monitor l
}

picture_of_small_windows() {
  resize card2_global_display 40 10
  shows stage:card2_global_display 'card2 . live'
  draw card2_global_display small 'card2_global_display, 40x10' 40 10
  resize card2_global_display 20 5
  shows stage:card2_global_display '1.OK LIVE'
  draw card2_global_display smallest '20x5' 20 5
  resize card2_global_display 80 24
  shows stage:card2_global_display 'Board 2'
}

picture_of_held() {
  kill -KILL "$(head -n 1 "${stage}/data/card2_monitor.pid")"
  shows stage:card2_global_display 'held since'
  draw card2_global_display held 'card2_global_display, after kill -9 of card2_monitor'
  press stage:card1_monitor 1
  shows stage:card1_monitor 'Sensor 1 +. KO +SAVED'
}

picture_of_lost_broker() {
  # After SIGKILL it would be started again.
  kill -TERM "$(head -n 1 "${stage}/data/broker1.pid")"
  shows stage:card1_monitor 'unreachable'
  press stage:card1_monitor 3
  shows stage:card1_monitor 'SENDING'
  draw card1_monitor broker_down 'card1_monitor, after broker 1 has ended'
}

# The cable between two boards is cut and comes back.
moving_picture() {
  readonly monitor=board1:programs wall=board2:display columns=80 rows=12
  start_boards
  shows "${monitor}" 'Sensor 2 +. OK +CONFIRMED.*Sensor 5 +. OK +LIVE'
  shows "${wall}" 'Sensor 2 +. OK +LIVE.*Sensor 5 +. OK +LIVE'
  keep_frame whole 'Two boards, joined by a cable: every state is CONFIRMED or LIVE.'
  tell_cable cut
  shows "${monitor}" 'Sensor 5 +. OK +HELD since.*bridge down'
  shows "${wall}" 'Sensor 2 +. OK +HELD since.*bridge down'
  keep_frame cut 'The cable is cut: what the other board owns is HELD, not LIVE.'
  press "${monitor}" 2
  shows "${monitor}" 'Sensor 2 +. KO +SAVED'
  keep_frame cut 'Key 2 on board 1: sensor 2 is KO, SAVED on disk. Board 2 cannot know yet.'
  tell_cable heal
  shows "${monitor}" 'Sensor 2 +. KO +CONFIRMED.*Sensor 5 +. OK +LIVE'
  shows "${wall}" 'Sensor 2 +. KO +LIVE.*Sensor 5 +. OK +LIVE'
  keep_frame whole 'The cable is back. The toggle crosses by itself and is CONFIRMED.'
  python3 "${project}/dev/screens_to_moving_svg.py" "${columns}" "${rows}" "${stage}/frames" 3 >"${pictures}/cable.svg"
  stop_boards
  say 'docs/pictures/cable.svg'
}

# Board 1 and board 2 as two hosts have them, and a cable that does as it is told, until this script ends.
start_boards() {
  mkdir "${stage}/frames"
  frames=0
  coproc cable { exec python3 "${project}/dev/cable.py" "$((port2 + 1))" "${port1}"; }
  launch_boards
  shows "${monitor}" 'Sensor 2 +. OK +CONFIRMED'
  stop_boards
  launch_boards
  tmux break-pane -d -s board2:programs.1 -n display
  local window
  for window in "${monitor}" "${wall}"; do
    tmux set-option -t "${window}" status off
    tmux resize-window -t "${window}" -x "${columns}" -y "${rows}"
  done
}

launch_boards() {
  "${project}/scripts/board1.sh" --session board1 --data-dir "${stage}/board1" --detach
  "${project}/scripts/board2.sh" --session board2 --data-dir "${stage}/board2" --peer "127.0.0.1:$((port2 + 1))" --detach
}

stop_boards() {
  local board
  for board in board2 board1; do
    "${project}/scripts/stop.sh" --session "${board}" --data-dir "${stage}/${board}"
  done
}

# tell_cable cut|heal
tell_cable() { printf '%s\n' "$1" >&"${cable[1]}"; }

# keep_frame whole|cut CAPTION
keep_frame() {
  local to
  to="${stage}/frames/$((frames += 1))"
  printf '%s' "$1" >"${to}.cable"
  printf '%s' "$2" >"${to}.caption"
  screen "${monitor}" >"${to}.board1"
  screen "${wall}" >"${to}.board2"
  # So that the clock on the screens shows one thing after the other.
  sleep 3
}

main "$@"
