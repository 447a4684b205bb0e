"""Several contents under one SOP Instance UID: which are disputed, and which a person chose.

`instances.differs` marks contents that are not in use; the first one received is, until a person
chooses the newest. `decided_at` marks contents among which a person chose; a further content that
is received later is disputed again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from node.ledger.schema import instances
from node.ledger.schema_contents import content_choices

NEWEST, FIRST = "newest", "first"


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents received under one SOP Instance UID."""

    sop_instance_uid: str
    by_first_reception: tuple[Any, ...]
    """Rows with id, path, differs and decided_at, in the order of their first reception."""
    elsewhere: str = ""
    """SeriesInstanceUID of another series with this SOP Instance UID; empty: none."""

    @property
    def is_disputed(self) -> bool:
        """True if no content is in use, or one came after the last decision of a person."""
        rows = self.by_first_reception
        nothing_in_use = all(one.differs for one in rows)
        return nothing_in_use or any(one.differs and one.decided_at is None for one in rows)

    def taken(self, which: str) -> Any:
        """Return the row of the newest or the first content."""
        return self.by_first_reception[-1 if which == NEWEST else 0]


@dataclass(frozen=True, slots=True)
class Choice:
    """A person's choice between contents."""

    taken: str
    """`newest` or `first`."""
    instances: int
    differences: str
    """Attributes that differ, with numbers of instances."""
    at: float
    person: str
    address: str

    def __str__(self) -> str:
        who = f" by {self.person} from {self.address}" if self.person else " at the command line"
        when = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")
        return f"the {self.taken} content of {self.instances} instances was taken{who}, {when}"


def several_contents(connection: Connection, series_instance_uid: str) -> list[Contents]:
    """Return the SOP Instance UIDs of a series that have a content which is not in use.

    Contents are in the order in which each was received first.
    """
    names = ("id", "sop_instance_uid", "path", "differs", "decided_at")
    rows = connection.execute(
        select(*(instances.c[name] for name in names))
        .where(
            instances.c.series_instance_uid == series_instance_uid,
            instances.c.removed_at.is_(None),
        )
        .order_by(instances.c.id)
    )
    by_uid: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_uid[row.sop_instance_uid].append(row)
    return [
        Contents(uid, tuple(rows_of_uid))
        for uid, rows_of_uid in by_uid.items()
        if any(one.differs for one in rows_of_uid)
    ]


def disputed_contents(connection: Connection, series_instance_uid: str) -> list[Contents]:
    """Return the contents of a series that are disputed, and another series with the same UID."""
    found = several_contents(connection, series_instance_uid)
    return [
        replace(one, elsewhere=_another_series(connection, one, series_instance_uid))
        for one in found
        if one.is_disputed
    ]


def _another_series(connection: Connection, contents: Contents, series_instance_uid: str) -> str:
    query = select(instances.c.series_instance_uid).where(
        instances.c.sop_instance_uid == contents.sop_instance_uid,
        instances.c.series_instance_uid != series_instance_uid,
        instances.c.removed_at.is_(None),
    )
    return connection.execute(query.order_by(instances.c.id).limit(1)).scalar() or ""


def use_content(
    connection: Connection, contents: Sequence[Contents], which: str, now: float
) -> list[str]:
    """Use the newest or the first content of each UID; return the files that are not in use."""
    chosen = {one.taken(which).id for one in contents}
    rows = [row for one in contents for row in one.by_first_reception]
    for row in rows:
        values = {"differs": row.id not in chosen, "decided_at": now}
        connection.execute(update(instances).where(instances.c.id == row.id).values(**values))
    return [row.path for row in rows if row.id not in chosen]


def record_choice(connection: Connection, series_instance_uid: str, choice: Choice) -> None:
    """Record a person's choice."""
    values = {name: getattr(choice, name) for name in Choice.__slots__}
    connection.execute(
        insert(content_choices).values(series_instance_uid=series_instance_uid, **values)
    )


def choice_of(connection: Connection, series_instance_uid: str) -> Choice | None:
    """Return a person's last choice for a series; None: none was made."""
    row = connection.execute(
        select(content_choices)
        .where(content_choices.c.series_instance_uid == series_instance_uid)
        .order_by(content_choices.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Choice(**{name: getattr(row, name) for name in Choice.__slots__})
