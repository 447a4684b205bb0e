"""Acknowledged instances outlast a power cut on a disk that keeps only what POSIX demands."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from network.sender import Sender
from node.ledger.schema import instances
from node.ledger.tables.instances import open_association
from node.lock import StorageLock
from node.scp.instance_store import STORED, ReceivedInstance
from node.supervisor import prepare_storage
from tests.receiving.logged import Place, instance_store_of
from tests.receiving.strict_disk import StrictDisk, started_after_power_cut
from tests.support.databases import open_test_ledger


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictDisk]:
    mount = tmp_path / "mount"
    mount.mkdir()
    disk = StrictDisk(mount, monkeypatch)
    yield disk
    disk.close()


@pytest.fixture
def place(disk: StrictDisk) -> Iterator[Place]:
    """A storage folder that a start of the node has just made."""
    folder = disk.mount / "site" / "storage"
    StorageLock(folder).release()
    prepare_storage(folder)
    ledger = open_test_ledger(folder)
    with ledger.writing() as connection:
        association = open_association(connection, Sender("TPS", "NODE", "127.0.0.1"), 1.0)
    yield Place(folder, ledger, association, instance_store_of(folder, ledger))
    ledger.close()


def files_that_the_ledger_knows(place: Place) -> list[bool]:
    with place.ledger.reading() as connection:
        return [
            (place.folder / one.path).is_file() for one in connection.execute(instances.select())
        ]


def test_instances_in_a_log_outlast_it(
    disk: StrictDisk, place: Place, received_instances: list[ReceivedInstance], tmp_path: Path
) -> None:
    log = place.instance_store.wal_writer.open()
    assert [place.instance_store.receive(one, log) for one in received_instances] == [STORED] * 4
    again = started_after_power_cut(disk, place, tmp_path / "after")
    assert files_that_the_ledger_knows(again) == [True] * 4


def test_instances_that_have_files_outlast_it(
    disk: StrictDisk, place: Place, received_instances: list[ReceivedInstance], tmp_path: Path
) -> None:
    log = place.instance_store.wal_writer.open()
    for one in received_instances:
        place.instance_store.receive(one, log)
    log.close()
    place.instance_store.stop(20.0)  # the logs are gone
    again = started_after_power_cut(disk, place, tmp_path / "after")
    assert files_that_the_ledger_knows(again) == [True] * 4


def test_instances_that_get_a_file_at_once_outlast_it(
    disk: StrictDisk, place: Place, received_instances: list[ReceivedInstance], tmp_path: Path
) -> None:
    assert place.instance_store.receive(received_instances[0]) == STORED
    again = started_after_power_cut(disk, place, tmp_path / "after")
    assert files_that_the_ledger_knows(again) == [True]


def test_folders_that_a_killed_node_left_without_a_sync_are_synced(
    disk: StrictDisk, place: Place, received_instances: list[ReceivedInstance], tmp_path: Path
) -> None:
    described = place.instance_store.describe(received_instances[0])
    (place.folder / described.path).parent.mkdir(parents=True)
    assert place.instance_store.receive(received_instances[0]) == STORED
    again = started_after_power_cut(disk, place, tmp_path / "after")
    assert files_that_the_ledger_knows(again) == [True]


def test_folders_that_were_removed_meanwhile_are_made_again(
    disk: StrictDisk, place: Place, received_instances: list[ReceivedInstance], tmp_path: Path
) -> None:
    first, second, *_ = received_instances
    store = place.instance_store
    store.receive(first)
    path = place.folder / store.describe(first).path
    path.unlink()
    for folder in list(path.parents)[:3]:  # series, study, instances
        folder.rmdir()
    assert store.receive(second) == STORED
    again = started_after_power_cut(disk, place, tmp_path / "after")
    assert files_that_the_ledger_knows(again) == [False, True]


def test_the_disk_of_these_tests_forgets_what_is_not_synced(
    disk: StrictDisk, tmp_path: Path
) -> None:
    folder = disk.mount / "folder"
    folder.mkdir()
    (folder / "synced").write_bytes(b"1")
    with (folder / "synced").open("rb") as file:
        os.fsync(file.fileno())
    (folder / "unsynced").write_bytes(b"2")
    assert list(disk.cut_power(tmp_path / "names lost").iterdir()) == []
