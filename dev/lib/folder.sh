# shellcheck shell=bash
# Where a command keeps what it makes.

declare keep made

# make_folder NAME: the folder that --keep names, which must be new or empty, or else a new one of that name below `made`.
make_folder() {
  if [[ -n "${keep}" ]]; then
    mkdir -p "${keep}" || exit
    [[ -z "$(ls -A "${keep}")" ]] || die "--keep ${keep}: it is not empty; name another folder"
    (cd "${keep}" && pwd)
  else
    mktemp -d "${made}/$1.XXXXXX"
  fi
}
