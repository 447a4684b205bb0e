"""Rows of series, from their first instance to the decision on them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    exists,
    func,
    select,
    tuple_,
    update,
)

from core.priority import Priority
from network.sender import Sender
from node.ledger.row_states import SeriesState
from node.ledger.schema import instances, receptions, series
from node.ledger.tables.instances import StoredInstance

_PAGE = 50
_BROUGHT = (
    select(instances.c.series_instance_uid, func.max(receptions.c.priority))
    .join(receptions, receptions.c.instance_id == instances.c.id)
    .where(receptions.c.association_id == bindparam("association"))
    .group_by(instances.c.series_instance_uid)
)
_SETTLED = update(series).where(series.c.series_instance_uid == bindparam("uid"))


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A row of the table `series`."""

    series_instance_uid: str
    study_instance_uid: str
    state: SeriesState
    reason: str
    sender: Sender
    released_by_person: bool
    holds: dict[str, str]
    """Reasons to hold, as codes of core/hold_reasons.py, to words."""
    is_releasable: bool
    """True if a release lets at least one job run."""
    released: dict[str, str]
    """Reasons that a release passed over, as `holds`; empty once a new instance came."""
    first_at: float
    last_at: float
    ready_at: float | None
    incomplete_since: float | None
    """Since when its sender is known to have more instances than are stored."""


def series_of_association(connection: Connection, association: int) -> dict[str, Priority]:
    """Return the series of which an association sent instances, new or known.

    Each UID has the highest priority among the C-STORE requests.
    """
    rows = connection.execute(_BROUGHT, {"association": association})
    return {uid: Priority(priority) for uid, priority in rows}


def settle(
    connection: Connection,
    series_instance_uid: str,
    sender: Sender,
    ready_at: float,
    *,
    reason: str = "",
) -> None:
    """Record that an association with a series has ended: the series is due at `ready_at`.

    Its sender is from now on the one that is asked how many instances there are.
    """
    values = {
        "state": SeriesState.SETTLING,
        "reason": reason,
        "ready_at": ready_at,
        **asdict(sender),
    }
    connection.execute(_SETTLED, {"uid": series_instance_uid, **values})


def settle_folder(
    connection: Connection, series_instance_uid: str, *, now: float, ready_at: float
) -> None:
    """Record that a folder with a series was read: due at once, unless an association sends it.

    The sender of the series is not changed.
    """
    row = find_series(connection, series_instance_uid)
    if row is None or row.state == SeriesState.SETTLING:
        return
    others_send = row.state == SeriesState.ARRIVING and not row.sender.is_folder
    connection.execute(
        update(series)
        .where(series.c.series_instance_uid == series_instance_uid)
        .values(state=SeriesState.SETTLING, reason="", ready_at=ready_at if others_send else now)
    )


def set_state(
    connection: Connection, series_instance_uid: str, state: SeriesState, reason: str = ""
) -> None:
    """Record the state of a series, and why."""
    connection.execute(
        update(series)
        .where(series.c.series_instance_uid == series_instance_uid)
        .values(state=state, reason=reason, ready_at=None, incomplete_since=None)
    )


def is_unchanged(connection: Connection, row: SeriesRow) -> bool:
    """True if nothing was received, ended or requested of a series since `row` was read."""
    now = find_series(connection, row.series_instance_uid)
    return now is not None and (now.state, now.ready_at, now.last_at) == (
        row.state,
        row.ready_at,
        row.last_at,
    )


def wait_for_rest(
    connection: Connection, row: SeriesRow, *, expected: int, reason: str, now: float, until: float
) -> None:
    """Record that the sender has `expected` instances, more than are stored; due at `until`."""
    since = now if row.incomplete_since is None else row.incomplete_since
    connection.execute(
        update(series)
        .where(series.c.series_instance_uid == row.series_instance_uid)
        .values(expected=expected, incomplete_since=since, reason=reason, ready_at=until)
    )


def find_series(connection: Connection, series_instance_uid: str) -> SeriesRow | None:
    """Return a series; None if it is unknown."""
    key = series.c.series_instance_uid == series_instance_uid
    row = connection.execute(select(series).where(key)).first()
    return None if row is None else series_row(row)


def rows_of_series(connection: Connection, condition: ColumnElement[bool]) -> Iterator[SeriesRow]:
    """Yield the series that match `condition`, in no order."""
    for row in connection.execute(select(series).where(condition)):
        yield series_row(row)


def latest_series(
    connection: Connection,
    condition: ColumnElement[bool],
    before: tuple[float, str] | None = None,
) -> Iterator[SeriesRow]:
    """Yield the series that match `condition`, the latest first; read page by page.

    With `before`, start behind this (last_at, UID) in that order.
    """
    latest_first = (series.c.last_at.desc(), series.c.series_instance_uid.desc())
    query = select(series).where(condition).order_by(*latest_first).limit(_PAGE)
    if before is not None:
        query = query.where(
            tuple_(series.c.last_at, series.c.series_instance_uid) < tuple_(*before)
        )
    for begin in count(0, _PAGE):
        rows = connection.execute(query.offset(begin)).all()
        yield from map(series_row, rows)
        if len(rows) < _PAGE:
            return


def latest_ending_with(connection: Connection, end: str) -> SeriesRow | None:
    """Return the latest series whose UID ends with `end`."""
    matches = series.c.series_instance_uid.endswith(end, autoescape=True)
    query = select(series).where(matches).order_by(series.c.last_at.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else series_row(row)


def count_instances(connection: Connection, series_instance_uid: str) -> int:
    """Count the recorded instances of a series."""
    of_series = instances.c.series_instance_uid == series_instance_uid
    return connection.scalar(select(func.count()).where(of_series)) or 0


def instances_of(connection: Connection, series_instance_uid: str) -> list[StoredInstance]:
    """Return every stored instance of a series, in the order in which they were received."""
    columns = [instances.c[name] for name in StoredInstance.__slots__]
    rows = connection.execute(
        select(*columns)
        .where(
            instances.c.series_instance_uid == series_instance_uid,
            instances.c.removed_at.is_(None),
        )
        .order_by(instances.c.id)
    )
    return [StoredInstance(*row) for row in rows]


def count_removed(connection: Connection, series_instance_uid: str) -> int:
    """Count the instances of a series that were removed and not received again with any content."""
    again = instances.alias()
    here = exists(
        select(again.c.id).where(
            again.c.sop_instance_uid == instances.c.sop_instance_uid,
            again.c.removed_at.is_(None),
        )
    )
    query = select(func.count()).where(
        instances.c.series_instance_uid == series_instance_uid,
        instances.c.removed_at.is_not(None),
        ~here,
    )
    return connection.scalar(query) or 0


def series_row(row: Row[Any]) -> SeriesRow:
    """Convert a row of the table."""
    return SeriesRow(
        series_instance_uid=row.series_instance_uid,
        study_instance_uid=row.study_instance_uid,
        state=SeriesState(row.state),
        reason=row.reason,
        sender=Sender(row.calling_ae_title, row.called_ae_title, row.address),
        released_by_person=row.released_by_person,
        holds=dict(row.holds),
        is_releasable=row.is_releasable,
        released=dict(row.released) if row.released_by_person else {},
        first_at=row.first_at,
        last_at=row.last_at,
        ready_at=row.ready_at,
        incomplete_since=row.incomplete_since,
    )
