"""Where cases and requests stand: one enumeration, and the functions that derive it from rows.

Pages, command, API and metrics show nothing but what these functions say.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.ledger.requests import jobs as made
from node.ledger.requests import requests as asked
from node.ledger.requests.jobs import Destination
from node.ledger.tables import deliveries as sent
from node.ledger.tables import series as came
from node.ledger.tables.deliveries import DeliveryState


class State(StrEnum):
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


ON_THE_WAY = (State.ARRIVING, State.SETTLING, State.RUNNING, State.QUEUED, State.SENDING)
OPEN = (State.HELD, State.FAILED, State.NOT_DELIVERED, *ON_THE_WAY)
"""What somebody or something has still to do with."""
_ORDER = {state: number for number, state in enumerate(State)}
_OF_SERIES = {
    came.ARRIVING: State.ARRIVING,
    came.SETTLING: State.SETTLING,
    came.HELD: State.HELD,
    came.CANCELLED: State.CANCELLED,
}
_OF_REQUESTS = {
    asked.HELD: State.HELD,
    asked.KEPT: State.KEPT,
    asked.FAILED: State.FAILED,
    asked.CANCELLED: State.CANCELLED,
    asked.SUPERSEDED: State.SUPERSEDED,
}
_OF_JOBS = {
    made.QUEUED: State.QUEUED,
    made.RUNNING: State.RUNNING,
    made.FAILED: State.FAILED,
    made.CANCELLED: State.CANCELLED,
    made.SUPERSEDED: State.SUPERSEDED,
    made.WITHDRAWN: State.SUPERSEDED,
}
_OF_DELIVERIES = {
    sent.HELD: State.HELD,
    sent.REFUSED: State.NOT_DELIVERED,
    sent.GIVEN_UP: State.NOT_DELIVERED,
    sent.CANCELLED: State.NOT_DELIVERED,
    sent.WAITING: State.SENDING,
    sent.STORED: State.DELIVERED,
}

Found = tuple[State, str]
"""A state, and why, in words."""


@dataclass(frozen=True, slots=True)
class JobStanding:
    """A job as far as one request wants it."""

    job_id: str
    pipeline: str
    rule: str
    state: str
    """Of the job, as node/ledger/requests/jobs.py names it."""
    reason: str
    progress: float
    step: str
    revision: int
    destinations: tuple[Destination, ...]
    deliveries: tuple[DeliveryState, ...]
    """To those destinations alone."""


def wanted_by(state: str) -> frozenset[State]:
    """Which states a person means who names one; `failed` is all that came to nothing."""
    if state == State.FAILED:
        return frozenset((State.FAILED, State.NOT_DELIVERED))
    return frozenset(one for one in State if one == state)


def state_of_job(job: JobStanding) -> Found:
    """Where a job and its deliveries stand for one request."""
    if job.state != made.DONE:
        step = f", {job.step}" if job.step else ""
        is_under_way = job.state in (made.QUEUED, made.RUNNING)
        return _OF_JOBS[job.state], job.reason or (
            f"{job.progress:.0%} done{step}" if is_under_way else ""
        )
    if not job.deliveries:
        why = "nothing to send" if job.destinations else "no destination, results stay here"
        return State.DONE, why
    state = worst(_OF_DELIVERIES[one.state] for one in job.deliveries)
    return state, "; ".join(_delivery_words(one) for one in job.deliveries)


def state_of_request(
    state: str, reason: str, series: tuple[str, str], jobs: Sequence[JobStanding]
) -> Found:
    """Where a request stands: with its series while that is not decided on, then with its jobs.

    Args:
        state: of the request's row, as node/ledger/requests/requests.py names it.
        reason: of the same.
        series: state and reason of the series' row.
        jobs: all that do the request, oldest first; of a pipeline the latest counts.
    """
    if state == asked.WAITING:
        return _OF_SERIES.get(series[0], State.SETTLING), series[1]
    if state != asked.SUBMITTED:
        return _OF_REQUESTS[state], reason
    found = [state_of_job(job) for job in current(jobs)]
    if not found:
        return State.SUPERSEDED, "its jobs were superseded"
    return _worst(found, several=len(found) > 1)


def state_of_case(series: tuple[str, str], requests: Iterable[Found]) -> Found:
    """Where a case stands: its series, while that is not decided on, else its requests.

    Args:
        series: state and reason of the series' row.
        requests: the latest of each asker.
    """
    state, reason = series
    if state in _OF_SERIES:
        return _OF_SERIES[state], reason
    found = list(requests)
    over = (State.CANCELLED, State.SUPERSEDED)
    standing = [one for one in found if one[0] not in over] or found
    return _worst(standing, several=False) if standing else (State.KEPT, reason)


def current(jobs: Sequence[JobStanding]) -> list[JobStanding]:
    """The latest job of each pipeline, of those that no other took over from."""
    latest = {job.pipeline: job for job in jobs if job.state not in made.OVER}
    return list(latest.values())


def worst(states: Iterable[State]) -> State:
    """The one that counts before the others."""
    return min(states, key=_ORDER.__getitem__)


def _worst(found: Collection[Found], *, several: bool) -> Found:
    """With the words of all that say something, where there are several."""
    state = worst(one for one, _ in found)
    of_state: Callable[[Found], bool] = lambda one: several or one[0] == state  # noqa: E731, short
    return state, "; ".join(dict.fromkeys(words for _, words in filter(of_state, found) if words))


def _delivery_words(one: DeliveryState) -> str:
    why = f" ({one.words})" if one.words and one.state != sent.STORED else ""
    verb = "to send" if one.state == sent.WAITING else one.state
    return f"{one.peer}: {one.count} {verb}{why}"
