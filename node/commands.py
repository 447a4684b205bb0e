"""Commands of people to the running node: written as rows, which the node carries out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.answers import Answer, Asker
from node.completion.releasing import (
    outcome_of,
    release_series,
    take_content,
    why_not_released,
    why_not_taken,
)
from node.ledger.database import Ledger
from node.ledger.event_kinds import asked_by_person
from node.ledger.requests.jobs import cancel_job, current_jobs, jobs_of, requeue_job
from node.ledger.requests.releases import (
    cancel_series,
    judge_again,
    reopen_series,
    waits_for_person,
)
from node.ledger.requests.requests import (
    cancel_requests_of_jobs,
    cancel_undecided,
    rejudge_held_requests,
    reopen_cancelled_requests,
    reopen_requests_of_jobs,
)
from node.ledger.row_states import JobState
from node.ledger.schema import commands
from node.ledger.tables.contents import FIRST, NEWEST
from node.ledger.tables.deliveries import cancel_deliveries, release_deliveries, send_again
from node.ledger.tables.events import record_event
from node.ledger.tables.series import find_series

RELEASE, RETRY, RESEND, CANCEL = "release", "retry", "resend", "cancel"
RELOAD = "reload"
"""Takes what changed in the configuration file; node/reloading.py answers it."""
TAKES = {NEWEST: "take-newest", FIRST: "take-first"}
"""The contents that a person can choose, and the verb for each."""
ECHO = "echo"
ANSWERS = "answers"
"""Answer to an echo command if the peer answered; other answers say why it did not."""
_BY_PERSON = "cancelled by a person"


_NOBODY = Asker()


def ask(ledger: Ledger, verb: str, target: str, asker: Asker = _NOBODY) -> int:
    """Write a command for the running node, on a series or, for `echo`, a peer; return its id."""
    with ledger.writing() as connection:
        row = {"at": ledger.clock(), "verb": verb, "target": target, "answer": ""}
        row |= {"person": asker.person, "address": asker.address}
        key = connection.execute(insert(commands).values(**row)).inserted_primary_key
    return 0 if key is None else int(key[0])


def answer_to(ledger: Ledger, command: int) -> Answer | None:
    """Return the node's answer to a command; None while there is none.

    Raises:
        LookupError: there is no command with this id.
    """
    with ledger.reading() as connection:
        row = connection.execute(select(commands).where(commands.c.id == command)).first()
    if row is None:
        raise LookupError(command)
    return Answer(row.answer, row.is_refused) if row.done_at is not None else None


def has_begun(ledger: Ledger, command: int) -> bool:
    """True if the node has begun a command whose effect it waits for before it answers."""
    with ledger.reading() as connection:
        query = select(commands.c.begun_at).where(commands.c.id == command)
        return connection.scalar(query) is not None


def why_not(ledger: Ledger, verb: str, series_instance_uid: str) -> str:
    """Say why a command would be refused at present; empty if it would not."""
    with ledger.reading() as connection:
        row = find_series(connection, series_instance_uid)
        if row is None:
            return ""
        if verb in TAKES.values():
            return why_not_taken(connection, row)
        is_held = verb == RELEASE and waits_for_person(connection, row)
        return why_not_released(row) if is_held else ""


def carry_out(ledger: Ledger) -> int:
    """Carry out every waiting command; return how many.

    Completion judges a released series first, so that a release is answered in a later round.
    """
    undone = commands.c.done_at.is_(None) & commands.c.verb.in_(_VERBS)
    with ledger.reading() as connection:
        waiting = connection.execute(select(commands).where(undone)).all()
    for row in waiting:
        with ledger.writing() as connection:
            if row.begun_at is None:
                _begin(connection, row, ledger.clock())
            else:
                _await(connection, row, ledger.clock())
    return sum(row.begun_at is None for row in waiting)


def _begin(connection: Connection, row: Row[Any], now: float) -> None:
    asker = Asker(row.person, row.address)
    answer = _VERBS[row.verb](connection, row.target, asker, now)
    words = f"{answer.words}{asker.words}"
    kind = asked_by_person(row.verb)
    record_event(connection, kind, words, now=now, series_instance_uid=row.target)
    if answer.is_awaited:
        begun = update(commands).where(commands.c.id == row.id)
        connection.execute(begun.values(begun_at=now, answer=answer.words))
    else:
        _answer(connection, row, answer, now)


def _await(connection: Connection, row: Row[Any], now: float) -> None:
    series = find_series(connection, row.target)
    outcome = None if series is None else outcome_of(connection, series, row.begun_at)
    if outcome is not None:
        words = f"{row.answer}; {outcome.words}"
        _answer(connection, row, replace(outcome, words=words), now)


def _answer(connection: Connection, row: Row[Any], answer: Answer, now: float) -> None:
    values = {"done_at": now, "answer": answer.words, "is_refused": answer.is_refused}
    connection.execute(update(commands).where(commands.c.id == row.id).values(**values))


def _release(connection: Connection, series_instance_uid: str, _asker: Asker, now: float) -> Answer:
    row = find_series(connection, series_instance_uid)
    answer = None if row is None else release_series(connection, row, now)
    if answer is not None:
        return answer
    done = current_jobs(connection, series_instance_uid, states=(JobState.DONE,))
    sent = sum(release_deliveries(connection, job.job_id, now) for job in done)
    if sent:
        return Answer(f"reviewed, {sent} instances are sent")
    return Answer("is not held, nothing to release", is_refused=True)


def _take(which: str) -> Callable[[Connection, str, Asker, float], Answer]:
    def take(connection: Connection, uid: str, asker: Asker, now: float) -> Answer:
        row = find_series(connection, uid)
        if row is None:
            return Answer("not in this ledger", is_refused=True)
        return take_content(connection, row, which, asker=asker, now=now)

    return take


def _retry(connection: Connection, series_instance_uid: str, _asker: Asker, now: float) -> Answer:
    jobs = current_jobs(connection, series_instance_uid)
    failed = [job for job in jobs if job.state in (JobState.FAILED, JobState.CANCELLED)]
    for job in failed:
        requeue_job(connection, job.job_id)
    reopen_requests_of_jobs(connection, [job.job_id for job in failed])
    here = [job for job in jobs if job.state == JobState.DONE and job.removed_at is None]
    again = sum(send_again(connection, job.job_id, now) for job in here)
    words = f"{len(failed)} failed jobs queued again, {again} undelivered instances sent again"
    also_decided = reopen_cancelled_requests(connection, series_instance_uid) > 0
    if reopen_series(connection, series_instance_uid, now, also_decided=also_decided):
        words += "; the series is judged again"
    row = find_series(connection, series_instance_uid)
    if row is not None and waits_for_person(connection, row):
        judge_again(connection, series_instance_uid, now)
        rejudge_held_requests(connection, series_instance_uid)
        return Answer("judged again", is_awaited=True)
    return Answer(words)


def _resend(connection: Connection, series_instance_uid: str, _asker: Asker, now: float) -> Answer:
    done = current_jobs(connection, series_instance_uid, states=(JobState.DONE,))
    here = [job for job in done if job.removed_at is None]
    count = sum(send_again(connection, job.job_id, now, also_stored=True) for job in here)
    words = f"{count} instances sent again"
    if len(here) < len(done):
        words += f"; the results of {len(done) - len(here)} jobs were removed by retention"
    return Answer(words)


def _cancel(connection: Connection, series_instance_uid: str, _asker: Asker, now: float) -> Answer:
    done = []
    if cancel_series(connection, series_instance_uid, _BY_PERSON):
        done.append("the series is cancelled")
    undecided = cancel_undecided(connection, series_instance_uid, _BY_PERSON)
    done += [f"{undecided} held requests are cancelled"] if undecided and not done else []
    jobs = jobs_of(connection, series_instance_uid)
    cancelled = [one.job_id for one in jobs if cancel_job(connection, one.job_id, _BY_PERSON, now)]
    cancel_requests_of_jobs(connection, cancelled, _BY_PERSON)
    done += [f"{len(cancelled)} unfinished jobs cancelled"] if cancelled else []
    unsent = sum(cancel_deliveries(connection, job.job_id, now) for job in jobs)
    done += [f"{unsent} waiting instances are not sent"] if unsent else []
    return Answer("; ".join(done) or "nothing of it waits or runs, nothing to cancel")


_VERBS: dict[str, Callable[[Connection, str, Asker, float], Answer]] = {
    RELEASE: _release,
    **{verb: _take(which) for which, verb in TAKES.items()},
    RETRY: _retry,
    RESEND: _resend,
    CANCEL: _cancel,
}
