"""The processes of a campaign, each ended by the id it was started with."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.support.node_process import ROOT, NodeProcess

_START_WITHIN_S = 60.0


class KillableNode:
    """The node on a port of its own, killed and started again as often as it takes."""

    def __init__(self, folder: Path, port: int, **keys: object) -> None:
        self.process = NodeProcess(folder, **keys)
        self._port = port
        self.starts = 0

    def start(self) -> None:
        """Start it, again where it ended before it listened."""
        end = time.monotonic() + _START_WITHIN_S
        while True:
            try:
                self.process.start("--scp-port", str(self._port), new_session=True)
            except AssertionError:
                self.process.stop(signal.SIGKILL)
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)
            else:
                self.starts += 1
                return

    def kill(self, chance: random.Random) -> None:
        """SIGKILL, to the node alone (its workers become orphans) or to all its processes."""
        number = self.process.process.pid
        if chance.random() < 0.5:
            with suppress(ProcessLookupError):
                os.killpg(number, signal.SIGKILL)
        self.process.stop(signal.SIGKILL)

    def kill_a_worker(self, chance: random.Random) -> bool:
        """SIGKILL to one of its worker processes; whether there was one."""
        workers = _children(self.process.process.pid)
        if not workers:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(workers), signal.SIGKILL)
        return True


class Destination:
    """The destination's process."""

    def __init__(self, port: int, journal: Path) -> None:
        self._command = [sys.executable, "-m", "tests.chaos.destination", str(port), str(journal)]
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def start_sender(port: int, journal: Path, folders: list[Path]) -> subprocess.Popen[bytes]:
    """A sender's process, with the series that it has to bring."""
    command = [sys.executable, "-m", "tests.chaos.sender", str(port), str(journal)]
    return subprocess.Popen([*command, *map(str, folders)], cwd=ROOT, stderr=subprocess.DEVNULL)


def _children(pid: int) -> list[int]:
    """Worker processes: children that run Python's multiprocessing, not its resource tracker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = path.with_name("cmdline").read_text()
            if parent == pid and "spawn_main" in words:
                found.append(int(path.parent.name))
    return found
