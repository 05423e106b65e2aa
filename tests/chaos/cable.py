"""The cable between the boards, as a program of its own: it can be told to fail in every way, and can itself be stopped.

As root it joins two network namespaces with a TUN device in each, packet by packet. Without root it is a TCP proxy in front
of broker 1. It takes orders as JSON lines on stdin, `{"12": SPEC, "21": SPEC}`, one SPEC for each direction:

    {"kind": "pass"}                      as it should be
    {"kind": "drop"}                      swallowed
    {"kind": "reject"}                    each packet is answered by a reset
    {"kind": "slow", "delay": S, "jitter": S, "rate": BYTES_PER_SECOND}
    {"kind": "lossy", "loss": P, "twice": P, "jitter": S}
"""

from __future__ import annotations

import sys

from .cable_packets import join_networks
from .cable_proxy import Proxy

if __name__ == "__main__":
    if sys.argv[1] == "networks":
        join_networks(sys.argv[2], sys.argv[3])
    else:
        Proxy(int(sys.argv[2]), int(sys.argv[3])).run()
