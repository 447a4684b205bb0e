"""The one function that the engine runs: a complete series in, committed results on disk out."""

from pathlib import Path
from types import MappingProxyType

from core.errors import ConfigurationError
from core.identity import Provenance
from core.job import Cache, JobRequest, JobResult, Report
from imaging.geometry import place
from imaging.header import read_header
from imaging.series import check_one_series
from pipeline.blur_pipeline import run_blur
from pipeline.kinds import GEOMETRY_RULES
from pipeline.stopwatch import Stopwatch
from pipeline.task import Task
from pipeline.unet_pipeline import run_unet
from pipeline.workspace import attempt_folder, commit, read_result

_PROGRAMS = MappingProxyType({"blur": run_blur, "unet": run_unet})


def run_job(request: JobRequest, report: Report, cache: Cache) -> JobResult:
    """Run a job to committed results; a job that has some already is not run again.

    Raises:
        SlicewireError: why this series has no result, in words.
    """
    committed = Path(request.output_dir)
    if committed.is_dir():
        return read_result(committed)
    program = _PROGRAMS.get(request.kind)
    if program is None:
        known = ", ".join(sorted(_PROGRAMS))
        raise ConfigurationError(f"Pipeline kind {request.kind!r}, expected one of {known}")
    with attempt_folder(committed) as folder:
        task = _prepare(request, report, folder, cache)
        result = program(task)
        report(1.0, result.summary)
        return commit(folder, committed, result, task.report_so_far)


def _prepare(request: JobRequest, report: Report, folder: Path, cache: Cache) -> Task:
    stopwatch = Stopwatch()
    with stopwatch.measure("read"):
        headers = [read_header(Path(path)) for path in request.instance_paths]
        warnings = check_one_series(headers)
        placement = place(headers, GEOMETRY_RULES[request.kind])
    provenance = Provenance(
        job_id=request.job_id,
        root_uid=request.root_uid,
        created=request.created,
        pipeline=request.pipeline,
    )
    return Task(
        request=request,
        provenance=provenance,
        placement=placement,
        folder=folder,
        stopwatch=stopwatch,
        report=report,
        cache=cache,
        warnings=[*warnings, *placement.warnings],
    )
