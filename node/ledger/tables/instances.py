"""Rows of associations, and of the instances received over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam, insert, select, update

from core.errors import StorageUnavailableError
from core.priority import Priority
from network.sender import Sender
from node.ledger.row_states import AssociationOutcome, SeriesState
from node.ledger.schema import associations, instances, receptions, series

OPEN, RELEASED, ABORTED, REJECTED = AssociationOutcome

# Built once, as building a statement in SQLAlchemy takes longer than running it.
_KEY = associations.c.id == bindparam("key")
_OPENED, _OF_KEY = insert(associations), select(associations).where(_KEY)
_CLOSED = update(associations).where(_KEY, associations.c.outcome == OPEN)


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """A stored instance; `path` is relative to the storage folder."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    sha256: str
    """Hash of the encoded data set and its transfer syntax."""
    size_bytes: int
    path: str
    made_here: bool
    """True if a Slicewire node made the instance."""
    differs: bool = False
    """True if a different content under this SOP Instance UID is in use."""


def open_association(connection: Connection, sender: Sender, now: float) -> int:
    """Record an accepted association; return its id."""
    return _insert_association(connection, sender, opened_at=now, outcome=OPEN)


def record_rejection(connection: Connection, sender: Sender, now: float, reason: str) -> None:
    """Record an association that was rejected, and why."""
    _insert_association(
        connection, sender, opened_at=now, closed_at=now, outcome=REJECTED, reason=reason
    )


def close_association(connection: Connection, key: int, outcome: str, now: float) -> None:
    """Record how an association ended."""
    connection.execute(_CLOSED, {"key": key, "outcome": outcome, "closed_at": now})


def sender_of(connection: Connection, association: int) -> Sender:
    """Return the sender that opened an association."""
    row = connection.execute(_OF_KEY, {"key": association}).one()
    return Sender(row.calling_ae_title, row.called_ae_title, row.address)


def last_association(connection: Connection, series_instance_uid: str) -> tuple[Sender, str] | None:
    """Return the sender of the latest instance of a series, and the outcome of its association."""
    row = connection.execute(
        select(associations)
        .join(receptions, receptions.c.association_id == associations.c.id)
        .join(instances, instances.c.id == receptions.c.instance_id)
        .where(instances.c.series_instance_uid == series_instance_uid)
        .order_by(instances.c.id.desc(), associations.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Sender(row.calling_ae_title, row.called_ae_title, row.address), row.outcome


def open_associations(connection: Connection) -> list[int]:
    """Return ids of open associations; at the start, those that the last run left open."""
    return list(connection.scalars(select(associations.c.id).where(associations.c.outcome == OPEN)))


def has_association(connection: Connection, key: int) -> bool:
    """True if an association of this id exists."""
    query = select(associations.c.id).where(associations.c.id == key)
    return connection.execute(query).first() is not None


def find_instances(connection: Connection, sop_instance_uid: str) -> list[tuple[int, str, str]]:
    """Return id, hash and path of every content under one SOP Instance UID, oldest first."""
    rows = connection.execute(
        select(instances.c.id, instances.c.sha256, instances.c.path)
        .where(instances.c.sop_instance_uid == sop_instance_uid)
        .order_by(instances.c.id)
    )
    return [(row.id, row.sha256, row.path) for row in rows]


def uids_by_path(connection: Connection, series_instance_uid: str) -> dict[str, str]:
    """Return the SOP Instance UIDs of a series by paths relative to the storage folder."""
    columns = (instances.c.path, instances.c.sop_instance_uid)
    of_series = instances.c.series_instance_uid == series_instance_uid
    rows = connection.execute(select(*columns).where(of_series))
    return {row.path: row.sop_instance_uid for row in rows}


def record_instance(connection: Connection, instance: StoredInstance, now: float) -> int:
    """Record an instance that is on disk; return its id."""
    values = {name: getattr(instance, name) for name in instance.__slots__}
    return _inserted_id(connection.execute(insert(instances).values(received_at=now, **values)))


def restore_instance(connection: Connection, key: int) -> bool:
    """Record that a removed instance was received again; False if it was not removed."""
    removed = (instances.c.id == key) & instances.c.removed_at.is_not(None)
    return bool(
        connection.execute(update(instances).where(removed).values(removed_at=None)).rowcount
    )


def removed_instances(connection: Connection, sop_instance_uid: str) -> set[int]:
    """Return ids of contents under one SOP Instance UID whose files are or are being removed."""
    removed = instances.c.removed_at.is_not(None)
    of_uid = instances.c.sop_instance_uid == sop_instance_uid
    return set(connection.scalars(select(instances.c.id).where(of_uid & removed)))


def mark_gone(connection: Connection, keys: Sequence[int], now: float) -> None:
    """Record that files of instances are missing, whoever removed them."""
    gone = instances.c.id.in_(keys) & instances.c.removed_at.is_(None)
    connection.execute(update(instances).where(gone).values(removed_at=now))


def record_reception(
    connection: Connection,
    association: int,
    instance: int,
    priority: Priority = Priority.MEDIUM,
) -> None:
    """Record that an instance was received over an association, once even if it was sent twice."""
    known = select(receptions).where(
        receptions.c.association_id == association, receptions.c.instance_id == instance
    )
    if connection.execute(known).first() is None:
        connection.execute(
            insert(receptions).values(
                association_id=association, instance_id=instance, priority=int(priority)
            )
        )


def arriving(now: float) -> dict[str, Any]:
    """Return the column values of a series that received a new instance."""
    state = {"state": SeriesState.ARRIVING, "reason": "", "last_at": now, "ready_at": None}
    return state | {"released_by_person": False, "incomplete_since": None}


def touch_series(
    connection: Connection, instance: StoredInstance, association: int, now: float
) -> None:
    """Record that a series received a new instance, so that it is arriving (again)."""
    key = series.c.series_instance_uid == instance.series_instance_uid
    fresh = arriving(now)
    if connection.execute(update(series).where(key).values(**fresh)).rowcount:
        return
    row = connection.execute(select(associations).where(associations.c.id == association)).one()
    connection.execute(
        insert(series).values(
            series_instance_uid=instance.series_instance_uid,
            study_instance_uid=instance.study_instance_uid,
            calling_ae_title=row.calling_ae_title,
            called_ae_title=row.called_ae_title,
            address=row.address,
            first_at=now,
            **fresh,
        )
    )


def _insert_association(
    connection: Connection,
    sender: Sender,
    *,
    opened_at: float,
    outcome: str,
    closed_at: float | None = None,
    reason: str = "",
) -> int:
    values = {
        "calling_ae_title": sender.calling_ae_title,
        "called_ae_title": sender.called_ae_title,
        "address": sender.address,
        "opened_at": opened_at,
        "closed_at": closed_at,
        "outcome": outcome,
        "reason": reason,
    }
    return _inserted_id(connection.execute(_OPENED, values))


def _inserted_id(result: CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    if key is None:
        raise StorageUnavailableError("The ledger did not return the id of a new row")
    return int(key[0])
