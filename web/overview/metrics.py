"""Metrics for Prometheus, counted from the ledger at each scrape.

Counters and histograms begin at 0 with this process, as Prometheus expects. Each scrape reads only
the rows that were added since the last one, through indexes; gauges are read anew.
"""

import re
import shutil
import threading
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Connection, Table, func, select

from core.config.settings import Configuration
from core.hold_reasons import HoldReason
from network.certificates import certificates
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.releases import count_holds
from node.ledger.row_states import (
    DeliveryState,
    JobState,
    NoticeState,
    ProofState,
    RequestedJobState,
    RequestState,
    SeriesState,
)
from node.ledger.schema import (
    associations,
    commitments,
    deliveries,
    events,
    instances,
    jobs,
    notices,
    proofs,
    requested_jobs,
    requests,
    series,
)
from node.ledger.tables.commitments import UNREPORTED
from node.ledger.tables.conditions import all_conditions
from node.ledger.tables.instances import OPEN
from node.ledger.views.series_status import count_states
from node.ledger.views.states import OPEN as OPEN_STATES

_MOST_ROWS = 5000
_MOST_REASONS = 50
_LONGEST_REASON = 80
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_QUEUES = (
    ("series", series, (SeriesState.ARRIVING, SeriesState.SETTLING, SeriesState.HELD)),
    ("jobs", jobs, (JobState.QUEUED, JobState.RUNNING)),
    ("deliveries", deliveries, (DeliveryState.WAITING,)),
    ("proofs", proofs, (ProofState.WAITING, ProofState.ASKED)),
    ("commitments", commitments, UNREPORTED),
    ("notices", notices, (NoticeState.WAITING,)),
    ("requests", requests, (RequestState.WAITING, RequestState.HELD)),
    ("orders", requested_jobs, (RequestedJobState.WAITING,)),
)
_FAILURE_EVENTS = {
    EventKind.HELD: "series held",
    EventKind.REFUSED: "instance refused",
    EventKind.REJECTED: "rejected",
}
_NUMBERS = re.compile(r"[0-9a-f]{12,}|\d[\d.]*")


class Metrics:
    """The metrics of one process."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._lock = threading.Lock()
        self._registry = CollectorRegistry()
        self._reasons: set[str] = set()
        self._make_numbers()
        with ledger.reading() as connection:
            self._last = {table.name: _last(connection, table) for table in (instances, events)}
            self._last_association = _last(connection, associations)
        self._finished = {jobs.name: ledger.clock(), deliveries.name: ledger.clock()}
        self._open_associations: set[int] = set()

    def follow(self, configuration: Configuration) -> None:
        """Count by `configuration` from now on."""
        self._configuration = configuration

    def scrape(self) -> bytes:
        """All metrics in Prometheus' text format.

        Raises:
            StorageUnavailableError: the ledger cannot be read.
        """
        with self._lock:
            with self._ledger.reading() as connection:
                self._count_instances(connection)
                self._count_associations(connection)
                self._count_jobs(connection)
                self._count_deliveries(connection)
                self._count_failure_events(connection)
                self._read_gauges(connection)
            return generate_latest(self._registry)

    def _make_numbers(self) -> None:
        own: dict[str, Any] = {"namespace": "slicewire", "registry": self._registry}
        self._instances = Counter("instances_received", "Instances stored", **own)
        self._bytes = Counter("received_bytes", "Bytes of instances stored", **own)
        self._associations = Counter("associations", "Associations ended", ["outcome"], **own)
        self._jobs = Counter("jobs", "Jobs ended", ["pipeline", "state"], **own)
        self._sent = Counter("deliveries", "Instances settled at peers", ["peer", "state"], **own)
        self._failures = Counter("failures", "What failed, and why", ["what", "reason"], **own)
        self._job_seconds = Histogram(
            "job_seconds", "A job from start to end", ["pipeline"], buckets=_SECONDS, **own
        )
        self._part_seconds = Histogram(
            "job_part_seconds", "A part of a job", ["pipeline", "part"], buckets=_SECONDS, **own
        )
        self._send_seconds = Histogram(
            "delivery_seconds", "From result to stored", ["peer"], buckets=_SECONDS, **own
        )
        self._queues = Gauge("queue_length", "What waits or runs", ["queue", "state"], **own)
        self._cases = Gauge("cases", "Cases that still need the node or a person", ["state"], **own)
        self._held = Gauge(
            "series_held", "Held series, by the reason of the hold", ["reason"], **own
        )
        self._open = Gauge("associations_open", "Associations open now", **own)
        self._oldest = Gauge("oldest_queued_job_seconds", "Wait of the oldest queued job", **own)
        self._condition = Gauge("condition", "1 while it hinders the node", ["name"], **own)
        self._expiry = Gauge(
            "certificate_expires_timestamp_seconds", "End, 0 if unreadable", ["path"], **own
        )
        self._disk = Gauge("disk_bytes", "Disk of the storage folder", ["kind"], **own)

    def _count_instances(self, connection: Connection) -> None:
        after = self._last[instances.name]
        came = instances.c.id > after
        columns = (func.count(), func.sum(instances.c.size_bytes), func.max(instances.c.id))
        count, size, last = connection.execute(select(*columns).where(came)).one()
        self._instances.inc(count)
        self._bytes.inc(int(size or 0))  # PostgreSQL sums to decimals
        self._last[instances.name] = last or after

    def _count_associations(self, connection: Connection) -> None:
        """Count associations that ended, among new ones and those open at the last scrape."""
        key = associations.c.id
        wanted = (key > self._last_association) | key.in_(self._open_associations)
        rows = connection.execute(
            select(key, associations.c.outcome).where(wanted).order_by(key).limit(_MOST_ROWS)
        ).all()
        for row in rows:
            if row.outcome == OPEN:
                self._open_associations.add(row.id)
            else:
                self._open_associations.discard(row.id)
                self._associations.labels(row.outcome).inc()
        self._last_association = max([self._last_association, *(row.id for row in rows)])
        self._open.set(len(self._open_associations))

    def _count_jobs(self, connection: Connection) -> None:
        pipeline = jobs.c.request["pipeline"].as_string().label("pipeline")
        columns = [jobs.c[name] for name in ("state", "reason", "started_at", "finished_at")]
        ended = jobs.c.state.in_((JobState.DONE, JobState.FAILED))
        for row in self._finished_rows(connection, jobs, ended, *columns, pipeline, jobs.c.result):
            self._jobs.labels(row.pipeline, row.state).inc()
            if row.started_at is not None:
                taken_s = max(0.0, row.finished_at - row.started_at)
                self._job_seconds.labels(row.pipeline).observe(taken_s)
            for part, seconds in ((row.result or {}).get("seconds") or {}).items():
                self._part_seconds.labels(row.pipeline, part).observe(seconds)
            if row.state == JobState.FAILED:
                self._count_failure("job", row.reason)

    def _count_deliveries(self, connection: Connection) -> None:
        names = ("peer", "state", "words", "created_at", "finished_at")
        settled = deliveries.c.state.in_(
            (DeliveryState.STORED, DeliveryState.REFUSED, DeliveryState.GIVEN_UP)
        )
        columns = [deliveries.c[name] for name in names]
        for row in self._finished_rows(connection, deliveries, settled, *columns):
            self._sent.labels(row.peer, row.state).inc()
            if row.state == DeliveryState.STORED:
                taken_s = max(0.0, row.finished_at - row.created_at)
                self._send_seconds.labels(row.peer).observe(taken_s)
            else:
                self._count_failure(f"delivery {row.state}", row.words)

    def _finished_rows(
        self, connection: Connection, table: Table, condition: Any, *columns: Any
    ) -> list[Any]:
        """Rows that ended since the last scrape, oldest first, at most `_MOST_ROWS`."""
        since = table.c.finished_at > self._finished[table.name]
        query = select(*columns).where(since, condition).order_by(table.c.finished_at)
        rows = list(connection.execute(query.limit(_MOST_ROWS)))
        if rows:
            self._finished[table.name] = rows[-1].finished_at
        return rows

    def _count_failure_events(self, connection: Connection) -> None:
        query = select(events).where(events.c.id > self._last[events.name]).order_by(events.c.id)
        for row in connection.execute(query.limit(_MOST_ROWS)):
            self._last[events.name] = row.id
            if row.kind in _FAILURE_EVENTS:
                self._count_failure(_FAILURE_EVENTS[row.kind], row.words)

    def _count_failure(self, what: str, reason: str) -> None:
        """Count a failure; UIDs and numbers are cut from the reason, so that equal ones add up."""
        plain = _NUMBERS.sub("#", reason)[:_LONGEST_REASON]
        if plain not in self._reasons and len(self._reasons) >= _MOST_REASONS:
            plain = "other"
        self._reasons.add(plain)
        self._failures.labels(what, plain).inc()

    def _read_gauges(self, connection: Connection) -> None:
        for name, table, states in _QUEUES:
            rows = connection.execute(
                select(table.c.state, func.count())
                .where(table.c.state.in_(states))
                .group_by(table.c.state)
            )
            counts = {row[0]: row[1] for row in rows}
            for state in states:
                self._queues.labels(name, state).set(counts.get(state, 0))
        for where, count in count_states(connection, OPEN_STATES).items():
            self._cases.labels(where).set(count)
        holds = count_holds(connection)
        for reason in HoldReason:
            self._held.labels(reason).set(holds[reason])
        oldest = select(func.min(jobs.c.created_at)).where(jobs.c.state == JobState.QUEUED)
        since = connection.scalar(oldest)
        self._oldest.set(0.0 if since is None else max(0.0, self._ledger.clock() - since))
        self._condition.clear()
        for one in all_conditions(connection):
            self._condition.labels(one.name).set(1)
        self._expiry.clear()
        for certificate in certificates(self._configuration):
            self._expiry.labels(str(certificate.path)).set(certificate.expires_at or 0)
        disk = shutil.disk_usage(self._ledger.storage_path)
        needed = self._configuration.wire.minimum_free_mb * 1_000_000
        for kind, value in (("free", disk.free), ("total", disk.total), ("refused_below", needed)):
            self._disk.labels(kind).set(value)


def _last(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.max(table.c.id))) or 0
