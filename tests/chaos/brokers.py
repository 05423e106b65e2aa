"""The two brokers with the project's own configuration, and an observer of what each holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .log import Log
from .loop import Loop
from .spawn import spawn
from .unit import Unit

# A broker that ends within this time of its start has refused its store.
STARTING = 5.0
# The retained topics that carry state, each with the sensors it carries.
RETAINED = {"sensors/card1": (1, 2, 3), "sensors/card2": (4, 5, 6), "sensors/all": (1, 2, 3, 4, 5, 6)}


def render(original: Path, *, port: int, listen: str, folder: Path, peer: str) -> str:
    """The project's file with this board's addresses and folder put in, as scripts/lib/conf.sh does it."""
    lines = []
    for line in original.read_text().splitlines():
        word = line.split(" ", 1)[0]
        changed = {
            "listener": f"listener {port} {listen}",
            "acl_file": f"acl_file {original.parent / line.rpartition(' ')[2]}",
            "persistence_location": f"persistence_location {folder}/",
            "address": f"address {peer}",
        }
        lines.append(changed.get(word, line))
    return "\n".join(lines) + "\n"


class Broker(Unit):
    """A Mosquitto. A store that it refuses is set aside, as scripts/launch.sh does."""

    def __init__(
        self, name: str, board: int, log: Log, command: tuple[str, Path], network: int | None, env: dict[str, str]
    ) -> None:
        """`command` is the broker's program and its configuration."""
        super().__init__(name, board, log)
        self._binary, self._conf = command
        self._network, self._env, self.folder = network, env, self._conf.parent / name
        self.store = self.folder / "mosquitto.db"
        self._out = (self.folder.parent / f"{name}.log").open("ab")

    def launch(self) -> subprocess.Popen[bytes]:
        self._out.write(f"--- run {self.run}\n".encode())
        self._out.flush()
        argv = [self._binary, "-c", str(self._conf)]
        return spawn(argv, network=self._network, env=self._env, stdout=self._out.fileno())

    def set_store_aside(self) -> None:
        """Makes room for an empty store."""
        if self.store.exists():
            self.store.replace(self.folder / "mosquitto.db.damaged")
            self.log.event("store", who=self.name, what="set aside")

    def keep_copy(self) -> None:
        """A copy of the store as it is now, for a later rollback."""
        if self.store.exists():
            shutil.copy2(self.store, self.folder / "mosquitto.db.copy")


class Observer:
    """Watches what a broker holds on the topics that carry state, by mosquitto_sub; connects again when it must."""

    def __init__(self, broker: Broker, log: Log, loop: Loop, network: int | None, address: str, port: int) -> None:
        self._broker, self._log, self._loop = broker, log, loop
        self._network, self._address, self._port = network, address, port
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._run = 0
        # By topic, by sensor: the word that the screens use for it.
        self.holds: dict[str, dict[int, str]] = {}

    def _command(self) -> list[str]:
        common = ["mosquitto_sub", "-h", self._address, "-p", str(self._port), "-F", "%t\t%p"]
        return [*common, *(word for topic in RETAINED for word in ("-t", topic)), "-q", "1"]

    def tick(self) -> None:
        """Follows the broker: an observer of a broker that has ended is ended, a new one gets a new one."""
        ended = self._process is not None and self._process.poll() is not None
        if self._process is not None and (ended or self._run != self._broker.run or self._broker.process is None):
            self.end()
        if self._process is None and self._broker.up and not self._broker.stopped:
            self._run = self._broker.run
            self._process = spawn(
                self._command(), network=self._network, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdout.fileno(), False)
            self._loop.watch(self._process.stdout.fileno(), self._read)

    def end(self) -> None:
        """Ends the observer."""
        if self._process is None:
            return
        assert self._process.stdout is not None
        self._loop.forget(self._process.stdout.fileno())
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process = None
        self._rest = b""
        if self.holds:
            self.holds = {}
            self._log.event("blind", who=self._broker.name, run=self._run)

    def ask(self) -> dict[str, dict[int, str]]:
        """What the broker has retained, asked afresh: the word of the observer may be no word of the store."""
        command = [*self._command(), "--retained-only", "-C", str(len(RETAINED)), "-W", "2"]
        with spawn(command, network=self._network, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as asked:
            out, _ = asked.communicate(timeout=5)
        return dict(read for line in out.splitlines() if (read := _parse(line)))

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        try:
            got = os.read(self._process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not got:
            self.end()
            return
        *lines, self._rest = (self._rest + got).split(b"\n")
        for line in lines:
            read = _parse(line)
            if read and self.holds.get(read[0]) != read[1]:
                self.holds[read[0]] = read[1]
                said = {str(number): state for number, state in read[1].items()}
                self._log.event("holds", who=self._broker.name, run=self._run, topic=read[0], sensors=said)


def _parse(line: bytes) -> tuple[str, dict[int, str]] | None:
    topic, _, payload = line.partition(b"\t")
    try:
        message: Any = json.loads(payload)
    except ValueError:
        return None
    words = {True: "OK", False: "KO", None: "UNKNOWN"}
    sensors = {number: words[message[key]] for number in range(1, 7) if (key := f"sensor_{number}") in message}
    return topic.decode(errors="replace"), sensors
