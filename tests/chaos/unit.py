"""Something that runs, and can be killed, stopped and started again: a program, a broker, the cable."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from .log import Log


def sweep() -> None:
    """Takes away what libfaketime leaves when its process, or a child of it, is killed: whoever gets the same number could not start."""
    for left in Path("/dev/shm").glob("*faketime_s*_*"):
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            with contextlib.suppress(OSError):
                left.unlink()


class Unit:
    """One process after the other, under one name. Every change is logged when it is made."""

    def __init__(self, name: str, board: int, log: Log) -> None:
        self.name, self.board, self.log = name, board, log
        self.run = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.stopped = False
        self.ending = ""
        self.on_unwanted_end: Callable[[], None] = lambda: None
        self.on_mended: Callable[[], None] = lambda: None

    def launch(self) -> subprocess.Popen[bytes]:
        """Starts the process."""
        raise NotImplementedError

    def ended(self) -> None:
        """Called when the process is gone."""

    @property
    def up(self) -> bool:
        """It runs, and nobody has told it to end."""
        return self.process is not None and not self.ending

    def start(self) -> None:
        """Starts it if it does not run."""
        if self.process is None:
            self.run += 1
            self.stopped, self.ending = False, ""
            sweep()
            self.log.event("start", who=self.name, run=self.run)
            self.process = self.launch()

    def kill(self, how: str) -> None:
        """SIGKILL: it is gone when this returns."""
        if self.process is not None:
            self.ending = how
            self.log.event("kill", who=self.name, run=self.run, how=how)
            self.process.kill()
            self.process.wait()
            self.reap()

    def terminate(self) -> None:
        """SIGTERM: it ends in its own time."""
        if self.process is not None and not self.ending:
            self.ending = "term"
            self.log.event("term", who=self.name, run=self.run)
            self.process.terminate()
            self.resume()

    def stop(self) -> None:
        """SIGSTOP."""
        if self.up and not self.stopped:
            self.stopped = True
            self.log.event("stop", who=self.name, run=self.run)
            self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        if self.process is not None and self.stopped:
            self.stopped = False
            self.on_mended()
            self.log.event("resume", who=self.name, run=self.run)
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def reap(self) -> None:
        """Notices an end."""
        if self.process is None or self.process.poll() is None:
            return
        status = self.process.returncode
        self.ended()
        self.process = None
        how, self.ending = self.ending or "itself", ""
        self.log.event("end", who=self.name, run=self.run, how=how, status=status)
        if how == "itself":
            self.on_unwanted_end()
