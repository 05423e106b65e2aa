"""Starting processes that cannot outlive the campaign, on the board where they belong."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import termios
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NETWORK = 0x40000000
_DEATH_SIGNAL = 1


def enter_network(fd: int) -> None:
    """This process is on that network namespace from now on."""
    if _LIBC.setns(fd, _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def spawn(
    argv: list[str],
    *,
    network: int | None,
    env: dict[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int | None = None,
    terminal: bool = False,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `argv` in a session of its own; killed when this process ends, for whatever reason."""
    parent = os.getpid()

    def prepare() -> None:
        _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        if network is not None:
            enter_network(network)
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    return subprocess.Popen(
        argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stdout if stderr is None else stderr,
        env=env,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=prepare,
    )
