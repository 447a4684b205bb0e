"""What a person asks of the running node: rows that a command writes and the node carries out."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from node.ledger.database import Ledger
from node.ledger.deliveries import cancel_deliveries, release_deliveries, send_again
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
from node.ledger.requests import (
    cancel_requests_of_jobs,
    cancel_undecided,
    look_again,
    take_up_requests_of_jobs,
    take_up_undecided,
)
from node.ledger.schema import commands
from node.ledger.series import give_up, release, take_up

RELEASE, RETRY, RESEND, CANCEL = "release", "retry", "resend", "cancel"
ECHO = "echo"
ANSWERS = "answers"
"""What is answered to an echo when the peer did; else why not."""
_BY_PERSON = "cancelled by a person"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where; nobody for a command line on this machine."""

    person: str = ""
    address: str = ""

    @property
    def words(self) -> str:
        """For the event; empty for nobody."""
        return f", by {self.person} from {self.address}" if self.person else ""


_NOBODY = Asker()


def ask(ledger: Ledger, verb: str, target: str, asker: Asker = _NOBODY) -> int:
    """Write a command for the running node, on a series or, for `echo`, a peer; answers its id."""
    with ledger.writing() as connection:
        row = {"at": ledger.clock(), "verb": verb, "target": target, "answer": ""}
        row |= {"person": asker.person, "address": asker.address}
        key = connection.execute(insert(commands).values(**row)).inserted_primary_key
    return 0 if key is None else int(key[0])


def answer_of(ledger: Ledger, command: int) -> str | None:
    """What the node answered to a command; None while it has not.

    Raises:
        LookupError: nobody wrote such a command.
    """
    with ledger.reading() as connection:
        row = connection.execute(select(commands).where(commands.c.id == command)).first()
    if row is None:
        raise LookupError(command)
    return row.answer if row.done_at is not None else None


def carry_out(ledger: Ledger) -> int:
    """Carry out every command that waits; how many there were."""
    undone = commands.c.done_at.is_(None) & commands.c.verb.in_(_VERBS)
    with ledger.reading() as connection:
        waiting = connection.execute(select(commands).where(undone)).all()
    for row in waiting:
        with ledger.writing() as connection:
            answer = _VERBS[row.verb](connection, row.target, ledger.clock())
            now = ledger.clock()
            words = f"{answer}{Asker(row.person, row.address).words}"
            record_event(
                connection, f"person: {row.verb}", words, now=now, series_instance_uid=row.target
            )
            done = update(commands).where(commands.c.id == row.id)
            connection.execute(done.values(done_at=now, answer=answer))
    return len(waiting)


def _release(connection: Connection, series_instance_uid: str, now: float) -> str:
    if release(connection, series_instance_uid, now):
        look_again(connection, series_instance_uid)
        return "released as it is"
    done = current_jobs(connection, series_instance_uid, states=(DONE,))
    sent = sum(release_deliveries(connection, job.job_id, now) for job in done)
    return f"looked at, {sent} instances are sent" if sent else "is not held, nothing to release"


def _retry(connection: Connection, series_instance_uid: str, now: float) -> str:
    jobs = current_jobs(connection, series_instance_uid)
    failed = [job for job in jobs if job.state in (FAILED, CANCELLED)]
    for job in failed:
        requeue_job(connection, job.job_id)
    take_up_requests_of_jobs(connection, [job.job_id for job in failed])
    here = [job for job in jobs if job.state == DONE and job.removed_at is None]
    again = sum(send_again(connection, job.job_id, now) for job in here)
    words = f"{len(failed)} failed jobs queued again, {again} undelivered instances sent again"
    also_decided = take_up_undecided(connection, series_instance_uid) > 0
    if take_up(connection, series_instance_uid, now, also_decided=also_decided):
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
    undecided = cancel_undecided(connection, series_instance_uid, _BY_PERSON)
    done += [f"{undecided} held requests are given up"] if undecided and not done else []
    jobs = jobs_of(connection, series_instance_uid)
    cancelled = [one.job_id for one in jobs if cancel_job(connection, one.job_id, _BY_PERSON, now)]
    cancel_requests_of_jobs(connection, cancelled, _BY_PERSON)
    done += [f"{len(cancelled)} unfinished jobs cancelled"] if cancelled else []
    unsent = sum(cancel_deliveries(connection, job.job_id, now) for job in jobs)
    done += [f"{unsent} waiting instances are not sent"] if unsent else []
    return "; ".join(done) or "nothing of it waits or runs, nothing to cancel"


_VERBS: dict[str, Callable[[Connection, str, float], str]] = {
    RELEASE: _release,
    RETRY: _retry,
    RESEND: _resend,
    CANCEL: _cancel,
}
