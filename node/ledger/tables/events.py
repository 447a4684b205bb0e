"""Rows of events: what happened, in words and in order."""

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
    """Record an event; `words` say what and why, and never name the patient."""
    values = {"at": now, "kind": kind, "words": words, "series_instance_uid": series_instance_uid}
    connection.execute(_INSERT, values)


def events_of(connection: Connection, series_instance_uid: str) -> list[tuple[float, str, str]]:
    """Return time, kind and words of all events of a series, in order."""
    rows = connection.execute(
        select(events.c.at, events.c.kind, events.c.words)
        .where(events.c.series_instance_uid == series_instance_uid)
        .order_by(events.c.id)
    )
    return [(row.at, row.kind, row.words) for row in rows]
