"""Task of a pipeline: a job's input, findings and timings, and its share of the processor."""

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
    """Measured seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the time of the block to the step `step`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self.seconds[step] = round(self.seconds.get(step, 0.0) + spent, 4)


@dataclass(slots=True)
class Task:
    """One running job: its request, its series in spatial order, its folder and its findings."""

    request: JobRequest
    provenance: Provenance
    placement: Placement
    folder: Path
    """Folder of this attempt, for results."""
    stopwatch: Stopwatch
    report: Report
    cache: Cache
    warnings: list[str]
    findings: dict[str, Any] = field(default_factory=dict)
    """Entries that the pipeline adds to report.json."""

    def part(self, start: float, end: float) -> Report:
        """Progress callback of a step that takes the job from `start` to `end`, both 0 to 1."""
        return lambda fraction, words: self.report(start + (end - start) * fraction, words)

    def result(
        self,
        instances: list[OutputInstance],
        summary: str,
        *,
        has_structure_set: bool,
        look_first: str = "",
    ) -> JobResult:
        """Result of the job, with its timings and warnings so far."""
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
        """Content of report.json, without patient data."""
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
    """Number of threads for a job: OMP_NUM_THREADS of its worker, else all cores.

    PyTorch uses the same variable, so that simultaneous jobs share the cores evenly.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else os.cpu_count() or 1
