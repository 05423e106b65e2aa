#!/usr/bin/env python3
"""The way of a toggle, from the key on card 1 to the display's screen and to CONFIRMED, hop by hop.

Starts both brokers and the three programs with scripts/launch.sh, in a folder and a tmux session of their own, presses
a key again and again, and has the kernel note each read, write and fsync of the five processes (perf, tracepoints).
Prints the median and the longest time of each hop since the key was read; nothing is added to what is measured but the
tracepoints. Before that, without them, it counts the processor time of a toggle and how often a thread is woken for it, by
thread, less what the same thread takes at rest. Needs Linux, root, perf and tmux, and the release build
(scripts/launch.sh makes it).

An example: sudo dev/trace.py 60
"""

import argparse
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CALLS = ("read", "write", "writev", "sendto", "fsync")
# A report is longer than any answer of MQTT's handshakes.
REPORT = 250
# Between two keys: longer than a toggle takes on a slow board.
PAUSE = 0.4

# What a hop is called, the process and the thread, the call, and how often it comes there after the hop before.
HOPS = (
    ("card 1: the publish goes to broker 1", "card1_monitor", "MQTTAsync_send", "writev", 0, 1),
    ("broker 1: to the bridge", "broker 1", None, "write", REPORT, 1),
    ("broker 2: to card 2", "broker 2", None, "write", REPORT, 1),
    ("card 2: the join goes to broker 2", "card2_monitor", "MQTTAsync_send", "writev", 0, 1),
    ("broker 2: to the display", "broker 2", None, "write", REPORT, 1),
    ("display: its screen", "card2_global_display", "painter", "write", 0, 1),
)
# These are counted from the key itself.
BESIDE = (
    ("card 1: its own screen", "card1_monitor", "painter", "write", 0, 1),
    ("card 1: the state is on disk", "card1_monitor", "journal", "fsync done", 0, 2),
    ("card 1: CONFIRMED on its screen", "card1_monitor", "painter", "write", 0, -1),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", metavar="KEYS", type=int, nargs="?", default=100, help="how many keys (default: 100)")
    keys = parser.parse_args().keys
    for command in ("perf", "tmux"):
        if shutil.which(command) is None:
            sys.exit(f"trace.py: there is no {command}; install it (apt install linux-perf tmux), then run this again")
    with tempfile.TemporaryDirectory() as folder:
        session = f"trace-{Path(folder).name[-8:]}"
        own = ["--session", session, "--data-dir", f"{folder}/data"]
        ports = free_ports(2)
        launch = [PROJECT / "scripts/launch.sh", "--detach", *own, "--port1", str(ports[0]), "--port2", str(ports[1])]
        subprocess.run(launch, check=True, stdout=subprocess.DEVNULL)
        try:
            programs, pane = processes(folder, ports), pane_of_card_1(session)
            wait_for(pane, "CONFIRMED")
            report_threads(programs, pane, keys)
            events = record(folder, programs, pane, keys)
        finally:
            subprocess.run([PROJECT / "scripts/stop.sh", *own], check=True, stdout=subprocess.DEVNULL)
    report(toggles(events))
    return 0


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def pane_of_card_1(session: str) -> str:
    form = "#{pane_id} #{pane_current_command}"
    panes = subprocess.check_output(["tmux", "list-panes", "-s", "-t", session, "-F", form], text=True)
    return next(line.split()[0] for line in panes.splitlines() if "card1_monitor" in line)


def press(pane: str, keys: int) -> None:
    for _ in range(keys):
        subprocess.run(["tmux", "send-keys", "-t", pane, "1"], check=True)
        time.sleep(PAUSE)


def report_threads(programs: dict[int, str], pane: str, keys: int) -> None:
    """What each thread takes for a toggle, less what it takes at rest in the same time."""
    time.sleep(5)
    before, begun = threads(programs), time.monotonic()
    time.sleep(20)
    at_rest, rested = threads(programs), time.monotonic()
    press(pane, keys)
    after, ended = threads(programs), time.monotonic()
    print(f"| thread, a toggle ({keys} of them) | processor time | woken |\n|---|---|---|")
    for thread in sorted(after):
        both = zip(before.get(thread, (0, 0)), at_rest.get(thread, (0, 0)), after[thread])
        share = (ended - rested) / (rested - begun)
        spent, woken = ((last - middle - (middle - first) * share) / keys for first, middle, last in both)
        if woken > 0.1:
            print(f"| {thread[0]}: {thread[1]} | {spent / 1e6:.2f} ms | {woken:.1f} |")
    print()


def threads(programs: dict[int, str]) -> dict[tuple, tuple]:
    """Nanoseconds of processor time and number of times put to sleep, by process and thread."""
    found = {}
    for number, name in programs.items():
        for task in Path(f"/proc/{number}/task").iterdir():
            thread = (task / "comm").read_text().strip()
            spent = int((task / "schedstat").read_text().split()[0])
            woken = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.MULTILINE)
            found[name, thread] = spent, int(woken[1])
    return found


def record(folder: str, programs: dict[int, str], pane: str, keys: int) -> list[tuple]:
    """Presses keys while the kernel takes notes. Gives (seconds, process, thread, call, argument), in their order."""
    wanted = [f"syscalls:sys_enter_{call}" for call in CALLS] + ["syscalls:sys_exit_read", "syscalls:sys_exit_fsync"]
    notes = f"{folder}/perf.data"
    perf = subprocess.Popen(
        ["perf", "record", "-q", "-o", notes, "-e", ",".join(wanted), "-p", ",".join(map(str, programs))],
        stderr=subprocess.DEVNULL,
    )
    time.sleep(1)
    press(pane, keys)
    perf.terminate()
    perf.wait()
    text = subprocess.check_output(
        ["perf", "script", "-i", notes, "-F", "comm,pid,tid,time,event,trace"], text=True, stderr=subprocess.DEVNULL
    )
    return [event for line in text.splitlines() if (event := parsed(line, programs))]


def processes(folder: str, ports: list[int]) -> dict[int, str]:
    """The five processes, by their numbers."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        name, line = Path(words[0]).name, " ".join(words)
        if name == "mosquitto" and folder in line:
            found[int(entry.parent.name)] = "broker 1" if "broker1" in line else "broker 2"
        elif name in {"card1_monitor", "card2_monitor", "card2_global_display"} and any(str(port) in line for port in ports):
            found[int(entry.parent.name)] = name
    if sorted(found.values()) != sorted({hop[1] for hop in HOPS}):
        sys.exit(f"trace.py: found only {sorted(found.values())} of the five processes")
    return found


def wait_for(pane: str, words: str) -> None:
    for _ in range(300):
        if words in subprocess.check_output(["tmux", "capture-pane", "-p", "-t", pane], text=True):
            return
        time.sleep(0.1)
    sys.exit(f"trace.py: the screen of card 1 never showed {words}")


LINE = re.compile(r"\s*(.+?)\s+(\d+)/\d+\s+([\d.]+):\s+syscalls:sys_(enter|exit)_(\w+): (.*)")


def parsed(line: str, programs: dict[int, str]):
    match = LINE.match(line)
    if not match or int(match[2]) not in programs:
        return None
    thread, seconds, kind, call, rest = match[1], float(match[3]), match[4], match[5], match[6]
    if kind == "exit":
        return seconds, programs[int(match[2])], thread, f"{call} done", int(rest.split()[0], 16)
    count = re.search(r"count: (0x[0-9a-f]+)", rest)
    return seconds, programs[int(match[2])], thread, call, int(count[1], 16) if count else REPORT


def toggles(events: list[tuple]) -> list[list[tuple]]:
    """The events of each toggle: from the key on, until the next one."""
    starts = [
        place
        for place, (_, process, thread, call, count) in enumerate(events)
        if (process, thread, call, count) == ("card1_monitor", "keys", "read done", 1)
    ]
    return [events[start:end] for start, end in zip(starts, [*starts[1:], len(events)])]


def report(all_toggles: list[list[tuple]]) -> None:
    """Of the toggles of which each hop was seen: in the others a heartbeat came between."""
    complete = [hops for hops in map(times, all_toggles) if hops]
    print(f"| since the key was read, {len(complete)} of {len(all_toggles)} toggles | median | longest |\n|---|---|---|")
    for (name, *_), seconds in zip(HOPS + BESIDE, zip(*complete)):
        print(f"| {name} | {1e3 * statistics.median(seconds):.2f} ms | {1e3 * max(seconds):.2f} ms |")


def times(events: list[tuple]) -> list[float] | None:
    """When each hop of a toggle was reached, in seconds since the key was read."""
    places, since = [], 0
    for hop in HOPS:
        since = found(events, since + 1, hop)
        if since is None:
            return None
        places.append(since)
    places += [found(events, 1, hop) for hop in BESIDE]
    return None if None in places else [events[place][0] - events[0][0] for place in places]


def found(events: list[tuple], start: int, hop: tuple):
    """The place of a hop's event, from this one on; of the last such event where the number is -1."""
    _, process, thread, call, least, number = hop
    places = [
        place
        for place, event in enumerate(events[start:], start)
        if event[1] == process and thread in (None, event[2]) and event[3] == call and event[4] >= least
        # Later ones belong to a heartbeat.
        and event[0] - events[0][0] < PAUSE / 4
    ]
    if number < 0:
        return places[-1] if places else None
    return places[number - 1] if len(places) >= number else None


if __name__ == "__main__":
    sys.exit(main())
