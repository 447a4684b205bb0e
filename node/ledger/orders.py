"""Rows of orders: jobs that were asked for by name, from the folder to the job that does it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.ledger.events import record_event
from node.ledger.schema import orders, series
from node.ledger.series import CANCELLED as SERIES_CANCELLED
from node.ledger.series import KEPT, PROCESSING

WAITING, READ, HELD, SUBMITTED, FAILED = "waiting", "read", "held", "submitted", "failed"
CANCELLED = "cancelled"
IN_DIR, UPLOADS = "in_dir", "uploads"
"""Roots: the one of the configuration, and the folder of uploads in the storage folder."""
UPLOADS_FOLDER = "uploads"


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
    row |= {"destinations": list(asked.destinations), "state": WAITING, "words": ""}
    connection.execute(insert(orders).values(**row, uid=uid, created_at=now))
    words = f"job {uid} ({asked.pipeline}), {_who(asked)}"
    record_event(connection, "person: job", words, now=now)
    return uid


def find_order(connection: Connection, uid: str) -> Order | None:
    """One order, if the ledger knows it."""
    row = connection.execute(select(orders).where(orders.c.uid == uid)).first()
    return None if row is None else _order(row)


def next_waiting(connection: Connection) -> Order | None:
    """The order that waits longest for its folder to be read."""
    query = select(orders).where(orders.c.state == WAITING).order_by(orders.c.created_at)
    row = connection.execute(query.limit(1)).first()
    return None if row is None else _order(row)


def waiting_uids(connection: Connection) -> set[str]:
    """Orders whose folder was not read yet."""
    return set(connection.scalars(select(orders.c.uid).where(orders.c.state == WAITING)))


def due_orders(connection: Connection) -> list[Order]:
    """Orders whose series is here, and neither arriving nor held."""
    decided = series.c.state.in_((KEPT, PROCESSING, SERIES_CANCELLED))
    rows = connection.execute(
        select(orders)
        .join(series, series.c.series_instance_uid == orders.c.series_instance_uid)
        .where(orders.c.state == READ, decided)
        .order_by(orders.c.created_at)
    )
    return [_order(row) for row in rows]


def mark_read(connection: Connection, uid: str, series_instance_uid: str) -> None:
    """Its files are instances of the inbox; what the folder is called is not needed any more."""
    _set(connection, uid, state=READ, folder="", series_instance_uid=series_instance_uid)


def mark_submitted(connection: Connection, uid: str, job_id: str, now: float) -> None:
    """A job does it from now on."""
    _set(connection, uid, state=SUBMITTED, words="", job_id=job_id, finished_at=now)


def hold_order(connection: Connection, uid: str, words: str) -> None:
    """Its series does not suit the pipeline as it is; a person, or more of the series, decides."""
    _set(connection, uid, state=HELD, words=words)


def fail_order(connection: Connection, order: Order, words: str, now: float) -> None:
    """It cannot be done, with an event that says why."""
    _set(connection, order.uid, state=FAILED, words=words, folder="", finished_at=now)
    uid = order.series_instance_uid
    told = f"job {order.uid} ({order.asked.pipeline}): {words}"
    record_event(connection, "not done", told, now=now, series_instance_uid=uid)


def look_again(connection: Connection, series_instance_uids: Sequence[str]) -> int:
    """More of their series came, or a person released it; how many orders were held."""
    held = orders.c.series_instance_uid.in_(series_instance_uids) & (orders.c.state == HELD)
    return connection.execute(update(orders).where(held).values(state=READ, words="")).rowcount


def cancel_orders(connection: Connection, series_instance_uid: str, reason: str, now: float) -> int:
    """A person does not want what was asked of a series and has no job yet; how many orders."""
    own = orders.c.series_instance_uid == series_instance_uid
    values = {"state": CANCELLED, "words": reason, "finished_at": now}
    open_ones = own & orders.c.state.in_((READ, HELD))
    return connection.execute(update(orders).where(open_ones).values(**values)).rowcount


def _who(asked: Asked) -> str:
    return f"by {asked.person} from {asked.address}"


def _set(connection: Connection, uid: str, **values: Any) -> None:
    connection.execute(update(orders).where(orders.c.uid == uid).values(**values))


def _order(row: Row[Any]) -> Order:
    asked = {name: getattr(row, name) for name in Asked.__slots__}
    return Order(
        uid=row.uid,
        state=row.state,
        words=row.words,
        asked=Asked(**(asked | {"destinations": tuple(row.destinations)})),
        created_at=row.created_at,
        series_instance_uid=row.series_instance_uid or "",
        job_id=row.job_id or "",
    )
