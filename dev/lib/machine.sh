# shellcheck shell=bash
# A machine in a folder, with a systemd of its own: a container that boots. Its network is a namespace that the
# script has made, or nothing but its own loopback. Needs root.

declare made machine
leader='' container=''
# The name of the namespace.
network=''

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
  local group="dualboard-$$-${machine##*/}" join=() own=(--private-network) layout=() version
  version="$(dpkg-query --admindir="${machine}/var/lib/dpkg" --show --showformat '${Version}' systemd)"
  # From then on systemd boots under the newer layout of control groups only, which nspawn of Debian 12 does not take from a host with both.
  ((${version%%[!0-9]*} < 258)) || layout=(env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1)
  if [[ -n "${network}" ]]; then
    join=(nsenter --net="/var/run/netns/${network}") own=()
  fi
  # No unit of its own: it works where no systemd runs.
  (
    enter_group "${group}"
    exec ${layout[@]+"${layout[@]}"} ${join[@]+"${join[@]}"} systemd-nspawn --quiet --register=no --keep-unit --directory="${machine}" \
      --machine="${group}" ${own[@]+"${own[@]}"} --boot --console=pipe
  ) </dev/null >>"${made}/console.log" 2>&1 &
  container=$!
  wait_until 30 find_leader || die "the machine does not start: $(tail -n 3 "${made}/console.log")"
  wait_until 90 has_booted || die "the machine does not boot; the last lines: $(tail -n 3 "${made}/console.log")"
}

# Where the systemd of a machine keeps its control groups, under either layout of the kernel's.
group_folders() {
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    printf '%s\n' "/sys/fs/cgroup/$1"
  else
    printf '%s\n' "/sys/fs/cgroup/systemd/$1" "/sys/fs/cgroup/unified/$1"
  fi
}

# Each machine has groups of its own. Otherwise the systemd of one would end what runs in another.
enter_group() {
  local folder
  while read -r folder; do
    mkdir -p "${folder}"
    printf '%s\n' "${BASHPID}" >"${folder}/cgroup.procs"
  done < <(group_folders "$1")
}

# The machine's first process.
find_leader() {
  leader="$(ps -o pid=,comm= --ppid "${container}" | awk '$2 == "systemd" {print $1}')"
  [[ -n "${leader}" ]]
}

has_booted() { [[ "$(inside systemctl is-system-running 2>/dev/null)" =~ ^(running|degraded)$ ]]; }

# At once, as when the power fails.
kill_container() {
  local folder
  [[ -n "${container}" ]] || return 0
  kill -KILL "${leader:-${container}}" 2>/dev/null || true
  wait "${container}" 2>/dev/null || true
  leader='' container=''
  # Control groups are left.
  while read -r folder; do
    find "${folder}" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done < <(group_folders "dualboard-$$-${machine##*/}")
}

# inside COMMAND...: runs it in the machine, as root
inside() {
  nsenter --target "${leader}" --all -- /usr/bin/env -i HOME=/root LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# unit_has UNIT PROPERTY: prints it
unit_has() { inside systemctl show --property "$2" --value "$1"; }
