"""Measurement of one side of a comparison in a fresh process.

This module needs the standard library only, as it also runs in the peers' virtual environment.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent
_STATUS = Path("/proc/self/status")
Prepared = tuple[Callable[[], Any], Callable[[Any], dict[str, Any]]]
"""Function to measure, and function that describes its result."""


@dataclass(frozen=True, slots=True)
class Run:
    """Measurements of one process."""

    seconds: float
    cpu_seconds: float
    """Processor time of all threads, less affected by other load on the machine."""
    peak_mb: float
    """Peak resident memory during the work: interpreter, libraries, input and result."""
    added_mb: float
    """The same, less the memory resident before: interpreter, libraries and input."""
    found: dict[str, Any]


def run_isolated(python: str | Path, function: str, *arguments: str | Path) -> Run:
    """Prepare and measure `function` ("module:name"), which gets `arguments` as text.

    Raises:
        SystemExit: the process failed.
    """
    command = [str(python), "-W", "ignore", "-m", "bench.isolated", function]
    command += [str(argument) for argument in arguments]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{function} failed: {done.stderr[-2000:]}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Run the work and print the fields of `Run` as a line of JSON."""
    module, name = sys.argv[1].split(":")
    prepared: Prepared = getattr(importlib.import_module(module), name)(*sys.argv[2:])
    work, describe = prepared
    before_mb = _resident_mb("VmRSS")
    _forget_peak()
    begun, cpu_begun = time.perf_counter(), time.process_time()
    result = work()
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu_begun
    peak_mb = _resident_mb("VmHWM")
    figures = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    figures |= {"peak_mb": peak_mb, "added_mb": peak_mb - before_mb}
    os.write(1, (json.dumps(figures | {"found": describe(result)}) + "\n").encode())


def _resident_mb(name: str) -> float:
    lines = _STATUS.read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kib) * 1024 / 1e6


def _forget_peak() -> None:
    """Reset the peak, so that the preparation does not count (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
