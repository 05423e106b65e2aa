"""Checker, part three: how long after the last repair, or the last key, all views agree.

The views: three screens, and what each broker holds on the three retained topics. Live: besides, the screens call everything live or
confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
PROGRAMS = ("card1", "card2", "display")
# The retained topics, each with the sensors it carries.
CARRIED = {"sensors/card1": "123", "sensors/card2": "456", "sensors/all": "123456"}
HELD = [(broker, topic) for broker in ("broker1", "broker2") for topic in CARRIED]


@dataclass
class Agreement:
    """Follows the log, event by event."""

    rows: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    held: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    begun: float = 0.0
    values_since: float | None = None
    live_since: float | None = None
    # For each round, seconds until all values were the same, and until all of them were live.
    values: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)

    def handle(self, event: Event) -> None:
        """One event of the log."""
        kind, who, now = event["e"], event.get("who"), event["t"]
        if kind in ("start", "resume", "press") or (kind == "cable" and "pass" in (event["way12"], event["way21"])):
            self.begun = now
        if kind == "screen":
            self.rows[event["who"]] = event["sensors"]
        elif kind == "holds":
            self.held[event["who"], event["topic"]] = event["sensors"]
        elif kind in ("end", "blind"):
            self.rows.pop(str(who), None)
            self.held = {key: states for key, states in self.held.items() if key[0] != who}
        elif kind == "agreed" and event["whole"]:
            self._note(now)
        else:
            return
        values = self._values_agree()
        self.values_since = (self.values_since or now) if values else None
        self.live_since = (self.live_since or now) if values and self._all_live() else None

    def _note(self, now: float) -> None:
        self.values.append(max(0.0, (self.values_since or now) - self.begun))
        self.live.append(max(0.0, (self.live_since or now) - self.begun))

    def _values_agree(self) -> bool:
        views = [{number: row[0] for number, row in self.rows.get(who, {}).items()} for who in PROGRAMS]
        if not views[0] or any(view != views[0] for view in views):
            return False
        wanted = {topic: {number: views[0][number] for number in carried} for topic, carried in CARRIED.items()}
        return all(self.held.get(key) == wanted[key[1]] for key in HELD)

    def _all_live(self) -> bool:
        return all(row[1] in ("LIVE", "CONFIRMED") for rows in self.rows.values() for row in rows.values())
