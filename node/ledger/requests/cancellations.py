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
    """Cancel the undecided and failed requests of a series; return how many.

    A held request of which other pipelines have results stands for those.
    """
    own = requests.c.series_instance_uid == series_instance_uid
    linked = select(request_jobs.c.request_id).join(jobs, jobs.c.job_id == request_jobs.c.job_id)
    has_results = requests.c.id.in_(linked.where(jobs.c.state == JobState.DONE))
    in_part = own & (requests.c.state == RequestState.HELD) & has_results
    values = {"state": RequestState.SUBMITTED, "reason": reason}
    count = connection.execute(update(requests).where(in_part).values(**values)).rowcount
    open_ones = own & requests.c.state.in_((*UNDECIDED, RequestState.FAILED))
    values = {"state": RequestState.CANCELLED, "reason": reason}
    return count + connection.execute(update(requests).where(open_ones).values(**values)).rowcount


def cancel_requests_of_jobs(connection: Connection, job_ids: Sequence[str], reason: str) -> None:
    """Cancel the requests of cancelled jobs, unless they have other jobs that run or have run."""
    left = select(request_jobs.c.request_id).join(jobs, jobs.c.job_id == request_jobs.c.job_id)
    stand = left.where(jobs.c.state.not_in((JobState.CANCELLED, JobState.SUPERSEDED)))
    theirs = _with_jobs(job_ids) & requests.c.state.in_(STANDING) & requests.c.id.not_in(stand)
    values = {"state": RequestState.CANCELLED, "reason": reason}
    connection.execute(update(requests).where(theirs).values(**values))


def reopen_cancelled_requests(connection: Connection, series_instance_uid: str) -> int:
    """Let requests that were cancelled, as a whole or in part, be judged again; return how many."""
    own = requests.c.series_instance_uid == series_instance_uid
    is_decided = requests.c.id.in_(select(request_jobs.c.request_id))
    whole = (requests.c.state == RequestState.CANCELLED) & (
        is_decided | (requests.c.source != RUN)  # a run without a job said why it could not be
    )
    in_part = (requests.c.state == RequestState.SUBMITTED) & (requests.c.reason != "")
    values = {"state": RequestState.WAITING, "reason": ""}
    query = update(requests).where(own & (whole | in_part)).values(**values)
    return connection.execute(query).rowcount


def _with_jobs(job_ids: Sequence[str]) -> Any:
    linked = select(request_jobs.c.request_id).where(request_jobs.c.job_id.in_(job_ids))
    return requests.c.id.in_(linked)
