# shellcheck shell=bash
# A machine in a folder, with a systemd of its own: a container that boots. It has no network but its own
# loopback. Needs root.

declare made machine
leader='' container=''

# make_machine SUITE MIRROR PACKAGES: in the folder `machine`
make_machine() {
  local suite="$1" mirror="$2" packages="$3"
  debootstrap --variant=minbase --include="${packages}" "${suite}" "${machine}" "${mirror}" >"${made}/debootstrap.log" 2>&1 ||
    die "debootstrap failed: $(tail -n 3 "${made}/debootstrap.log")"
  # No name is looked up in it.
  printf '127.0.0.1 localhost\n' >"${machine}/etc/hosts"
  printf 'board\n' >"${machine}/etc/hostname"
}

# Boots it, and waits until it has.
boot() {
  # No unit of its own: it works where no systemd runs.
  systemd-nspawn --quiet --register=no --keep-unit --directory="${machine}" --machine=dualboard-service \
    --private-network --boot --console=pipe </dev/null >>"${made}/console.log" 2>&1 &
  container=$!
  wait_until 30 find_leader || die "the machine does not start: $(tail -n 3 "${made}/console.log")"
  wait_until 90 has_booted || die "the machine does not boot; the last lines: $(tail -n 3 "${made}/console.log")"
}

# The machine's first process.
find_leader() {
  leader="$(ps -o pid=,comm= --ppid "${container}" | awk '$2 == "systemd" {print $1}')"
  [[ -n "${leader}" ]]
}

has_booted() { [[ "$(inside systemctl is-system-running 2>/dev/null)" =~ ^(running|degraded)$ ]]; }

# At once, as when the power fails.
kill_container() {
  [[ -n "${container}" ]] || return 0
  kill -KILL "${leader:-${container}}" 2>/dev/null || true
  wait "${container}" 2>/dev/null || true
  leader='' container=''
  # Control groups are left. Somebody else's container has its own there.
  if ! pgrep -x systemd-nspawn >/dev/null; then
    find /sys/fs/cgroup -depth -type d \( -path '*/payload/*' -o -name payload -o -name supervisor \) -exec rmdir {} \; 2>/dev/null || true
  fi
}

# inside COMMAND...: runs it in the machine, as root
inside() {
  nsenter --target "${leader}" --all -- /usr/bin/env -i HOME=/root LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# unit_has UNIT PROPERTY: prints it
unit_has() { inside systemctl show --property "$2" --value "$1"; }
