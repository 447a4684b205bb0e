"""Order of queued jobs: by priority and age, so that none waits for ever."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, literal_column, select

from node.ledger.requests.jobs import JobRow, find_job
from node.ledger.row_states import JobState
from node.ledger.schema import jobs
from node.ledger.tables.pauses import Pausable, paused_names


@dataclass(frozen=True, slots=True)
class QueueOrder:
    """Which of the queued jobs goes first."""

    overtake_s: float = 900.0
    """Seconds by which a job goes before those of the next lower priority that were queued
    earlier; twice as many for two steps of priority, and so on."""
    small_mb: float = 64.0
    """Size of the decoded images up to which a job is small, and counts one priority higher."""


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """What decides where a queued job runs."""

    job_id: str
    pipeline: str
    resources: dict[str, float]
    """Resources that its worker must have, such as `GPU: 1`."""
    is_small: bool


_COLUMNS = ("job_id", "pipeline", "resources", "decoded_mb")
_QUEUED = jobs.c.state == literal_column(f"'{JobState.QUEUED}'")  # as ix_jobs_queued has it


def waiting_jobs(connection: Connection, now: float, order: QueueOrder) -> Iterator[WaitingJob]:
    """Yield the queued jobs that are due, the first to run first; of no paused pipeline."""
    due = _QUEUED & (jobs.c.next_attempt_at <= now)
    due &= jobs.c.pipeline.not_in(paused_names(Pausable.PIPELINE))
    columns = [jobs.c[name] for name in _COLUMNS]
    turn = jobs.c.created_at - order.overtake_s * _rank(order)
    query = select(*columns).where(due).order_by(turn, jobs.c.created_at, jobs.c.job_id)
    for row in connection.execute(query):
        is_small = row.decoded_mb is not None and row.decoded_mb <= order.small_mb
        resources = json.loads(row.resources or "{}")
        yield WaitingJob(row.job_id, row.pipeline, resources, is_small)


def next_queued(
    connection: Connection,
    now: float,
    order: QueueOrder | None = None,
    *,
    fits: Callable[[WaitingJob], bool] = lambda _: True,
) -> JobRow | None:
    """Return the first of the queued jobs that are due and that `fits`; None if there is none."""
    for one in waiting_jobs(connection, now, order or QueueOrder()):
        if fits(one):
            return find_job(connection, one.job_id)
    return None


def _rank(order: QueueOrder) -> ColumnElement[int]:
    """Priority, one more for a small job; a job of an earlier version has no known size."""
    return jobs.c.priority + case((jobs.c.decoded_mb <= order.small_mb, 1), else_=0)
