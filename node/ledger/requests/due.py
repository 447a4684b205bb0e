"""Due series: settled, without an open association that sends them."""

from sqlalchemy import Connection, Exists, exists, select, update

from node.ledger.requests.requests import request_by_sender
from node.ledger.row_states import SeriesState
from node.ledger.schema import associations, instances, receptions, series
from node.ledger.tables.instances import OPEN, last_association
from node.ledger.tables.series import SeriesRow, series_row


def due_series(connection: Connection, now: float) -> list[SeriesRow]:
    """Return the series whose settle time is over and that no open association sends."""
    due = (series.c.state == SeriesState.SETTLING) & (series.c.ready_at <= now) & ~_being_sent()
    return [series_row(row) for row in connection.execute(select(series).where(due))]


def orphans(connection: Connection) -> list[str]:
    """Return UIDs of arriving series without an open association.

    These occur when the last instance is stored after the end of its association was recorded.
    """
    alone = (series.c.state == SeriesState.ARRIVING) & ~_being_sent()
    return list(connection.scalars(select(series.c.series_instance_uid).where(alone)))


def settle_orphans(connection: Connection, *, now: float, ready_at: float) -> None:
    """Settle arriving series without an open association, each with a request of its sender."""
    for uid in orphans(connection):
        one = series.c.series_instance_uid == uid
        connection.execute(
            update(series).where(one).values(state=SeriesState.SETTLING, ready_at=ready_at)
        )
        last = last_association(connection, uid)
        if last is not None and not last[0].is_folder:
            request_by_sender(connection, uid, last[0], outcome=last[1], now=now)


def _being_sent() -> Exists:
    """Match series of which an open association has sent instances."""
    return exists(
        select(receptions.c.instance_id)
        .join(instances, instances.c.id == receptions.c.instance_id)
        .join(associations, associations.c.id == receptions.c.association_id)
        .where(
            instances.c.series_instance_uid == series.c.series_instance_uid,
            associations.c.outcome == OPEN,
        )
    )
