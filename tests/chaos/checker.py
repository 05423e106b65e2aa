"""Decides from the logs of a campaign, and from nothing else, whether the promise was kept. Status 0 if it was, 1 if not.

Usage: python -m chaos.checker [--summary FILE] LOG...
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from .check_agreement import Agreement
from .check_alarms import Alarms
from .check_history import SENSORS, Event, History
from .check_honesty import Outages, Screens, false_confirmed, false_live, false_saved

# After the last fault all views must show the same within this time.
BOUND = 20.0
KINDS = (
    "lost",
    "rolled back",
    "invented",
    "false SAVED",
    "false CONFIRMED",
    "false LIVE",
    "acknowledgement lost",
    "acknowledgement invented",
)


def read(path: Path) -> list[Event]:
    """A log; its last line may be cut if the campaign was."""
    events = []
    for line in path.read_text().splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
        # What comes after is the campaign ending what it has started.
        if events[-1]["e"] == "over":
            break
    return events


def judge(log: list[Event]) -> tuple[list[tuple[float, str]], dict[str, Any]]:
    """Violations with their times, and figures."""
    history, agreement, alarms = History(), Agreement(), Alarms()
    for event in log:
        history.handle(event)
        agreement.handle(event)
        alarms.handle(event)
    violations = history.violations + alarms.violations
    outages, screens = Outages(log), Screens(log)
    states = {sensor: [toggle.to for toggle in history.toggles[sensor]] for sensor in SENSORS}
    live, spans = false_live(log, outages, screens)
    violations += live + false_confirmed(history.confirmations, states, outages, screens)
    violations += false_saved(history.savings, states, outages)
    agreed = [event for event in log if event["e"] == "agreed"]
    for event, took in zip([event for event in agreed if event["whole"]], agreement.values, strict=True):
        if took > BOUND:
            violations.append((event["t"], f"late: all views agreed only after {took:.1f} s"))
    over = [event for event in log if event["e"] == "over"]
    if not over and not any(not event["whole"] for event in agreed):
        violations.append((log[-1]["t"], "the log is cut off: the campaign itself has failed"))
    numbers = figures(log, history, agreement, spans)
    numbers["acknowledged alarms"] = alarms.acknowledged
    numbers["acknowledged alarms demanded"] = alarms.demanded
    return sorted(violations), numbers


def figures(log: list[Event], history: History, agreement: Agreement, live_spans: dict[str, int]) -> dict[str, Any]:
    """What happened, in numbers."""
    toggles = [toggle for sensor in SENSORS for toggle in history.toggles[sensor] if not toggle.settled]
    stages = Counter(
        "CONFIRMED" if toggle.confirmed else "SAVED" if toggle.saved else "SENDING" if toggle.seen else "not seen"
        for toggle in toggles
    )
    stalls = [event["seconds"] for event in log if event["e"] == "stall"]
    return {
        "rounds": sum(event["e"] == "round" for event in log),
        "faults": dict(Counter(event["kind"] for event in log if event["e"] == "fault")),
        "toggles": dict(stages),
        "raced": history.raced,
        "sensor checks": history.checked,
        "sensor checks with a newer saved toggle demanded": history.demanded,
        "without any copy": history.without_copy,
        "live spans": live_spans,
        "confirmations": len(history.confirmations),
        "screens": sum(event["e"] == "screen" for event in log),
        "seconds": round(log[-1]["t"] - log[0]["t"]),
        # The first one is the start, after no fault.
        "values": agreement.values[1:],
        "live": agreement.live[1:],
        "stalls": len(stalls),
        "worst stall": max(stalls, default=0),
    }


def add(total: dict[str, Any], more: dict[str, Any]) -> None:
    """Joins the figures of two logs."""
    for key, value in more.items():
        if isinstance(value, dict):
            total[key] = dict(Counter(total.get(key, {})) + Counter(value))
        elif key == "worst stall":
            total[key] = max(total.get(key, 0), value)
        else:
            total[key] = total[key] + value if key in total else value


def spread(times: list[float]) -> dict[str, float]:
    """Median, 99th percentile and worst."""
    if not times:
        return {}
    ordered = sorted(times)
    ninety_ninth = ordered[math.ceil(0.99 * len(ordered)) - 1]
    named = {"median": ordered[(len(ordered) - 1) // 2], "p99": ninety_ninth, "worst": ordered[-1]}
    return {name: round(time, 2) for name, time in named.items()}


def main() -> int:
    """Reads, judges, prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--summary", type=Path)
    parser.add_argument("logs", nargs="+", type=Path)
    given = parser.parse_args()
    total: dict[str, Any] = {}
    found: list[str] = []
    for path in given.logs:
        log = read(path)
        violations, numbers = judge(log)
        add(total, numbers)
        found += [f"{path} at {when:.3f}: {words}" for when, words in violations]
    total["values"], total["live"] = spread(total["values"]), spread(total["live"])
    total["faults in all"] = sum(total["faults"].values())
    total["toggles in all"] = sum(total["toggles"].values())
    total["violations"] = {kind: sum(f": {kind}:" in line for line in found) for kind in KINDS} | {"all": len(found)}
    if given.summary:
        given.summary.write_text(json.dumps(total, indent=2, sort_keys=True) + "\n")
    print(json.dumps(total, indent=2, sort_keys=True))
    for line in found:
        print(f"VIOLATION: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
