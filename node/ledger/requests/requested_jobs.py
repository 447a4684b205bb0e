"""Rows of orders: folders on which jobs were asked for by name, until they are read.

Then what was asked is a request of the folder's series, which says what becomes of it.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.ledger.event_kinds import EventKind
from node.ledger.row_states import OrderState, RequestState
from node.ledger.schema import orders, request_jobs, requests
from node.ledger.tables.events import record_event

IN_DIR, UPLOADS = "in_dir", "uploads"
"""Roots: the one of the configuration, and the folder of uploads in the storage folder."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for, and who."""

    pipeline: str
    root: str
    folder: str
    wanted: str = ""
    """Which series, where the folder has several."""
    destinations: tuple[str, ...] = ()
    """Names of peers; none: results stay here."""
    person: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the ledger knows it."""

    uid: str
    state: str
    """Once its folder was read that of its request; `read` while that one waits."""
    words: str
    asked: Asked
    created_at: float
    series_instance_uid: str
    """Empty until the folder was read."""
    job_id: str
    """Empty until it was submitted."""


def place_order(connection: Connection, asked: Asked, now: float, uid: str = "") -> str:
    """Record what somebody asks for; answers its uid, under which it is known at once."""
    uid = uid or uuid.uuid4().hex
    row = {name: getattr(asked, name) for name in Asked.__slots__}
    row |= {"destinations": list(asked.destinations), "state": OrderState.WAITING, "words": ""}
    connection.execute(insert(orders).values(**row, uid=uid, created_at=now))
    words = f"job {uid} ({asked.pipeline}), by {asked.person} from {asked.address}"
    record_event(connection, EventKind.PERSON_JOB, words, now=now)
    return uid


def find_order(connection: Connection, uid: str) -> Order | None:
    """One order, if the ledger knows it."""
    row = connection.execute(select(orders).where(orders.c.uid == uid)).first()
    if row is None:
        return None
    asked = requests.c.order_uid == uid
    request = connection.execute(select(requests).where(asked)).first()
    if request is None:
        return _order(row, row.state, row.words)
    state = OrderState.READ if request.state == RequestState.WAITING else request.state
    own = request_jobs.c.request_id == request.id
    latest = select(request_jobs.c.job_id).where(own).order_by(request_jobs.c.id.desc()).limit(1)
    return _order(row, state, request.reason, connection.scalar(latest) or "")


def next_waiting(connection: Connection) -> Order | None:
    """The order that waits longest for its folder to be read."""
    query = select(orders).where(orders.c.state == OrderState.WAITING).order_by(orders.c.created_at)
    row = connection.execute(query.limit(1)).first()
    return None if row is None else _order(row, row.state, row.words)


def waiting_uids(connection: Connection) -> set[str]:
    """Orders whose folder was not read yet."""
    return set(connection.scalars(select(orders.c.uid).where(orders.c.state == OrderState.WAITING)))


def mark_read(connection: Connection, uid: str, series_instance_uid: str) -> None:
    """Record that the files of an order are stored; their folder's name is not needed any more."""
    _set(connection, uid, state=OrderState.READ, folder="", series_instance_uid=series_instance_uid)


def fail_order(connection: Connection, order: Order, words: str, now: float) -> None:
    """Its folder cannot be read, with an event that says why."""
    _set(connection, order.uid, state=OrderState.FAILED, words=words, folder="")
    uid = order.series_instance_uid
    told = f"job {order.uid} ({order.asked.pipeline}): {words}"
    record_event(connection, EventKind.NOT_DONE, told, now=now, series_instance_uid=uid)


def _set(connection: Connection, uid: str, **values: Any) -> None:
    connection.execute(update(orders).where(orders.c.uid == uid).values(**values))


def _order(row: Row[Any], state: str, words: str, job_id: str = "") -> Order:
    asked = {name: getattr(row, name) for name in Asked.__slots__}
    return Order(
        uid=row.uid,
        state=state,
        words=words,
        asked=Asked(**(asked | {"destinations": tuple(row.destinations)})),
        created_at=row.created_at,
        series_instance_uid=row.series_instance_uid or "",
        job_id=job_id,
    )
