"""Faults of what is kept on disk: brokers' stores and owners' state files."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

from .brokers import Broker
from .faults import Fault, OfUnit, PowerCut
from .world import World

OWNER = {1: "card1", 2: "card2"}


class BoardLost(PowerCut):
    """A power cut, and the board comes back with blank storage."""

    kind = "board replaced"

    def do(self) -> bool:
        if not super().do():
            return False
        wipe_state(self.world, self.board)
        spoil_store(self.world, self.board, "wiped", self.rng)
        return True


def wipe_state(world: World, board: int) -> None:
    """The owner's file is gone."""
    world.log.event("file", board=board, what="wiped")
    world.forget_state(board)


def spoil_store(world: World, board: int, how: str, rng: random.Random) -> None:
    """A broker's store is not what it was. The broker is dead."""
    broker = world.brokers[board]
    copy = broker.folder / "mosquitto.db.copy"
    world.log.event("store", who=broker.name, what=how)
    if how == "rolled back" and copy.exists():
        copy.replace(broker.store)
    elif how == "damaged" and broker.store.exists():
        spoil(broker.store, rng)
    elif broker.store.exists():
        broker.store.unlink()


def spoil(path: Path, rng: random.Random) -> None:
    """Damages a file in one of the ways that power cuts and bad cards know."""
    content = bytearray(path.read_bytes())
    way = rng.choice(("empty", "cut short", "bit flipped", "zeros", "noise"))
    if way == "empty" or not content:
        content = bytearray()
    elif way == "cut short":
        content = content[: rng.randrange(len(content))]
    elif way == "bit flipped":
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif way == "zeros":
        start = rng.randrange(len(content))
        content[start:] = bytes(len(content) - start)
    else:
        content = bytearray(rng.randbytes(rng.randrange(1, 2000)))
    path.write_bytes(content)


class StoreFault(OfUnit):
    """A broker is killed, and its store is wiped, damaged or an old one when it starts again."""

    def __init__(self, world: World, rng: random.Random, unit: Broker, how: str) -> None:
        super().__init__(world, rng, unit)
        self.how = how
        self.kind = f"store {how}"

    def do(self) -> bool:
        if self.unit.process is None:
            return False
        self.unit.kill("kill")
        spoil_store(self.world, self.unit.board, self.how, self.rng)
        return True


class FileFault(OfUnit):
    """An owner is killed, and its state file is gone or damaged when it starts again."""

    def __init__(self, world: World, rng: random.Random, board: int, how: str) -> None:
        super().__init__(world, rng, world.programs[OWNER[board]])
        self.board, self.how = board, how
        self.kind = f"state file {how}"

    def do(self) -> bool:
        if self.unit.process is None:
            return False
        self.unit.kill("kill")
        if self.how == "wiped":
            wipe_state(self.world, self.board)
            return True
        for path in self.world.state_folder(self.board).glob("*.state"):
            self.world.log.event("file", board=self.board, what="damaged")
            spoil(path, self.rng)
            # What is on the disk now is what a power cut leaves, too.
            names = self.world.shadow_folder(self.board) / "names"
            inode = self.world.shadow_folder(self.board) / f"inode.{path.stat().st_ino}"
            inode.write_bytes(path.read_bytes())
            names.write_text(f"{path.stat().st_ino} {path.name}\n")
        return True


class AllButOne(Fault):
    """At one moment all is killed and wiped but one copy: the owners' files, a running program, or a running broker."""

    kind = "all copies but one lost"

    def __init__(self, world: World, rng: random.Random, spared: str) -> None:
        super().__init__(world, rng)
        self.spared = spared

    @property
    def about(self) -> str:
        return self.spared

    def do(self) -> bool:
        units = self.world.units
        if self.spared in units and not units[self.spared].up:
            return False
        for unit in units.values():
            if unit.name != self.spared:
                unit.kill("kill")
        for board, owner in OWNER.items():
            if self.spared not in ("files", owner):
                wipe_state(self.world, board)
            if self.spared != f"broker{board}":
                spoil_store(self.world, board, "wiped", self.rng)
        return True

    def undo(self) -> None:
        units = list(self.world.units.values())
        self.rng.shuffle(units)
        for unit in units:
            self.world.loop.after(self.rng.random() * 1.5, partial(self.world.start, unit))
