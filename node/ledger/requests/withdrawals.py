"""Withdrawal of jobs on contents that a person rejected: their results are not sent any more."""

from collections.abc import Collection

from sqlalchemy import Connection, update

from node.ledger.requests.jobs import jobs_of
from node.ledger.row_states import JobState, ProofState
from node.ledger.schema import jobs, proofs
from node.ledger.tables.deliveries import cancel_deliveries
from node.ledger.tables.proofs import UNSETTLED


def withdraw_jobs(
    connection: Connection,
    series_instance_uid: str,
    paths: Collection[str],
    *,
    words: str,
    now: float,
) -> tuple[int, int]:
    """Withdraw every job of a series that uses one of the files `paths`.

    Finished jobs stay in the history, and the next revision replaces their results; unfinished
    jobs never run again.

    Returns:
        The number of jobs, and of result instances that were still to be sent.
    """
    count = unsent = 0
    unwanted = set(paths)
    for job in jobs_of(connection, series_instance_uid):
        if not unwanted.intersection(job.request.instance_paths):
            continue
        if job.state in (JobState.SUPERSEDED, JobState.WITHDRAWN):
            continue
        count += 1
        state = JobState.WITHDRAWN if job.state == JobState.DONE else JobState.SUPERSEDED
        values = {"state": state, "reason": words}
        connection.execute(update(jobs).where(jobs.c.job_id == job.job_id).values(**values))
        unsent += cancel_deliveries(connection, job.job_id, now, words=words)
        _stop_proofs(connection, job.job_id, words, now)
    return count, unsent


def _stop_proofs(connection: Connection, job_id: str, words: str, now: float) -> None:
    """Give up open proofs of a job; else missing instances would be sent again."""
    is_open = (proofs.c.job_id == job_id) & proofs.c.state.in_(UNSETTLED)
    values = {"state": ProofState.GIVEN_UP, "words": words, "finished_at": now}
    connection.execute(update(proofs).where(is_open).values(**values))
