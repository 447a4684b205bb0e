"""Rows of requests: who wants what of a series, the decision on it, and its jobs.

Completeness is a matter of the series; jobs and destinations are decided for each request. An
association that ends joins its sender's request while that waits or is held, else makes a new one.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from network.sender import Sender
from node.ledger.requests.jobs import Destination
from node.ledger.row_states import AssociationOutcome, JobState, RequestState
from node.ledger.schema import jobs, request_jobs, requests
from node.ledger.tables.instances import StoredInstance

UNDECIDED = (RequestState.WAITING, RequestState.HELD)
STANDING = (RequestState.WAITING, RequestState.HELD, RequestState.KEPT, RequestState.SUBMITTED)
"""States in which a request is judged again when the series gets new instances."""
ASSOCIATION, FROM_FOLDER, UPLOAD = "association", "folder", "upload"
"""Sources of requests."""

_SENDER = ("calling_ae_title", "called_ae_title", "address")
# Built once, as building a statement in SQLAlchemy takes longer than running it.
_JOINED = update(requests).where(
    requests.c.series_instance_uid == bindparam("of_series"),
    requests.c.source == ASSOCIATION,
    *(requests.c[name] == bindparam(f"of_{name}") for name in _SENDER),
    requests.c.state.in_(UNDECIDED),
)
_MADE = insert(requests)


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the table `requests`."""

    key: int
    series_instance_uid: str
    source: str
    sender: Sender
    """Both AE titles are empty for a request of a person."""
    person: str
    order_uid: str
    """Id of the requested job; empty for a request by association."""
    pipeline: str
    """Pipeline requested by name; empty: routing rules decide."""
    destinations: tuple[str, ...]
    """Names of the requested peers."""
    created_at: float
    last_at: float
    """When the last association of the request ended."""
    outcome: AssociationOutcome
    """Outcome of that association."""
    state: RequestState
    reason: str
    content: str
    """Hash of the instances that were judged; empty before."""

    @property
    def is_by_name(self) -> bool:
        """True if the request names its pipeline, so that rules do not apply."""
        return bool(self.pipeline)

    @property
    def asker(self) -> str:
        """The sender or person, in words."""
        if self.source == ASSOCIATION:
            return str(self.sender)
        return f"{self.person} from {self.sender.address}, {self.source}"

    def has_same_asker(self, other: "Request") -> bool:
        """True if both requests are of the same sender; a request by name has its own asker."""
        if self.is_by_name or other.is_by_name:
            return self.key == other.key
        return self.sender == other.sender


@dataclass(frozen=True, slots=True)
class JobOfRequest:
    """A job of a request, and the destinations of its results for this request."""

    request: int
    job_id: str
    pipeline: str
    rule: str
    """The routing rule; empty for a request by name."""
    destinations: tuple[Destination, ...]


def content_hash(instances: Iterable[StoredInstance]) -> str:
    """Hash the contents of a series that are in use."""
    here = sorted(f"{one.sop_instance_uid} {one.sha256}" for one in instances if not one.differs)
    return hashlib.sha256("\n".join(here).encode()).hexdigest()


def request_by_sender(
    connection: Connection,
    series_instance_uid: str,
    sender: Sender,
    *,
    outcome: str,
    now: float,
) -> None:
    """Record that an association of `sender` with instances of a series has ended."""
    who = asdict(sender)
    values = {"last_at": now, "outcome": outcome, "state": RequestState.WAITING, "reason": ""}
    key = {"of_series": series_instance_uid} | {f"of_{name}": who[name] for name in _SENDER}
    if connection.execute(_JOINED, values | key).rowcount:
        return
    row = _new(series_instance_uid, ASSOCIATION, now) | who | values
    connection.execute(_MADE, row)


def ask_by_name(
    connection: Connection,
    series_instance_uid: str,
    *,
    order_uid: str,
    source: str,
    asked: dict[str, Any],
    now: float,
) -> None:
    """Record a request by name; `asked` has pipeline, destinations and who asks."""
    row = _new(series_instance_uid, source, now) | asked | {"order_uid": order_uid}
    connection.execute(_MADE, row)


def requests_of(connection: Connection, series_instance_uid: str) -> list[Request]:
    """Return the requests of a series, oldest first."""
    query = select(requests).where(requests.c.series_instance_uid == series_instance_uid)
    return [request_of(row) for row in connection.execute(query.order_by(requests.c.id))]


def wants_by_name_alone(connection: Connection, series_instance_uid: str) -> bool:
    """True if all waiting requests of a series name their pipeline."""
    waiting = select(requests.c.pipeline).where(
        requests.c.series_instance_uid == series_instance_uid,
        requests.c.state == RequestState.WAITING,
    )
    return all(connection.scalars(waiting))


def jobs_of_requests(connection: Connection, keys: Collection[int]) -> list[JobOfRequest]:
    """Return the jobs of requests, oldest first."""
    query = select(request_jobs).where(request_jobs.c.request_id.in_(keys))
    return [_job(row) for row in connection.execute(query.order_by(request_jobs.c.id))]


def decide(
    connection: Connection,
    key: int,
    state: RequestState,
    reason: str = "",
    *,
    content: str | None = None,
) -> None:
    """Record the state of a request, its reason, and the content that was judged."""
    values = {"state": state, "reason": reason}
    values |= {} if content is None else {"content": content}
    connection.execute(update(requests).where(requests.c.id == key).values(**values))


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
    values = {"state": RequestState.WAITING, "reason": ""}
    return connection.execute(update(requests).where(given_up).values(**values)).rowcount


def request_of(row: Row[Any]) -> Request:
    """Convert a row of the table."""
    return Request(
        key=row.id,
        series_instance_uid=row.series_instance_uid,
        source=row.source,
        sender=Sender(row.calling_ae_title, row.called_ae_title, row.address),
        person=row.person,
        order_uid=row.order_uid or "",
        pipeline=row.pipeline,
        destinations=tuple(row.destinations),
        created_at=row.created_at,
        last_at=row.last_at,
        outcome=AssociationOutcome(row.outcome),
        state=RequestState(row.state),
        reason=row.reason,
        content=row.content,
    )


def _with_jobs(job_ids: Sequence[str]) -> Any:
    linked = select(request_jobs.c.request_id).where(request_jobs.c.job_id.in_(job_ids))
    return requests.c.id.in_(linked)


def _new(series_instance_uid: str, source: str, now: float) -> dict[str, Any]:
    return {
        "series_instance_uid": series_instance_uid,
        "source": source,
        "calling_ae_title": "",
        "called_ae_title": "",
        "address": "",
        "person": "",
        "order_uid": None,
        "pipeline": "",
        "destinations": [],
        "created_at": now,
        "last_at": now,
        "outcome": AssociationOutcome.RELEASED,
        "state": RequestState.WAITING,
        "reason": "",
        "content": "",
    }


def _job(row: Row[Any]) -> JobOfRequest:
    return JobOfRequest(
        request=row.request_id,
        job_id=row.job_id,
        pipeline=row.pipeline,
        rule=row.rule,
        destinations=tuple(Destination(**one) for one in row.destinations),
    )
