"""Where pipelines run: in worker processes, so that a crash there never takes the node along.

Dask distributed places jobs and starts workers again; the ledger is the truth about jobs, so
whatever is lost here is taken up from there.
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
from core.job import Cache, JobRequest, JobResult, Report
from node.jobs.cluster import CACHE, Cluster, ExistingCluster, OwnWorkers, WorkerState, kill_worker

RunJob = Callable[[JobRequest, Report, Cache], JobResult]
"""A pipeline's entry; a worker finds it by name, so that the node itself never loads torch."""
OnProgress = Callable[[str, float, str], None]
"""Job id, fraction done, what is being done."""
_PROGRESS = "slicewire-progress"
_DIED = "The worker process died while running this job"
_BEGUN = -1.0
_LOOK_EVERY_S = 0.25
_FETCH_WITHIN_S = 10.0
_SAY_WAITING_AFTER_S = 5.0
_PASS_ON_AFTER_S = 30.0
_TELL_EVERY_S = 0.5

log = structlog.get_logger("engine")


class _SchedulerLostError(EngineUnavailableError):
    """The scheduler ended, or is another one than the job was given to."""


@dataclass(slots=True)
class _Running:
    """A job that was given to a worker."""

    job_id: str
    begun_at: list[float] = field(default_factory=list)
    """Monotonic; more than one where Dask gave it to another worker after the first one died."""
    worker: str = ""
    told_at: float = -_TELL_EVERY_S
    untold: tuple[float, str] | None = None
    """What came too soon after the last that was told."""
    changed: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Task:
    """The same as Dask sees it."""

    cluster: Cluster
    future: Future
    running: _Running
    resources: dict[str, float]

    def result(self) -> JobResult | None:
        """What the job answered; None while it has not, after a short wait.

        Raises:
            Exception: the job's own failure, or what became of its worker or scheduler.
        """
        self.running.changed.wait(_LOOK_EVERY_S)
        self.running.changed.clear()
        status = self.future.status  # asked once: it may change between two looks
        if status == "error":
            self._raise_what_the_job_raised()
        if status not in ("pending", "finished") or self.cluster.client.status != "running":
            log.debug("job lost", status=status)
            raise _SchedulerLostError("The Dask scheduler lost the job")
        return self._fetch() if status == "finished" else None

    def _raise_what_the_job_raised(self) -> NoReturn:
        error = self.future.exception()
        if not isinstance(error, KilledWorker):
            raise error
        if not self.running.begun_at:  # it only waited at the worker that died
            raise EngineUnavailableError("The worker died before the job began") from error
        raise WorkerDiedError(_DIED) from error

    def _fetch(self) -> JobResult | None:
        """The result from its worker; None where that one is gone and Dask runs the job again."""
        try:
            result: JobResult = self.future.result(timeout=_FETCH_WITHIN_S)
        except (TimeoutError, OSError, CancelledError):
            return None
        return result

    def end(self) -> None:
        """Take the job from its worker, which cannot be asked to stop: it is killed."""
        with suppress(OSError, TimeoutError, CancelledError):
            self.future.cancel(force=True)
        if self.running.worker:
            kill_worker(self.cluster.client, self.running.worker)

    @property
    def wants_more(self) -> bool:
        """Whether not every worker will do."""
        return self.cluster.honours_resources and bool(self.resources)

    def what_it_waits_for(self) -> str:
        """In words, while no worker has begun."""
        resources = self.resources if self.cluster.honours_resources else {}
        wanted = ", ".join(f"{name}={amount:g}" for name, amount in resources.items())
        return "waits for a worker" + (f" with {wanted}" if wanted else "")


class Engine:
    """Runs jobs in worker processes, as many at once as threads call `run`."""

    def __init__(
        self,
        entry: str,
        *,
        on_progress: OnProgress,
        scratch_folder: Path,
        settings: EngineSettings | None = None,
        warm: Sequence[str] = (),
    ) -> None:
        """`entry` names a `RunJob` as `package.module:function`, `warm` modules to import early."""
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
        """Start the workers, or connect to those that exist; nothing when that was done.

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
    ) -> JobResult:
        """Run a job to its end.

        Args:
            request: with absolute paths.
            time_limit_s: from the moment when a worker begins.
            is_wanted: asked several times a second; no longer wanted, the worker is killed.

        Raises:
            SlicewireError: the pipeline says why it cannot, or time is over.
            WorkerDiedError: the worker process died while it ran the job.
            EngineUnavailableError: the scheduler is gone, or lost the job.
            concurrent.futures.CancelledError: `cancel` was called, or it is not wanted.
        """
        cluster = self._opened()
        key, running = f"{request.job_id[:16]}-{uuid.uuid4().hex[:8]}", _Running(request.job_id)
        with self._lock:
            self._running[key] = running
        try:
            future = self._submit(cluster, key, request)
            future.add_done_callback(lambda _: running.changed.set())
            return self._wait(
                _Task(cluster, future, running, request.resources), time_limit_s, is_wanted
            )
        except _SchedulerLostError:
            self._leave(cluster)  # a scheduler that came back knows nothing of this client's
            raise
        finally:
            with self._lock:
                self._running.pop(key, None)

    def cancel(self) -> None:
        """Make every `run` return now, before `close`."""
        self._stopping = True

    def _leave(self, cluster: Cluster) -> None:
        with self._lock:
            if self._cluster is not cluster:
                return
            self._cluster = None
        cluster.close()

    def close(self) -> None:
        """End the workers that are ours."""
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
            cluster = OwnWorkers(settings.workers, self._scratch_folder)
        else:
            cluster = ExistingCluster(settings.scheduler, settings.tls)
        cluster.client.register_plugin(WorkerState(self._entry, self._warm), name=CACHE)
        cluster.client.subscribe_topic(_PROGRESS, lambda event: self._on_event(*event[1]))
        return cluster

    def _submit(self, cluster: Cluster, key: str, request: JobRequest) -> Future:
        resources = request.resources if cluster.honours_resources else None
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
            self._tell_untold(task.running)
            if self._stopping or not is_wanted():
                task.end()
                raise CancelledError
            if begun_at and now - begun_at[0] > time_limit_s:
                task.end()
                raise SlicewireError(f"The job ran longer than {time_limit_s:.0f} s")
            if len(begun_at) > 1:
                task.end()
                raise WorkerDiedError(_DIED)
            if not begun_at and now - submitted_at > _SAY_WAITING_AFTER_S:
                self._tell(task.running, 0.0, task.what_it_waits_for())
            if not begun_at and task.wants_more and now - submitted_at > _PASS_ON_AFTER_S:
                task.end()  # others can use the slot meanwhile
                raise EngineUnavailableError(f"The job {task.what_it_waits_for()}")
        return result

    def _on_event(self, key: str, fraction: float, words: str, worker: str) -> None:
        with self._lock:
            running = self._running.get(key)
        if running is None:
            return  # another node's, on the same cluster, or one that was given up
        if fraction == _BEGUN:
            running.worker = worker
            running.begun_at.append(time.monotonic())
        else:
            self._tell(running, fraction, words)

    def _tell(self, running: _Running, fraction: float, words: str) -> None:
        """Not oftener than a person looks; of what comes sooner the latest is told afterwards."""
        with self._lock:
            running.untold = (fraction, words)
        self._tell_untold(running)

    def _tell_untold(self, running: _Running) -> None:
        now = time.monotonic()
        with self._lock:
            untold = running.untold
            if untold is None or (now - running.told_at < _TELL_EVERY_S and untold[0] < 1):
                return
            running.told_at, running.untold = now, None
        self._on_progress(running.job_id, *untold)


def _run_on_worker(entry: str, request: JobRequest, key: str) -> JobResult:
    worker = get_worker()

    def report(fraction: float, words: str) -> None:
        worker.log_event(_PROGRESS, (key, fraction, words, worker.address))

    # known to the node before anything can go wrong: whose job a worker died at is counted
    begun = (key, _BEGUN, "", worker.address)
    sync(worker.loop, worker.scheduler.log_event, topic=_PROGRESS, msg=begun)
    run_job = pkgutil.resolve_name(entry)
    cache: Any = worker.plugins[CACHE].cache
    result: JobResult = run_job(request, report, cache)
    return result
