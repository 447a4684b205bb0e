"""What happened, in words, in the order in which it happened."""

from sqlalchemy import Connection, insert, select

from node.ledger.event_kinds import EventKind
from node.ledger.schema import events

_INSERT = insert(events)


def record_event(
    connection: Connection,
    kind: EventKind,
    words: str,
    *,
    now: float,
    series_instance_uid: str = "",
) -> None:
    """Record an event; `words` say what and why, never who the patient is."""
    values = {"at": now, "kind": kind, "words": words, "series_instance_uid": series_instance_uid}
    connection.execute(_INSERT, values)


def events_of(connection: Connection, series_instance_uid: str) -> list[tuple[float, str, str]]:
    """Time, kind and words of everything that happened to a series."""
    rows = connection.execute(
        select(events.c.at, events.c.kind, events.c.words)
        .where(events.c.series_instance_uid == series_instance_uid)
        .order_by(events.c.id)
    )
    return [(row.at, row.kind, row.words) for row in rows]
