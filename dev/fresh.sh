#!/usr/bin/env bash
# For developers. The README's two commands, as they stand there, on a new Debian or Ubuntu in a folder.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
# Where the newcomer lives in the new machine.
readonly home=/home/newcomer
readonly options='
  --suite value suite - bookworm
  --mirror value mirror - http://deb.debian.org/debian
  --components value components - main
  --user switch user
  --no-test switch no_test'
declare suite mirror components user no_test

usage() {
  cat <<'HELP'
For developers. Run the README's two commands on a machine that has nothing but a Rust toolchain: a new Debian or Ubuntu
in a folder. Needs root, debootstrap and the network.

Usage: dev/fresh.sh [OPTION ...]

  --suite NAME      which release (default: bookworm)
  --mirror URL      where it comes from (default: http://deb.debian.org/debian)
  --components A,B  which parts of it (default: main)
  --user            as an ordinary user who may use sudo; default: as root
  --no-test         launch and stop only, without scripts/test.sh
  -h, --help        this text

What is committed is cloned into the new machine. It has its own files and processes, this machine's network (so ports 1883 and 1884
must be free) and this machine's Rust toolchain. Prints how long each command took. The folder, target/fresh/, is removed at the end.

Examples:
  dev/fresh.sh
  dev/fresh.sh --suite trixie --user
  dev/fresh.sh --suite jammy --mirror http://archive.ubuntu.com/ubuntu --components main,universe
HELP
}

main() {
  parse_options "${options}" "$@"
  ((EUID == 0)) || die 'needs root: it makes a machine in a folder'
  command -v debootstrap >/dev/null || die 'debootstrap is missing; install it (apt-get install debootstrap), then run this again'
  cargo_home="${CARGO_HOME:-${HOME}/.cargo}"
  rustup_home="${RUSTUP_HOME:-${HOME}/.rustup}"
  [[ -d "${rustup_home}/toolchains" ]] || die "no Rust toolchain in ${rustup_home}; set RUSTUP_HOME, or install one (https://rustup.rs)"
  machine="${project}/target/fresh"
  [[ ! -e "${machine}" ]] || die "${machine} is there already; remove it, then run this again"
  trap 'rm -rf --one-file-system "${machine}"' EXIT
  make_machine
  # Mounts and processes of the new machine end with this command.
  unshare --mount --pid --fork --kill-child bash "${BASH_SOURCE[0]}" --inside "${machine}" "${rustup_home}" "${user}" "${no_test}" </dev/null
}

make_machine() {
  say "Making a new machine: ${suite} from ${mirror}"
  debootstrap --variant=minbase --components="${components}" --include="ca-certificates,git${user:+,sudo}" \
    "${suite}" "${machine}" "${mirror}" >/dev/null ||
    die "debootstrap failed; its log, if any: ${machine}/debootstrap/debootstrap.log"
  # How this machine reaches the network, the new one does as well.
  cp /etc/resolv.conf /etc/hosts "${machine}/etc/"
  cp -rL --remove-destination /etc/ssl/certs "${machine}/etc/ssl/"
  if compgen -G '/etc/apt/apt.conf.d/*' >/dev/null; then
    cp -n /etc/apt/apt.conf.d/* "${machine}/etc/apt/apt.conf.d/"
  fi
  mkdir -p "${machine}${home}/.rustup" "${machine}${home}/.cargo"
  cp -r "${cargo_home}/bin" "${machine}${home}/.cargo/"
  if [[ -e "${cargo_home}/config.toml" ]]; then
    cp "${cargo_home}/config.toml" "${machine}${home}/.cargo/"
  fi
  git clone --quiet "${project}" "${machine}${home}/dualboard"
  if [[ -n "${user}" ]]; then
    chroot "${machine}" useradd --home-dir "${home}" --shell /bin/bash newcomer
    chroot "${machine}" chown -R newcomer: "${home}"
    printf 'newcomer ALL=(ALL) NOPASSWD: ALL\n' >"${machine}/etc/sudoers.d/newcomer"
  fi
}

# In namespaces of its own for mounts and processes.
inside() {
  local machine="$1" rustup_home="$2" user="$3" no_test="$4"
  mount --make-rprivate /
  mount -t proc proc "${machine}/proc"
  mount --rbind /sys "${machine}/sys"
  mount --rbind /dev "${machine}/dev"
  mount --bind -o ro "${rustup_home}" "${machine}${home}/.rustup"
  share_claims
  run 'first launch' scripts/launch.sh
  run 'stop' scripts/stop.sh
  run 'second launch' scripts/launch.sh
  # One after the other, as people type what they are given.
  [[ -n "${no_test}" ]] || run 'test' scripts/test.sh
  run 'stop' scripts/stop.sh
}

# Its tests and those of this machine use one network: each sees which ports the others hold (tests/scripts/lib/ports.sh).
share_claims() {
  local uid=0 claims
  if [[ -n "${user}" ]]; then
    uid="$(chroot "${machine}" id -u newcomer)"
  fi
  claims="/tmp/dualboard-test-ports-${uid}"
  mkdir -p "${claims}" "${machine}${claims}"
  chown "${uid}:${uid}" "${claims}"
  mount --bind "${claims}" "${machine}${claims}"
}

run() {
  local what="$1" begun="${EPOCHREALTIME}" took as=()
  shift
  if [[ -n "${user}" ]]; then
    as=(setpriv --reuid newcomer --regid newcomer --init-groups)
  fi
  # shellcheck disable=SC2016 # The inner shell has its own arguments.
  chroot "${machine}" ${as[@]+"${as[@]}"} env -i HOME="${home}" TERM="${TERM:-linux}" \
    PATH="${home}/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    bash -c 'cd ~/dualboard && "$@"' command "$@" || die "${what} failed; see above"
  took="$(awk -v from="${begun}" -v to="${EPOCHREALTIME}" 'BEGIN {printf "%.1f", to - from}')"
  say "=== ${what}: ${took} s"
}

if [[ "${1:-}" == --inside ]]; then
  shift
  inside "$@"
else
  main "$@"
fi
