# shellcheck shell=bash disable=SC2034
# The Rust toolchain and the three programs.

source "${BASH_SOURCE[0]%/*}/room.sh"

# rustup puts cargo where only a new login shell looks.
PATH="${PATH}:${CARGO_HOME:-${HOME}/.cargo}/bin"

programs_dir="${CARGO_TARGET_DIR:-${project}/target}/release"
readonly programs_dir # read by programs.sh

readonly rust_install="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"

# Ends the script if Rust is missing or older than Cargo.toml asks for.
require_rust() {
  local wanted found oldest
  wanted="$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "${project}/Cargo.toml")" || wanted=''
  if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    die "Rust is missing; version ${wanted:-1.85} or later is needed. To install it: ${rust_install}"
  fi
  found="$(cd "${project}" && rustc --version | awk '{print $2}')"
  oldest="$(printf '%s\n%s\n' "${wanted:-0}" "${found%%-*}" | sort -V | head -n 1)"
  if [[ "${oldest}" != "${wanted:-0}" ]]; then
    if command -v rustup >/dev/null; then
      die "Rust ${found} is too old; version ${wanted} or later is needed. To update it: rustup update stable"
    fi
    die "Rust ${found} is too old; version ${wanted} or later is needed. To install it: ${rust_install}"
  fi
}

build_programs() {
  require_rust
  if [[ -x "${programs_dir}/card1_monitor" ]]; then
    say 'Building what has changed ...'
  else
    say 'Building (the first time takes minutes) ...'
  fi
  (cd "${project}" && cargo build --release --locked) && return 0
  # A board that has run before starts what it has.
  if has_room "$(dirname "${programs_dir}")" || [[ ! -x "${programs_dir}/card1_monitor" ]]; then
    die 'the build failed; see above'
  fi
  warn "There is $(no_room "${programs_dir}") to build what has changed: the programs of the last build are started."
}
