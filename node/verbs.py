"""Verbs of people's commands: what the node does, and answers."""

from collections.abc import Callable

from sqlalchemy import Connection

from node.answers import Answer, Command
from node.completion.releasing import release_series, take_content
from node.completion.running import run_pipeline
from node.delivery.resending import resend
from node.ledger.requests.cancellations import (
    cancel_requests_of_jobs,
    cancel_undecided,
    rejudge_held_requests,
    reopen_cancelled_requests,
)
from node.ledger.requests.jobs import cancel_job, current_jobs, jobs_of, requeue_job
from node.ledger.requests.releases import (
    cancel_series,
    judge_again,
    reopen_series,
    waits_for_person,
)
from node.ledger.row_states import JobState
from node.ledger.tables.contents import FIRST, NEWEST
from node.ledger.tables.deliveries import cancel_deliveries, release_deliveries, send_again
from node.ledger.tables.series import find_series
from node.pausing import PAUSE, RESUME, pause, resume

RUN, RELEASE, RETRY, RESEND, CANCEL = "run", "release", "retry", "resend", "cancel"
TAKES = {NEWEST: "take-newest", FIRST: "take-first"}
"""The contents that a person can choose, and the verb for each."""
_BY_PERSON = "cancelled by a person"


def _run(connection: Connection, command: Command) -> Answer:
    row = find_series(connection, command.series_instance_uid)
    if row is None:
        return Answer("not in this ledger", is_refused=True)
    return run_pipeline(connection, row, command)


def _release(connection: Connection, command: Command) -> Answer:
    series_instance_uid, now = command.series_instance_uid, command.now
    row = find_series(connection, series_instance_uid)
    answer = None if row is None else release_series(connection, row, now)
    if answer is not None:
        return answer
    done = current_jobs(connection, series_instance_uid, states=(JobState.DONE,))
    sent = sum(release_deliveries(connection, job.job_id, now) for job in done)
    if sent:
        return Answer(f"reviewed, {sent} instances are sent")
    return Answer("is not held, nothing to release", is_refused=True)


def _take(which: str) -> Callable[[Connection, Command], Answer]:
    def take(connection: Connection, command: Command) -> Answer:
        row = find_series(connection, command.series_instance_uid)
        if row is None:
            return Answer("not in this ledger", is_refused=True)
        return take_content(connection, row, which, asker=command.asker, now=command.now)

    return take


def _retry(connection: Connection, command: Command) -> Answer:
    series_instance_uid, now = command.series_instance_uid, command.now
    jobs = current_jobs(connection, series_instance_uid)
    failed = [job for job in jobs if job.state in (JobState.FAILED, JobState.CANCELLED)]
    for job in failed:
        requeue_job(connection, job.job_id)
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


def _resend(connection: Connection, command: Command) -> Answer:
    return resend(connection, command.series_instance_uid, command.now)


def _cancel(connection: Connection, command: Command) -> Answer:
    series_instance_uid, now = command.series_instance_uid, command.now
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
    words = "; ".join(done) or "nothing of it waits or runs, nothing to cancel"
    return Answer(words, is_refused=not done)


VERBS: dict[str, Callable[[Connection, Command], Answer]] = {
    RUN: _run,
    RELEASE: _release,
    **{verb: _take(which) for which, verb in TAKES.items()},
    RETRY: _retry,
    RESEND: _resend,
    CANCEL: _cancel,
    PAUSE: pause,
    RESUME: resume,
}
ON_NO_CASE = (PAUSE, RESUME)
"""Verbs whose target is a pipeline or a peer."""
