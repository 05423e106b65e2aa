# shellcheck shell=bash
# Who holds a TCP port.

port_in_use() {
  local port="$1"
  (exec 3<>"/dev/tcp/127.0.0.1/${port}") 2>/dev/null
}

# Names the process that listens on a port, as far as this user may see it.
port_holder() {
  local port="$1" found='' uid
  if command -v ss >/dev/null; then
    found="$(ss -Hltnp "sport = :${port}" 2>/dev/null | grep -o '"[^"]*",pid=[0-9]*' | sort -u |
      sed 's/"\([^"]*\)",pid=\([0-9]*\)/\1 (process \2)/' | paste -sd, -)" || found=''
  fi
  if [[ -z "${found}" ]] && command -v lsof >/dev/null; then
    found="$(lsof -nP -iTCP:"${port}" -sTCP:LISTEN 2>/dev/null |
      awk 'NR > 1 {print $1 " (process " $2 ")"}' | sort -u | paste -sd, -)" || found=''
  fi
  if [[ -z "${found}" && -r /proc/net/tcp ]]; then
    uid="$(awk -v port="$(printf ':%04X' "${port}")" \
      '$4 == "0A" && substr($2, length($2) - 4) == port {print $8; exit}' /proc/net/tcp /proc/net/tcp6 2>/dev/null)" || uid=''
    if [[ -n "${uid}" ]]; then
      found="a process of user $(id -nu "${uid}" 2>/dev/null || printf '%s' "${uid}")"
    fi
  fi
  printf '%s' "${found:-a process that only root may see}"
}

# The system's own broker, if that is what runs.
system_broker_runs() {
  command -v systemctl >/dev/null && systemctl is-active --quiet mosquitto 2>/dev/null
}

# Ends the script if somebody else holds the port.
require_free_port() {
  local what="$1" port="$2" option="$3" holder
  port_in_use "${port}" || return 0
  holder="$(port_holder "${port}")"
  warn "${0##*/}: ${what} cannot listen on port ${port}: ${holder} does."
  if [[ "${holder}" == *mosquitto* ]] && system_broker_runs; then
    warn "That may be the system's own Mosquitto service. To end it for good: sudo systemctl disable --now mosquitto"
  fi
  die "End that process, or take another port: $(again_with "${option}" "$(another_port "${port}")")"
}

# A port that is free now, some steps from this one, so that it is not the other broker's either.
another_port() {
  local port="$1" step=10
  ((port < 60000)) || step=-10
  port=$((port + step))
  while port_in_use "${port}"; do
    port=$((port + step))
  done
  printf '%s' "${port}"
}
