"""The whole story of a series in one value: from association to delivery, in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from node.ledger.database import Ledger
from node.ledger.deliveries import HELD as RESULTS_HELD
from node.ledger.deliveries import STORED, WAITING, DeliveryState, delivery_states
from node.ledger.events import events_of
from node.ledger.jobs import DONE, SUPERSEDED, JobRow, jobs_of
from node.ledger.schema import series
from node.ledger.series import (
    HELD,
    KEPT,
    PROCESSING,
    SeriesRow,
    count_instances,
    find_series,
    latest_ending_with,
    latest_series,
)
from node.ledger.standing import DELIVERED, SENDING, may_stand_at


@dataclass(frozen=True, slots=True)
class Story:
    """What a person asks of a series: what came, where it stands, why."""

    series_instance_uid: str
    sender: str
    instances: int
    last_at: float
    state: str
    reason: str
    events: tuple[tuple[float, str, str], ...]
    settled_s: float | None
    """From the end of the last association to the decision; None before it."""
    result_folders: tuple[str, ...]


def latest_stories(ledger: Ledger, limit: int | None = None, state: str = "") -> list[Story]:
    """The latest series, those in `state` where one is named, the latest last."""
    return stories_before(ledger, limit, state)[::-1]


def stories_before(
    ledger: Ledger,
    limit: int | None,
    state: str = "",
    before: tuple[float, str] | None = None,
    *,
    since: float = 0.0,
) -> list[Story]:
    """The latest series first, of those whose (last_at, UID) comes after `before` in that order.

    Only those in `state` where one is named, and of which something came at `since` or later.
    """
    stories: list[Story] = []
    condition = series.c.last_at >= since
    if state:
        condition &= may_stand_at(state)
    with ledger.reading() as connection:
        for row in latest_series(connection, condition, before):
            story = tell(connection, row, ledger.storage_path)
            if story.state == state or not state:
                stories.append(story)
            if len(stories) == limit:
                break
    return stories


def story_of(ledger: Ledger, uid_or_end: str) -> Story | None:
    """Of the series with this UID, else of the latest one whose UID ends with it."""
    if not uid_or_end:
        return None
    with ledger.reading() as connection:
        row = find_series(connection, uid_or_end) or latest_ending_with(connection, uid_or_end)
        return None if row is None else tell(connection, row, ledger.storage_path)


def tell(connection: Connection, row: SeriesRow, storage_path: Path) -> Story:
    """The story of one series."""
    jobs = jobs_of(connection, row.series_instance_uid)
    state, reason = row.state, row.reason
    if state == PROCESSING:
        state, reason = _stand(connection, jobs)
    events = events_of(connection, row.series_instance_uid)
    return Story(
        series_instance_uid=row.series_instance_uid,
        sender=str(row.sender),
        instances=count_instances(connection, row.series_instance_uid),
        last_at=row.last_at,
        state=state,
        reason=reason,
        events=tuple(events),
        settled_s=_settled_s(events),
        result_folders=tuple(
            job.request.located(storage_path).output_dir for job in jobs if job.state == DONE
        ),
    )


def _settled_s(events: Sequence[tuple[float, str, str]]) -> float | None:
    ended = [at for at, kind, _ in events if kind == "association"]
    decided = [at for at, kind, _ in events if kind in (PROCESSING, HELD, KEPT)]
    return decided[-1] - ended[-1] if ended and decided else None


def _stand(connection: Connection, jobs: list[JobRow]) -> tuple[str, str]:
    """State and reason of the latest job that counts, and of its deliveries."""
    current = [job for job in jobs if job.state != SUPERSEDED]
    if not current:
        return PROCESSING, ""
    job = current[-1]
    if job.state != DONE:
        step = f", {job.step}" if job.step else ""
        return job.state, job.reason or f"{job.progress:.0%} done{step}"
    states = delivery_states(connection, job.job_id)
    words = list(_deliveries(states))
    if not words:
        return DONE, "no destination, results stay here"
    if any(one.state == RESULTS_HELD for one in states):
        return HELD, "; ".join(words)
    delivered = all(one.state == STORED for one in states)
    return (DELIVERED if delivered else SENDING), "; ".join(words)


def _deliveries(states: list[DeliveryState]) -> Iterator[str]:
    for one in states:
        why = f" ({one.words})" if one.words and one.state != STORED else ""
        verb = "to send" if one.state == WAITING else one.state
        yield f"{one.peer}: {one.count} {verb}{why}"
