"""Senders of the benchmark: DCMTK's programs, and `bench.wire.sender` in processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from bench.wire.files import Workload

_ROOT = Path(__file__).parents[2]
_LIMIT_S = 300.0
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class Sent:
    """Measurements of a sender."""

    instances: int
    seconds: float
    milliseconds: tuple[float, ...] = ()
    """Times from each request to its answer, if measured."""


def by_dcmtk(program: str, port: int, workload: Workload, *, nagle: bool) -> Sent:
    """Send a folder with `storescu` or `dcmsend`, and time the whole process.

    Raises:
        SystemExit: it did not store everything.
    """
    command = [f"/usr/bin/{program}", "-aec", "ANY-SCP", "127.0.0.1", str(port), "+sd"]
    environment = dict(os.environ) if nagle else {**os.environ, "TCP_NODELAY": "1"}
    begun = time.perf_counter()
    done = subprocess.run(  # noqa: S603
        [*command, str(workload.folder)],
        env=environment,
        capture_output=True,
        timeout=_LIMIT_S,
        check=False,
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{program} failed: {done.stderr[-500:].decode()}")
    return Sent(len(workload.paths), seconds)


class Sender:
    """Process with `bench.wire.sender`, whose imports are done before the measurement."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "bench.wire.sender"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )

    def prepare(self, request: Mapping[str, Any]) -> None:
        self._say(json.dumps(dict(request)))
        self._hear()

    def begin(self) -> None:
        self._say("")

    def outcome(self) -> Sent:
        found = self._hear()
        return Sent(found["stored"], found["seconds"], tuple(found.get("milliseconds", ())))

    def close(self) -> None:
        """End the process by closing its standard input."""
        cast(IO[str], self._process.stdin).close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        cast(IO[str], self._process.stdout).close()

    def _say(self, line: str) -> None:
        stream = cast(IO[str], self._process.stdin)
        stream.write(line + "\n")
        stream.flush()

    def _hear(self) -> dict[str, Any]:
        line = cast(IO[str], self._process.stdout).readline()
        if not line:
            raise SystemExit("a sender's process ended")
        return cast(dict[str, Any], json.loads(line))


@contextmanager
def senders(count: int) -> Iterator[list[Sender]]:
    """Start several sender processes; ended with the block."""
    started: list[Sender] = []
    try:
        started += [Sender() for _ in range(count)]
        yield started
    finally:
        for one in started:
            one.close()


def by_processes(
    processes: Sequence[Sender], how: str, port: int, workload: Workload, *, associations: int = 1
) -> Sent:
    """Send a folder once, divided among the processes, over `associations` in all.

    Raises:
        SystemExit: not everything was stored.
    """
    shared = processes[: min(associations, len(processes))]
    for first, process in enumerate(shared):
        process.prepare(
            {
                "how": how,
                "port": port,
                "folder": str(workload.folder),
                "first": first,
                "step": len(shared),
                "associations": associations // len(shared),
            }
        )
    begun = time.perf_counter()
    for process in shared:
        process.begin()
    found = [process.outcome() for process in shared]
    seconds = found[0].seconds if len(shared) == 1 else time.perf_counter() - begun
    stored = sum(one.instances for one in found)
    if stored != len(workload.paths):
        raise SystemExit(f"{stored} of {len(workload.paths)} instances were stored")
    return Sent(stored, seconds, tuple(one for each in found for one in each.milliseconds))
