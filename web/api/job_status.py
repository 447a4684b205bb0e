"""How a job that was asked for by name stands, from its order, its series and its job."""

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
class Standing:
    """What whoever asked wants to know."""

    state: str
    """running, completed, held, failed or removed."""
    words: str
    """What is being done, or why not."""
    series_instance_uid: str = ""
    job_id: str = ""
    progress: float = 0.0
    output_dir: str = ""
    """Of a completed job, absolute."""


def standing_of(ledger: Ledger, uid: str) -> Standing | None:
    """Of one order; None when nobody placed it."""
    with ledger.reading() as connection:
        requested_job = find_requested_job(connection, uid)
        return (
            None
            if requested_job is None
            else _standing(connection, requested_job, ledger.storage_path)
        )


def _standing(connection: Connection, requested_job: RequestedJob, storage_path: Path) -> Standing:
    uid = requested_job.series_instance_uid
    if requested_job.state == RequestedJobState.WAITING:
        return Standing(RUNNING, "its files are read")
    if requested_job.state == RequestState.HELD:
        return Standing(HELD_BACK, requested_job.words, uid)
    if requested_job.state == RequestedJobState.READ:
        row = find_series(connection, uid)
        if row is not None and row.state == SeriesState.HELD:
            return Standing(HELD_BACK, row.reason, uid)
        return Standing(RUNNING, "its series is looked at", uid)
    job = _job(connection, requested_job) if requested_job.state == RequestState.SUBMITTED else None
    if job is None:
        return Standing(NOT_DONE, requested_job.words, uid)
    return _of_job(job, storage_path)


def _job(connection: Connection, requested_job: RequestedJob) -> JobRow | None:
    """The job that does it, or the one that took over since."""
    job = find_job(connection, requested_job.job_id)
    if job is None or job.state not in OVER:
        return job
    current = current_jobs(connection, requested_job.series_instance_uid)
    return next(
        (one for one in current if one.request.pipeline == requested_job.asked.pipeline), job
    )


def _of_job(job: JobRow, storage_path: Path) -> Standing:
    state, words = RUNNING, job.reason or job.step or job.state
    if job.state == JobState.DONE:
        state, words = COMPLETED, "" if job.result is None else job.result.summary
    if job.state == JobState.DONE and job.removed_at is not None:
        state, words = REMOVED, "its results were removed by retention"
    if job.state in (JobState.FAILED, JobState.CANCELLED, *OVER):
        state, words = NOT_DONE, job.reason
    folder = job.request.located(storage_path).output_dir if state == COMPLETED else ""
    uid = job.request.series_instance_uid
    return Standing(state, words, uid, job.job_id, job.progress, folder)
