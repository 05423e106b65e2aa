# shellcheck shell=bash disable=SC2034
# The Rust toolchain and the three programs.

source "${BASH_SOURCE[0]%/*}/room.sh"

declare project

# A service manager or `env -i` leaves it out; the shell looks it up.
if [[ -z "${HOME:-}" ]]; then
  unset HOME
  HOME=~
  export HOME
fi

# rustup puts cargo where only a new login shell looks.
PATH="${PATH}:${CARGO_HOME:-${HOME}/.cargo}/bin"

target_dir="${CARGO_TARGET_DIR:-target}"
# Cargo starts from the project's folder.
[[ "${target_dir}" == /* ]] || target_dir="${project}/${target_dir}"
programs_dir="${target_dir}/release"
readonly target_dir programs_dir # read by programs.sh

readonly rust_install="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"

# Prints what is wrong with Rust and, on a second line, what to do about it; nothing where all is well.
trouble_with_rust() {
  local wanted found oldest install="To install it: ${rust_install}"
  wanted="$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "${project}/Cargo.toml")" || wanted=''
  if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    printf '%s\n' "Rust is missing; version ${wanted:-1.85} or later is needed" "${install}"
    return
  fi
  if ! found="$(cd "${project}" && rustc --version 2>&1)"; then
    printf '%s\n' "Rust does not run (${found##*$'\n'})" "${install}"
    return
  fi
  found="$(awk '{print $2}' <<<"${found}")"
  oldest="$(printf '%s\n%s\n' "${wanted:-0}" "${found%%-*}" | sort -V | head -n 1)"
  if [[ "${oldest}" != "${wanted:-0}" ]]; then
    if command -v rustup >/dev/null; then
      install='To update it: rustup update stable'
    fi
    printf '%s\n' "Rust ${found} is too old; version ${wanted} or later is needed" "${install}"
  fi
}

# Ends the script if Rust is missing or older than Cargo.toml asks for.
require_rust() {
  local trouble
  trouble="$(trouble_with_rust)"
  [[ -z "${trouble}" ]] || die "${trouble/$'\n'/. }"
}

# The same for all that keeps these programs from being built here.
trouble_with_build() {
  local trouble
  trouble="$(trouble_with_rust)"
  if [[ -n "${trouble}" ]]; then
    printf '%s\n' "${trouble}"
  elif ! can_build_into "${target_dir}"; then
    printf '%s\n' "$(id -un) cannot write in ${target_dir}, where the programs are built" \
      "Let it be built by whom it belongs to (cargo build --release --locked), or set CARGO_TARGET_DIR to a folder of your own"
  fi
}

# A full disk is another matter: there cargo finds out whether something has changed at all.
can_build_into() {
  local folder="$1"
  [[ ! -e "${folder}/release" ]] || folder="${folder}/release"
  while [[ ! -e "${folder}" ]]; do
    folder="$(dirname "${folder}")"
  done
  [[ -d "${folder}" && -w "${folder}" ]]
}

# are_built PROGRAM...
are_built() {
  local name
  for name in "$@"; do
    [[ -x "${programs_dir}/${name}" ]] || return 1
  done
}

# programs_needs PROGRAM...: as missing_needs, for building them; where they are there and cannot be built,
# nothing is needed for that.
programs_needs() {
  local trouble
  trouble="$(trouble_with_build)"
  missing_needs
  if [[ -z "${trouble}" ]] || ! are_built "$@"; then
    missing_build_needs
  fi
}

# build_programs PROGRAM...
build_programs() {
  local trouble
  trouble="$(trouble_with_build)"
  if [[ -n "${trouble}" ]]; then
    take_what_is_built "${trouble%%$'\n'*}" "${trouble##*$'\n'}" "$@"
    return 0
  fi
  if are_built "$@"; then
    say 'Building what has changed ...'
  else
    say 'Building (the first time takes minutes) ...'
  fi
  # The folder is named, since a user's settings of cargo may say another one.
  if (cd "${project}" && cargo build --release --locked --target-dir "${target_dir}"); then
    are_built "$@" || die "the build put no programs into ${programs_dir}; do cargo's settings (build.target) name another machine?"
    return 0
  fi
  # A board that has run before starts what it has.
  if has_room "$(dirname "${programs_dir}")" || ! are_built "$@"; then
    die 'the build failed; see above'
  fi
  warn "There is $(no_room "${programs_dir}") to build what has changed: the programs of the last build are started."
}

# take_what_is_built TROUBLE CURE PROGRAM...: on a board that cannot build, what was built elsewhere or by
# another user is started.
take_what_is_built() {
  local trouble="$1" cure="$2" name words
  shift 2
  are_built "$@" || die "the programs are not built: ${trouble}. ${cure}"
  for name in "$@"; do
    words="$("${programs_dir}/${name}" --version 2>&1)" ||
      die "${programs_dir}/${name} does not run on this machine (${words##*$'\n'}), and cannot be built: ${trouble}. ${cure}"
  done
  say "Nothing is built, since ${trouble}. What is in ${programs_dir} is started."
  if [[ -n "$(find "${project}"/{src,Cargo.toml,Cargo.lock} -type f -newer "${programs_dir}/$1" 2>/dev/null | head -n 1)" ]]; then
    warn "It is older than the sources: what has changed since is not in it. ${cure}"
  fi
}
