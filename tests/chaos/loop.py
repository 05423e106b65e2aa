"""The one thread of a campaign: it reads terminals and observers, and does what is due.

One thread, so that the order of the log is the order in which things happened.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable

from .log import Log

# A turn that comes later than this is recorded: the checker has to know when this process itself was too slow to see.
STALL = 0.3
# How often conditions are looked at while nothing happens.
TICK = 0.02


class Loop:
    """Callbacks for file descriptors and for points in time."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._ticks: list[Callable[[], None]] = []

    def watch(self, fd: int, ready: Callable[[], None]) -> None:
        """Calls `ready` whenever `fd` can be read."""
        self._selector.register(fd, selectors.EVENT_READ, ready)

    def forget(self, fd: int) -> None:
        """The end of `watch`."""
        self._selector.unregister(fd)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Calls `action` once, at `when` or as soon as possible after it."""
        heapq.heappush(self._due, (when, next(self._number), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Calls `action` once, in so many seconds."""
        self.at(time.monotonic() + seconds, action)

    def each_tick(self, action: Callable[[], None]) -> None:
        """Calls `action` on every turn."""
        self._ticks.append(action)

    def turn(self) -> None:
        """Waits for something to do, a tick at most, and does it."""
        now = time.monotonic()
        wait = TICK if not self._due else min(TICK, max(0.0, self._due[0][0] - now))
        ready = self._selector.select(wait)
        late = time.monotonic() - now - wait
        if late > STALL:
            self._log.event("stall", seconds=round(late, 3))
        for key, _ in ready:
            key.data()
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        for action in self._ticks:
            action()
        spent = time.monotonic() - now
        if spent > STALL:
            self._log.event("stall", seconds=round(spent, 3))

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Turns until `done()`, at most so many seconds; says whether it was."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() >= deadline:
                return False
            self.turn()
        return True

    def wait(self, seconds: float) -> None:
        """Turns for so many seconds."""
        self.until(lambda: False, seconds)
