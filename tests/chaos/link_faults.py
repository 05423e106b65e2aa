"""Faults of the link, and of the clocks."""

from __future__ import annotations

import random
from typing import Any

from .faults import Fault
from .world import PASS, World

Spec = dict[str, dict[str, Any]]
LINKS = ("swallowed", "refused", "frozen", "slow", "flapping", "lossy", "one way")
HOUR, YEAR = 3600, 365 * 86400
# An hour back, without a battery, beyond 2038, a day on.
CLOCKS = (-HOUR, -56 * YEAR, 13 * YEAR, 24 * HOUR, -90)


def _both(spec: dict[str, Any]) -> Spec:
    return {"12": spec, "21": spec}


class Cut(Fault):
    """The link fails in some way; the last one to strike decides, and who mends it mends it all."""

    def __init__(self, world: World, rng: random.Random, kind: str) -> None:
        super().__init__(world, rng)
        self.kind = f"link {kind}"
        self._made: Spec | None = None
        self._over = False

    @property
    def about(self) -> str:
        return "cable"

    def _spec(self) -> Spec:
        if self.kind == "link swallowed":
            return _both({"kind": "drop"})
        if self.kind == "link refused":
            return _both({"kind": "reject"})
        if self.kind == "link one way":
            way = self.rng.choice(("12", "21"))
            return {**PASS, way: {"kind": "drop"}}
        if self.kind == "link slow":
            slow = self.rng.choice(((0.1, 0.05, 1e6), (0.6, 0.2, 1e5), (0.02, 0.0, 3000), (1.5, 0.5, 1e6)))
            return _both({"kind": "slow", "delay": slow[0], "jitter": slow[1], "rate": slow[2]})
        loss, twice = self.rng.choice((0.05, 0.2, 0.4)), self.rng.choice((0.0, 0.2))
        return _both({"kind": "lossy", "loss": loss, "twice": twice, "jitter": self.rng.choice((0.0, 0.05))})

    def do(self) -> bool:
        if self.world.cable.stopped:
            return False
        if self.kind == "link frozen":
            self.world.cable.stop()
        elif self.kind == "link flapping":
            self._flap()
        else:
            self._made = self._spec()
            self.world.cable.set(self._made)
        return True

    def _flap(self) -> None:
        """Up and down, every time another way of being down."""
        if self._over or self.world.cable.stopped:
            return
        if self.world.cable.spec is PASS:
            down = self.rng.choice(("drop", "reject"))
            self._made = {"12": {"kind": down}, "21": {"kind": down}}
        elif self.world.cable.spec is self._made:
            self._made = PASS
        else:
            return
        self.world.cable.set(self._made)
        self.world.loop.after(self.rng.choice((0.05, 0.3, 0.8)), self._flap)

    def undo(self) -> None:
        self._over = True
        if self.kind == "link frozen":
            self.world.cable.resume()
        elif self.world.cable.spec is self._made and self._made is not PASS and not self.world.cable.stopped:
            self.world.cable.set(PASS)


class Clock(Fault):
    """A board's wall clock jumps, and jumps back."""

    kind = "clock set"

    def __init__(self, world: World, rng: random.Random, board: int) -> None:
        super().__init__(world, rng)
        self.board = board

    @property
    def about(self) -> str:
        return f"clock{self.board}"

    def do(self) -> bool:
        if "faketime" not in self.world.preloads:
            return False
        offset = self.rng.choice(CLOCKS)
        self.world.log.event("clock", board=self.board, offset=offset)
        self.world.set_clock(self.board, offset)
        return True

    def undo(self) -> None:
        self.world.log.event("clock", board=self.board, offset=0)
        self.world.set_clock(self.board, 0)
