"""Status of a requested job, from its row, its series and its job."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from node.ledger.database import Ledger
from node.ledger.requests.jobs import OVER, JobRow, current_jobs, find_job
from node.ledger.requests.requested_jobs import RequestedJob, find_requested_job
from node.ledger.row_states import JobState, RequestedJobState, RequestState, SeriesState
from node.ledger.tables.series import find_series

RUNNING, COMPLETED, HELD_BACK, NOT_DONE, REMOVED = (
    "running",
    "completed",
    "held",
    "failed",
    "removed",
)


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Status of a requested job, as `GET /query/UID` reports it."""

    state: str
    """One of `running`, `completed`, `held`, `failed` and `removed`."""
    words: str
    """The step at work, or the reason why there is none."""
    series_instance_uid: str = ""
    job_id: str = ""
    progress: float = 0.0
    output_dir: str = ""
    """Absolute path of a completed job's results."""


def job_status_of(ledger: Ledger, uid: str) -> JobStatus | None:
    """Read the status of the requested job `uid`; None if there is no such job."""
    with ledger.reading() as connection:
        requested_job = find_requested_job(connection, uid)
        return (
            None
            if requested_job is None
            else _job_status(connection, requested_job, ledger.storage_path)
        )


def _job_status(
    connection: Connection, requested_job: RequestedJob, storage_path: Path
) -> JobStatus:
    uid = requested_job.series_instance_uid
    if requested_job.state == RequestedJobState.WAITING:
        return JobStatus(RUNNING, "its files are being read")
    if requested_job.state == RequestState.HELD:
        return JobStatus(HELD_BACK, requested_job.words, uid)
    if requested_job.state == RequestedJobState.READ:
        row = find_series(connection, uid)
        if row is not None and row.state == SeriesState.HELD:
            return JobStatus(HELD_BACK, row.reason, uid)
        return JobStatus(RUNNING, "its series is being checked", uid)
    job = _job(connection, requested_job) if requested_job.state == RequestState.SUBMITTED else None
    if job is None:
        return JobStatus(NOT_DONE, requested_job.words, uid)
    return _of_job(job, storage_path)


def _job(connection: Connection, requested_job: RequestedJob) -> JobRow | None:
    """The job of this request, or the one that superseded it."""
    job = find_job(connection, requested_job.job_id)
    if job is None or job.state not in OVER:
        return job
    current = current_jobs(connection, requested_job.series_instance_uid)
    return next(
        (one for one in current if one.request.pipeline == requested_job.asked.pipeline), job
    )


def _of_job(job: JobRow, storage_path: Path) -> JobStatus:
    state, words = RUNNING, job.reason or job.step or job.state
    if job.state == JobState.DONE:
        state, words = COMPLETED, "" if job.result is None else job.result.summary
    if job.state == JobState.DONE and job.removed_at is not None:
        state, words = REMOVED, "its results were removed by retention"
    if job.state in (JobState.FAILED, JobState.CANCELLED, *OVER):
        state, words = NOT_DONE, job.reason
    folder = job.request.located(storage_path).output_dir if state == COMPLETED else ""
    uid = job.request.series_instance_uid
    return JobStatus(state, words, uid, job.job_id, job.progress, folder)
