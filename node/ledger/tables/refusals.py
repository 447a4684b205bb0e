"""Rows of refusals: instances that were answered with a failure status and not stored."""

from sqlalchemy import Connection, exists, func, insert, select, update

from node.ledger.schema import instances
from node.ledger.schema_contents import refusals


def record_refusal(
    connection: Connection,
    series_instance_uid: str,
    sop_instance_uid: str,
    *,
    words: str,
    now: float,
) -> None:
    """Record the refusal of an instance of a series, once for each instance."""
    row = (refusals.c.series_instance_uid == series_instance_uid) & (
        refusals.c.sop_instance_uid == sop_instance_uid
    )
    values = {"words": words, "at": now}
    if not connection.execute(update(refusals).where(row).values(**values)).rowcount:
        key = {
            "series_instance_uid": series_instance_uid,
            "sop_instance_uid": sop_instance_uid,
        }
        connection.execute(insert(refusals).values(**(key | values)))


def refused_words(connection: Connection, series_instance_uid: str) -> str:
    """Say how many refused instances of a series were not received since, with one of them."""
    received = exists(
        select(instances.c.id).where(
            instances.c.sop_instance_uid == refusals.c.sop_instance_uid,
            instances.c.removed_at.is_(None),
        )
    )
    missing = (refusals.c.series_instance_uid == series_instance_uid) & ~received
    count = connection.scalar(select(func.count()).select_from(refusals).where(missing)) or 0
    last = connection.execute(
        select(refusals.c.sop_instance_uid, refusals.c.words)
        .where(missing)
        .order_by(refusals.c.at.desc())
        .limit(1)
    ).first()
    if last is None:
        return ""
    return (
        f"{count} instances were refused and not received again, such as "
        f"{last.sop_instance_uid} ({last.words})"
    )
