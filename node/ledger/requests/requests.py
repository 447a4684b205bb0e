"""Rows of requests: who wants what of a series, the decision on it, and its jobs.

Completeness is a matter of the series; jobs and destinations are decided for each request. An
association that ends joins its sender's request while that waits or is held, else makes a new one.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, insert, select, update

from core.priority import Priority
from network.sender import Sender
from node.ledger.row_states import AssociationOutcome, RequestState
from node.ledger.schema import requests
from node.ledger.tables.instances import StoredInstance

UNDECIDED = (RequestState.WAITING, RequestState.HELD)
STANDING = (RequestState.WAITING, RequestState.HELD, RequestState.KEPT, RequestState.SUBMITTED)
"""States in which a request is judged again when the series gets new instances."""
ASSOCIATION, FROM_FOLDER, UPLOAD, RUN = "association", "folder", "upload", "person"
"""Sources of requests."""

_SENDER = ("calling_ae_title", "called_ae_title", "address")
# Built once, as building a statement in SQLAlchemy takes longer than running it.
_GIVEN = bindparam("given", type_=requests.c.priority.type)
_JOINED = (
    update(requests)
    .where(
        requests.c.series_instance_uid == bindparam("of_series"),
        requests.c.source == ASSOCIATION,
        *(requests.c[name] == bindparam(f"of_{name}") for name in _SENDER),
        requests.c.state.in_(UNDECIDED),
    )
    .values(priority=case((requests.c.priority < _GIVEN, _GIVEN), else_=requests.c.priority))
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
    """Id of the requested job, or number of the command; empty for a request by association."""
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
    rules: str
    """Hash of the routing rules none of which took it; empty: a rule did, or none was asked."""
    priority: Priority = Priority.MEDIUM
    """The highest that the sender gave with C-STORE."""

    @property
    def is_by_name(self) -> bool:
        """True if the request names its pipeline, so that rules do not apply."""
        return bool(self.pipeline)

    @property
    def asker(self) -> str:
        """The sender or person, in words."""
        if self.source == ASSOCIATION:
            return str(self.sender)
        if self.source == RUN:
            return self.by_whom
        return f"{self.person} from {self.sender.address}, {self.source}"

    @property
    def by_whom(self) -> str:
        """The person who runs a pipeline on a case, and from where."""
        if self.person:
            return f"{self.person} from {self.sender.address}"
        return "a person at the command line"

    @property
    def is_given_up_run(self) -> bool:
        """True if a person could not run a pipeline on a case; nothing else depends on it."""
        return self.source == RUN and self.state == RequestState.CANCELLED

    def has_same_asker(self, other: "Request") -> bool:
        """True if both requests are of the same sender; a request by name has its own asker."""
        if self.is_by_name or other.is_by_name:
            return self.key == other.key
        return self.sender == other.sender


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
    priority: Priority = Priority.MEDIUM,
) -> None:
    """Record that an association of `sender` with instances of a series has ended."""
    who = asdict(sender)
    values = {"last_at": now, "outcome": outcome, "state": RequestState.WAITING, "reason": ""}
    values |= {"rules": ""}
    key = {"of_series": series_instance_uid} | {f"of_{name}": who[name] for name in _SENDER}
    if connection.execute(_JOINED, values | key | {"given": int(priority)}).rowcount:
        return
    row = _new(series_instance_uid, ASSOCIATION, now) | who | values
    row |= {"priority": int(priority)}
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


def find_order(connection: Connection, order_uid: str) -> Request | None:
    """Return the request with this id of a requested job or command; None if there is none."""
    query = select(requests).where(requests.c.order_uid == order_uid)
    row = connection.execute(query).first()
    return None if row is None else request_of(row)


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


def decide(
    connection: Connection,
    key: int,
    state: RequestState,
    reason: str = "",
    *,
    content: str | None = None,
    rules: str = "",
) -> None:
    """Record the state of a request, its reason, the content judged, and rules that left it."""
    values = {"state": state, "reason": reason, "rules": rules}
    values |= {} if content is None else {"content": content}
    connection.execute(update(requests).where(requests.c.id == key).values(**values))


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
        rules=row.rules,
        priority=Priority(row.priority),
    )


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
        "rules": "",
        "priority": int(Priority.MEDIUM),
    }
