"""States of series and their requests, read for many at once, and filters by state."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, or_, select

from node.ledger.requests.request_jobs import JobOfRequest, jobs_of_requests
from node.ledger.requests.requests import RUN, Request, request_of
from node.ledger.row_states import DeliveryState, JobState, RequestState
from node.ledger.schema import deliveries, jobs, requests, series
from node.ledger.tables.deliveries import DeliveriesAtPeer, delivery_states_of
from node.ledger.tables.pauses import Pausable, Pause, all_pauses
from node.ledger.tables.series import SeriesRow, rows_of_series
from node.ledger.views.states import (
    CaseState,
    JobStatus,
    state_of_case,
    state_of_job,
    state_of_request,
)

_CHUNK = 500
_UNDELIVERED = (DeliveryState.REFUSED, DeliveryState.GIVEN_UP, DeliveryState.CANCELLED)
# a case is in the state on the left only if one of its rows is in the state on the right
_BY_REQUESTS: Mapping[str, str] = MappingProxyType(
    {
        CaseState.HELD: RequestState.HELD,
        CaseState.SETTLING: RequestState.WAITING,
        CaseState.FAILED: RequestState.FAILED,
        CaseState.KEPT: RequestState.KEPT,
        CaseState.CANCELLED: RequestState.CANCELLED,
        CaseState.SUPERSEDED: RequestState.SUPERSEDED,
    }
)
_BY_JOBS: Mapping[str, str] = MappingProxyType(
    {
        CaseState.QUEUED: JobState.QUEUED,
        CaseState.RUNNING: JobState.RUNNING,
        CaseState.FAILED: JobState.FAILED,
        CaseState.CANCELLED: JobState.CANCELLED,
        CaseState.SUPERSEDED: JobState.SUPERSEDED,
    }
)
_BY_DELIVERIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        CaseState.HELD: (DeliveryState.HELD,),
        CaseState.FAILED: _UNDELIVERED,
        CaseState.NOT_DELIVERED: _UNDELIVERED,
        CaseState.SENDING: (DeliveryState.WAITING,),
    }
)
_JOB_COLUMNS = ("job_id", "state", "reason", "progress", "step", "revision")


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """A request with its state, the reason, and its jobs, oldest first."""

    request: Request
    state: CaseState
    words: str
    jobs: tuple[JobStatus, ...]

    @property
    def how_it_came(self) -> str:
        """How its last association ended, or what was read."""
        request = self.request
        if request.source == RUN:
            return f"{request.pipeline} is run on the case"
        if request.is_by_name:
            return f"the {request.source} was read"
        return f"the last association was {request.outcome}"

    @property
    def about(self) -> str:
        """State and reason in one line."""
        return f"{self.state}: {self.words}" if self.words else str(self.state)

    def fields(self) -> dict[str, Any]:
        """Return the request as plain values."""
        request = self.request
        names = ("source", "person", "order_uid", "created_at", "last_at", "outcome")
        return {name: getattr(request, name) for name in names} | {
            "number": request.key,
            "calling_ae_title": request.sender.calling_ae_title,
            "called_ae_title": request.sender.called_ae_title,
            "address": request.sender.address,
            "state": str(self.state),
            "reason": self.words,
            "jobs": [_job_fields(job) for job in self.jobs],
        }


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """State of a case, the reason, and its requests, oldest first."""

    state: CaseState
    words: str
    requests: tuple[RequestStatus, ...]


def statuses(connection: Connection, rows: Sequence[SeriesRow]) -> dict[str, SeriesStatus]:
    """Read the states of series by UID, in five queries for any number of series."""
    by_uid = {row.series_instance_uid: row for row in rows}
    found: dict[str, list[RequestStatus]] = {uid: [] for uid in by_uid}
    of_series = requests.c.series_instance_uid.in_(by_uid)
    query = select(requests).where(of_series).order_by(requests.c.id)
    own = [request_of(row) for row in connection.execute(query)]
    jobs_by_request = _jobs(connection, [one.key for one in own])
    for request in own:
        row, own_jobs = by_uid[request.series_instance_uid], tuple(jobs_by_request[request.key])
        about = (row.state, row.reason)
        state, words = state_of_request(request.state, request.reason, about, own_jobs)
        one = RequestStatus(request, state, words, own_jobs)
        found[request.series_instance_uid].append(one)
    return {uid: _status_of_series(by_uid[uid], of_series) for uid, of_series in found.items()}


def status_of(connection: Connection, row: SeriesRow) -> SeriesStatus:
    """Read the state of one series."""
    return statuses(connection, [row])[row.series_instance_uid]


def count_states(
    connection: Connection, states: Sequence[CaseState] | None = None
) -> dict[CaseState, int]:
    """Count the cases in each of `states`, by default in every state."""
    wanted = list(CaseState) if states is None else list(states)
    condition: ColumnElement[bool] = series.c.state.is_not(None)
    if states is not None:
        uids = (select(series.c.series_instance_uid).where(may_stand_at(one)) for one in wanted)
        condition = series.c.series_instance_uid.in_(next(uids).union(*uids))
    counts = dict.fromkeys(wanted, 0)
    for rows in _chunks(rows_of_series(connection, condition)):
        for one in statuses(connection, rows).values():
            if one.state in counts:
                counts[one.state] += 1
    return counts


def may_stand_at(state: str) -> ColumnElement[bool]:
    """Build an indexed condition on `series` that matches all in `state`, and possibly more."""
    if state in (CaseState.DONE, CaseState.DELIVERED):
        own = jobs.c.series_instance_uid == series.c.series_instance_uid
        return exists(select(jobs.c.job_id).where(own, jobs.c.state == JobState.DONE))
    found: list[ColumnElement[bool]] = [series.c.state == state]
    if state in _BY_REQUESTS:
        found.append(_with_requests(_BY_REQUESTS[state]))
    if state in _BY_JOBS:
        found.append(_with_jobs(jobs.c.state == _BY_JOBS[state]))
    if state in _BY_DELIVERIES:
        found.append(_with_deliveries(_BY_DELIVERIES[state]))
    if state == CaseState.KEPT:
        of_series = requests.c.series_instance_uid == series.c.series_instance_uid
        found.append(~exists(select(requests.c.id).where(of_series)))
    return or_(*found)


def _status_of_series(row: SeriesRow, found: Sequence[RequestStatus]) -> SeriesStatus:
    """Derive the state of a case; the latest request of each sender or person counts."""
    counted = [one for one in found if not one.request.is_given_up_run]
    latest = {_asker(one.request): (one.state, one.words) for one in counted}
    state, words = state_of_case((row.state, row.reason), latest.values())
    return SeriesStatus(state, words, tuple(found))


def _asker(request: Request) -> Any:
    return request.pipeline if request.is_by_name else request.sender


def _jobs(connection: Connection, keys: Sequence[int]) -> dict[int, list[JobStatus]]:
    links = jobs_of_requests(connection, keys)
    ids = {link.job_id for link in links}
    columns = [jobs.c[name] for name in _JOB_COLUMNS]
    rows = connection.execute(select(*columns).where(jobs.c.job_id.in_(ids)))
    by_id = {row.job_id: row for row in rows}
    deliveries_by_job = delivery_states_of(connection, ids)
    pauses = {(one.what, one.name): one for one in all_pauses(connection)}
    found: dict[int, list[JobStatus]] = defaultdict(list)
    for link in links:
        job = _job(link, by_id[link.job_id], deliveries_by_job.get(link.job_id, ()))
        found[link.request].append(_paused(job, pauses))
    return found


def _job(link: JobOfRequest, row: Any, states: Sequence[DeliveriesAtPeer]) -> JobStatus:
    peers = {destination.peer for destination in link.destinations}
    return JobStatus(
        job_id=link.job_id,
        pipeline=link.pipeline,
        rule=link.rule,
        state=JobState(row.state),
        reason=row.reason,
        progress=row.progress,
        step=row.step,
        revision=row.revision,
        destinations=link.destinations,
        deliveries=tuple(one for one in states if one.peer in peers),
    )


def _paused(job: JobStatus, pauses: Mapping[tuple[Pausable, str], Pause]) -> JobStatus:
    """Say of a job and its deliveries that they wait because of a pause."""
    pause = pauses.get((Pausable.PIPELINE, job.pipeline))
    if job.state == JobState.QUEUED and pause is not None:
        return replace(job, reason=pause.words)
    found = [(one, pauses.get((Pausable.PEER, one.peer))) for one in job.deliveries]
    told = (
        one if why is None or one.state != DeliveryState.WAITING else replace(one, words=why.words)
        for one, why in found
    )
    return replace(job, deliveries=tuple(told)) if pauses else job


def _job_fields(job: JobStatus) -> dict[str, Any]:
    state, words = state_of_job(job)
    return {
        "job_id": job.job_id,
        "pipeline": job.pipeline,
        "rule": job.rule,
        "revision": job.revision,
        "state": str(state),
        "reason": words,
        "destinations": [one.peer for one in job.destinations],
    }


def _chunks(rows: Iterator[SeriesRow]) -> Iterator[list[SeriesRow]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _with_requests(state: str) -> ColumnElement[bool]:
    of_state = select(requests.c.series_instance_uid).where(requests.c.state == state)
    return series.c.series_instance_uid.in_(of_state)


def _with_deliveries(states: Collection[str]) -> ColumnElement[bool]:
    return _with_jobs(
        jobs.c.job_id.in_(select(deliveries.c.job_id).where(deliveries.c.state.in_(states)))
    )


def _with_jobs(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Match series by an uncorrelated subquery, which starts from the few matching jobs."""
    return series.c.series_instance_uid.in_(select(jobs.c.series_instance_uid).where(condition))
