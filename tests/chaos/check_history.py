"""Checker, part one: nothing lost, nothing rolled back, nothing invented. It knows the log and the promise, no code.

Each sensor's toggles are numbered as they were pressed. States alternate, so a view that shows a state may be at any toggle
that led to that state. A view is taken to be at the earliest one that does not go back: if there is none, it has gone back.
The same lower bound says what a copy (a memory, a file, a broker's store) surely holds; what no surviving copy surely holds
is not demanded. Whenever all views have agreed, everything is known again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
# The retained topics, each with the sensors it carries.
CARRIED = {"sensors/card1": (1, 2, 3), "sensors/card2": (4, 5, 6), "sensors/all": (1, 2, 3, 4, 5, 6)}
OWNER = {1: "card1", 2: "card1", 3: "card1", 4: "card2", 5: "card2", 6: "card2"}
OTHER = {"card1": "card2", "card2": "card1"}
BOARD = {"card1": 1, "card2": 2, "display": 2, "broker1": 1, "broker2": 2}
SENSORS = range(1, 7)
# A key that is pressed while a program that has just started still learns what others know may toggle another state than the
# operator saw: within this time of the press, in a program younger than that, the state that stays is the toggle's.
RACE, YOUNG = 1.0, 5.0


@dataclass
class Toggle:
    """A key press, or a state on which all have agreed."""

    to: str
    pressed: float
    run: int = 0
    seen: float | None = None
    saved: float | None = None
    confirmed: float | None = None
    settled: bool = False
    # What the operator saw, and whether the program had only just started.
    shown: str = ""
    young: bool = False


@dataclass
class View:
    """What a running program has shown of the sensors, and since when it runs."""

    started: float
    at: dict[int, int] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)
    # What its memory holds by what another screen has shown as CONFIRMED: kept apart from what it has shown itself.
    confirmed: dict[int, int] = field(default_factory=dict)


@dataclass
class History:
    """Follows the log, event by event."""

    violations: list[tuple[float, str]] = field(default_factory=list)
    toggles: dict[int, list[Toggle]] = field(
        default_factory=lambda: {s: [Toggle("OK", 0.0, settled=True)] for s in SENSORS}
    )
    views: dict[str, View] = field(default_factory=dict)
    runs: dict[str, tuple[int, float]] = field(default_factory=dict)
    files: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, 2: {}})
    brokers: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, 2: {}})
    disks: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, 2: {}})
    retained: dict[str, dict[str, str]] = field(default_factory=dict)
    confirmations: list[tuple[int, int, float, float]] = field(default_factory=list)
    savings: list[tuple[int, int, float, float]] = field(default_factory=list)
    raced: int = 0
    without_copy: int = 0
    checked: int = 0
    demanded: int = 0

    def handle(self, event: Event) -> None:
        """One event of the log."""
        method = getattr(self, "on_" + event["e"].replace(" ", "_"), None)
        if method:
            method(event, event["t"])

    def wrong(self, when: float, words: str) -> None:
        """Notes a violation."""
        self.violations.append((when, words))

    # --- what runs

    def on_start(self, event: Event, now: float) -> None:
        """A process starts; a broker with what its disk holds."""
        who = event["who"]
        self.runs[who] = (event["run"], now)
        if who in ("card1", "card2", "display"):
            self.views[who] = View(now)
        elif who in BOARD:
            self.brokers[BOARD[who]] = dict(self.disks[BOARD[who]])

    def on_end(self, event: Event, now: float) -> None:
        """A process ends, and its memory with it; a broker that was asked to has saved it."""
        who = event["who"]
        self.views.pop(who, None)
        if who.startswith("broker"):
            board = BOARD[who]
            if event["how"] == "term" and event["status"] == 0:
                self.disks[board] = self.brokers[board]
            self.brokers[board] = {}
        elif event["how"] == "itself":
            self.wrong(now, f"{who} has ended by itself, with status {event['status']}")

    def on_store(self, event: Event, _now: float) -> None:
        """A broker's store is wiped, damaged, an old one: nothing is surely in it."""
        self.disks[BOARD[event["who"]]] = {}

    def on_file(self, event: Event, _now: float) -> None:
        """A state file is wiped or damaged."""
        self.files[event["board"]] = {}

    # --- what is pressed and shown

    def on_press(self, event: Event, now: float) -> None:
        """The operator presses a key."""
        view = self.views.get(event["who"])
        young = view is not None and now - view.started < YOUNG
        toggle = Toggle(event["to"], now, event["run"], shown=event["shown"], young=young)
        self.toggles[event["sensor"]].append(toggle)

    def on_screen(self, event: Event, now: float) -> None:
        """A screen has changed."""
        view = self.views.get(event["who"])
        if view is None:
            return
        for number, (state, beside, _) in event["sensors"].items():
            self._shown(event, view, int(number), state, beside, now)

    def _shown(self, event: Event, view: View, sensor: int, state: str, beside: str | None, now: float) -> None:
        who, own = event["who"], OWNER[sensor] == event["who"]
        toggles = self.toggles[sensor]
        last = toggles[-1]
        new = own and last.seen is None and not last.settled and last.run == event["run"]
        # From UNKNOWN the first state that comes is the toggle's, whatever the operator expected.
        if new and (state == last.to or (last.shown == "UNKNOWN" != state)):
            self.raced += state != last.to
            last.to, last.seen = state, now
            view.at[sensor] = len(toggles) - 1
        elif self._raced(own, view, sensor, state, event["run"], now):
            self.raced += 1
            last.to = state
        self._advance(view, who, sensor, state, now)
        view.state[sensor] = state
        if own and sensor in view.at:
            self._stage(sensor, view.at[sensor], str(beside), now)

    def _raced(self, own: bool, view: View, sensor: int, state: str, run: int, now: float) -> bool:
        last = self.toggles[sensor][-1]
        mine = own and not last.settled and last.seen is not None and last.run == run
        young = last.pressed - view.started < YOUNG and now - last.pressed < RACE
        return mine and young and state != last.to and state != "UNKNOWN"

    def _advance(self, view: View, who: str, sensor: int, state: str, now: float) -> None:
        toggles, at = self.toggles[sensor], view.at.get(sensor)
        if state == "UNKNOWN":
            if at is not None:
                self.wrong(now, f"rolled back: {who} shows sensor {sensor} as UNKNOWN after {view.state[sensor]}")
                del view.at[sensor]
            return
        index = next((i for i in range(at or 0, len(toggles)) if toggles[i].to == state), None)
        if index is None:
            known = any(toggle.to == state for toggle in toggles)
            word = "rolled back" if known else "invented"
            self.wrong(now, f"{word}: {who} shows sensor {sensor} as {state} after {view.state.get(sensor)}")
            # Go on from what is shown, so that one fault is told once.
            index = next((i for i in reversed(range(len(toggles))) if toggles[i].to == state), 0)
        view.at[sensor] = index

    def _stage(self, sensor: int, index: int, stage: str, now: float) -> None:
        toggle, board = self.toggles[sensor][index], BOARD[OWNER[sensor]]
        if stage not in ("SAVED", "CONFIRMED"):
            return
        if toggle.saved is None and toggle.seen is not None:
            self.savings.append((sensor, index, toggle.pressed, now))
        toggle.saved = toggle.saved or now
        self._hold(self.files[board], sensor, index)
        if self._alive(f"broker{board}"):
            self._hold(self.brokers[board], sensor, index)
        if stage == "CONFIRMED":
            if toggle.confirmed is None and toggle.seen is not None:
                self.confirmations.append((sensor, index, toggle.pressed, now))
            toggle.confirmed = toggle.confirmed or now
            self._held_by_the_other_board(sensor, index, toggle)

    def _held_by_the_other_board(self, sensor: int, index: int, toggle: Toggle) -> None:
        """A toggle is confirmed by the other card's owner, which has it from its broker; if they are still the ones they were."""
        other = OTHER[OWNER[sensor]]
        view = self.views.get(other)
        if view is not None and view.started < toggle.pressed and view.at.get(sensor, 0) < index:
            self._hold(view.confirmed, sensor, index)
        broker = f"broker{BOARD[other]}"
        if self._alive(broker) and self.runs[broker][1] < toggle.pressed:
            self._hold(self.brokers[BOARD[other]], sensor, index)

    def _alive(self, who: str) -> bool:
        return who in self.runs

    @staticmethod
    def _hold(copy: dict[int, int], sensor: int, index: int) -> None:
        copy[sensor] = max(copy.get(sensor, 0), index)

    # --- what all agree on

    def on_retained(self, event: Event, _now: float) -> None:
        """What a broker has retained after a round."""
        self.retained[f"{event['who']} {event['topic']}"] = event["sensors"]

    def on_agreed(self, event: Event, now: float) -> None:
        """A round is over: everything that a surviving copy holds must be there."""
        retained, self.retained = self.retained, {}
        if not event["whole"]:
            self.wrong(now, f"no agreement after {event['live']} s")
            return
        for sensor in SENSORS:
            self._settle(sensor, retained, now)

    def _settle(self, sensor: int, retained: dict[str, dict[str, str]], now: float) -> None:
        self._views_agree(sensor, retained, now)
        state = self.views[OWNER[sensor]].state[sensor]
        toggles = self.toggles[sensor]
        needed = self._needed(sensor)
        self.demanded += needed is not None and not toggles[needed].settled
        if needed is None:
            self.without_copy += 1
        elif all(toggle.to != state for toggle in toggles[needed:]):
            if any(toggle.young and toggle.seen is None for toggle in toggles[needed:]):
                self.raced += 1
            else:
                self._lost(sensor, state, toggles[needed], now)
        self.checked += 1
        toggles.append(Toggle(state, now, seen=now, saved=now, confirmed=now, settled=True))
        index = len(toggles) - 1
        for view in self.views.values():
            view.at[sensor] = index
        for copies in (self.files, self.brokers):
            for board in (1, 2):
                if copies is not self.files or board == BOARD[OWNER[sensor]]:
                    copies[board][sensor] = index

    def _lost(self, sensor: int, state: str, toggle: Toggle, now: float) -> None:
        words = f"its toggle to {toggle.to} at {toggle.pressed:.3f} was saved"
        self.wrong(now, f"lost: sensor {sensor} is {state} everywhere; {words}")

    def _needed(self, sensor: int) -> int | None:
        """The newest saved toggle that a surviving copy surely holds."""
        copies = [*self.files.values(), *self.brokers.values()]
        copies += [view.at for view in self.views.values()]
        copies += [view.confirmed for view in self.views.values()]
        held = [copy[sensor] for copy in copies if sensor in copy]
        if not held:
            return None
        toggles = self.toggles[sensor]
        return max((i for i in range(max(held) + 1) if toggles[i].saved or toggles[i].settled), default=0)

    def _views_agree(self, sensor: int, retained: dict[str, dict[str, str]], now: float) -> None:
        """The three screens, and what the brokers answered when they were asked."""
        said = {who: view.state.get(sensor) for who, view in self.views.items()}
        for topic, carried in CARRIED.items():
            if sensor not in carried:
                continue
            for broker in ("broker1", "broker2"):
                said[f"{broker} {topic}"] = retained.get(f"{broker} {topic}", {}).get(str(sensor))
        if len(set(said.values())) != 1 or len([who for who in said if who in BOARD]) != 3:
            self.wrong(now, f"views differ after agreement: sensor {sensor}: {said}")
