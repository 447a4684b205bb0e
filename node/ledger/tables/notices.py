"""Rows of notices: events to be posted to the webhook.

A notice is queued in the transaction that records its event, so that neither exists without the
other. Notices are queued without a webhook too; the node then deletes them.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from node.ledger.row_states import NoticeKind, NoticeState
from node.ledger.schema import notices


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that the webhook has not accepted yet."""

    key: int
    body: dict[str, str]
    attempts: int
    created_at: float


def queue_notice(
    connection: Connection,
    kind: NoticeKind,
    *,
    now: float,
    series_instance_uid: str = "",
    job_id: str = "",
    words: str = "",
) -> None:
    """Queue an event for the webhook; `words` say what and why, and never name the patient."""
    body = {
        "id": uuid.uuid4().hex,
        "kind": kind,
        "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        "series_instance_uid": series_instance_uid,
        "job_id": job_id,
        "words": words,
    }
    row = {"body": body, "state": NoticeState.WAITING, "words": "", "attempts": 0}
    connection.execute(insert(notices).values(row | {"created_at": now, "next_attempt_at": now}))


def next_notice(connection: Connection, now: float) -> Notice | None:
    """Return the notice that is due for longest; None if none is due."""
    due = (notices.c.state == NoticeState.WAITING) & (notices.c.next_attempt_at <= now)
    query = select(notices).where(due).order_by(notices.c.next_attempt_at, notices.c.id).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Notice(row.id, dict(row.body), row.attempts, row.created_at)


def settle_notice(
    connection: Connection, notice: Notice, *, state: NoticeState, words: str, now: float
) -> None:
    """Record the final state of a notice."""
    _set(connection, notice, state=state, words=words, finished_at=now)


def postpone_notice(connection: Connection, notice: Notice, *, words: str, until: float) -> None:
    """Record that an attempt failed, and when the next one is due."""
    _set(connection, notice, words=words, next_attempt_at=until)


def forget_waiting(connection: Connection) -> int:
    """Delete waiting notices, as there is no webhook; return how many."""
    return connection.execute(
        delete(notices).where(notices.c.state == NoticeState.WAITING)
    ).rowcount


def forget_finished(connection: Connection, before: float) -> int:
    """Delete notices that were finished before a time; return how many."""
    old = (notices.c.state != NoticeState.WAITING) & (notices.c.finished_at < before)
    return connection.execute(delete(notices).where(old)).rowcount


def _set(connection: Connection, notice: Notice, **values: object) -> None:
    row = update(notices).where(notices.c.id == notice.key)
    connection.execute(row.values(attempts=notice.attempts + 1, **values))
