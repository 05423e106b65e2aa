# shellcheck shell=bash
# Two hosts on this machine: network namespaces, joined by a veth pair.

readonly host1="dualhost1-$$" host2="dualhost2-$$" address1=192.0.2.1 address2=192.0.2.2

# Ends the script where hosts cannot be made, and says why.
require_hosts() {
  local reason='' probe="dualprobe-$$"
  if ((EUID != 0)) || ! command -v ip >/dev/null; then
    reason='network namespaces need root and the ip command'
  elif ! ip netns add "${probe}" 2>/dev/null || ! ip -n "${probe}" link add link0 type veth peer name link1 2>/dev/null; then
    reason='root may not make network namespaces here: a container without CAP_SYS_ADMIN and CAP_NET_ADMIN?'
  fi
  ip netns delete "${probe}" 2>/dev/null || true
  if [[ -n "${reason}" ]]; then
    printf 'skipped: %s\n0 passed, 0 failed, 1 skipped\n' "${reason}"
    exit 0
  fi
}

make_hosts() {
  ip netns add "${host1}"
  ip netns add "${host2}"
  ip -n "${host1}" link add link0 type veth peer name link0 netns "${host2}"
  ip -n "${host1}" address add "${address1}/24" dev link0
  ip -n "${host2}" address add "${address2}/24" dev link0
  local host
  for host in "${host1}" "${host2}"; do
    ip -n "${host}" link set lo up
    ip -n "${host}" link set link0 up
  done
}

# Also those that were made in part.
delete_hosts() {
  ip netns delete "${host1}" 2>/dev/null || true
  ip netns delete "${host2}" 2>/dev/null || true
}
