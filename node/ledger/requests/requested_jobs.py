"""Rows of orders: folders on which jobs were asked for by name, until they are read.

Then what was asked is a request of the folder's series, which says what becomes of it.
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
"""Roots: the one of the configuration, and the folder of uploads in the storage folder."""


@dataclass(frozen=True, slots=True)
class JobDescription:
    """What somebody asks for, and who."""

    pipeline: str
    root: str
    folder: str
    wanted: str = ""
    """Which series, where the folder has several."""
    destinations: tuple[str, ...] = ()
    """Names of peers; none: results stay here."""
    person: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class RequestedJob:
    """An order as the ledger knows it."""

    uid: str
    state: str
    """Once its folder was read that of its request; `read` while that one waits."""
    words: str
    asked: JobDescription
    created_at: float
    series_instance_uid: str
    """Empty until the folder was read."""
    job_id: str
    """Empty until it was submitted."""


def request_job(connection: Connection, asked: JobDescription, now: float, uid: str = "") -> str:
    """Record what somebody asks for; answers its uid, under which it is known at once."""
    uid = uid or uuid.uuid4().hex
    row = {name: getattr(asked, name) for name in JobDescription.__slots__}
    row |= {
        "destinations": list(asked.destinations),
        "state": RequestedJobState.WAITING,
        "words": "",
    }
    connection.execute(insert(requested_jobs).values(**row, uid=uid, created_at=now))
    words = f"job {uid} ({asked.pipeline}), by {asked.person} from {asked.address}"
    record_event(connection, EventKind.PERSON_JOB, words, now=now)
    return uid


def find_requested_job(connection: Connection, uid: str) -> RequestedJob | None:
    """One order, if the ledger knows it."""
    row = connection.execute(select(requested_jobs).where(requested_jobs.c.uid == uid)).first()
    if row is None:
        return None
    asked = requests.c.order_uid == uid
    request = connection.execute(select(requests).where(asked)).first()
    if request is None:
        return _order(row, row.state, row.words)
    state = RequestedJobState.READ if request.state == RequestState.WAITING else request.state
    own = request_jobs.c.request_id == request.id
    latest = select(request_jobs.c.job_id).where(own).order_by(request_jobs.c.id.desc()).limit(1)
    return _order(row, state, request.reason, connection.scalar(latest) or "")


def next_requested_job(connection: Connection) -> RequestedJob | None:
    """The order that waits longest for its folder to be read."""
    query = (
        select(requested_jobs)
        .where(requested_jobs.c.state == RequestedJobState.WAITING)
        .order_by(requested_jobs.c.created_at)
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else _order(row, row.state, row.words)


def waiting_uids(connection: Connection) -> set[str]:
    """Orders whose folder was not read yet."""
    return set(
        connection.scalars(
            select(requested_jobs.c.uid).where(requested_jobs.c.state == RequestedJobState.WAITING)
        )
    )


def mark_read(connection: Connection, uid: str, series_instance_uid: str) -> None:
    """Record that the files of an order are stored; their folder's name is not needed any more."""
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
    """Its folder cannot be read, with an event that says why."""
    _set(connection, requested_job.uid, state=RequestedJobState.FAILED, words=words, folder="")
    uid = requested_job.series_instance_uid
    told = f"job {requested_job.uid} ({requested_job.asked.pipeline}): {words}"
    record_event(connection, EventKind.NOT_DONE, told, now=now, series_instance_uid=uid)


def _set(connection: Connection, uid: str, **values: Any) -> None:
    connection.execute(update(requested_jobs).where(requested_jobs.c.uid == uid).values(**values))


def _order(row: Row[Any], state: str, words: str, job_id: str = "") -> RequestedJob:
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
