"""Takes queued jobs to the engine, one after the other, and writes down what came of them."""

from concurrent.futures import CancelledError

import structlog
from sqlalchemy import Connection

from core.config import Configuration
from core.errors import SlicewireError, explain_fault
from core.job import JobResult
from node.engine import Engine
from node.ledger.database import Ledger
from node.ledger.events import record_event
from node.ledger.jobs import (
    RUNNING,
    JobRow,
    fail_job,
    find_job,
    finish_job,
    next_queued,
    requeue_job,
    requeue_running,
    start_job,
)
from node.results import queue_results

_MOST_ATTEMPTS = 10

log = structlog.get_logger("jobs")


class Runner:
    """Runs what the ledger has queued; a failed job never holds up the next one."""

    def __init__(self, configuration: Configuration, ledger: Ledger, engine: Engine) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._engine = engine

    def run_next(self) -> bool:
        """Run the longest waiting job to its end; whether there was one."""
        job = self._take()
        if job is None:
            return False
        if job.attempts >= _MOST_ATTEMPTS:
            self._fail(job, f"given up after {job.attempts} attempts that did not end")
            return True
        uid = job.request.series_instance_uid
        log.info("job started", job_id=job.job_id[:12], series_instance_uid=uid)
        try:
            result = self._run(job)
        except CancelledError:
            with self._ledger.writing() as connection:
                requeue_job(connection, job.job_id)
            log.info("job put back", job_id=job.job_id[:12])
        except SlicewireError as error:
            self._fail(job, str(error))
        except Exception as error:  # noqa: BLE001, any fault of a pipeline is this job's alone
            self._fail(job, explain_fault(error))
        else:
            self._finish(job, result)
        return True

    def _take(self) -> JobRow | None:
        """Start the longest waiting job; one still marked as running is not, as all run here."""
        with self._ledger.writing() as connection:
            requeue_running(connection)
            job = next_queued(connection)
            if job is not None:
                start_job(connection, job.job_id, self._ledger.clock())
        return job

    def _run(self, job: JobRow) -> JobResult:
        limit = self._configuration.engine.time_limit_s
        request = job.request.located(self._configuration.storage_path)
        return self._engine.run(request, attempt=job.attempts + 1, time_limit_s=limit)

    def _finish(self, job: JobRow, result: JobResult) -> None:
        """Result and next state in one transaction."""
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            current = find_job(connection, job.job_id)
            if current is None or current.state != RUNNING:
                return  # a newer revision of the series took over
            finish_job(connection, job.job_id, result, now)
            done = find_job(connection, job.job_id)
            count = 0 if done is None else self._queue(connection, done, now)
            words = f"job {job.job_id[:12]}: {result.summary}"
            words += f"; {count} instances to send" if current.destinations else ""
            self._record(connection, "done", words, job)
        log.info("job done", job_id=job.job_id[:12], summary=result.summary)
        for warning in result.warnings:
            log.warning(warning, job_id=job.job_id[:12])

    def _queue(self, connection: Connection, job: JobRow, now: float) -> int:
        return queue_results(
            connection,
            job,
            storage_path=self._configuration.storage_path,
            export_series=self._configuration.export_series,
            now=now,
        )

    def _fail(self, job: JobRow, reason: str) -> None:
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            fail_job(connection, job.job_id, reason, now)
            self._record(connection, "failed", f"job {job.job_id[:12]}: {reason}", job)
        log.error("job failed", job_id=job.job_id[:12], reason=reason)

    def _record(self, connection: Connection, kind: str, words: str, job: JobRow) -> None:
        uid = job.request.series_instance_uid
        now = self._ledger.clock()
        record_event(connection, kind, words, now=now, series_instance_uid=uid)
