"""Checker, part two: nothing is shown as live or confirmed that is not. From the log alone.

For each component (programs, brokers, each direction of the cable) the times when it was surely out of order are
collected. A value may be called live for `LIMIT` seconds after the path to its source broke or its source changed it.
"""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]
Span = tuple[float, float]
LIMIT = 15.0
# What this machine may be late in showing, reading and logging.
SLACK = 0.5
# How long a program that was stopped may take to show what it missed.
CATCH_UP = 3.0
OWNER = {1: "card1", 2: "card1", 3: "card1", 4: "card2", 5: "card2", 6: "card2"}
OTHER = {"card1": "card2", "card2": "card1"}
BROKEN = ("drop", "reject")
# From the source to the screen: who must work for a value to be live there.
PATHS = {
    ("card1", "card2"): ("card2", "broker2", "way21", "broker1"),
    ("card2", "card1"): ("card1", "broker1", "way12", "broker2"),
    ("display", "card2"): ("card2", "broker2"),
    ("display", "card1"): ("card1", "broker1", "way12", "broker2", "card2"),
}


def union(spans: list[Span]) -> list[Span]:
    """The same times, without overlaps, in order."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def minus(spans: list[Span], taken: list[Span]) -> list[Span]:
    """What of `spans` is not in `taken`."""
    left: list[Span] = []
    for start, end in union(spans):
        for cut_start, cut_end in union(taken):
            if cut_end <= start or cut_start >= end:
                continue
            if cut_start > start:
                left.append((start, cut_start))
            start = min(max(start, cut_end), end)
        if start < end:
            left.append((start, end))
    return left


class Outages:
    """When which component was out of order, and when it was stopped."""

    def __init__(self, log: list[Event]) -> None:
        self.end = log[-1]["t"]
        self.out: dict[str, list[Span]] = {}
        self.stopped: dict[str, list[Span]] = {}
        self._since: dict[tuple[str, str], float] = {}
        for event in log:
            self._note(event)
        for (name, why), since in self._since.items():
            self._close(name, why, since, self.end)

    def _set(self, name: str, why: str, broken: bool, now: float) -> None:
        if broken:
            self._since.setdefault((name, why), now)
        elif (name, why) in self._since:
            self._close(name, why, self._since.pop((name, why)), now)

    def _close(self, name: str, why: str, since: float, now: float) -> None:
        self.out.setdefault(name, []).append((since, now))
        if why == "stopped":
            self.stopped.setdefault(name, []).append((since, now))

    def _note(self, event: Event) -> None:
        now, kind, who = event["t"], event["e"], event.get("who")
        names = ["way12", "way21"] if who == "cable" else [str(who)]
        for name in names:
            if kind in ("stop", "resume"):
                self._set(name, "stopped", kind == "stop", now)
            elif kind == "start":
                self._set(name, "dead", False, now)
            elif kind == "end":
                self._set(name, "dead", True, now)
                self._set(name, "stopped", False, now)
        if kind == "cable":
            for way in ("way12", "way21"):
                self._set(way, "cut", event[way] in BROKEN, now)

    def path(self, names: tuple[str, ...]) -> list[Span]:
        """When the path was broken somewhere."""
        return union([span for name in names for span in self.out.get(name, [])])

    def throughout(self, name: str, start: float, end: float) -> bool:
        """Was it out of order all that time?"""
        return any(a <= start and end <= b for a, b in union(self.out.get(name, [])))

    def at_all(self, name: str, start: float, end: float) -> bool:
        """Was it out of order at any moment of that time?"""
        return any(a < end and start < b for a, b in self.out.get(name, []))


class Screens:
    """Who showed what, from when until when: `(start, end, state, beside)`."""

    def __init__(self, log: list[Event]) -> None:
        self.rows: dict[tuple[str, int], list[tuple[float, float, str, str]]] = {}
        self._now: dict[tuple[str, int], tuple[float, str, str]] = {}
        for event in log:
            if event["e"] == "screen":
                for number, (state, beside, _) in event["sensors"].items():
                    self._row(event["who"], int(number), (state, beside), event["t"])
            elif event["e"] in ("end", "blind"):
                for number in range(1, 7):
                    self._row(event["who"], number, None, event["t"])
            elif event["e"] == "holds" and event["topic"] == "sensors/all":
                for number, state in event["sensors"].items():
                    self._row(event["who"], int(number), (state, "held"), event["t"])
        for who, number in list(self._now):
            self._row(who, number, None, log[-1]["t"])

    def _row(self, who: str, number: int, shown: tuple[str, str] | None, now: float) -> None:
        before = self._now.get((who, number))
        if before is not None and before[1:] == shown:
            return
        if before is not None:
            self.rows.setdefault((who, number), []).append((before[0], now, before[1], before[2]))
            del self._now[who, number]
        if shown is not None:
            self._now[who, number] = (now, *shown)

    def during(self, who: str, number: int, start: float, end: float) -> set[str]:
        """Which states it showed at any moment of that time."""
        return {state for a, b, state, _ in self.rows.get((who, number), []) if a <= end and start <= b}

    def shown_throughout(self, who: str, number: int, start: float, end: float) -> bool:
        """Was there something to see all that time?"""
        return not minus([(start, end)], [(a, b) for a, b, _, _ in self.rows.get((who, number), [])])


def false_live(log: list[Event], outages: Outages, screens: Screens) -> tuple[list[tuple[float, str]], dict[str, int]]:
    """Violations, and how many spans of LIVE, and of sources out of reach for longer than the limit, were looked at."""
    violations: list[tuple[float, str]] = []
    looked_at = {"shown": 0, "cut off for longer": 0}
    unseen = unseen_presses(log)
    for (screen, source), path in PATHS.items():
        blind = [(a, b + CATCH_UP) for a, b in outages.stopped.get(screen, [])]
        too_long = [(a + LIMIT + SLACK, b) for a, b in outages.path(path) if b - a > LIMIT + SLACK]
        looked_at["cut off for longer"] += len(too_long)
        for sensor in [number for number, owner in OWNER.items() if owner == source]:
            for start, end, state, beside in screens.rows.get((screen, sensor), []):
                if beside != "LIVE":
                    continue
                looked_at["shown"] += 1
                shown = minus([(start, end)], blind)
                for span in minus(shown, minus(shown, too_long)):
                    violations.append(
                        (
                            span[0],
                            f"false LIVE: {screen} shows sensor {sensor} as live, {LIMIT} s after its source was cut off",
                        )
                    )
                had = [
                    (a - SLACK, b + LIMIT + SLACK)
                    for a, b, its, _ in screens.rows.get((source, sensor), [])
                    if its == state
                ]
                had += [(t - SLACK, t + LIMIT + SLACK) for number, t, to in unseen if number == sensor and to == state]
                for span in minus(shown, had):
                    violations.append(
                        (
                            span[0],
                            f"false LIVE: {screen} shows sensor {sensor} as {state}, live; its owner does not say so",
                        )
                    )
    return violations, looked_at


def unseen_presses(log: list[Event]) -> list[tuple[int, float, str]]:
    """Presses may have had their effect without anybody seeing it: sensor, when, new state."""
    return [(event["sensor"], event["t"], event["to"]) for event in log if event["e"] == "press"]


def false_saved(
    savings: list[tuple[int, int, float, float]], states: dict[int, list[str]], outages: Outages
) -> list[tuple[float, str]]:
    """A toggle that was shown as SAVED although its broker cannot have completed the handshake."""
    violations = []
    for sensor, index, pressed, when in savings:
        broker = "broker" + OWNER[sensor][-1]
        if outages.throughout(broker, pressed, when):
            words = (
                f"false SAVED: sensor {sensor} ({states[sensor][index]}), but {broker} was out of order all the time"
            )
            violations.append((when, words))
    return violations


def false_confirmed(
    confirmations: list[tuple[int, int, float, float]], states: dict[int, list[str]], outages: Outages, screens: Screens
) -> list[tuple[float, str]]:
    """A toggle that was shown as CONFIRMED although it cannot have been on the other board, or was not there."""
    violations = []
    for sensor, index, pressed, when in confirmations:
        state = states[sensor][index]
        witness = OTHER[OWNER[sensor]]
        for name in ("way12", "way21", f"broker{witness[-1]}", witness):
            if outages.throughout(name, pressed, when):
                violations.append(
                    (when, f"false CONFIRMED: sensor {sensor} ({state}), but {name} was out of order all the time")
                )
        end = when + 2 * SLACK
        steady = not outages.at_all(witness, pressed, end) and screens.shown_throughout(witness, sensor, pressed, end)
        if steady and state not in screens.during(witness, sensor, pressed, end):
            violations.append((when, f"false CONFIRMED: sensor {sensor} ({state}), but {witness} never had it"))
    return violations
