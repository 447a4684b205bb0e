"""Completion: when a series is whole, whether it can run, and as which job.

An association that ended makes its series due after a settle time. What then stands in the way
(a part that came through a cut-off association, contradicting instances, geometry) holds the series
with the reason in words; nothing runs on a part of a patient.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection

from core.config import Configuration, Rule
from core.errors import NotADataSetError, SeriesError
from core.job import JobRequest
from imaging.geometry import GeometryRules, place
from imaging.header import Header, read_header
from imaging.series import check_one_series, promises_image
from node.ledger.database import Ledger
from node.ledger.events import record_event
from node.ledger.instances import ABORTED, RELEASED, StoredInstance, close_association
from node.ledger.jobs import (
    DONE,
    FAILED,
    Destination,
    create_job,
    find_job,
    requeue_job,
    set_destinations,
    supersede_jobs,
)
from node.ledger.series import (
    HELD,
    KEPT,
    PROCESSING,
    SeriesRow,
    count_cut_off,
    due_series,
    instances_of,
    series_of_association,
    set_state,
    settle,
)
from node.results import RESULTS_FOLDER, queue_results
from node.routing import Router

log = structlog.get_logger("completion")


class Tracker:
    """Decides what becomes of series; every decision is a row and an event in the ledger."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        router: Router,
        *,
        geometry_rules: Mapping[str, GeometryRules],
    ) -> None:
        """`geometry_rules` by kind of pipeline: the pipelines' own, so that both agree."""
        self._configuration = configuration
        self._storage_path = configuration.storage_path
        self._ledger = ledger
        self._router = router
        self._geometry_rules = geometry_rules

    def association_ended(self, association: int, outcome: str) -> None:
        """Record the end of an association; its series are looked at after the settle time."""
        now = self._ledger.clock()
        ready_at = now + self._configuration.completion.settle_s
        with self._ledger.writing() as connection:
            close_association(connection, association, outcome, now)
            for uid in series_of_association(connection, association):
                settle(connection, uid, association, ready_at)
                words = f"association {outcome}" if outcome in (RELEASED, ABORTED) else outcome
                record_event(connection, "association", words, now=now, series_instance_uid=uid)

    def examine_due(self) -> int:
        """Decide on every series whose settle time is over; how many that were."""
        with self._ledger.reading() as connection:
            due = due_series(connection, self._ledger.clock())
        for row in due:
            self._examine(row)
        return len(due)

    def _examine(self, row: SeriesRow) -> None:
        uid = row.series_instance_uid
        with self._ledger.reading() as connection:
            instances = instances_of(connection, uid)
            cut_off = count_cut_off(connection, uid)
        try:
            state, words = self._decide(row, instances, cut_off)
        except (SeriesError, NotADataSetError) as error:
            state, words = HELD, str(error)
        with self._ledger.writing() as connection:
            if state != PROCESSING:
                set_state(connection, uid, state, words)
            now = self._ledger.clock()
            record_event(connection, state, words, now=now, series_instance_uid=uid)
        log.info(f"series {state}", series_instance_uid=uid, reason=words)

    def _decide(
        self, row: SeriesRow, instances: Sequence[StoredInstance], cut_off: int
    ) -> tuple[str, str]:
        if any(instance.made_here for instance in instances):
            return KEPT, "made by this node or one like it: stored, never processed"
        if not row.released_by_person:
            _check_undisputed(instances, cut_off)
        paths = [self._storage_path / one.path for one in instances if not one.differs]
        headers = [header for header in map(read_header, paths) if promises_image(header)]
        if not headers:
            return KEPT, "no images: stored, not processed"
        check_one_series(headers)
        rule = self._router.find_rule(row.sender, [header.path for header in headers])
        if rule is None:
            return KEPT, "no rule of the configuration matches: stored, not processed"
        kind = self._configuration.pipelines[rule.pipeline].kind
        place(headers, self._geometry_rules[kind])
        return PROCESSING, self._submit(row, rule, headers, instances)

    def _submit(
        self,
        row: SeriesRow,
        rule: Rule,
        headers: Sequence[Header],
        instances: Sequence[StoredInstance],
    ) -> str:
        now = self._ledger.clock()
        destinations = self._router.destinations(rule, row.sender)
        request = self._request(row, rule, headers, instances)
        with self._ledger.writing() as connection:
            set_state(connection, row.series_instance_uid, PROCESSING)
            words = self._create_or_join(connection, request, destinations)
            for job_id in supersede_jobs(connection, request):
                words += f"; takes over from job {job_id[:12]}"
            if not destinations:
                words += "; no destination, results stay here"
                record_event(
                    connection,
                    "no destination",
                    "sender is no configured peer and --scu_ip/--scu_port are not given",
                    now=now,
                    series_instance_uid=row.series_instance_uid,
                )
        return words

    def _create_or_join(
        self, connection: Connection, request: JobRequest, destinations: tuple[Destination, ...]
    ) -> str:
        """The same series twice is one job; a sender without its results yet is added to it."""
        now = self._ledger.clock()
        job = find_job(connection, request.job_id)
        name = f"job {request.job_id[:12]} ({request.pipeline})"
        if job is None:
            create_job(connection, request, destinations, now)
            return f"{len(request.instance_paths)} instances, {name} queued"
        known = {one.peer for one in job.destinations}
        joined = tuple(one for one in destinations if one.peer not in known)
        set_destinations(connection, job.job_id, job.destinations + joined)
        if job.state == FAILED:
            requeue_job(connection, job.job_id)
            return f"nothing new, {name} tried again"
        if job.state == DONE:
            queue_results(
                connection,
                replace(job, destinations=joined),
                storage_path=self._storage_path,
                export_series=self._configuration.export_series,
                now=now,
            )
        return f"nothing new, {name} stands" + "".join(f", also for {one.peer}" for one in joined)

    def _request(
        self,
        row: SeriesRow,
        rule: Rule,
        headers: Sequence[Header],
        instances: Sequence[StoredInstance],
    ) -> JobRequest:
        pipeline = self._configuration.pipelines[rule.pipeline]
        used = {header.sop_instance_uid for header in headers}
        contents = sorted(
            f"{one.sop_instance_uid} {one.sha256}"
            for one in instances
            if one.sop_instance_uid in used and not one.differs
        )
        about = [row.series_instance_uid, rule.pipeline, pipeline.fingerprint()]
        about += [self._configuration.root_uid, *contents]
        job_id = hashlib.sha256("\n".join(about).encode()).hexdigest()
        return JobRequest(
            job_id=job_id,
            series_instance_uid=row.series_instance_uid,
            instance_paths=tuple(str(header.path.absolute()) for header in headers),
            pipeline=rule.pipeline,
            kind=pipeline.kind,
            parameters=pipeline.parameters(),
            root_uid=self._configuration.root_uid,
            created=datetime.fromtimestamp(self._ledger.clock(), UTC).astimezone(),
            output_dir=str(Path(self._storage_path, RESULTS_FOLDER, job_id).absolute()),
        )


def _check_undisputed(instances: Sequence[StoredInstance], cut_off: int) -> None:
    """What only a person may pass over: parts of cut-off associations, contradicting contents."""
    different = next((one for one in instances if one.differs), None)
    if different is not None:
        raise SeriesError(
            f"Instance {different.sop_instance_uid} arrived again with other content; both are kept"
        )
    if cut_off:
        raise SeriesError(
            f"{cut_off} of {len(instances)} instances came only through an association that was "
            "aborted, so the end may be missing: send the series again, or release it as it is"
        )
