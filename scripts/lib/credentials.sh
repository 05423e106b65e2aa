# shellcheck shell=bash
# Names and passwords for a broker that listens beyond loopback. Made once, kept in files of mode 0600, never on a command
# line and never in a log.
#
#   DATA/credentials/broker.passwd             what the broker checks against (hashed)
#   DATA/credentials/programs                  password of the user `programs`, one line, for --password-file
#   DATA/credentials/bridge                    board 1 only: the lines that board 2's bridge needs
#   DATA/credentials/BROKER/mosquitto_{sub,pub}   options of these clients, so that people and scripts can ask the broker

declare data_dir

random_password() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 32 || true; }

# make_credentials BROKER USER...
make_credentials() {
  local broker="$1" dir="${data_dir}/credentials" user password client
  shift
  [[ ! -s "${dir}/broker.passwd" ]] || return 0
  # Passwords that are half written would lock everybody out.
  has_room "${data_dir}" ||
    die "the passwords for ${broker} cannot be made: $(no_room "${data_dir}"); make some, then run this again"
  mkdir -p "${dir}/${broker}"
  : >"${dir}/broker.passwd.new"
  for user in "$@"; do
    password="$(random_password)"
    printf '%s:%s\n' "${user}" "${password}" >>"${dir}/broker.passwd.new"
    case "${user}" in
      programs)
        printf '%s\n' "${password}" >"${dir}/programs"
        for client in mosquitto_sub mosquitto_pub; do
          printf -- '-u %s\n-P %s\n' "${user}" "${password}" >"${dir}/${broker}/${client}"
        done
        ;;
      *) printf 'remote_username %s\nremote_password %s\n' "${user}" "${password}" >"${dir}/${user}" ;;
    esac
  done
  # Hashes what stands in the file: unlike with -b, no password is on its command line.
  mosquitto_passwd -U "${dir}/broker.passwd.new" || die "mosquitto_passwd could not hash ${dir}/broker.passwd.new"
  chmod 600 "${dir}/broker.passwd.new"
  mv "${dir}/broker.passwd.new" "${dir}/broker.passwd"
}

# Keeps what board 1 gave for the bridge, so that the next start needs no file, after a look at it: a stray
# line would become configuration of the broker.
keep_bridge_credentials() {
  local given="$1" kept="${data_dir}/credentials/peer"
  if [[ ! -e "${given}" && -s "${kept}" ]]; then
    die "--bridge-credentials ${given}: there is no such file. Those of the last time are kept in ${kept}; to use them, leave it out"
  fi
  if [[ ! -r "${given}" ]]; then
    die "--bridge-credentials ${given}: cannot be read"
  fi
  if [[ "$(grep -cE '^remote_(username|password) [A-Za-z0-9]+$' "${given}")" != 2 ]] ||
    [[ "$(grep -c '' "${given}")" != 2 ]]; then
    die "--bridge-credentials ${given}: not the file that board1.sh made (DATA/credentials/bridge on board 1)"
  fi
  if [[ "${given}" -ef "${kept}" ]]; then
    return 0
  fi
  # Those of the last time stay until the new ones are whole.
  if ! { mkdir -p "${data_dir}/credentials" && cat "${given}" >"${kept}.new" && mv "${kept}.new" "${kept}"; } 2>/dev/null; then
    rm -f "${kept}.new"
    die "--bridge-credentials ${given}: cannot be kept in ${kept}: $(no_room "${data_dir}"); make some, then run this again"
  fi
}

# Prints where they are kept, nothing if there are none.
kept_bridge_credentials() {
  local kept="${data_dir}/credentials/peer"
  if [[ -s "${kept}" ]]; then
    # Without them the bridge would start as nobody, and board 1 would refuse it.
    [[ -r "${kept}" ]] || die "${kept} cannot be read by $(id -un): chmod u+r '${kept}'"
    printf '%s' "${kept}"
  fi
}

warn_of_root() {
  if ((EUID == 0)); then
    warn 'This broker can be reached from the network and runs as root; better start it as an ordinary user.'
  fi
}
