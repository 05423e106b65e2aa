# shellcheck shell=bash
# A broker's configuration: the readable original at the top level, with this board's own addresses and folders put in.

declare data_dir

# write_conf BROKER TEXT: to DATA/BROKER.conf.new. On a full disk the settings of the last start have to do.
write_conf() {
  local broker="$1" text="$2" conf="${data_dir}/$1.conf"
  if { printf '%s\n' "${text}" >"${conf}.new"; } 2>/dev/null; then
    return 0
  fi
  rm -f "${conf}.new"
  if [[ ! -s "${conf}" ]]; then
    die "${broker} cannot start without its configuration ${conf}: $(no_room "${data_dir}"); make some, then run this again"
  fi
  if [[ "${text}" != "$(<"${conf}")" ]]; then
    warn "${broker}: its new settings cannot be written to ${conf}; it gets those of its last start"
  fi
}

# Prints the path of the access rules: a copy that only its user can read, since Mosquitto 2.0.21 and later
# warn of one that others can read; where none can be made, the original.
copy_access_rules() {
  local original="$1" copy="${data_dir}/access.acl"
  if cmp -s "${original}" "${copy}" || { cp "${original}" "${copy}.new" && chmod 600 "${copy}.new" && mv "${copy}.new" "${copy}"; } 2>/dev/null; then
    printf '%s' "${copy}"
  else
    rm -f "${copy}.new"
    printf '%s' "${original}"
  fi
}

# render_conf BROKER ORIGINAL PORT PEER: for a broker on loopback that asks nobody for a password.
#   PEER: HOST:PORT of broker 1, for the broker that holds the bridge
render_conf() {
  local broker="$1" original="$2" port="$3" peer="$4" line
  printf '# Made by %s from %s each time it starts: change that file, not this one.\n' "${0##*/}" "${original##*/}"
  while IFS= read -r line; do
    case "${line}" in
      'listener '*) printf 'listener %s 127.0.0.1\n' "${port}" ;;
      'acl_file '*) printf 'acl_file %s\n' "$(copy_access_rules "${original%/*}/mosquitto_access.acl")" ;;
      'persistence_location '*) printf 'persistence_location %s/%s/\n' "${data_dir}" "${broker}" ;;
      'address '*) printf 'address %s\n' "${peer}" ;;
      *) printf '%s\n' "${line}" ;;
    esac
  done <"${original}"
}

# Before a colon that is not its own, an address of IPv6 stands in brackets.
url_host() {
  if [[ "$1" == *:* ]]; then
    printf '[%s]' "$1"
  else
    printf '%s' "$1"
  fi
}

# peer_address PEER PORT: HOST:PORT as Mosquitto's `address` wants it (the port after the last colon, no brackets), from ADDRESS[:PORT]
# with an IPv6 address in brackets where a port follows.
peer_address() {
  local peer="$1" host port="$2"
  case "${peer}" in
    '['*']:'*) host="${peer%]:*}" host="${host#[}" port="${peer##*:}" ;;
    '['*']') host="${peer%]}" host="${host#[}" ;;
    *:*:*) host="${peer}" ;;
    *:*) host="${peer%:*}" port="${peer##*:}" ;;
    *) host="${peer}" ;;
  esac
  port="$(number_within 1 65535 "--peer '${peer}': port" "${port}")" || exit
  if [[ ! "${host}" =~ ^[A-Za-z0-9._:%-]+$ ]]; then
    die_usage "--peer '${peer}': want ADDRESS or ADDRESS:PORT, as 192.0.2.7, board1.local:8883 or [2001:db8::7]:8883"
  fi
  printf '%s:%s' "${host}" "${port}"
}
