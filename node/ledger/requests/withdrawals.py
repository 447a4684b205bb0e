"""Results of a content that a person did not take: nothing of them goes out any more."""

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
    """Withdraw every job of a series on one of the files `paths`; how many, and unsent instances.

    What is done stays for the story, and what it left is replaced by the next revision; what is not
    done is never taken up again.
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
        _ask_no_more(connection, job.job_id, words, now)
    return count, unsent


def _ask_no_more(connection: Connection, job_id: str, words: str, now: float) -> None:
    """A peer that lacked some of it would be sent it again."""
    is_open = (proofs.c.job_id == job_id) & proofs.c.state.in_(UNSETTLED)
    values = {"state": ProofState.GIVEN_UP, "words": words, "finished_at": now}
    connection.execute(update(proofs).where(is_open).values(**values))
