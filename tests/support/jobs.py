"""Running a job of the pipelines as a worker does."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom

from core.job import JobRequest, JobResult
from pipeline.entry import run_job


def request_for(
    paths: list[Path], tmp_path: Path, kind: str, parameters: dict[str, Any]
) -> JobRequest:
    return JobRequest(
        job_id="b" * 64,
        series_instance_uid=str(pydicom.dcmread(paths[0]).SeriesInstanceUID),
        instance_paths=tuple(str(path) for path in paths),
        pipeline=kind,
        kind=kind,
        parameters=parameters,
        root_uid="1.2.826.0.1.3680043.8.498.",
        created=datetime(2026, 11, 21, 12, 30, tzinfo=UTC),
        output_dir=str(tmp_path / "results" / ("b" * 64)),
    )


def run(request: JobRequest) -> JobResult:
    return run_job(request, lambda _, __: None, {})
