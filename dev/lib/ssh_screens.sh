# shellcheck shell=bash
# Terminals over SSH to a machine of machine.sh: each is a session of a tmux server of ours, which runs an ssh
# client. What is typed there goes through that connection, and what is seen has come through it.

declare made machine leader sockets toggles
# The screens that are to show everything, and the states that they are to show.
declare -A attached
declare -a states

# Starts the tmux server, and makes the key that the machine's users let in.
open_terminals() {
  ssh-keygen -q -t ed25519 -N '' -f "${made}/key"
  terminals new-session -d -s idle 'sleep infinity'
  terminals set-option -g remain-on-exit on
  terminals set-option -g status off
}

close_terminals() { terminals kill-server 2>/dev/null || true; }

# From another session's tmux this is none.
terminals() { env -u TMUX tmux -S "${sockets}/tmux" -f /dev/null "$@"; }

# let_in USER HOME: the user of the machine can log in
let_in() {
  local user="$1" folder="${machine}$2/.ssh"
  mkdir -p "${folder}"
  cp "${made}/key.pub" "${folder}/authorized_keys"
  chmod 700 "${folder}"
  chroot "${machine}" chown -R "${user}:" "$2/.ssh"
}

# log_in NAME USER: a terminal of this name, with a shell in the machine
log_in() {
  local name="$1" user="$2"
  open_ssh "${name}" "${user}"
  wait_until 30 at_prompt "${name}" || die "no shell over SSH as ${user}: $(screen "${name}")"
}

# open_ssh NAME USER [COMMAND]: the same, with what sshd starts there
open_ssh() {
  local name="$1" user="$2"
  shift 2
  log_out "${name}"
  terminals new-session -d -s "${name}" -x 80 -y 24 \
    nsenter --target "${leader}" --net -- ssh -F none -i "${made}/key" -o BatchMode=yes -o LogLevel=ERROR \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -tt "${user}@127.0.0.1" "$@"
}

log_out() { terminals kill-session -t "=$1" 2>/dev/null || true; }

# press NAME KEY...: as tmux names keys
press() {
  local name="$1"
  shift
  terminals send-keys -t "=${name}:" "$@"
}

# type_line NAME WORDS
type_line() {
  terminals send-keys -t "=$1:" -l "$2"
  press "$1" Enter
}

screen() { terminals capture-pane -p -t "=$1:" 2>/dev/null; }

# The screen's words, wherever its lines are broken.
words_of() { screen "$1" | tr -s '[:space:]' ' '; }

# shows NAME PATTERN: whether the words of a screen match
shows() {
  local words
  words="$(words_of "$1")"
  [[ "${words}" =~ $2 ]]
}

shows_not() { ! shows "$@"; }

# Whether the shell waits for a command.
at_prompt() { shows "$1" '[$#] $'; }

# The ssh client of a terminal.
client() { terminals display-message -p -t "=$1:" '#{pane_pid}'; }

# flip SENSOR: what its key will do
flip() {
  if [[ "${states[$1]}" == OK ]]; then
    states[$1]=KO
  else
    states[$1]=OK
  fi
}

# toggle NAME SENSOR: presses its key there, and waits until all screens have its new state.
toggle() {
  local name="$1" sensor="$2"
  flip "${sensor}"
  press "${name}" "${sensor}"
  expect 20 "${name}: ${sensor} toggles, and all screens show it" all_show
  toggles=$((toggles + 1))
}

# Whether all screens show all states, each CONFIRMED or LIVE.
all_show() {
  local name text sensor
  for name in "${!attached[@]}"; do
    text="$(screen "${name}")"
    for sensor in 1 2 3 4 5 6; do
      [[ "${text}" =~ Sensor\ ${sensor}\ +[^\ ]+\ +${states[sensor]}\ +(CONFIRMED|LIVE) ]] || return 1
    done
  done
}
