"""Writes verdicts to the ledger: requests, jobs, events, notices and the state of the series."""

import structlog
from sqlalchemy import Connection

from core.config.settings import Configuration
from node.completion.judgement import Judged, Verdict
from node.completion.sent_again import answer_resend
from node.completion.submission import Submission
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.releases import record_holds
from node.ledger.requests.request_jobs import jobs_of_requests
from node.ledger.requests.requests import RUN, Request, decide, requests_of
from node.ledger.row_states import NoticeKind, RequestState, SeriesState
from node.ledger.tables.events import record_event
from node.ledger.tables.notices import queue_notice
from node.ledger.tables.series import find_series, set_state

_NO_DESTINATION = "the sender is not a configured peer, and --scu_ip/--scu_port are not given"
_FOR_FOLDERS = "read from a folder: only jobs requested by name run on it"
UNKNOWN_SENDER = (
    "the ledger was made again from files, so that who sent the series is not known: run a "
    "pipeline on it, or send it again"
)
"""Why nothing runs on a series of a rebuilt ledger."""
_KINDS = {
    RequestState.SUBMITTED: EventKind.PROCESSING,
    RequestState.HELD: EventKind.HELD,
    RequestState.KEPT: EventKind.KEPT,
    RequestState.FAILED: EventKind.NOT_DONE,
}

log = structlog.get_logger("completion")


class Decisions:
    """Records verdicts in the caller's transaction."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._submission = Submission(configuration, ledger)

    def record(self, connection: Connection, series_instance_uid: str, judged: Judged) -> None:
        """Record jobs and states of the judged requests, and the resulting state of the series."""
        for old, new in judged.superseded:
            words = f"superseded by request {new.key} of the same sender"
            decide(connection, old.key, RequestState.SUPERSEDED, words)
        several = len({one.asker for one in requests_of(connection, series_instance_uid)}) > 1
        for verdict in judged.verdicts:
            words = self._carry_out(connection, verdict, judged.content)
            if not _is_as_before(verdict):
                self._tell(connection, verdict, words, several=several)
        state, reason = _state_of_series(connection, series_instance_uid)
        set_state(connection, series_instance_uid, state, reason)
        holds = [one for verdict in judged.verdicts for one in verdict.holds]
        may_run = any(one.is_releasable for one in holds)
        record_holds(connection, series_instance_uid, holds, is_releasable=may_run)

    def _carry_out(self, connection: Connection, verdict: Verdict, content: str) -> str:
        key = verdict.request.key
        done = [self._submission.submit(connection, key, wanted) for wanted in verdict.jobs]
        decide(
            connection,
            key,
            verdict.state,
            verdict.reason,
            content=content,
            rules=verdict.rules,
        )
        now = self._ledger.clock()
        again = answer_resend(connection, self._configuration, verdict.request, now)
        return "; ".join(one for one in (*done, again, verdict.reason) if one)

    def _tell(self, connection: Connection, verdict: Verdict, words: str, *, several: bool) -> None:
        now, request = self._ledger.clock(), verdict.request
        uid, told = request.series_instance_uid, _with_asker(verdict, words, several=several)
        kind = _KINDS[verdict.state]
        if any(not one.route.destinations for one in verdict.jobs) and not request.is_by_name:
            record_event(
                connection,
                EventKind.NO_DESTINATION,
                _NO_DESTINATION,
                now=now,
                series_instance_uid=uid,
            )
        record_event(connection, kind, told, now=now, series_instance_uid=uid)
        if verdict.state == RequestState.HELD:
            queue_notice(connection, NoticeKind.HELD, now=now, series_instance_uid=uid, words=told)
        tell = (
            log.info
            if verdict.state in (RequestState.SUBMITTED, RequestState.KEPT)
            else log.warning
        )
        tell(f"request {verdict.state}", series_instance_uid=uid, reason=told)


def _is_as_before(verdict: Verdict) -> bool:
    """True if the request is still held for its reason, or kept, so that nobody is told again."""
    before = verdict.request
    if verdict.state == RequestState.KEPT:
        return _is_looked_at_again(before)
    is_held = verdict.state == before.state == RequestState.HELD
    return is_held and before.reason == verdict.reason


def _is_looked_at_again(request: Request) -> bool:
    """True if other rules left the request before (`node/completion/looking_again.py`)."""
    return request.state == RequestState.WAITING and bool(request.rules)


def _with_asker(verdict: Verdict, words: str, *, several: bool) -> str:
    """Add to `words` who asked, where several did or a job was requested by name."""
    request = verdict.request
    words = f"the rules are others now: {words}" if _is_looked_at_again(request) else words
    if not request.is_by_name:
        return f"for {request.asker}: {words}" if several else words
    if request.source == RUN:
        return f"{request.pipeline}, run by {request.by_whom}: {words}"
    if verdict.state == RequestState.SUBMITTED:
        return f"requested by {request.person}: {words}"
    return f"job {request.order_uid} ({request.pipeline}): {words}"


def _state_of_series(connection: Connection, series_instance_uid: str) -> tuple[SeriesState, str]:
    """Derive the state of a series from its requests: processing, else held, else kept."""
    requests = [
        one
        for one in requests_of(connection, series_instance_uid)
        if one.state != RequestState.SUPERSEDED and not one.is_given_up_run
    ]
    linked = {one.request for one in jobs_of_requests(connection, [one.key for one in requests])}
    if any(
        one.state in (RequestState.SUBMITTED, RequestState.HELD) and one.key in linked
        for one in requests
    ):
        return SeriesState.PROCESSING, ""
    for state, of_series in (
        (RequestState.HELD, SeriesState.HELD),
        (RequestState.KEPT, SeriesState.KEPT),
        (RequestState.CANCELLED, SeriesState.CANCELLED),
    ):
        found = [one for one in requests if one.state == state]
        if found:
            return of_series, found[-1].reason
    row = find_series(connection, series_instance_uid)
    is_rebuilt = row is not None and row.sender.is_unknown
    return SeriesState.KEPT, UNKNOWN_SENDER if is_rebuilt else _FOR_FOLDERS
