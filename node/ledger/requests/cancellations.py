"""Cancelled and held requests: a person ends them, reopens them, or has them judged again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from node.ledger.requests.requests import RUN, STANDING, UNDECIDED
from node.ledger.row_states import JobState, RequestState
from node.ledger.schema import jobs, request_jobs, requests


def rejudge_held_requests(connection: Connection, series_instance_uid: str) -> int:
    """Let held requests wait for a new judgement; return how many."""
    held = (requests.c.series_instance_uid == series_instance_uid) & (
        requests.c.state == RequestState.HELD
    )
    values = {"state": RequestState.WAITING, "reason": ""}
    return connection.execute(update(requests).where(held).values(**values)).rowcount


def cancel_undecided(connection: Connection, series_instance_uid: str, reason: str) -> int:
    """Cancel the undecided and failed requests of a series; return how many."""
    own = requests.c.series_instance_uid == series_instance_uid
    open_ones = own & requests.c.state.in_((*UNDECIDED, RequestState.FAILED))
    values = {"state": RequestState.CANCELLED, "reason": reason}
    return connection.execute(update(requests).where(open_ones).values(**values)).rowcount


def cancel_requests_of_jobs(connection: Connection, job_ids: Sequence[str], reason: str) -> None:
    """Cancel the requests of cancelled jobs, unless they have other jobs that run or have run."""
    left = select(request_jobs.c.request_id).join(jobs, jobs.c.job_id == request_jobs.c.job_id)
    stand = left.where(jobs.c.state.not_in((JobState.CANCELLED, JobState.SUPERSEDED)))
    theirs = _with_jobs(job_ids) & requests.c.state.in_(STANDING) & requests.c.id.not_in(stand)
    values = {"state": RequestState.CANCELLED, "reason": reason}
    connection.execute(update(requests).where(theirs).values(**values))


def reopen_requests_of_jobs(connection: Connection, job_ids: Sequence[str]) -> None:
    """Reopen the cancelled requests of jobs that run again."""
    theirs = _with_jobs(job_ids) & (requests.c.state == RequestState.CANCELLED)
    values = {"state": RequestState.SUBMITTED, "reason": ""}
    connection.execute(update(requests).where(theirs).values(**values))


def reopen_cancelled_requests(connection: Connection, series_instance_uid: str) -> int:
    """Reopen requests that were cancelled before a decision; return how many."""
    own = requests.c.series_instance_uid == series_instance_uid
    decided = requests.c.id.in_(select(request_jobs.c.request_id))
    given_up = own & (requests.c.state == RequestState.CANCELLED) & ~decided
    given_up &= requests.c.source != RUN  # that said why it could not run
    values = {"state": RequestState.WAITING, "reason": ""}
    return connection.execute(update(requests).where(given_up).values(**values)).rowcount


def _with_jobs(job_ids: Sequence[str]) -> Any:
    linked = select(request_jobs.c.request_id).where(request_jobs.c.job_id.in_(job_ids))
    return requests.c.id.in_(linked)
