"""Conditions: current problems of the node, such as a full disk or a lost scheduler."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from node.ledger.node_tables import conditions

DISK, ENGINE, RESULTS = "disk", "engine", "results"


@dataclass(frozen=True, slots=True)
class Condition:
    """A current problem of the node, in words."""

    name: str
    since: float
    words: str


def set_condition(connection: Connection, name: str, words: str, now: float) -> float:
    """Record that a condition holds; return since when (seconds since 1970)."""
    key = conditions.c.name == name
    since = connection.scalar(select(conditions.c.since).where(key))
    if since is None:
        connection.execute(insert(conditions).values(name=name, since=now, words=words))
        return now
    connection.execute(update(conditions).where(key).values(words=words))
    return float(since)


def clear_condition(connection: Connection, name: str) -> bool:
    """Record that a condition is over; False if it did not hold."""
    return connection.execute(delete(conditions).where(conditions.c.name == name)).rowcount > 0


def all_conditions(connection: Connection) -> list[Condition]:
    """Return all current conditions, the oldest first."""
    rows = connection.execute(select(conditions).order_by(conditions.c.since))
    return [Condition(row.name, row.since, row.words) for row in rows]
