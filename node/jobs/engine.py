"""Engine: runs jobs in worker processes, so that a crash there does not end the node.

Dask distributed assigns jobs and restarts workers. The ledger holds the state of all jobs, so jobs
that are lost here run again from there.
"""

import pkgutil
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import structlog
from distributed import Future, KilledWorker, get_worker
from distributed.utils import sync

from core.config.sections import Engine as EngineSettings
from core.errors import EngineUnavailableError, SlicewireError, WorkerDiedError
from core.job import JobRequest, JobResult
from node.jobs.cluster import CACHE, Cluster, ExistingCluster, OwnWorkers, WorkerState, kill_worker
from node.jobs.slots import Slot, resource_words, slots_of

OnProgress = Callable[[str, float, str], None]
"""Called with job id, fraction done (0 to 1) and the current step in words."""
_PROGRESS = "slicewire-progress"
_DIED = "The worker process died while running this job"
_BEGUN = -1.0
_LOOK_EVERY_S = 0.25
_FETCH_WITHIN_S = 10.0
_REPORT_WAITING_AFTER_S = 5.0
_YIELD_AFTER_S = 30.0
_REPORT_EVERY_S = 0.5

log = structlog.get_logger("engine")


class _SchedulerLostError(EngineUnavailableError):
    """The scheduler ended, or is not the one that the job was submitted to."""


@dataclass(slots=True)
class _Running:
    """Progress of a submitted job."""

    job_id: str
    begun_at: list[float] = field(default_factory=list)
    """Monotonic times at which workers began; several if Dask restarted the job elsewhere."""
    worker: str = ""
    reported_at: float = -_REPORT_EVERY_S
    unreported: tuple[float, str] | None = None
    """Progress that came too soon after the last report, to be reported later."""
    changed: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Task:
    """A submitted job and its Dask future."""

    cluster: Cluster
    future: Future
    running: _Running
    resources: dict[str, float]

    def result(self) -> JobResult | None:
        """Wait briefly for the result of the job; None if it has not ended.

        Raises:
            Exception: the job's own error, or the loss of its worker or scheduler.
        """
        self.running.changed.wait(_LOOK_EVERY_S)
        self.running.changed.clear()
        status = self.future.status  # read once: it may change between two reads
        if status == "error":
            self._raise_error_of_job()
        if status not in ("pending", "finished") or self.cluster.client.status != "running":
            log.debug("job lost", status=status)
            raise _SchedulerLostError("The Dask scheduler lost the job")
        return self._fetch() if status == "finished" else None

    def _raise_error_of_job(self) -> NoReturn:
        error = self.future.exception()
        if not isinstance(error, KilledWorker):
            raise error
        if not self.running.begun_at:  # it only waited at the worker that died
            raise EngineUnavailableError("The worker died before the job began") from error
        raise WorkerDiedError(_DIED) from error

    def _fetch(self) -> JobResult | None:
        """Fetch the result; None if its worker is gone, so that Dask runs the job again."""
        try:
            result: JobResult = self.future.result(timeout=_FETCH_WITHIN_S)
        except (TimeoutError, OSError, CancelledError):
            return None
        return result

    def end(self) -> None:
        """Cancel the job; its worker is killed, as a running task cannot be stopped otherwise."""
        with suppress(OSError, TimeoutError, CancelledError):
            self.future.cancel(force=True)
        if self.running.worker:
            kill_worker(self.cluster.client, self.running.worker)

    @property
    def needs_resources(self) -> bool:
        """True if the job needs resources that only some workers have."""
        return self.cluster.honours_resources and bool(self.resources)

    def waiting_words(self) -> str:
        """Say in words what a job waits for before a worker begins."""
        resources = self.resources if self.cluster.honours_resources else {}
        return "waits for a worker" + (f" with {resource_words(resources)}" if resources else "")


class Engine:
    """Runs jobs in worker processes; each thread that calls `run` runs one job."""

    def __init__(
        self,
        entry: str,
        *,
        on_progress: OnProgress,
        scratch_folder: Path,
        settings: EngineSettings | None = None,
        warm: Sequence[str] = (),
    ) -> None:
        """Store settings; `entry` names a `RunJob` (`package.module:function`), `warm` imports."""
        self._entry = entry
        self._on_progress = on_progress
        self._scratch_folder = scratch_folder
        self._settings = settings or EngineSettings()
        self._warm = tuple(warm)
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._stopping = False

    def open(self) -> None:
        """Start workers or connect to an existing scheduler, unless that is done.

        Raises:
            EngineUnavailableError: the scheduler does not answer.
        """
        self._opened()

    def run(
        self,
        request: JobRequest,
        *,
        time_limit_s: float,
        is_wanted: Callable[[], bool] = lambda: True,
        slot: Slot | None = None,
    ) -> JobResult:
        """Run a job to its end.

        Args:
            request: with absolute paths.
            time_limit_s: seconds from the moment when a worker begins.
            is_wanted: called several times a second; once False, the worker is killed.
            slot: whose worker runs the job; None: any worker does.

        Raises:
            SlicewireError: the pipeline failed with this reason, or exceeded the time limit.
            WorkerDiedError: the worker process died while it ran the job.
            EngineUnavailableError: the scheduler is gone, or lost the job.
            concurrent.futures.CancelledError: `cancel` was called, or the job is not wanted.
        """
        cluster = self._opened()
        key, running = f"{request.job_id[:16]}-{uuid.uuid4().hex[:8]}", _Running(request.job_id)
        with self._lock:
            self._running[key] = running
        try:
            future = self._submit(cluster, key, request, slot)
            future.add_done_callback(lambda _: running.changed.set())
            return self._wait(
                _Task(cluster, future, running, request.resources), time_limit_s, is_wanted
            )
        except _SchedulerLostError:
            self._disconnect(cluster)  # a restarted scheduler does not know the jobs of this client
            raise
        finally:
            with self._lock:
                self._running.pop(key, None)

    def cancel(self) -> None:
        """Make every `run` end at once, before `close`."""
        self._stopping = True

    def _disconnect(self, cluster: Cluster) -> None:
        with self._lock:
            if self._cluster is not cluster:
                return
            self._cluster = None
        cluster.close()

    def close(self) -> None:
        """End the node's own workers, or disconnect from the scheduler."""
        with self._lock:
            cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()

    def _opened(self) -> Cluster:
        with self._lock:
            if self._cluster is not None and self._cluster.client.status != "running":
                self._cluster.close()
                self._cluster = None
            if self._cluster is None:
                self._cluster = self._open()
            return self._cluster

    def _open(self) -> Cluster:
        settings = self._settings
        cluster: Cluster
        if settings.scheduler is None:
            cluster = OwnWorkers(slots_of(settings), self._scratch_folder)
        else:
            cluster = ExistingCluster(settings.scheduler, settings.tls)
        cluster.client.register_plugin(WorkerState(self._entry, self._warm), name=CACHE)
        cluster.client.subscribe_topic(_PROGRESS, lambda event: self._on_event(*event[1]))
        return cluster

    def _submit(self, cluster: Cluster, key: str, request: JobRequest, slot: Slot | None) -> Future:
        resources = cluster.resources_for(request.resources, slot)
        try:
            return cluster.client.submit(
                _run_on_worker, self._entry, request, key, key=key, pure=False, resources=resources
            )
        except Exception as error:  # whatever the client raises when its scheduler is gone
            raise EngineUnavailableError("The Dask scheduler did not take the job") from error

    def _wait(self, task: _Task, time_limit_s: float, is_wanted: Callable[[], bool]) -> JobResult:
        begun_at, submitted_at = task.running.begun_at, time.monotonic()
        while (result := task.result()) is None:
            now = time.monotonic()
            self._report_pending(task.running)
            if self._stopping or not is_wanted():
                task.end()
                raise CancelledError
            if begun_at and now - begun_at[0] > time_limit_s:
                task.end()
                raise SlicewireError(f"The job ran longer than {time_limit_s:.0f} s")
            if len(begun_at) > 1:
                task.end()
                raise WorkerDiedError(_DIED)
            if not begun_at and now - submitted_at > _REPORT_WAITING_AFTER_S:
                self._report(task.running, 0.0, task.waiting_words())
            if not begun_at and task.needs_resources and now - submitted_at > _YIELD_AFTER_S:
                task.end()  # others can use the slot meanwhile
                raise EngineUnavailableError(f"The job {task.waiting_words()}")
        return result

    def _on_event(self, key: str, fraction: float, words: str, worker: str) -> None:
        with self._lock:
            running = self._running.get(key)
        if running is None:
            return  # of another node on the same cluster, or of a job that was given up
        if fraction == _BEGUN:
            running.worker = worker
            running.begun_at.append(time.monotonic())
        else:
            self._report(running, fraction, words)

    def _report(self, running: _Running, fraction: float, words: str) -> None:
        """Report progress at most twice a second; the latest of what comes sooner follows later."""
        with self._lock:
            running.unreported = (fraction, words)
        self._report_pending(running)

    def _report_pending(self, running: _Running) -> None:
        now = time.monotonic()
        with self._lock:
            unreported = running.unreported
            if unreported is None or (
                now - running.reported_at < _REPORT_EVERY_S and unreported[0] < 1
            ):
                return
            running.reported_at, running.unreported = now, None
        self._on_progress(running.job_id, *unreported)


def _run_on_worker(entry: str, request: JobRequest, key: str) -> JobResult:
    worker = get_worker()

    def report(fraction: float, words: str) -> None:
        worker.log_event(_PROGRESS, (key, fraction, words, worker.address))

    # the node learns of the start first, to count the death of a worker for the right job
    begun = (key, _BEGUN, "", worker.address)
    sync(worker.loop, worker.scheduler.log_event, topic=_PROGRESS, msg=begun)
    run_job = pkgutil.resolve_name(entry)
    cache: Any = worker.plugins[CACHE].cache
    result: JobResult = run_job(request, report, cache)
    return result
