"""Cases: series of the ledger under numbers that reveal nothing of the patient."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select

from node.ledger.database import Ledger
from node.ledger.row_states import JobState
from node.ledger.schema import instances, jobs, requests, series
from node.ledger.tables.case_numbers import case_numbers, series_by_number, series_of_case
from node.ledger.tables.series import SeriesRow, find_series, latest_series
from node.ledger.views.series_history import SeriesHistory, history_of_row
from node.ledger.views.series_status import SeriesStatus, may_stand_at, statuses
from node.ledger.views.states import CaseState, states_named
from web.cases.about import About

_CHUNK = 25
_TONES = {
    CaseState.HELD: "held",
    CaseState.FAILED: "failed",
    CaseState.NOT_DELIVERED: "failed",
    CaseState.RUNNING: "running",
    CaseState.DONE: "done",
    CaseState.DELIVERED: "done",
    CaseState.KEPT: "quiet",
    CaseState.CANCELLED: "quiet",
    CaseState.SUPERSEDED: "quiet",
}


def tone_of(state: CaseState) -> str:
    """How a state is shown: one of held, failed, running, done, quiet and waiting."""
    return _TONES.get(state, "waiting")


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a running job."""

    fraction: float
    """Fraction done, 0 to 1."""
    step: str
    started_at: float | None


@dataclass(frozen=True, slots=True)
class Case:
    """A series as a row of a list, or as the head of its page."""

    number: int
    """The ledger's id of the first instance received: short, permanent, not patient data."""
    history: SeriesHistory
    first_at: float
    about: About
    progress: Progress | None

    @property
    def state(self) -> CaseState:
        """The state of the case, as in its history."""
        return self.history.state

    @property
    def tone(self) -> str:
        """How the state is shown, see `tone_of`."""
        return tone_of(self.state)


@dataclass(frozen=True, slots=True)
class Search:
    """Filters of a list of cases."""

    state: str = ""
    text: str = ""
    """Part of an AE title, address or person's name, a case's number, or the end of a UID."""
    since: float | None = None
    until: float | None = None
    """`since` and `until` bound when the last instance was received, in seconds since 1970."""


class Cases:
    """Reads cases from the ledger."""

    def __init__(self, ledger: Ledger, about: Callable[[Path], About]) -> None:
        self.ledger = ledger
        self._about = about

    def find(self, number: int) -> Case | None:
        """The case `number`; None if there is none."""
        with self.ledger.reading() as connection:
            uid = series_of_case(connection, number)
            row = None if uid is None else find_series(connection, uid)
            if row is None:
                return None
            return self._cases(connection, [row], statuses(connection, [row]))[0]

    def latest(self, search: Search, *, limit: int, skip: int = 0) -> list[Case]:
        """At most `limit` cases that match, after `skip` others, the latest first."""
        with self.ledger.reading() as connection:
            rows = latest_series(connection, condition_of(connection, search))
            return list(islice(self.fitting(connection, rows, search.state), skip, skip + limit))

    def about_of(self, connection: Connection, uids: Sequence[str]) -> dict[str, About]:
        """What the header of each series' first instance says; without files an empty `About`."""
        first = first_instances(connection, uids)
        return {
            uid: self._about(self.ledger.storage_path / path) if path else About()
            for uid, (_, path) in first.items()
        }

    def fitting(
        self, connection: Connection, rows: Iterator[SeriesRow], state: str
    ) -> Iterator[Case]:
        """The cases of those of `rows` that are in `state`; of all if that is empty."""
        wanted = states_named(state)
        while chunk := list(islice(rows, _CHUNK)):
            found = statuses(connection, chunk)
            fitting = [
                row for row in chunk if not state or found[row.series_instance_uid].state in wanted
            ]
            yield from self._cases(connection, fitting, found)

    def _cases(
        self, connection: Connection, rows: Sequence[SeriesRow], found: Mapping[str, SeriesStatus]
    ) -> list[Case]:
        uids = [row.series_instance_uid for row in rows]
        first, running = first_instances(connection, uids), _running(connection, uids)
        cases = []
        for row in rows:
            uid = row.series_instance_uid
            number, path = first.get(uid, (0, ""))
            cases.append(
                Case(
                    number=number,
                    history=history_of_row(connection, row, self.ledger.storage_path, found[uid]),
                    first_at=row.first_at,
                    about=self._about(self.ledger.storage_path / path) if path else About(),
                    progress=running.get(uid),
                )
            )
        return cases


def first_instances(connection: Connection, uids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Case number of each series, and the file of its first instance that was not removed."""
    of_these = instances.c.series_instance_uid.in_(uids) & instances.c.removed_at.is_(None)
    here = (
        select(func.min(instances.c.id)).where(of_these).group_by(instances.c.series_instance_uid)
    )
    rows = connection.execute(
        select(instances.c.series_instance_uid, instances.c.path).where(instances.c.id.in_(here))
    )
    paths = {row.series_instance_uid: row.path for row in rows}
    numbers = case_numbers(connection, uids)
    return {uid: (number, paths.get(uid, "")) for uid, number in numbers.items()}


def _running(connection: Connection, uids: Sequence[str]) -> dict[str, Progress]:
    rows = connection.execute(
        select(jobs.c.series_instance_uid, jobs.c.progress, jobs.c.step, jobs.c.started_at).where(
            jobs.c.series_instance_uid.in_(uids), jobs.c.state == JobState.RUNNING
        )
    )
    return {uid: Progress(progress, step, at) for uid, progress, step, at in rows}


def condition_of(connection: Connection, search: Search) -> ColumnElement[bool]:
    """Match series with a search, as far as rows tell: of a state possibly more than are in it."""
    condition = series.c.last_at >= (search.since or 0.0)
    if search.state:
        condition &= may_stand_at(search.state)
    if search.until is not None:
        condition &= series.c.last_at < search.until
    if search.text:
        condition &= matches(connection, search.text)
    return condition


def matches(connection: Connection, text: str) -> ColumnElement[bool]:
    """Match a search text with case number, AE titles, address, person and ends of UIDs."""
    names = ("calling_ae_title", "called_ae_title", "address", "person")
    asked = [requests.c[name].icontains(text, autoescape=True) for name in names]
    own = requests.c.series_instance_uid == series.c.series_instance_uid
    fits: list[ColumnElement[bool]] = [exists(select(requests.c.id).where(own, or_(*asked)))]
    fits.append(series.c.series_instance_uid.endswith(text, autoescape=True))
    fits.append(series.c.study_instance_uid.endswith(text, autoescape=True))
    uid = series_by_number(connection, text)
    if uid is not None:
        fits.append(series.c.series_instance_uid == uid)
    return or_(*fits)
