"""How long a series is waited for: the settle time, by how its sender sends, and for revisions.

Some senders open an association for each instance and pause between them for longer than any
settle time that suits the others. They are told by an association that brings one instance of a
series of which others came the same way, and remembered with their longest pause.
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
from node.ledger.tables.habits import Single, learn_pause, longest_pause_s, note_single, singles_of
from node.ledger.tables.series import SeriesRow, is_as_it_was

_SLICES = frozenset(f"1.2.840.10008.5.1.4.1.1.{one}" for one in ("2", "4", "128"))
"""Single-frame CT, MR and PET: one alone is hardly ever a series (PS3.4 Table B.5-1)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """For how long, and why it is longer than usual."""

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
    """The settle time after an association that ended; what it tells of its sender is kept."""
    usual = settle_s(configuration, sender)
    settings = configuration.completion
    single = note_single(connection, association, sender, now)
    if single is None or not settings.one_by_one_factor:
        return Wait(usual)
    if single.pause_s is not None and single.pause_s <= settings.longest_settle_s:
        learn_pause(connection, sender, single.pause_s, now)
    if not _is_one_of_many(single) or explicit_settle_s(configuration, sender) is not None:
        return Wait(usual)
    longest = longest_pause_s(connection, sender)
    seconds = max(usual, one_by_one_settle_s(settings, longest or 0.0))
    why = "alone" if longest is None else f"alone, as up to {longest:.0f} s before"
    return Wait(seconds, f"one instance came {why}: more is waited for, {seconds:.0f} s")


def one_by_one_settle_s(settings: Completion, longest_s: float) -> float:
    """The settle time of a sender whose longest pause between instances is `longest_s`."""
    wanted = max(settings.one_by_one_factor * longest_s, settings.one_by_one_settle_s)
    return min(wanted, settings.longest_settle_s)


def is_too_soon(ledger: Ledger, row: SeriesRow, settings: Completion) -> bool:
    """Whether a series is due as a revision that would follow another within minutes: it waits."""
    now, uid = ledger.clock(), row.series_instance_uid
    with ledger.reading() as connection:
        until = _revision_waits_until(connection, row, settings)
        if until <= now or wants_by_name_alone(connection, uid):
            return False
    words = f"a revision follows another within minutes: more is waited for, {until - now:.0f} s"
    with ledger.writing() as connection:
        if is_as_it_was(connection, row):
            own = series.c.series_instance_uid == uid
            connection.execute(update(series).where(own).values(ready_at=until, reason=words))
            record_event(connection, EventKind.WAITING, words, now=now, series_instance_uid=uid)
    return True


def _is_one_of_many(single: Single) -> bool:
    if single.number > 1:
        return True
    return single.is_alone and single.sop_class_uid in _SLICES


def _revision_waits_until(connection: Connection, row: SeriesRow, settings: Completion) -> float:
    """Until when a series waits, so that revisions do not follow each other within minutes; 0: not.

    The first revision of a series that came at once does not wait.
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
