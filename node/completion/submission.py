"""Submission of jobs: their identity, revisions, and jobs that exist under the same identity."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from core.config.settings import Configuration
from core.job import JobRequest
from core.priority import Priority
from core.storage_layout import IN_LEDGER
from imaging.instances.header import Header
from imaging.rtstruct.roi_names import spelling_warnings
from node.delivery.queue_results import queue_results
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import (
    Destination,
    JobRow,
    create_job,
    find_job,
    jobs_of,
    raise_priority,
    requeue_job,
    set_destinations,
    supersede_jobs,
)
from node.ledger.requests.request_jobs import JobOfRequest, link_job, standing_jobs
from node.ledger.row_states import JobState
from node.ledger.tables.deliveries import send_undelivered
from node.ledger.tables.events import record_event


@dataclass(frozen=True, slots=True)
class Route:
    """A pipeline for a request, the rule that gave it, and the destinations of its results."""

    pipeline: str
    rule: str
    destinations: tuple[Destination, ...]
    priority: Priority = Priority.MEDIUM


@dataclass(frozen=True, slots=True)
class WantedJob:
    """A job that a request needs, and its route."""

    job: JobRequest
    route: Route
    decoded_mb: float | None = None
    """Size of the images as float32 voxels."""


class Submission:
    """Queues each job once; a job serves every request that needs it."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration = configuration
        self._ledger = ledger

    def submit(self, connection: Connection, request: int, wanted: WantedJob) -> str:
        """Queue the job of a request or join an existing job; return what was done, in words."""
        job, route = _revised(connection, wanted.job), wanted.route
        standing = find_job(connection, job.job_id)
        if standing is None:
            self._create(connection, replace(wanted, job=job))
        raise_priority(connection, job.job_id, route.priority)
        is_new = request not in {one.request for one in standing_jobs(connection, job.job_id)}
        link = JobOfRequest(request, job.job_id, route.pipeline, route.rule, route.destinations)
        link_job(connection, link)
        superseded = supersede_jobs(connection, job)
        for job_id in superseded:
            _take_over(connection, job_id, job.job_id)
        wanted_by_all = _destinations_of(connection, job.job_id)
        if standing is None:
            set_destinations(connection, job.job_id, wanted_by_all)
            words = _queued_words(job, route.priority)
        else:
            words = self._join(connection, standing, job, wanted_by_all)
            words += self._send_again(connection, standing, route) if is_new else ""
        words += "".join(f"; supersedes job {job_id[:12]}" for job_id in superseded)
        return words if route.destinations else f"{words}; no destination, results stay here"

    def _create(self, connection: Connection, wanted: WantedJob) -> None:
        now, priority = self._ledger.clock(), wanted.route.priority
        size_mb = wanted.decoded_mb
        create_job(connection, wanted.job, (), now, priority=priority, decoded_mb=size_mb)
        self._warn_of_names(connection, wanted.job)

    def _warn_of_names(self, connection: Connection, job: JobRequest) -> None:
        """Record how ROI names are written that the series' character set cannot write."""
        names = self._configuration.pipelines[job.pipeline].roi_names()
        first = self._configuration.storage_path / job.instance_paths[0]
        for words in spelling_warnings(first, names):
            record_event(
                connection,
                EventKind.WARNING,
                f"job {job.job_id[:12]}: {words}",
                now=self._ledger.clock(),
                series_instance_uid=job.series_instance_uid,
            )

    def _send_again(self, connection: Connection, standing: JobRow, route: Route) -> str:
        """Send again to a new request's destinations what was refused, given up or cancelled."""
        if standing.state != JobState.DONE or standing.removed_at is not None:
            return ""
        peers = [one.peer for one in route.destinations]
        count = send_undelivered(connection, standing.job_id, peers, self._ledger.clock())
        return f"; {count} undelivered instances sent again" if count else ""

    def _join(
        self,
        connection: Connection,
        standing: JobRow,
        job: JobRequest,
        wanted: tuple[Destination, ...],
    ) -> str:
        """Add destinations to an existing job: the same series twice is one job."""
        known = {one.peer for one in standing.destinations}
        joined = tuple(one for one in wanted if one.peer not in known)
        name = f"job {job.job_id[:12]} ({job.pipeline})"
        is_done = standing.state == JobState.DONE
        set_destinations(
            connection, job.job_id, standing.destinations + joined if is_done else wanted
        )
        if standing.state in (JobState.FAILED, JobState.SUPERSEDED, JobState.CANCELLED):
            requeue_job(connection, job.job_id, replace(job, created=standing.request.created))
            return f"nothing new, {name} is queued again"
        if is_done:
            finished = replace(standing, destinations=joined)
            queue_results(connection, finished, self._configuration, now=self._ledger.clock())
        return f"nothing new, {name} exists" + "".join(f", also for {one.peer}" for one in joined)


def job_request(
    configuration: Configuration,
    name: str,
    series_instance_uid: str,
    *,
    headers: Sequence[Header],
    contents: Mapping[str, str],
    now: float,
) -> JobRequest:
    """Build the job of a pipeline on the images of a series.

    `contents` maps SOP Instance UIDs to the hashes of what is stored under them.

    Raises:
        ModelError: the pipeline's checkpoint cannot be read.
    """
    pipeline, storage_path = configuration.pipelines[name], configuration.storage_path
    used = sorted({header.sop_instance_uid for header in headers})
    identity = [series_instance_uid, name, pipeline.fingerprint()]
    identity += [configuration.root_uid, *(f"{uid} {contents[uid]}" for uid in used)]
    job_id = hashlib.sha256("\n".join(identity).encode()).hexdigest()
    return JobRequest(
        job_id=job_id,
        series_instance_uid=series_instance_uid,
        instance_paths=tuple(
            dict.fromkeys(str(one.path.relative_to(storage_path)) for one in headers)
        ),
        pipeline=name,
        kind=pipeline.kind,
        parameters=pipeline.parameters(),
        root_uid=configuration.root_uid,
        created=datetime.fromtimestamp(now, UTC).astimezone(),
        output_dir=str(IN_LEDGER.results_of(job_id)),
        resources=pipeline.resources,
    )


def _queued_words(job: JobRequest, priority: Priority) -> str:
    words = f"{len(job.instance_paths)} instances, job {job.job_id[:12]} ({job.pipeline}) queued"
    words += "" if priority == Priority.MEDIUM else f", priority {priority.words}"
    if job.revision > 1:
        words += f", revision {job.revision}, replaces job {job.predecessor_job_id[:12]}"
    return words


def _take_over(connection: Connection, old: str, new: str) -> None:
    """Link the requests of a superseded job to the new job, which gets its priority."""
    superseded = find_job(connection, old)
    if superseded is not None:
        raise_priority(connection, new, superseded.priority)
    for one in standing_jobs(connection, old):
        already = {other.request for other in standing_jobs(connection, new)}
        if one.request not in already:
            link_job(connection, replace(one, job_id=new))


def _destinations_of(connection: Connection, job_id: str) -> tuple[Destination, ...]:
    """Return the destinations of all standing requests that need a job, each peer once."""
    by_peer: dict[str, Destination] = {}
    for one in standing_jobs(connection, job_id):
        for destination in one.destinations:
            by_peer.setdefault(destination.peer, destination)
    return tuple(by_peer.values())


def _revised(connection: Connection, request: JobRequest) -> JobRequest:
    """Add the revision number of the results, and the results that they replace.

    Neither is part of the job's identity: the same content again is the same job.
    """
    request = _with_unused_identity(connection, request)
    earlier = [
        job
        for job in jobs_of(connection, request.series_instance_uid)
        if job.state in (JobState.DONE, JobState.WITHDRAWN)
        and job.request.pipeline == request.pipeline
        and job.job_id != request.job_id
    ]
    if not earlier:
        return request
    last = earlier[-1]
    results = () if last.result is None else last.result.instances
    return replace(
        request,
        revision=len(earlier) + 1,
        predecessor_job_id=last.job_id,
        predecessor_uids={one.sop_instance_uid: one.sop_class_uid for one in results},
        predecessor_series_uids=tuple(dict.fromkeys(one.series_instance_uid for one in results)),
    )


def _with_unused_identity(connection: Connection, request: JobRequest) -> JobRequest:
    """Give a job another identity if its results were removed by retention or withdrawn.

    Results that retention removed are never made again under their UIDs, as bytes could differ.
    Withdrawn results are made again as a later revision.
    """
    while (job := find_job(connection, request.job_id)) is not None and (
        job.removed_at is not None or job.state == JobState.WITHDRAWN
    ):
        job_id = hashlib.sha256(f"{request.job_id}\nagain".encode()).hexdigest()
        request = replace(request, job_id=job_id, output_dir=str(IN_LEDGER.results_of(job_id)))
    return request
