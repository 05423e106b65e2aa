# shellcheck shell=bash
# What must be installed, and installing it with the system's own packages.

# Debian keeps brokers where an ordinary user's PATH does not look; Homebrew has folders of its own.
system_path="${DUALBOARD_SYSTEM_PATH-/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin:/opt/homebrew/sbin}"
PATH="${PATH}${system_path:+:${system_path}}"

has_command() { command -v "$1" >/dev/null; }

has_openssl_headers() {
  if has_command brew && brew --prefix --installed openssl@3 >/dev/null 2>&1; then
    return 0
  fi
  printf '#include <openssl/ssl.h>\n' | cc -E - >/dev/null 2>&1
}

has_c_compiler() { printf '#include <stdio.h>\n' | cc -E - >/dev/null 2>&1; }

# One line a missing thing: what it is, and its package for apt, dnf and brew.
missing_needs() {
  has_command mosquitto && has_command mosquitto_passwd || printf 'mosquitto mosquitto mosquitto mosquitto\n'
  has_command mosquitto_sub || printf 'mosquitto_sub mosquitto-clients mosquitto mosquitto\n'
  has_command tmux || printf 'tmux tmux tmux tmux\n'
}

# The same for what is needed to build the programs.
missing_build_needs() {
  has_command cmake || printf 'cmake cmake cmake cmake\n'
  has_command make || printf 'make make make make\n'
  has_c_compiler || printf 'C-compiler gcc,libc6-dev gcc,glibc-devel gcc\n'
  has_openssl_headers || printf 'OpenSSL-headers libssl-dev openssl-devel openssl@3\n'
  has_command pkg-config || printf 'pkg-config pkg-config pkgconf-pkg-config pkgconf\n'
}

# For the scripts that build anew whatever is there.
all_needs() {
  missing_needs
  missing_build_needs
}

# Prints what installs the missing things on stdin, with the package manager at hand.
install_command() {
  local column command sudo='' packages
  if ((EUID != 0)); then
    sudo='sudo '
  fi
  if has_command apt-get; then
    column=2 command="${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends"
  elif has_command dnf; then
    column=3 command="${sudo}dnf install -y"
  elif has_command brew; then
    column=4 command='brew install'
  else
    die 'no apt-get, dnf or brew here; install the above with your own package manager, then run this again'
  fi
  packages="$(awk -v column="${column}" '{print $column}' | tr ',' '\n' | sort -u | paste -sd' ' -)"
  printf '%s %s' "${command}" "${packages}"
}

# provide_needs FUNCTION [ARGUMENT ...]: finds what is missing and installs it, or says how when it may not.
# FUNCTION prints what is missing, as missing_needs does.
provide_needs() {
  local missing names command had_broker=1
  missing="$("$@")"
  [[ -n "${missing}" ]] || return 0
  names="$(awk '{print $1}' <<<"${missing}" | paste -sd' ' -)"
  say "Missing: ${names}"
  command="$(install_command <<<"${missing}")"
  if [[ -n "${no_install}" ]]; then
    die "install it with: ${command}"
  fi
  if [[ "${command}" == sudo* ]] && ! has_command sudo; then
    die "you are not root and there is no sudo; as root: ${command//sudo /}"
  fi
  has_command mosquitto || had_broker=''
  say "Installing: ${command}"
  DEBIAN_FRONTEND=noninteractive bash -c "${command}" || die "that failed; see above, then run this again"
  hash -r
  if [[ -z "${had_broker}" ]]; then
    quiet_new_service
  fi
  missing="$("$@")"
  if [[ -n "${missing}" ]]; then
    die "still missing after the installation: $(awk '{print $1}' <<<"${missing}" | paste -sd' ' -)"
  fi
}

# Debian starts a broker on port 1883 as soon as the package is there, and at each boot. The one that this installation
# has just started is ours to end; one that was there before is never touched.
quiet_new_service() {
  local sudo=()
  if ((EUID != 0)); then
    sudo=(sudo)
  fi
  if [[ -d /run/systemd/system ]] && systemctl cat mosquitto.service >/dev/null 2>&1; then
    ${sudo[@]+"${sudo[@]}"} systemctl disable --now mosquitto.service || true
  elif [[ -x /etc/init.d/mosquitto ]]; then
    ${sudo[@]+"${sudo[@]}"} /etc/init.d/mosquitto stop || true
    ${sudo[@]+"${sudo[@]}"} update-rc.d mosquitto disable || true
  else
    return 0
  fi
  say "The package's own broker service is switched off, since it holds port 1883."
  say "To have it back: sudo systemctl enable --now mosquitto"
  must_be_read
}
