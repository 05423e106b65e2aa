# shellcheck shell=bash
# Ports that no other test takes; tests/support/port.rs claims them in the same way.

# claim_port NAME: sets NAME to a free port of 127.0.0.1, held against other tests until this script and what it started have
# ended. Below those that the system hands out by itself, so that no outgoing connection takes it while its broker is down.
claim_port() {
  local folder="${TMPDIR:-/tmp}/dualboard-test-ports-${UID}" step number claim
  mkdir -p "${folder}"
  for ((step = 0; step < 10000; step++)); do
    number=$((20000 + ($$ * 37 + step) % 10000))
    exec {claim}>>"${folder}/${number}"
    if flock --nonblock "${claim}" && ! somebody_listens "${number}"; then
      printf -v "$1" '%s' "${number}"
      return
    fi
    exec {claim}>&-
  done
  printf 'no free port between 20000 and 30000\n' >&2
  return 1
}

somebody_listens() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
