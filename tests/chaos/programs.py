"""The three programs, each in a terminal of its own whose every change is logged."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from pathlib import Path

import pyte

from .log import Log
from .loop import Loop
from .spawn import spawn
from .unit import Unit

ROWS, COLUMNS = 30, 100
# A frame is one write, but a large one is read in parts: after this silence it is whole.
QUIET = 0.003
SENSOR = re.compile(r"Sensor (\d) +(?:\S )?(OK|KO|UNKNOWN)\b *(SENDING|SAVED|CONFIRMED|LIVE|HELD)?")


class Program(Unit):
    """A program in a terminal."""

    def __init__(
        self, name: str, board: int, log: Log, loop: Loop, argv: list[str], network: int | None, env: dict[str, str]
    ) -> None:
        super().__init__(name, board, log)
        self._loop, self._argv, self._network, self._env = loop, argv, network, env
        self._master = -1
        # What the screen says of each sensor: its state, and the word beside it.
        self.sensors: dict[int, tuple[str, str]] = {}
        self.last_text = ""
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)

    def launch(self) -> subprocess.Popen[bytes]:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(self._master, False)
        self.screen.reset()
        self.sensors = {}
        process = spawn(self._argv, network=self._network, env=self._env, stdin=slave, stdout=slave, terminal=True)
        os.close(slave)
        self._loop.watch(self._master, self._read)
        return process

    def ended(self) -> None:
        if self._master >= 0:
            self._read()
            self.last_text = self.text()
            self._loop.forget(self._master)
            os.close(self._master)
            self._master = -1
        self.sensors = {}

    def press(self, key: str) -> None:
        """A key, as the operator's terminal sends it."""
        with contextlib.suppress(OSError):
            os.write(self._master, key.encode())

    def text(self) -> str:
        """The screen, for people."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def _read(self) -> None:
        got = b""
        while True:
            try:
                part = os.read(self._master, 65536)
            except OSError:
                break
            if not part:
                break
            got += part
            if not select.select([self._master], [], [], QUIET)[0]:
                break
        if not got:
            return
        self._stream.feed(got)
        found = SENSOR.findall("\n".join(self.screen.display))
        sensors = {int(number): (state, beside) for number, state, beside in found}
        if len(sensors) == 6 and sensors != self.sensors:
            self.sensors = sensors
            said = {str(number): list(sensors[number]) for number in sorted(sensors)}
            self.log.event("screen", who=self.name, run=self.run, sensors=said)


def write_clock(path: Path, offset: int) -> None:
    """What libfaketime reads: this board's clock is so many seconds off."""
    new = path.with_suffix(".new")
    new.write_text(f"{offset:+d}s\n")
    new.replace(path)
