"""The cable between two network namespaces: a TUN device in each, packet by packet."""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import time

from .cable_orders import LONGEST, Orders, Pace
from .spawn import enter_network

_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
OTHER = {"12": "21", "21": "12"}


def _sum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def reset_for(packet: bytes) -> bytes | None:
    """The TCP reset that a host or firewall would answer this packet with."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6:
        return None
    head = (packet[0] & 15) * 4
    source, target = packet[12:16], packet[16:20]
    from_port, to_port, sequence, acknowledged, offset, flags = struct.unpack("!HHIIBB", packet[head : head + 14])
    if flags & 4:
        return None
    length = len(packet) - head - (offset >> 4) * 4 + bool(flags & 2) + bool(flags & 1)
    start = acknowledged if flags & 16 else 0
    tcp = struct.pack(
        "!HHIIBBHHH", to_port, from_port, start, (sequence + length) & 0xFFFFFFFF, 5 << 4, 4 | 16, 0, 0, 0
    )
    check = _sum(target + source + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, target, source)
    return ip[:10] + struct.pack("!H", _sum(ip)) + ip[12:] + tcp


def open_tun(name: str, network: str) -> int:
    """A TUN device in a network namespace. This process stays there, which does not matter to its descriptors."""
    fd = os.open(f"/run/netns/{network}", os.O_RDONLY)
    enter_network(fd)
    os.close(fd)
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER))
    return tun


def join_networks(one: str, two: str) -> None:
    """Carries packets between two namespaces until stdin ends."""
    tun = {"12": open_tun("link0", one), "21": open_tun("link0", two)}
    print("ready", flush=True)
    orders, rng, number = Orders(), random.Random(), itertools.count()
    pace = {"12": Pace(), "21": Pace()}
    out: list[tuple[float, int, str, bytes]] = []
    while True:
        wait = None if not out else max(0.0, out[0][0] - time.monotonic())
        ready, _, _ = select.select([0, *tun.values()], [], [], wait)
        if 0 in ready and not orders.read():
            return
        for way, fd in tun.items():
            if fd not in ready:
                continue
            packet = os.read(fd, 65536)
            spec = orders.spec[way]
            if spec["kind"] == "drop" or len(out) > LONGEST:
                continue
            if spec["kind"] == "reject":
                answer = reset_for(packet)
                if answer:
                    os.write(fd, answer)
                continue
            for when in pace[way].times(spec, len(packet), rng):
                heapq.heappush(out, (when, next(number), way, packet))
        now = time.monotonic()
        while out and out[0][0] <= now:
            _, _, way, packet = heapq.heappop(out)
            # What was on the way when the cable broke is lost with it.
            if orders.spec[way]["kind"] not in ("drop", "reject"):
                with contextlib.suppress(OSError):
                    os.write(tun[OTHER[way]], packet)
