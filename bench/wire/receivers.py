"""Receivers to measure, each in its own process on a free port of this machine."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.report import OURS
from tests.support.node_process import NodeProcess
from tests.support.ports import free_port

OURS_UNSYNCED = "Slicewire, no fsync"
DCMTK, DCMTK_FORK, ORTHANC = "DCMTK storescp", "DCMTK storescp --fork", "Orthanc"
PYNETDICOM = "pynetdicom storescp"
_ROOT = Path(__file__).parents[2]
_START_S, _STOP_S, _QUIET_S = 60.0, 20.0, 20.0
_GLANCE_S, _IDLE_S = 0.15, 0.02
"""A receiver with less processor time than `_IDLE_S` within `_GLANCE_S` is idle."""
_WITHOUT_NAGLE = {"TCP_NODELAY": "1"}  # DCMTK's programs obey it


@dataclass(slots=True)
class Receiver:
    """Running receiver."""

    name: str
    port: int
    process: psutil.Process
    folder: Path
    """Folder that the receiver stores into."""
    clears: bool = True
    """True if the stored files may be removed."""
    _marked_mb: float = field(default=0.0)

    def clear(self) -> None:
        """Remove the stored files, if allowed by `clears`."""
        if self.clears:
            for path in self.folder.iterdir():
                path.unlink()

    def wait_until_quiet(self) -> float:
        """Wait until the receiver has finished its work after the answers; returns seconds."""
        begun = time.monotonic()
        while time.monotonic() < begun + _QUIET_S:
            before = self._cpu_s()
            time.sleep(_GLANCE_S)
            if self._cpu_s() - before < _IDLE_S:
                return max(0.0, time.monotonic() - begun - _GLANCE_S)
        return _QUIET_S

    def mark_memory(self) -> float:
        """Reset the peak memory (proc(5), clear_refs); returns the resident memory in MB."""
        for process in self._tree():
            with suppress(OSError):
                Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        self._marked_mb = self._resident_mb("VmRSS")
        return self._marked_mb

    def peak_mb(self) -> tuple[float, float]:
        """Peak resident memory since `mark_memory`, and its increase since then, in MB."""
        peak = self._resident_mb("VmHWM")
        return peak, peak - self._marked_mb

    def _tree(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return [self.process, *self.process.children(recursive=True)]
        return []

    def _cpu_s(self) -> float:
        total = 0.0
        for process in self._tree():
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def _resident_mb(self, name: str) -> float:
        total = 0
        for process in self._tree():
            with suppress(OSError):
                lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith(name))
        return total * 1024 / 1e6


@contextmanager
def started(names: Sequence[str], folder: Path, *, nagle: bool) -> Iterator[dict[str, Receiver]]:
    """Start all installed receivers of `names`; with `nagle`, in their default configuration."""
    with ExitStack() as stack:
        found = {}
        for name in names:
            place = folder / name.replace(" ", "_")
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            if is_here(name):
                opened = contextmanager(_start)(name, place, {} if nagle else _WITHOUT_NAGLE)
                found[name] = stack.enter_context(opened)
        yield found


def is_here(name: str) -> bool:
    """True if the receiver `name` is installed."""
    program = {DCMTK: "/usr/bin/storescp", DCMTK_FORK: "/usr/bin/storescp"}.get(name)
    if name == ORTHANC:
        return _orthanc() is not None
    return program is None or Path(program).exists()


def _start(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Receiver]:
    if name == OURS:
        yield from _start_node(folder)
        return
    port, files = free_port(), folder / "files"
    files.mkdir()
    command = _command(name, port, folder)
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=_ROOT,
            env={**os.environ, **environment, "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        if name == OURS_UNSYNCED:
            port = _port_said(folder / "output", process)
        _wait_for(port, process, name)
        clears = name not in (ORTHANC, OURS_UNSYNCED)
        yield Receiver(name, port, psutil.Process(process.pid), files, clears)
    finally:
        _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _command(name: str, port: int, folder: Path) -> list[str]:
    files = str(folder / "files")
    if name in (DCMTK, DCMTK_FORK):
        forks = ["--fork"] if name == DCMTK_FORK else []
        return ["/usr/bin/storescp", *forks, "-od", files, str(port)]
    if name == PYNETDICOM:
        python = [sys.executable, "-W", "ignore", "-m", "pynetdicom", "storescp", "-q"]
        return [*python, "-od", files, "-ba", "127.0.0.1", str(port)]
    if name == OURS_UNSYNCED:
        return [sys.executable, "-W", "ignore", "-m", "bench.wire.unsynced", files]
    settings = {
        "StorageDirectory": files,
        "IndexDirectory": files,
        "DicomPort": port,
        "HttpPort": free_port(),
        "RemoteAccessAllowed": False,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    return [_orthanc() or "Orthanc", str(folder / "orthanc.json")]


def _orthanc() -> str | None:
    return shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _start_node(folder: Path) -> Iterator[Receiver]:
    """Start the whole node as a user does; its work on complete series is not measured."""
    node = NodeProcess(folder, completion={"settle_s": 3600.0}, rules=[], web_port=0).start()
    try:
        process = psutil.Process(node.process.pid)
        yield Receiver(OURS, node.address[1], process, node.storage_path, clears=False)
    finally:
        node.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _port_said(output: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        lines = [line for line in output.read_text().splitlines() if line.isdigit()]
        if lines:
            return int(lines[0])
        time.sleep(0.1)
    raise SystemExit(f"{OURS_UNSYNCED} did not start: {output.read_text()[-2000:]}")


def _wait_for(port: int, process: subprocess.Popen[bytes], name: str) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.1)
    raise SystemExit(f"{name} did not start")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
