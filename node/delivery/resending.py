"""Results that a person sends again, the same bytes; and why there may be none to send."""

from sqlalchemy import Connection

from node.answers import Answer
from node.ledger.requests.jobs import OVER, JobRow, current_jobs
from node.ledger.row_states import DeliveryState, JobState
from node.ledger.tables.deliveries import delivery_states, send_again


def why_not_resent(connection: Connection, series_instance_uid: str) -> str:
    """Say why no results of a series can be sent again; empty if some can."""
    done = current_jobs(connection, series_instance_uid, states=(JobState.DONE,))
    if not done:
        return "nothing sent: there are no results yet"
    here = [job for job in done if job.removed_at is None]
    if not here:
        return f"nothing sent: {_removed_words(len(done))}"
    states = [one.state for job in here for one in delivery_states(connection, job.job_id)]
    if not states:
        return "nothing sent: the results have no destination; run the pipeline with one"
    if all(state == DeliveryState.HELD for state in states):
        return "nothing sent: a person must review the results first; release sends them"
    return ""


def resend(connection: Connection, series_instance_uid: str, now: float) -> Answer:
    """Send all results of a series once more, those of the latest finished revision."""
    why_not = why_not_resent(connection, series_instance_uid)
    if why_not:
        return Answer(why_not, is_refused=True)
    done = current_jobs(connection, series_instance_uid, states=(JobState.DONE,))
    here = [job for job in done if job.removed_at is None]
    count = sum(send_again(connection, job.job_id, now, also_stored=True) for job in here)
    words = [f"{count} instances sent again"]
    words += [_removed_words(len(done) - len(here))] if len(here) < len(done) else []
    return Answer("; ".join([*words, *_later_revisions(connection, series_instance_uid, here)]))


def _later_revisions(
    connection: Connection, series_instance_uid: str, sent: list[JobRow]
) -> list[str]:
    """Name the revisions that will replace what is sent, as their jobs are not done yet."""
    latest = {job.request.pipeline: job for job in current_jobs(connection, series_instance_uid)}
    return [
        f"these are results of revision {job.request.revision} of {job.request.pipeline}: "
        f"revision {later.request.revision} is {later.state}"
        for job in sent
        if (later := latest.get(job.request.pipeline, job)).job_id != job.job_id
        and later.state not in OVER
    ]


def _removed_words(count: int) -> str:
    return f"the results of {count} jobs were removed by retention"
