"""Rows of requests: who asked for what of a series, what was decided, and which jobs do it.

What a series holds and whether that is whole is the series' own; what runs on it, and where the
results go, is decided for each request. An association that ends joins its sender's request while
that one waits or is held, and makes another one afterwards.
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
"""Judged again when something new of the series comes."""
ASSOCIATION, FROM_FOLDER, UPLOAD = "association", "folder", "upload"
"""Sources."""

_SENDER = ("calling_ae_title", "called_ae_title", "address")
# Built once, as every association needs them: SQLAlchemy builds one slower than a database runs it.
_JOINED = update(requests).where(
    requests.c.series_instance_uid == bindparam("of_series"),
    requests.c.source == ASSOCIATION,
    *(requests.c[name] == bindparam(f"of_{name}") for name in _SENDER),
    requests.c.state.in_(UNDECIDED),
)
_MADE = insert(requests)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the ledger knows it."""

    key: int
    series_instance_uid: str
    source: str
    sender: Sender
    """Both titles are empty where a person asked."""
    person: str
    order_uid: str
    """Empty for what an association brought."""
    pipeline: str
    """Asked for by name; empty: the rules of the configuration say."""
    destinations: tuple[str, ...]
    """Names of peers that were asked for."""
    created_at: float
    last_at: float
    """When the last association of it ended."""
    outcome: AssociationOutcome
    """How that one ended."""
    state: RequestState
    reason: str
    content: str
    """Hash of what it was decided on; empty before."""

    @property
    def is_by_name(self) -> bool:
        """Whether its pipeline was named, so that no rule is asked."""
        return bool(self.pipeline)

    @property
    def asker(self) -> str:
        """Who asked, in words."""
        if self.source == ASSOCIATION:
            return str(self.sender)
        return f"{self.person} from {self.sender.address}, {self.source}"

    def is_of_same_asker(self, other: "Request") -> bool:
        """Whether the same sender asked for both; what was asked for by name stands for itself."""
        if self.is_by_name or other.is_by_name:
            return self.key == other.key
        return self.sender == other.sender


@dataclass(frozen=True, slots=True)
class JobOfRequest:
    """A job that does a request, and where its results go for this request."""

    request: int
    job_id: str
    pipeline: str
    rule: str
    """Of the configuration; empty where it was asked for by name."""
    destinations: tuple[Destination, ...]


def content_hash(instances: Iterable[StoredInstance]) -> str:
    """Hash of what is here of a series, without what came second under a UID."""
    here = sorted(f"{one.sop_instance_uid} {one.sha256}" for one in instances if not one.differs)
    return hashlib.sha256("\n".join(here).encode()).hexdigest()


def bring(
    connection: Connection,
    series_instance_uid: str,
    sender: Sender,
    *,
    outcome: str,
    now: float,
) -> None:
    """An association of `sender` that brought something of a series has ended."""
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
    """Somebody asks for a pipeline by its name; `asked` has pipeline, destinations, who asks."""
    row = _new(series_instance_uid, source, now) | asked | {"order_uid": order_uid}
    connection.execute(_MADE, row)


def requests_of(connection: Connection, series_instance_uid: str) -> list[Request]:
    """Every request of a series, oldest first."""
    query = select(requests).where(requests.c.series_instance_uid == series_instance_uid)
    return [request_of(row) for row in connection.execute(query.order_by(requests.c.id))]


def wants_by_name_alone(connection: Connection, series_instance_uid: str) -> bool:
    """Whether all requests of a series that wait name their pipeline."""
    waiting = select(requests.c.pipeline).where(
        requests.c.series_instance_uid == series_instance_uid,
        requests.c.state == RequestState.WAITING,
    )
    return all(connection.scalars(waiting))


def jobs_of_requests(connection: Connection, keys: Collection[int]) -> list[JobOfRequest]:
    """Which jobs do them, oldest first."""
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
    """Record what becomes of a request, why, and on which content that was decided."""
    values = {"state": state, "reason": reason}
    values |= {} if content is None else {"content": content}
    connection.execute(update(requests).where(requests.c.id == key).values(**values))


def link_job(connection: Connection, job: JobOfRequest) -> None:
    """Record that a job does a request; the latest link of a pipeline counts."""
    own = (request_jobs.c.request_id == job.request) & (request_jobs.c.job_id == job.job_id)
    values: dict[str, Any] = {"rule": job.rule, "pipeline": job.pipeline}
    values |= {"destinations": [asdict(one) for one in job.destinations]}
    if not connection.execute(update(request_jobs).where(own).values(**values)).rowcount:
        key = {"request_id": job.request, "job_id": job.job_id}
        connection.execute(insert(request_jobs).values(**key, **values))


def standing_jobs(connection: Connection, job_id: str) -> list[JobOfRequest]:
    """What standing requests want of a job, the oldest request first."""
    rows = connection.execute(
        select(request_jobs)
        .join(requests, requests.c.id == request_jobs.c.request_id)
        .where(request_jobs.c.job_id == job_id, requests.c.state.in_(STANDING))
        .order_by(request_jobs.c.request_id)
    )
    return [_job(row) for row in rows]


def look_again(connection: Connection, series_instance_uid: str) -> int:
    """A person wants held requests judged again; how many there were."""
    held = (requests.c.series_instance_uid == series_instance_uid) & (
        requests.c.state == RequestState.HELD
    )
    values = {"state": RequestState.WAITING, "reason": ""}
    return connection.execute(update(requests).where(held).values(**values)).rowcount


def cancel_undecided(connection: Connection, series_instance_uid: str, reason: str) -> int:
    """A person does not want what was not decided yet, or failed; how many requests that were."""
    own = requests.c.series_instance_uid == series_instance_uid
    open_ones = own & requests.c.state.in_((*UNDECIDED, RequestState.FAILED))
    values = {"state": RequestState.CANCELLED, "reason": reason}
    return connection.execute(update(requests).where(open_ones).values(**values)).rowcount


def cancel_requests_of_jobs(connection: Connection, job_ids: Sequence[str], reason: str) -> None:
    """A person cancelled jobs before they left anything: nobody asks for them any more.

    A request for which another job runs or has run stands for that one.
    """
    left = select(request_jobs.c.request_id).join(jobs, jobs.c.job_id == request_jobs.c.job_id)
    stand = left.where(jobs.c.state.not_in((JobState.CANCELLED, JobState.SUPERSEDED)))
    theirs = _with_jobs(job_ids) & requests.c.state.in_(STANDING) & requests.c.id.not_in(stand)
    values = {"state": RequestState.CANCELLED, "reason": reason}
    connection.execute(update(requests).where(theirs).values(**values))


def take_up_requests_of_jobs(connection: Connection, job_ids: Sequence[str]) -> None:
    """A person wants cancelled jobs after all, and so what was asked for."""
    theirs = _with_jobs(job_ids) & (requests.c.state == RequestState.CANCELLED)
    values = {"state": RequestState.SUBMITTED, "reason": ""}
    connection.execute(update(requests).where(theirs).values(**values))


def take_up_undecided(connection: Connection, series_instance_uid: str) -> int:
    """A person wants requests after all that were cancelled undecided; how many those were."""
    own = requests.c.series_instance_uid == series_instance_uid
    decided = requests.c.id.in_(select(request_jobs.c.request_id))
    given_up = own & (requests.c.state == RequestState.CANCELLED) & ~decided
    values = {"state": RequestState.WAITING, "reason": ""}
    return connection.execute(update(requests).where(given_up).values(**values)).rowcount


def request_of(row: Row[Any]) -> Request:
    """A row of the table as a value."""
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
