# shellcheck shell=bash
# The bridge from broker 2 to broker 1: is it up, and if not, why, in plain words.

declare data_dir

bridge_is_up() {
  bridge_connection_is_up board2_bridge_out && bridge_connection_is_up board2_bridge_in
}

bridge_connection_is_up() { [[ "$(ask_broker broker2 "\$SYS/broker/connection/$1/state")" == 1 ]]; }

# Says how the bridge stands. It may come up later by itself, so this never ends the script.
report_bridge() {
  local peer="$1" log="${data_dir}/log/broker2.log" last
  if wait_until 5 bridge_is_up; then
    say "bridge: up, to broker 1 at ${peer}"
    return 0
  fi
  last="$(tail -n 500 "${log}" | grep -iE 'not auth|refused|unreachable|lookup|no route|timed out' | tail -n 1)" || last=''
  case "${last}" in
    *'not auth'* | *'not Auth'* | *'bad user'*)
      warn "bridge: board 1 at ${peer} refuses the bridge's name or password."
      warn "Copy DATA/credentials/bridge from board 1 once more; then here: $(stop_command), and $(again_with --bridge-credentials FILE)"
      ;;
    *)
      warn "bridge: not up yet; broker 1 at ${peer} has not answered (${last:-no word in ${log}})."
      warn 'Broker 2 tries again every 1 to 2 seconds, by itself.'
      ;;
  esac
}
