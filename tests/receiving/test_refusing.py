"""What cannot be stored is answered with the right status and words, and nothing is kept."""

import copy
import itertools
from pathlib import Path

import pydicom
import pytest

from tests.support.peers import associate, encoded, store
from tests.support.receiver import Receiver, start_receiver


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    """One instance of the cine series."""
    return pydicom.dcmread(cine_folder / "9.dcm")


def test_bytes_that_are_no_data_set_are_0xc000_with_a_comment(receiver: Receiver) -> None:
    with associate(receiver.address) as association:
        for rubbish in (b"\x00" * 100, b"hello world " * 40, bytes(range(256))):
            answer = store(association, rubbish, sop_instance_uid="1.2.3")
            assert answer.Status == 0xC000
            assert answer.ErrorComment
    assert receiver.files() == []


@pytest.mark.parametrize("missing_bytes", [1, 1000, 131_000])
def test_a_truncated_instance_is_0xc000(
    receiver: Receiver, instance: pydicom.FileDataset, missing_bytes: int
) -> None:
    with associate(receiver.address) as association:
        cut = encoded(instance)[:-missing_bytes]
        answer = store(association, cut, sop_instance_uid=instance.SOPInstanceUID)
    assert answer.Status == 0xC000
    assert "truncated" in answer.ErrorComment
    assert receiver.files() == []


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_an_instance_without_its_uids_is_0xc000(
    receiver: Receiver, instance: pydicom.FileDataset, keyword: str
) -> None:
    uid = str(instance.SOPInstanceUID)
    delattr(instance, keyword)
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid=uid)
    assert answer.Status == 0xC000
    assert answer.ErrorComment == f"{keyword} is missing"


def test_another_instance_than_requested_is_0xa900(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid="1.2.3.4")
    assert answer.Status == 0xA900
    assert receiver.files() == []


def test_another_sop_class_than_requested_is_0xa900(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    instance.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    assert answer.Status == 0xA900


def test_a_uid_with_path_separators_is_refused_and_writes_nothing(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    keywords = ("SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID")
    uids = ("../../../escaped", "1.2/../../3", "/tmp/x", "1.2.3\\4", "..", "1.2.3 /4")
    with associate(receiver.address) as association:
        for keyword, uid in itertools.product(keywords, uids):
            changed = copy.deepcopy(instance)
            setattr(changed, keyword, uid)
            requested = uid if keyword == "SOPInstanceUID" else str(instance.SOPInstanceUID)
            answer = store(association, encoded(changed), sop_instance_uid=requested)
            assert answer.Status == 0xC000, (keyword, uid)
    assert receiver.files() == []


def test_a_storage_folder_that_cannot_be_written_is_0xa700(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    (receiver.storage_path / "incoming").rmdir()
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    assert answer.Status == 0xA700


def test_a_ledger_that_fails_is_0xa700_and_the_next_instance_is_stored_when_it_is_back(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    with associate(receiver.address) as association:
        for name, there, status in (("instances", "gone", 0xA700), ("gone", "instances", 0)):
            with receiver.ledger.writing() as connection:
                connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {there}")
            answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
            assert answer.Status == status
    assert len(receiver.files()) == 1


def test_a_disk_below_the_watermark_is_0xa700(
    tmp_path: Path, instance: pydicom.FileDataset
) -> None:
    receiver = start_receiver(tmp_path, minimum_free_mb=10**9)
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    assert answer.Status == 0xA700
    assert answer.ErrorComment.startswith("Disk full: ")
    receiver.listener.stop()


def test_the_end_of_an_association_tells_what_was_refused(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    uid, series_uid = str(instance.SOPInstanceUID), str(instance.SeriesInstanceUID)
    with associate(receiver.address) as association:
        store(association, encoded(instance)[:-1000], sop_instance_uid=uid)
        store(association, b"rubbish", sop_instance_uid="1.2.3")
    first, second = receiver.refused
    assert (first.sop_instance_uid, first.series_instance_uid) == (uid, series_uid)
    assert first.words.startswith("0xC000, ")
    assert (second.sop_instance_uid, second.series_instance_uid) == ("1.2.3", "")


def test_the_node_goes_on_after_all_of_it(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    with associate(receiver.address) as association:
        store(association, b"rubbish", sop_instance_uid="1.2.3")
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    assert answer.Status == 0


def test_a_patients_name_never_reaches_the_comment(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    instance.PatientName = "Secret^Name"
    with associate(receiver.address) as association:
        answer = store(
            association, encoded(instance)[:-10], sop_instance_uid=instance.SOPInstanceUID
        )
    assert "Secret" not in answer.ErrorComment
