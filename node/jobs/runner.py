"""Runner: runs queued jobs in the engine and records the outcome in the ledger."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError

import structlog
from sqlalchemy import Connection

from core.config.settings import Configuration
from core.errors import (
    EngineUnavailableError,
    SlicewireError,
    StorageUnavailableError,
    WorkerDiedError,
    explain_fault,
)
from core.job import JobResult
from node.delivery.queue_results import queue_results
from node.follower import Follower
from node.jobs.engine import Engine
from node.jobs.pauses import pause_s
from node.jobs.slots import WAITS, Slot, may_take, slots_of, waits_for_words
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import (
    JobRow,
    count_death,
    fail_job,
    find_job,
    finish_job,
    put_back,
    requeue_running,
    say_why,
    start_job,
)
from node.ledger.requests.waiting_jobs import QueueOrder, WaitingJob, next_queued
from node.ledger.row_states import JobState, NoticeKind
from node.ledger.tables.conditions import ENGINE, RESULTS, clear_condition, set_condition
from node.ledger.tables.events import record_event
from node.ledger.tables.notices import queue_notice

_MOST_ATTEMPTS = 10
_ASK_EVERY_S = 1.0

log = structlog.get_logger("jobs")


class Runner(Follower):
    """Runs the jobs that are queued in the ledger; a failed job does not delay the next one.

    `run_next` may be called from several threads, one for each slot.
    """

    def __init__(self, configuration: Configuration, ledger: Ledger, engine: Engine) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._engine = engine
        engine_settings = configuration.engine
        self._order = QueueOrder(engine_settings.overtake_s, engine_settings.small_mb)
        self.slots = slots_of(engine_settings)
        """Slots of the engine, each of which runs one job."""
        self._running: dict[str, str] = {}  # ids of jobs, each with the name of its slot
        self._engine_missing = True  # so that a condition of the last run is cleared

    def run_next(self, slot: Slot | None = None) -> bool:
        """Run the first of the waiting jobs to its end, in a slot; True if there was one.

        Without a slot any job is taken, and any worker runs it.

        Raises:
            EngineUnavailableError: no scheduler or workers at present.
            StorageUnavailableError: the ledger failed; the job is queued again.
        """
        self._open_engine()
        job = self._take(slot)
        if job is None:
            return False
        try:
            self._run_to_an_end(job, slot)
        finally:
            self._running.pop(job.job_id, None)
        return True

    def _open_engine(self) -> None:
        try:
            self._engine.open()
        except EngineUnavailableError as error:
            self._engine_missing = True
            with self._ledger.writing() as connection:
                set_condition(connection, ENGINE, str(error), self._ledger.clock())
            raise
        if self._engine_missing:
            self._engine_missing = False
            with self._ledger.writing() as connection:
                clear_condition(connection, ENGINE)

    def _run_to_an_end(self, job: JobRow, slot: Slot | None) -> None:
        if job.attempts >= _MOST_ATTEMPTS:
            self._fail(job, f"given up after {job.attempts} attempts that did not end")
            return
        uid = job.request.series_instance_uid
        log.info("job started", job_id=job.job_id[:12], series_instance_uid=uid)
        try:
            result = self._run(job, slot)
        except CancelledError:
            self._put_back(job)
        except WorkerDiedError:
            self._count_death(job)
        except (EngineUnavailableError, StorageUnavailableError) as error:
            self._wait_for(job, error)
        except SlicewireError as error:
            self._fail(job, str(error))
        except Exception as error:  # noqa: BLE001, any fault of a pipeline is this job's alone
            self._fail(job, explain_fault(error))
        else:
            self._finish(job, result)

    def _take(self, slot: Slot | None = None) -> JobRow | None:
        """Start a slot's first waiting job; jobs that only seem to run are queued again before."""
        now, job, seen = self._ledger.clock(), None, list[WaitingJob]()
        try:
            with self._ledger.writing() as connection:
                requeue_running(connection, self._running)
                job = next_queued(connection, now, self._order, fits=self._fits(slot, seen))
                self._say_what_they_wait_for(connection, seen)
                if job is None:
                    return None
                start_job(connection, job.job_id, now)
                # before the commit: another slot must not put it back
                self._running[job.job_id] = "" if slot is None else slot.name
        except StorageUnavailableError:
            if job is not None:  # the commit may have succeeded, but no thread runs the job
                self._running.pop(job.job_id, None)
            raise
        return job

    def _fits(self, slot: Slot | None, seen: list[WaitingJob]) -> Callable[[WaitingJob], bool]:
        """Return which jobs a slot takes; those that it was asked about are added to `seen`."""
        busy = set(self._running.values())

        def fits(job: WaitingJob) -> bool:
            seen.append(job)
            return slot is None or may_take(self.slots, slot, job, busy)

        return fits

    def _say_what_they_wait_for(self, connection: Connection, jobs: Sequence[WaitingJob]) -> None:
        """Record for queued jobs which resources they wait for, as no slot offers them."""
        for job in jobs:
            if job.resources:
                words = waits_for_words(self.slots, job.resources)
                say_why(connection, job.job_id, words, in_place_of="" if words else WAITS)

    def _run(self, job: JobRow, slot: Slot | None) -> JobResult:
        return self._engine.run(
            job.request.located(self._configuration.storage_path),
            time_limit_s=self._configuration.engine.time_limit_s,
            is_wanted=self._is_wanted(job.job_id),
            slot=slot,
        )

    def _is_wanted(self, job_id: str) -> Callable[[], bool]:
        """Return a function that is True while the ledger has a job as running."""
        asked_at = time.monotonic()

        def is_wanted() -> bool:
            nonlocal asked_at
            if time.monotonic() - asked_at < _ASK_EVERY_S:
                return True
            asked_at = time.monotonic()
            try:
                with self._ledger.reading() as connection:
                    job = find_job(connection, job_id)
            except StorageUnavailableError:
                return True
            return job is not None and job.state == JobState.RUNNING

        return is_wanted

    def _put_back(self, job: JobRow) -> None:
        """Queue a job again that was stopped by the node's stop, a newer revision or a person."""
        with self._ledger.writing() as connection:
            put_back(connection, job.job_id, "stopped with the node")
        log.info("job stopped", job_id=job.job_id[:12])

    def _count_death(self, job: JobRow) -> None:
        most = self._configuration.engine.attempts
        with self._ledger.writing() as connection:
            deaths = count_death(connection, job.job_id)
            words = f"job {job.job_id[:12]}: the worker process died, {deaths} of {most} times"
            self._record(connection, EventKind.WORKER_DIED, words, job)
            if deaths < most:
                put_back(connection, job.job_id)
        log.warning("worker died", job_id=job.job_id[:12], deaths=deaths)
        if deaths >= most:
            self._fail(job, f"the worker process died {deaths} times while running this job")

    def _wait_for(self, job: JobRow, error: SlicewireError) -> None:
        """Queue a job again after a pause that grows while the condition lasts."""
        condition = ENGINE if isinstance(error, EngineUnavailableError) else RESULTS
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            since = set_condition(connection, condition, str(error), now)
            wait_s = pause_s(condition, now - since)
            put_back(connection, job.job_id, str(error), now + wait_s)
        log.warning("job waits", job_id=job.job_id[:12], reason=str(error), pause_s=round(wait_s))

    def _finish(self, job: JobRow, result: JobResult) -> None:
        """Record the result, the next state and the deliveries in one transaction."""
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            for condition in (ENGINE, RESULTS):
                clear_condition(connection, condition)
            current = find_job(connection, job.job_id)
            if current is None or current.state != JobState.RUNNING:
                return  # superseded by a newer revision, or cancelled by a person
            finish_job(connection, job.job_id, result, now)
            done = find_job(connection, job.job_id)
            count = 0 if done is None else self._queue(connection, done, now)
            words = f"job {job.job_id[:12]}: {result.summary}"
            words += f"; {count} instances to send" if current.destinations else ""
            for warning in result.warnings:
                self._record(
                    connection, EventKind.WARNING, f"job {job.job_id[:12]}: {warning}", job
                )
            self._record(connection, EventKind.DONE, words, job)
            self._notify(connection, NoticeKind.COMPLETED, words, job)
        log.info("job done", job_id=job.job_id[:12], summary=result.summary)
        for warning in result.warnings:
            log.warning(warning, job_id=job.job_id[:12])

    def _queue(self, connection: Connection, job: JobRow, now: float) -> int:
        return queue_results(connection, job, self._configuration, now=now)

    def _fail(self, job: JobRow, reason: str) -> None:
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            if not fail_job(connection, job.job_id, reason, now):
                return  # superseded by a newer revision, or cancelled by a person
            self._record(connection, EventKind.FAILED, f"job {job.job_id[:12]}: {reason}", job)
            self._notify(connection, NoticeKind.FAILED, reason, job)
        log.error("job failed", job_id=job.job_id[:12], reason=reason)

    def _notify(self, connection: Connection, kind: NoticeKind, words: str, job: JobRow) -> None:
        queue_notice(
            connection,
            kind,
            now=self._ledger.clock(),
            series_instance_uid=job.request.series_instance_uid,
            job_id=job.job_id,
            words=words,
        )

    def _record(self, connection: Connection, kind: EventKind, words: str, job: JobRow) -> None:
        uid = job.request.series_instance_uid
        now = self._ledger.clock()
        record_event(connection, kind, words, now=now, series_instance_uid=uid)
