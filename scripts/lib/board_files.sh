# shellcheck shell=bash
# The files of a board that asks for passwords, in one folder: /etc/dualboard of an installed board, DATA/board where
# board1.sh or board2.sh has started it. docs/architecture.md says what each of them is.
#
# Every file is made aside, with its owner and its mode, and then takes its name. So nobody ever sees half of one, nobody
# reads a secret in between, and a disk that is full leaves what was there.

# Where they are, and who is to have them. A user who is not root has all of them.
declare board_dir broker_user='' owner_user='' owner_group=''

# What this run has changed, by name.
changed_files=()

# settle_board_dir DIR [BROKER_USER OWNER_USER OWNER_GROUP]
# shellcheck disable=SC2034 # the other parts read them
settle_board_dir() {
  board_dir="$1" broker_user="${2:-}" owner_user="${3:-}" owner_group="${4:-}"
}

make_board_folders() {
  make_folder 755 .
  make_folder 755 tls
  make_folder 700 authority
  make_folder 711 credentials
  make_folder 700 credentials/clients
}

# make_folder MODE NAME
make_folder() {
  local folder="${board_dir}/$2" error
  error="$(mkdir -p "${folder}" 2>&1)" ||
    die "cannot make the folder ${folder} (${error}); perhaps there is $(no_room "${board_dir%/*}")"
  give_file "${folder}" "$1" root:root
}

# put_file NAME MODE OWNER TEXT: makes this file of this text. One that is so already is left alone. OWNER is that of an installed board, as
# chown has it.
put_file() {
  local name="$1" mode="$2" owner="$3" text="$4" path="${board_dir}/$1" aside
  aside="${path}.new"
  # Not one that a power cut has left there, perhaps with another mode.
  rm -f "${aside}" 2>/dev/null || true
  if [[ -f "${path}" && -r "${path}" && "$(<"${path}")" == "${text}" ]]; then
    give_file "${path}" "${mode}" "${owner}"
    return 0
  fi
  if ! { (umask 077 && printf '%s\n' "${text}" >"${aside}"); } 2>/dev/null; then
    rm -f "${aside}" 2>/dev/null || true
    die "cannot write ${path}, and what was there stays; perhaps there is $(no_room "${board_dir}")"
  fi
  give_file "${aside}" "${mode}" "${owner}"
  # After a power cut there is the old one or the new one, and not an empty one.
  sync "${aside}" 2>/dev/null || sync
  mv -f "${aside}" "${path}" || die "cannot put ${path} in place; what was there stays"
  changed_files+=("${name}")
}

# give_file PATH MODE OWNER: one that has both already is not touched, so that a disk that can only be read is no trouble.
give_file() {
  local path="$1" mode="$2" owner="$3"
  # The owner first: a mode for others does not come before they are the right ones.
  if [[ -n "${broker_user}" ]] && ! belongs_to "${path}" "${owner}"; then
    chown -h "${owner}" "${path}" || die "cannot give ${path} to ${owner}"
  fi
  if [[ -z "$(find "${path}" -prune -perm "${mode}")" ]]; then
    chmod "${mode}" "${path}" || die "cannot give ${path} the mode ${mode}"
  fi
}

# OWNER is USER or USER:GROUP.
belongs_to() {
  local user="${2%%:*}" group=()
  if [[ "$2" == *:* ]]; then
    group=(-group "${2#*:}")
  fi
  [[ -n "$(find "$1" -prune -user "${user}" ${group[@]+"${group[@]}"})" ]]
}

# Whether this run has changed one of these files.
has_changed() {
  local wanted name
  for wanted in "$@"; do
    for name in ${changed_files[@]+"${changed_files[@]}"}; do
      # shellcheck disable=SC2053 # a pattern
      [[ "${name}" != ${wanted} ]] || return 0
    done
  done
  return 1
}

# put_setting FILE KEY VALUE: one line of a settings file; whatever else somebody has written there stays.
put_setting() {
  local name="$1" key="$2" value="$3" text
  if [[ -e "${board_dir}/${name}" ]]; then
    text="$(<"${board_dir}/${name}")"
  else
    text='# Settings of the programs, one DUALBOARD_...=value a line; the help of each program names them.
# dualboard-setup keeps its own lines up to date, and leaves all others as they are.'
  fi
  # Not by awk -v, which would change backslashes.
  text="$(printf '%s\n' "${text}" | KEY="${key}" LINE="${key}=${value}" awk '
    index($0, ENVIRON["KEY"] "=") == 1 { if (!done) print ENVIRON["LINE"]; done = 1; next }
    { print }
    END { if (!done) print ENVIRON["LINE"] }')"
  put_file "${name}" 644 root:root "${text}"
}

# put_setup KEY=VALUE...: what this board was told to be.
put_setup() {
  local text='# What dualboard-setup was told of this board. To change it, run it again with other options.' line
  for line in "$@"; do
    text+=$'\n'"${line}"
  done
  put_file setup.conf 644 root:root "${text}"
}

# told KEY: prints what this board was told, nothing if it was not.
told() {
  [[ -r "${board_dir}/setup.conf" ]] || return 0
  sed -n "s/^$1=//p" "${board_dir}/setup.conf"
}

# render_board_conf ORIGINAL STORE USER LOCAL_PORT PORT ADDRESS...: the broker's file. Without an address it is reached on
# loopback only.
render_board_conf() {
  local original="$1" store="$2" user="$3" local_port="$4" port="$5" line
  shift 5
  printf '# Made by dualboard-setup from %s: it is made again, so change that file, not this one.\n' "${original##*/}"
  while IFS= read -r line; do
    case "${line}" in
      'user '*) printf 'user %s\n' "${user}" ;;
      'listener '*) render_board_listeners "${local_port}" "${port}" "$@" ;;
      'allow_anonymous '* | 'acl_file '*) ;;
      'persistence_location '*) printf 'persistence_location %s/\n' "${store}" ;;
      '# --- the bridge'*)
        printf '# The bridge has its passwords with it, and so a file of its own.\ninclude_dir %s/broker.d\n' "${board_dir}"
        break
        ;;
      # What the comments of the original say of loopback without passwords is not true here.
      '#'*) ;;
      *) printf '%s\n' "${line}" ;;
    esac
  done <"${original}" | cat -s
}

render_board_listeners() {
  local local_port="$1" port="$2" address
  shift 2
  # Passwords, rights and client ids are of a listener: what is worth something on loopback is worth nothing from the network.
  printf 'per_listener_settings true\n\n'
  printf '# For the programs of this board.\nlistener %s 127.0.0.1\n' "${local_port}"
  render_board_access local
  for address in $(listened_addresses "$@"); do
    printf '\n# For the other board, and for screens elsewhere.\n'
    if [[ "${address}" == all ]]; then
      printf 'listener %s\n' "${port}"
    else
      printf 'listener %s %s\n' "${port}" "${address}"
    fi
    render_board_access network
    # Whoever comes is called by its user name: nobody takes another one's place.
    printf 'use_username_as_clientid true\n'
    printf 'certfile %s/tls/broker.crt\nkeyfile %s/tls/broker.key\n' "${board_dir}" "${board_dir}"
  done
  printf '\n'
}

# A host name may stand for another address tomorrow, or for loopback on its own machine. With one, the broker listens on all addresses.
listened_addresses() {
  local address
  for address in "$@"; do
    if ! is_ip_address "${address}"; then
      printf 'all\n'
      return 0
    fi
  done
  if (($#)); then
    printf '%s\n' "$@"
  fi
}

render_board_access() {
  printf 'allow_anonymous false\npassword_file %s/%s.passwd\nacl_file %s/rights.acl\n' "${board_dir}" "$1" "${board_dir}"
}

# render_bridge ORIGINAL PEER: the three connections of the bridge, over TLS, each with its user and its password.
render_bridge() {
  local original="$1" peer="$2" line name='' bridge=''
  printf '# Made by dualboard-setup from %s: it is made again, so change that file, not this one.\n' "${original##*/}"
  while IFS= read -r line; do
    case "${line}" in
      '# --- the bridge'*) bridge=1 ;;
      *) [[ -n "${bridge}" ]] || continue ;;
    esac
    case "${line}" in
      'connection '*) name="${line#connection }" ;;
      'address '*) line="address ${peer}" ;;
      *) ;;
    esac
    printf '%s\n' "${line}"
    if [[ "${line}" == 'remote_clientid '* ]]; then
      printf 'remote_username %s\nremote_password %s\n' "${name}" "$(<"${board_dir}/credentials/${name}")"
      printf 'bridge_cafile %s/peer/ca.crt\n' "${board_dir}"
    fi
  done <"${original}"
}
