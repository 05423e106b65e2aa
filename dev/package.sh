#!/usr/bin/env bash
# For developers. The Debian package of this project, and a look at what came out.
# `sh FILE` serves as well, whatever shell sh is.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"
set +o posix -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/needs.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/options.sh"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
readonly options='
  --arch value arch -
  --debian value debian -
  --mirror value mirror - http://deb.debian.org/debian
  --no-install switch no_install DUALBOARD_NO_INSTALL'
declare arch debian mirror no_install

# Under sudo, Rust is where the user has it, and what is built here stays the user's: `as_user` comes before each cargo.
as_user=()
if ((EUID == 0)) && [[ -n "${SUDO_USER:-}" && "${SUDO_USER}" != root ]]; then
  user_home="$(getent passwd "${SUDO_USER}" | cut -d: -f6)"
  export CARGO_HOME="${CARGO_HOME:-${user_home}/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-${user_home}/.rustup}"
  as_user=(runuser -u "${SUDO_USER}" -- env "HOME=${user_home}")
fi

# shellcheck source=scripts/lib/build.sh
source "${project}/scripts/lib/build.sh"

# A release that Rust 1.89 builds. Another one may lay out a package in another way.
readonly cargo_deb='3.8.0'
readonly tools="${project}/target/tools"
readonly made="${project}/target/package"
# What Debian 12 has.
readonly oldest_libc='2.36'

usage() {
  cat <<'HELP'
For developers. Make the Debian package of this project: target/debian/dualboard_VERSION_ARCHITECTURE.deb.

Usage: dev/package.sh [OPTION ...]

  --arch NAME       for which processor: arm64 or armhf (ARMv7); default: this machine's
  --debian NUMBER   the oldest Debian of the boards with that processor: 12 or 13 (default: 13)
  --mirror URL      where the Debian comes from in which those are made (default: http://deb.debian.org/debian)
  --no-install      only say what is missing, install nothing            DUALBOARD_NO_INSTALL=1
  -h, --help        this text

Run it on Debian. A package that is made on Debian 12 can be installed there and on later releases; one that is made on a later release
needs that release's C library, and the script says so. Installs what is missing: what a build needs, dpkg-dev, and cargo-deb into
target/tools. Reads the package when it is made, and fails where something is not in it; lintian looks at it too, where it is installed.

For another processor, what is committed is built in a Debian testing in target/ARCH, with its Rust and its cross compiler, since a Rust
toolchain from elsewhere has no libraries for that processor. With --debian 12, in a Debian 12 in target/ARCH-12, with its cross compiler
and libraries, and the Rust of a testing inside it. They stay there for the next time. This needs root and 4 GB. Under sudo, the Rust
of the user who called it is taken. On a board with that processor none of this is needed: there, dev/package.sh alone.

Examples:
  dev/package.sh
  sudo dev/package.sh --arch arm64
  sudo dev/package.sh --arch armhf --debian 12
  apt install ./target/debian/dualboard_0.2.0-1_amd64.deb            on a board
HELP
}

main() {
  parse_options "${options}" "$@"
  has_command dpkg || die 'needs Debian: the package depends on what dpkg finds on this machine'
  [[ "${arch}" != "$(dpkg --print-architecture)" ]] || arch=''
  [[ -z "${arch}" ]] || ((EUID == 0)) || die "--arch ${arch} needs root: it makes a Debian in a folder. Call it with sudo"
  [[ -z "${debian}" || -n "${arch}" ]] || die_usage "--debian '${debian}' is for another processor, by --arch; for this one, run this on that Debian"
  provide_needs package_needs
  require_rust
  trap hand_over EXIT
  provide_cargo_deb
  cd "${project}"
  make_files
  if [[ -n "${arch}" ]]; then
    make_package_for "${arch}"
  else
    make_package
  fi
  check_dependencies
  check_files
  check_style
  say "Made: ${package} ($(du -h --apparent-size "${package}" | cut -f 1))"
}

# What root has made here beside the Debian in a folder is the user's, who could not build again otherwise.
hand_over() {
  ((${#as_user[@]} == 0)) || chown -R "${SUDO_USER}:" "${made}" "${tools}" "${target_dir}/debian" 2>/dev/null || true
}

make_package() {
  say 'Making the package ...'
  # cargo-deb builds the programs itself.
  package="$(${as_user[@]+"${as_user[@]}"} env "PATH=${tools}/bin:${PATH}" cargo deb --locked --quiet --output "${target_dir}/debian/" -- --target-dir "${target_dir}")" ||
    die 'cargo deb failed; see above'
  package="$(tail -n 1 <<<"${package}")"
}

# make_package_for ARCH
make_package_for() {
  local arch="$1" triple gnu root rust variable build_needs rust_needs revision=1
  case "${arch}" in
    arm64) triple=aarch64-unknown-linux-gnu gnu=aarch64-linux-gnu ;;
    armhf) triple=armv7-unknown-linux-gnueabihf gnu=arm-linux-gnueabihf ;;
    *) die_usage "--arch '${arch}': want arm64, armhf or $(dpkg --print-architecture)" ;;
  esac
  build_needs=("crossbuild-essential-${arch}" "libssl-dev:${arch}" gcc libc6-dev cmake pkg-config dpkg-dev)
  # The Rust of Debian 12 and 13 is too old.
  rust_needs=(cargo rustc "libstd-rust-dev:${arch}")
  root="${project}/target/${arch}"
  rust="${root}"
  case "${debian:-13}" in
    12)
      root+=-12 rust="${root}/testing" revision='1~deb12'
      make_root bookworm "${root}" "${arch}" "${build_needs[@]}"
      make_root testing "${rust}" "${arch}" "${rust_needs[@]}"
      ;;
    13) make_root testing "${root}" "${arch}" "${build_needs[@]}" "${rust_needs[@]}" ;;
    *) die_usage "--debian '${debian}': want 12 or 13" ;;
  esac
  bring_sources "${root}"
  bring_rust "${root}" "${rust}"
  say "Building and making the package for ${arch} ..."
  variable="CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"${triple}")_LINKER"
  # In there, since the libraries that dpkg-shlibdeps looks for are there.
  chroot "${root}" env -i HOME=/srv PATH=/srv/bin:/usr/sbin:/usr/bin:/sbin:/bin "${variable}=${gnu}-gcc" \
    PKG_CONFIG_ALLOW_CROSS=1 "PKG_CONFIG_LIBDIR=/usr/lib/${gnu}/pkgconfig" \
    sh -c "cd /srv/dualboard && cargo-deb --locked --target ${triple} --deb-revision ${revision} --output target/debian/" ||
    die "cargo deb failed in ${root}; see above"
  mkdir -p "${target_dir}/debian"
  package="$(find "${root}/srv/dualboard/target/debian" -name "*_${arch}.deb" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)"
  cp "${package}" "${target_dir}/debian/"
  package="${target_dir}/debian/${package##*/}"
}

# make_root RELEASE ROOT ARCH PACKAGE...: once.
make_root() {
  local release="$1" root="$2" arch="$3"
  shift 3
  # Its last step is a file, so that half of one is made again.
  [[ ! -e "${root}/made" ]] || return 0
  say "Making a Debian ${release} in ${root}"
  rm -rf --one-file-system "${root}"
  debootstrap --variant=minbase --include=ca-certificates "${release}" "${root}" "${mirror}" >"${root}.log" 2>&1 ||
    die "debootstrap of ${release} into ${root} failed: $(tail -n 3 "${root}.log")"
  # How this machine reaches the network, the new one does as well.
  cp /etc/resolv.conf /etc/hosts "${root}/etc/"
  cp -rL --remove-destination /etc/ssl/certs "${root}/etc/ssl/"
  if compgen -G '/etc/apt/apt.conf.d/*' >/dev/null; then
    cp -n /etc/apt/apt.conf.d/* "${root}/etc/apt/apt.conf.d/"
  fi
  {
    chroot "${root}" dpkg --add-architecture "${arch}" &&
      chroot "${root}" apt-get --quiet update &&
      DEBIAN_FRONTEND=noninteractive chroot "${root}" apt-get --quiet install --yes --no-install-recommends "$@"
  } >>"${root}.log" 2>&1 || die "what a build for ${arch} needs cannot be installed in ${root}: $(tail -n 5 "${root}.log")"
  touch "${root}/made"
}

# bring_sources ROOT: what is committed, what was made here beside it, and what cargo is told of the network; what was built there stays.
bring_sources() {
  local sources="$1/srv/dualboard"
  if [[ -e "${sources}" ]]; then
    git -C "${sources}" fetch --quiet "${project}" HEAD
    git -C "${sources}" reset --quiet --hard FETCH_HEAD
  else
    git clone --quiet "${project}" "${sources}"
  fi
  mkdir -p "${sources}/target" "$1/srv/.cargo"
  rm -rf "${sources}/target/package"
  cp -a "${made}" "${sources}/target/package"
  if [[ -e "${CARGO_HOME:-${HOME}/.cargo}/config.toml" ]]; then
    cp "${CARGO_HOME:-${HOME}/.cargo}/config.toml" "$1/srv/.cargo/"
  fi
}

# bring_rust ROOT RUST: RUST is the root that has Rust. One inside ROOT is started with its own C library, and builds with that of ROOT.
bring_rust() {
  local root="$1" rust="$2" program libraries
  cp "${tools}/bin/cargo-deb" "${rust}/usr/bin/"
  [[ "${rust}" != "${root}" ]] || return 0
  libraries="${rust#"${root}"}/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
  mkdir -p "${root}/srv/bin"
  for program in cargo rustc cargo-deb; do
    printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "${libraries}/ld-linux-*.so.[0-9]" "${libraries}" \
      "${rust#"${root}"}/usr/bin/${program}" >"${root}/srv/bin/${program}"
    chmod +x "${root}/srv/bin/${program}"
  done
}

# What a package needs beyond what the programs need: name, and package for apt.
package_needs() {
  missing_build_needs
  # It finds out which libraries a program needs, and which package has them. Without it, cargo-deb leaves them out.
  has_command dpkg-shlibdeps || printf 'dpkg-shlibdeps dpkg-dev - -\n'
  [[ -z "${arch}" ]] || has_command debootstrap || printf 'debootstrap debootstrap - -\n'
}

# Into a folder of this project: whoever has another release of it keeps that.
provide_cargo_deb() {
  if [[ "$("${tools}/bin/cargo-deb" --version 2>/dev/null)" == "cargo-deb ${cargo_deb}" ]]; then
    return
  fi
  [[ -z "${no_install}" ]] || die "missing: cargo-deb ${cargo_deb} in ${tools}; run without --no-install"
  say "Installing: cargo-deb ${cargo_deb} into ${tools}"
  ${as_user[@]+"${as_user[@]}"} cargo install --quiet --locked --root "${tools}" --version "=${cargo_deb}" cargo-deb
}

# What is in the package and not in the project: man pages, completions, the command's other name, and the changelog in Debian's form.
make_files() {
  rm -rf "${made}"
  ${as_user[@]+"${as_user[@]}"} cargo run --quiet --locked --example package_files -- "${made}" >/dev/null
  mkdir -p "${made}/bin"
  ln -s ../lib/dualboard/scripts/dualboard-setup "${made}/bin/dualboard-setup"
  mkdir -p "${made}/share/man/man8"
  write_man_page >"${made}/share/man/man8/dualboard-setup.8"
  # Without the time of this build in it.
  write_changelog | gzip -9n >"${made}/changelog.gz"
}

# Its help, since that says everything.
write_man_page() {
  cat <<'MAN'
.TH DUALBOARD-SETUP 8
.SH NAME
dualboard-setup \- makes this machine board 1 or board 2 of two boards that share six sensors
.SH DESCRIPTION
.nf
MAN
  "${project}/scripts/dualboard-setup" --help | sed -e 's/\\/\\e/g' -e "s/^[.']/\\\\\&&/" -e 's/-/\\-/g'
  cat <<'MAN'
.fi
.SH SEE ALSO
card1_monitor(1), card2_monitor(1), card2_global_display(1), and the guide, /usr/share/doc/dualboard/docs/operations.md
MAN
}

write_changelog() {
  local version
  version="$(sed -n 's/^version = "\(.*\)"$/\1/p' "${project}/Cargo.toml" | head -n 1)"
  printf 'dualboard (%s-1) unstable; urgency=medium\n\n' "${version}"
  printf '  * What has changed is in changelog.gz beside this file.\n\n'
  printf ' -- %s  %s\n' "$(sed -n 's/^maintainer = "\(.*\)"$/\1/p' "${project}/Cargo.toml")" "$(git log -1 --format=%cD)"
}

# field NAME: of the package
field() { dpkg-deb --field "${package}" "$1"; }

# cargo-deb ends with status 0 also where it has not found out what the programs need.
check_dependencies() {
  local depends library needed
  depends="$(field Depends)"
  say "It depends on: ${depends}"
  for library in libc6 libssl3 mosquitto openssl; do
    [[ "${depends}" =~ (^|, )${library}(t64)?(\ |,|$) ]] ||
      die "${package}: its Depends has no ${library}: ${depends}; is dpkg-shlibdeps (dpkg-dev) installed, and are the programs built for this machine?"
  done
  needed="$(sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p' <<<"${depends}")"
  if dpkg --compare-versions "${needed}" gt "${oldest_libc}"; then
    warn "It needs libc6 ${needed}, and Debian 12 has ${oldest_libc}: to install it there, make it there (for another processor: --arch and --debian 12)."
  fi
}

# What a board cannot do without, as it must be there: mode, owner, path.
check_files() {
  local listed wanted
  listed="$(dpkg-deb --contents "${package}" | awk '{print $1, $2, $6, $7, $8}')"
  while read -r wanted; do
    grep -qxE -- "${wanted} *" <<<"${listed}" || die "${package} lacks this line: ${wanted}; look at dpkg-deb --contents, and at [package.metadata.deb] in Cargo.toml"
  done <<'LINES'
-rwxr-xr-x 0/0 ./usr/bin/card1_monitor
-rwxr-xr-x 0/0 ./usr/bin/card2_monitor
-rwxr-xr-x 0/0 ./usr/bin/card2_global_display
lrwxrwxrwx 0/0 ./usr/bin/dualboard-setup -> ../lib/dualboard/scripts/dualboard-setup
-rwxr-xr-x 0/0 ./usr/lib/dualboard/scripts/dualboard-setup
-rw-r--r-- 0/0 ./usr/lib/dualboard/scripts/lib/say.sh
-rw-r--r-- 0/0 ./usr/lib/dualboard/mosquitto_broker1.conf
-rw-r--r-- 0/0 ./usr/lib/dualboard/mosquitto_bridge.conf
-rw-r--r-- 0/0 ./usr/lib/systemd/system/dualboard-broker.service
-rw-r--r-- 0/0 ./usr/lib/systemd/system/dualboard-card1.service
-rw-r--r-- 0/0 ./usr/lib/systemd/system/dualboard-card2.service
-rw-r--r-- 0/0 ./usr/lib/sysusers.d/dualboard.conf
-rw-r--r-- 0/0 ./usr/share/man/man1/card1_monitor.1.gz
-rw-r--r-- 0/0 ./usr/share/bash-completion/completions/card1_monitor
-rw-r--r-- 0/0 ./usr/share/man/man8/dualboard-setup.8.gz
-rw-r--r-- 0/0 ./usr/share/doc/dualboard/docs/operations.md
-rw-r--r-- 0/0 ./usr/share/doc/dualboard/copyright
LINES
  # Programs, units and scripts belong to root, and nobody else may change them.
  ! grep -E '^[^l].{7}w|^-.{4}w' <<<"${listed}" || die "${package}: others than root may write the above; correct the modes in [package.metadata.deb] of Cargo.toml"
  [[ -z "$(field Conffiles 2>/dev/null)" ]] || die "${package} has configuration files; dualboard-setup makes them, so that an upgrade asks nothing"
}

check_style() {
  if has_command lintian; then
    lintian --fail-on error "${package}" || die "lintian finds errors in ${package}; see above"
  else
    say 'Not looked at by lintian, which is not installed.'
  fi
}

main "$@"
