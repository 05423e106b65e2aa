# shellcheck shell=bash
# Who may read (r) and write (w) what. Written by the protocol and not from the access rules, which it tests.
# USER stands for the user of the column. The users of the bridge are of no use at broker 2.

# shellcheck disable=SC2016 # $SYS is a topic
rights_at_1() {
  cat <<'TABLE'
topic                                          card1_monitor health board2_bridge_in board2_bridge_out board2_bridge_alive viewer-wall operator-desk
sensors/card1                                  rw            -      r                -                 -                   -           -
sensors/card2                                  r             -      -                rw                -                   -           -
sensors/all                                    r             -      -                w                 -                   r           r
sensors/card1/alive                            rw            -      r                -                 -                   r           r
sensors/card2/alive                            r             -      -                -                 w                   r           r
sensors/witness                                w             -      r                -                 -                   -           -
sensors/board2/card1                           r             -      w                -                 -                   -           -
sensors/board1/card2                           -             -      -                -                 -                   -           -
sensors/board1/broker/uptime                   -             -      -                -                 -                   -           -
sensors/board2/broker/uptime                   r             -      -                -                 w                   r           r
sensors/card1/set                              r             -      -                -                 -                   -           w
sensors/card2/set                              -             -      -                -                 -                   -           -
sensors/card1/set/answer                       w             -      -                -                 -                   -           r
sensors/card2/set/answer                       -             -      -                -                 -                   -           -
sensors/card1/acknowledge                      r             -      -                -                 -                   -           w
sensors/card2/acknowledge                      r             -      -                -                 -                   -           w
sensors/marker/USER/own                        rw            rw     rw               rw                rw                  rw          rw
sensors/marker/USER                            -             -      -                -                 -                   -           -
sensors/marker/somebody/else                   -             -      -                -                 -                   -           -
sensors/new                                    -             -      -                -                 -                   -           -
other                                          -             -      -                -                 -                   -           -
$SYS/broker/version                            r             r      -                -                 -                   -           -
$SYS/broker/uptime                             -             -      r                -                 -                   -           -
$SYS/broker/clients/connected                  -             -      -                -                 -                   -           -
$SYS/broker/connection/board2_bridge_in/state  r             r      w                -                 -                   r           r
$SYS/broker/connection/board2_bridge_out/state r             r      -                w                 -                   r           r
$SYS/broker/connection/USER/state              -             -      w                w                 -                   -           -
TABLE
}

# shellcheck disable=SC2016 # $SYS is a topic
rights_at_2() {
  cat <<'TABLE'
topic                                          card2_monitor display health viewer-wall operator-desk
sensors/card1                                  r             -       -      -           -
sensors/card2                                  rw            -       -      -           -
sensors/all                                    rw            r       -      r           r
sensors/card1/alive                            r             r       -      r           r
sensors/card2/alive                            rw            r       -      r           r
sensors/witness                                r             w       -      -           -
sensors/board2/card1                           -             -       -      -           -
sensors/board1/card2                           r             -       -      -           -
sensors/board1/broker/uptime                   r             r       -      r           r
sensors/board2/broker/uptime                   -             -       -      -           -
sensors/card1/set                              -             -       -      -           -
sensors/card2/set                              r             -       -      -           w
sensors/card1/set/answer                       -             -       -      -           -
sensors/card2/set/answer                       w             -       -      -           r
sensors/card1/acknowledge                      r             w       -      -           w
sensors/card2/acknowledge                      r             w       -      -           w
sensors/marker/USER/own                        rw            rw      rw     rw          rw
sensors/marker/USER                            -             -       -      -           -
sensors/marker/somebody/else                   -             -       -      -           -
sensors/new                                    -             -       -      -           -
other                                          -             -       -      -           -
$SYS/broker/version                            r             r       r      -           -
$SYS/broker/uptime                             -             -       -      -           -
$SYS/broker/clients/connected                  -             -       -      -           -
$SYS/broker/connection/board2_bridge_in/state  r             r       r      r           r
$SYS/broker/connection/board2_bridge_out/state r             r       r      r           r
$SYS/broker/connection/USER/state              -             -       -      -           -
TABLE
}
