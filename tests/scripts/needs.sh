#!/usr/bin/env bash
# What launch.sh says and does about missing programs, with package managers that only write down what they are asked.
#
# Usage: tests/scripts/needs.sh [-h]
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

here="$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)"
readonly here
source "${here}/tests/scripts/lib/sandbox.sh"

main() {
  begin "$@"
  enter_sandbox
  only_says
  installs
  gives_up_without_a_package_manager
  names_missing_rust
  builds_nothing_that_is_there
  count
}

# A PATH on which the commands given are missing, and the package manager given is the only one.
make_path() {
  local manager="$1" missing="$2" command
  rm -rf "${sandbox}/path" "${sandbox}/asked"
  mkdir "${sandbox}/path"
  for command in bash sh env awk sed grep sort paste tr head tail wc date mkdir rm mv cp cat cmp id touch dirname sleep cc \
    make cmake tmux mosquitto mosquitto_sub mosquitto_pub mosquitto_passwd pkg-config cargo rustc; do
    if [[ " ${missing} " != *" ${command} "* ]]; then
      ln -s "$(type -P "${command}")" "${sandbox}/path/${command}"
    fi
  done
  if [[ -n "${manager}" ]]; then
    printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "${manager}" "${sandbox}/asked" >"${sandbox}/path/${manager}"
    printf '#!/bin/sh\n"$@"\n' >"${sandbox}/path/sudo"
    chmod +x "${sandbox}/path/${manager}" "${sandbox}/path/sudo"
  fi
}

# The system's own folders are left out of what the scripts look through.
launch_there() { PATH="${sandbox}/path" DUALBOARD_SYSTEM_PATH='' bash scripts/launch.sh "$@" </dev/null 2>&1; }

only_says() {
  make_path apt-get 'cmake tmux mosquitto_sub'
  check 'what is missing fails the launch' fails_saying 'Missing: mosquitto_sub tmux cmake' launch_there --no-install
  check 'the command for apt' says 'apt-get install -y --no-install-recommends cmake mosquitto-clients tmux'
  check 'nothing was asked for' test ! -e "${sandbox}/asked"
  make_path dnf 'cc pkg-config'
  check 'the command for dnf' fails_saying 'dnf install -y gcc glibc-devel openssl-devel pkgconf-pkg-config' \
    launch_there --no-install
  make_path brew 'mosquitto'
  check 'the command for brew' fails_saying 'brew install mosquitto' launch_there --no-install
}

installs() {
  unset DUALBOARD_NO_INSTALL
  make_path apt-get 'cmake'
  check 'an installation that changes nothing is noticed' fails_saying 'still missing after the installation: cmake' launch_there
  check 'the lists are brought up to date first' test "$(head -n 1 "${sandbox}/asked")" = 'apt-get update'
  check 'then it is installed' test "$(tail -n 1 "${sandbox}/asked")" = \
    'apt-get install -y --no-install-recommends cmake'
}

gives_up_without_a_package_manager() {
  make_path '' 'tmux'
  check 'no package manager is said' fails_saying 'no apt-get, dnf or brew here' launch_there
}

names_missing_rust() {
  make_path apt-get 'cargo'
  check 'missing Rust is named with the way out' fails_saying 'To install it: curl' env HOME="${sandbox}" \
    PATH="${sandbox}/path" DUALBOARD_SYSTEM_PATH='' CARGO_HOME="${sandbox}/none" bash scripts/launch.sh
}

builds_nothing_that_is_there() {
  local name
  mkdir -p target/release
  for name in card1_monitor card2_monitor card2_global_display; do
    printf '#!/bin/sh\n' >"target/release/${name}"
    chmod +x "target/release/${name}"
  done
  make_path apt-get 'cargo rustc cc cmake make pkg-config tmux'
  check 'where the programs are built, and cannot be, only what runs them is missing' fails_saying 'apt-get install -y --no-install-recommends tmux' \
    env CARGO_HOME="${sandbox}/none" PATH="${sandbox}/path" DUALBOARD_SYSTEM_PATH='' bash scripts/launch.sh --no-install
}

main "$@"
