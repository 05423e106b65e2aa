# shellcheck shell=bash
# Users of a broker and their passwords: 32 random letters and digits each, one file a user, read by nobody else. The
# broker has their hashes, in one file for each listener. No password is ever on a command line or in a log.

declare board_dir broker_user

# shellcheck disable=SC2034 # read by what makes boards and tokens
# Not readonly: other files name it with `declare -a`, which bash 5.3 then refuses.
bridge_users=(board2_bridge_in board2_bridge_out board2_bridge_alive)

# random_letters NUMBER
random_letters() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$1" || true; }

# ensure_user LISTENER USER MODE OWNER: LISTENER is local or network; OWNER reads the password. One that is there already stays, also
# where an earlier run was cut off after the first half.
ensure_user() {
  local listener="$1" user="$2" mode="$3" owner="$4" credential="credentials/$2" password=''
  if [[ -r "${board_dir}/${credential}" ]]; then
    password="$(<"${board_dir}/${credential}")"
  fi
  if [[ "${password}" =~ ^[A-Za-z0-9]{32}$ ]]; then
    give_file "${board_dir}/${credential}" "${mode}" "${owner}"
    is_user "${listener}" "${user}" || admit_user "${listener}" "${user}" "${password}"
    return 0
  fi
  password="$(random_letters 32)"
  [[ "${password}" =~ ^[A-Za-z0-9]{32}$ ]] || die "cannot make a password for ${user}: /dev/urandom gives no random letters"
  put_file "${credential}" "${mode}" "${owner}" "${password}"
  admit_user "${listener}" "${user}" "${password}"
}

is_user() {
  [[ -r "${board_dir}/$1.passwd" ]] && grep -q "^$2:" "${board_dir}/$1.passwd"
}

# Prints the users of a listener, a line each.
users_of() { cut -d: -f1 "${board_dir}/$1.passwd" 2>/dev/null || true; }

# admit_user LISTENER USER PASSWORD: the broker lets it in, from its next reload on.
admit_user() {
  local listener="$1" user="$2" password="$3" hashed others
  hashed="$(hash_of "${user}" "${password}")"
  others="$(passwd_without "${listener}" "${user}")"
  put_file "${listener}.passwd" 600 "${broker_user}" "${others:+${others}$'\n'}${hashed}"
}

# dismiss_user LISTENER USER: the broker does not let it in any more.
dismiss_user() {
  local others
  others="$(passwd_without "$1" "$2")"
  put_file "$1.passwd" 600 "${broker_user}" "${others}"
  rm -f "${board_dir}/credentials/$2"
  changed_files+=("credentials/$2")
}

# passwd_without LISTENER USER: prints the lines of the others.
passwd_without() {
  local file="${board_dir}/$1.passwd" status=0
  [[ -e "${file}" ]] || return 0
  grep -v "^$2:" "${file}" || status=$?
  # 1: nobody else is in it. A file that cannot be read is no empty one.
  ((status < 2)) || die "cannot read ${file}"
}

# A listener whose file of passwords is missing would not start.
ensure_passwd_file() {
  if [[ -e "${board_dir}/$1.passwd" ]]; then
    give_file "${board_dir}/$1.passwd" 600 "${broker_user}"
  else
    put_file "$1.passwd" 600 "${broker_user}" ''
  fi
}

# hash_of USER PASSWORD: prints the line of a broker's file. mosquitto_passwd hashes what stands in a file: unlike with -b, no password is on
# its command line. It would hash again what is hashed already, so the file has this user only.
hash_of() {
  local plain="${board_dir}/authority/.plain" line
  rm -f "${plain}"
  if ! { (umask 077 && printf '%s:%s\n' "$1" "$2" >"${plain}"); } 2>/dev/null; then
    rm -f "${plain}"
    die "cannot write ${plain}; perhaps there is $(no_room "${board_dir}")"
  fi
  if ! mosquitto_passwd -U "${plain}" >/dev/null 2>&1; then
    rm -f "${plain}"
    die "mosquitto_passwd cannot hash the password of $1; perhaps there is $(no_room "${board_dir}"), or no room in /tmp"
  fi
  line="$(<"${plain}")"
  rm -f "${plain}"
  [[ "${line}" == "$1:\$"* ]] || die "mosquitto_passwd has not hashed the password of $1; perhaps there is $(no_room "${board_dir}")"
  printf '%s' "${line}"
}

# Mosquitto's own clients read name and password from a file in a folder that XDG_CONFIG_HOME names.
put_client_options() {
  local client
  for client in mosquitto_sub mosquitto_pub; do
    put_file "credentials/clients/${client}" 600 root:root "-u health
-P $(<"${board_dir}/credentials/health")"
  done
}

# Who may read and write what: the table of the project, with the viewers and operators that this board has.
put_rights() {
  local original="$1" text
  text="$(render_rights "${original}")"
  put_file rights.acl 600 "${broker_user}" "${text}"
}

# The part of `viewer-NAME` once for each viewer, and that of `operator-NAME` once for each operator.
render_rights() {
  local original="$1" role
  printf '# Made by dualboard-setup from %s: it is made again, so change that file, not this one.\n' "${original##*/}"
  grep -v '^#' "${original}" | awk '/^user (viewer|operator)-NAME$/ {exit} {print}'
  for role in viewer operator; do
    render_role "${original}" "${role}"
  done
}

render_role() {
  local original="$1" role="$2" rights user
  rights="$(awk -v role="user ${role}-NAME" '$0 == role {inside = 1; next} /^user / {inside = 0} inside && /^topic/' "${original}")"
  for user in $(users_of network | grep "^${role}-" || true); do
    printf '\nuser %s\n%s\n' "${user}" "${rights}"
  done
}
