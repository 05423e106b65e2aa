# shellcheck shell=bash
# Processes that we started: known by process id and birth, so that a number given again to somebody else is never touched.

# When a process was born, in a form that no later process shares. Empty when there is none.
process_birth() {
  local pid="$1" stat fields
  if [[ -r /proc/sys/kernel/random/boot_id ]]; then
    # Ticks since boot, and which boot: the wall clock of a board without a battery jumps.
    { stat="$(<"/proc/${pid}/stat")"; } 2>/dev/null || return 0
    # The name in field 2 may hold spaces; after its bracket come state (field 3) to birth (field 22).
    read -r -a fields <<<"${stat##*) }"
    # Nothing is read of one that ends in between.
    if [[ "${fields[0]:-Z}" != Z ]]; then
      printf '%s %s' "$(</proc/sys/kernel/random/boot_id)" "${fields[19]}"
    fi
  else
    ps -o lstart= -p "${pid}" 2>/dev/null || true
  fi
}

spare_folder="/dev/shm/dualboard-${UID}"
readonly spare_folder

# Where a process is written down while the disk of its file is full: in memory, where it is as well. Empty where there is no such
# place. Only a folder of this user is trusted: who can write there chooses which process is ended.
spare_file() {
  local folder="${spare_folder}"
  if [[ -d "${folder}" && ! -L "${folder}" && -O "${folder}" ]]; then
    printf '%s/%s' "${folder}" "${1//\//+}"
  fi
}

# Writes down a process that was just started. Fails where that is possible nowhere.
record_process() {
  local file="$1" pid="$2" birth spare
  birth="$(process_birth "${pid}")"
  if { printf '%s\n%s\n' "${pid}" "${birth}" >"${file}"; } 2>/dev/null; then
    return 0
  fi
  rm -f "${file}" 2>/dev/null || true
  mkdir -m 700 "${spare_folder}" 2>/dev/null || true
  spare="$(spare_file "${file}")"
  [[ -n "${spare}" ]] && { printf '%s\n%s\n' "${pid}" "${birth}" >"${spare}"; } 2>/dev/null
}

forget_process() {
  local file="$1" spare
  spare="$(spare_file "${file}")"
  # On a disk that can only be read the file stays; no process has its birth.
  rm -f "${file}" 2>/dev/null || true
  if [[ -n "${spare}" ]]; then
    rm -f "${spare}"
    rmdir "${spare_folder}" 2>/dev/null || true
  fi
}

# Prints the id of the recorded process if it still runs; else fails.
recorded_process() { read_record "$1" || read_record "$(spare_file "$1")"; }

read_record() {
  local file="$1" pid birth
  [[ -r "${file}" ]] || return 1
  { read -r pid && read -r birth; } <"${file}" || return 1
  [[ "${pid}" =~ ^[0-9]+$ && -n "${birth}" && "$(process_birth "${pid}")" == "${birth}" ]] && printf '%s' "${pid}"
}

process_runs() { recorded_process "$1" >/dev/null; }
process_gone() { ! process_runs "$1"; }

# Runs a command that outlives this script and its terminal; its output goes to the end of a log. Prints its
# process id.
start_apart() {
  local log="$1"
  shift
  if command -v setsid >/dev/null; then
    setsid "$@" </dev/null >>"${log}" 2>&1 &
  else
    nohup "$@" </dev/null >>"${log}" 2>&1 &
  fi
  printf '%s' "$!"
}

# Asks the recorded process to end and waits until it is gone. Fails if it was not there.
end_process() {
  local name="$1" file="$2" limit="$3" deadline pid
  if process_gone "${file}"; then
    forget_process "${file}"
    return 1
  fi
  deadline=$((SECONDS + limit))
  while pid="$(recorded_process "${file}")"; do
    if ((SECONDS >= deadline)); then
      warn "${name} (process ${pid}) did not end within ${limit} s; killed"
      kill -KILL "${pid}" 2>/dev/null || true
      deadline=$((SECONDS + limit))
    else
      # Each time again: Mosquitto loses a SIGTERM that comes while it starts.
      kill -TERM "${pid}" 2>/dev/null || true
    fi
    wait_until 1 process_gone "${file}" || true
  done
  forget_process "${file}"
  say "${name}: ended"
}

# run_recorded FILE COMMAND...: runs it in this place and writes down its process.
run_recorded() { (exec_recorded "$@"); }

# The same, as the last that this shell does.
exec_recorded() {
  # The shell that writes down its own id becomes the program.
  exec bash -c 'source "$1"; record_process "$2" "$$"; shift 2; exec "$@"' _ "${process_library}" "$@"
}

readonly process_library="${BASH_SOURCE[0]}"

# Asks again and again until a command succeeds. Fails after so many seconds.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    if ((SECONDS > deadline)); then
      return 1
    fi
    sleep 0.1
  done
}
