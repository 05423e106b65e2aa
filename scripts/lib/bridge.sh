# shellcheck shell=bash
# The bridge from broker 2 to broker 1: is it up, and if not, why, in plain words.

declare data_dir guarded

bridge_is_up() {
  bridge_connection_is_up board2_bridge_out && bridge_connection_is_up board2_bridge_in
}

bridge_connection_is_up() { [[ "$(ask_broker broker2 "\$SYS/broker/connection/$1/state")" == 1 ]]; }

# Says how the bridge stands. It may come up later by itself, so this never ends the script.
report_bridge() {
  local peer="$1" log="${data_dir}/log/broker2.log" last why
  if bridge_comes_up "${peer}"; then
    say "bridge: up, to broker 1 at ${peer}"
    return 0
  fi
  if [[ -n "${guarded}" ]]; then
    why="$(why_no_bridge "${peer}")"
    warn "bridge: not up. Broker 1 at ${peer}: ${why:-answers and takes the password; the bridge comes up within seconds}."
    warn "If board 1 has made a new token, copy it; then here: $(stop_command), and $(again_with --token FILE)"
    return 0
  fi
  last="$(tail -n 500 "${log}" | grep -iE 'refused|unreachable|lookup|no route|timed out' | tail -n 1)" || last=''
  warn "bridge: not up yet; broker 1 at ${peer} has not answered (${last:-nothing in ${log}})."
  warn 'Broker 2 tries again every 1 to 2 seconds, by itself.'
}

# Fails if it is not up within some seconds.
bridge_comes_up() {
  local peer="$1"
  wait_until 5 bridge_is_up && return 0
  waits_for_the_clock "${peer}" || return 1
  say "broker2: this machine's clock was set back, and the bridge would wait until it has caught up; broker2 is restarted"
  end_broker broker2 >/dev/null || true
  start_broker broker2 && wait_until 5 bridge_is_up
}

# Mosquitto 2.0.12 to 2.0.21 does not try a bridge again before the wall clock is where it was at the last
# try. That is so where broker 1 can be reached, and broker 2 has written something since its start that is
# later than now.
waits_for_the_clock() {
  local peer="$1" latest now
  now="$(date +%Y-%m-%dT%H:%M:%S)"
  latest="$(latest_word broker2)"
  [[ "${latest}" > "${now}" ]] && peer_answers "${peer}"
}

# The latest time in a broker's log since it was started.
latest_word() {
  awk '/: mosquitto version .* starting$/ {latest = ""}
    /^[0-9]+-[0-9]+-[0-9]+T[0-9:]+: / && $1 > latest {latest = $1}
    END {print substr(latest, 1, 19)}' "${data_dir}/log/$1.log" 2>/dev/null || true
}

# Whether somebody takes connections there. An address that nobody has is asked for minutes, hence the limit.
peer_answers() {
  local host="${1%:*}" port="${1##*:}" asking
  (exec 3<>"/dev/tcp/${host}/${port}") 2>/dev/null &
  asking=$!
  wait_until 3 has_ended "${asking}" || kill "${asking}" 2>/dev/null || true
  wait "${asking}"
}

has_ended() { ! kill -0 "$1" 2>/dev/null; }
