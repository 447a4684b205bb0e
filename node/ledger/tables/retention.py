"""Files that retention may remove: delivered results, and sources that are not needed any more.

Rows stay, for the history; `removed_at` marks those whose files were removed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, select, update

from core.config.sections import Retention
from network.sender import REBUILT
from node.ledger.requests.jobs import OVER, find_job, jobs_of
from node.ledger.requests.requests import UNDECIDED, requests_of
from node.ledger.row_states import CommitmentState, DeliveryState, JobState, ProofState, SeriesState
from node.ledger.schema import associations, commitments, instances, jobs, receptions, series
from node.ledger.tables.deliveries import delivery_states
from node.ledger.tables.instances import OPEN
from node.ledger.tables.proofs import proofs_of

RESULTS, SOURCES = "results", "sources"
_DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Expired:
    """Results or sources that are older than the configured days."""

    kind: str
    key: str
    """Job id of results, SeriesInstanceUID of sources."""
    series_instance_uid: str
    paths: tuple[str, ...]
    """The folder of results, or the files of sources, relative to the storage folder."""
    why_it_stays: str
    """Why the files must stay; empty if they may be removed."""


def expired(connection: Connection, settings: Retention, now: float) -> Iterator[Expired]:
    """Yield everything older than the configured days, with the reason if it must stay."""
    if settings.results_days is not None:
        before = now - settings.results_days * _DAY_S
        for job_id in connection.scalars(_old_jobs(before)).all():
            found = results_of(connection, job_id)
            if found is not None:
                yield found
    if settings.sources_days is not None:
        before = now - settings.sources_days * _DAY_S
        for uid in connection.scalars(_old_series(before)).all():
            yield sources_of(connection, uid)


def results_of(connection: Connection, job_id: str) -> Expired | None:
    """Return the results of a finished job; None if they were removed."""
    job = find_job(connection, job_id)
    if (
        job is None
        or job.state not in (JobState.DONE, JobState.WITHDRAWN)
        or job.removed_at is not None
    ):
        return None
    uid, folder = job.request.series_instance_uid, job.request.output_dir
    return Expired(RESULTS, job_id, uid, (folder,), _why_not_delivered(connection, job_id))


def sources_of(connection: Connection, series_instance_uid: str) -> Expired:
    """Return the stored instances of a series."""
    here = _of_series(series_instance_uid) & instances.c.removed_at.is_(None)
    paths = tuple(connection.scalars(select(instances.c.path).where(here)))
    why = _why_sources_stay(connection, series_instance_uid)
    return Expired(SOURCES, series_instance_uid, series_instance_uid, paths, why)


def mark_removed(connection: Connection, what: Expired, now: float) -> None:
    """Record that files are removed; `removed_paths` then names those that may still exist."""
    if what.kind == RESULTS:
        connection.execute(update(jobs).where(jobs.c.job_id == what.key).values(removed_at=now))
        return
    here = _of_series(what.key) & instances.c.removed_at.is_(None)
    connection.execute(update(instances).where(here).values(removed_at=now))


def removed_paths(connection: Connection, what: Expired) -> list[str]:
    """Return the paths of `what` that are recorded as removed at present."""
    if what.kind == RESULTS:
        job = find_job(connection, what.key)
        return list(what.paths) if job is not None and job.removed_at is not None else []
    gone = _of_series(what.key) & instances.c.removed_at.is_not(None)
    return list(connection.scalars(select(instances.c.path).where(gone)))


def last_removed(connection: Connection) -> Iterator[Expired]:
    """Yield what was removed last: after a crash some of its files may still exist."""
    rows = connection.execute(select(jobs).where(_recent(connection, jobs))).all()
    for job in rows:
        folder = (str(job.request["output_dir"]),)
        yield Expired(RESULTS, job.job_id, job.series_instance_uid, folder, "")
    gone = select(instances.c.series_instance_uid).where(_recent(connection, instances))
    for uid in connection.scalars(gone.distinct()):
        yield Expired(SOURCES, uid, uid, (), "")


def _recent(connection: Connection, table: Table) -> ColumnElement[bool]:
    """Match rows removed in the last day; older rounds have left no files."""
    last = connection.scalar(select(func.max(table.c.removed_at)))
    return table.c.removed_at >= (last or 0.0) - _DAY_S


def _old_jobs(before: float) -> Select[Any]:
    old = jobs.c.state.in_((JobState.DONE, JobState.WITHDRAWN)) & (jobs.c.finished_at < before)
    old &= jobs.c.removed_at.is_(None)
    return select(jobs.c.job_id).where(old).order_by(jobs.c.finished_at)


def _old_series(before: float) -> Select[Any]:
    here = exists(
        select(instances.c.id).where(
            instances.c.series_instance_uid == series.c.series_instance_uid,
            instances.c.removed_at.is_(None),
        )
    )
    old = (series.c.last_at < before) & here
    return select(series.c.series_instance_uid).where(old).order_by(series.c.last_at)


def _why_sources_stay(connection: Connection, series_instance_uid: str) -> str:
    key = series.c.series_instance_uid == series_instance_uid
    state = connection.scalar(select(series.c.state).where(key))
    if state in (SeriesState.ARRIVING, SeriesState.SETTLING, SeriesState.HELD):
        return f"the series is {state}"
    if any(one.state in UNDECIDED for one in requests_of(connection, series_instance_uid)):
        return "a request on it waits or is held"
    if connection.scalar(_sent_at_present(series_instance_uid)):
        return "an open association sends the series"
    return _why_promised(connection, series_instance_uid) or _why_jobs_need_them(
        connection, series_instance_uid
    )


def _why_promised(connection: Connection, series_instance_uid: str) -> str:
    """Say what peers were promised about instances, or may have been; empty if nothing."""
    promised = _of_series(series_instance_uid) & instances.c.committed_at.is_not(None)
    count = connection.scalar(select(func.count()).select_from(instances).where(promised))
    if count:
        return f"{count} instances were committed to a peer, which may have deleted its own"
    waiting = select(commitments.c.id).where(commitments.c.state == CommitmentState.WAITING)
    if connection.scalar(waiting.limit(1)):
        return "a peer's request for storage commitment is being checked"
    if connection.scalar(_known_from_files(series_instance_uid)):
        return "the ledger was made again from files: what was promised about them is not known"
    return ""


def _why_jobs_need_them(connection: Connection, series_instance_uid: str) -> str:
    for job in jobs_of(connection, series_instance_uid):
        if job.state in (*OVER, JobState.CANCELLED):
            continue
        if job.state != JobState.DONE:
            return f"job {job.job_id[:12]} is {job.state}"
        why = _why_not_delivered(connection, job.job_id)
        if why:
            return why
    return ""


def _why_not_delivered(connection: Connection, job_id: str) -> str:
    """Say which results of a job are not delivered or not proven; empty if all are."""
    states = delivery_states(connection, job_id)
    if not states:
        return f"job {job_id[:12]}: its results were sent nowhere"
    for one in states:
        if one.state not in (DeliveryState.STORED, DeliveryState.CANCELLED):
            verb = "still to send" if one.state == DeliveryState.WAITING else one.state
            return f"job {job_id[:12]}, {one.peer}: {one.count} instances {verb}"
    for proof in proofs_of(connection, job_id):
        if proof.state not in (ProofState.CONFIRMED, ProofState.NOT_OFFERED):
            return f"job {job_id[:12]}, {proof.peer}: proof is {proof.state}"
    return ""


def _sent_at_present(series_instance_uid: str) -> Select[Any]:
    return _brought_by(series_instance_uid, associations.c.outcome == OPEN)


def _known_from_files(series_instance_uid: str) -> Select[Any]:
    return _brought_by(series_instance_uid, associations.c.address == REBUILT)


def _brought_by(series_instance_uid: str, which: ColumnElement[bool]) -> Select[Any]:
    """Select an instance of a series that an association of the kind `which` brought."""
    return (
        select(instances.c.id)
        .join(receptions, receptions.c.instance_id == instances.c.id)
        .join(associations, associations.c.id == receptions.c.association_id)
        .where(_of_series(series_instance_uid), which)
        .limit(1)
    )


def _of_series(series_instance_uid: str) -> ColumnElement[bool]:
    return instances.c.series_instance_uid == series_instance_uid
