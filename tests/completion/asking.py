"""Who asks for a series in the tests of requests, and what became of that."""

from collections.abc import Sequence
from pathlib import Path

from node.commands import ask, carry_out
from node.ledger.requests.jobs import JobRow
from node.ledger.requests.request_jobs import jobs_of_requests
from node.ledger.requests.requests import Request, requests_of
from node.ledger.row_states import JobState
from tests.support.completion import Completion, series_uid


def asked(completion: Completion, paths: Sequence[Path]) -> list[Request]:
    with completion.ledger.reading() as connection:
        return requests_of(connection, series_uid(paths))


def states(completion: Completion, paths: Sequence[Path]) -> list[str]:
    return [request.state for request in asked(completion, paths)]


def goes(completion: Completion, paths: Sequence[Path]) -> list[tuple[str, str, list[str]]]:
    """Called title, pipeline and destinations of every request's latest jobs."""
    found = []
    with completion.ledger.reading() as connection:
        for request in requests_of(connection, series_uid(paths)):
            latest = {job.pipeline: job for job in jobs_of_requests(connection, [request.key])}
            for job in latest.values():
                peers = [destination.peer for destination in job.destinations]
                found.append((request.sender.called_ae_title, job.pipeline, peers))
    return found


def by_pipeline(completion: Completion, paths: Sequence[Path]) -> dict[str, JobRow]:
    """The job of each pipeline that was not superseded."""
    jobs = completion.jobs(paths)
    return {job.request.pipeline: job for job in jobs if job.state != JobState.SUPERSEDED}


def person(completion: Completion, paths: Sequence[Path], verb: str) -> str:
    ask(completion.ledger, verb, series_uid(paths))
    carry_out(completion.ledger)
    return completion.words(paths)[-1]
