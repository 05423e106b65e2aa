"""Which faults strike, by chance; and what a round leaves alone, since the promise is for as long as one copy survives."""

from __future__ import annotations

import random

from .faults import Fault, Kill, OfUnit, PowerCut, Stop, Terminate
from .link_faults import LINKS, Clock, Cut
from .storage_faults import BoardLost, FileFault, StoreFault
from .unit import Unit
from .world import World

SPARED = ("files", "files", "files", "card1", "card2", "display", "broker1", "broker2")


def draw(world: World, rng: random.Random, spared: str) -> Fault:
    """A fault by chance, none that would destroy what is to be spared. Its own draws come from a source of its own."""
    while True:
        fault = _draw(world, random.Random(rng.random()))
        if not destroys(fault, spared):
            return fault


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


def destroys(fault: Fault, spared: str) -> bool:
    """Would it destroy the image that this round leaves alone? (The promise is for as long as one image survives.)"""
    if spared == "files":
        return isinstance(fault, FileFault | BoardLost)
    if isinstance(fault, OfUnit):
        return fault.unit.name == spared and not isinstance(fault, Stop)
    return isinstance(fault, PowerCut) and spared in {unit.name for unit in fault.world.on_board(fault.board)}
