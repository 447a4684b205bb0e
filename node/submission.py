"""From a whole series to a job: its identity, and what stands under that identity already."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from core.config import Configuration
from core.config_routing import Rule
from core.job import JobRequest
from imaging.header import Header
from node.ledger.database import Ledger
from node.ledger.events import record_event
from node.ledger.instances import senders_of
from node.ledger.jobs import (
    CANCELLED,
    DONE,
    FAILED,
    SUPERSEDED,
    Destination,
    create_job,
    find_job,
    jobs_of,
    requeue_job,
    set_destinations,
    supersede_jobs,
)
from node.ledger.orders import Order, mark_submitted
from node.ledger.series import PROCESSING, SeriesRow, is_as_it_was, set_state
from node.results import RESULTS_FOLDER, queue_results
from node.routing import Router

_NO_DESTINATION = "sender is no configured peer and --scu_ip/--scu_port are not given"


class Submission:
    """Queues jobs, each identity once."""

    def __init__(self, configuration: Configuration, ledger: Ledger, router: Router) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._router = router

    def submit(
        self,
        row: SeriesRow,
        rule: Rule,
        headers: Sequence[Header],
        contents: Mapping[str, str],
        *,
        order: Order | None = None,
    ) -> str:
        """Queue the job of a series, or join the one that stands; answers what was done.

        The answer is empty when the series has changed since `row` was read: look again then.

        `contents` maps SOP Instance UIDs to the hashes of what is stored under them. The results
        for an `order` go to the peers that it names alone, else nowhere.

        Raises:
            ModelError: the pipeline's checkpoint cannot be read.
        """
        destinations = self._destinations(rule, row, order)
        request = self._request(row, rule, headers, contents)
        with self._ledger.writing() as connection:
            if not is_as_it_was(connection, row):
                return ""
            set_state(connection, row.series_instance_uid, PROCESSING)
            request = _revised(connection, request)
            if order is not None:
                self._take(connection, order, request, destinations)
            words = self._create_or_join(connection, request, destinations)
            for job_id in supersede_jobs(connection, request):
                words += f"; takes over from job {job_id[:12]}"
            if not destinations:
                words += "; no destination, results stay here"
            if not destinations and order is None:
                record_event(
                    connection,
                    "no destination",
                    _NO_DESTINATION,
                    now=self._ledger.clock(),
                    series_instance_uid=row.series_instance_uid,
                )
        return words

    def _take(
        self,
        connection: Connection,
        order: Order,
        request: JobRequest,
        destinations: tuple[Destination, ...],
    ) -> None:
        """Record which job does an order; one that a person cancelled goes only where asked."""
        mark_submitted(connection, order.uid, request.job_id, self._ledger.clock())
        job = find_job(connection, request.job_id)
        if job is not None and job.state == CANCELLED:
            set_destinations(connection, job.job_id, destinations)

    def _destinations(
        self, rule: Rule, row: SeriesRow, order: Order | None
    ) -> tuple[Destination, ...]:
        """Those of everybody who brought something of the series, each once."""
        if order is not None:
            return self._router.destinations(rule, row.sender) if rule.destinations else ()
        with self._ledger.reading() as connection:
            senders = [*senders_of(connection, row.series_instance_uid), row.sender]
        by_peer: dict[str, Destination] = {}
        for sender in senders:
            for destination in self._router.destinations(rule, sender):
                by_peer.setdefault(destination.peer, destination)
        return tuple(by_peer.values())

    def _create_or_join(
        self, connection: Connection, request: JobRequest, destinations: tuple[Destination, ...]
    ) -> str:
        """The same series twice is one job; a sender without its results yet is added to it."""
        now = self._ledger.clock()
        job = find_job(connection, request.job_id)
        name = f"job {request.job_id[:12]} ({request.pipeline})"
        if job is None:
            create_job(connection, request, destinations, now)
            words = f"{len(request.instance_paths)} instances, {name} queued"
            if request.revision > 1:
                words += (
                    f", revision {request.revision}, replaces job {request.predecessor_job_id[:12]}"
                )
            return words
        known = {one.peer for one in job.destinations}
        joined = tuple(one for one in destinations if one.peer not in known)
        set_destinations(connection, job.job_id, job.destinations + joined)
        if job.state in (FAILED, SUPERSEDED, CANCELLED):
            requeue_job(connection, job.job_id, replace(request, created=job.request.created))
            return f"nothing new, {name} tried again"
        if job.state == DONE:
            queue_results(
                connection,
                replace(job, destinations=joined),
                storage_path=self._configuration.storage_path,
                export_series=self._configuration.export_series,
                now=now,
            )
        return f"nothing new, {name} stands" + "".join(f", also for {one.peer}" for one in joined)

    def _request(
        self,
        row: SeriesRow,
        rule: Rule,
        headers: Sequence[Header],
        contents: Mapping[str, str],
    ) -> JobRequest:
        pipeline = self._configuration.pipelines[rule.pipeline]
        used = sorted({header.sop_instance_uid for header in headers})
        about = [row.series_instance_uid, rule.pipeline, pipeline.fingerprint()]
        about += [self._configuration.root_uid, *(f"{uid} {contents[uid]}" for uid in used)]
        job_id = hashlib.sha256("\n".join(about).encode()).hexdigest()
        storage_path = self._configuration.storage_path
        return JobRequest(
            job_id=job_id,
            series_instance_uid=row.series_instance_uid,
            instance_paths=tuple(
                dict.fromkeys(str(one.path.relative_to(storage_path)) for one in headers)
            ),
            pipeline=rule.pipeline,
            kind=pipeline.kind,
            parameters=pipeline.parameters(),
            root_uid=self._configuration.root_uid,
            created=datetime.fromtimestamp(self._ledger.clock(), UTC).astimezone(),
            output_dir=str(Path(RESULTS_FOLDER, job_id)),
            resources=pipeline.resources,
        )


def _revised(connection: Connection, request: JobRequest) -> JobRequest:
    """With the revision that its results will be, and what they replace.

    Neither is part of the job's identity: the same content again is the same job.
    """
    request = _with_identity_of_its_own(connection, request)
    earlier = [
        job
        for job in jobs_of(connection, request.series_instance_uid)
        if job.state == DONE
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


def _with_identity_of_its_own(connection: Connection, request: JobRequest) -> JobRequest:
    """Results that retention removed are never made again under their UIDs: bytes could differ."""
    while (job := find_job(connection, request.job_id)) is not None and job.removed_at is not None:
        job_id = hashlib.sha256(f"{request.job_id}\nagain".encode()).hexdigest()
        request = replace(request, job_id=job_id, output_dir=str(Path(RESULTS_FOLDER, job_id)))
    return request
