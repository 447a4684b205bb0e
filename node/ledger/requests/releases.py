"""Series that wait for a person: their holds, releases and cancellations."""

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
    """Record the holds of a series and its requests; `is_releasable`: a release lets a job run."""
    values = {
        "holds": {one.reason.value: one.words for one in holds},
        "is_releasable": is_releasable,
    }
    connection.execute(update(series).where(_is(series_instance_uid)).values(**values))


def waits_for_person(connection: Connection, row: SeriesRow) -> bool:
    """True if a series is held, or a request on a decided series."""
    asked = select(requests.c.id).where(
        requests.c.series_instance_uid == row.series_instance_uid,
        requests.c.state == RequestState.HELD,
    )
    is_decided = row.state in (SeriesState.KEPT, SeriesState.PROCESSING)
    return row.state == SeriesState.HELD or (
        is_decided and bool(connection.scalar(select(exists(asked))))
    )


def release(connection: Connection, row: SeriesRow, now: float) -> None:
    """Record a person's release, which passes over the present holds only, and judge again.

    To be called before the held requests are judged again.
    """
    passed = {reason: words for reason, words in row.holds.items() if may_be_passed(reason)}
    values = {"released_by_person": True, "released": row.released | passed}
    judge_again(connection, row.series_instance_uid, now)
    connection.execute(update(series).where(_is(row.series_instance_uid)).values(**values))


def judge_again(connection: Connection, series_instance_uid: str, now: float) -> None:
    """Make a series due at once, so that it is judged again."""
    values = {"state": SeriesState.SETTLING, "ready_at": now}
    connection.execute(update(series).where(_is(series_instance_uid)).values(**values))


def cancel_series(connection: Connection, series_instance_uid: str, reason: str) -> bool:
    """Cancel a series that is not decided; False if it is."""
    waits = _is(series_instance_uid) & series.c.state.in_(
        (SeriesState.HELD, SeriesState.SETTLING, SeriesState.ARRIVING)
    )
    values = {"state": SeriesState.CANCELLED, "reason": reason, "ready_at": None}
    return connection.execute(update(series).where(waits).values(**values)).rowcount > 0


def reopen_series(
    connection: Connection, series_instance_uid: str, now: float, *, also_decided: bool
) -> bool:
    """Make a cancelled series due again; False if it was not cancelled.

    With `also_decided` also a decided series, of which only a request was cancelled.
    """
    states = (
        (SeriesState.CANCELLED, SeriesState.KEPT, SeriesState.PROCESSING)
        if also_decided
        else (SeriesState.CANCELLED,)
    )
    cancelled = _is(series_instance_uid) & series.c.state.in_(states)
    values = {"state": SeriesState.SETTLING, "reason": "", "ready_at": now}
    return connection.execute(update(series).where(cancelled).values(**values)).rowcount > 0


def _is(series_instance_uid: str) -> ColumnElement[bool]:
    return series.c.series_instance_uid == series_instance_uid


def count_holds(connection: Connection) -> Counter[HoldReason]:
    """Count the series that wait for a person, by reason; several reasons count each."""
    of_request = select(requests.c.series_instance_uid).where(requests.c.state == RequestState.HELD)
    waits = (series.c.state == SeriesState.HELD) | series.c.series_instance_uid.in_(of_request)
    held = connection.scalars(select(series.c.holds).where(waits))
    return Counter(HoldReason(code) for holds in held for code in holds or (HoldReason.OTHER,))
