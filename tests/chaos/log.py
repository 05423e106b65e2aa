"""The record of a campaign: one JSON object a line, in the order in which things were seen.

It is all that the checker gets to see, so everything that it needs to judge must be in here.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


class Log:
    """Appends events. Each has `t`, seconds by the monotonic clock, and `e`, what it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def event(self, name: str, /, **details: Any) -> None:
        """Writes one event, now."""
        entry = {"t": round(time.monotonic(), 4), "e": name, **details}
        self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()
