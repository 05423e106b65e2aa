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

import fcntl
import heapq
import itertools
import json
import os
import random
import select
import socket
import struct
import sys
import time
from typing import Any

from .spawn import enter_network

_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
OTHER = {"12": "21", "21": "12"}
# What a slow line may hold; the rest is dropped, as a switch would.
_LONGEST = 1000


class Pace:
    """When what comes in now goes out, by a SPEC. In order, unless the SPEC has loss."""

    def __init__(self) -> None:
        self._free = 0.0

    def times(self, spec: dict[str, Any], size: int, rng: random.Random) -> list[float]:
        """One time for each copy that goes out."""
        now = time.monotonic()
        if spec["kind"] == "lossy":
            copies = 0 if rng.random() < spec["loss"] else 1
            if copies and rng.random() < spec["twice"]:
                copies = 2
            return [now + rng.random() * spec["jitter"] for _ in range(copies)]
        if spec["kind"] != "slow":
            self._free = now
            return [now]
        wanted = now + spec["delay"] + rng.random() * spec["jitter"]
        self._free = max(wanted, self._free + size / spec["rate"])
        return [self._free]


def _sum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


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
    tcp = struct.pack("!HHIIBBHHH", to_port, from_port, start, (sequence + length) & 0xFFFFFFFF, 5 << 4, 4 | 16, 0, 0, 0)
    check = _sum(target + source + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, target, source)
    return ip[:10] + struct.pack("!H", _sum(ip)) + ip[12:] + tcp


class Orders:
    """Reads the orders of the campaign; its end is the end of the cable."""

    def __init__(self) -> None:
        self.spec: dict[str, dict[str, Any]] = {"12": {"kind": "pass"}, "21": {"kind": "pass"}}
        self._rest = b""

    def read(self) -> bool:
        """Takes what has come; False at the end."""
        got = os.read(0, 65536)
        if not got:
            return False
        *lines, self._rest = (self._rest + got).split(b"\n")
        for line in lines:
            self.spec = json.loads(line)
        return True


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
            if spec["kind"] == "drop" or len(out) > _LONGEST:
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
                try:
                    os.write(tun[OTHER[way]], packet)
                except OSError:
                    pass


class Pipe:
    """One direction of a proxied connection."""

    def __init__(self, way: str, source: socket.socket, target: socket.socket) -> None:
        self.way, self.source, self.target = way, source, target
        self.pace = Pace()
        self.out: list[tuple[float, bytes]] = []


def reset(connection: socket.socket) -> None:
    """Ends a connection by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Proxy:
    """A TCP proxy: what a cable does, as far as that can be done without root. Bytes are never lost, only held up."""

    def __init__(self, port: int, target: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._target = target
        self._pipes: list[Pipe] = []
        self._rng = random.Random()

    def run(self) -> None:
        """Until stdin ends."""
        print("ready", flush=True)
        orders = Orders()
        while True:
            kinds = {way: spec["kind"] for way, spec in orders.spec.items()}
            if "reject" in kinds.values():
                self._reset_all()
            watched: list[Any] = [0]
            if "drop" not in kinds.values():
                watched.append(self._listener)
            watched += [pipe.source for pipe in self._pipes if kinds[pipe.way] != "drop" and len(pipe.out) < _LONGEST]
            dues = [pipe.out[0][0] for pipe in self._pipes if pipe.out and kinds[pipe.way] != "drop"]
            wait = max(0.0, min(dues) - time.monotonic()) if dues else None
            ready, _, _ = select.select(watched, [], [], wait)
            if 0 in ready and not orders.read():
                return
            if self._listener in ready:
                self._accept("reject" in kinds.values())
            for pipe in list(self._pipes):
                if pipe in self._pipes:
                    self._carry(pipe, pipe.source in ready, orders.spec[pipe.way])

    def _accept(self, refused: bool) -> None:
        near, _ = self._listener.accept()
        if refused:
            reset(near)
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), 1)
        except OSError:
            reset(near)
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pipes += [Pipe("21", near, far), Pipe("12", far, near)]

    def _carry(self, pipe: Pipe, readable: bool, spec: dict[str, Any]) -> None:
        try:
            if readable:
                got = pipe.source.recv(65536)
                if not got:
                    raise ConnectionError
                whole = {**spec, "kind": "slow", "delay": 0.2, "rate": 1e9} if spec["kind"] == "lossy" else spec
                pipe.out += [(when, got) for when in pipe.pace.times(whole, len(got), self._rng)]
            while pipe.out and pipe.out[0][0] <= time.monotonic() and spec["kind"] != "drop":
                pipe.target.sendall(pipe.out.pop(0)[1])
        except OSError:
            self._close(pipe)

    def _close(self, pipe: Pipe) -> None:
        ends = {pipe.source, pipe.target}
        self._pipes = [other for other in self._pipes if other.source not in ends]
        for end in ends:
            reset(end)

    def _reset_all(self) -> None:
        for pipe in list(self._pipes):
            if pipe in self._pipes:
                self._close(pipe)


if __name__ == "__main__":
    if sys.argv[1] == "networks":
        join_networks(sys.argv[2], sys.argv[3])
    else:
        Proxy(int(sys.argv[2]), int(sys.argv[3])).run()
