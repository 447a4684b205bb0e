"""Series that are to be looked at: settled, and carried by no open association."""

from sqlalchemy import Connection, Exists, exists, select, update

from node.ledger.requests.requests import bring
from node.ledger.row_states import SeriesState
from node.ledger.schema import associations, instances, receptions, series
from node.ledger.tables.instances import OPEN, last_association
from node.ledger.tables.series import SeriesRow, series_row


def due_series(connection: Connection, now: float) -> list[SeriesRow]:
    """Series whose settle time is over and that no open association carries."""
    due = (series.c.state == SeriesState.SETTLING) & (series.c.ready_at <= now) & ~_carried()
    return [series_row(row) for row in connection.execute(select(series).where(due))]


def orphans(connection: Connection) -> list[str]:
    """Series that arrive through no open association.

    That happens when the last instance is stored after the end of its association was recorded.
    """
    alone = (series.c.state == SeriesState.ARRIVING) & ~_carried()
    return list(connection.scalars(select(series.c.series_instance_uid).where(alone)))


def settle_orphans(connection: Connection, *, now: float, ready_at: float) -> None:
    """Series that arrive through no open association: look at them; who sent them asks for them."""
    for uid in orphans(connection):
        one = series.c.series_instance_uid == uid
        connection.execute(
            update(series).where(one).values(state=SeriesState.SETTLING, ready_at=ready_at)
        )
        last = last_association(connection, uid)
        if last is not None and not last[0].is_folder:
            bring(connection, uid, last[0], outcome=last[1], now=now)


def _carried() -> Exists:
    """Whether an open association has brought something of a series."""
    return exists(
        select(receptions.c.instance_id)
        .join(instances, instances.c.id == receptions.c.instance_id)
        .join(associations, associations.c.id == receptions.c.association_id)
        .where(
            instances.c.series_instance_uid == series.c.series_instance_uid,
            associations.c.outcome == OPEN,
        )
    )
