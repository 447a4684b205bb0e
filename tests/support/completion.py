"""Inbox, tracker and ledger with a clock that the test turns."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pynetdicom.dsutils import encode_file_meta

from core.config.file import read_configuration
from core.config.settings import Configuration
from core.priority import Priority
from imaging.geometry.placement import RULES_2D, RULES_3D
from network.sender import Sender
from node.answers import Answer, Asker
from node.commands import answer_to, ask, carry_out
from node.completion.expected_count import CountInstances
from node.completion.routing import Router
from node.completion.series_completion import SeriesCompletion
from node.ledger.database import Ledger
from node.ledger.requests.jobs import JobRow, jobs_of
from node.ledger.tables.events import events_of
from node.ledger.tables.instances import RELEASED, open_association
from node.ledger.tables.series import SeriesRow, find_series
from node.scp.instance_store import InstanceStore, ReceivedInstance
from node.wal.writer import WriteAheadLog
from tests.support.databases import open_test_ledger
from tests.support.peers import encoded

SETTLE_S = 5.0
TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}
PACS = {"name": "pacs", "ae_title": "PACS", "ip": "192.0.2.2", "port": 105}
SOFT = {"called_ae_title": "SOFT", "pipeline": "blur"}
HARD = {"called_ae_title": "HARD", "pipeline": "unet"}


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Asking(ThreadPoolExecutor):
    """Threads in which peers are asked, for which a test can wait."""

    def __init__(self) -> None:
        super().__init__()
        self._futures: list[Future[Any]] = []

    def submit(self, *what: Any, **keys: Any) -> Future[Any]:
        future = super().submit(*what, **keys)
        self._futures.append(future)
        return future

    def finish(self) -> None:
        """Every peer has answered."""
        wait(self._futures)


@dataclass
class Completion:
    """The part of the node between an instance's arrival and a queued job."""

    configuration: Configuration
    ledger: Ledger
    instance_store: InstanceStore
    series_completion: SeriesCompletion
    asking: Asking
    clock: Clock

    def open(
        self, calling: str = "TPS", called: str = "SLICEWIRE", address: str = "127.0.0.1"
    ) -> int:
        """A new association."""
        with self.ledger.writing() as connection:
            return open_association(connection, Sender(calling, called, address), self.clock.now)

    def receive(
        self,
        association: int,
        paths: Sequence[Path],
        segments: WriteAheadLog | None = None,
        *,
        priority: Priority = Priority.MEDIUM,
    ) -> None:
        """Instances that come in through an association; their files once `segments` is closed."""
        for path in paths:
            data_set = pydicom.dcmread(path)
            meta = data_set.file_meta
            self.instance_store.receive(
                ReceivedInstance(
                    association=association,
                    sop_class_uid=str(data_set.SOPClassUID),
                    sop_instance_uid=str(data_set.SOPInstanceUID),
                    transfer_syntax_uid=str(meta.TransferSyntaxUID),
                    file_meta=b"\x00" * 128 + b"DICM" + encode_file_meta(meta),
                    data_set=encoded(data_set, implicit=meta.TransferSyntaxUID.is_implicit_VR),
                    priority=priority,
                ),
                segments,
            )

    def send(self, paths: Sequence[Path], *, outcome: str = RELEASED, **sender: str) -> None:
        """A whole association: opened, instances, ended."""
        association = self.open(**sender)
        self.receive(association, paths)
        self.series_completion.association_ended(association, outcome)

    def settle(self, seconds: float = SETTLE_S) -> None:
        """Let time pass, and the tracker look."""
        self.clock.now += seconds
        self.series_completion.examine_due()
        self.asking.finish()

    def command(self, verb: str, paths: Sequence[Path]) -> Answer:
        """What a person is answered who asks the running node for something."""
        command = ask(self.ledger, verb, series_uid(paths), Asker("eve", "192.0.2.9"))
        carry_out(self.ledger)
        self.settle(0)
        carry_out(self.ledger)
        answer = answer_to(self.ledger, command)
        assert answer is not None
        return answer

    def series(self, paths: Sequence[Path]) -> SeriesRow:
        """The row of the series that `paths` belong to."""
        with self.ledger.reading() as connection:
            row = find_series(connection, series_uid(paths))
        assert row is not None
        return row

    def jobs(self, paths: Sequence[Path]) -> list[JobRow]:
        """The jobs of the series that `paths` belong to."""
        with self.ledger.reading() as connection:
            return jobs_of(connection, series_uid(paths))

    def words(self, paths: Sequence[Path]) -> list[str]:
        """What the events of that series say."""
        with self.ledger.reading() as connection:
            return [words for _, _, words in events_of(connection, series_uid(paths))]


def series_uid(paths: Sequence[Path]) -> str:
    return str(pydicom.dcmread(paths[0], stop_before_pixels=True).SeriesInstanceUID)


Start = Callable[..., Completion]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A completion with the configuration's keys that the test gives; `pipeline` is unet."""
    opened: list[Ledger] = []

    def make(count: CountInstances | None = None, **keys: Any) -> Completion:
        storage_path = tmp_path / "storage"
        (storage_path / "incoming").mkdir(parents=True)
        checkpoint_path = tmp_path / "model.ckpt"
        checkpoint_path.write_bytes(b"weights")
        settings = {"pipeline": "unet", "checkpoint_path": checkpoint_path} | keys
        configuration = read_configuration(None, settings | {"storage_path": storage_path})
        clock = Clock()
        ledger = open_test_ledger(storage_path, clock)
        opened.append(ledger)
        asking = Asking()
        instance_store = InstanceStore(
            storage_path, ledger, root_uid=configuration.root_uid, minimum_free_mb=0
        )
        return Completion(
            configuration=configuration,
            ledger=ledger,
            instance_store=instance_store,
            series_completion=SeriesCompletion(
                configuration,
                ledger,
                Router(configuration, ("127.0.0.1", 11112)),
                geometry_rules={"unet": RULES_2D, "blur": RULES_3D},
                count=count,
                pool=asking,
                waits_for_files=instance_store.checkpointer.has_pending,
            ),
            asking=asking,
            clock=clock,
        )

    yield make
    for ledger in opened:
        ledger.close()


@pytest.fixture
def completion(start: Start) -> Completion:
    """With `--pipeline unet` for every series."""
    return start()


@pytest.fixture
def ct_paths(ct_folder: Path) -> list[Path]:
    """Ten neighbouring slices of the CT."""
    return sorted(ct_folder.glob("*.dcm"))[:10]
