"""Ports that no other test takes; tests/support/port.rs and tests/scripts/lib/ports.sh claim them in the same way."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path

# Below those that the system hands out by itself, so that no outgoing connection takes a port while its broker is down.
FIRST, COUNT = 20_000, 10_000


class Port:
    """A port of 127.0.0.1, held against other tests until it is closed, whether something listens on it or not."""

    def __init__(self) -> None:
        folder = Path(tempfile.gettempdir()) / f"dualboard-test-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        for step in range(COUNT):
            self.number = FIRST + (os.getpid() * 37 + step) % COUNT
            self._claim = (folder / str(self.number)).open("ab")
            if self._is_free():
                return
            self._claim.close()
        raise RuntimeError(f"no free port between {FIRST} and {FIRST + COUNT}")

    def _is_free(self) -> bool:
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            socket.create_server(("127.0.0.1", self.number)).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Others may have it."""
        self._claim.close()
