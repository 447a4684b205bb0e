"""The node as its user starts it, and a peer that receives what it sends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import yaml
from pydicom.dataset import FileDataset
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.events import Event

from node.ledger.views.series_history import SeriesHistory, history_of
from tests.support.cluster import scheduler_for_tests
from tests.support.databases import database_url_for, open_test_ledger
from tests.support.peers import CT, EXPLICIT, IMPLICIT, MR, associate, store_file

ROOT = Path(__file__).parents[2]
SENDABLE = (MR, CT, "1.2.840.10008.5.1.4.1.1.481.3", "1.2.840.10008.5.1.4.1.1.66.4")
WITHIN_S = 120.0
"""How long tests wait for what has to come; moments are enough where the machine is not busy."""
QUICK = {
    "completion": {"settle_s": 0.3, "one_by_one_settle_s": 0.3, "revision_wait_s": 0},
    "delivery": {"first_retry_s": 0.5},
}


class Sink:
    """A storage SCP that keeps what each association brought, in order."""

    def __init__(self, ip: str = "127.0.0.1", *, port: int = 0) -> None:
        self.visits: list[list[FileDataset]] = []
        self.released = 0
        self._entity = AE(ae_title="SINK")
        for context in AllStoragePresentationContexts:
            self._entity.add_supported_context(str(context.abstract_syntax))
        handlers: list[Any] = [
            (evt.EVT_ACCEPTED, lambda _: self.visits.append([])),
            (evt.EVT_C_STORE, self.on_c_store),
            (evt.EVT_RELEASED, self.on_released),
        ]
        server: Any = self._entity.start_server((ip, port), block=False, evt_handlers=handlers)
        self.port = int(server.socket.getsockname()[1])

    def on_c_store(self, event: Event) -> int:
        self.visits[-1].append(pydicom.dcmread(BytesIO(event.encoded_dataset())))
        return 0

    def on_released(self, _: Event) -> None:
        self.released += 1

    def wait_for(self, count: int, within_s: float = WITHIN_S) -> list[FileDataset]:
        """The `count`-th association's instances, once it is released."""
        wait_until(lambda: self.released >= count, within_s)
        return self.visits[count - 1]

    def close(self) -> None:
        self._entity.shutdown()


class NodeProcess:
    """`scp_server.py` with a configuration file of its own."""

    root = ROOT
    """Where the node's code is."""

    def __init__(self, folder: Path, **keys: Any) -> None:
        self.folder = folder
        self.storage_path = folder / "storage"
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "config.yaml"
        self.database_url = database_url_for(self.storage_path)
        if self.database_url is not None:
            keys = {"database_url": self.database_url} | keys
        scheduler = scheduler_for_tests()
        if scheduler is not None:
            keys = keys | {"engine": {"scheduler": scheduler} | keys.get("engine", {})}
        self.config.write_text(yaml.safe_dump(QUICK | keys))
        self.address = ("127.0.0.1", 0)

    def start(self, *flags: str, new_session: bool = False) -> "NodeProcess":
        command = [sys.executable, str(self.root / "scp_server.py"), "--config", str(self.config)]
        command += ["--scp-port", "0", "--storage-path", str(self.storage_path)]
        command += ["--web-port", "0", *flags]
        self.errors = self.folder / f"stderr-{time.monotonic_ns()}"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=self.root,
                start_new_session=new_session,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "listens on" in line, self.errors.read_text()
        ip, port = line.split(" listens on ")[1].split(" as ")[0].split(":")
        self.address = (ip, int(port))
        return self

    def stop(self, number: int = signal.SIGTERM, within_s: float = WITHIN_S) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(within_s)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def history(self, series_instance_uid: str) -> SeriesHistory | None:
        ledger = open_test_ledger(self.storage_path)
        try:
            return history_of(ledger, series_instance_uid)
        finally:
            ledger.close()

    def wait_for_state(self, series_instance_uid: str, *states: str) -> SeriesHistory:
        found: list[SeriesHistory] = []

        def is_there() -> bool:
            history = self.history(series_instance_uid)
            if history is not None and history.state in states:
                found.append(history)
            return bool(found)

        wait_until(is_there)
        return found[0]

    def logs(self) -> str:
        texts = [path.read_text() for path in self.folder.glob("stderr-*")]
        return "".join([*texts, (self.storage_path / "debug.log").read_text()])


def wait_until(condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    pause, end, rest_s = threading.Event(), time.monotonic() + within_s, 0.01
    while not condition():
        assert time.monotonic() < end, f"not within {within_s} s"
        pause.wait(rest_s)
        rest_s = min(0.1, 1.5 * rest_s)


def series_uid(paths: Sequence[Path]) -> str:
    return str(pydicom.dcmread(paths[0], stop_before_pixels=True).SeriesInstanceUID)


def send(
    node: NodeProcess,
    paths: list[Path],
    *,
    called: str = "SLICEWIRE",
    calling: str = "TPS",
    comes_from: str = "127.0.0.1",
) -> None:
    """C-STORE files to the node in one association; everything must be answered 0x0000."""
    with associate(
        node.address,
        syntaxes=(EXPLICIT, IMPLICIT),
        classes=SENDABLE,
        called=called,
        calling=calling,
        comes_from=comes_from,
    ) as association:
        assert [store_file(association, path) for path in paths] == [0] * len(paths)
