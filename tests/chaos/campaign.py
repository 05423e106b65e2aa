"""A campaign: rounds of faults that overlap, by seed; after each everything is mended, and all views must come to agree.

Prints one line for each round, keeps the log in --keep, and leaves the judgement to the checker.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from .brokers import RETAINED
from .draw import SPARED, draw
from .faults import Fault, Kill, PowerCut, Stop
from .link_faults import Cut
from .log import Log
from .storage_faults import AllButOne
from .toggler import Operator
from .unit import Unit
from .world import PASS, Places, World

# A round whose views do not agree after this many seconds is left as it is; the checker has a stricter opinion.
PATIENCE = 60.0
# Views that agree for a moment only do not agree.
STEADY = 0.25
# Longer than a source may be shown as live after its death.
LONG = (16.5, 21.0)
OWN = {"card1": (1, 2, 3), "card2": (4, 5, 6), "display": ()}


class Campaign:
    """A world, an operator, and a schedule drawn from a seed."""

    def __init__(self, world: World, seed: int, faults: int) -> None:
        self.world, self.seed, self.wanted = world, seed, faults
        self.rng = random.Random(seed)
        self.operator = Operator(world, random.Random(self.rng.random()))
        # Since when all views show the same values; and since when all of them live and confirmed.
        self._since: dict[str, float] = {}
        world.loop.each_tick(self._watch)
        self.done = 0
        self.rounds = 0

    def run(self) -> bool:
        """All rounds; False if the views did not agree after one of them."""
        for unit in self._all():
            self.world.start(unit)
        if not self._agreement("start"):
            return False
        while self.done < self.wanted:
            self.rounds += 1
            if not self._round():
                return False
        return True

    def _all(self) -> list[Unit]:
        units = list(self.world.units.values())
        self.rng.shuffle(units)
        return units

    def _round(self) -> bool:
        # A round's draws depend on the seed and its number alone, however the clock of the round before went.
        rng = self.rng = random.Random(f"{self.seed} round {self.rounds}")
        self.operator.rng = random.Random(rng.random())
        world = self.world
        long = rng.random() < 0.07
        window, spared = rng.uniform(0.8, 4.0), rng.choice(SPARED)
        world.log.event("round", number=self.rounds, spared=spared, long=long)
        if rng.random() < 0.3:
            self._save()
        faults = [draw(world, rng, spared) for _ in range(rng.randint(5, 14))]
        if long:
            faults = [self._lasting(spared), *faults[:2]]
        elif rng.random() < 0.15:
            faults.append(AllButOne(world, random.Random(rng.random()), spared))
        struck: list[Fault] = []
        begun = time.monotonic()
        for number, fault in enumerate(faults):
            start = begun + rng.uniform(0.0, window)
            held = rng.uniform(*LONG) if long and number == 0 else self._short()
            world.loop.at(start, partial(self._aim, fault, held, struck))
        self.operator.work(rng.choice((0.1, 0.25, 0.6)))
        world.loop.until(lambda: time.monotonic() > begun + window, 60)
        if long:
            world.loop.wait(rng.uniform(*LONG))
        return self._heal(struck)

    def _short(self) -> float:
        """How long a fault lasts; a good part of them until everything is mended together."""
        return 1e6 if self.rng.random() < 0.35 else min(self.rng.expovariate(1.0), 3.0)

    def _save(self) -> None:
        """Mosquitto saves its store, as it does by itself once a minute."""
        for broker in self.world.brokers.values():
            if broker.up and not broker.stopped and broker.process is not None:
                broker.process.send_signal(signal.SIGUSR1)

    def _lasting(self, spared: str) -> Fault:
        """A fault that is held longer than anything may be called live without proof."""
        rng, world = self.rng, self.world
        choices: list[Fault] = [Cut(world, rng, kind) for kind in ("swallowed", "refused", "frozen", "one way")]
        choices += [Stop(world, rng, unit) for unit in world.units.values()]
        choices += [Kill(world, rng, unit) for unit in world.units.values() if unit.name != spared]
        if spared in ("files", "card2", "display", "broker2"):
            choices.append(PowerCut(world, rng, 1))
        if spared in ("files", "card1", "broker1"):
            choices.append(PowerCut(world, rng, 2))
        return rng.choice(choices)

    def _aim(self, fault: Fault, held: float, struck: list[Fault]) -> None:
        """Often a key is pressed just before: the fault then strikes between memory, file, broker and the other board."""
        if fault.rng.random() < 0.3:
            self.operator.press(fault.rng.randint(1, 6))
            self.world.loop.after(fault.rng.random() * 0.008, lambda: self._strike(fault, held, struck))
        else:
            self._strike(fault, held, struck)

    def _strike(self, fault: Fault, held: float, struck: list[Fault]) -> None:
        if not fault.do():
            return
        self.done += 1
        struck.append(fault)
        self.world.log.event("fault", kind=fault.kind, about=fault.about)

        def undo() -> None:
            if fault in struck:
                struck.remove(fault)
                fault.undo()

        if held < 1e6:
            self.world.loop.after(held, undo)

    def _heal(self, struck: list[Fault]) -> bool:
        """Mends everything in random order, and waits for agreement."""
        world, rng = self.world, self.rng
        left = list(struck)
        rng.shuffle(left)
        for fault in left:
            if fault in struck:
                struck.remove(fault)
                fault.undo()
            world.loop.wait(rng.random() * 0.2)
        self.operator.rest()
        world.cable.resume()
        if world.cable.spec is not PASS:
            world.cable.set(PASS)
        for board in (1, 2):
            if not world.powered[board]:
                world.restore_power(board)
        world.loop.until(lambda: all(not unit.ending for unit in world.units.values()), 10)
        for unit in self._all():
            unit.resume()
            world.start(unit)
        world.loop.until(lambda: all(unit.up for unit in world.units.values()), 10)
        return self._agreement(f"round {self.rounds}")

    def _agreement(self, what: str) -> bool:
        """Waits until everybody shows the same, live and confirmed; logs how long that took."""
        world = self.world
        world.log.event("healed", round=self.rounds)
        whole = world.loop.until(lambda: self._held_for("live") >= STEADY, PATIENCE)
        mended, now = world.mended, time.monotonic()
        values_took = max(0.0, self._since.get("values", now) - mended)
        took = max(0.0, self._since.get("live", now) - mended)
        for board, observer in world.observers.items():
            for topic, sensors in observer.ask().items():
                said = {str(number): state for number, state in sensors.items()}
                world.log.event("retained", who=f"broker{board}", topic=topic, sensors=said)
        # Stores are rolled back to these. Not to a later one: it may hold the last copy of a toggle that counts as destroyed.
        for broker in world.brokers.values():
            broker.keep_copy()
        world.log.event("agreed", whole=whole, values=round(values_took, 3), live=round(took, 3))
        print(f"{what}: {self.done} faults so far, values {values_took:.2f} s, live {took:.2f} s", flush=True)
        if not whole:
            for program in world.programs.values():
                print(f"--- {program.name}\n{program.text()}")
        # A round that has not come together stays so in the log; going on would only blur it.
        return whole

    def _watch(self) -> None:
        """Keeps since when the views agree. All the time: they may do so before the last thing is mended."""
        now = time.monotonic()
        values = self._values_agree() and not self.operator.waits()
        for name, true in (("values", values), ("live", values and self._all_live())):
            if true:
                self._since.setdefault(name, now)
            else:
                self._since.pop(name, None)

    def _held_for(self, name: str) -> float:
        """For how long it has been true, and everything mended."""
        now = time.monotonic()
        return now - max(self._since.get(name, now), self.world.mended)

    def _values_agree(self) -> bool:
        views = [program.sensors for program in self.world.programs.values()]
        if not all(views):
            return False
        states = {number: view[0] for number, view in views[0].items()}
        if any({number: row[0] for number, row in view.items()} != states for view in views):
            return False
        wanted = {topic: {number: states[number] for number in carried} for topic, carried in RETAINED.items()}
        return all(observer.holds == wanted for observer in self.world.observers.values())

    def _all_live(self) -> bool:
        for name, program in self.world.programs.items():
            for number, (_, beside) in program.sensors.items():
                if beside != ("CONFIRMED" if number in OWN[name] else "LIVE"):
                    return False
        return True


def arguments() -> argparse.Namespace:
    """The command line; dev/chaos.sh gives it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--faults", type=int, required=True)
    parser.add_argument("--proxy", action="store_true")
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--durable", type=Path, required=True)
    parser.add_argument("--faketime", type=Path)
    parser.add_argument("--mosquitto", default="mosquitto")
    return parser.parse_args()


def main() -> int:
    """0 if every round came to an agreement."""
    given = arguments()
    log = Log(given.keep / "log.jsonl")
    preloads = {"durable": given.durable} | ({"faketime": given.faketime} if given.faketime else {})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    places = Places(given.project, given.programs, given.keep, given.mosquitto)
    world = World(places, log, preloads, proxy=given.proxy)
    log.event(
        "world",
        seed=given.seed,
        networks=bool(world.networks),
        clocks=given.faketime is not None,
        mosquitto=world.broker_version,
    )
    print(f"mosquitto {world.broker_version}", flush=True)
    try:
        campaign = Campaign(world, given.seed, given.faults)
        whole = campaign.run()
        log.event("over", whole=whole, rounds=campaign.rounds, faults=campaign.done)
        return 0 if whole else 1
    finally:
        world.close()
        log.close()


if __name__ == "__main__":
    sys.exit(main())
