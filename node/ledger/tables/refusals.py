"""Rows of refusals: instances that were answered with a failure status and not stored."""

from collections.abc import Mapping

from sqlalchemy import Connection, case, exists, func, insert, select, update

from node.ledger.schema import instances
from node.ledger.schema_contents import refusals


def record_refused(
    connection: Connection, series_instance_uid: str, words: Mapping[str, str], now: float
) -> None:
    """Record refusals of instances of a series, once for each; `words` by SOPInstanceUID."""
    of_series = refusals.c.series_instance_uid == series_instance_uid
    known = set(connection.scalars(select(refusals.c.sop_instance_uid).where(of_series)))
    for uid in known & words.keys():
        row = of_series & (refusals.c.sop_instance_uid == uid)
        connection.execute(update(refusals).where(row).values(words=words[uid], at=now))
    new = [
        {
            "series_instance_uid": series_instance_uid,
            "sop_instance_uid": uid,
            "words": one,
            "at": now,
        }
        for uid, one in words.items()
        if uid not in known
    ]
    if new:
        connection.execute(insert(refusals), new)


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
    no_uid = case((refusals.c.sop_instance_uid == "", 1), else_=0)  # stands for any number
    several = connection.scalar(select(func.sum(no_uid)).where(missing))
    one = connection.execute(
        select(refusals.c.sop_instance_uid, refusals.c.words)
        .where(missing)
        .order_by(no_uid, refusals.c.at.desc())
        .limit(1)
    ).first()
    if one is None:
        return ""
    return (
        f"{'at least ' if several else ''}{count} instances were refused and not received again, "
        f"such as {one.sop_instance_uid or 'one whose UID is not known'} ({one.words})"
    )
