"""The faults. Each is done, and undone some time later; several at once are the rule.

`do` says whether there was anything to break: a fault that found its target broken already is not counted.
"""

from __future__ import annotations

import random
from functools import partial

from .unit import Unit
from .world import World


class Fault:
    """One thing that goes wrong."""

    kind = ""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng

    @property
    def about(self) -> str:
        """What it strikes, for the log and for what must be spared."""
        return ""

    def do(self) -> bool:
        """Makes it go wrong."""
        raise NotImplementedError

    def undo(self) -> None:
        """Mends it."""


class OfUnit(Fault):
    """Strikes a program or a broker, which is started again."""

    def __init__(self, world: World, rng: random.Random, unit: Unit) -> None:
        super().__init__(world, rng)
        self.unit = unit

    @property
    def about(self) -> str:
        return self.unit.name

    def undo(self) -> None:
        self.unit.reap()
        self.world.start(self.unit)


class Kill(OfUnit):
    """kill -9."""

    kind = "kill -9"

    def do(self) -> bool:
        if self.unit.process is None:
            return False
        self.unit.kill("kill")
        return True


class Terminate(OfUnit):
    """SIGTERM; a broker saves its store."""

    kind = "SIGTERM"

    def do(self) -> bool:
        if not self.unit.up:
            return False
        self.unit.terminate()
        return True

    def undo(self) -> None:
        world, unit = self.world, self.unit
        unit.reap()
        if unit.process is not None and unit.ending:
            # Still ending: look again.
            world.loop.after(0.05, self.undo)
            return
        super().undo()


class Stop(OfUnit):
    """SIGSTOP."""

    kind = "SIGSTOP"

    def do(self) -> bool:
        if not self.unit.up or self.unit.stopped:
            return False
        self.unit.stop()
        return True

    def undo(self) -> None:
        self.unit.resume()


class PowerCut(Fault):
    """A whole board at once."""

    kind = "power cut"

    def __init__(self, world: World, rng: random.Random, board: int) -> None:
        super().__init__(world, rng)
        self.board = board

    @property
    def about(self) -> str:
        return f"board{self.board}"

    def do(self) -> bool:
        if not self.world.powered[self.board]:
            return False
        self.world.cut_power(self.board)
        return True

    def undo(self) -> None:
        if self.world.powered[self.board]:
            return
        self.world.restore_power(self.board)
        units = self.world.on_board(self.board)
        self.rng.shuffle(units)
        for unit in units:
            self.world.loop.after(self.rng.random() * 0.4, partial(self.world.start, unit))
