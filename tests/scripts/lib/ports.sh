# shellcheck shell=bash
# Ports that no other test takes; tests/support/port.rs claims them in the same way.

# claim_port NAME: sets NAME to a free port of 127.0.0.1, held against other tests until this script and what it started have
# ended. Below those that the system hands out by itself, so that no outgoing connection takes it while its broker is down.
# Each user has a folder of claims, since nobody can write to another's, and so a thousand ports of his own.
claim_port() {
  local folder="${TMPDIR:-/tmp}/dualboard-test-ports-${UID}" first step number claim
  first=$((20000 + (UID + UID / 1000) % 10 * 1000))
  mkdir -p "${folder}"
  for ((step = 0; step < 1000; step++)); do
    number=$((first + ($$ * 37 + step) % 1000))
    exec {claim}>>"${folder}/${number}"
    if flock --nonblock "${claim}" && ! somebody_listens "${number}"; then
      printf -v "$1" '%s' "${number}"
      return
    fi
    exec {claim}>&-
  done
  printf 'no free port from %s to %s\n' "${first}" $((first + 999)) >&2
  return 1
}

somebody_listens() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
