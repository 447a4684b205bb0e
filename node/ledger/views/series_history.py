"""History of a series in one value, from association to delivery, in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import JobRow, jobs_of
from node.ledger.row_states import JobState, SeriesState
from node.ledger.schema import series
from node.ledger.tables.case_numbers import case_numbers, series_by_number
from node.ledger.tables.events import events_of
from node.ledger.tables.series import (
    SeriesRow,
    count_instances,
    find_series,
    latest_ending_with,
    latest_series,
)
from node.ledger.views.series_status import (
    RequestStatus,
    SeriesStatus,
    may_stand_at,
    status_of,
    statuses,
)
from node.ledger.views.states import CaseState, states_named

_CHUNK = 25


@dataclass(frozen=True, slots=True)
class SeriesHistory:
    """State of a series with its reason, events, requests and results."""

    series_instance_uid: str
    number: int
    """Number of the case; 0 while no instance of it is recorded."""
    sender: str
    instances: int
    last_at: float
    state: CaseState
    reason: str
    events: tuple[tuple[float, str, str], ...]
    settled_s: float | None
    """Seconds from the end of the last association to the decision; None before it."""
    result_folders: tuple[str, ...]
    requests: tuple[RequestStatus, ...]
    """Requests on the series, oldest first."""
    holds: tuple[str, ...] = ()
    """Reasons to hold the series or a request on it: codes of core/hold_reasons.py."""
    is_releasable: bool = False
    """True if a release lets at least one job run."""
    warnings: tuple[str, ...] = ()
    """Warnings of the latest finished job of each pipeline, each once."""


def latest_histories(
    ledger: Ledger, limit: int | None = None, state: str = ""
) -> list[SeriesHistory]:
    """Return the latest series, the latest last; with `state` only those in it."""
    return histories_before(ledger, limit, state)[::-1]


def histories_before(
    ledger: Ledger,
    limit: int | None,
    state: str = "",
    before: tuple[float, str] | None = None,
    *,
    since: float = 0.0,
) -> list[SeriesHistory]:
    """Return the latest series, the latest first, starting behind (last_at, UID) `before`.

    With `state` only those in it; only those that received an instance at `since` or later.
    """
    condition = series.c.last_at >= since
    if state:
        condition &= may_stand_at(state)
    with ledger.reading() as connection:
        rows = latest_series(connection, condition, before)
        fitting = matching_histories(connection, rows, state, storage_path=ledger.storage_path)
        return list(islice(fitting, limit))


def matching_histories(
    connection: Connection, rows: Iterator[SeriesRow], state: str, *, storage_path: Path
) -> Iterator[SeriesHistory]:
    """Yield the histories of those of `rows` that are in `state`; of all if that is empty."""
    wanted = states_named(state)
    while chunk := list(islice(rows, _CHUNK)):
        found = statuses(connection, chunk)
        for row in chunk:
            status = found[row.series_instance_uid]
            if status.state in wanted or not state:
                yield history_of_row(connection, row, storage_path, status)


def history_of(ledger: Ledger, case: str, *, may_be_end: bool = True) -> SeriesHistory | None:
    """Return the history of a case by its number or SeriesInstanceUID; None if it is unknown.

    With `may_be_end` also of the latest series whose UID ends with `case`.
    """
    if not case:
        return None
    with ledger.reading() as connection:
        row = find_series(connection, series_by_number(connection, case) or case)
        if row is None and may_be_end:
            row = latest_ending_with(connection, case)
        return None if row is None else history_of_row(connection, row, ledger.storage_path)


def history_of_row(
    connection: Connection, row: SeriesRow, storage_path: Path, status: SeriesStatus | None = None
) -> SeriesHistory:
    """Build the history of a series; `status` saves reading its state again."""
    jobs = jobs_of(connection, row.series_instance_uid)
    found = status_of(connection, row) if status is None else status
    events = events_of(connection, row.series_instance_uid)
    return SeriesHistory(
        series_instance_uid=row.series_instance_uid,
        number=case_numbers(connection, [row.series_instance_uid]).get(row.series_instance_uid, 0),
        sender=_senders(row, found.requests),
        instances=count_instances(connection, row.series_instance_uid),
        last_at=row.last_at,
        state=found.state,
        reason=found.words,
        events=tuple(events),
        settled_s=_settled_s(events),
        result_folders=tuple(
            job.request.located(storage_path).output_dir
            for job in jobs
            if job.state == JobState.DONE
        ),
        requests=found.requests,
        holds=tuple(row.holds)
        if row.state in (SeriesState.HELD, SeriesState.KEPT, SeriesState.PROCESSING)
        else (),
        is_releasable=row.is_releasable
        and row.state in (SeriesState.HELD, SeriesState.KEPT, SeriesState.PROCESSING),
        warnings=_warnings(jobs),
    )


def _warnings(jobs: Sequence[JobRow]) -> tuple[str, ...]:
    """Warnings of the latest finished job of each pipeline, which is named if there are several."""
    latest = {one.request.pipeline: one for one in jobs if one.state == JobState.DONE}
    found = [
        f"{name}: {words}" if len(latest) > 1 else words
        for name, job in latest.items()
        for words in (() if job.result is None else job.result.warnings)
    ]
    return tuple(dict.fromkeys(found))


def _senders(row: SeriesRow, requests: Sequence[RequestStatus]) -> str:
    """Name the senders of a series, each once; else where it was read from."""
    senders = [str(one.request.sender) for one in requests if not one.request.is_by_name]
    return ", ".join(dict.fromkeys(senders)) or str(row.sender)


def _settled_s(events: Sequence[tuple[float, str, str]]) -> float | None:
    ended = [at for at, kind, _ in events if kind == EventKind.ASSOCIATION]
    decided = [
        at
        for at, kind, _ in events
        if kind in (EventKind.PROCESSING, EventKind.HELD, EventKind.KEPT)
    ]
    return decided[-1] - ended[-1] if ended and decided else None
