"""The operator: presses the key of a sensor when the pane shows it, waits to see it, and notes how far it gets."""

from __future__ import annotations

import random
import time

from .world import World

OWNER = {1: "card1", 2: "card1", 3: "card1", 4: "card2", 5: "card2", 6: "card2"}
# A running program has shown what a key did after this many seconds, or it did something else.
PATIENCE = 2.0
OTHER = {"OK": "KO", "KO": "OK", "UNKNOWN": "OK"}


class Toggle:
    """A key press and what was seen of it."""

    def __init__(self, number: int, sensor: int, run: int, to: str) -> None:
        self.number, self.sensor, self.run, self.to = number, sensor, run, to
        self.pressed = time.monotonic()
        self.stages: set[str] = set()


class Operator:
    """Only what an operator could do: looks at the two monitors' screens, presses keys."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self._world, self.rng = world, rng
        self._last: dict[int, Toggle] = {}
        self._pressed = 0
        self.active = False
        world.loop.each_tick(self._look)

    def work(self, mean: float) -> None:
        """Presses keys at random times, until told to rest."""
        self.active = True
        self._again(mean)

    def rest(self) -> None:
        """No more keys."""
        self.active = False

    def waits(self) -> bool:
        """Is there a key press whose effect may still come, in a program that still runs?

        Not for long: a key that met a program just as it learned more has had another effect than its operator expected.
        """
        latest = time.monotonic() - PATIENCE
        return any(
            not toggle.stages
            and self._world.programs[OWNER[sensor]].run == toggle.run
            and max(toggle.pressed, self._world.mended) > latest
            for sensor, toggle in self._last.items()
        )

    def _again(self, mean: float) -> None:
        def go() -> None:
            if self.active:
                self.press(self.rng.randint(1, 6))
                self._again(mean)

        self._world.loop.after(self.rng.expovariate(1 / mean), go)

    def press(self, sensor: int) -> bool:
        """Toggles a sensor if its pane shows it, and shows what the last press has done."""
        program = self._world.programs[OWNER[sensor]]
        if not program.up or sensor not in program.sensors:
            return False
        last = self._last.get(sensor)
        if last is not None and last.run == program.run and not last.stages:
            return False
        self._pressed += 1
        state = program.sensors[sensor][0]
        toggle = Toggle(self._pressed, sensor, program.run, OTHER[state])
        self._last[sensor] = toggle
        self._world.log.event(
            "press", toggle=toggle.number, sensor=sensor, who=program.name, run=program.run, shown=state, to=toggle.to
        )
        program.press(str(sensor))
        return True

    def _look(self) -> None:
        for sensor, toggle in self._last.items():
            program = self._world.programs[OWNER[sensor]]
            if program.run != toggle.run or sensor not in program.sensors:
                continue
            state, stage = program.sensors[sensor]
            if state == toggle.to and stage not in toggle.stages:
                toggle.stages.add(stage)
                self._world.log.event("seen", toggle=toggle.number, sensor=sensor, stage=stage)
