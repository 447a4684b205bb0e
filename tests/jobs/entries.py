"""What the engine runs in these tests, in its worker process."""

import os
import time
from pathlib import Path

from distributed import get_client, get_worker

from core.errors import GeometryError
from core.job import Cache, JobRequest, JobResult, Report


def run(request: JobRequest, report: Report, cache: Cache) -> JobResult:
    """Does what the request's `mode` says."""
    report(0.5, "half")
    cache["runs"] = cache.get("runs", 0) + 1
    mode = request.parameters["mode"]
    if mode == "refuse":
        raise GeometryError("Series 1.2.3: gap of 6.0 mm after slice 41, expected 3.0 mm")
    if mode == "fault":
        raise ValueError("could not convert Secretname^Of to a number")
    if mode == "die":
        os._exit(9)
    if mode == "quick then slow":
        _say_at_once(report)
    time.sleep({"sleep": 60.0, "short": 3.0, "quick then slow": 1.5}.get(mode, 0.0))
    if mode == "meet":
        _meet(Path(request.output_dir).parent)
    if mode == "resources":
        return JobResult((), False, f"{get_worker().state.total_resources}")
    if mode == "devices":
        count = len(get_client().scheduler_info()["workers"])
        return JobResult((), False, f"{os.environ['CUDA_VISIBLE_DEVICES']!r} of {count} workers")
    warnings = ("1 of 9 images set aside",) if mode == "warn" else ()
    return JobResult((), False, f"run {cache['runs']} in {os.getpid()}", warnings=warnings)


def _say_at_once(report: Report) -> None:
    for tenths in (6, 7, 8):
        report(tenths / 10, "read")


def _meet(folder: Path) -> None:
    """Returns when another job is in here at the same time."""
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    end = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2:
        if time.monotonic() > end:
            raise GeometryError("nobody came")
        time.sleep(0.05)
