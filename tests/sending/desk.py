"""A finished job and the delivery that serves it, with a clock that the test turns."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from core.config.file import read_configuration
from core.job import JobRequest, JobResult, OutputInstance
from network.scu.c_store import instance_to_send
from node.delivery.delivery import Delivery
from node.delivery.hashes import content_hash
from node.delivery.queue_results import queue_results
from node.ledger.database import Ledger
from node.ledger.requests.jobs import Destination, create_job, find_job, finish_job
from node.ledger.schema import deliveries
from node.ledger.tables.deliveries import delivery_states, send_again
from node.ledger.tables.instances import StoredInstance, record_instance
from tests.support.databases import open_test_ledger

JOB = "a" * 64
HOUR_S = 3600.0
LONGEST_PAUSE_S = 1.2 * HOUR_S  # an hour, and the fifth that chance may add


@dataclass
class Desk:
    """A ledger with one finished job, and the delivery that serves it."""

    storage_path: Path
    ledger: Ledger
    now: list[float]
    sources: list[str]
    results: list[str]
    delivery: Delivery

    def queue(
        self, *destinations: Destination, export_series: bool = True, look_first: str = ""
    ) -> int:
        """Queue the job's results for these peers."""
        with self.ledger.writing() as connection:
            job = find_job(connection, JOB)
            assert job is not None
            assert job.result is not None
            result = replace(job.result, look_first=look_first)
            return queue_results(
                connection,
                replace(job, destinations=destinations, result=result),
                read_configuration(
                    None, {"storage_path": self.storage_path, "export_series": export_series}
                ),
                now=self.now[0],
            )

    def deliver(self) -> int:
        """Everything that is due at the clock's time; how many peers that were."""
        threads = self.delivery.start_due()
        for thread in threads:
            thread.join()
        return len(threads)

    def move(self, name: str, port: int) -> None:
        """The peer listens at another port from now on."""
        with self.ledger.writing() as connection:
            moved = update(deliveries).where(deliveries.c.peer == name)
            connection.execute(moved.values(port=port))

    def restart(self, **keys: Any) -> None:
        """The node starts again, with another configuration."""
        configuration = read_configuration(None, {"storage_path": self.storage_path} | keys)
        self.delivery = Delivery(configuration, self.ledger)

    def again(self) -> None:
        """A person has everything sent once more."""
        with self.ledger.writing() as connection:
            send_again(connection, JOB, self.now[0], also_stored=True)

    def parcel_words(self) -> list[str]:
        """What is recorded of each instance, in the order of sending."""
        with self.ledger.reading() as connection:
            words = select(deliveries.c.words).order_by(deliveries.c.position)
            return list(connection.scalars(words))

    def states(self, peer: str = "tps") -> dict[str, int]:
        """How many instances are in which state at a peer."""
        with self.ledger.reading() as connection:
            return {
                one.state: one.count for one in delivery_states(connection, JOB) if one.peer == peer
            }


@pytest.fixture
def desk(tmp_path: Path, cine_folder: Path, ct_structure_set: Path) -> Iterator[Desk]:
    """Four images that came in and a structure set drawn on them."""
    storage_path = tmp_path / "storage"
    now = [1_000_000.0]
    sources = []
    for number in (89, 99, 109, 119):
        uid = instance_to_send(cine_folder / f"{number}.dcm").sop_instance_uid
        path = storage_path / "instances" / f"{uid}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(cine_folder / f"{number}.dcm", path)
        sources.append(uid)
    folder = storage_path / "results" / JOB
    folder.mkdir(parents=True)
    shutil.copy(ct_structure_set, folder / "rs.dcm")
    ledger = open_test_ledger(storage_path, lambda: now[0])
    uid = instance_to_send(ct_structure_set).sop_instance_uid
    with ledger.writing() as connection:
        for source in sources:
            record_instance(connection, _as_received(storage_path, source), now[0])
    _finish_job(ledger, storage_path, sources, uid)
    configuration = read_configuration(
        None, {"storage_path": storage_path, "delivery": {"timeout_s": 60.0}}
    )
    yield Desk(storage_path, ledger, now, sources, [uid], Delivery(configuration, ledger))
    ledger.close()


def _as_received(storage_path: Path, uid: str) -> StoredInstance:
    path = storage_path / "instances" / f"{uid}.dcm"
    instance = instance_to_send(path)
    return StoredInstance(
        sop_instance_uid=uid,
        series_instance_uid="1.2.3",
        study_instance_uid="1.2.2",
        sop_class_uid=instance.sop_class_uid,
        transfer_syntax_uid=instance.transfer_syntax_uid,
        sha256=content_hash(path, instance.transfer_syntax_uid),
        size_bytes=path.stat().st_size,
        path=str(path.relative_to(storage_path)),
        made_here=False,
    )


def _finish_job(ledger: Ledger, storage_path: Path, sources: list[str], uid: str) -> None:
    request = JobRequest(
        job_id=JOB,
        series_instance_uid="1.2.3",
        instance_paths=tuple(str(storage_path / "instances" / f"{one}.dcm") for one in sources),
        pipeline="unet",
        kind="unet",
        parameters={},
        root_uid="1.2.",
        created=datetime.now(UTC),
        output_dir=str(storage_path / "results" / JOB),
    )
    output = OutputInstance("rs.dcm", "1.2.840.10008.5.1.4.1.1.481.3", uid, "1.2.4", "")
    with ledger.writing() as connection:
        create_job(connection, request, (), ledger.clock())
        finish_job(connection, JOB, JobResult((output,), True, "drawn"), ledger.clock())


def to(peer: Any, name: str = "tps") -> Destination:
    return Destination(name, peer.address.ip, peer.address.port, peer.address.ae_title)


def came(peer: Any) -> list[str]:
    return [one.sop_instance_uid for one in peer.received]
