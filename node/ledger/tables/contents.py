"""Several contents under one SOP Instance UID: which differ, and which one a person took.

`instances.differs` says that another content is in use: the first that came, until a person takes
the newest. `decided_at` says that a person took one of those that were there: what comes later and
is another content still is disputed again.
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
    """What lies under one SOP Instance UID, where that is more than one content."""

    sop_instance_uid: str
    in_the_order_they_came: tuple[Any, ...]
    """Rows with id, path, differs, decided_at."""
    elsewhere: str = ""
    """SeriesInstanceUID of another series that holds this SOP Instance UID; empty: none does."""

    @property
    def is_disputed(self) -> bool:
        """Whether no person has decided, or what was decided on is not all that is here."""
        rows = self.in_the_order_they_came
        nothing_in_use = all(one.differs for one in rows)
        return nothing_in_use or any(one.differs and one.decided_at is None for one in rows)

    def taken(self, which: str) -> Any:
        """The row of the newest or the first content."""
        return self.in_the_order_they_came[-1 if which == NEWEST else 0]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person took, and when."""

    taken: str
    """`newest` or `first`."""
    instances: int
    differences: str
    """Attributes, on how many instances."""
    at: float
    person: str
    address: str

    def __str__(self) -> str:
        who = f" by {self.person} from {self.address}" if self.person else " at the command line"
        when = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")
        return f"the {self.taken} content of {self.instances} instances was taken{who}, {when}"


def several_contents(connection: Connection, series_instance_uid: str) -> list[Contents]:
    """Every SOP Instance UID of a series under which a content lies that is not in use.

    Contents are ordered by when each came for the first time.
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
    """Those about which a person has not decided, and which other series holds their UID."""
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
    """Use the newest or the first of each; answers the files of those that are used no more."""
    chosen = {one.taken(which).id for one in contents}
    rows = [row for one in contents for row in one.in_the_order_they_came]
    for row in rows:
        values = {"differs": row.id not in chosen, "decided_at": now}
        connection.execute(update(instances).where(instances.c.id == row.id).values(**values))
    return [row.path for row in rows if row.id not in chosen]


def record_choice(connection: Connection, series_instance_uid: str, choice: Choice) -> None:
    """Record what a person took."""
    values = {name: getattr(choice, name) for name in Choice.__slots__}
    connection.execute(
        insert(content_choices).values(series_instance_uid=series_instance_uid, **values)
    )


def choice_of(connection: Connection, series_instance_uid: str) -> Choice | None:
    """The last that a person took of a series; None: nobody had to."""
    row = connection.execute(
        select(content_choices)
        .where(content_choices.c.series_instance_uid == series_instance_uid)
        .order_by(content_choices.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Choice(**{name: getattr(row, name) for name in Choice.__slots__})
