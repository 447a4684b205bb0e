"""What a person asks of the running node: rows that a command writes and the node carries out."""

from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update

from node.ledger.database import Ledger
from node.ledger.deliveries import cancel_deliveries, send_again
from node.ledger.events import record_event
from node.ledger.jobs import (
    CANCELLED,
    DONE,
    FAILED,
    cancel_job,
    current_jobs,
    jobs_of,
    requeue_job,
)
from node.ledger.schema import commands
from node.ledger.series import give_up, release, take_up

RELEASE, RETRY, RESEND, CANCEL = "release", "retry", "resend", "cancel"
_BY_PERSON = "cancelled by a person"


def ask(ledger: Ledger, verb: str, series_instance_uid: str) -> int:
    """Write a command for the running node; answers its id."""
    with ledger.writing() as connection:
        row = {"at": ledger.clock(), "verb": verb, "target": series_instance_uid, "answer": ""}
        key = connection.execute(insert(commands).values(**row)).inserted_primary_key
    return 0 if key is None else int(key[0])


def answer_of(ledger: Ledger, command: int) -> str | None:
    """What the node answered to a command; None while it has not."""
    with ledger.reading() as connection:
        row = connection.execute(select(commands).where(commands.c.id == command)).one()
    return row.answer if row.done_at is not None else None


def carry_out(ledger: Ledger) -> int:
    """Carry out every command that waits; how many there were."""
    with ledger.reading() as connection:
        waiting = connection.execute(select(commands).where(commands.c.done_at.is_(None))).all()
    for row in waiting:
        with ledger.writing() as connection:
            answer = _VERBS[row.verb](connection, row.target, ledger.clock())
            now = ledger.clock()
            record_event(
                connection, f"person: {row.verb}", answer, now=now, series_instance_uid=row.target
            )
            done = update(commands).where(commands.c.id == row.id)
            connection.execute(done.values(done_at=now, answer=answer))
    return len(waiting)


def _release(connection: Connection, series_instance_uid: str, now: float) -> str:
    if release(connection, series_instance_uid, now):
        return "released as it is"
    return "is not held, nothing to release"


def _retry(connection: Connection, series_instance_uid: str, now: float) -> str:
    jobs = current_jobs(connection, series_instance_uid)
    failed = [job for job in jobs if job.state in (FAILED, CANCELLED)]
    for job in failed:
        requeue_job(connection, job.job_id)
    here = [job for job in jobs if job.state == DONE and job.removed_at is None]
    again = sum(send_again(connection, job.job_id, now) for job in here)
    words = f"{len(failed)} failed jobs queued again, {again} undelivered instances sent again"
    if take_up(connection, series_instance_uid, now):
        words += "; the series is looked at again"
    return words


def _resend(connection: Connection, series_instance_uid: str, now: float) -> str:
    done = current_jobs(connection, series_instance_uid, states=(DONE,))
    here = [job for job in done if job.removed_at is None]
    count = sum(send_again(connection, job.job_id, now, also_stored=True) for job in here)
    words = f"{count} instances sent again"
    if len(here) < len(done):
        words += f"; the results of {len(done) - len(here)} jobs were removed by retention"
    return words


def _cancel(connection: Connection, series_instance_uid: str, now: float) -> str:
    done = []
    if give_up(connection, series_instance_uid, _BY_PERSON):
        done.append("the series is given up")
    jobs = jobs_of(connection, series_instance_uid)
    count = sum(cancel_job(connection, job.job_id, _BY_PERSON, now) for job in jobs)
    done += [f"{count} unfinished jobs cancelled"] if count else []
    unsent = sum(cancel_deliveries(connection, job.job_id, now) for job in jobs)
    done += [f"{unsent} waiting instances are not sent"] if unsent else []
    return "; ".join(done) or "nothing of it waits or runs, nothing to cancel"


_VERBS: dict[str, Callable[[Connection, str, float], str]] = {
    RELEASE: _release,
    RETRY: _retry,
    RESEND: _resend,
    CANCEL: _cancel,
}
