"""Checker, part four: what is acknowledged once is acknowledged on all screens and for good, and nothing else is.

At the end of each round all screens say the same of each alarm. In between only those sensors are judged that nobody has toggled: a
toggle may raise another alarm. An acknowledgement that a monitor has called SAVED is in its state file; as long as that is not wiped or
damaged, it is demanded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
PROGRAMS = ("card1", "card2", "display")
BOARD = {"card1": 1, "card2": 2}
OPEN = ("new alarm", "was KO")
KEPT = ("acknowledged SAVED", "acknowledged")
SENSORS = range(1, 7)


@dataclass
class Alarms:
    """Follows the log, event by event."""

    violations: list[tuple[float, str]] = field(default_factory=list)
    rows: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    # By sensor, until it is toggled: in which boards' files it is that its alarm is acknowledged.
    kept: dict[int, set[int]] = field(default_factory=lambda: {sensor: set() for sensor in SENSORS})
    # The sensors whose alarm was open when all agreed, and that nobody has toggled or acknowledged since.
    open: set[int] = field(default_factory=set)
    toggled: set[int] = field(default_factory=set)
    acknowledged: int = 0
    demanded: int = 0

    def handle(self, event: Event) -> None:
        """One event of the log."""
        kind, who = event["e"], event.get("who")
        if kind == "press":
            sensor = event["sensor"]
            self.toggled.add(sensor)
            self.kept[sensor] = set()
            self.open.discard(sensor)
        elif kind == "acknowledge":
            self.acknowledged += len(event["sensors"])
            self.open -= set(event["sensors"])
        elif kind == "screen":
            self.rows[event["who"]] = event["sensors"]
            self._shown(event)
        elif kind == "end":
            self.rows.pop(str(who), None)
        elif kind == "file":
            for boards in self.kept.values():
                boards.discard(event["board"])
        elif kind == "agreed" and event["whole"]:
            self._agreed(event["t"])

    def _shown(self, event: Event) -> None:
        board = BOARD.get(event["who"])
        for number, (_, _, alarm) in event["sensors"].items():
            if board and alarm in KEPT and int(number) not in self.toggled:
                self.kept[int(number)].add(board)

    def _agreed(self, now: float) -> None:
        for sensor in SENSORS:
            said = {who: self.rows.get(who, {}).get(str(sensor), ["", "", ""])[2] for who in PROGRAMS}
            if len(set(said.values())) != 1:
                self.violations.append((now, f"views differ after agreement: alarm of sensor {sensor}: {said}"))
            is_open = said["card1"] in OPEN
            self.demanded += bool(self.kept[sensor])
            if is_open and self.kept[sensor]:
                self.violations.append((now, f"acknowledgement lost: sensor {sensor}: {said}"))
            if sensor in self.open and not is_open:
                self.violations.append((now, f"acknowledgement invented: sensor {sensor}: {said}"))
            if is_open:
                self.open.add(sensor)
            self.kept[sensor] = set(BOARD.values()) if said["card1"] == "acknowledged" else set()
        self.toggled = set()
