# shellcheck shell=bash
# One broker: started if it does not run, waited for until it answers. keep.sh runs it, and starts it again
# when it crashes.

declare project data_dir

# The brokers that this run of the script has started.
started_brokers=()

# ensure_broker BROKER PORT PORT_OPTION    its configuration has been rendered to DATA/BROKER.conf.new
ensure_broker() {
  local broker="$1" port="$2" option="$3" log="${data_dir}/log/$1.log" log_start
  if process_runs "${data_dir}/${broker}.pid"; then
    if [[ -f "${data_dir}/${broker}.conf.new" ]] &&
      ! cmp -s "${data_dir}/${broker}.conf.new" "${data_dir}/${broker}.conf"; then
      warn "${broker} runs already, with other settings; to use the new ones: $(stop_command), then this again"
    fi
    rm -f "${data_dir}/${broker}.conf.new"
    require_answer "${broker}"
    return 0
  fi
  require_port "${broker}" "${port}" "${option}"
  # On a full disk there is no new one.
  if [[ -f "${data_dir}/${broker}.conf.new" ]]; then
    mv "${data_dir}/${broker}.conf.new" "${data_dir}/${broker}.conf"
  fi
  require_readable_store "${broker}"
  keep_log_short "${log}"
  log_start="$(log_size "${broker}")"
  if ! start_broker "${broker}"; then
    if store_was_refused "${broker}" "${log_start}"; then
      set_store_aside "${broker}"
      start_broker "${broker}" && return 0
    fi
    warn "$(tail -n 5 "${log}")"
    die "${broker} did not start; the end of its log is above, all of it in ${log}"
  fi
}

# require_port BROKER PORT PORT_OPTION: ends the script if somebody other than this broker holds the port
require_port() {
  process_runs "${data_dir}/$1.pid" || require_free_port "$@"
}

# Starts it and waits until it answers. Fails if it ends instead.
start_broker() {
  local broker="$1" keeper log="${data_dir}/log/$1.log"
  mkdir -p "${data_dir}/${broker}" 2>/dev/null ||
    warn "${broker}: its folder ${data_dir}/${broker} cannot be made; it keeps nothing when it ends"
  if ! touch "${log}" 2>/dev/null; then
    warn "${broker}: its log ${log} cannot be written; what it says is lost"
    log=/dev/null
  fi
  # One that a broker killed by hand has left.
  end_keeper "${broker}"
  keeper="$(start_apart "${log}" "${project}/scripts/lib/keep.sh" "${broker}" "${data_dir}")"
  record_process "$(keeper_file "${broker}")" "${keeper}" ||
    warn "${broker}: its process id cannot be saved, so scripts/stop.sh will not find it; to end it: kill ${keeper}, then its mosquitto"
  started_brokers+=("${broker}")
  wait_until 15 broker_settled "${broker}" || true
  if process_gone "${data_dir}/${broker}.pid"; then
    end_keeper "${broker}"
    forget_process "${data_dir}/${broker}.pid"
    return 1
  fi
  require_answer "${broker}"
  # From now on it is kept.
  kill -USR1 "${keeper}" 2>/dev/null || true
  say "${broker}: answers on port $(broker_port "${broker}") (process $(recorded_process "${data_dir}/${broker}.pid"))"
}

# Either it answers or it has ended; what runs it ends with it.
broker_settled() { process_gone "$(keeper_file "$1")" || broker_answers "$1"; }

keeper_file() { printf '%s/%s.keeper.pid' "${data_dir}" "$1"; }

end_keeper() { end_process "$1" "$(keeper_file "$1")" 10 >/dev/null || true; }

# Fails if it did not run. What runs it goes first, or it would start it again.
end_broker() {
  end_keeper "$1"
  end_process "$1" "${data_dir}/$1.pid" 20
}

log_size() { wc -c 2>/dev/null <"${data_dir}/log/$1.log" || printf '0'; }

require_answer() {
  local broker="$1"
  wait_until 10 broker_answers "${broker}" ||
    die "${broker} runs but does not answer on port $(broker_port "${broker}"); see ${data_dir}/log/${broker}.log"
}

broker_port() { awk '$1 == "listener" {print $2; exit}' "${data_dir}/$1.conf"; }

broker_answers() { [[ -n "$(ask_broker "$1" "\$SYS/broker/version")" ]]; }

# What a broker holds on a topic: a round trip by MQTT.
ask_broker() {
  local broker="$1" topic="$2" port client_options="${data_dir}/board/credentials/clients"
  port="$(broker_port "${broker}")"
  # Where it asks for a password, the client reads it from this folder: no command line ever holds it.
  if ! grep -q '^password_file ' "${data_dir}/${broker}.conf" 2>/dev/null; then
    client_options=''
  fi
  XDG_CONFIG_HOME="${client_options}" \
    mosquitto_sub -h 127.0.0.1 -p "${port}" -t "${topic}" -C 1 -W 1 2>/dev/null || true
}

# Mosquitto takes a store that it may not read for an empty one, and overwrites it.
require_readable_store() {
  local folder="${data_dir}/$1"
  local store="${folder}/mosquitto.db"
  # In a folder that cannot be looked into, nobody sees whether there is one.
  if [[ -d "${folder}" && (! -r "${folder}" || ! -x "${folder}") ]]; then
    die "the broker's folder ${folder} cannot be used by $(id -un); sudo chown $(id -un) '${folder}' && chmod u+rwx '${folder}'"
  fi
  if [[ -e "${store}" && ! -r "${store}" ]]; then
    die "the store ${store} belongs to another user; run this as that user, or: sudo chown $(id -un) '${store}'"
  fi
}

# store_was_refused BROKER LOG_START: did the last start fail because of the store? The log's first LOG_START
# bytes are older. A damaged store is refused with an error, or crashes the broker without one. Once the
# broker says that it starts, it has read it.
store_was_refused() {
  local broker="$1" log_start="$2" words
  [[ -s "${data_dir}/${broker}/mosquitto.db" ]] || return 1
  # What could not be written tells nothing.
  has_room "${data_dir}" || return 1
  words="$(tail -c "+$((log_start + 1))" "${data_dir}/log/${broker}.log")"
  [[ "${words}" != *"mosquitto version "*" starting"* ]] || return 1
  [[ "${words}" == *"Couldn't open database"* || "${words}" == *'persistent database'* || "${words}" != *Error* ]]
}

set_store_aside() {
  local store="${data_dir}/$1/mosquitto.db" aside
  aside="${store}.damaged-$(date +%Y%m%dT%H%M%S)"
  while [[ -e "${aside}" ]]; do
    aside="${aside}x"
  done
  mv "${store}" "${aside}" 2>/dev/null ||
    die "$1 does not start with its store ${store}, which is damaged and cannot be set aside; perhaps there is $(no_room "${data_dir}")"
  warn "$1: its store was damaged (a power cut does that). Set aside as ${aside}; the broker starts with an empty one."
  warn 'No sensor is lost by that: the programs and the other board have their own copies.'
}

keep_log_short() {
  local log="$1"
  if [[ -f "${log}" ]] && (($(wc -c <"${log}") > 5000000)); then
    mv "${log}" "${log}.1" 2>/dev/null || true
  fi
}
