# shellcheck shell=bash
# The broker and the owner of a board: how they are started, and told of what has changed.

declare board_dir data_dir board local_port addresses port

# Ends the script if somebody else holds a port that this board wants. Its own broker may.
take_port_or_die() {
  local wanted=("${local_port}") one own=''
  # Those that it has now.
  ! systemctl is-active --quiet dualboard-broker || own=" $(told local_port) $(told port) "
  if [[ -n "${addresses}" ]]; then
    wanted+=("${port}")
  fi
  for one in "${wanted[@]}"; do
    [[ "${own}" != *" ${one} "* ]] || continue
    ! port_in_use "${one}" ||
      die "port ${one} is taken by $(port_holder "${one}"); end that process, or take another port: --port for the network, --local-port for loopback"
  done
}

# start_services OWNER_UNIT
start_services() {
  local owner="$1" was_active=''
  ! systemctl is-active --quiet "${owner}" || was_active=1
  systemctl enable --quiet dualboard-broker "${owner}" || die "systemd cannot enable dualboard-broker and ${owner}; see above"
  if ! systemctl is-active --quiet dualboard-broker; then
    systemctl restart dualboard-broker || broker_failed
  # Of another authority of board 1 too: at a reload Mosquitto's bridge trusts the new one beside the old one, whose key may be stolen.
  elif has_changed broker.conf 'broker.d/*' 'peer/*'; then
    systemctl restart dualboard-broker || broker_failed
    say 'dualboard-broker: started again with its new settings'
  else
    reload_broker
  fi
  wait_until 15 board_broker_answers || broker_failed
  if [[ -n "${was_active}" ]] && has_changed '*.env'; then
    systemctl restart "${owner}" || owner_failed "${owner}"
  else
    systemctl start "${owner}" || owner_failed "${owner}"
  fi
  if [[ "${owner}" == dualboard-card2 ]]; then
    # The check that follows says so if it does not.
    wait_until 15 board_bridge_is_up || true
  fi
}

broker_failed() {
  journalctl -u dualboard-broker -n 10 --no-pager 2>/dev/null | sed 's/^/  /' >&2 || true
  die "dualboard-broker does not answer on port ${local_port}; its last words are above: journalctl -u dualboard-broker"
}

owner_failed() {
  journalctl -u "$1" -n 10 --no-pager 2>/dev/null | sed 's/^/  /' >&2 || true
  die "$1 has not started; its last words are above: journalctl -u $1"
}

# The broker reads passwords, rights and certificates again; who is connected stays, unless his password is gone.
reload_broker() {
  local process
  has_changed '*.passwd' rights.acl 'tls/*' || return 0
  if [[ -z "${data_dir}" ]]; then
    systemctl is-active --quiet dualboard-broker || return 0
    systemctl reload dualboard-broker || die 'systemctl reload dualboard-broker failed; see above. What was changed counts from its next start on'
  elif process="$(recorded_process "${data_dir}/broker${board}.pid")"; then
    kill -HUP "${process}" || die "the broker (process ${process}) cannot be told; what was changed counts from its next start on"
  fi
}

# ask_board TOPIC: what the broker holds on a topic, as the user `health`, whose password the client reads from a file.
ask_board() {
  XDG_CONFIG_HOME="${board_dir}/credentials/clients" \
    mosquitto_sub -h 127.0.0.1 -p "${local_port}" -t "$1" -C 1 -W 2 2>/dev/null || true
}

board_broker_answers() { [[ -n "$(ask_board "\$SYS/broker/version")" ]]; }

board_bridge_is_up() {
  local connection
  for connection in board2_bridge_in board2_bridge_out; do
    [[ "$(ask_board "\$SYS/broker/connection/${connection}/state")" == 1 ]] || return 1
  done
}
