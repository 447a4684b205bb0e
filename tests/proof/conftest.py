"""A peer that takes results, and says of them what the test wants: by commitment, by C-FIND."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, build_context, build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
)

from core.config.file import read_configuration
from network.scu import storage_commitment as messages
from node.delivery.delivery import Delivery
from node.delivery.storage_commitment_scp import StorageCommitmentScp
from node.delivery.storage_commitment_scu import StorageCommitmentScu
from node.ledger.database import Ledger
from node.scp.instance_store import InstanceStore
from node.scp.n_action import CommitmentService
from node.scp.service import Listener
from tests.support.databases import open_test_ledger


@dataclass
class Holder:
    """A storage SCP that may offer storage commitment and C-FIND."""

    commitment: bool = False
    knows_roles: bool = True
    """Whether it negotiates the roles of storage commitment."""
    find: bool = False
    loses: set[str] = field(default_factory=set)
    """UIDs that it answers 0x0000 to and does not keep."""
    ip: str = "127.0.0.1"
    answers: bool = True
    """Whether it answers storage commitment requests on the same association."""
    kept: dict[str, Dataset] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    replies: list[int | None] = field(default_factory=list)
    """Statuses of the node's answers to reports on the same association; None: it gave none."""
    reports: list[messages.Report] = field(default_factory=list)
    reported: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._entity = AE(ae_title="HOLDER")
        for context in AllStoragePresentationContexts[:120]:
            self._entity.add_supported_context(str(context.abstract_syntax))
        if self.commitment:
            both = True if self.knows_roles else None
            self._entity.add_supported_context(messages.PUSH_MODEL, scu_role=both, scp_role=both)
        if self.find:
            self._entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_C_FIND, self._on_find),
            (evt.EVT_N_ACTION, self._on_action),
            (evt.EVT_N_EVENT_REPORT, self._on_report),
        ]
        server: Any = self._entity.start_server((self.ip, 0), block=False, evt_handlers=handlers)
        self.port = int(server.socket.getsockname()[1])

    def close(self) -> None:
        self._entity.shutdown()

    def report_to(self, address: tuple[str, int], *, with_role: bool = True) -> int:
        """Answer the last request on an association of its own; the status that comes back."""
        transaction_uid, references = self.requests[-1]
        entity = AE(ae_title="HOLDER")
        roles: list[Any] = [build_role(messages.PUSH_MODEL, scp_role=True)] if with_role else []
        association = entity.associate(
            *address, contexts=[build_context(messages.PUSH_MODEL)], ext_neg=roles
        )
        assert association.is_established
        failed = {uid: 0x0112 for uid in references if uid not in self.kept}
        status, _ = association.send_n_event_report(
            messages.report(transaction_uid, references, failed),
            messages.FAILURES_EXIST if failed else messages.ALL_COMMITTED,
            messages.PUSH_MODEL,
            messages.PUSH_MODEL_INSTANCE,
        )
        association.release()
        return int(status.Status)

    def _on_store(self, event: Any) -> int:
        data_set = pydicom.dcmread(BytesIO(event.encoded_dataset()), stop_before_pixels=True)
        if data_set.SOPInstanceUID not in self.loses:
            self.kept[str(data_set.SOPInstanceUID)] = data_set
        return 0x0000

    def _on_find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for uid, data_set in self.kept.items():
            if data_set.SeriesInstanceUID == event.identifier.SeriesInstanceUID:
                match = Dataset()
                match.SOPInstanceUID = uid
                yield 0xFF00, match

    def _on_action(self, event: Any) -> tuple[int, None]:
        self.requests.append(messages.read_request(event.action_information))
        if self.answers:
            threading.Timer(0.2, self._answer, [event.assoc]).start()
        return 0x0000, None

    def _answer(self, association: Any) -> None:
        transaction_uid, references = self.requests[-1]
        failed = {uid: 0x0112 for uid in references if uid not in self.kept}
        status, _ = association.send_n_event_report(
            messages.report(transaction_uid, references, failed),
            messages.FAILURES_EXIST if failed else messages.ALL_COMMITTED,
            messages.PUSH_MODEL,
            messages.PUSH_MODEL_INSTANCE,
        )
        self.replies.append(status.get("Status"))

    def _on_report(self, event: Any) -> tuple[int, None]:
        self.reports.append(messages.read_report(event.event_information))
        self.reported.set()
        return 0x0000, None


@dataclass
class Office:
    """Delivery, proof and listener over one ledger, with a clock that the test turns."""

    storage_path: Path
    now: list[float]
    ledger: Ledger
    delivery: Delivery
    commitment_scu: StorageCommitmentScu
    commitment_scp: StorageCommitmentScp
    listener: Listener
    address: tuple[str, int]

    def deliver(self) -> None:
        for thread in self.delivery.start_due():
            thread.join()

    is_open: bool = True

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.listener.stop()
            self.ledger.close()


StartOffice = Callable[..., Office]


@pytest.fixture
def start_holder() -> Iterator[Callable[..., Holder]]:
    started: list[Holder] = []

    def start(**keys: Any) -> Holder:
        started.append(Holder(**keys))
        return started[-1]

    yield start
    for holder in started:
        holder.close()


@pytest.fixture
def start_office(tmp_path: Path) -> Iterator[StartOffice]:
    started: list[Office] = []

    def start(holder: Holder, *, others: Sequence[Any] = (), **peer: Any) -> Office:
        storage_path = tmp_path / "storage"
        (storage_path / "incoming").mkdir(parents=True, exist_ok=True)
        settings = {"name": "tps", "ae_title": "HOLDER", "ip": "127.0.0.1", "port": holder.port}
        configuration = read_configuration(
            None,
            {
                "storage_path": storage_path,
                "scp_port": 0,
                "peers": [settings | peer, *others],
                "proof": {"answer_on_association_s": 20.0 if holder.answers else 0.3},
            },
        )
        now = [1_000_000.0]
        ledger = open_test_ledger(storage_path, lambda: now[0])
        commitment_scu, commitment_scp = (
            StorageCommitmentScu(configuration, ledger),
            StorageCommitmentScp(configuration, ledger),
        )
        instance_store = InstanceStore(
            storage_path, ledger, root_uid=configuration.root_uid, minimum_free_mb=0
        )
        listener = Listener(
            configuration,
            ledger,
            instance_store,
            on_end=lambda *_: None,
            commitment=CommitmentService(commitment_scp, commitment_scu),
        )
        delivery = Delivery(configuration, ledger)
        address = listener.start()
        started.append(
            Office(
                storage_path,
                now,
                ledger,
                delivery,
                commitment_scu,
                commitment_scp,
                listener,
                address,
            )
        )
        return started[-1]

    yield start
    for office in started:
        office.close()
