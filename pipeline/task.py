"""What a pipeline works on and has to say so far; its time, and its share of the processor."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.identity import MANUFACTURER, VERSION, Provenance
from core.job import Cache, JobRequest, JobResult, OutputInstance, Report
from imaging.geometry.placement import Placement


class Stopwatch:
    """Seconds by what was done meanwhile."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, what: str) -> Iterator[None]:
        """Add the time of the block to `what`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self.seconds[what] = round(self.seconds.get(what, 0.0) + spent, 4)


@dataclass(slots=True)
class Task:
    """One job on its way: its series in order, its folder, its findings."""

    request: JobRequest
    provenance: Provenance
    placement: Placement
    folder: Path
    """The attempt's own folder."""
    stopwatch: Stopwatch
    report: Report
    cache: Cache
    warnings: list[str]
    findings: dict[str, Any] = field(default_factory=dict)
    """What the pipeline adds to report.json."""

    def part(self, start: float, end: float) -> Report:
        """Progress of a step that takes the job from `start` to `end`."""
        return lambda fraction, words: self.report(start + (end - start) * fraction, words)

    def result(
        self,
        instances: list[OutputInstance],
        summary: str,
        *,
        has_structure_set: bool,
        look_first: str = "",
    ) -> JobResult:
        """The job's result, with the time spent and the warnings so far."""
        return JobResult(
            instances=tuple(instances),
            has_structure_set=has_structure_set,
            summary=summary,
            seconds=dict(self.stopwatch.seconds),
            warnings=tuple(self.warnings),
            look_first=look_first,
        )

    @property
    def report_so_far(self) -> dict[str, Any]:
        """The content of report.json, without patient data."""
        first = self.placement.headers[0]
        return {
            "software": f"{MANUFACTURER} {VERSION}",
            "job_id": self.request.job_id,
            "pipeline": self.request.pipeline,
            "kind": self.request.kind,
            "parameters": self.request.parameters,
            "created": self.request.created.isoformat(),
            "study_instance_uid": first.study_instance_uid,
            "series_instance_uid": first.series_instance_uid,
            "modality": first.modality,
            "instances": len(self.placement.headers),
            "positions": len(self.placement.positions_mm),
            "phases": len(self.placement.phases),
            "phases_told_apart_by": list(self.placement.told_apart_by),
            "released": self.request.released,
            "content_choice": self.request.content_choice,
            "slice_spacing_mm": self.placement.slice_spacing_mm,
            "pixel_spacing_mm": first.pixel_spacing_mm,
            **self.findings,
        }


def threads_of_worker() -> int:
    """Threads for a job's computing: OMP_NUM_THREADS of its worker, else all cores of the machine.

    PyTorch goes by the same variable, so that jobs at the same time share the cores evenly.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else os.cpu_count() or 1
