"""Live updates of pages: new events, series that arrive, jobs that run."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from node.ledger.database import Ledger
from node.ledger.row_states import DeliveryState, JobState, SeriesState
from node.ledger.schema import deliveries, events, instances, jobs, series
from node.ledger.tables.conditions import all_conditions
from node.ledger.views.series_status import count_states
from node.ledger.views.states import CaseState

_MOST_EVENTS = 200
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Activity:
    """The node's activity at one moment; equal values mean that nothing changed."""

    arriving: tuple[tuple[str, int], ...]
    """SeriesInstanceUID and number of instances of the latest series that arrive or settle."""
    running: tuple[tuple[str, str, float, str], ...]
    """Job ID, SeriesInstanceUID, fraction done and step of each running job."""
    queued: int
    held: int
    to_send: int
    conditions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The activity as JSON values, with a name for each."""
        arriving = [{"series_instance_uid": uid, "instances": n} for uid, n in self.arriving]
        names = ("job_id", "series_instance_uid", "progress", "step")
        running = [dict(zip(names, one, strict=True)) for one in self.running]
        return asdict(self) | {"arriving": arriving, "running": running}


def last_event(ledger: Ledger) -> int:
    """The id of the latest event; 0 if there is none."""
    with ledger.reading() as connection:
        return connection.scalar(select(func.max(events.c.id))) or 0


def new_events(ledger: Ledger, after: int) -> list[dict[str, Any]]:
    """Events with an id above `after`, oldest first, at most 200."""
    query = select(events).where(events.c.id > after).order_by(events.c.id).limit(_MOST_EVENTS)
    with ledger.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def activity(ledger: Ledger) -> Activity:
    """Read the present activity from the ledger."""
    with ledger.reading() as connection:
        return Activity(
            arriving=_arriving(connection),
            running=tuple(
                (row.job_id, row.series_instance_uid, round(row.progress, 2), row.step)
                for row in connection.execute(
                    select(
                        jobs.c.job_id, jobs.c.series_instance_uid, jobs.c.progress, jobs.c.step
                    ).where(jobs.c.state == JobState.RUNNING)
                )
            ),
            queued=_count(connection, jobs.c.state == JobState.QUEUED),
            held=count_states(connection, [CaseState.HELD])[CaseState.HELD],
            to_send=_count(connection, deliveries.c.state == DeliveryState.WAITING),
            conditions=tuple(f"{one.name}: {one.words}" for one in all_conditions(connection)),
        )


def _arriving(connection: Connection) -> tuple[tuple[str, int], ...]:
    own = instances.c.series_instance_uid == series.c.series_instance_uid
    count = select(func.count()).where(own).scalar_subquery()
    rows = connection.execute(
        select(series.c.series_instance_uid, count)
        .where(series.c.state.in_((SeriesState.ARRIVING, SeriesState.SETTLING)))
        .order_by(series.c.last_at.desc())
        .limit(_MOST_SHOWN)
    )
    return tuple((uid, number) for uid, number in rows)


def _count(connection: Connection, condition: Any) -> int:
    return connection.scalar(select(func.count()).where(condition)) or 0
