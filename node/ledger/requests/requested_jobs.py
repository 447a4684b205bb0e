"""Rows of requested jobs: jobs requested by name on a folder, until the folder is read.

Then the job is a request on the series of the folder, which has the further states.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.ledger.event_kinds import EventKind
from node.ledger.row_states import RequestedJobState, RequestState
from node.ledger.schema import request_jobs, requested_jobs, requests
from node.ledger.tables.events import record_event

IN_DIR, UPLOADS = "in_dir", "uploads"
"""Roots of folders: `web.in_dir_root` of the configuration, and the uploads."""


@dataclass(frozen=True, slots=True)
class JobDescription:
    """Pipeline, folder and destinations of a requested job, and who requests it."""

    pipeline: str
    root: str
    folder: str
    wanted: str = ""
    """SeriesInstanceUID, needed if the folder has several series."""
    destinations: tuple[str, ...] = ()
    """Names of peers; empty: the results stay on this machine."""
    person: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class RequestedJob:
    """A row of the table `requested_jobs`."""

    uid: str
    state: str
    """After its folder was read the state of its request, or `read` while that waits."""
    words: str
    asked: JobDescription
    created_at: float
    series_instance_uid: str
    """Empty until the folder was read."""
    job_id: str
    """Empty until the job was submitted."""


def request_job(connection: Connection, asked: JobDescription, now: float, uid: str = "") -> str:
    """Record a requested job; return its uid."""
    uid = uid or uuid.uuid4().hex
    row = {name: getattr(asked, name) for name in JobDescription.__slots__}
    row |= {
        "destinations": list(asked.destinations),
        "state": RequestedJobState.WAITING,
        "words": "",
    }
    connection.execute(insert(requested_jobs).values(**row, uid=uid, created_at=now))
    words = f"{_called(uid, asked)}, by {asked.person} from {asked.address}"
    record_event(connection, EventKind.PERSON_JOB, words, now=now)
    return uid


def find_requested_job(connection: Connection, uid: str) -> RequestedJob | None:
    """Return a requested job; None if it is unknown."""
    row = connection.execute(select(requested_jobs).where(requested_jobs.c.uid == uid)).first()
    if row is None:
        return None
    asked = requests.c.order_uid == uid
    request = connection.execute(select(requests).where(asked)).first()
    if request is None:
        return _requested_job(row, row.state, row.words)
    state = RequestedJobState.READ if request.state == RequestState.WAITING else request.state
    own = request_jobs.c.request_id == request.id
    latest = select(request_jobs.c.job_id).where(own).order_by(request_jobs.c.id.desc()).limit(1)
    return _requested_job(row, state, request.reason, connection.scalar(latest) or "")


def next_requested_job(connection: Connection) -> RequestedJob | None:
    """Return the requested job that waits longest for its folder to be read."""
    query = (
        select(requested_jobs)
        .where(requested_jobs.c.state == RequestedJobState.WAITING)
        .order_by(requested_jobs.c.created_at)
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else _requested_job(row, row.state, row.words)


def waiting_uids(connection: Connection) -> set[str]:
    """Return uids of requested jobs whose folder was not read yet."""
    return set(
        connection.scalars(
            select(requested_jobs.c.uid).where(requested_jobs.c.state == RequestedJobState.WAITING)
        )
    )


def mark_read(connection: Connection, uid: str, series_instance_uid: str) -> None:
    """Record that the files of a requested job are stored; the name of the folder is deleted."""
    _set(
        connection,
        uid,
        state=RequestedJobState.READ,
        folder="",
        series_instance_uid=series_instance_uid,
    )


def fail_requested_job(
    connection: Connection, requested_job: RequestedJob, words: str, now: float
) -> None:
    """Record that the folder of a requested job cannot be read, with an event that says why."""
    _set(connection, requested_job.uid, state=RequestedJobState.FAILED, words=words, folder="")
    uid = requested_job.series_instance_uid
    told = f"{_called(requested_job.uid, requested_job.asked)}: {words}"
    record_event(connection, EventKind.NOT_DONE, told, now=now, series_instance_uid=uid)


def _called(uid: str, asked: JobDescription) -> str:
    """The name of a requested job in events; without a pipeline if none was named."""
    return f"job {uid} ({asked.pipeline})" if asked.pipeline else f"job {uid}"


def _set(connection: Connection, uid: str, **values: Any) -> None:
    connection.execute(update(requested_jobs).where(requested_jobs.c.uid == uid).values(**values))


def _requested_job(row: Row[Any], state: str, words: str, job_id: str = "") -> RequestedJob:
    asked = {name: getattr(row, name) for name in JobDescription.__slots__}
    return RequestedJob(
        uid=row.uid,
        state=state,
        words=words,
        asked=JobDescription(**(asked | {"destinations": tuple(row.destinations)})),
        created_at=row.created_at,
        series_instance_uid=row.series_instance_uid or "",
        job_id=job_id,
    )
