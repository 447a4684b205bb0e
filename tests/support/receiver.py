"""A listener with its inbox and ledger on a free port, without anything behind it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config.settings import Configuration
from network.data_sets.limits import DataSetBounds
from node.ledger.database import Ledger
from node.scp.instance_store import InstanceStore
from node.scp.refusals import Refusal
from node.scp.service import Listener
from node.wal.recycled_segments import SPARE_SUFFIX
from tests.support.databases import open_test_ledger
from tests.support.node_process import wait_until


@dataclass
class Receiver:
    """What a test looks at after it has sent something."""

    address: tuple[str, int]
    storage_path: Path
    ledger: Ledger
    ended: list[tuple[int, str]]
    refused: list[Refusal]
    listener: Listener

    def files(self) -> list[Path]:
        """Every file that stays, but the ledger's, once those to be made are made."""
        self.wait_for_files()
        found = (path for path in self.storage_path.parent.rglob("*") if path.is_file())
        passing = ("ledger.", SPARE_SUFFIX)
        return sorted(one for one in found if not any(part in one.name for part in passing))

    def wait_for_files(self) -> None:
        """Until each instance that was answered has its file."""
        wait_until(lambda: not list(self.storage_path.glob("incoming/*.log")))


StartWithWire = Callable[..., Receiver]
"""Starts a listener with the given keys of the section `wire`."""


def start_receiver(
    tmp_path: Path,
    minimum_free_mb: int = 0,
    configuration: Configuration | None = None,
    *,
    ledger_folder: Path | None = None,
) -> Receiver:
    """A listener on a free port whose storage is below `tmp_path`, and the ledger with it."""
    storage_path = tmp_path / "storage"
    (storage_path / "incoming").mkdir(parents=True)
    configuration = configuration or Configuration()
    configuration = configuration.model_copy(update={"storage_path": storage_path, "scp_port": 0})
    ledger = open_test_ledger(ledger_folder or storage_path)
    instance_store = InstanceStore(
        storage_path,
        ledger,
        root_uid=configuration.root_uid,
        minimum_free_mb=minimum_free_mb,
        bounds=DataSetBounds.of(configuration.wire),
    )
    ended: list[tuple[int, str]] = []
    refused: list[Refusal] = []

    def on_end(key: int, outcome: str, refusals: Sequence[Refusal]) -> None:
        ended.append((key, outcome))
        refused.extend(refusals)

    listener = Listener(configuration, ledger, instance_store, on_end=on_end)
    return Receiver(listener.start(), storage_path, ledger, ended, refused, listener)


@contextmanager
def receivers_with_wire(tmp_path: Path) -> Iterator[StartWithWire]:
    """A function that starts a listener with keys of the wire; all are stopped at the end."""
    with ExitStack() as over:

        def begin(**wire: Any) -> Receiver:
            keys = {"wire": wire}
            receiver = start_receiver(tmp_path, configuration=Configuration.model_validate(keys))
            over.callback(receiver.ledger.close)
            over.callback(receiver.listener.stop)
            return receiver

        yield begin
