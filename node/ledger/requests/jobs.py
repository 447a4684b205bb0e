"""Rows of jobs: their identity, state, request and result."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from core.job import JobRequest, JobResult, OutputInstance
from core.priority import Priority
from node.ledger.row_states import JobState
from node.ledger.schema import jobs

OVER = (JobState.SUPERSEDED, JobState.WITHDRAWN)
"""States of jobs that never run again."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A peer to which results are sent."""

    peer: str
    ip: str
    port: int
    ae_title: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of the table `jobs`."""

    job_id: str
    state: JobState
    reason: str
    request: JobRequest
    result: JobResult | None
    destinations: tuple[Destination, ...]
    progress: float
    attempts: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    deaths: int
    """Number of worker processes that died while they ran the job."""
    step: str
    """Current step, in words."""
    removed_at: float | None
    """When retention removed the results."""
    priority: Priority = Priority.MEDIUM


def create_job(
    connection: Connection,
    request: JobRequest,
    destinations: Sequence[Destination],
    now: float,
    *,
    priority: Priority = Priority.MEDIUM,
    decoded_mb: float | None = None,
) -> None:
    """Queue a new job; `decoded_mb` is the size of its images as float32 voxels, if known."""
    connection.execute(
        insert(jobs).values(
            job_id=request.job_id,
            series_instance_uid=request.series_instance_uid,
            state=JobState.QUEUED,
            reason="",
            request=_fields(request),
            destinations=[asdict(destination) for destination in destinations],
            progress=0.0,
            attempts=0,
            created_at=now,
            revision=request.revision,
            predecessor=request.predecessor_job_id or None,
            pipeline=request.pipeline,
            priority=int(priority),
            resources=resources_text(request.resources),
            decoded_mb=decoded_mb,
        )
    )


def resources_text(resources: Mapping[str, float]) -> str:
    """Return resources as the table has them: JSON, empty for none."""
    return json.dumps(resources) if resources else ""


def raise_priority(connection: Connection, job_id: str, priority: Priority) -> None:
    """Give a job a higher priority, as another request needs it; never a lower one."""
    lower = (jobs.c.job_id == job_id) & (jobs.c.priority < int(priority))
    connection.execute(update(jobs).where(lower).values(priority=int(priority)))


def find_job(connection: Connection, job_id: str) -> JobRow | None:
    """Return a job; None if it is unknown."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).first()
    return None if row is None else _job_row(row)


def jobs_of(connection: Connection, series_instance_uid: str) -> list[JobRow]:
    """Return the jobs of a series, oldest first."""
    query = select(jobs).where(jobs.c.series_instance_uid == series_instance_uid)
    return [_job_row(row) for row in connection.execute(query.order_by(jobs.c.created_at))]


def current_jobs(
    connection: Connection, series_instance_uid: str, states: Collection[str] = ()
) -> list[JobRow]:
    """Return the latest job of each pipeline among those in `states`."""
    latest = {
        job.request.pipeline: job
        for job in jobs_of(connection, series_instance_uid)
        if job.state in states or (not states and job.state not in OVER)
    }
    return list(latest.values())


def start_job(connection: Connection, job_id: str, now: float) -> None:
    """Record the start of an attempt."""
    begun = {"state": JobState.RUNNING, "started_at": now, "reason": ""}
    _set(connection, job_id, **begun, attempts=jobs.c.attempts + 1)


def say_why(connection: Connection, job_id: str, reason: str, *, in_place_of: str = "") -> None:
    """Record why a queued job waits, if its present reason begins with `in_place_of`."""
    queued = (jobs.c.job_id == job_id) & (jobs.c.state == JobState.QUEUED)
    other = (jobs.c.reason != reason) & jobs.c.reason.startswith(in_place_of, autoescape=True)
    connection.execute(update(jobs).where(queued, other).values(reason=reason))


def report_progress(connection: Connection, job_id: str, progress: float, step: str) -> None:
    """Record the progress of a running job, 0 to 1, and its current step."""
    running = (jobs.c.job_id == job_id) & (jobs.c.state == JobState.RUNNING)
    connection.execute(update(jobs).where(running).values(progress=progress, step=step))


def count_death(connection: Connection, job_id: str) -> int:
    """Record that a worker died while it ran a job; return how many did."""
    _set(connection, job_id, deaths=jobs.c.deaths + 1)
    return int(connection.scalar(select(jobs.c.deaths).where(jobs.c.job_id == job_id)) or 0)


def finish_job(connection: Connection, job_id: str, result: JobResult, now: float) -> None:
    """Record the result of a job, which is committed on disk."""
    _set(
        connection,
        job_id,
        state=JobState.DONE,
        result=asdict(result),
        progress=1.0,
        finished_at=now,
    )


def fail_job(connection: Connection, job_id: str, reason: str, now: float) -> bool:
    """Record why a running job failed; False if it was not running any more."""
    running = (jobs.c.job_id == job_id) & (jobs.c.state == JobState.RUNNING)
    values = {"state": JobState.FAILED, "reason": reason, "finished_at": now}
    return connection.execute(update(jobs).where(running).values(**values)).rowcount > 0


def requeue_job(connection: Connection, job_id: str, request: JobRequest | None = None) -> None:
    """Queue a job again, with attempts counted anew; `request` replaces its revision."""
    values: dict[str, Any] = {}
    if request is not None:
        values = {"request": _fields(request), "revision": request.revision}
        values["predecessor"] = request.predecessor_job_id or None
        values["resources"] = resources_text(request.resources)
    _set(connection, job_id, **_AGAIN, **values, attempts=0, deaths=0)


def put_back(connection: Connection, job_id: str, reason: str = "", until: float = 0.0) -> None:
    """Queue a running job again, due at `until`; with a `reason` the attempt does not count."""
    fewer = {"attempts": jobs.c.attempts - 1} if reason else {}
    running = (jobs.c.job_id == job_id) & (jobs.c.state == JobState.RUNNING)
    values = _AGAIN | fewer | {"reason": reason, "next_attempt_at": until}
    connection.execute(update(jobs).where(running).values(**values))


def requeue_running(connection: Connection, held: Collection[str] = ()) -> list[str]:
    """Queue again the jobs that are marked as running but not in `held`; return their ids."""
    running = connection.scalars(select(jobs.c.job_id).where(jobs.c.state == JobState.RUNNING))
    interrupted = [job_id for job_id in running if job_id not in held]
    for job_id in interrupted:
        put_back(connection, job_id)
    return interrupted


def cancel_job(connection: Connection, job_id: str, reason: str, now: float) -> bool:
    """Cancel a queued or running job; False if it was neither."""
    unfinished = (jobs.c.job_id == job_id) & jobs.c.state.in_((JobState.QUEUED, JobState.RUNNING))
    values = {"state": JobState.CANCELLED, "reason": reason, "finished_at": now}
    return connection.execute(update(jobs).where(unfinished).values(**values)).rowcount > 0


def supersede_jobs(connection: Connection, request: JobRequest) -> list[str]:
    """Supersede jobs of the same series and pipeline that have no results; return their ids."""
    superseded = [
        row.job_id
        for row in jobs_of(connection, request.series_instance_uid)
        if row.state in (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)
        and row.request.pipeline == request.pipeline
        and row.job_id != request.job_id
    ]
    for job_id in superseded:
        _set(
            connection,
            job_id,
            state=JobState.SUPERSEDED,
            reason=f"superseded by job {request.job_id[:12]}",
        )
    return superseded


def set_destinations(
    connection: Connection, job_id: str, destinations: Sequence[Destination]
) -> None:
    """Record the destinations of a job's results."""
    _set(connection, job_id, destinations=[asdict(destination) for destination in destinations])


_AGAIN: dict[str, Any] = {
    "state": JobState.QUEUED,
    "reason": "",
    "progress": 0.0,
    "step": "",
    "next_attempt_at": 0.0,
}


def _set(connection: Connection, job_id: str, **values: Any) -> None:
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))


def _fields(request: JobRequest) -> dict[str, Any]:
    return asdict(request) | {"created": request.created.isoformat()}


def _job_row(row: Row[Any]) -> JobRow:
    request = dict(row.request)
    request["created"] = datetime.fromisoformat(request["created"])
    for name in ("instance_paths", "predecessor_series_uids"):
        request[name] = tuple(request.get(name, ()))
    return JobRow(
        job_id=row.job_id,
        state=JobState(row.state),
        reason=row.reason,
        request=JobRequest(**request),
        result=None if row.result is None else _result(row.result),
        destinations=tuple(Destination(**destination) for destination in row.destinations),
        progress=row.progress,
        attempts=row.attempts,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        deaths=row.deaths,
        step=row.step,
        removed_at=row.removed_at,
        priority=Priority(row.priority),
    )


def _result(fields: dict[str, Any]) -> JobResult:
    outputs = tuple(OutputInstance(**output) for output in fields["instances"])
    return JobResult(**(fields | {"instances": outputs, "warnings": tuple(fields["warnings"])}))
