"""Rows of pauses: pipelines of which no job begins, and peers to which nothing is sent."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select

from core.plain_text import stamp
from node.answers import Asker
from node.ledger.node_tables import pauses


class Pausable(StrEnum):
    """What a person can pause."""

    PIPELINE = "pipeline"
    PEER = "peer"


@dataclass(frozen=True, slots=True)
class Pause:
    """A paused pipeline or peer, since when (seconds since 1970) and by whom."""

    what: Pausable
    name: str
    since: float
    person: str
    """Empty for the command line."""
    address: str

    @property
    def by_whom(self) -> str:
        """The person, and from where."""
        if self.person:
            return f"{self.person} from {self.address}"
        return "a person at the command line"

    @property
    def words(self) -> str:
        """The pause in words, such as for a job that waits because of it."""
        return f"{self.what} {self.name} is paused since {stamp(self.since)} by {self.by_whom}"


def find_pause(connection: Connection, what: Pausable, name: str) -> Pause | None:
    """Return the pause of a pipeline or peer; None if it is not paused."""
    return pauses_of(connection, what).get(name)


def all_pauses(connection: Connection) -> list[Pause]:
    """Return all pauses, the oldest first."""
    rows = connection.execute(select(pauses).order_by(pauses.c.since))
    return [Pause(Pausable(row.what), row.name, row.since, row.person, row.address) for row in rows]


def pauses_of(connection: Connection, what: Pausable) -> dict[str, Pause]:
    """Return the paused pipelines or peers by name."""
    return {one.name: one for one in all_pauses(connection) if one.what == what}


def paused_names(what: Pausable) -> Select[Any]:
    """Select the names of paused pipelines or peers."""
    return select(pauses.c.name).where(pauses.c.what == what)


def record_pause(
    connection: Connection, what: Pausable, name: str, *, asker: Asker, now: float
) -> None:
    """Record that a pipeline or peer is paused."""
    who = {"person": asker.person, "address": asker.address}
    connection.execute(insert(pauses).values(what=what, name=name, since=now, **who))


def end_pause(connection: Connection, what: Pausable, name: str) -> None:
    """Record that a pipeline or peer is paused no more."""
    own = (pauses.c.what == what) & (pauses.c.name == name)
    connection.execute(delete(pauses).where(own))
