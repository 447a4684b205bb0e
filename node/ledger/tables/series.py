"""Rows of series: from the first instance to the decision what becomes of it."""

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

from network.sender import Sender
from node.ledger.row_states import SeriesState
from node.ledger.schema import instances, receptions, series
from node.ledger.tables.instances import StoredInstance

_PAGE = 50
_BROUGHT = (
    select(instances.c.series_instance_uid)
    .join(receptions, receptions.c.instance_id == instances.c.id)
    .where(receptions.c.association_id == bindparam("association"))
    .distinct()
)
_SETTLED = update(series).where(series.c.series_instance_uid == bindparam("uid"))


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series as the ledger knows it."""

    series_instance_uid: str
    study_instance_uid: str
    state: SeriesState
    reason: str
    sender: Sender
    released_by_person: bool
    holds: dict[str, str]
    """What stands in the way, as codes of core/hold_reasons.py to words."""
    is_releasable: bool
    """Whether something of it runs once a person has released it."""
    released: dict[str, str]
    """What a person passed over, as `holds`; nothing, once something new came."""
    first_at: float
    last_at: float
    ready_at: float | None
    incomplete_since: float | None
    """Since when its sender is known to have more of it than is here."""


def series_of_association(connection: Connection, association: int) -> list[str]:
    """UIDs of the series of which an association brought instances, new or known."""
    return list(connection.scalars(_BROUGHT, {"association": association}))


def settle(
    connection: Connection,
    series_instance_uid: str,
    sender: Sender,
    ready_at: float,
    *,
    reason: str = "",
) -> None:
    """The association that brought a series has ended: look at it at `ready_at`.

    Its sender is from now on the one that is asked for the rest.
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
    """The folder that brought a series was read: complete as it is, unless others send of it.

    Its sender stays who it was.
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
    """Record what becomes of a series, and why."""
    connection.execute(
        update(series)
        .where(series.c.series_instance_uid == series_instance_uid)
        .values(state=state, reason=reason, ready_at=None, incomplete_since=None)
    )


def is_as_it_was(connection: Connection, row: SeriesRow) -> bool:
    """Whether nothing came, ended or was asked of a series since `row` was read."""
    now = find_series(connection, row.series_instance_uid)
    return now is not None and (now.state, now.ready_at, now.last_at) == (
        row.state,
        row.ready_at,
        row.last_at,
    )


def wait_for_rest(
    connection: Connection, row: SeriesRow, *, expected: int, reason: str, now: float, until: float
) -> None:
    """Its sender has `expected` instances, more than are here: look again at `until`."""
    since = now if row.incomplete_since is None else row.incomplete_since
    connection.execute(
        update(series)
        .where(series.c.series_instance_uid == row.series_instance_uid)
        .values(expected=expected, incomplete_since=since, reason=reason, ready_at=until)
    )


def find_series(connection: Connection, series_instance_uid: str) -> SeriesRow | None:
    """One series, if the ledger knows it."""
    key = series.c.series_instance_uid == series_instance_uid
    row = connection.execute(select(series).where(key)).first()
    return None if row is None else series_row(row)


def rows_of_series(connection: Connection, condition: ColumnElement[bool]) -> Iterator[SeriesRow]:
    """Series that fit `condition`, in no order."""
    for row in connection.execute(select(series).where(condition)):
        yield series_row(row)


def latest_series(
    connection: Connection,
    condition: ColumnElement[bool],
    before: tuple[float, str] | None = None,
) -> Iterator[SeriesRow]:
    """Series that fit `condition`, the latest first; read in pages, as far as they are taken.

    With `before`, those that come after this (last_at, UID) in that order.
    """
    requested_job = (series.c.last_at.desc(), series.c.series_instance_uid.desc())
    query = select(series).where(condition).order_by(*requested_job).limit(_PAGE)
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
    """The latest series whose UID ends like this."""
    fits = series.c.series_instance_uid.endswith(end, autoescape=True)
    query = select(series).where(fits).order_by(series.c.last_at.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else series_row(row)


def count_instances(connection: Connection, series_instance_uid: str) -> int:
    """How many instances of a series are stored."""
    of_series = instances.c.series_instance_uid == series_instance_uid
    return connection.scalar(select(func.count()).where(of_series)) or 0


def instances_of(connection: Connection, series_instance_uid: str) -> list[StoredInstance]:
    """Every instance of a series that is here, in the order of arrival."""
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
    """How many instances of a series were removed and have not come again, in whatever form."""
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
    """A row of the table as a value."""
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
