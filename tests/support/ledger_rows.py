"""What tests ask of the ledger, and the node does not."""

from sqlalchemy import Connection, func, select

from node.ledger.row_states import DeliveryState, JobState, SeriesState
from node.ledger.schema import deliveries, jobs, series
from node.ledger.tables.series import SeriesRow, series_row


def all_series(connection: Connection) -> list[SeriesRow]:
    """Every series, the latest last."""
    rows = connection.execute(select(series).order_by(series.c.last_at))
    return [series_row(row) for row in rows]


def count_unsettled(connection: Connection) -> int:
    """Series to look at, jobs to run and results to send that are left."""
    open_series = series.c.state.in_((SeriesState.ARRIVING, SeriesState.SETTLING))
    open_jobs = jobs.c.state.in_((JobState.QUEUED, JobState.RUNNING))
    counts = (
        select(func.count()).select_from(series).where(open_series),
        select(func.count()).select_from(jobs).where(open_jobs),
        select(func.count())
        .select_from(deliveries)
        .where(deliveries.c.state == DeliveryState.WAITING),
    )
    return sum(connection.scalar(count) or 0 for count in counts)
