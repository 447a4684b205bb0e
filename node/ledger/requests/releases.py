"""Series that wait for a person: why, whether a release helps, and what the person said."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, exists, select, update

from core.hold_reasons import Hold, HoldReason, may_be_passed
from node.ledger.row_states import RequestState, SeriesState
from node.ledger.schema import requests, series
from node.ledger.tables.series import SeriesRow


def record_holds(
    connection: Connection, series_instance_uid: str, holds: Sequence[Hold], *, is_releasable: bool
) -> None:
    """Record what stands in the way of a series, or of some request of it; nothing: nothing does.

    With `is_releasable` something of it runs once a person has released it.
    """
    values = {
        "holds": {one.reason.value: one.words for one in holds},
        "is_releasable": is_releasable,
    }
    connection.execute(update(series).where(_is(series_instance_uid)).values(**values))


def waits_for_person(connection: Connection, row: SeriesRow) -> bool:
    """Whether a series is held, or a request of a series that is decided."""
    asked = select(requests.c.id).where(
        requests.c.series_instance_uid == row.series_instance_uid,
        requests.c.state == RequestState.HELD,
    )
    is_decided = row.state in (SeriesState.KEPT, SeriesState.PROCESSING)
    return row.state == SeriesState.HELD or (
        is_decided and bool(connection.scalar(select(exists(asked))))
    )


def release(connection: Connection, row: SeriesRow, now: float) -> None:
    """A person passes over what holds a series, and over nothing else.

    To be called before its requests are looked at again.
    """
    passed = {reason: words for reason, words in row.holds.items() if may_be_passed(reason)}
    values = {"released_by_person": True, "released": row.released | passed}
    look_at(connection, row.series_instance_uid, now)
    connection.execute(update(series).where(_is(row.series_instance_uid)).values(**values))


def look_at(connection: Connection, series_instance_uid: str, now: float) -> None:
    """Judge a series once more, at once."""
    values = {"state": SeriesState.SETTLING, "ready_at": now}
    connection.execute(update(series).where(_is(series_instance_uid)).values(**values))


def give_up(connection: Connection, series_instance_uid: str, reason: str) -> bool:
    """A person does not want a series that waits; whether it waited."""
    waits = _is(series_instance_uid) & series.c.state.in_(
        (SeriesState.HELD, SeriesState.SETTLING, SeriesState.ARRIVING)
    )
    values = {"state": SeriesState.CANCELLED, "reason": reason, "ready_at": None}
    return connection.execute(update(series).where(waits).values(**values)).rowcount > 0


def take_up(
    connection: Connection, series_instance_uid: str, now: float, *, also_decided: bool
) -> bool:
    """A person wants a series after all that was given up; whether there was one.

    With `also_decided` one of which a request alone was given up, too.
    """
    states = (
        (SeriesState.CANCELLED, SeriesState.KEPT, SeriesState.PROCESSING)
        if also_decided
        else (SeriesState.CANCELLED,)
    )
    given_up = _is(series_instance_uid) & series.c.state.in_(states)
    values = {"state": SeriesState.SETTLING, "reason": "", "ready_at": now}
    return connection.execute(update(series).where(given_up).values(**values)).rowcount > 0


def _is(series_instance_uid: str) -> ColumnElement[bool]:
    return series.c.series_instance_uid == series_instance_uid


def count_holds(connection: Connection) -> Counter[HoldReason]:
    """How many series wait for a person, by reason; a series with several counts for each."""
    of_request = select(requests.c.series_instance_uid).where(requests.c.state == RequestState.HELD)
    waits = (series.c.state == SeriesState.HELD) | series.c.series_instance_uid.in_(of_request)
    held = connection.scalars(select(series.c.holds).where(waits))
    return Counter(HoldReason(code) for holds in held for code in holds or (HoldReason.OTHER,))
