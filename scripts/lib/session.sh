# shellcheck shell=bash
# The tmux session: a pane for each program, the brokers' logs in a second window. It lives on the user's own tmux
# server, so that `tmux attach -t NAME` finds it; every option is set on the session or its windows, none on
# the server. A user may have several servers (`tmux -L`, TMUX_TMPDIR): DATA/session has the name of the
# session, and the socket of its server.

declare session data_dir project detach to_read

# As the person has them, before they are set to what serves.
own_term="${TERM:-}" own_tmux="${TMUX:-}"
readonly own_term own_tmux

# A shell may still hold the variable of a tmux that has ended, or, after su, that of another user: then it
# stands for nothing, and this user's usual server is meant.
forget_foreign_tmux() {
  if [[ -n "${TMUX:-}" ]] && { [[ ! -O "${TMUX%%,*}" ]] || ! tmux list-sessions >/dev/null 2>&1; }; then
    unset TMUX TMUX_PANE
  fi
}

# Lets tmux speak to the server that has the session of this data folder already, whichever it is.
choose_server() {
  local name='' socket='' now="${TMUX:-}"
  [[ -r "${data_dir}/session" ]] || return 0
  { read -r name && read -r socket; } <"${data_dir}/session" || return 0
  if [[ -n "${socket}" && "${now%%,*}" != "${socket}" ]] && is_on_server "${socket}" "${name}"; then
    unset TMUX_PANE
    export TMUX="${socket},0,0"
  fi
}

# is_on_server SOCKET NAME: a session of this name, and it is ours.
is_on_server() { [[ "$(tmux -S "$1" show-options -qv -t "=$2:" @dualboard_origin 2>/dev/null)" == *" ${data_dir}" ]]; }

# Prints the socket of the server that tmux speaks to, if the session is there.
server_socket() { tmux display-message -p -t "$(target)" '#{socket_path}' 2>/dev/null || true; }

# The name of the session that this data folder had last.
recorded_session() { head -n 1 "${data_dir}/session" 2>/dev/null || true; }

# For the next script. A disk that is full costs only that it looks on the usual server.
record_session() { { printf '%s\n' "${session}" "$(server_socket)" >"${data_dir}/session"; } 2>/dev/null || true; }

# tmux does nothing at all for a terminal that this machine does not know. New terminals have names that an
# older machine has not heard of, and understand what xterm does.
terminal_for_tmux() {
  local status=0 name="${own_term}"
  if has_command tput; then
    tput cup 0 0 >/dev/null 2>&1 || status=$?
  fi
  if ((status == 3)); then
    name=xterm-256color
    [[ "${own_term}" != unknown ]] && TERM="${name}" tput cup 0 0 >/dev/null 2>&1 || name=dumb
  fi
  printf '%s' "${name}"
}

# The session itself, not one whose name merely begins like it.
target() { printf '=%s:%s' "${session}" "${1:-}"; }

session_exists() { tmux has-session -t "=${session}" 2>/dev/null; }

# By which script and for which data folder the session of this name was started; empty if it is none of ours.
session_origin() { tmux show-options -qv -t "$(target)" @dualboard_origin 2>/dev/null || true; }

# Ends the script if the session's name is taken, or if the data folder is in use by a session of another name.
require_own_session() {
  local origin other
  other="$(recorded_session)"
  if [[ -n "${other}" && "${other}" != "${session}" ]] && tmux has-session -t "=${other}" 2>/dev/null; then
    die "the data folder ${data_dir} is in use by the tmux session '${other}'; take another one: $(again_with --data-dir DIR)"
  fi
  session_exists || return 0
  origin="$(session_origin)"
  if [[ "${origin}" != "${0##*/} ${data_dir}" ]]; then
    die "a tmux session '${session}' is there already (${origin:-not started by these scripts});" \
      "end it, or take another name: $(again_with --session NAME)"
  fi
}

# Ends the session if it is the one of this data folder; else fails.
end_session() {
  local origin
  session_exists || return 1
  origin="$(session_origin)"
  [[ "${origin}" == *" ${data_dir}" ]] || return 1
  tmux kill-session -t "=${session}"
  say "tmux session ${session}: ended"
}

# ensure_session PROGRAM...: a pane for each; in a session that is there already, what has ended or was closed starts again.
ensure_session() {
  local name pane
  if session_exists; then
    revive_panes
    reopen_panes "$@"
    return 0
  fi
  name="$1"
  # Wide enough for two panes of 80 columns, high enough for two of 24 lines with their titles. A tmux.conf
  # may say that a session ends where nobody is attached (destroy-unattached): unless this one is told in the
  # same breath, it is gone already.
  pane="$(with_program "${name}" tmux new-session -d -s "${session}" -n programs -x 161 -y 52 -c "${project}" -P -F '#{pane_id}' PROGRAM \; \
    set-option -t "$(target)" destroy-unattached off \; show-options -sv exit-unattached)" || no_session
  # Nor is it ours to change what is said of the whole server.
  if [[ "${pane##*$'\n'}" == on ]]; then
    die "tmux ends with all its sessions where nobody is attached (exit-unattached is on), and what runs here must outlive a dropped" \
      "connection; write 'set -s exit-unattached off' into your tmux.conf, then run this again"
  fi
  session_exists || no_session
  pane="${pane%%$'\n'*}"
  set_session_options
  title_pane "${pane}" "${name}"
  shift
  for name in "$@"; do
    pane="$(with_program "${name}" tmux split-window -d -t "${pane}" -c "${project}" -P -F '#{pane_id}' PROGRAM)"
    title_pane "${pane}" "${name}"
    tmux select-layout -t "$(target programs)" tiled >/dev/null
  done
  arrange_panes
  open_logs
}

# Ends the script: tmux says why, as far as it does.
no_session() { die "tmux made no session '${session}'; see above"; }

set_session_options() {
  tmux set-option -t "$(target)" @dualboard_origin "${0##*/} ${data_dir}"
  # Both halves and the names of the windows fit in 80 columns.
  tmux set-option -t "$(target)" status-left-length 20
  tmux set-option -t "$(target)" status-right-length 44
  tmux set-option -t "$(target)" status-right ' #{prefix} d: leave running, stop.sh: end '
  set_window_options programs
}

set_window_options() {
  local window
  window="$(target "$1")"
  tmux set-option -w -t "${window}" remain-on-exit on
  tmux set-option -w -t "${window}" pane-border-status top
  tmux set-option -w -t "${window}" pane-border-format ' #{pane_title} '
  tmux set-option -w -t "${window}" automatic-rename off
}

title_pane() { tmux select-pane -t "$1" -T "$2"; }

readonly wide_layout=tiled

# Side by side where two panes of 80 columns fit, else one above the other at full width; again at each change of size, but a pane that
# somebody has zoomed stays so.
arrange_panes() {
  local window arrange event
  window="$(target programs)"
  arrange="if-shell -F -t '${window}' '#{?window_zoomed_flag,0,#{e|>=:#{window_width},161}}' \
\"select-layout -t '${window}' ${wide_layout}\" ; \
if-shell -F -t '${window}' '#{?window_zoomed_flag,0,#{e|<:#{window_width},161}}' \
\"select-layout -t '${window}' even-vertical\""
  if ! tmux set-hook -w -t "${window}" window-resized "${arrange}" 2>/dev/null; then
    # Before tmux 3.3 only the terminals have such events, and the window has its old size then. What waits
    # for a shell comes after.
    for event in client-attached client-resized client-detached; do
      tmux set-hook -t "$(target)" "${event}" "if-shell true { ${arrange} }"
    done
  fi
  tmux select-layout -t "${window}" "${wide_layout}" >/dev/null
  tmux select-pane -t "${window}.{top-left}"
}

open_logs() {
  local broker pane window
  window="$(target brokers)"
  for broker in broker1 broker2; do
    process_gone "${data_dir}/${broker}.pid" && continue
    if tmux list-panes -t "${window}" >/dev/null 2>&1; then
      pane="$(tmux split-window -d -t "${window}" -P -F '#{pane_id}' tail -n 100 -F "${data_dir}/log/${broker}.log")"
    else
      pane="$(tmux new-window -d -t "$(target)" -n brokers -P -F '#{pane_id}' tail -n 100 -F "${data_dir}/log/${broker}.log")"
      set_window_options brokers
    fi
    title_pane "${pane}" "${broker}"
  done
  tmux select-layout -t "${window}" even-vertical >/dev/null
}

# Starts again what ended in the panes of a session that is still there.
revive_panes() {
  local pane dead ended title
  tmux list-panes -t "$(target programs)" >/dev/null 2>&1 || return 0
  tmux list-panes -t "$(target programs)" -F '#{pane_id} #{pane_dead} x#{@dualboard_ended} #{pane_title}' |
    while read -r pane dead ended title; do
      if [[ "${dead}" == 1 || "${ended}" != x ]]; then
        with_program "${title}" tmux respawn-pane -k -t "${pane}" PROGRAM
        say "${title}: started again"
      fi
    done
}

# reopen_panes PROGRAM...: a new pane for each whose own was closed.
reopen_panes() {
  local name pane window reopened=''
  window="$(target programs)"
  for name in "$@"; do
    if tmux list-panes -t "${window}" -F '#{pane_title}' 2>/dev/null | grep -qx "${name}"; then
      continue
    fi
    if tmux list-panes -t "${window}" >/dev/null 2>&1; then
      pane="$(with_program "${name}" tmux split-window -d -t "${window}" -c "${project}" -P -F '#{pane_id}' PROGRAM)"
    else
      pane="$(with_program "${name}" tmux new-window -t "$(target)" -n programs -c "${project}" -P -F '#{pane_id}' PROGRAM)"
      set_window_options programs
    fi
    title_pane "${pane}" "${name}"
    tmux select-layout -t "${window}" "${wide_layout}" >/dev/null
    say "${name}: its pane was closed; opened again"
    reopened=1
  done
  [[ -z "${reopened}" ]] || arrange_panes
}

# Shows the session, or says how to see it.
attach_session() {
  if [[ -n "${detach}" || ! -t 0 || ! -t 1 ]]; then
    tell_session
  elif in_a_pane; then
    wait_for_reader
    # In a session that nobody is attached to, there is nothing to switch.
    tmux switch-client -t "=${session}" 2>/dev/null || tell_session
  elif TMUX="${own_tmux}" in_a_pane; then
    # Of another server: a tmux in a tmux would take its keys.
    tell_session
  elif has_command tput && ! tput cup 0 0 >/dev/null 2>&1; then
    say "The terminal '${own_term}' (TERM) cannot show it: it has no way to move the cursor."
    tell_session
  else
    if [[ "${TERM:-}" != "${own_term}" ]]; then
      say "This machine does not know the terminal '${own_term}': taken for ${TERM}."
    fi
    wait_for_reader
    exec tmux attach-session -t "=${session}"
  fi
}

# Whether this terminal is a pane of the server that tmux speaks to.
in_a_pane() {
  local here
  [[ -n "${TMUX:-}" ]] || return 1
  here="$(tty)"
  tmux list-panes -a -F '#{pane_tty}' 2>/dev/null | grep -qxF -- "${here}"
}

# tmux covers the whole terminal, and gives back what stood there only when it is left.
wait_for_reader() {
  [[ -n "${to_read}" ]] || return 0
  printf 'Enter shows the programs. '
  read -r _ || true
}

tell_session() {
  local first='' server_option=''
  if [[ "${TERM:-}" != "${own_term}" && "${TERM:-}" != dumb ]]; then
    first="TERM=${TERM} "
  fi
  if [[ "$(TMUX="${own_tmux}" server_socket)" != "$(server_socket)" ]]; then
    server_option=" -S $(server_socket)"
  fi
  say "Running. To see it: ${first}tmux${server_option} attach -t ${session}"
  say "To end it: $(stop_command)"
}
