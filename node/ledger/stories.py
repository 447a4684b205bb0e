"""The whole story of a series in one value: from association to delivery, in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from node.ledger.database import Ledger
from node.ledger.deliveries import STORED, WAITING, DeliveryState, delivery_states
from node.ledger.events import events_of
from node.ledger.jobs import DONE, SUPERSEDED, JobRow, jobs_of
from node.ledger.series import HELD, KEPT, PROCESSING, SeriesRow, all_series, instances_of


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


def all_stories(ledger: Ledger) -> list[Story]:
    """Of every series, the latest last."""
    with ledger.reading() as connection:
        return [_story(connection, row, ledger.storage_path) for row in all_series(connection)]


def story_of(ledger: Ledger, uid_or_end: str) -> Story | None:
    """Of the latest series whose UID is, or ends with, `uid_or_end`."""
    with ledger.reading() as connection:
        fitting = [
            row
            for row in all_series(connection)
            if row.series_instance_uid.endswith(uid_or_end) and uid_or_end
        ]
        return _story(connection, fitting[-1], ledger.storage_path) if fitting else None


def _story(connection: Connection, row: SeriesRow, storage_path: Path) -> Story:
    jobs = jobs_of(connection, row.series_instance_uid)
    state, reason = row.state, row.reason
    if state == PROCESSING:
        state, reason = _stand(connection, jobs)
    sender = row.sender
    events = events_of(connection, row.series_instance_uid)
    return Story(
        series_instance_uid=row.series_instance_uid,
        sender=f"{sender.calling_ae_title}@{sender.address} to {sender.called_ae_title}",
        instances=len(instances_of(connection, row.series_instance_uid)),
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
        return job.state, job.reason or f"{job.progress:.0%} done"
    words = list(_deliveries(delivery_states(connection, job.job_id)))
    if not words:
        return DONE, "no destination, results stay here"
    delivered = all(one.state == STORED for one in delivery_states(connection, job.job_id))
    return ("delivered" if delivered else "sending"), "; ".join(words)


def _deliveries(states: list[DeliveryState]) -> Iterator[str]:
    for one in states:
        why = f" ({one.words})" if one.words and one.state != STORED else ""
        verb = "to send" if one.state == WAITING else one.state
        yield f"{one.peer}: {one.count} {verb}{why}"
