# shellcheck shell=bash
# What board 1 and board 2 are made of.

declare project board_dir broker_user owner_user owner_group
declare -a bridge_users

# make_board1 STORE ADDRESSES PORT LOCAL_PORT
make_board1() {
  local store="$1" addresses="$2" port="$3" local_port="$4" user
  make_board_folders
  ensure_authority 'board 1'
  ensure_certificate "${addresses}"
  ensure_user local card1_monitor 600 "${owner_user}:${owner_group}"
  ensure_user local health 600 root:root
  for user in "${bridge_users[@]}"; do
    ensure_user network "${user}" 600 root:root
  done
  finish_board 1 "${store}" "${addresses}" "${port}" "${local_port}" mosquitto_broker1.conf
  put_token
  put_program_settings card1_monitor card1_monitor
  put_setup board=1 "addresses=${addresses}" "port=${port}" "local_port=${local_port}"
}

# make_board2 STORE ADDRESSES PORT LOCAL_PORT PEER TOKEN
make_board2() {
  local store="$1" addresses="$2" port="$3" local_port="$4" peer="$5" token="$6" text
  make_board_folders
  if [[ -n "${token}" ]]; then
    take_token "${token}"
  elif has_token; then
    keep_token
  else
    die "--token FILE is missing: the file that board 1 has made for board 2, needed once (the setup of board 1 says where it is)"
  fi
  ensure_authority 'board 2'
  ensure_certificate "${addresses}"
  ensure_user local card2_monitor 600 "${owner_user}:${owner_group}"
  ensure_user local display "$(display_mode)" "root:${owner_group}"
  ensure_user local health 600 root:root
  make_folder 755 broker.d
  text="$(render_bridge "${project}/mosquitto_bridge.conf" "${peer}")"
  put_file broker.d/bridge.conf 600 "${broker_user}" "${text}"
  finish_board 2 "${store}" "${addresses}" "${port}" "${local_port}" mosquitto_bridge.conf
  put_program_settings card2_monitor card2_monitor
  put_program_settings card2_global_display display
  put_setup board=2 "addresses=${addresses}" "port=${port}" "local_port=${local_port}" "peer=${peer}"
}

# On an installed board each operator may start a display.
display_mode() {
  if [[ -n "${owner_group}" ]]; then
    printf '640'
  else
    printf '600'
  fi
}

# A board that nobody reaches from elsewhere needs none.
ensure_certificate() {
  if [[ -n "$1" ]]; then
    # shellcheck disable=SC2086 # one word an address
    ensure_broker_certificate $1
  fi
}

# finish_board BOARD STORE ADDRESSES PORT LOCAL_PORT ORIGINAL
finish_board() {
  local board="$1" store="$2" addresses="$3" port="$4" local_port="$5" original="$6" text
  ensure_passwd_file local
  ensure_passwd_file network
  put_client_options
  put_rights "${project}/mosquitto_rights${board}.acl"
  # shellcheck disable=SC2086 # one word an address
  text="$(render_board_conf "${project}/${original}" "${store}" "${broker_user:-root}" "${local_port}" "${port}" ${addresses})"
  put_file broker.conf 644 root:root "${text}"
}

# put_program_settings PROGRAM USER: of an installed board; a checkout's programs get theirs on their command lines.
put_program_settings() {
  local program="$1" user="$2"
  [[ -n "${broker_user}" ]] || return 0
  put_setting board.env DUALBOARD_BROKER "mqtt://127.0.0.1:${local_port}"
  put_setting board.env DUALBOARD_STATE_DIR /var/lib/dualboard
  put_setting "${program}.env" DUALBOARD_USERNAME "${user}"
  put_setting "${program}.env" DUALBOARD_PASSWORD_FILE "${board_dir}/credentials/${user}"
}
