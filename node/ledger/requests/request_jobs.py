"""Rows of `request_jobs`: the jobs of requests, and the destinations of their results."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.ledger.requests.jobs import Destination
from node.ledger.requests.requests import STANDING
from node.ledger.schema import request_jobs, requests


@dataclass(frozen=True, slots=True)
class JobOfRequest:
    """A job of a request, and the destinations of its results for this request."""

    request: int
    job_id: str
    pipeline: str
    rule: str
    """The routing rule; empty for a request by name."""
    destinations: tuple[Destination, ...]


def jobs_of_requests(connection: Connection, keys: Collection[int]) -> list[JobOfRequest]:
    """Return the jobs of requests, oldest first."""
    query = select(request_jobs).where(request_jobs.c.request_id.in_(keys))
    return [_job(row) for row in connection.execute(query.order_by(request_jobs.c.id))]


def link_job(connection: Connection, job: JobOfRequest) -> None:
    """Link a job to a request; the latest link for a pipeline counts."""
    own = (request_jobs.c.request_id == job.request) & (request_jobs.c.job_id == job.job_id)
    values: dict[str, Any] = {"rule": job.rule, "pipeline": job.pipeline}
    values |= {"destinations": [asdict(one) for one in job.destinations]}
    if not connection.execute(update(request_jobs).where(own).values(**values)).rowcount:
        key = {"request_id": job.request, "job_id": job.job_id}
        connection.execute(insert(request_jobs).values(**key, **values))


def standing_jobs(connection: Connection, job_id: str) -> list[JobOfRequest]:
    """Return the links of a job to standing requests, the oldest request first."""
    rows = connection.execute(
        select(request_jobs)
        .join(requests, requests.c.id == request_jobs.c.request_id)
        .where(request_jobs.c.job_id == job_id, requests.c.state.in_(STANDING))
        .order_by(request_jobs.c.request_id)
    )
    return [_job(row) for row in rows]


def _job(row: Row[Any]) -> JobOfRequest:
    return JobOfRequest(
        request=row.request_id,
        job_id=row.job_id,
        pipeline=row.pipeline,
        rule=row.rule,
        destinations=tuple(Destination(**one) for one in row.destinations),
    )
