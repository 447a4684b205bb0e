"""Requests of a case as lines of text."""

from collections.abc import Iterator, Sequence

from core.plain_text import stamp
from node.ledger.views.series_status import RequestStatus
from node.ledger.views.states import JobStatus, state_of_job


def request_lines(requests: Sequence[RequestStatus]) -> Iterator[str]:
    """Yield for each request who asked, when, its state, and a line for each job."""
    for number, one in enumerate(requests, 1):
        asked_at = stamp(one.request.created_at)
        yield f"Request {number}: {one.request.asker}, {asked_at}, {one.how_it_came}"
        yield f"  {one.about}"
        yield from (f"  {job_words(job)}" for job in one.jobs)


def job_words(job: JobStatus) -> str:
    """Describe a job of a request: pipeline, rule, destinations and state."""
    state, words = state_of_job(job)
    rule = f" by {job.rule}" if job.rule else ""
    revision = f", revision {job.revision}" if job.revision > 1 else ""
    peers = ", ".join(one.peer for one in job.destinations) or "nobody"
    why = f": {words}" if words else ""
    return f"{job.pipeline}{rule}{revision}, job {job.job_id[:12]} for {peers}, {state}{why}"
