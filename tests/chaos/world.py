"""Two boards with everything that runs on them, and the cable between: namespaces where root, a TCP proxy otherwise."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .brokers import STARTING, Broker, Observer, render
from .log import Log
from .loop import Loop
from .port import Port
from .programs import Program, write_clock
from .spawn import spawn
from .unit import Unit

PROGRAMS = {"card1": "card1_monitor", "card2": "card2_monitor", "display": "card2_global_display"}
ADDRESS = {1: "192.0.2.1", 2: "192.0.2.2"}
PASS = {"12": {"kind": "pass"}, "21": {"kind": "pass"}}


def can_make_networks() -> bool:
    """Root, with `ip` and a TUN device, and with the right to use them: in a container root may lack it."""
    if os.geteuid() != 0 or shutil.which("ip") is None or not Path("/dev/net/tun").exists():
        return False
    name = f"dualprobe-{os.getpid()}"
    commands = (
        ["ip", "netns", "add", name],
        ["ip", "-n", name, "tuntap", "add", "dev", "link0", "mode", "tun"],
    )
    able = all(subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0 for command in commands)
    subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)
    return able


# What a program finds the broker and its clients by.
PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"


def version_of(mosquitto: str) -> str:
    """The version that a broker says it has, such as 2.0.11."""
    asked = subprocess.run([mosquitto, "-h"], check=False, capture_output=True, text=True, env={"PATH": PATH})
    words = asked.stdout.split()
    if words[:2] != ["mosquitto", "version"]:
        raise SystemExit(f"{mosquitto}: no Mosquitto: {(asked.stdout + asked.stderr).strip()[:200]}")
    return words[2]


def survives_clocks(version: str) -> bool:
    """Whether a broker's bridge connects again while the wall clock is behind: Mosquitto 2.0.12 to 2.0.21 may not (report 3238)."""
    numbers = tuple(int(number) for number in version.split(".")[:3] if number.isdigit())
    return not (2, 0, 12) <= numbers <= (2, 0, 21)


class Cable(Unit):
    """The process that carries everything between the boards."""

    def __init__(self, log: Log, argv: list[str], env: dict[str, str]) -> None:
        super().__init__("cable", 0, log)
        self._argv, self._env = argv, env
        self.spec: dict[str, dict[str, Any]] = PASS

    def launch(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "chaos.cable", *self._argv]
        process = spawn(
            argv, network=None, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr.fileno()
        )
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("the cable does not start")
        return process

    def set(self, spec: dict[str, dict[str, Any]]) -> None:
        """From now on it is like this."""
        self.on_mended()
        self.spec = spec
        self.log.event("cable", **{way: one["kind"] for way, one in (("way12", spec["12"]), ("way21", spec["21"]))})
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(json.dumps(spec).encode() + b"\n")
        self.process.stdin.flush()


@dataclass
class Places:
    """Where everything is: the project, the three programs, a folder to work in, and the broker."""

    project: Path
    binaries: Path
    folder: Path
    mosquitto: str


class World:
    """The two boards."""

    def __init__(self, places: Places, log: Log, preloads: dict[str, Path], *, proxy: bool) -> None:
        self.project, self.binaries, self.folder = places.project, places.binaries, places.folder
        self.mosquitto, self.log = places.mosquitto, log
        self.broker_version = version_of(places.mosquitto)
        self.loop = Loop(log)
        self.preloads = preloads
        self.networks: dict[int, str] = {}
        self._network_fds: dict[int, int] = {}
        self.powered = {1: True, 2: True}
        self._started: dict[str, float] = {}
        self.crashed: list[str] = []
        # When something was last set right.
        self.mended = 0.0
        if can_make_networks() and not proxy:
            self._make_networks()
        self._make_boards()
        self.units: dict[str, Unit] = {unit.name: unit for unit in [*self.brokers.values(), *self.programs.values()]}
        for unit in self.units.values():
            unit.on_unwanted_end = self._unwanted_end(unit)
        for unit in [*self.units.values(), self.cable]:
            unit.on_mended = self._mended
        self.loop.each_tick(self._tick)

    # --- making it

    def _make_networks(self) -> None:
        for board in (1, 2):
            name = f"dualchaos{board}-{os.getpid()}"
            self.networks[board] = name
            subprocess.run(["ip", "netns", "add", name], check=True)
            self._network_fds[board] = os.open(f"/run/netns/{name}", os.O_RDONLY)

    def _make_boards(self) -> None:
        private = bool(self.networks)
        self._ports = [] if private else [Port(), Port(), Port()]
        port1, port2, proxy = (1883, 1884, 1883) if private else [port.number for port in self._ports]
        port = {1: port1, 2: port2}
        env = {"PYTHONPATH": str(self.project / "tests"), "PATH": os.environ["PATH"]}
        ends = ["networks", *self.networks.values()] if private else ["proxy", str(proxy), str(port[1])]
        self.cable = Cable(self.log, ends, env)
        self.cable.start()
        for board, name in self.networks.items():
            other = ADDRESS[3 - board]
            for command in (
                ["address", "add", ADDRESS[board], "peer", other, "dev", "link0"],
                ["link", "set", "link0", "up"],
                ["link", "set", "lo", "up"],
            ):
                subprocess.run(["ip", "-n", name, *command], check=True)
        self.brokers: dict[int, Broker] = {}
        self.observers: dict[int, Observer] = {}
        for board, original in ((1, "mosquitto_broker1.conf"), (2, "mosquitto_bridge.conf")):
            store = self.folder / f"broker{board}"
            store.mkdir()
            self.set_clock(board, 0)
            conf = self.folder / f"broker{board}.conf"
            listen = "0.0.0.0" if private else "127.0.0.1"
            peer = f"{ADDRESS[1] if private else '127.0.0.1'}:{proxy}"
            conf.write_text(render(self.project / original, port=port[board], listen=listen, folder=store, peer=peer))
            network = self._network_fds.get(board)
            broker = Broker(f"broker{board}", board, self.log, (self.mosquitto, conf), network, self._broker_env(board))
            self.brokers[board] = broker
            self.observers[board] = Observer(broker, self.log, self.loop, network, "127.0.0.1", port[board])
        self.programs: dict[str, Program] = {}
        for name, binary in PROGRAMS.items():
            board = 1 if name == "card1" else 2
            argv = [str(self.binaries / binary), "--broker", f"mqtt://127.0.0.1:{port[board]}"]
            env = self._env(board)
            if name != "display":
                state, shadow = self.state_folder(board), self.shadow_folder(board)
                state.mkdir()
                shadow.mkdir()
                argv += ["--state-dir", str(state)]
                env |= {"DURABLE_DIR": str(state), "DURABLE_SHADOW": str(shadow)}
            network = self._network_fds.get(board)
            self.programs[name] = Program(name, board, self.log, self.loop, argv, network, env)

    def state_folder(self, board: int) -> Path:
        """Where a board's owner keeps its state file."""
        return self.folder / f"state{board}"

    def shadow_folder(self, board: int) -> Path:
        """What of it is durable, by tests/chaos/durable.c."""
        return self.folder / f"state{board}.durable"

    def _env(self, board: int) -> dict[str, str]:
        env = {"PATH": PATH, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        env["HOME"] = str(self.folder)
        env["LD_PRELOAD"] = " ".join(str(library) for library in self.preloads.values())
        if "faketime" in self.preloads:
            env |= {
                "FAKETIME_TIMESTAMP_FILE": str(self.folder / f"clock{board}"),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        return env

    def _broker_env(self, board: int) -> dict[str, str]:
        env = self._env(board)
        if not survives_clocks(self.broker_version) and "faketime" in self.preloads:
            env["LD_PRELOAD"] = str(self.preloads["durable"])
        return env

    def set_clock(self, board: int, offset: int) -> None:
        """This board's clock is so many seconds off."""
        write_clock(self.folder / f"clock{board}", offset)

    # --- while it runs

    def _unwanted_end(self, unit: Unit) -> Callable[[], None]:
        def ended() -> None:
            if isinstance(unit, Broker) and time.monotonic() - self._started.get(unit.name, 0) < STARTING:
                unit.set_store_aside()
                self.start(unit)
                return
            self.crashed.append(unit.name)
            if isinstance(unit, Program):
                self.log.event("last words", who=unit.name, text=unit.last_text)

        return ended

    def _mended(self) -> None:
        self.mended = time.monotonic()

    def _tick(self) -> None:
        for unit in self.units.values():
            unit.reap()
        for observer in self.observers.values():
            observer.tick()

    def start(self, unit: Unit) -> None:
        """Starts a unit if its board has power and it does not run."""
        if unit.process is None and self.powered[unit.board]:
            self.mended = time.monotonic()
            self._started[unit.name] = time.monotonic()
            unit.start()

    def on_board(self, board: int) -> list[Unit]:
        """What runs, or should, on a board."""
        return [unit for unit in self.units.values() if unit.board == board]

    def cut_power(self, board: int) -> None:
        """All at once; of the owner's state folder remains what was fsynced."""
        self.log.event("power cut", board=board)
        self.powered[board] = False
        alive = [unit for unit in self.on_board(board) if unit.process is not None]
        for unit in alive:
            assert unit.process is not None
            unit.ending = "power"
            unit.process.kill()
        for unit in alive:
            unit.kill("power")
        self._keep_what_is_durable(board)

    def _keep_what_is_durable(self, board: int) -> None:
        state, shadow = self.state_folder(board), self.shadow_folder(board)
        names = shadow / "names"
        entries = [line.split(" ", 1) for line in names.read_text().splitlines()] if names.exists() else []
        keep = {name: shadow / f"inode.{inode}" for inode, name in entries}
        contents = {name: path.read_bytes() if path.exists() else b"" for name, path in keep.items()}
        # Not the lock: it means something while its holder runs, and an empty one is as good.
        for path in state.iterdir():
            path.unlink()
        for name, content in contents.items():
            (state / name).write_bytes(content)

    def restore_power(self, board: int) -> None:
        """The board is on; nothing runs yet."""
        self.log.event("power", board=board)
        self.powered[board] = True

    def forget_state(self, board: int) -> None:
        """A new disk: no state file."""
        for folder in (self.state_folder(board), self.shadow_folder(board)):
            for path in folder.iterdir():
                path.unlink()

    def close(self) -> None:
        """Ends everything that this world has started, and nothing else."""
        for observer in self.observers.values():
            observer.end()
        for unit in [*self.units.values(), self.cable]:
            unit.kill("over")
        for port in self._ports:
            port.close()
        for fd in self._network_fds.values():
            os.close(fd)
        for name in self.networks.values():
            subprocess.run(["ip", "netns", "delete", name], check=False)


if __name__ == "__main__":
    # dev/chaos.sh asks, and says so where it has to do with a proxy.
    sys.exit(not can_make_networks())
