"""Associations that were rejected lately, by sender, and not accepted since."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from network.sender import Sender
from node.ledger.schema import associations
from node.ledger.tables.instances import REJECTED

_LOOK_BACK_S = 86400.0
_MOST_READ = 20_000
_MOST_SHOWN = 20
_REPEATED = re.compile(r" \(and (\d+) times before\)$")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A sender whose latest association was rejected."""

    sender: Sender
    at: float
    words: str
    count: int
    """Rejections of this sender for this reason that are known, with repetitions."""


def rejections(connection: Connection, now: float) -> list[Rejected]:
    """Read the senders that were rejected within a day, the latest first; at most 20.

    Of the latest 20,000 associations. A sender that was accepted afterwards is left out.
    """
    last = connection.scalar(select(func.max(associations.c.id))) or 0
    lately = associations.c.id > last - _MOST_READ
    by_sender = _rejected_rows(connection, lately, now - _LOOK_BACK_S)
    accepted = _last_accepted(connection, lately, by_sender)
    found = [
        _rejected(sender, rows)
        for sender, rows in by_sender.items()
        if rows[0].id > accepted.get(sender, 0)
    ]
    return found[:_MOST_SHOWN]


def _rejected_rows(
    connection: Connection, lately: ColumnElement[bool], since: float
) -> dict[Sender, list[Any]]:
    """Rows of rejected associations by sender, the latest first."""
    rejected = lately & (associations.c.outcome == REJECTED) & (associations.c.opened_at >= since)
    query = select(associations).where(rejected).order_by(associations.c.id.desc())
    found: dict[Sender, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(_sender(row), []).append(row)
    return found


def _last_accepted(
    connection: Connection, lately: ColumnElement[bool], senders: Collection[Sender]
) -> dict[Sender, int]:
    """Id of the latest association of each of `senders` that was not rejected."""
    titles = {one.calling_ae_title for one in senders}
    accepted = lately & (associations.c.outcome != REJECTED)
    columns = [associations.c[name] for name in ("calling_ae_title", "called_ae_title", "address")]
    rows = connection.execute(
        select(*columns, func.max(associations.c.id).label("id"))
        .where(accepted, associations.c.calling_ae_title.in_(titles))
        .group_by(*columns)
    )
    return {_sender(row): row.id for row in rows}


def _sender(row: Any) -> Sender:
    return Sender(row.calling_ae_title, row.called_ae_title, row.address)


def _rejected(sender: Sender, rows: Sequence[Any]) -> Rejected:
    """The latest rejection of a sender, with how often it was rejected for that reason."""
    words = _REPEATED.sub("", rows[0].reason)
    own = [row.reason for row in rows if _REPEATED.sub("", row.reason) == words]
    return Rejected(sender, rows[0].opened_at, words, sum(map(_count, own)))


def _count(words: str) -> int:
    repeated = _REPEATED.search(words)
    return 1 + (int(repeated[1]) if repeated is not None else 0)
