"""The cable where there is no root: a TCP proxy in front of broker 1. Bytes are held up, never lost."""

from __future__ import annotations

import random
import select
import socket
import struct
import time
from typing import Any

from .cable_orders import LONGEST, Orders, Pace


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
            watched += [pipe.source for pipe in self._pipes if kinds[pipe.way] != "drop" and len(pipe.out) < LONGEST]
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
