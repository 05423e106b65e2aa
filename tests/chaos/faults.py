"""The faults. Each is done, and undone some time later; several at once are the rule.

`do` says whether there was anything to break: a fault that found its target broken already is not counted.
"""

from __future__ import annotations

import random
from typing import Any

from .brokers import Broker
from .unit import Unit
from .world import PASS, World

OWNER = {1: "card1", 2: "card2"}
HOUR, YEAR = 3600, 365 * 86400
# An hour back, without a battery, beyond 2038, a day on.
CLOCKS = (-HOUR, -56 * YEAR, 13 * YEAR, 24 * HOUR, -90)


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
        if isinstance(unit, Broker):
            unit.keep_copy()
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
            self.world.loop.after(self.rng.random() * 0.4, lambda unit=unit: self.world.start(unit))


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


def spoil(path: Any, rng: random.Random) -> None:
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


class Cut(Fault):
    """The link fails in some way; the last one to strike decides, and who mends it mends it all."""

    def __init__(self, world: World, rng: random.Random, kind: str) -> None:
        super().__init__(world, rng)
        self.kind = f"link {kind}"
        self._made: Any = None
        self._over = False

    @property
    def about(self) -> str:
        return "cable"

    def _spec(self) -> dict[str, dict[str, Any]]:
        both = lambda spec: {"12": spec, "21": spec}  # noqa: E731
        if self.kind == "link swallowed":
            return both({"kind": "drop"})
        if self.kind == "link refused":
            return both({"kind": "reject"})
        if self.kind == "link one way":
            way = self.rng.choice(("12", "21"))
            return {**PASS, way: {"kind": "drop"}}
        if self.kind == "link slow":
            slow = self.rng.choice(((0.1, 0.05, 1e6), (0.6, 0.2, 1e5), (0.02, 0.0, 3000), (1.5, 0.5, 1e6)))
            return both({"kind": "slow", "delay": slow[0], "jitter": slow[1], "rate": slow[2]})
        loss, twice = self.rng.choice((0.05, 0.2, 0.4)), self.rng.choice((0.0, 0.2))
        return both({"kind": "lossy", "loss": loss, "twice": twice, "jitter": self.rng.choice((0.0, 0.05))})

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


LINKS = ("swallowed", "refused", "frozen", "slow", "flapping", "lossy", "one way")


def draw(world: World, rng: random.Random, spared: str) -> Fault:
    """A fault by chance, none that would destroy what is to be spared. Its own draws come from a source of its own."""
    while True:
        fault = _draw(world, random.Random(rng.random()))
        if not destroys(fault, spared):
            return fault


def last_copy(world: World, rng: random.Random, spared: str) -> list[Fault]:
    """Everything that can be destroyed but what is spared: one copy is enough, whichever it is."""
    all_of_it: list[Fault] = [FileFault(world, random.Random(rng.random()), board, "wiped") for board in (1, 2)]
    all_of_it += [
        StoreFault(world, random.Random(rng.random()), broker, rng.choice(("wiped", "damaged")))
        for broker in world.brokers.values()
    ]
    all_of_it += [Kill(world, random.Random(rng.random()), program) for program in world.programs.values()]
    return [fault for fault in all_of_it if not destroys(fault, spared)]


def _draw(world: World, rng: random.Random) -> Fault:
    units: list[Unit] = [*world.programs.values(), *world.brokers.values()]
    board = rng.choice((1, 2))
    kind = rng.choices(
        ("kill", "term", "stop", "power", "link", "store", "file", "lost", "clock"), (20, 10, 10, 8, 26, 10, 7, 3, 6)
    )[0]
    if kind == "kill":
        return Kill(world, rng, rng.choice(units))
    if kind == "term":
        return Terminate(world, rng, rng.choice(units))
    if kind == "stop":
        return Stop(world, rng, rng.choice(units))
    if kind == "power":
        return PowerCut(world, rng, board)
    if kind == "link":
        return Cut(world, rng, rng.choice(LINKS))
    if kind == "store":
        return StoreFault(world, rng, world.brokers[board], rng.choice(("wiped", "damaged", "rolled back")))
    if kind == "file":
        return FileFault(world, rng, board, rng.choice(("wiped", "damaged")))
    if kind == "lost":
        return BoardLost(world, rng, board)
    return Clock(world, rng, board)


SPARED = ("files", "files", "files", "card1", "card2", "display", "broker1", "broker2")


def destroys(fault: Fault, spared: str) -> bool:
    """Would it destroy the image that this round leaves alone? (The promise is for as long as one image survives.)"""
    if spared == "files":
        return isinstance(fault, FileFault | BoardLost)
    if isinstance(fault, OfUnit):
        return fault.unit.name == spared and not isinstance(fault, Stop)
    return isinstance(fault, PowerCut) and spared in {unit.name for unit in fault.world.on_board(fault.board)}
