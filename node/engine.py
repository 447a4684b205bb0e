"""Where pipelines run: one worker process, so that a crash there never takes the node along.

Dask distributed keeps the worker alive and restarts it; the ledger is the truth about jobs, so
whatever is lost here is queued again at the next start.
"""

import logging
import pkgutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, WorkerPlugin, get_worker

from core.errors import SlicewireError
from core.job import Cache, JobRequest, JobResult, Report
from core.log import quieten_libraries

RunJob = Callable[[JobRequest, Report, Cache], JobResult]
"""A pipeline's entry; a worker finds it by name, so that the node itself never loads torch."""
OnProgress = Callable[[str, float, str], None]
"""Job id, fraction done, what is being done."""
_CACHE = "model-cache"
_PROGRESS = "progress"
_ATTEMPTS_OF_A_KILLER = 1


class Engine:
    """Runs one job at a time in a worker process of its own."""

    def __init__(self, entry: str, *, on_progress: OnProgress, scratch_folder: Path) -> None:
        """`entry` names a `RunJob` as `package.module:function`."""
        dask.config.set({"distributed.scheduler.allowed-failures": _ATTEMPTS_OF_A_KILLER})
        self._entry = entry
        self._on_progress = on_progress
        self._scratch_folder = scratch_folder
        self._running: Future | None = None
        self._lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        self._cluster = LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            host="127.0.0.1",  # whoever reaches these ports can run code
            dashboard_address=None,
            local_directory=str(self._scratch_folder),
            silence_logs=logging.CRITICAL,
        )
        self._client = Client(self._cluster, set_as_default=False)
        self._client.register_plugin(_WorkerState(self._entry), name=_CACHE)
        self._client.subscribe_topic(_PROGRESS, lambda event: self._on_progress(*event[1]))

    def run(self, request: JobRequest, *, attempt: int, time_limit_s: float) -> JobResult:
        """Run a job to its end.

        Raises:
            SlicewireError: the pipeline says why it cannot, the worker died, or time is over.
            concurrent.futures.CancelledError: `cancel` was called meanwhile.
        """
        key = f"{request.job_id[:16]}-{attempt}"
        future = self._client.submit(_run_on_worker, self._entry, request, key=key, pure=False)
        with self._lock:
            self._running = future
        try:
            result: JobResult = future.result(timeout=time_limit_s)
        except KilledWorker as error:
            raise SlicewireError("The worker process died twice while running this job") from error
        except TimeoutError as error:
            self.close()  # ends the worker; a new one is surer than one that was restarted
            self._open()
            raise SlicewireError(f"The job ran longer than {time_limit_s:.0f} s") from error
        finally:
            with self._lock:
                self._running = None
        return result

    def cancel(self) -> None:
        """Make `run` return now, before `close`: the worker itself is still at its job."""
        with self._lock:
            running = self._running
        if running is not None:
            running.cancel(force=True)

    def close(self) -> None:
        """End the worker process."""
        self._client.close(timeout=5)
        self._cluster.close(timeout=5)


class _WorkerState(WorkerPlugin):  # type: ignore[misc]  # distributed is untyped
    """What lives as long as the worker process: the pipelines' code and loaded models."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self.cache: dict[str, Any] = {}

    def setup(self, worker: Any) -> None:  # noqa: ARG002, the plugin's interface
        """Libraries are quiet here too; a Ctrl-C at the terminal is the node's to act on."""
        quieten_libraries()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        pkgutil.resolve_name(self._entry)  # import now, not while the first series waits


def _run_on_worker(entry: str, request: JobRequest) -> JobResult:
    worker, run_job = get_worker(), pkgutil.resolve_name(entry)

    def report(fraction: float, words: str) -> None:
        worker.log_event(_PROGRESS, (request.job_id, fraction, words))

    result: JobResult = run_job(request, report, worker.plugins[_CACHE].cache)
    return result
