"""A disk that is full or read-only: 0xA700, nothing half-written, and it works again afterwards."""

import errno
from pathlib import Path

import pydicom
import pytest

from core.errors import StorageUnavailableError
from node.ledger.tables.conditions import all_conditions
from node.scp.instance_store import InstanceStore
from node.scp.spool import Spool
from tests.support.databases import open_test_ledger
from tests.support.peers import associate, encoded, store
from tests.support.receiver import Receiver, start_receiver
from tests.support.small_disk import fill, make_read_only, make_writable, small_disk


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    return pydicom.dcmread(cine_folder / "89.dcm")


def send(receiver: Receiver, instance: pydicom.FileDataset) -> int:
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    return int(answer.Status)


@pytest.mark.parametrize("leaving", [0, 60_000])
def test_a_full_disk_is_0xa700_and_the_instance_is_stored_when_there_is_space(
    tmp_path: Path, instance: pydicom.FileDataset, leaving: int
) -> None:
    with small_disk(tmp_path / "disk", "16m") as disk:
        receiver = start_receiver(disk)
        filling = fill(disk, leaving)
        assert send(receiver, instance) == 0xA700
        assert list((receiver.storage_path / "incoming").iterdir()) == []
        assert list(receiver.storage_path.rglob("*.dcm")) == []
        filling.unlink()
        assert send(receiver, instance) == 0x0000
        receiver.wait_for_files()
        assert len(list(receiver.storage_path.rglob("*.dcm"))) == 1
        receiver.listener.stop()
        receiver.ledger.close()


def test_a_read_only_file_system_is_0xa700(tmp_path: Path, instance: pydicom.FileDataset) -> None:
    with small_disk(tmp_path / "disk", "16m") as disk:
        receiver = start_receiver(disk, ledger_folder=tmp_path)  # it would keep the disk in use
        assert send(receiver, instance) == 0x0000
        instance.SOPInstanceUID += ".1"
        receiver.wait_for_files()  # a file that is open for writing keeps the disk as it is
        make_read_only(disk)
        assert send(receiver, instance) == 0xA700
        make_writable(disk)
        assert send(receiver, instance) == 0x0000
        receiver.listener.stop()
        receiver.ledger.close()


def test_a_disk_that_fails_as_the_file_is_begun_leaves_what_a_refusal_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    spool = Spool(tmp_path, b"meta", "1.2", check_disk=lambda: None, in_memory_bytes=16)
    spool.write(memoryview(b"of a series"))
    monkeypatch.setattr("node.scp.spool.write_all", fail)
    spool.write(memoryview(b" and so on"))
    with pytest.raises(StorageUnavailableError, match="No space left"):
        spool.data_set()
    assert spool.head() == b"of a series"
    spool.close()


def test_the_watermark_is_noted_once_with_since_when_and_cleared(tmp_path: Path) -> None:
    now = [1000.0]
    (tmp_path / "incoming").mkdir()
    ledger = open_test_ledger(tmp_path, lambda: now[0])
    low = InstanceStore(tmp_path, ledger, root_uid="1.2.", minimum_free_mb=10**9)
    for _ in range(3):
        low.watermark.watch()
        now[0] += 60
    with ledger.reading() as connection:
        [condition] = all_conditions(connection)
    assert condition.since == 1000.0
    assert condition.words.startswith("Disk full: ")
    assert condition.words.endswith(f"{10**9} MB needed")
    InstanceStore(tmp_path, ledger, root_uid="1.2.", minimum_free_mb=0).watermark.watch()
    with ledger.reading() as connection:
        assert all_conditions(connection) == []
    ledger.close()


def test_an_instance_whose_file_is_gone_is_stored_again_when_it_comes_again(
    tmp_path: Path, instance: pydicom.FileDataset
) -> None:
    receiver = start_receiver(tmp_path)
    assert send(receiver, instance) == 0x0000
    receiver.wait_for_files()
    [path] = receiver.storage_path.rglob("*.dcm")
    path.unlink()
    assert send(receiver, instance) == 0x0000
    receiver.wait_for_files()
    assert path.exists()
    receiver.listener.stop()
    receiver.ledger.close()
