# shellcheck shell=bash
# dualboard-setup check: a line for each thing that can be wrong with a board. Nothing is called ok that was not seen.

declare project board_dir data_dir broker_user owner_user board port local_port addresses peer json
declare -a bridge_users

worst=0
# For --json: what was found, and what the programs say, each a JSON object.
json_results=()
json_programs=()

ok() { found ok "$*"; }
skipped() { found skipped "$*"; }
doubt() {
  found warn "$*"
  worsen 1
}
fault() {
  found FAIL "$*"
  worsen 2
}

# found RESULT TEXT
found() {
  local result="$1" text="$2"
  if [[ -n "${json}" ]]; then
    text="$(printf '%s' "${text}" | sed 's/[\\"]/\\&/g')"
    json_results+=("{\"result\":\"${result}\",\"found\":\"${text//[[:cntrl:]]/ }\"}")
  else
    say "$(printf '%-7s %s' "${result}" "${text}")"
  fi
}

worsen() { (($1 <= worst)) || worst="$1"; }

check_board() {
  require_told_board
  require_tools
  check_lines || true
  check_program "card${board}_monitor" "${owner_user}"
  if [[ "${board}" == 2 ]]; then
    check_program card2_global_display ''
  fi
  if [[ -n "${json}" ]]; then
    printf '{"board":%s,"status":%s,"checks":[%s],"programs":[%s]}\n' "${board}" "${worst}" \
      "$(join_with_commas ${json_results[@]+"${json_results[@]}"})" "$(join_with_commas ${json_programs[@]+"${json_programs[@]}"})"
  fi
  exit "${worst}"
}

join_with_commas() {
  local IFS=,
  printf '%s' "$*"
}

# check_program PROGRAM USER: what the program itself sees, by its own settings and password. USER: as whom, the own one if empty.
check_program() {
  local program="$1" user="$2" said status=0 words=() options=() name="$1"
  [[ -z "${user}" ]] || words+=(setpriv --reuid "${user}" --regid "${user}" --init-groups)
  if [[ -z "${data_dir}" ]]; then
    # As the service, whatever the environment of this shell says.
    words+=(env -i "PATH=${PATH}" "DUALBOARD_SETTINGS=${board_dir}" "${program}")
  else
    # There the programs have no files of settings.
    [[ "${program}" != card2_global_display ]] || name=display
    options=(--broker "mqtt://127.0.0.1:${local_port}" --username "${name}" --password-file "${board_dir}/credentials/${name}")
    [[ "${program}" != *_monitor ]] || options+=(--state-dir "${DUALBOARD_STATE_DIR:-${data_dir}/state}")
    words+=(env DUALBOARD_SETTINGS= "${project}/target/release/${program}")
  fi
  if ! command -v "${words[-1]}" >/dev/null; then
    skipped "${program} --check: there is no program ${words[-1]}"
    return 0
  fi
  words+=(--check ${options[@]+"${options[@]}"})
  if [[ -n "${json}" ]]; then
    said="$("${words[@]}" --json 2>/dev/null)" || status=$?
    [[ "${said}" != '{'*'}' ]] || json_programs+=("${said}")
  else
    say "${program} --check:"
    "${words[@]}" || status=$?
    said='{}'
  fi
  if ((status > 2)) || [[ "${said}" != '{'*'}' ]]; then
    fault "${program} --check ended with status ${status} and without a result; run it by itself"
  fi
  worsen "$((status > 2 ? 2 : status))"
}

# Fails if something is wrong.
check_lines() {
  require_told_board
  check_modes
  check_certificate
  check_broker
  [[ -n "${data_dir}" ]] || check_service "dualboard-card${board}"
  if [[ -n "${addresses}" ]]; then
    check_network_listener
  fi
  check_bridge
  ((worst == 0))
}

# What makes this board, and what was lost of it.
make_command() {
  if [[ -z "${data_dir}" ]]; then
    printf 'dualboard-setup board%s' "${board}"
  else
    printf 'scripts/board%s.sh' "${board}"
  fi
}

# remedy NAME: what makes a file that is missing, or is not as it must be. A board that is made again leaves screens elsewhere alone.
remedy() {
  local user="${1#credentials/}"
  case "$1" in
    credentials/viewer-* | credentials/operator-*) printf 'run %s again' "$(again add "${user%%-*}" "${user#*-}")" ;;
    *) printf 'run %s again' "$(make_command)" ;;
  esac
}

# comes_with_token NAME: whether board 2 cannot make it itself.
comes_with_token() { [[ "${board}" == 2 && ("$1" == credentials/board2_bridge_* || "$1" == peer/ca.crt) ]]; }

# NAME MODE OWNER, for what must be there.
expected_files() {
  local user
  printf '%s\n' 'broker.conf 644 root' 'setup.conf 644 root' "rights.acl 600 ${broker_user}" "local.passwd 600 ${broker_user}" \
    "network.passwd 600 ${broker_user}" 'authority/ca.key 600 root' 'tls/ca.crt 644 root' 'credentials/health 600 root' \
    'credentials/clients/mosquitto_sub 600 root' 'credentials/clients/mosquitto_pub 600 root' "credentials/card${board}_monitor 600 ${owner_user}"
  if [[ -n "${addresses}" ]]; then
    printf '%s\n' "tls/broker.key 600 ${broker_user}" 'tls/broker.crt 644 root'
  fi
  for user in "${bridge_users[@]}"; do
    printf 'credentials/%s 600 root\n' "${user}"
  done
  for user in $(users_of network | grep -E '^(viewer|operator)-' || true); do
    printf 'credentials/%s 600 root\n' "${user}"
  done
  if [[ "${board}" == 1 ]]; then
    printf 'token 600 root\n'
  else
    printf '%s\n' "broker.d/bridge.conf 600 ${broker_user}" 'peer/ca.crt 644 root' "credentials/display $(display_mode) root"
  fi
}

check_modes() {
  local name mode owner found wrong=''
  while read -r name mode owner; do
    if [[ ! -e "${board_dir}/${name}" ]]; then
      if comes_with_token "${name}"; then
        fault "${board_dir}/${name} is missing; bring the token of board 1 once more: $(make_command) --token FILE"
      else
        fault "${board_dir}/${name} is missing; $(remedy "${name}")"
      fi
      wrong=1
      continue
    fi
    found="$(stat -c '%a %U' "${board_dir}/${name}")"
    if [[ -n "${broker_user}" && "${found}" != "${mode} ${owner}" ]] || [[ "${found%% *}" != "${mode}" ]]; then
      fault "${board_dir}/${name} has mode and owner ${found}, not ${mode} ${owner}; $(remedy "${name}")"
      wrong=1
    fi
  done < <(expected_files)
  # Whatever else somebody has put there.
  while IFS= read -r name; do
    fault "${name} can be read or changed by every user of this machine; chmod o= $(printf '%q' "${name}"), and make what is in it anew"
    wrong=1
  done < <(find "${board_dir}/authority" "${board_dir}/credentials" -type f -perm /007)
  [[ -n "${wrong}" ]] || ok "files in ${board_dir}: all there, and no secret can be read by others"
}

check_certificate() {
  local end
  [[ -n "${addresses}" ]] || return 0
  if ! key_fits tls/broker.key tls/broker.crt; then
    fault 'the key of the broker does not fit its certificate; dualboard-setup renew makes new ones'
  elif ! is_signed; then
    fault "the broker's certificate is not signed by this board's authority; dualboard-setup renew makes a new one"
  elif ! openssl verify -CAfile "${board_dir}/tls/ca.crt" "${board_dir}/tls/broker.crt" >/dev/null 2>&1; then
    fault "by this board's clock ($(date -u +%Y-%m-%d)) the broker's certificate is not valid; set the clock, or dualboard-setup renew"
  else
    end="$(openssl x509 -in "${board_dir}/tls/broker.crt" -noout -enddate)"
    if openssl x509 -in "${board_dir}/tls/broker.crt" -noout -checkend $((30 * 86400)) >/dev/null; then
      ok "certificate of the broker: valid until ${end#*=}, for ${addresses}"
    else
      doubt "certificate of the broker: valid until ${end#*=} only; dualboard-setup renew makes a new one"
    fi
  fi
}

check_broker() {
  local version
  version="$(ask_board "\$SYS/broker/version")"
  if [[ -n "${version}" ]]; then
    ok "broker ${board}: ${version} answers on loopback, port ${local_port}"
  elif [[ -z "${data_dir}" ]]; then
    fault "broker ${board} does not answer on loopback, port ${local_port}: systemctl status dualboard-broker"
  else
    fault "broker ${board} does not answer on loopback, port ${local_port}: scripts/board${board}.sh starts it"
  fi
  check_stranger loopback -h 127.0.0.1 -p "${local_port}"
}

# check_stranger WHERE OPTION...: what the broker says to somebody without a name. Only its refusal is one: another failure says nothing.
check_stranger() {
  local where="$1" said
  shift
  # Not with a password that this user has for these clients.
  if said="$(XDG_CONFIG_HOME='' mosquitto_sub "$@" -t "\$SYS/broker/version" -E -W 5 2>&1)"; then
    fault "broker ${board} lets anybody in without a password, on ${where}; run $(make_command) again"
  elif [[ "${said}" == *'not auth'* ]]; then
    ok "broker ${board}: refuses connections without a password, on ${where}"
  else
    skipped "broker ${board}: whether it refuses connections without a password, on ${where}, could not be seen (${said:-no answer})"
  fi
}

check_service() {
  if systemctl is-active --quiet "$1"; then
    ok "$1: $(systemctl show -p StatusText --value "$1" 2>/dev/null | head -n 1)"
  else
    fault "$1 does not run: systemctl status $1"
  fi
}

# From here, without a password: what counts is that TLS comes about, and the certificate is for this address.
check_network_listener() {
  local one said
  for one in ${addresses}; do
    said="$(try_tls "${one}" "${port}" "${board_dir}/tls/ca.crt")"
    if [[ -z "${said}" ]]; then
      ok "TLS at ${one}, port ${port}"
      check_stranger "${one}, port ${port}" -h "${one}" -p "${port}" --cafile "${board_dir}/tls/ca.crt"
    else
      fault "TLS at ${one}, port ${port}: ${said}"
    fi
  done
}

# try_tls HOST PORT AUTHORITY: prints why it does not come about.
try_tls() {
  local host="$1" port="$2" authority="$3" said name=(-verify_hostname "$1" -servername "$1")
  if is_ip_address "${host}"; then
    name=(-verify_ip "${host}" -noservername)
  fi
  said="$(timeout 10 openssl s_client -connect "$(url_host "${host}"):${port}" -CAfile "${authority}" "${name[@]}" \
    -verify_return_error </dev/null 2>&1)" && return 0
  case "${said}" in
    *'certificate has expired'*) printf "its certificate has expired by this board's clock (%s)" "$(date -u +%Y-%m-%d)" ;;
    *'not yet valid'*) printf "its certificate is not valid yet by this board's clock (%s)" "$(date -u +%Y-%m-%d)" ;;
    *'mismatch'*) printf 'its certificate is for another address' ;;
    *'unable to get local issuer'* | *'self-signed'* | *'self signed'* | *'signature failure'*)
      printf 'its certificate is signed by another authority than %s' "${authority}"
      ;;
    *'refused'*) printf 'connection refused: no broker runs there' ;;
    *'wrong version number'* | *'no peer certificate'*) printf 'it does not speak TLS' ;;
    '') printf 'no answer' ;;
    *) printf '%s' "$(grep -m 1 -iE 'error|errno' <<<"${said}" || tail -n 1 <<<"${said}")" ;;
  esac
}

check_bridge() {
  local said
  if board_bridge_is_up; then
    ok 'bridge: up in both directions'
  elif [[ "${board}" == 1 ]]; then
    doubt 'bridge: not up; board 2 makes it: dualboard-setup check there says why'
  else
    said="$(why_no_bridge "${peer}")"
    # Where nothing is wrong it is on its way: Mosquitto tries again after one or two seconds, and 2.0.21 was seen to lose the first try.
    if [[ -z "${said}" ]] && wait_until 10 board_bridge_is_up; then
      ok 'bridge: up in both directions'
    else
      fault "bridge: not up. Board 1 at ${peer}: ${said:-answers and takes the password, and yet the bridge has not come up in 10 s; journalctl -u dualboard-broker says more}"
    fi
  fi
}

# why_no_bridge HOST:PORT: prints what keeps the bridge from broker 1, by its own files; nothing if that is not seen.
why_no_bridge() {
  local host="${1%:*}" peer_port="${1##*:}" said
  said="$(try_tls "${host}" "${peer_port}" "${board_dir}/peer/ca.crt")"
  if [[ -z "${said}" ]]; then
    said="$(try_login "${host}" "${peer_port}")" || said='whether it takes the password cannot be tried; see above'
  fi
  printf '%s' "${said}"
}

# try_login HOST PORT: prints why the bridge's password is not taken. As the bridge's third connection, which keeps no session and is tried
# only while the bridge is down.
try_login() {
  local client_options="${board_dir}/credentials/clients/bridge" said
  make_folder 700 credentials/clients/bridge
  put_file credentials/clients/bridge/mosquitto_sub 600 root:root "-u board2_bridge_alive
-P $(<"${board_dir}/credentials/board2_bridge_alive")"
  said="$(XDG_CONFIG_HOME="${client_options}" mosquitto_sub -h "$1" -p "$2" --cafile "${board_dir}/peer/ca.crt" -i board2_bridge_alive \
    -t "sensors/marker/board2_bridge_alive/check" -E -W 5 2>&1)" && return 0
  case "${said}" in
    *'not auth'*) printf "it refuses the bridge's name or password; take its token once more: %s --token FILE" "$(make_command)" ;;
    *) printf '%s' "${said:-no answer}" ;;
  esac
}
