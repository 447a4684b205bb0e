"""Worker processes of jobs: the node's own, or those of an existing Dask cluster.

Whoever may use a port of Dask can run code: the node's own ports listen on loopback only and take
nobody without the key of this start, and a scheduler on another machine is reached by TLS.
"""

import logging
import multiprocessing
import os
import pkgutil
import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import dask
import structlog
from distributed import Client, LocalCluster, Nanny, Security, WorkerPlugin

from core.config.sections import EngineTls
from core.errors import EngineUnavailableError, explain_fault
from core.log import quieten_libraries
from core.private_files import keep_files_private
from core.signals import signals_stay_here
from node.jobs.own_security import make_own_security
from node.jobs.slots import Slot

CACHE = "model-cache"
_LOOPBACK = "127.0.0.1"
_CONNECT_WITHIN_S = 10
_CLOSE_WITHIN_S = 5
_START_WITHIN_S = 120

log = structlog.get_logger("engine")


class Cluster(Protocol):
    """Workers, and the Dask client that submits tasks to them."""

    client: Client
    honours_resources: bool
    """True if its scheduler knows the resources of its workers."""

    def resources_for(
        self, resources: Mapping[str, float], slot: Slot | None
    ) -> dict[str, float] | None:
        """Return the Dask resources of a job's task in a slot."""

    def close(self) -> None:
        """Disconnect; the node's own workers end."""


class OwnWorkers:
    """Worker processes on this machine, one thread each."""

    honours_resources = False

    def __init__(self, slots: Sequence[Slot], scratch_folder: Path) -> None:
        """Start a worker for each slot; `scratch_folder` holds the data that they spill to disk.

        Those for small jobs start when they are needed.

        Raises:
            EngineUnavailableError: they did not start in time.
        """
        self._slots = tuple(slots)
        self._started, self._starting = 0, threading.Lock()
        workers = sum(not slot.is_for_small for slot in slots)
        threads = max(1, (os.cpu_count() or 1) // workers)
        dask.config.set(
            {
                "distributed.scheduler.allowed-failures": 0,  # the ledger counts attempts
                "distributed.scheduler.http.routes": [],
                "distributed.worker.http.routes": [],
                # jobs are waited for one by one; every poll would cost an idle node
                "distributed.admin.tick.interval": "10 s",
                "distributed.admin.tick.cycle": "10 s",
                "distributed.client.scheduler-info-interval": "60 s",
                "distributed.admin.system-monitor.interval": "10 s",
                "distributed.admin.system-monitor.gil.enabled": False,
                "distributed.scheduler.work-stealing": False,
                "distributed.scheduler.active-memory-manager.start": False,
                "distributed.worker.profile.enabled": False,
                "distributed.nanny.pre-spawn-environ.OMP_NUM_THREADS": threads,
            }
        )
        # starts what watches over semaphores; Python unblocks signals in the thread that does
        multiprocessing.get_context("spawn").Lock()
        with signals_stay_here():
            self._cluster = _SlotWorkers(
                self._slots,
                threads_per_worker=1,
                host=_LOOPBACK,
                security=make_own_security(),
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": f"{_LOOPBACK}:0"},
                local_directory=str(scratch_folder),
                memory_limit=0,  # a volume is as large as it is; the system's limit counts
                silence_logs=logging.CRITICAL,
            )
        self.client = Client(self._cluster, set_as_default=False)
        self._start(workers)
        try:
            self.client.wait_for_workers(workers, timeout=_START_WITHIN_S)
        except TimeoutError as error:
            self.close()
            words = f"The worker processes did not start within {_START_WITHIN_S} s"
            raise EngineUnavailableError(words) from error

    def resources_for(
        self,
        resources: Mapping[str, float],  # noqa: ARG002, the slot was chosen by them
        slot: Slot | None,
    ) -> dict[str, float] | None:
        """Return what binds a task to its slot's worker, which is started if it is not yet."""
        if slot is None:
            return None
        self._start(self._slots.index(slot) + 1)
        return {slot.name: 1.0}

    def _start(self, count: int) -> None:
        """Start the workers of the first `count` slots that were not started yet."""
        with self._starting:
            if count > self._started:
                self._cluster.scale(count)
                self._started = count

    def close(self) -> None:
        """End the worker processes; slow ones end with this process."""
        for closes in (self.client, self._cluster):
            try:
                closes.close(timeout=_CLOSE_WITHIN_S)
            except (OSError, TimeoutError) as error:
                log.warning("workers end late", reason=explain_fault(error))


class _SlotWorkers(LocalCluster):  # type: ignore[misc]  # distributed is untyped
    """A worker for each slot, started by `scale` in their order."""

    def __init__(self, slots: Sequence[Slot], **keys: Any) -> None:
        self._slots_by_worker = dict(enumerate(slots))
        super().__init__(n_workers=0, **keys)

    def new_worker_spec(self) -> dict[Any, Any]:
        """Return the next worker with its slot's name as a resource, and its slot's GPUs."""
        [(number, spec)] = super().new_worker_spec().items()
        slot = self._slots_by_worker[number]
        own: dict[str, Any] = {"resources": {slot.name: 1}}
        own |= {} if slot.devices is None else {"env": {"CUDA_VISIBLE_DEVICES": slot.devices}}
        return {number: {**spec, "options": spec["options"] | own}}


class ExistingCluster:
    """Workers of an existing scheduler, on this machine or on others."""

    honours_resources = True

    def __init__(self, scheduler: str, tls: EngineTls | None) -> None:
        """Connect.

        Raises:
            EngineUnavailableError: the scheduler does not answer.
        """
        try:
            self.client = Client(
                scheduler,
                set_as_default=False,
                timeout=_CONNECT_WITHIN_S,
                security=None if tls is None else _security(tls),
            )
        except (OSError, TimeoutError) as error:
            raise EngineUnavailableError(f"No Dask scheduler answers at {scheduler}") from error

    def resources_for(
        self,
        resources: Mapping[str, float],
        slot: Slot | None,  # noqa: ARG002, any worker with the resources may run the task
    ) -> dict[str, float] | None:
        """Return the job's own resources."""
        return dict(resources)

    def close(self) -> None:
        """Disconnect; the workers go on."""
        with suppress(OSError, TimeoutError):
            self.client.close(timeout=_CLOSE_WITHIN_S)


class WorkerState(WorkerPlugin):  # type: ignore[misc]  # distributed is untyped
    """State of a worker process: imported pipelines and loaded models."""

    def __init__(self, entry: str, warm: Sequence[str]) -> None:
        """Store names: `entry` and the modules `warm` are imported early, before the first job."""
        self._entry = entry
        self._warm = tuple(warm)
        self._node_user = os.getuid()
        self.cache: dict[str, Any] = {}

    def setup(self, worker: Any) -> None:  # noqa: ARG002, the plugin's interface
        """Prepare the worker: silence libraries, leave Ctrl-C to the node, import early."""
        quieten_libraries()
        if os.getuid() == self._node_user:  # else the node could not read the results
            keep_files_private()
        with suppress(OSError):  # if memory runs out, a worker is killed, not the listener
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=self._import, name="warm", daemon=True).start()

    def _import(self) -> None:
        for name in (self._entry, *self._warm):
            with suppress(ImportError, AttributeError):  # the job itself says what is missing
                pkgutil.resolve_name(name)


def kill_worker(client: Client, address: str) -> None:
    """Kill the worker process at `address`; its nanny starts another."""
    with suppress(OSError, TimeoutError, ValueError):
        nanny = client.scheduler_info(n_workers=-1)["workers"].get(address, {}).get("nanny")
        if nanny is not None:
            client.run(_kill_child, workers=[address], nanny=True)
        else:
            client.run(_kill_self, workers=[address], wait=False)


def _kill_child(dask_worker: Nanny) -> None:
    if dask_worker.pid:
        os.kill(dask_worker.pid, signal.SIGKILL)


async def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _security(tls: EngineTls) -> Security:
    return Security(
        require_encryption=True,
        tls_ca_file=str(tls.ca_path),
        tls_client_cert=str(tls.certificate_path),
        tls_client_key=str(tls.key_path),
    )
