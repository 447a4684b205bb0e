"""16 senders at full speed: every acknowledged instance is there, and identical.

Half a minute unless `SLICEWIRE_TEST_FLOOD_S` says otherwise; ten minutes take some 10 GB.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID

from network.scu.outgoing import open_data_set
from node.ledger.tables.instances import find_instances
from tests.receiving.flood import new_uid
from tests.support.databases import open_test_ledger
from tests.support.node_process import ROOT, NodeProcess, wait_until

_PROCESSES = 4


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_16_senders_at_full_speed_lose_nothing(tmp_path: Path, ct_folder: Path) -> None:
    seconds = os.environ.get("SLICEWIRE_TEST_FLOOD_S", "30")
    source = small_instance(sorted(ct_folder.glob("*.dcm"))[0], tmp_path / "source.dcm")
    node = NodeProcess(tmp_path / "node", rules=[], completion={"settle_s": 3600.0}).start()
    try:
        acknowledged = flood(node, tmp_path, seconds, source)
        assert len(acknowledged) > 100
        wait_until(lambda: not list(node.storage_path.glob("incoming/*.log")), 300.0)
        assert missing_or_changed(node.storage_path, acknowledged) == []
    finally:
        node.stop()
    assert missing_or_changed(node.storage_path, acknowledged) == []


def small_instance(source: Path, path: Path) -> Path:
    data_set = pydicom.dcmread(source)
    data_set.Rows, data_set.Columns, data_set.PixelData = 100, 100, bytes(20_000)
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = UID(new_uid())
    data_set.save_as(path)
    return path


def flood(node: NodeProcess, folder: Path, seconds: str, source: Path) -> dict[str, str]:
    """The hash of each data set that was answered 0x0000, by UID."""
    processes, journals = [], []
    for number in range(_PROCESSES):
        own = folder / f"sender-{number}"
        own.mkdir()
        journals.append(own / "journal")
        command = [sys.executable, "-W", "ignore", "-m", "tests.receiving.flood"]
        command += [str(node.address[1]), str(own), seconds, str(source)]
        processes.append(subprocess.Popen(command, cwd=ROOT))
    try:
        for process in processes:
            assert process.wait(float(seconds) + 300) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
    lines = [line for journal in journals for line in journal.read_text().splitlines()]
    return dict(json.loads(line) for line in lines)


def missing_or_changed(storage_path: Path, acknowledged: dict[str, str]) -> list[str]:
    """By the ledger and by the files that it names."""
    ledger = open_test_ledger(storage_path)
    try:
        with ledger.reading() as connection:
            places = {uid: find_instances(connection, uid) for uid in acknowledged}
    finally:
        ledger.close()
    return [
        uid
        for uid, digest in acknowledged.items()
        if len(places[uid]) != 1 or data_set_hash(storage_path / places[uid][0][2]) != digest
    ]


def data_set_hash(path: Path) -> str:
    with open_data_set(path) as extent:
        return hashlib.sha256(path.read_bytes()[extent.begin :]).hexdigest()
