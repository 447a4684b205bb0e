"""Where cases and requests stand: one enumeration, and the functions that derive it from rows.

Pages, command, API and metrics show nothing but what these functions say.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.ledger.requests import jobs as made
from node.ledger.requests.jobs import Destination
from node.ledger.row_states import DeliveryState, JobState, RequestState, SeriesState
from node.ledger.tables.deliveries import DeliveriesAtPeer


class CaseState(StrEnum):
    """Where a case or a request stands; in the order in which one counts before another."""

    HELD = "held"
    """A person decides: on the series, on a request, or on results that wait to be looked at."""
    FAILED = "failed"
    NOT_DELIVERED = "not delivered"
    """A peer refused results, sending was given up, or a person cancelled it."""
    ARRIVING = "arriving"
    SETTLING = "settling"
    RUNNING = "running"
    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    DONE = "done"
    """The results are here, and go nowhere."""
    KEPT = "kept"
    """Stored, and nothing runs on it."""
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """A later request of the same sender, or a later job, took over."""


ON_THE_WAY = (
    CaseState.ARRIVING,
    CaseState.SETTLING,
    CaseState.RUNNING,
    CaseState.QUEUED,
    CaseState.SENDING,
)
OPEN = (CaseState.HELD, CaseState.FAILED, CaseState.NOT_DELIVERED, *ON_THE_WAY)
"""What somebody or something has still to do with."""
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

Found = tuple[CaseState, str]
"""A state, and why, in words."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as far as one request wants it."""

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
    """To those destinations alone."""


def wanted_by(state: str) -> frozenset[CaseState]:
    """Which states a person means who names one; `failed` is all that came to nothing."""
    if state == CaseState.FAILED:
        return frozenset((CaseState.FAILED, CaseState.NOT_DELIVERED))
    return frozenset(one for one in CaseState if one == state)


def state_of_job(job: JobStatus) -> Found:
    """Where a job and its deliveries stand for one request."""
    if job.state != JobState.DONE:
        step = f", {job.step}" if job.step else ""
        is_under_way = job.state in (JobState.QUEUED, JobState.RUNNING)
        return _OF_JOBS[job.state], job.reason or (
            f"{job.progress:.0%} done{step}" if is_under_way else ""
        )
    if not job.deliveries:
        why = "nothing to send" if job.destinations else "no destination, results stay here"
        return CaseState.DONE, why
    state = worst(_OF_DELIVERIES[one.state] for one in job.deliveries)
    return state, "; ".join(_delivery_words(one) for one in job.deliveries)


def state_of_request(
    state: RequestState, reason: str, series: tuple[SeriesState, str], jobs: Sequence[JobStatus]
) -> Found:
    """Where a request stands: with its series while that is not decided on, then with its jobs.

    Args:
        state: of the request's row.
        reason: of the same.
        series: state and reason of the series' row.
        jobs: all that do the request, oldest first; of a pipeline the latest counts.
    """
    if state == RequestState.WAITING:
        return _OF_SERIES.get(series[0], CaseState.SETTLING), series[1]
    if state != RequestState.SUBMITTED:
        return _OF_REQUESTS[state], reason
    found = [state_of_job(job) for job in current(jobs)]
    if not found:
        return CaseState.SUPERSEDED, "its jobs were superseded"
    return _worst(found, several=len(found) > 1)


def state_of_case(series: tuple[SeriesState, str], requests: Iterable[Found]) -> Found:
    """Where a case stands: its series, while that is not decided on, else its requests.

    Args:
        series: state and reason of the series' row.
        requests: the latest of each asker.
    """
    state, reason = series
    if state in _OF_SERIES:
        return _OF_SERIES[state], reason
    found = list(requests)
    over = (CaseState.CANCELLED, CaseState.SUPERSEDED)
    status = [one for one in found if one[0] not in over] or found
    return _worst(status, several=False) if status else (CaseState.KEPT, reason)


def current(jobs: Sequence[JobStatus]) -> list[JobStatus]:
    """The latest job of each pipeline, of those that no other took over from."""
    latest = {job.pipeline: job for job in jobs if job.state not in made.OVER}
    return list(latest.values())


def worst(states: Iterable[CaseState]) -> CaseState:
    """The one that counts before the others."""
    return min(states, key=_ORDER.__getitem__)


def _worst(found: Collection[Found], *, several: bool) -> Found:
    """With the words of all that say something, where there are several."""
    state = worst(one for one, _ in found)
    of_state: Callable[[Found], bool] = lambda one: several or one[0] == state  # noqa: E731, short
    return state, "; ".join(dict.fromkeys(words for _, words in filter(of_state, found) if words))


def _delivery_words(one: DeliveriesAtPeer) -> str:
    why = f" ({one.words})" if one.words and one.state != DeliveryState.STORED else ""
    verb = "to send" if one.state == DeliveryState.WAITING else one.state
    return f"{one.peer}: {one.count} {verb}{why}"
