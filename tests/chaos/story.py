"""A made-up log, told in sentences: what the checker is tested with."""

from __future__ import annotations

from typing import Any

from .check_agreement import CARRIED
from .checker import judge

PROGRAMS = ("card1", "card2", "display")
OWN: dict[str, tuple[int, ...]] = {"card1": (1, 2, 3), "card2": (4, 5, 6), "display": ()}


class Story:
    """A made-up log, told in sentences."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self.now = 100.0
        self.runs: dict[str, int] = {}
        self.rows = {who: self.row_of(who) for who in PROGRAMS}
        for who in ("broker1", "broker2", "cable"):
            self.start(who)
        for who in PROGRAMS:
            self.start(who)
            self.show(who)

    @staticmethod
    def row_of(who: str) -> dict[str, list[str]]:
        """All OK, live, confirmed."""
        return {str(n): ["OK", "CONFIRMED" if n in OWN[who] else "LIVE", ""] for n in range(1, 7)}

    def event(self, name: str, /, **details: Any) -> None:
        self.log.append({"t": self.now, "e": name, **details})

    def after(self, seconds: float) -> None:
        self.now += seconds

    def start(self, who: str) -> None:
        self.runs[who] = self.runs.get(who, 0) + 1
        self.event("start", who=who, run=self.runs[who])

    def end(self, who: str, how: str = "kill", status: int = -9) -> None:
        self.event("end", who=who, run=self.runs[who], how=how, status=status)

    def show(self, who: str, **changes: tuple[str, ...]) -> None:
        """`s1=("KO", "LIVE")`, or with what is said of the alarm."""
        for name, row in changes.items():
            self.rows[who][name[1:]] = [*row, ""][:3]
        sensors = {number: list(row) for number, row in self.rows[who].items()}
        self.event("screen", who=who, run=self.runs[who], sensors=sensors)

    def press(self, sensor: int, to: str) -> None:
        who = "card1" if sensor < 4 else "card2"
        self.event("press", toggle=0, sensor=sensor, who=who, run=self.runs[who], shown="", to=to)

    def toggle1(self, to: str, *stages: str) -> None:
        """Sensor 1 is toggled, and gets so far on its owner's screen."""
        self.toggle(1, to, *stages)

    def toggle(self, sensor: int, to: str, *stages: str) -> None:
        """A sensor is toggled, and gets so far on its owner's screen."""
        self.press(sensor, to)
        for stage in stages:
            self.after(0.01)
            self.show("card1" if sensor < 4 else "card2", **{f"s{sensor}": (to, stage)})

    def agree(self, whole: bool = True) -> None:
        """A round ends; the brokers hold what card 1 and card 2 show of their own."""
        states = {str(n): self.rows["card1" if n < 4 else "card2"][str(n)][0] for n in range(1, 7)}
        for who in ("broker1", "broker2"):
            for topic, carried in CARRIED.items():
                for kind in ("retained", "holds"):
                    self.event(kind, who=who, topic=topic, sensors={n: states[n] for n in carried})
        self.after(1.0)
        self.event("agreed", whole=whole, live=60)

    def everywhere(self, state: str, sensor: int = 1, alarm: str = "") -> None:
        """All show a sensor so."""
        for who in PROGRAMS:
            self.show(who, **{f"s{sensor}": (state, "CONFIRMED" if sensor in OWN[who] else "LIVE", alarm)})

    def acknowledge(self, who: str, sensor: int = 1) -> None:
        """Somebody acknowledges the alarm of a sensor."""
        self.event("acknowledge", who=who, run=self.runs[who], sensors=[sensor])

    def over(self) -> list[str]:
        """What the checker says."""
        self.event("over")
        return [words for _, words in judge(self.log)[0]]
