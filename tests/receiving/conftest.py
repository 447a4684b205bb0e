"""A listener on a free port without anything behind it, and an inbox by itself."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pynetdicom.dsutils import split_dataset

from network.sender import Sender
from node.ledger.tables.instances import open_association
from node.scp.instance_store import ReceivedInstance
from tests.receiving.logged import Place, instance_store_of
from tests.support.databases import open_test_ledger
from tests.support.receiver import Receiver, start_receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A listener on a free port."""
    receiver = start_receiver(tmp_path)
    yield receiver
    receiver.listener.stop()
    receiver.ledger.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An inbox, its ledger and an association."""
    (tmp_path / "incoming").mkdir()
    ledger = open_test_ledger(tmp_path)
    with ledger.writing() as connection:
        association = open_association(connection, Sender("TPS", "NODE", "127.0.0.1"), 1.0)
    yield Place(tmp_path, ledger, association, instance_store_of(tmp_path, ledger))
    ledger.close()


@pytest.fixture
def received_instances(place: Place, cine_folder: Path) -> list[ReceivedInstance]:
    """Four instances of a cine series."""
    found = []
    for path in sorted(cine_folder.glob("*.dcm"))[:4]:
        data_set = pydicom.dcmread(path, stop_before_pixels=True)
        _, offset = split_dataset(path)
        content = path.read_bytes()
        found.append(
            ReceivedInstance(
                association=place.association,
                sop_class_uid=str(data_set.SOPClassUID),
                sop_instance_uid=str(data_set.SOPInstanceUID),
                transfer_syntax_uid=str(data_set.file_meta.TransferSyntaxUID),
                file_meta=content[:offset],
                data_set=content[offset:],
            )
        )
    return found
