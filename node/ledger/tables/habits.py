"""Rows of habits: senders that open an association for each instance, and their longest pauses.

The row of a series has its latest association with one instance: its sender, when it ended, and how
many there were in a row.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from network.sender import Sender
from node.ledger.node_tables import habits
from node.ledger.schema import associations, instances, receptions, series

_FORGOTTEN_AFTER_S = 30 * 86_400.0
"""Time after which a shorter pause replaces the longest one."""

# Built once, as building a statement in SQLAlchemy takes longer than running it.
_OWN = (habits.c.calling_ae_title == bindparam("title")) & (habits.c.address == bindparam("place"))
_HABIT = select(habits).where(_OWN)
_BROUGHT = (
    select(instances.c.series_instance_uid, instances.c.sop_class_uid)
    .join(receptions, receptions.c.instance_id == instances.c.id)
    .where(receptions.c.association_id == bindparam("association"))
    .limit(2)
)
_OPENED = select(associations.c.opened_at).where(associations.c.id == bindparam("association"))
_SINGLES = select(series.c.singles, series.c.single_at, series.c.single_by).where(
    series.c.series_instance_uid == bindparam("uid")
)
_KNOWN = select(func.count()).select_from(
    select(instances.c.id)
    .where(instances.c.series_instance_uid == bindparam("uid"))
    .limit(2)
    .subquery()
)
_COUNTED = update(series).where(series.c.series_instance_uid == bindparam("uid"))


@dataclass(frozen=True, slots=True)
class Single:
    """An association with one instance only, and what else was received of its series."""

    series_instance_uid: str
    sop_class_uid: str
    number: int
    """How many such associations the sender has had in a row for this series."""
    pause_s: float | None
    """Seconds since the previous one; None for the first."""
    is_alone: bool
    """True if the series has no other instance."""


def record_single(
    connection: Connection, association: int, sender: Sender, now: float
) -> Single | None:
    """Count an association that ended; None if it did not have exactly one instance."""
    brought = connection.execute(_BROUGHT, {"association": association}).all()
    if len(brought) != 1:
        return None
    uid, by = brought[0].series_instance_uid, f"{sender.calling_ae_title}@{sender.address}"[:96]
    before = connection.execute(_SINGLES, {"uid": uid}).one()
    same = before.single_by == by and before.single_at is not None
    number = before.singles + 1 if same else 1
    values = {"uid": uid, "singles": number, "single_at": now, "single_by": by}
    connection.execute(_COUNTED, values)
    opened_at = connection.scalar(_OPENED, {"association": association}) or now
    return Single(
        series_instance_uid=uid,
        sop_class_uid=brought[0].sop_class_uid,
        number=number,
        pause_s=max(0.0, opened_at - before.single_at) if same else None,
        is_alone=connection.scalar(_KNOWN, {"uid": uid}) == 1,
    )


def longest_pause_s(connection: Connection, sender: Sender) -> float | None:
    """Return the longest pause of a sender between instances, in seconds; None: unknown."""
    who = {"title": sender.calling_ae_title, "place": sender.address}
    row = connection.execute(_HABIT, who).first()
    return None if row is None else float(row.longest_pause_s)


def learn_pause(connection: Connection, sender: Sender, pause_s: float, now: float) -> None:
    """Record a pause if it is the longest, or if the longest was more than 30 days ago."""
    who = {"title": sender.calling_ae_title, "place": sender.address}
    row = connection.execute(_HABIT, who).first()
    values = {"longest_pause_s": pause_s, "at": now}
    if row is None:
        key = {"calling_ae_title": sender.calling_ae_title, "address": sender.address}
        connection.execute(insert(habits).values(**key, **values))
    elif pause_s >= row.longest_pause_s or row.at < now - _FORGOTTEN_AFTER_S:
        connection.execute(update(habits).where(_OWN).values(**values), who)


def habits_of(connection: Connection) -> list[tuple[Sender, float]]:
    """Return the senders that send instance by instance, and their longest pauses in seconds."""
    rows = connection.execute(select(habits).order_by(habits.c.calling_ae_title, habits.c.address))
    return [(Sender(row.calling_ae_title, "", row.address), row.longest_pause_s) for row in rows]


def singles_of(connection: Connection, series_instance_uid: str) -> int:
    """Return how many associations in a row had one instance of a series only."""
    return connection.scalar(_SINGLES, {"uid": series_instance_uid}) or 0
