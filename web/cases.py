"""Cases: series of the ledger under numbers that say nothing of the patient."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, func, or_, select

from node.ledger.database import Ledger
from node.ledger.deliveries import GIVEN_UP, REFUSED
from node.ledger.jobs import DONE, RUNNING, SUPERSEDED
from node.ledger.schema import deliveries, instances, jobs, series
from node.ledger.series import SeriesRow, find_series, latest_series
from node.ledger.standing import SENDING, may_stand_at
from node.ledger.stories import Story, tell
from web.about import About

NOT_DELIVERED = "not delivered"
_CHUNK = 25
_TONES = {
    "held": "held",
    "failed": "failed",
    NOT_DELIVERED: "failed",
    "running": "running",
    "done": "done",
    "delivered": "done",
    "kept": "quiet",
    "cancelled": "quiet",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is."""

    fraction: float
    """0 to 1."""
    step: str
    started_at: float | None


@dataclass(frozen=True, slots=True)
class Case:
    """A series as a line of a list, or as the head of its page."""

    number: int
    """The id of the first instance that came: short, lasting, and no patient's."""
    story: Story
    state: str
    """As in the story, but for results that a peer does not take: `not delivered`."""
    first_at: float
    about: About
    progress: Progress | None

    @property
    def tone(self) -> str:
        """One of held, failed, running, done, quiet, waiting: how the state is shown."""
        return _TONES.get(self.state, "waiting")


@dataclass(frozen=True, slots=True)
class Search:
    """What a list of cases is asked for."""

    state: str = ""
    text: str = ""
    """Part of an AE title or address, a case's number, or the end of a UID."""
    since: float | None = None
    until: float | None = None
    """Seconds since 1970: when the last instance came."""


class Cases:
    """Reads cases out of the ledger."""

    def __init__(self, ledger: Ledger, about: Callable[[Path], About]) -> None:
        self._ledger = ledger
        self._about = about

    def find(self, number: int) -> Case | None:
        """The case of a number."""
        with self._ledger.reading() as connection:
            uid = series_of_case(connection, number)
            row = None if uid is None else find_series(connection, uid)
            return None if row is None else self._cases(connection, [row])[0]

    def latest(self, search: Search, *, limit: int, skip: int = 0) -> list[Case]:
        """At most `limit` cases that fit, after `skip` others, the latest first."""
        with self._ledger.reading() as connection:
            rows = latest_series(connection, _condition(connection, search))
            return list(islice(self._fitting(connection, rows, search.state), skip, skip + limit))

    def _fitting(
        self, connection: Connection, rows: Iterator[SeriesRow], state: str
    ) -> Iterator[Case]:
        while chunk := list(islice(rows, _CHUNK)):
            cases = self._cases(connection, chunk)
            yield from (case for case in cases if case.state == state or not state)

    def _cases(self, connection: Connection, rows: Sequence[SeriesRow]) -> list[Case]:
        uids = [row.series_instance_uid for row in rows]
        first = _first_instances(connection, uids)
        running, undelivered = _running(connection, uids), _undelivered(connection, uids)
        cases = []
        for row in rows:
            uid = row.series_instance_uid
            story = tell(connection, row, self._ledger.storage_path)
            number, path = first.get(uid, (0, ""))
            is_dead = story.state == SENDING and uid in undelivered
            about = self._about(self._ledger.storage_path / path) if path else About()
            cases.append(
                Case(
                    number=number,
                    story=story,
                    state=NOT_DELIVERED if is_dead else story.state,
                    first_at=row.first_at,
                    about=about,
                    progress=running.get(uid),
                )
            )
        return cases


def series_of_case(connection: Connection, number: int) -> str | None:
    """The series of the instance with this id, if it is the first of it."""
    key = instances.c.id == number
    uid = connection.scalar(select(instances.c.series_instance_uid).where(key))
    if uid is None or _numbers(connection, [uid]).get(uid) != number:
        return None
    return str(uid)


def case_numbers(connection: Connection, uids: Sequence[str]) -> dict[str, int]:
    """The numbers of the cases of series that are known."""
    return _numbers(connection, [uid for uid in dict.fromkeys(uids) if uid])


def _numbers(connection: Connection, uids: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(
        select(instances.c.series_instance_uid, func.min(instances.c.id))
        .where(instances.c.series_instance_uid.in_(uids))
        .group_by(instances.c.series_instance_uid)
    )
    return {uid: int(number) for uid, number in rows}


def _first_instances(connection: Connection, uids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """The number of each series, and the file of the first of its instances that is here."""
    of_these = instances.c.series_instance_uid.in_(uids) & instances.c.removed_at.is_(None)
    here = (
        select(func.min(instances.c.id)).where(of_these).group_by(instances.c.series_instance_uid)
    )
    rows = connection.execute(
        select(instances.c.series_instance_uid, instances.c.path).where(instances.c.id.in_(here))
    )
    paths = {row.series_instance_uid: row.path for row in rows}
    numbers = _numbers(connection, uids)
    return {uid: (number, paths.get(uid, "")) for uid, number in numbers.items()}


def _running(connection: Connection, uids: Sequence[str]) -> dict[str, Progress]:
    rows = connection.execute(
        select(jobs.c.series_instance_uid, jobs.c.progress, jobs.c.step, jobs.c.started_at).where(
            jobs.c.series_instance_uid.in_(uids), jobs.c.state == RUNNING
        )
    )
    return {uid: Progress(progress, step, at) for uid, progress, step, at in rows}


def _undelivered(connection: Connection, uids: Sequence[str]) -> set[str]:
    """Series whose latest job has results that a peer refused, or that were given up."""
    latest = (
        select(jobs.c.series_instance_uid, func.max(jobs.c.created_at).label("at"))
        .where(jobs.c.series_instance_uid.in_(uids), jobs.c.state != SUPERSEDED)
        .group_by(jobs.c.series_instance_uid)
        .subquery()
    )
    rows = connection.scalars(
        select(jobs.c.series_instance_uid)
        .join(latest, latest.c.series_instance_uid == jobs.c.series_instance_uid)
        .join(deliveries, deliveries.c.job_id == jobs.c.job_id)
        .where(
            jobs.c.created_at == latest.c.at,
            jobs.c.state == DONE,
            deliveries.c.state.in_((REFUSED, GIVEN_UP)),
        )
        .distinct()
    )
    return set(rows)


def _condition(connection: Connection, search: Search) -> ColumnElement[bool]:
    condition = series.c.last_at >= (search.since or 0.0)
    if search.state:
        condition &= may_stand_at(SENDING if search.state == NOT_DELIVERED else search.state)
    if search.until is not None:
        condition &= series.c.last_at < search.until
    if search.text:
        condition &= _names(connection, search.text)
    return condition


def _names(connection: Connection, text: str) -> ColumnElement[bool]:
    """What a person types: a number, or a part of who sent it or of its UID."""
    columns = (series.c.calling_ae_title, series.c.called_ae_title, series.c.address)
    fits = [column.icontains(text, autoescape=True) for column in columns]
    fits.append(series.c.series_instance_uid.endswith(text, autoescape=True))
    fits.append(series.c.study_instance_uid.endswith(text, autoescape=True))
    uid = series_of_case(connection, int(text)) if text.isdecimal() and len(text) < 10 else None
    if uid is not None:
        fits.append(series.c.series_instance_uid == uid)
    return or_(*fits)
