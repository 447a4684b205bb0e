"""States of cases and requests, derived from the states of series, requests, jobs and deliveries.

Pages, command, API and metrics all show the states of these functions.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.ledger.requests import jobs as made
from node.ledger.requests.jobs import Destination
from node.ledger.row_states import DeliveryState, JobState, RequestState, SeriesState
from node.ledger.tables.deliveries import DeliveriesAtPeer


class CaseState(StrEnum):
    """State of a case or a request; an earlier member takes precedence over a later one."""

    HELD = "held"
    """A person must decide: on the series, a request, or results to be reviewed."""
    FAILED = "failed"
    NOT_DELIVERED = "not delivered"
    """A peer refused results, or sending was given up or cancelled by a person."""
    ARRIVING = "arriving"
    SETTLING = "settling"
    RUNNING = "running"
    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    DONE = "done"
    """Results exist, without a destination."""
    KEPT = "kept"
    """Stored; no job runs on it."""
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """Replaced by a later request of the same sender, or a later job."""


ON_THE_WAY = (
    CaseState.ARRIVING,
    CaseState.SETTLING,
    CaseState.RUNNING,
    CaseState.QUEUED,
    CaseState.SENDING,
)
OPEN = (CaseState.HELD, CaseState.FAILED, CaseState.NOT_DELIVERED, *ON_THE_WAY)
"""States in which the node or a person still has something to do."""
_ORDER = {state: number for number, state in enumerate(CaseState)}
_OF_SERIES = {
    SeriesState.ARRIVING: CaseState.ARRIVING,
    SeriesState.SETTLING: CaseState.SETTLING,
    SeriesState.HELD: CaseState.HELD,
    SeriesState.CANCELLED: CaseState.CANCELLED,
}
_OF_REQUESTS = {
    RequestState.HELD: CaseState.HELD,
    RequestState.KEPT: CaseState.KEPT,
    RequestState.FAILED: CaseState.FAILED,
    RequestState.CANCELLED: CaseState.CANCELLED,
    RequestState.SUPERSEDED: CaseState.SUPERSEDED,
}
_OF_JOBS = {
    JobState.QUEUED: CaseState.QUEUED,
    JobState.RUNNING: CaseState.RUNNING,
    JobState.FAILED: CaseState.FAILED,
    JobState.CANCELLED: CaseState.CANCELLED,
    JobState.SUPERSEDED: CaseState.SUPERSEDED,
    JobState.WITHDRAWN: CaseState.SUPERSEDED,
}
_OF_DELIVERIES = {
    DeliveryState.HELD: CaseState.HELD,
    DeliveryState.REFUSED: CaseState.NOT_DELIVERED,
    DeliveryState.GIVEN_UP: CaseState.NOT_DELIVERED,
    DeliveryState.CANCELLED: CaseState.NOT_DELIVERED,
    DeliveryState.WAITING: CaseState.SENDING,
    DeliveryState.STORED: CaseState.DELIVERED,
}

StateWithReason = tuple[CaseState, str]
"""A state, and its reason in words."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """State of a job for one request."""

    job_id: str
    pipeline: str
    rule: str
    state: JobState
    reason: str
    progress: float
    step: str
    revision: int
    destinations: tuple[Destination, ...]
    deliveries: tuple[DeliveriesAtPeer, ...]
    """Deliveries to those destinations only."""


def states_named(state: str) -> frozenset[CaseState]:
    """Return the states that a filter by `state` covers; `failed` includes `not delivered`."""
    if state == CaseState.FAILED:
        return frozenset((CaseState.FAILED, CaseState.NOT_DELIVERED))
    return frozenset(one for one in CaseState if one == state)


def state_of_job(job: JobStatus) -> StateWithReason:
    """Derive the state of a job and its deliveries for one request."""
    if job.state != JobState.DONE:
        step = f", {job.step}" if job.step else ""
        is_under_way = job.state in (JobState.QUEUED, JobState.RUNNING)
        return _OF_JOBS[job.state], job.reason or (
            f"{job.progress:.0%} done{step}" if is_under_way else ""
        )
    if not job.deliveries:
        why = "nothing to send" if job.destinations else "no destination, results stay here"
        return CaseState.DONE, why
    state = most_urgent(_OF_DELIVERIES[one.state] for one in job.deliveries)
    return state, "; ".join(_delivery_words(one) for one in job.deliveries)


def state_of_request(
    state: RequestState, reason: str, series: tuple[SeriesState, str], jobs: Sequence[JobStatus]
) -> StateWithReason:
    """Derive the state of a request: from its series until that is decided, then from its jobs.

    Args:
        state: state of the request's row.
        reason: reason of the request's row.
        series: state and reason of the series' row.
        jobs: all jobs of the request, oldest first; the latest of each pipeline counts.
    """
    if state == RequestState.WAITING:
        return _OF_SERIES.get(series[0], CaseState.SETTLING), series[1]
    if state != RequestState.SUBMITTED:
        return _OF_REQUESTS[state], reason
    found = [state_of_job(job) for job in current(jobs)]
    if not found:
        return CaseState.SUPERSEDED, "its jobs were superseded"
    return _most_urgent(found, several=len(found) > 1)


def state_of_case(
    series: tuple[SeriesState, str], requests: Iterable[StateWithReason]
) -> StateWithReason:
    """Derive the state of a case: from its series until that is decided, then from its requests.

    Args:
        series: state and reason of the series' row.
        requests: states of the latest request of each sender or person.
    """
    state, reason = series
    if state in _OF_SERIES:
        return _OF_SERIES[state], reason
    found = list(requests)
    over = (CaseState.CANCELLED, CaseState.SUPERSEDED)
    status = [one for one in found if one[0] not in over] or found
    return _most_urgent(status, several=False) if status else (CaseState.KEPT, reason)


def current(jobs: Sequence[JobStatus]) -> list[JobStatus]:
    """Return the latest job of each pipeline, without superseded and withdrawn ones."""
    latest = {job.pipeline: job for job in jobs if job.state not in made.OVER}
    return list(latest.values())


def most_urgent(states: Iterable[CaseState]) -> CaseState:
    """Return the state that takes precedence."""
    return min(states, key=_ORDER.__getitem__)


def _most_urgent(found: Collection[StateWithReason], *, several: bool) -> StateWithReason:
    """Return the state that takes precedence; with `several` the words of all are joined."""
    state = most_urgent(one for one, _ in found)
    of_state: Callable[[StateWithReason], bool] = lambda one: several or one[0] == state  # noqa: E731
    return state, "; ".join(dict.fromkeys(words for _, words in filter(of_state, found) if words))


def _delivery_words(one: DeliveriesAtPeer) -> str:
    why = f" ({one.words})" if one.words and one.state != DeliveryState.STORED else ""
    verb = "to send" if one.state == DeliveryState.WAITING else one.state
    return f"{one.peer}: {one.count} {verb}{why}"
