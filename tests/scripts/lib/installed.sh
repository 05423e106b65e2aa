# shellcheck shell=bash
# Two installed boards on this machine, without systemd and without the package: network namespaces (hosts.sh), each with a
# mount namespace of its own, in which /etc, /var/lib and the users are its own. A stand-in for systemctl starts the real
# broker as its real user. Needs root.

declare here sandbox host1 host2
source "${here}/tests/scripts/lib/hosts.sh"

declare holder1='' holder2=''

make_installed_boards() {
  make_hosts
  mkdir "${sandbox}/units"
  write_systemctl
  make_machine "${host1}" holder1
  make_machine "${host2}" holder2
}

# make_machine HOST VARIABLE: sets VARIABLE to the process that holds its namespaces.
make_machine() {
  local folder="${sandbox}/$1" ready="${sandbox}/$1/ready"
  mkdir -p "${folder}/units"
  cp -a /etc "${folder}/etc"
  rm -rf "${folder}/etc/dualboard"
  # shellcheck disable=SC2016 # the inner shell puts the values in
  ip netns exec "$1" unshare --mount bash -euc '
    mount --bind "$1/etc" /etc
    mount -t tmpfs -o mode=755 none /var/lib
    for user in dualboard-broker dualboard; do
      getent passwd "${user}" >/dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin "${user}"
    done
    install -d -m 700 -o dualboard-broker -g dualboard-broker /var/lib/dualboard-broker
    install -d -m 710 -o dualboard -g dualboard /var/lib/dualboard
    : >"$2"
    exec sleep infinity' _ "${folder}" "${ready}" >/dev/null 2>"${folder}/trouble" &
  printf -v "$2" '%s' "$!"
  # The disks of the tests can be read by nobody else, and the broker has another user.
  chmod 711 "${sandbox}"
  if ! soon test -e "${ready}"; then
    printf 'the machine %s cannot be made: %s\n' "$1" "$(<"${folder}/trouble")" >&2
    exit 1
  fi
}

# on_machine HOLDER HOST COMMAND...: with `replace`, in the place of this shell, so that whoever ends the shell ends it.
on_machine() {
  local holder="$1" host="$2"
  shift 2
  ${replace:+exec} nsenter --target "${holder}" --mount --net --wd="${PWD}" \
    env UNITS="${sandbox}/${host}/units" PATH="${sandbox}/units:${PATH}" "$@"
}
at1() { on_machine "${holder1}" "${host1}" "$@"; }
at2() { on_machine "${holder2}" "${host2}" "$@"; }
setup1() { at1 scripts/dualboard-setup "$@"; }
setup2() { at2 scripts/dualboard-setup "$@"; }

write_systemctl() {
  cat >"${sandbox}/units/systemctl" <<'STAND_IN'
#!/usr/bin/env bash
# systemctl for the units of dualboard: one process each, known by its id.
command="$1" units=() status=0
shift
for word in "$@"; do
  [[ "${word}" == -* || "${word}" == StatusText ]] || units+=("${word%.service}")
done
pid() { cat "${UNITS}/$1.pid" 2>/dev/null; }
runs() { local pid; pid="$(pid "$1")" && [[ -n "${pid}" && -d "/proc/${pid}" ]] && [[ "$(awk '{print $3}' "/proc/${pid}/stat")" != Z ]]; }
start() {
  runs "$1" && return
  printf 'start %s\n' "$1" >>"${UNITS}/log"
  case "$1" in
    dualboard-broker) setpriv --reuid dualboard-broker --regid dualboard-broker --clear-groups \
      mosquitto -c /etc/dualboard/broker.conf </dev/null >>"${UNITS}/$1.out" 2>&1 & ;;
    *) sleep infinity </dev/null >/dev/null 2>&1 & ;;
  esac
  printf '%s\n' "$!" >"${UNITS}/$1.pid"
}
stop() {
  local pid
  runs "$1" || return 0
  printf 'stop %s\n' "$1" >>"${UNITS}/log"
  pid="$(pid "$1")"
  while runs "$1"; do kill "${pid}" 2>/dev/null; sleep 0.05; done
}
for unit in "${units[@]}"; do
  case "${command}" in
    cat | enable | show) ;;
    is-active) runs "${unit}" || status=3 ;;
    start) start "${unit}" ;;
    stop) stop "${unit}" ;;
    restart) stop "${unit}"; start "${unit}" ;;
    reload) printf 'reload %s\n' "${unit}" >>"${UNITS}/log"; kill -HUP "$(pid "${unit}")" || status=1 ;;
    *) printf 'the stand-in knows no %s\n' "${command}" >&2; status=1 ;;
  esac
done
exit "${status}"
STAND_IN
  chmod +x "${sandbox}/units/systemctl"
}

end_installed_boards() {
  local host
  [[ -z "${holder1}" ]] || at1 systemctl stop dualboard-card1 dualboard-broker || true
  [[ -z "${holder2}" ]] || at2 systemctl stop dualboard-card2 dualboard-broker || true
  for host in ${holder1} ${holder2}; do
    kill "${host}" 2>/dev/null || true
    wait "${host}" 2>/dev/null || true
  done
  delete_hosts
}
