# shellcheck shell=bash
# The board's own authority, and the certificate of its broker that it signs.
#
# Both are valid from 1970 to the end of 2099. A board without a battery starts with a clock that is years behind, and the one that makes
# them may have no clock either; what is valid by dates would then end a bridge that nobody looks after. What was stolen is ended by a
# new authority instead (dualboard-setup renew --authority).

declare board_dir broker_user workshop

readonly valid_from=19700101000000Z valid_until=20991231235959Z

is_ip_address() { [[ "$1" == *:* || "$1" =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]]; }

# check_address OPTION ADDRESS: an address or a name of this board, as others know it.
check_address() {
  local option="$1" address="$2"
  case "${address}" in
    127.* | localhost | ::1) die_usage "${option} ${address}: that is loopback, which no other board reaches; give this board's own address" ;;
    0.0.0.0 | ::) die_usage "${option} ${address}: a certificate is for an address that others use; give this board's own" ;;
    *) ;;
  esac
  if [[ ! "${address}" =~ ^[A-Za-z0-9.:-]+$ || "${address}" == -* ]]; then
    die_usage "${option} '${address}': want an address or a name of this board, such as 192.0.2.7, fd00::7 or board1.example.org"
  fi
}

# prepare_in_workshop FUNCTION ARGUMENT...: runs it with a workshop, a folder of its own on the disk of the board's files: a key is never anywhere else.
# Where it fails, nothing of it stays.
prepare_in_workshop() {
  workshop="${board_dir}/authority/.making"
  rm -rf "${workshop}"
  mkdir -m 700 "${workshop}" 2>/dev/null ||
    die "cannot make ${workshop}; perhaps there is $(no_room "${board_dir}")"
  if ! ("$@"); then
    rm -rf "${workshop}"
    exit 1
  fi
}

# ensure_authority NAME: makes it once. NAME: whose it is, in words.
ensure_authority() {
  if key_fits authority/ca.key tls/ca.crt; then
    give_file "${board_dir}/authority/ca.key" 600 root:root
    give_file "${board_dir}/tls/ca.crt" 644 root:root
  else
    make_authority "$1"
  fi
}

# make_authority NAME
make_authority() {
  prepare_in_workshop prepare_authority "$1"
  put_pair authority/ca.key root:root tls/ca.crt
  rm -rf "${workshop}"
}

# make_all_anew NAME ADDRESS...: authority and broker certificate, both before either takes its place.
make_all_anew() {
  prepare_in_workshop prepare_all "$@"
  put_pair authority/ca.key root:root tls/ca.crt
  put_pair tls/broker.key "${broker_user}" tls/broker.crt
  rm -rf "${workshop}"
}

prepare_all() {
  prepare_authority "$1"
  shift
  prepare_broker_certificate "${workshop}/ca.key" "${workshop}/ca.crt" "$@"
}

prepare_authority() {
  make_key ca.key
  # A number, so that an old and a new authority of one board can be told apart.
  sign "/CN=dualboard $1 $(random_letters 6)" ca.key ca.crt \
    $'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash' \
    -selfsign -keyfile "${workshop}/ca.key"
}

# ensure_broker_certificate ADDRESS...: a new one if it is for other addresses than this board was told last, or not of this authority.
ensure_broker_certificate() {
  if [[ "$(told addresses)" == "$*" ]] && key_fits tls/broker.key tls/broker.crt && is_signed; then
    give_file "${board_dir}/tls/broker.key" 600 "${broker_user}"
    give_file "${board_dir}/tls/broker.crt" 644 root:root
  else
    make_broker_certificate "$@"
  fi
}

# make_broker_certificate ADDRESS...
make_broker_certificate() {
  prepare_in_workshop prepare_broker_certificate "${board_dir}/authority/ca.key" "${board_dir}/tls/ca.crt" "$@"
  put_pair tls/broker.key "${broker_user}" tls/broker.crt
  rm -rf "${workshop}"
}

# prepare_broker_certificate AUTHORITY_KEY AUTHORITY ADDRESS...
prepare_broker_certificate() {
  local authority_key="$1" authority="$2" extensions
  shift 2
  extensions="basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=$(alternative_names "$@")"
  make_key broker.key
  # What counts is the list of addresses; a subject has room for 64 characters.
  sign "/CN=dualboard broker ${1:0:40}" broker.key broker.crt "${extensions}" -keyfile "${authority_key}" -cert "${authority}"
}

# put_pair KEY OWNER CERTIFICATE: from the workshop, one right after the other, since neither is of use without the other. What a power cut
# parts is made anew by the next run.
put_pair() {
  local key="$1" owner="$2" certificate="$3"
  give_file "${workshop}/${key##*/}" 600 "${owner}"
  give_file "${workshop}/${certificate##*/}" 644 root:root
  sync
  if ! mv -f "${workshop}/${key##*/}" "${board_dir}/${key}" || ! mv -f "${workshop}/${certificate##*/}" "${board_dir}/${certificate}"; then
    die "cannot put ${board_dir}/${key} and its certificate in place; run this again"
  fi
  changed_files+=("${key}" "${certificate}")
}

# make_key NAME
make_key() {
  if ! (umask 077 && openssl ecparam -name prime256v1 -genkey -noout -out "${workshop}/$1" 2>/dev/null) || [[ ! -s "${workshop}/$1" ]]; then
    die "openssl cannot make the key ${workshop}/$1; perhaps there is $(no_room "${board_dir}")"
  fi
}

# sign SUBJECT KEY CERTIFICATE EXTENSIONS OPTION...: makes the certificate. By `openssl ca`, since the dates of `openssl x509` begin today (before
# OpenSSL 3.4).
sign() {
  local subject="$1" key="$2" certificate="$3" extensions="$4" words
  shift 4
  {
    printf '%s\n' "${extensions}" >"${workshop}/extensions" &&
      : >"${workshop}/index" &&
      cat >"${workshop}/openssl.cnf" <<CONF
[ca]
default_ca=own
[own]
database=${workshop}/index
new_certs_dir=${workshop}
rand_serial=yes
default_md=sha256
policy=any
[any]
commonName=supplied
[req]
distinguished_name=none
[none]
CONF
  } 2>/dev/null || die "cannot write to ${workshop}; perhaps there is $(no_room "${board_dir}")"
  words="$(openssl req -new -config "${workshop}/openssl.cnf" -key "${workshop}/${key}" -subj "${subject}" \
    -out "${workshop}/request" 2>&1 &&
    openssl ca -batch -notext -config "${workshop}/openssl.cnf" -in "${workshop}/request" -out "${workshop}/${certificate}" \
      -extfile "${workshop}/extensions" -startdate "${valid_from}" -enddate "${valid_until}" "$@" 2>&1)" ||
    die "openssl cannot make the certificate ${subject}: ${words}"
  [[ -s "${workshop}/${certificate}" ]] ||
    die "openssl cannot write the certificate ${subject}; perhaps there is $(no_room "${board_dir}")"
}

# As a certificate lists them. By loopback's names the broker is reached on the board itself.
alternative_names() {
  local address names=''
  for address in "$@" localhost 127.0.0.1; do
    if is_ip_address "${address}"; then
      names+=",IP:${address}"
    else
      names+=",DNS:${address}"
    fi
  done
  printf '%s' "${names#,}"
}

# key_fits KEY CERTIFICATE
key_fits() {
  local of_key of_certificate
  of_key="$(openssl pkey -in "${board_dir}/$1" -pubout 2>/dev/null)" || return 1
  of_certificate="$(openssl x509 -in "${board_dir}/$2" -noout -pubkey 2>/dev/null)" || return 1
  [[ -n "${of_key}" && "${of_key}" == "${of_certificate}" ]]
}

# By the authority, whatever the time is.
is_signed() { openssl verify -no_check_time -CAfile "${board_dir}/tls/ca.crt" "${board_dir}/tls/broker.crt" >/dev/null 2>&1; }
