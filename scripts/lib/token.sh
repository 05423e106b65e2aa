# shellcheck shell=bash
# The one file that goes from board 1 to board 2: the certificate of board 1's authority, and the names and passwords of
# the bridge.

declare board_dir
declare -a bridge_users

put_token() {
  local user text='# What board 2 needs to reach board 1: dualboard-setup board2 --token. Whoever has this file can pass for the bridge.'
  for user in "${bridge_users[@]}"; do
    text+=$'\n'"${user} $(<"${board_dir}/credentials/${user}")"
  done
  put_file token 600 root:root "${text}"$'\n'"$(<"${board_dir}/tls/ca.crt")"
}

# take_token FILE: board 2 keeps what is in it, after a look at all of it: a stray line would become configuration of the broker.
take_token() {
  local file="$1" user password certificate
  local -a passwords=()
  if [[ ! -e "${file}" ]] && has_token; then
    die "--token ${file}: there is no such file. What the last one held is kept in ${board_dir}; to use that, leave it out"
  fi
  [[ -e "${file}" ]] || die "--token ${file}: there is no such file. Board 1 made one: copy it from there (its setup says how)"
  [[ -r "${file}" ]] || die "--token ${file}: cannot be read by $(id -un)"
  if [[ -n "$(find -L "${file}" -prune -perm /077)" ]]; then
    say "Others can read ${file}. If somebody may have read it: dualboard-setup renew --bridge on board 1, and its new token here."
  fi
  for user in "${bridge_users[@]}"; do
    password="$(sed -n "s/^${user} \([A-Za-z0-9]\{32\}\)$/\1/p" "${file}")"
    [[ "${password}" =~ ^[A-Za-z0-9]{32}$ ]] || not_a_token "${file}" "it has no password of ${user}"
    passwords+=("${password}")
  done
  certificate="$(openssl x509 -in "${file}" 2>/dev/null)" || not_a_token "${file}" "it has no certificate"
  make_folder 755 peer
  local index
  for index in "${!bridge_users[@]}"; do
    put_file "credentials/${bridge_users[index]}" 600 root:root "${passwords[index]}"
  done
  put_file peer/ca.crt 644 root:root "${certificate}"
}

# What the last token held stays, with the modes that it must have.
keep_token() {
  local user
  for user in "${bridge_users[@]}"; do
    give_file "${board_dir}/credentials/${user}" 600 root:root
  done
  give_file "${board_dir}/peer/ca.crt" 644 root:root
}

not_a_token() { die "--token $1: this is not the file that board 1 has made: $2. Copy it from there once more"; }

# Whether a token was taken, now or earlier.
has_token() {
  local user
  for user in "${bridge_users[@]}"; do
    [[ -s "${board_dir}/credentials/${user}" ]] || return 1
  done
  [[ -s "${board_dir}/peer/ca.crt" ]]
}
