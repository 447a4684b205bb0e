"""Settle times of series, by the habits of their senders, and waiting times before revisions.

Some senders open an association for each instance, with pauses longer than the settle time that
suits others. An association with one instance of a series that received others in the same way
shows such a sender; its longest pause is remembered.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from core.config.sections import Completion
from core.config.settings import Configuration
from network.sender import Sender
from node.completion.expected_count import explicit_settle_s, settle_s
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import jobs_of
from node.ledger.requests.requests import wants_by_name_alone
from node.ledger.row_states import JobState
from node.ledger.schema import instances, series
from node.ledger.tables.events import record_event
from node.ledger.tables.habits import (
    Single,
    learn_pause,
    longest_pause_s,
    record_single,
    singles_of,
)
from node.ledger.tables.series import SeriesRow, is_unchanged

_SLICES = frozenset(f"1.2.840.10008.5.1.4.1.1.{one}" for one in ("2", "4", "128"))
"""Single-frame CT, MR and PET storage (PS3.4 Table B.5-1): one instance is hardly ever a series."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds to wait, and why longer than usual."""

    seconds: float
    words: str = ""


def wait_after(
    connection: Connection,
    configuration: Configuration,
    *,
    association: int,
    sender: Sender,
    now: float,
) -> Wait:
    """Return the settle time after an association that ended, and remember the sender's pause."""
    usual = settle_s(configuration, sender)
    settings = configuration.completion
    single = record_single(connection, association, sender, now)
    if single is None or not settings.one_by_one_factor:
        return Wait(usual)
    if single.pause_s is not None and single.pause_s <= settings.longest_settle_s:
        learn_pause(connection, sender, single.pause_s, now)
    if not _sends_one_by_one(single) or explicit_settle_s(configuration, sender) is not None:
        return Wait(usual)
    longest = longest_pause_s(connection, sender)
    seconds = max(usual, one_by_one_settle_s(settings, longest or 0.0))
    pauses = "" if longest is None else f", after pauses of up to {longest:.0f} s"
    words = f"one instance on an association of its own{pauses}: waiting {seconds:.0f} s for more"
    return Wait(seconds, words)


def one_by_one_settle_s(settings: Completion, longest_s: float) -> float:
    """Return the settle time in seconds of a sender with pauses of up to `longest_s` seconds."""
    wanted = max(settings.one_by_one_factor * longest_s, settings.one_by_one_settle_s)
    return min(wanted, settings.longest_settle_s)


def is_too_soon(ledger: Ledger, row: SeriesRow, settings: Completion) -> bool:
    """True if a revision would follow the previous one too soon; the series then waits."""
    now, uid = ledger.clock(), row.series_instance_uid
    with ledger.reading() as connection:
        until = _revision_waits_until(connection, row, settings)
        if until <= now or wants_by_name_alone(connection, uid):
            return False
    words = f"the previous revision is minutes old: waiting {until - now:.0f} s for more instances"
    with ledger.writing() as connection:
        if is_unchanged(connection, row):
            own = series.c.series_instance_uid == uid
            connection.execute(update(series).where(own).values(ready_at=until, reason=words))
            record_event(connection, EventKind.WAITING, words, now=now, series_instance_uid=uid)
    return True


def _sends_one_by_one(single: Single) -> bool:
    if single.number > 1:
        return True
    return single.is_alone and single.sop_class_uid in _SLICES


def _revision_waits_until(connection: Connection, row: SeriesRow, settings: Completion) -> float:
    """Return when the next revision of a series may start, in seconds since 1970; 0: at once.

    The first revision of a series that was not sent instance by instance does not wait.
    """
    uid = row.series_instance_uid
    done = [
        job for job in jobs_of(connection, uid) if job.state == JobState.DONE and job.finished_at
    ]
    if not done or row.released_by_person:
        return 0.0
    latest = max(done, key=lambda job: job.created_at)
    if latest.request.revision < 2 and singles_of(connection, uid) < 2:
        return 0.0
    newer = (instances.c.series_instance_uid == uid) & (instances.c.received_at > latest.created_at)
    if connection.execute(select(instances.c.id).where(newer).limit(1)).first() is None:
        return 0.0
    return (latest.finished_at or 0.0) + settings.revision_wait_s
