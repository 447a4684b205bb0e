"""Entry point of all jobs: from a complete series to committed results on disk."""

import errno
import os
import pkgutil
import re
from dataclasses import replace
from pathlib import Path

from core.errors import StorageUnavailableError
from core.hold_reasons import HoldReason
from core.identity import Provenance
from core.job import Cache, JobRequest, JobResult, Report
from imaging.geometry.placement import GeometryRules, place
from imaging.instances.frames import read_headers
from imaging.instances.reading_faults import explained
from imaging.series.series import check_one_series
from pipeline.kind import kind_named
from pipeline.task import Stopwatch, Task
from pipeline.workspace import attempt_folder, commit, read_result

_DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_ERRNO_IN_MESSAGE = re.compile(r"errno = (\d+)")


def run_job(request: JobRequest, report: Report, cache: Cache) -> JobResult:
    """Run a job and commit its results; if they exist already, only read them.

    Raises:
        ConfigurationError: the kind of pipeline is unknown.
        SlicewireError: the series gives no result; the message states why.
        StorageUnavailableError: the disk failed; the job can be tried again.
    """
    committed = Path(request.output_dir)
    if committed.is_dir():
        return read_result(committed)
    try:
        with explained(map(Path, request.instance_paths)):
            return _attempt(request, report, committed, cache)
    except Exception as error:
        number = _disk_trouble(error)
        if number is None:
            raise
        reason = os.strerror(number)
        raise StorageUnavailableError(f"Results cannot be written: {reason}") from error


def _disk_trouble(error: BaseException | None) -> int | None:
    """Find the errno of a full, read-only or broken disk in `error` or its causes.

    pydicom raises the error again without its number; h5py has the number in its message only.
    """
    while error is not None:
        match = _ERRNO_IN_MESSAGE.search(str(error))
        number = getattr(error, "errno", None) or (int(match[1]) if match else None)
        if number in _DISK_TROUBLE:
            return int(number)
        error = error.__cause__ or error.__context__
    return None


def _attempt(request: JobRequest, report: Report, committed: Path, cache: Cache) -> JobResult:
    program = pkgutil.resolve_name(kind_named(request.kind).program)
    with attempt_folder(committed) as folder:
        task = _prepare(request, report, folder, cache)
        result: JobResult = program(task)
        report(1.0, result.summary)
        return commit(folder, committed, result, task.report_so_far)


def _prepare(request: JobRequest, report: Report, folder: Path, cache: Cache) -> Task:
    stopwatch, passed_over = Stopwatch(), list(request.released.values())
    report(0.0, f"headers of {len(request.instance_paths)} instances are read")
    with stopwatch.measure("read"):
        headers = [one for path in request.instance_paths for one in read_headers(Path(path))]
        warnings = check_one_series(headers)
        placement = place(headers, _rules(request))
    provenance = Provenance(
        job_id=request.job_id,
        root_uid=request.root_uid,
        created=request.created,
        pipeline=request.pipeline,
        revision=request.revision,
        predecessor_uids=request.predecessor_uids,
        predecessor_series_uids=request.predecessor_series_uids,
        predecessor_job_id=request.predecessor_job_id,
        released=request.released,
    )
    found = [one for one in (*warnings, *placement.warnings) if one not in passed_over]
    return Task(
        request=request,
        provenance=provenance,
        placement=placement,
        folder=folder,
        stopwatch=stopwatch,
        report=report,
        cache=cache,
        warnings=[*(f"Released by a person: {one}" for one in passed_over), *found],
    )


def _rules(request: JobRequest) -> GeometryRules:
    """Geometry rules of the pipeline's kind, without the checks that a person released."""
    passed = frozenset(HoldReason(reason) for reason in request.released)
    return replace(kind_named(request.kind).rules, passed=passed)
