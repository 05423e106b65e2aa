#!/usr/bin/env bash
# For developers. Gets the Mosquitto of another release of Debian, without installing anything.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg
readonly options='
  --mirror value mirror
  ARGUMENT value release - trixie'
declare mirror release

usage() {
  cat <<'HELP'
For developers. Get the Mosquitto of another release of Debian into a folder below target/, and print the path of a program that runs it.

Usage: dev/mosquitto_of.sh [OPTION ...] [RELEASE]

  RELEASE           trixie, forky, sid, ... (default: trixie, which is Debian 13)
  --mirror URL      where the packages are (default: where this machine gets its Debian packages from)
  -h, --help        this text

Nothing is installed and this machine's own package lists stay as they are: apt-get works in a folder of its own, the packages are unpacked
there, and the broker runs with the libraries and the loader of its own release. Needs apt-get, dpkg-deb and Debian's keyring (package
debian-archive-keyring); not root. What is there already is not fetched again: to fetch it anew, remove the folder.

Examples:
  dev/mosquitto_of.sh
  dev/chaos.sh --faults 500 --mosquitto "$(dev/mosquitto_of.sh trixie)"
HELP
}

main() {
  parse_options "${options}" "$@"
  [[ "${release}" =~ ^[a-z0-9-]+$ ]] || die_usage "release '${release}': want a name such as trixie"
  root="${project}/target/mosquitto/${release}"
  readonly root
  if [[ ! -x "${root}/mosquitto" ]]; then
    require_tools
    mirror="${mirror:-$(own_mirror)}"
    [[ -n "${mirror}" ]] || die "this machine's apt knows no Debian packages; run apt-get update, or give --mirror URL"
    fetch >&2
    unpack
    write_program
  fi
  # It ends with status 1 where it is only asked for help.
  said="$("${root}/mosquitto" -h 2>&1 || true)"
  [[ "${said}" == *'mosquitto version '* ]] || die "${root}/mosquitto does not run here: ${said}"
  printf '%s\n' "${root}/mosquitto"
}

require_tools() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    die 'needs apt-get and dpkg-deb; on another system build a Mosquitto, and give its path to the script that you wanted this one for'
  fi
  [[ -r "${keyring}" ]] || die "no ${keyring}; install it (apt install debian-archive-keyring), then run this again"
}

# Where this machine's own packages come from.
own_mirror() {
  # shellcheck disable=SC2016 # apt-get puts the values in
  apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(LABEL)' |
    awk '$2 == "main" && $3 == "Debian" && !uri { uri = $1 } END { print uri }'
}

# The packages of the broker and of all that it needs, for a machine on which nothing is installed.
fetch() {
  local apt_options option
  rm -rf "${root}"
  mkdir -p "${root}"/{etc,apt/lists/partial,packages/partial}
  : >"${root}/etc/status"
  printf 'deb [signed-by=%s] %s %s main\n' "${keyring}" "${mirror}" "${release}" >"${root}/etc/sources.list"
  apt_options=()
  for option in \
    "Dir::State=${root}/apt" "Dir::State::lists=${root}/apt/lists" "Dir::State::status=${root}/etc/status" \
    "Dir::Cache=${root}/apt" "Dir::Cache::archives=${root}/packages" 'Dir::Cache::pkgcache=' 'Dir::Cache::srcpkgcache=' \
    "Dir::Etc::sourcelist=${root}/etc/sources.list" 'Dir::Etc::sourceparts=/dev/null' 'Dir::Etc::preferencesparts=/dev/null' \
    'APT::Install-Recommends=false' 'APT::Sandbox::User=' 'Debug::NoLocking=true' 'APT::Keep-Downloaded-Packages=true' \
    'DPkg::Post-Invoke=' 'APT::Update::Post-Invoke='; do
    apt_options+=(-o "${option}")
  done
  apt-get "${apt_options[@]}" --quiet update || die "could not read the package lists of ${mirror} ${release}; see above"
  apt-get "${apt_options[@]}" --quiet --yes --download-only install mosquitto || die "could not get the packages; see above"
}

unpack() {
  local package
  for package in "${root}"/packages/*.deb; do
    dpkg-deb --extract "${package}" "${root}/files"
  done
  rm -rf "${root}/packages" "${root}/apt"
}

# The broker's own release has its own loader and C library. Found by their names, so on any processor.
write_program() {
  local loader libraries
  loader="$(find "${root}/files" -name 'ld-linux*.so.*' -print -quit)"
  libraries="$(find "${root}/files" -name 'libmosquitto.so.1' -printf '%h\n' -quit)"
  [[ -n "${loader}" && -n "${libraries}" ]] || die "the packages in ${root}/files are not as expected: no loader or no libmosquitto.so.1"
  # Names that an installation would make.
  PATH="${PATH}:/usr/sbin:/sbin" ldconfig -n "${libraries}"
  cat >"${root}/mosquitto" <<PROGRAM
#!/bin/sh
# Made by dev/mosquitto_of.sh: the Mosquitto of Debian ${release}, with its own libraries.
exec "${loader}" --library-path "${libraries}" "${root}/files/usr/sbin/mosquitto" "\$@"
PROGRAM
  chmod +x "${root}/mosquitto"
}

main "$@"
