"""Rows of jobs: identity, state, what was asked and what came of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from core.job import JobRequest, JobResult, OutputInstance
from node.ledger.schema import jobs

QUEUED, RUNNING, DONE, FAILED, SUPERSEDED = "queued", "running", "done", "failed", "superseded"


@dataclass(frozen=True, slots=True)
class Destination:
    """A peer that results go to."""

    peer: str
    ip: str
    port: int
    ae_title: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the ledger knows it."""

    job_id: str
    state: str
    reason: str
    request: JobRequest
    result: JobResult | None
    destinations: tuple[Destination, ...]
    progress: float
    attempts: int
    created_at: float
    started_at: float | None
    finished_at: float | None


def create_job(
    connection: Connection, request: JobRequest, destinations: Sequence[Destination], now: float
) -> None:
    """Queue a new job."""
    connection.execute(
        insert(jobs).values(
            job_id=request.job_id,
            series_instance_uid=request.series_instance_uid,
            state=QUEUED,
            reason="",
            request=asdict(request) | {"created": request.created.isoformat()},
            destinations=[asdict(destination) for destination in destinations],
            progress=0.0,
            attempts=0,
            created_at=now,
        )
    )


def find_job(connection: Connection, job_id: str) -> JobRow | None:
    """One job, if the ledger knows it."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).first()
    return None if row is None else _job_row(row)


def jobs_of(connection: Connection, series_instance_uid: str) -> list[JobRow]:
    """Every job of a series, oldest first."""
    query = select(jobs).where(jobs.c.series_instance_uid == series_instance_uid)
    return [_job_row(row) for row in connection.execute(query.order_by(jobs.c.created_at))]


def next_queued(connection: Connection) -> JobRow | None:
    """The queued job that waits longest."""
    query = select(jobs).where(jobs.c.state == QUEUED).order_by(jobs.c.created_at).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _job_row(row)


def start_job(connection: Connection, job_id: str, now: float) -> None:
    """Record that an attempt begins."""
    _set(connection, job_id, state=RUNNING, started_at=now, attempts=jobs.c.attempts + 1)


def report_progress(connection: Connection, job_id: str, progress: float) -> None:
    """Record how much of a job is done, 0 to 1."""
    _set(connection, job_id, progress=progress)


def finish_job(connection: Connection, job_id: str, result: JobResult, now: float) -> None:
    """Record what a job left, now that it is committed on disk."""
    _set(connection, job_id, state=DONE, result=asdict(result), progress=1.0, finished_at=now)


def fail_job(connection: Connection, job_id: str, reason: str, now: float) -> None:
    """Record why a job did not come to a result."""
    _set(connection, job_id, state=FAILED, reason=reason, finished_at=now)


def requeue_job(connection: Connection, job_id: str) -> None:
    """Let a job run again, from the start."""
    _set(connection, job_id, state=QUEUED, reason="", progress=0.0)


def requeue_running(connection: Connection) -> list[str]:
    """Queue again what was running when the last run of the node ended; answers the job ids."""
    interrupted = list(connection.scalars(select(jobs.c.job_id).where(jobs.c.state == RUNNING)))
    for job_id in interrupted:
        requeue_job(connection, job_id)
    return interrupted


def supersede_jobs(connection: Connection, request: JobRequest) -> list[str]:
    """Drop unfinished jobs of the same series and pipeline: a newer revision takes over."""
    superseded = [
        row.job_id
        for row in jobs_of(connection, request.series_instance_uid)
        if row.state in (QUEUED, RUNNING)
        and row.request.pipeline == request.pipeline
        and row.job_id != request.job_id
    ]
    for job_id in superseded:
        _set(connection, job_id, state=SUPERSEDED, reason=f"job {request.job_id[:12]} took over")
    return superseded


def set_destinations(
    connection: Connection, job_id: str, destinations: Sequence[Destination]
) -> None:
    """Record where a job's results go."""
    _set(connection, job_id, destinations=[asdict(destination) for destination in destinations])


def _set(connection: Connection, job_id: str, **values: Any) -> None:
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))


def _job_row(row: Row[Any]) -> JobRow:
    request = dict(row.request)
    request["created"] = datetime.fromisoformat(request["created"])
    request["instance_paths"] = tuple(request["instance_paths"])
    return JobRow(
        job_id=row.job_id,
        state=row.state,
        reason=row.reason,
        request=JobRequest(**request),
        result=None if row.result is None else _result(row.result),
        destinations=tuple(Destination(**destination) for destination in row.destinations),
        progress=row.progress,
        attempts=row.attempts,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _result(fields: dict[str, Any]) -> JobResult:
    outputs = tuple(OutputInstance(**output) for output in fields["instances"])
    return JobResult(**(fields | {"instances": outputs, "warnings": tuple(fields["warnings"])}))
