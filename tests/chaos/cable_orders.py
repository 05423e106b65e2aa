"""What a cable has been told, and when what comes in goes out by that."""

from __future__ import annotations

import json
import os
import random
import time
from typing import Any

# What a slow line may hold; the rest is dropped, as a switch would.
LONGEST = 1000


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
