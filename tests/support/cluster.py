"""An external Dask cluster: a scheduler and workers as processes of their own, on loopback."""

import atexit
import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distributed import Client, Security

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
_WITHIN_S = 60.0


class ExternalCluster:
    """Started as docs/operating.md says, ended by the ids of its processes."""

    def __init__(
        self, *, workers: int = 2, resources: str = "", tls: dict[str, str] | None = None
    ) -> None:
        self._tls = tls or {}
        self._resources = resources
        self._folder = tempfile.TemporaryDirectory(prefix="slicewire-dask-")
        self._port = free_port()
        self.address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{self._port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start(workers)

    def start(self, workers: int = 2) -> None:
        """The scheduler and its workers; waits until they have found each other."""
        self.scheduler = self._run("dask_scheduler", "--port", str(self._port))
        for _ in range(workers):
            self.add_worker(self._resources)
        with Client(self.address, security=self._security(), timeout=_WITHIN_S) as client:
            client.wait_for_workers(workers, timeout=_WITHIN_S)

    def add_worker(self, resources: str = "") -> None:
        """One more worker with its nanny."""
        arguments = [self.address, "--nthreads", "1", "--local-directory", self._folder.name]
        arguments += ["--resources", resources] if resources else []
        self.workers.append(self._run("dask_worker", *arguments))

    def kill_scheduler(self) -> None:
        """End it without a word; workers end by themselves, and are waited for."""
        self.scheduler.kill()
        self.scheduler.wait()
        self._end(self.workers)
        self.workers.clear()

    def stop(self) -> None:
        """End everything."""
        self._end([*self.workers, self.scheduler])
        self._folder.cleanup()

    def _run(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        command += ["--host", "127.0.0.1", "--no-dashboard"]
        command += ["--dashboard-address", "127.0.0.1:0", *self._tls_flags()]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _tls_flags(self) -> Sequence[str]:
        names = {"ca_path": "--tls-ca-file", "certificate_path": "--tls-cert"}
        names["key_path"] = "--tls-key"
        return [part for name, path in self._tls.items() for part in (names[name], path)]

    def _security(self) -> Any:
        if not self._tls:
            return None
        return Security(
            require_encryption=True,
            tls_ca_file=self._tls["ca_path"],
            tls_client_cert=self._tls["certificate_path"],
            tls_client_key=self._tls["key_path"],
        )

    def _end(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.terminate()
        end = time.monotonic() + 10
        for process in processes:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def scheduler_for_tests() -> str | None:
    """The scheduler that tests are to use: with `SLICEWIRE_TEST_ENGINE=external` a real one."""
    if os.environ.get("SLICEWIRE_TEST_ENGINE", "embedded") == "embedded":
        return None
    return _cluster().address


@functools.cache
def _cluster() -> ExternalCluster:
    cluster = ExternalCluster()
    atexit.register(cluster.stop)
    return cluster
