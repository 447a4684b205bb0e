"""Pipelines that a person runs on a case, whatever the rules say.

Each is a request by name on the series, of the source `person`. It is answered after the series was
judged again, so that the answer says which job there is, or why there is none.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from core.config.settings import SENDER, Configuration
from core.config.values import PIPELINE_ALIASES
from core.errors import RequestedJobError
from node.answers import Answer, Command
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import find_job
from node.ledger.requests.releases import judge_again
from node.ledger.requests.request_jobs import jobs_of_requests
from node.ledger.requests.requests import RUN, Request, ask_by_name, decide, find_order, requests_of
from node.ledger.row_states import JobState, RequestState, SeriesState
from node.ledger.tables.events import events_of
from node.ledger.tables.series import SeriesRow, count_removed

NOBODY = "nobody"
"""Destination of results that stay on this machine."""


def run_arguments(
    configuration: Configuration, pipeline: str, destinations: Sequence[str]
) -> dict[str, Any]:
    """Check the arguments of the verb `run`; without destinations results go to the sender.

    Raises:
        RequestedJobError: there is no such pipeline or peer; the words list what there is.
    """
    name = PIPELINE_ALIASES.get(pipeline, pipeline)
    if name not in configuration.pipelines:
        raise RequestedJobError(f"pipeline: expected one of {', '.join(configuration.pipelines)}")
    peers = [peer.name for peer in configuration.peers]
    known = [*peers, *(one for one in (SENDER, NOBODY) if one not in peers)]
    names = list(dict.fromkeys(destinations)) or [SENDER]
    if not set(names) <= set(known) or (NOBODY not in peers and NOBODY in names and names[1:]):
        raise RequestedJobError(f"destinations: expected {SENDER}, {NOBODY} or names of peers")
    return {"pipeline": name, "destinations": [] if names == [NOBODY] else names}


def why_not_run(connection: Connection, row: SeriesRow) -> str:
    """Say why no pipeline can run on a case at present; empty if one may."""
    removed = count_removed(connection, row.series_instance_uid)
    if removed:
        return f"not run: {removed} instances of the series were removed by retention"
    if row.state == SeriesState.HELD and not _is_held_for_requests(connection, row):
        helps = "release it, then run" if row.is_releasable else "a release cannot pass over this"
        return f"not run, as the series is held ({helps}): {row.reason}"
    return ""


def run_pipeline(connection: Connection, row: SeriesRow, command: Command) -> Answer:
    """Request a pipeline on a series by name, and judge the series again if it is complete."""
    why_not = why_not_run(connection, row)
    if why_not:
        return Answer(why_not, is_refused=True)
    uid, pipeline = row.series_instance_uid, str(command.arguments["pipeline"])
    names = [str(name) for name in command.arguments.get("destinations", ())]
    asked = {"pipeline": pipeline, "destinations": names}
    asked |= {"person": command.asker.person, "address": command.asker.address}
    order_uid = _order_uid(command.number)
    ask_by_name(connection, uid, order_uid=order_uid, source=RUN, asked=asked, now=command.now)
    words = f"{pipeline} is asked for, results {_places(names)}"
    if _is_received_still(row, command.now):
        return Answer(f"{words}; it runs as soon as the series is complete")
    judge_again(connection, uid, command.now)
    return Answer(words, is_awaited=True)


def outcome_of_run(
    connection: Connection, row: SeriesRow, command: int, begun_at: float
) -> Answer | None:
    """Return what came of a command `run`; None until its series was judged again."""
    request = find_order(connection, _order_uid(command))
    if request is None:
        return Answer("its request is not in the ledger", is_refused=True)
    if request.state == RequestState.WAITING:
        return _outcome_while_waiting(connection, row, request, begun_at)
    if request.state == RequestState.SUBMITTED:
        return Answer(_words_of_job(connection, request, begun_at))
    if request.state == RequestState.HELD and row.is_releasable:
        return Answer(f"held, a release lets it run: {request.reason}", is_refused=True)
    if request.state in (RequestState.HELD, RequestState.FAILED):
        return _not_run(connection, request, request.reason, begun_at)
    return Answer(f"{request.state} meanwhile: {request.reason}", is_refused=True)


def _outcome_while_waiting(
    connection: Connection, row: SeriesRow, request: Request, begun_at: float
) -> Answer | None:
    if row.state == SeriesState.SETTLING and row.ready_at is not None and row.ready_at <= begun_at:
        return None
    if row.state in (SeriesState.ARRIVING, SeriesState.SETTLING):
        return Answer("more instances came meanwhile: it runs as soon as the series is complete")
    return _not_run(connection, request, row.reason, None)


def _not_run(
    connection: Connection, request: Request, reason: str, judged_at: float | None
) -> Answer:
    """Give a request up, so that the state of its case does not depend on it."""
    decide(connection, request.key, RequestState.CANCELLED, f"not run: {reason}")
    if judged_at is not None:  # without this request
        judge_again(connection, request.series_instance_uid, judged_at)
    return Answer(f"not run: {reason}", is_refused=True)


def _words_of_job(connection: Connection, request: Request, begun_at: float) -> str:
    """What the decision said, and what helps where the results exist already."""
    told = [
        words
        for at, kind, words in events_of(connection, request.series_instance_uid)
        if at >= begun_at and kind == EventKind.PROCESSING and request.by_whom in words
    ]
    jobs = [find_job(connection, one.job_id) for one in jobs_of_requests(connection, [request.key])]
    is_old = any(one and one.state == JobState.DONE and one.created_at < begun_at for one in jobs)
    hint = "; resend sends results that were delivered once more" if is_old else ""
    return f"{told[-1] if told else request.state}{hint}"


def _is_held_for_requests(connection: Connection, row: SeriesRow) -> bool:
    """True if a request is held for its pipeline's sake, and the series itself is not."""
    return any(
        one.state == RequestState.HELD for one in requests_of(connection, row.series_instance_uid)
    )


def _is_received_still(row: SeriesRow, now: float) -> bool:
    is_due = row.ready_at is not None and row.ready_at <= now
    return row.state == SeriesState.ARRIVING or (row.state == SeriesState.SETTLING and not is_due)


def _places(names: list[str]) -> str:
    return f"to {', '.join(names)}" if names else "stay here"


def _order_uid(command: int) -> str:
    return f"command {command}"
